"""C types and their layout on x86-64 (System V ABI, as gcc lays out). Takes what declarations say; gives sizes,
alignments and offsets in bytes, bit-fields with their bits, and the conversions of C11 6.3.1.

Qualifiers are dropped. Types are values, except that a struct or union is one object for each declaration
of its tag, since it may be declared before it is defined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple


class CType:
    """A C type."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Void(CType):
    """void"""

    def __str__(self) -> str:
        return "void"


@dataclass(frozen=True, slots=True)
class Bool(CType):
    """_Bool: one byte, 0 or 1"""

    def __str__(self) -> str:
        return "_Bool"


@dataclass(frozen=True, slots=True)
class Integer(CType):
    """An integer type; `name` is its canonical spelling, size in bytes."""

    name: str
    size: int
    signed: bool

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Floating(CType):
    """float, double or long double; size in bytes."""

    size: int

    def __str__(self) -> str:
        return {4: "float", 8: "double"}.get(self.size, "long double")


@dataclass(frozen=True, slots=True)
class Pointer(CType):
    """A pointer."""

    to: CType

    def __str__(self) -> str:
        return f"{self.to} *"


@dataclass(frozen=True, slots=True)
class Array(CType):
    """An array; length None when it is not known (`[]`, or not a constant)."""

    of: CType
    length: int | None

    def __str__(self) -> str:
        return f"{self.of}[{'' if self.length is None else self.length}]"


@dataclass(frozen=True, slots=True)
class Function(CType):
    """A function; arrays and functions among its parameters have become pointers."""

    result: CType
    params: tuple[CType, ...]
    variadic: bool

    def __str__(self) -> str:
        shown = [*map(str, self.params), *(["..."] if self.variadic else [])]
        return f"{self.result}({', '.join(shown) or 'void'})"


@dataclass(frozen=True, slots=True)
class Enum(CType):
    """An enumeration; it behaves as `underlying` (unsigned int, or int when a constant is negative)."""

    tag: str | None
    constants: tuple[tuple[str, int], ...]
    underlying: Integer

    def __str__(self) -> str:
        return f"enum {self.tag or '{...}'}"


@dataclass(frozen=True, slots=True)
class Field:
    """A member of a record.

    name        None for an anonymous struct or union
    offset      in bytes from the start; of a bit-field, of the byte that holds its first bit
    bit_offset  of a bit-field: its lowest bit in that byte, 0 being the least significant; else None
    bit_width   of a bit-field: number of bits, which may run on into the following bytes; else None
    """

    name: str | None
    type: CType
    offset: int
    bit_offset: int | None = None
    bit_width: int | None = None


