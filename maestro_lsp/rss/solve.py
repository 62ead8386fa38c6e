"""Every valid RSS key, exactly: the keys of all devices at once form a vector space over GF(2).

Takes devices (hash inputs, key length, table size) and requirements; gives a `KeySpace`, from which keys are
drawn, ranked and explained. The Toeplitz hash has bit b (0 is the most significant of 32) equal to the xor
over input bits i of input[i] & key[i + b], with bit 0 of a key the most significant of its first byte. The
NIC uses the low q bits of the hash as index into its indirection table. A pair (u, v) of inputs on devices i
and j gives equal index bits b iff xor_u key_i[u + b] ^ xor_v key_j[v + b] = 0: one linear equation in the key
bits for each b and each generator of the span of the pairs that must meet (thesis section 3.4;
docs/explanation/span.md).
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from . import gf2
from .constraint import Requirement
from .fields import Field, parse
from .span import Span, layout, span

HASH_BITS = 32
Equal = Literal["index", "hash"]


class SpecError(ValueError):
    """Devices or requirements that make no sense together; the message is one line for people."""


@dataclass(frozen=True)
class HashInput:
    """What the NIC hashes of a class of packets: fields in hash order, none if it does not hash them."""

    packet_class: str
    fields: tuple[Field, ...]
    option: str = ""  # the NIC's option that matches the class; default: of the same name

    @classmethod
    def of(cls, packet_class: str, *names: str, option: str = "") -> HashInput:
        """The input made of the named fields. Raises FieldError."""
        return cls(packet_class, tuple(parse(name) for name in names), option)

    @cached_property
    def width(self) -> int:
        """Bits hashed."""
        return sum(field.stop - field.start for field in self.fields)


@dataclass(frozen=True, slots=True)
class Device:
    """One port: its hash inputs by class of packets, the length of its key, log2 of its indirection table."""

    number: int
    inputs: tuple[HashInput, ...]
    key_bytes: int = 52
    table_bits: int = 9

    def input(self, packet_class: str) -> HashInput:
        """The hash input of a class; an empty one if the device does not hash it."""
        return next((i for i in self.inputs if i.packet_class == packet_class), HashInput(packet_class, ()))


@dataclass(frozen=True, slots=True)
class QueueBits:
    """How many index bits an input can drive: reached by some valid key, and a bound that no valid key
    exceeds.
    """

    reached: int
    bound: int

    @property
    def exact(self) -> bool:
        """Whether the bound is reached, so that the number is proved to be the maximum."""
        return self.reached == self.bound


Keys = Mapping[int, bytes]
"""Device number -> key."""


@dataclass(frozen=True)
class KeySpace:
    """All valid keys of all devices. Vectors are ints over the key bits of all devices, one after the other.

    Only *used* key bits count: those that some index bit of some input reads (the others are free, whatever
    they are).
    """

    devices: tuple[Device, ...]
    requirements: tuple[Requirement, ...]
    equal: Equal
    used: int
    tied: frozenset[tuple[int, int]]  # pairs of devices that some satisfiable requirement ties
    named: frozenset[tuple[int, str]]  # devices and classes of packets that some requirement ties to others
    idle: tuple[Requirement, ...]  # tie no pair of packets: contradictions, or no class has their fields
    overapproximated: tuple[Requirement, ...]  # Z3 left questions open: sound, but keys may be missing
    _bases: dict[int, int] = field(repr=False)  # device number -> coordinate of its key bit 0
    _equations: _KeyEquations = field(repr=False, compare=False)

    @property
    def basis(self) -> tuple[int, ...]:
        """A basis of the space, reduced: the lowest coordinate of each vector that no other one has is in `pivots`."""
        return self._solution[0]

    @property
    def pivots(self) -> tuple[int, ...]:
        """For each vector of the basis a coordinate that no other one has."""
        return self._solution[1]

    @cached_property
    def _solution(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return self._equations.solution(self.used)

    @property
    def dimension(self) -> int:
        """log2 of the number of valid keys."""
        return len(self.basis)

    @cached_property
    def _by_number(self) -> dict[int, Device]:
        return {device.number: device for device in self.devices}

    def device(self, number: int) -> Device:
        """The device of that number. Raises KeyError."""
        return self._by_number[number]

    # --- keys ---

    def member(self, coefficients: int) -> int:
        """The linear combination of the basis whose coefficients are the bits of an int, as a vector."""
        vector = 0
        for base, taken in zip(self.basis, reversed(f"{coefficients:0{self.dimension}b}"), strict=False):
            if taken == "1":
                vector ^= base
        return vector

    def key(self, device: int, coefficients: int) -> bytes:
        """The device's key in the member with these coefficients; unused key bits are zero."""
        return self.keys(coefficients)[device]

    def keys(self, coefficients: int) -> dict[int, bytes]:
        """Keys of all devices in the member with these coefficients; unused key bits are zero."""
        return self.split(self.member(coefficients))

    def split(self, vector: int) -> dict[int, bytes]:
        """A vector over all key bits as one key for each device."""
        return {
            device.number: to_key(vector >> self._bases[device.number], device.key_bytes) for device in self.devices
        }

    def join(self, keys: Keys) -> int:
        """One vector of a key for each device. Raises SpecError for a key of the wrong length or none."""
        vector = 0
        for device in self.devices:
            key = keys.get(device.number)
            if key is None:
                raise SpecError(f"no key for device {device.number}")
            if len(key) != device.key_bytes:
                raise SpecError(f"device {device.number}: key has {len(key)} bytes, the NIC takes {device.key_bytes}")
            vector |= from_key(key) << self._bases[device.number]
        return vector

    def random(self, seed: int) -> dict[int, bytes]:
        """Valid keys drawn uniformly, unused key bits as well; the same for the same seed."""
        draw = random.Random(seed)
        vector = self.member(draw.getrandbits(max(1, self.dimension)))
        total = sum(8 * device.key_bytes for device in self.devices)
        return self.split(vector | draw.getrandbits(max(1, total)) & ~self.used)

    def contains(self, keys: Keys) -> bool:
        """Whether these keys satisfy every requirement. Raises SpecError for keys of the wrong shape."""
        vector = self.join(keys) & self.used
        for pivot, base in zip(self.pivots, self.basis, strict=True):
            if vector >> pivot & 1:
                vector ^= base
        return vector == 0

    @cached_property
    def table_groups(self) -> tuple[tuple[int, ...], ...]:
        """Devices whose indirection tables must have the same contents, since a requirement ties them."""
        group = {device.number: {device.number} for device in self.devices}
        for i, j in self.tied:
            if group[i] is not group[j]:
                merged = group[i] | group[j]
                for number in merged:
                    group[number] = merged
        return tuple(sorted({tuple(sorted(members)) for members in group.values()}))

    @cached_property
    def _index_bits(self) -> dict[int, int]:
        return {
            number: min(self._by_number[other].table_bits for other in group)
            for group in self.table_groups
            for number in group
        }

    def index_bits(self, device: int) -> int:
        """log2 of the period of the device's table: its own size, or the smallest among the devices tied to it."""
        return self._index_bits[device]

    # --- quality ---

    def index_rows(self, vector: int, device: int, hash_input: HashInput) -> list[int]:
        """The map from input to index under a member: for each index bit, most significant first, its input
        bits.
        """
        q = self._index_bits[device]
        mask = (1 << hash_input.width) - 1
        first = self._bases[device] + HASH_BITS - q
        return [vector >> (first + b) & mask for b in range(q)]

    def index_rank(self, vector: int, device: int, start: int, width: int) -> int:
        """Index bits that `width` input bits from bit `start` decide by themselves under a member: the rank of those
        columns of `index_rows`.
        """
        q = self._index_bits[device]
        first = self._bases[device] + HASH_BITS - q + start
        return gf2.hankel_rank(vector >> first & ((1 << (width + q - 1)) - 1), q, width)

    def drives(self, device: int, hash_input: HashInput) -> bool:
        """Whether under any valid key this input can reach more than one table entry (exact)."""
        return self.deciding(device, hash_input) != 0

    def deciding(self, device: int, hash_input: HashInput) -> int:
        """Input bits on which the index can depend under some valid key, as a mask over the input."""
        mask = 0
        for row in self.index_rows(self._reach, device, hash_input):
            mask |= row
        return mask

    @cached_property
    def _reach(self) -> int:
        """Key bits that are 1 in some member."""
        if self._equations.pairwise:
            return self.used & ~self._equations.zeros
        reach = 0
        for vector in self.basis:
            reach |= vector
        return reach

    def queue_bits(self, device: int, hash_input: HashInput, mask: int = -1, tries: int = 24) -> QueueBits:
        """Maximum over valid keys of the rank of the map from (the masked bits of) the input to the index.

        The bound: no key does better than the input bits that any key reads, nor than the index bits minus
        those combinations of them that every key keeps at zero. `tries` random members look for a key that
        reaches it.
        """
        rows_of = [[row & mask for row in self.index_rows(v, device, hash_input)] for v in self.basis]
        read = 0
        for rows in rows_of:
            for row in rows:
                read |= row
        width = max(1, hash_input.width)
        # Index bit b under every basis key, one after the other: dependent rows stay dependent under all
        # keys.
        index_bits = self._index_bits[device]
        stacked = [sum(rows[b] << (at * width) for at, rows in enumerate(rows_of)) for b in range(index_bits)]
        bound = min(read.bit_count(), gf2.rank(stacked))
        reached, draw = 0, random.Random(1)
        for _ in range(tries):
            if reached == bound:
                break
            vector = self.member(draw.getrandbits(max(1, self.dimension)))
            rank = gf2.rank(row & mask for row in self.index_rows(vector, device, hash_input))
            reached = max(reached, rank)
        return QueueBits(reached, bound)

    def explain(self, device: int, below: int = 1) -> tuple[Requirement, ...]:
        """A minimal set of requirements that keeps all inputs of `device` under `below` queue bits, if any does. Of the inputs of
        classes that some requirement names, where any is named on the device.

        Minimal: without any one of them, some valid key gives some input that many. Exact for `below` = 1, by the
        keys that `queue_bits` finds for more.
        """
        own = [i for i in self._by_number[device].inputs if i.fields]
        inputs = [i for i in own if (device, i.packet_class) in self.named] or own

        def spreads(space: KeySpace) -> bool:
            if below == 1:
                return any(space.drives(device, i) for i in inputs)
            return any(space.queue_bits(device, i).reached >= below for i in inputs)

        if not inputs or spreads(self):
            return ()
        kept: list[Requirement] = []
        rest = list(self.requirements)
        while rest and spreads(solve(self.devices, kept, self.equal)):
            needed, above = 0, len(rest)  # with rest[needed:] nothing spreads, with rest[above:] something does
            while above - needed > 1:
                middle = (needed + above) // 2
                if spreads(solve(self.devices, kept + rest[middle:], self.equal)):
                    above = middle
                else:
                    needed = middle
            kept.append(rest[needed])
            del rest[:above]
        return tuple(kept)


