"""What names mean at a place of a program: typedefs, tags, enumeration constants, variables. Scopes form a
chain; that of a file fills itself as names are asked for, because most declarations of headers never are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from maestro_lsp.source.ctypes import INT, STANDARD_TYPES, CType, Enum, Record


class Scope:
    """A block, a parameter list or a file.

    typedefs, tags, constants, variables: what is declared in this scope itself. A tag's key is its name; C keeps
    struct, union and enum tags in one name space.
    """

    def __init__(self, parent: Scope | None = None) -> None:
        self.parent = parent
        self.typedefs: dict[str, CType] = {}
        self.tags: dict[str, CType] = {}
        self.constants: dict[str, int] = {}
        self.wide_constants: dict[str, CType] = {}  # types of those constants that are no int
        self.variables: dict[str, CType] = {}

    def typedef(self, name: str) -> CType | None:
        """The type that a typedef name stands for, unless a variable hides it; standard ones such as uint8_t need no declaration."""
        scope: Scope | None = self
        while scope is not None:
            if scope.parent is not None and name in scope.variables:
                return None
            found = scope._own_typedef(name)
            if found is not None:
                return found
            scope = scope.parent
        return STANDARD_TYPES.get(name)

    def constant(self, name: str) -> int | None:
        """The value of an enumeration constant, unless a variable hides it."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.variables:
                return None
            found = scope._own_constant(name)
            if found is not None:
                return found
            scope = scope.parent
        return None

    def constant_type(self, name: str) -> CType:
        """The type of an enumeration constant: int, or that of its enumeration where int does not hold it."""
        scope: Scope | None = self
        while scope is not None and scope._own_constant(name) is None:
            scope = scope.parent
        return scope.wide_constants.get(name, INT) if scope is not None else INT

    def variable(self, name: str) -> CType | None:
        """The type of a variable or function."""
        scope: Scope | None = self
        while scope is not None:
            found = scope._own_variable(name)
            if found is not None:
                return found
            scope = scope.parent
        return None

    def record(self, kind: Literal["struct", "union"], tag: str, here: bool = False) -> Record:
        """The struct or union of a tag, made incomplete when there is none. here: only this scope counts, as for
        a definition."""
        scope: Scope | None = self
        while scope is not None:
            found = scope._own_tag(tag)
            if isinstance(found, Record) and found.kind == kind:
                return found
            if here:
                break
            scope = scope.parent
        record = Record(kind, tag)
        self.tags[tag] = record
        return record

    def enum(self, tag: str) -> Enum | None:
        """The enumeration of a tag."""
        scope: Scope | None = self
        while scope is not None:
            found = scope._own_tag(tag)
            if isinstance(found, Enum):
                return found
            scope = scope.parent
        return None

    def packing(self, byte: int) -> int:
        """What #pragma pack aligns the members of a record to at most that ends at a byte of the source; 0: as usual."""
        return self.parent.packing(byte) if self.parent is not None else 0

    def _own_typedef(self, name: str) -> CType | None:
        return self.typedefs.get(name)

    def _own_constant(self, name: str) -> int | None:
        return self.constants.get(name)

    def _own_variable(self, name: str) -> CType | None:
        return self.variables.get(name)

    def _own_tag(self, name: str) -> CType | None:
        return self.tags.get(name)


class FileScope(Scope):
    """The scope of a file. `later` maps each kind of name to what will declare it in this scope."""

    def __init__(self) -> None:
        super().__init__()
        self.later: dict[str, dict[str, Callable[[], object]]] = {
            "typedef": {},
            "tag": {},
            "constant": {},
            "variable": {},
        }
        self.packed: Callable[[int], int] = lambda byte: 0

    def packing(self, byte: int) -> int:
        return self.packed(byte)

    def _declare(self, kind: str, name: str) -> None:
        declare = self.later[kind].pop(name, None)
        if declare is not None:
            declare()

    def _own_typedef(self, name: str) -> CType | None:
        self._declare("typedef", name)
        return self.typedefs.get(name)

    def _own_constant(self, name: str) -> int | None:
        self._declare("constant", name)
        return self.constants.get(name)

    def _own_variable(self, name: str) -> CType | None:
        self._declare("variable", name)
        return self.variables.get(name)

    def _own_tag(self, name: str) -> CType | None:
        self._declare("tag", name)
        return self.tags.get(name)