class Record(CType):
    """A struct or union. Records are equal only to themselves.

    kind    "struct" or "union"
    tag     its name, or None
    fields  as laid out; empty while incomplete
    size    in bytes; align likewise
    packed  whether the whole record is

    A record may be used before its definition is read: the first question about its layout runs the definition
    that `define_by` gave, if any.
    """

    __slots__ = (
        "_align",
        "_complete",
        "_definition",
        "_fields",
        "_index",
        "_missing",
        "_size",
        "kind",
        "packed",
        "tag",
    )

    def __init__(self, kind: Literal["struct", "union"], tag: str | None) -> None:
        self.kind = kind
        self.tag = tag
        self.packed = False
        self._fields: tuple[Field, ...] = ()
        self._size = 0
        self._align = 1
        self._complete = False
        self._definition: Callable[[], None] | None = None
        self._index: dict[str, Field] = {}
        self._missing: Field | None = None

    def __str__(self) -> str:
        return f"{self.kind} {self.tag or '{...}'}"

    def __repr__(self) -> str:
        return f"Record({self.kind} {self.tag})"

    def define_by(self, definition: Callable[[], None]) -> None:
        """Give what will call `complete` when the layout is asked for."""
        self._definition = definition

    def _resolve(self) -> None:
        if self._definition is not None:
            definition, self._definition = self._definition, None
            definition()

    @property
    def is_complete(self) -> bool:
        """Whether its members are known."""
        self._resolve()
        return self._complete

    @property
    def fields(self) -> tuple[Field, ...]:
        """Members in order, with their offsets."""
        self._resolve()
        return self._fields

    @property
    def size(self) -> int:
        """Bytes, padding at the end included."""
        self._resolve()
        return self._size

    @property
    def align(self) -> int:
        """Bytes."""
        self._resolve()
        return self._align

    def complete(self, members: Iterable[Member], packed: bool = False, aligned: int = 0, pack: int = 0) -> None:
        """Lay the record out, once. aligned: from `__attribute__((aligned(n)))`, pack: from `#pragma pack(n)`, 0 for none."""
        self._definition = None
        if self._complete:
            return
        layout = lay_out(self.kind, members, packed, aligned, pack)
        self._fields, self._size, self._align = layout
        self.packed = packed
        self._complete = True
        self._missing = next((f for f in self._fields if _is_missing(f.type)), None)
        for member in self._fields:
            if member.name is not None:
                self._index.setdefault(member.name, member)
            elif isinstance(member.type, Record):
                for name, inner in member.type._index.items():
                    moved = Field(name, inner.type, inner.offset + member.offset, inner.bit_offset, inner.bit_width)
                    self._index.setdefault(name, moved)

    @property
    def missing(self) -> Field | None:
        """The first member whose type is not known, if there is one: the places of those behind it are not known either."""
        self._resolve()
        return self._missing

    def find(self, name: str) -> Field | None:
        """The member of a name, also within anonymous structs and unions; its offset counts from the start of
        this record."""
        self._resolve()
        return self._index.get(name)


@dataclass(frozen=True, slots=True)
class Unknown(CType):
    """A type whose declaration is missing (its header was not found)."""

    name: str

    def __str__(self) -> str:
        return self.name


class Member(NamedTuple):
    """A member as declared, before layout. bits: the width of a bit-field, else None; aligned: its own
    alignment attribute, 0 for none; packed: its own packed attribute."""

    name: str | None
    type: CType
    bits: int | None = None
    aligned: int = 0
    packed: bool = False


class Layout(NamedTuple):
    """The members placed, and size and alignment of the whole, in bytes."""

    fields: tuple[Field, ...]
    size: int
    align: int


VOID = Void()
BOOL = Bool()
CHAR = Integer("char", 1, True)
SIGNED_CHAR = Integer("signed char", 1, True)
UNSIGNED_CHAR = Integer("unsigned char", 1, False)
SHORT = Integer("short", 2, True)
UNSIGNED_SHORT = Integer("unsigned short", 2, False)
INT = Integer("int", 4, True)
UNSIGNED_INT = Integer("unsigned int", 4, False)
LONG = Integer("long", 8, True)
UNSIGNED_LONG = Integer("unsigned long", 8, False)
LONG_LONG = Integer("long long", 8, True)
UNSIGNED_LONG_LONG = Integer("unsigned long long", 8, False)
INT128 = Integer("__int128", 16, True)
UNSIGNED_INT128 = Integer("unsigned __int128", 16, False)
FLOAT = Floating(4)
DOUBLE = Floating(8)
LONG_DOUBLE = Floating(16)

# Ranks of C11 6.3.1.1; where two have one size, the name decides.
_RANK = {
    "char": 1, "signed char": 1, "unsigned char": 1, "short": 2, "unsigned short": 2, "int": 3, "unsigned int": 3,
    "long": 4, "unsigned long": 4, "long long": 5, "unsigned long long": 5, "__int128": 6, "unsigned __int128": 6,
}  # fmt: skip
_UNSIGNED = {
    t.name: u
    for t, u in (
        (INT, UNSIGNED_INT),
        (LONG, UNSIGNED_LONG),
        (LONG_LONG, UNSIGNED_LONG_LONG),
        (INT128, UNSIGNED_INT128),
    )
}

