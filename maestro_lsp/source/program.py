"""The NF's whole program: units linked. Takes units; gives functions and globals by name as a linker would."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from maestro_lsp.source.preprocess import Problem
from maestro_lsp.source.unit import FunctionDef, GlobalDef, Unit

Helpers = Callable[[str, Sequence[Unit]], Unit | None]


class Program:
    """Units that are linked together.

    helpers  gives the unit that defines a function which no unit so far does, or None, from a name and the units that are linked
             already; asked once for each name
    """

    def __init__(self, units: Sequence[Unit], helpers: Helpers | None = None) -> None:
        self.units: list[Unit] = list(units)
        self._own = tuple(units)
        self._helpers = helpers
        self._asked: dict[str, None] = {}
        self._parsed: dict[str, Unit] = {}  # helpers that were ever asked for, by path

    def function(self, name: str, unit: Unit | None = None) -> FunctionDef | None:
        """The definition that a use of a name in a unit means: the unit's own, else an external one."""
        if unit is not None and name in unit.functions:
            return unit.functions[name]
        for other in self.units:
            if name in other.functions and not other.functions[name].static:
                return other.functions[name]
        return self.function(name, unit) if self._help(name) else None

    def is_ambiguous(self, definition: FunctionDef | GlobalDef) -> bool:
        """Whether other files have other definitions of what this one defines for all: then some are weak, and the linker chooses."""
        if definition.static:
            return False
        name, node = definition.name, definition.node
        for unit in self.units if isinstance(definition, FunctionDef) or definition.init is not None else ():
            of_unit = unit.functions if isinstance(definition, FunctionDef) else unit.globals
            other: FunctionDef | GlobalDef | None = of_unit.get(name)
            if (
                other is None
                or other is definition
                or other.static
                or (isinstance(other, GlobalDef) and other.init is None)
            ):
                continue
            if other.node.text != node.text:
                return True
        return False

    def global_(self, name: str, unit: Unit | None = None) -> GlobalDef | None:
        """The variable that a use of a name in a unit means: the unit's own definition, an external one, else
        one with an extern declaration only."""
        declared = None
        if unit is not None and name in unit.globals:
            declared = unit.globals[name]
            if not declared.extern:
                return declared if declared.static else self._defined(name) or declared
        found = self._defined(name)
        if found is None and declared is not None and self._help(name):
            found = self._defined(name)
        return found or declared

    @property
    def asked(self) -> tuple[str, ...]:
        """Names for which a helper was looked for, in that order."""
        return tuple(self._asked)

    @property
    def parsed(self) -> list[Unit]:
        """All units, those that were only parsed ahead too."""
        return [*self._own, *self._parsed.values()]

    def parse_ahead(self, names: Iterable[str]) -> None:
        """Parse the helpers that an earlier version of the program asked for; they are linked when they are asked for again."""
        with self.aside():
            for name in names:
                self._help(name)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Link anew within, and go on as before afterwards."""
        before = self._asked, self.units
        self.relink()
        try:
            yield
        finally:
            self._asked, self.units = before

    def relink(self) -> None:
        """Forget which helpers were asked for, so that nothing depends on what ran before; what was parsed is kept."""
        self._asked = {}
        self.units = list(self._own)

    def _help(self, name: str) -> bool:
        """Load the helper that defines a name; whether there was one."""
        if self._helpers is None or name in self._asked:
            return False
        self._asked[name] = None
        found = self._helpers(name, self.units)
        if found is None:
            return False
        self._parsed[found.path] = found
        self.units.append(found)
        return True

    def _defined(self, name: str) -> GlobalDef | None:
        """The external definition of a variable: one with an initialiser before a tentative one."""
        tentative = None
        for unit in self.units:
            if name in unit.globals:
                found = unit.globals[name]
                if found.static or found.extern:
                    continue
                if found.init is not None:
                    return found
                tentative = tentative or found
        return tentative

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Problems of all units, each once (headers are read by several)."""
        return tuple(dict.fromkeys(problem for unit in self.units for problem in unit.problems))