def to_key(vector: int, key_bytes: int) -> bytes:
    """Key whose bit p (0: the most significant of the first byte) is bit p of the vector; higher bits are
    cut off.
    """
    width = 8 * key_bytes
    return int(f"{vector & ((1 << width) - 1):0{width}b}"[::-1], 2).to_bytes(key_bytes)


def from_key(key: bytes) -> int:
    """Inverse of `to_key`."""
    if not key:
        return 0
    return int(f"{int.from_bytes(key):0{8 * len(key)}b}"[::-1], 2)


def solve(devices: Sequence[Device], requirements: Iterable[Requirement], equal: Equal = "index") -> KeySpace:
    """The space of all keys under which every pair that the requirements name gets one table index.

    `equal` = "hash" asks for all 32 bits of the hash (the thesis's problem). Two devices that a requirement
    ties agree on the index bits of the larger table. Raises SpecError for a key too short for an input, an
    unknown or repeated device.
    """
    devices, requirements = tuple(devices), tuple(requirements)
    bases = _bases(devices)
    by_number = {device.number: device for device in devices}
    system = _KeyEquations()
    used = 0
    for device in devices:
        bits = HASH_BITS if equal == "hash" else device.table_bits
        for hash_input in device.inputs:
            if hash_input.fields:
                length = hash_input.width + bits - 1
                used |= ((1 << length) - 1) << (bases[device.number] + HASH_BITS - bits)
    coarse: list[Requirement] = []
    idle: list[Requirement] = []
    tied: set[tuple[int, int]] = set()
    named: set[tuple[int, str]] = set()
    for requirement in requirements:
        pair = [by_number.get(number) for number in (requirement.i, requirement.j)]
        if pair[0] is None or pair[1] is None:
            raise SpecError(f"{requirement}: there is no such device")
        first, second = pair[0], pair[1]
        q = HASH_BITS if equal == "hash" else max(first.table_bits, second.table_bits)
        base = (bases[first.number] + HASH_BITS - q, bases[second.number] + HASH_BITS - q)
        ties = False
        for a in first.inputs:
            for b in second.inputs:
                if not requirement.applies(a.packet_class, b.packet_class):
                    continue
                must_meet = span(requirement.when, a.fields, b.fields, a.packet_class, b.packet_class)
                if must_meet is None:
                    continue
                ties = True
                tied.add((first.number, second.number))
                named |= {(first.number, a.packet_class), (second.number, b.packet_class)}
                if not (a.fields or b.fields):
                    continue  # entry 0 of either table
                if must_meet.unknown and requirement not in coarse:
                    coarse.append(requirement)
                system.require(must_meet, base, a.width, q)
        if not ties:
            idle.append(requirement)
    used |= system.touched | system.cleared  # a larger table of the other device may read more
    return KeySpace(
        devices,
        requirements,
        equal,
        used,
        frozenset(tied),
        frozenset(named),
        tuple(idle),
        tuple(coarse),
        bases,
        system,
    )