# Names that every program knows, whether or not it includes the header that declares them.
STANDARD_TYPES: dict[str, CType] = {
    "_Bool": BOOL, "bool": BOOL, "void": VOID, "char": CHAR, "int": INT, "float": FLOAT, "double": DOUBLE,
    "int8_t": SIGNED_CHAR, "int16_t": SHORT, "int32_t": INT, "int64_t": LONG,
    "uint8_t": UNSIGNED_CHAR, "uint16_t": UNSIGNED_SHORT, "uint32_t": UNSIGNED_INT, "uint64_t": UNSIGNED_LONG,
    "size_t": UNSIGNED_LONG, "ssize_t": LONG, "ptrdiff_t": LONG, "intptr_t": LONG, "uintptr_t": UNSIGNED_LONG,
    "intmax_t": LONG, "uintmax_t": UNSIGNED_LONG, "max_align_t": Array(LONG_DOUBLE, 2), "char8_t": UNSIGNED_CHAR,
    "char16_t": UNSIGNED_SHORT, "char32_t": UNSIGNED_INT, "char64_t": UNSIGNED_LONG, "charptr_t": Pointer(CHAR),
    "nullptr_t": Pointer(VOID), "wchar_t": INT, "__int128": INT128, "__int128_t": INT128,
    "__uint128_t": UNSIGNED_INT128, "signed": INT, "unsigned": UNSIGNED_INT, "long": LONG, "short": SHORT,
    "__builtin_va_list": Array(UNSIGNED_LONG, 3),
}  # fmt: skip


def sized_type(words: Sequence[str]) -> CType | None:
    """The type that keywords such as `unsigned long int` name, in any order; None if they name none."""
    counted = sorted(word for word in words if word not in ("int", "signed"))
    signed_char = "signed" in words and "char" in words
    key = " ".join(counted)
    if signed_char:
        return SIGNED_CHAR
    return {
        "": INT, "unsigned": UNSIGNED_INT, "char": CHAR, "char unsigned": UNSIGNED_CHAR, "short": SHORT,
        "short unsigned": UNSIGNED_SHORT, "long": LONG, "long unsigned": UNSIGNED_LONG, "long long": LONG_LONG,
        "long long unsigned": UNSIGNED_LONG_LONG, "double long": LONG_DOUBLE, "__int128": INT128,
        "__int128 unsigned": UNSIGNED_INT128, "double": DOUBLE, "float": FLOAT, "_Bool": BOOL,
    }.get(key)  # fmt: skip


def sizeof_(ctype: CType) -> int | None:
    """Size in bytes; None if the type is incomplete. As in GNU C, void and functions count 1."""
    if isinstance(ctype, Integer | Floating):
        return ctype.size
    if isinstance(ctype, Pointer):
        return 8
    if isinstance(ctype, Record):
        return ctype.size if ctype.is_complete else None
    if isinstance(ctype, Array):
        element = sizeof_(ctype.of)
        return None if element is None or ctype.length is None else element * ctype.length
    if isinstance(ctype, Unknown):
        return None
    return ctype.underlying.size if isinstance(ctype, Enum) else 1


def alignof_(ctype: CType) -> int:
    """Alignment in bytes; 1 for incomplete types."""
    if isinstance(ctype, Integer | Floating):
        return ctype.size
    if isinstance(ctype, Pointer):
        return 8
    if isinstance(ctype, Record):
        return ctype.align
    if isinstance(ctype, Array):
        return alignof_(ctype.of)
    return ctype.underlying.size if isinstance(ctype, Enum) else 1


def is_arithmetic(ctype: CType) -> bool:
    """Whether values of the type are numbers."""
    return isinstance(ctype, Integer | Bool | Enum | Floating)


def is_scalar(ctype: CType) -> bool:
    """Whether values of the type are numbers or pointers."""
    return isinstance(ctype, Integer | Bool | Enum | Floating | Pointer)


def as_integer(ctype: CType) -> Integer | None:
    """The integer type that an integer, enumeration or _Bool behaves as; None for other types."""
    if isinstance(ctype, Integer):
        return ctype
    if isinstance(ctype, Enum):
        return ctype.underlying
    return UNSIGNED_CHAR if isinstance(ctype, Bool) else None


