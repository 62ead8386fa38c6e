"""What names mean in a program, and the compiled functions that are kept with it.

Compiling a function depends on its own unit, on the catalogue, and on what it asks about names. So code is kept with the function that
it was made of, together with these questions and their answers; it is used again by any execution in which they are still the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ..libvig.catalogue import Catalogue
from ..source import ctypes as T
from ..source.program import Program
from ..source.unit import FunctionDef, GlobalDef, Unit
from . import initialisers
from .code import Code
from .compile import Compiler, compile_function
from .libc import LIBC, RESULTS
from .memory import Problem
from .numbers import BUILTINS

_KEPT = "code"  # in FunctionDef.kept


@dataclass(frozen=True, slots=True)
class _Kept:
    """A compiled function and what that rests on."""

    code: Code
    catalogue: Catalogue
    answers: tuple[tuple[str, tuple[Any, ...], Any], ...]  # question, its arguments, the answer

    def holds(self, link: Link) -> bool:
        """Whether compiling it again would give the same."""
        if self.catalogue is not link.catalogue:
            return False
        return all(_same(getattr(link, question)(*args), answer) for question, args, answer in self.answers)


def _same(x: object, y: object) -> bool:
    """Whether two answers are the same to who has asked. Of a function that is its type; the code finds it by its name when it runs."""
    if isinstance(x, FunctionDef) and isinstance(y, FunctionDef):
        x, y = x.type, y.type
    return x is y or (isinstance(x, T.CType) and x == y)


class Link:
    """Answers about names. What depends on other units than the one that asks is noted while a function is compiled."""

    def __init__(self, program: Program, catalogue: Catalogue) -> None:
        self.program = program
        self.catalogue = catalogue

    def compiled(self, f: FunctionDef) -> Code:
        """A function's code. Raises Problem."""
        kept: _Kept | None = f.kept.get(_KEPT)
        if kept is None or not kept.holds(self):
            noting = _Noting(self)
            kept = f.kept[_KEPT] = _Kept(compile_function(f, f.unit, noting), self.catalogue, tuple(noting.answers))
        return kept.code

    def find_function(self, name: str, unit: Unit) -> FunctionDef | None:
        """The definition that a name means; None for library calls, whose meaning is the catalogue's."""
        if name in self.catalogue.calls:
            return None
        if name in LIBC or self.catalogue.is_ignored(
            name
        ):  # a program may define these itself, but helpers are not searched
            units = [unit, *self.program.units]
            return next((u.functions[name] for u in units if name in u.functions), None)
        return self.program.function(name, unit)

    def find_global(self, name: str, unit: Unit) -> GlobalDef | None:
        return self.program.global_(name, unit)

    def global_type(self, g: GlobalDef) -> T.CType:
        """A global's type, with the length that its initialiser gives it."""
        t = g.type
        if isinstance(t, T.Array) and t.length is None and g.init is not None:
            return initialisers.sized_array(self.of_initialiser(g.unit, g.node), t, g.init)
        return t

    def of_initialiser(self, unit: Unit, node: Any) -> Compiler:
        """A compiler for an initialiser at file scope, which looks to it like a function's body."""
        looks_like_function: Any = _Initialiser(unit, node)
        return Compiler(looks_like_function, unit, self)

    def declared_type(self, name: str) -> T.Function | None:
        """The type of a function that only another unit declares."""
        for u in self.program.units:
            t = u.declared.get(name)
            if isinstance(t, T.Function):
                return t
        return T.Function(RESULTS[name], (), True) if name in RESULTS else None

    def is_library(self, name: str) -> bool:
        return name in self.catalogue.calls or name in LIBC or name in BUILTINS

    def builtin(self, name: str) -> Any:
        """A compiler built-in that needs its operands as syntax (offsetof, constant_p ...)."""
        return BUILTINS.get(name)

    def is_quiet(self, name: str, defined: bool, count: int) -> bool:
        """Whether a call can be left out altogether."""
        if self.catalogue.find(name, count) is not None or name in LIBC:
            return False
        return not defined and self.catalogue.is_ignored(name)


_NOTED = frozenset({"find_function", "find_global", "global_type", "declared_type"})


class _Noting:
    """A `Link` that notes what depends on other units."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.answers: list[tuple[str, tuple[Any, ...], Any]] = []

    def __getattr__(self, question: str) -> Callable[..., Any]:
        ask: Callable[..., Any] = getattr(self._link, question)
        if question not in _NOTED:
            return ask

        def noting(*args: Any) -> Any:
            answer = ask(*args)
            self.answers.append((question, args, answer))
            return answer

        return noting


class _Initialiser:
    def __init__(self, unit: Unit, node: Any) -> None:
        self.name = "(initialiser)"
        self.type = T.Function(T.VOID, (), False)
        self.params: list[Any] = []
        self.body = node
        self.unit = unit


def compile_ahead(program: Program, catalogue: Catalogue, functions: Iterable[tuple[str, str]]) -> None:
    """Compile functions, by unit and name, that an earlier version of the program has run."""
    with program.aside():
        link = Link(program, catalogue)
        units = {u.path: u for u in program.parsed}
        for path, name in functions:
            f = units[path].functions.get(name) if path in units else None
            if f is not None:
                with suppress(Problem):
                    link.compiled(f)