def _bases(devices: tuple[Device, ...]) -> dict[int, int]:
    bases: dict[int, int] = {}
    total = 0
    for device in devices:
        if device.number in bases:
            raise SpecError(f"device {device.number} is given twice")
        if not 0 < device.table_bits <= HASH_BITS:
            raise SpecError(f"device {device.number}: an indirection table has 2 to 2^32 entries")
        for hash_input in device.inputs:
            layout(hash_input.fields)  # refuses an input that reads a bit twice
            needed = -(-(hash_input.width + HASH_BITS - 1) // 8)
            if hash_input.fields and needed > device.key_bytes:
                raise SpecError(
                    f"device {device.number}: hashing {hash_input.width} bits of {hash_input.packet_class} "
                    f"takes a key of {needed} bytes, not {device.key_bytes}"
                )
        bases[device.number] = total
        total += 8 * device.key_bytes
    return bases


class _KeyEquations:
    """Linear equations on key bits: what must be zero and which two bits are equal as masks, the others by elimination."""

    def __init__(self) -> None:
        self.cleared = 0  # key bits that must be zero, as a mask
        self.touched = 0  # key bits that other equations name
        self._ties: dict[int, int] = {}  # distance -> mask of bits that equal the bit that far above
        self._others: set[int] = set()
        self._equated: set[tuple[tuple[int, ...], tuple[int, int], int]] = set()

    def require(self, must_meet: Span, base: tuple[int, int], width_a: int, q: int) -> None:
        """Equal index for every pair of the span; `base`: where index bit 0 of either device begins in its
        key.
        """
        for a, b, width in must_meet.ties:
            self._tie(base[0] + a, base[1] + b, width + q - 1)
        for side, offset, width in must_meet.free:
            self.cleared |= ((1 << (width + q - 1)) - 1) << (base[side] + offset)
        if must_meet.vectors and (must_meet.vectors, base, width_a) not in self._equated:
            self._equated.add((must_meet.vectors, base, width_a))
            self._equate(must_meet.vectors, base, width_a, q)

    def _tie(self, x: int, y: int, length: int) -> None:
        """Bits x, x + 1, ... equal bits y, y + 1, ..."""
        if x == y:
            return
        mask = (1 << length) - 1
        self.touched |= mask << x | mask << y
        low, distance = min(x, y), abs(x - y)
        self._ties[distance] = self._ties.get(distance, 0) | mask << low

    def _equate(self, vectors: Sequence[int], base: tuple[int, int], width_a: int, q: int) -> None:
        equations = set()
        for vector in vectors:
            u, v = vector & ((1 << width_a) - 1), vector >> width_a
            equation = u << base[0] ^ v << base[1]
            if equation.bit_count() == 1:
                self.cleared |= ((1 << q) - 1) * equation
                continue
            for b in range(q):
                equations.add(equation << b)
        for equation in equations:
            self.touched |= equation
            count = equation.bit_count()
            if count > 2:
                self._others.add(equation)
            elif count == 1:
                self.cleared |= equation
            elif count:
                high, low = equation.bit_length() - 1, (equation & -equation).bit_length() - 1
                self._tie(low, high, 1)

    def solution(self, used: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Basis of the solutions on the used bits, and for each basis vector a bit that no other one has."""
        used &= ~self.zeros
        class_of = self._classes(used)
        masks: list[int] = []
        number: dict[int, int] = {}  # class -> position in masks
        for bit in gf2.bits(used):
            at = number.setdefault(class_of.get(bit, bit), len(masks))
            if at == len(masks):
                masks.append(1 << bit)
            else:
                masks[at] |= 1 << bit
        if not self._others:
            return tuple(masks), tuple((mask & -mask).bit_length() - 1 for mask in masks)
        rows = []
        for equation in self._others:
            row = 0
            for bit in gf2.bits(equation & used):
                row ^= 1 << number[class_of.get(bit, bit)]
            rows.append(row)
        pivot_rows = gf2.echelon(sorted(rows))
        free = [at for at in range(len(masks)) if at not in pivot_rows]
        basis = []
        for combination in gf2.nullspace(pivot_rows, len(masks)):
            vector = 0
            for at in gf2.bits(combination):
                vector |= masks[at]
            basis.append(vector)
        return tuple(basis), tuple((masks[at] & -masks[at]).bit_length() - 1 for at in free)

    @property
    def pairwise(self) -> bool:
        """Whether no equation names more than two bits, so that any bit that need not be zero can be one."""
        return not self._others

    @cached_property
    def zeros(self) -> int:
        """The bits that must be zero: those that are cleared, and what equals them."""
        zeros, before = self.cleared, -1
        while zeros != before:
            before = zeros
            for distance, mask in self._ties.items():
                tied = (zeros | zeros >> distance) & mask
                zeros |= tied | tied << distance
        return zeros

    def _classes(self, free: int) -> dict[int, int]:
        """For each bit of `free` that equals another, one bit that stands for all that it equals."""
        parent: dict[int, int] = {}
        for distance, mask in self._ties.items():
            for bit in gf2.bits(mask & free):
                x, y = _root(parent, bit), _root(parent, bit + distance)
                if x != y:
                    parent[x] = y
        return {bit: _root(parent, bit) for bit in parent}


def _root(parent: dict[int, int], bit: int) -> int:
    """The representative of a bit's class; bits on the way are set to point nearer to it."""
    above = parent.get(bit, bit)
    while above != bit:
        parent[bit] = higher = parent.get(above, above)
        bit, above = above, higher
    return bit