def promote(ctype: CType, bits: int | None = None) -> CType:
    """The integer promotions (C11 6.3.1.1). bits: the width when the operand is a bit-field."""
    integer = as_integer(ctype)
    if integer is None:
        return ctype
    if bits is not None and integer.size <= 4:
        return INT if bits < 32 or integer.signed else UNSIGNED_INT
    return INT if integer.size < 4 else integer


def common_type(left: CType, right: CType) -> CType:
    """The usual arithmetic conversions (C11 6.3.1.8) of two arithmetic types."""
    floating = [t for t in (left, right) if isinstance(t, Floating)]
    if floating:
        return max(floating, key=lambda t: t.size)
    a, b = promote(left), promote(right)
    if not isinstance(a, Integer) or not isinstance(b, Integer) or a == b:
        return a
    low, high = sorted((a, b), key=lambda t: (_RANK[t.name], not t.signed))
    if low.signed == high.signed or not high.signed:
        return high
    return high if high.size > low.size else _UNSIGNED[high.name]


def decay(ctype: CType) -> CType:
    """What arrays and functions become as values: pointers."""
    if isinstance(ctype, Array):
        return Pointer(ctype.of)
    return Pointer(ctype) if isinstance(ctype, Function) else ctype


def integer_literal_type(value: int, unsigned: bool, longs: int, decimal: bool) -> Integer:
    """The type of an integer constant (C11 6.4.4.1). longs: how many `l` its suffix has."""
    signed_types = (INT, LONG, LONG_LONG)[longs:]
    unsigned_types = (UNSIGNED_INT, UNSIGNED_LONG, UNSIGNED_LONG_LONG)[longs:]
    for s, u in zip(signed_types, unsigned_types, strict=True):
        if not unsigned and value < 1 << 8 * s.size - 1:
            return s
        if (unsigned or not decimal) and value < 1 << 8 * u.size:
            return u
    return INT128 if decimal and not unsigned else UNSIGNED_LONG_LONG


def _is_missing(t: CType) -> bool:
    while isinstance(t, Array):
        t = t.of
    return isinstance(t, Unknown) or (isinstance(t, Record) and (not t.is_complete or t.missing is not None))


def lay_out(kind: str, members: Iterable[Member], packed: bool, aligned: int, pack: int = 0) -> Layout:
    """Place members as gcc does on x86-64.

    A bit-field goes to the next free bit unless it would then cross a boundary of its declared type; width 0
    moves to such a boundary. Packed members have alignment 1, packed bit-fields cross boundaries, and so do all bit-fields under
    `#pragma pack`, which bounds alignments."""
    fields: list[Field] = []
    bit = 0  # where the next member may start
    size_bits = 0
    align = 1
    for member in members:
        member_packed = packed or member.packed
        natural = alignof_(member.type)
        alignment = max(1 if member_packed else natural, member.aligned)
        if pack:
            alignment = min(natural if member.bits is not None else alignment, pack)
        start = 0 if kind == "union" else bit
        if member.bits is not None:
            start, end = _place_bits(member, start, natural, alignment, member_packed or pack > 0)
            if member.bits and member.name is not None:
                fields.append(Field(member.name, member.type, start // 8, start % 8, member.bits))
            if member.name is not None:
                align = max(align, alignment)
        else:
            start = _round_up(start, 8 * alignment)
            end = start + 8 * (sizeof_(member.type) or 0)
            fields.append(Field(member.name, member.type, start // 8))
            align = max(align, alignment)
        bit = end
        size_bits = max(size_bits, end)
    align = max(align, aligned)
    return Layout(tuple(fields), _round_up(size_bits, 8 * align) // 8, align)


def _place_bits(member: Member, start: int, natural: int, alignment: int, packed: bool) -> tuple[int, int]:
    """First bit and the bit behind the last of a bit-field that may start at `start`."""
    width = member.bits or 0
    if width == 0:
        end = _round_up(start, 8 * max(natural, member.aligned))
        return end, end
    if member.aligned:
        start = _round_up(start, 8 * alignment)
    unit = 8 * (sizeof_(member.type) or 1)
    if not packed and start // unit != (start + width - 1) // unit:
        start = _round_up(start, 8 * natural)
    return start, start + width


def _round_up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple
