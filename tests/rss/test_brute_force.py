"""The whole solver against a slow second one: every pair of packets enumerated, every key equation written out and eliminated.

Random ports (one to three; any key length and table size), hash inputs of odd widths, parts of fields, classes of packets that are
hashed differently or not at all, constants, inequalities, arithmetic, disjunctions. The reference shares no code with the solver: it
reads conditions as Python, enumerates the values of the bits that are named, and compares key spaces by dimension and by members.
MAESTRO_FULL=1: more of them.
"""

import itertools
import os
import random
from types import SimpleNamespace

import pytest

from maestro_lsp import rss

COUNT = 1500 if os.environ.get("MAESTRO_FULL") else 120
WIDTHS = {"ipv4.tos": 8, "ipv4.ttl": 8, "ipv4.proto": 8, "eth.type": 16}  # small enough to enumerate
CLASSES = ["ipv4-tcp", "ipv4-udp", "ipv4-other", "ipv6-tcp"]
PROTOCOLS = {"ipv4-tcp": {6}, "ipv4-udp": {17}, "ipv4-other": set(range(256)) - {6, 17, 132}}
PAIRS = 20_000  # of packets that one problem enumerates, at most


class Value(int):
    """A field's value that can be cut as in the language of formulas."""

    def __new__(cls, value, width):
        made = super().__new__(cls, value & (1 << width) - 1)
        made.width = width
        return made

    def __getitem__(self, part):
        return Value(self >> (self.width - part.stop), part.stop - part.start)


def told(packet_class, name):
    """The values of a field that packets of the class can have, where not all."""
    if name == "eth.type":
        return {0x86DD if packet_class.startswith("ipv6") else 0x0800, 0x8100, 0x88A8, 0x9100}
    return PROTOCOLS.get(packet_class) if name == "ipv4.proto" else None


def a_part(draw, widest=8):
    name = draw.choice([*WIDTHS, *WIDTHS, "ipv4.tos"])
    start = draw.randrange(WIDTHS[name])
    stop = draw.randint(start + 1, min(WIDTHS[name], start + widest))
    return name, start, stop


def text_of(part):
    name, start, stop = part
    return name if (start, stop) == (0, WIDTHS[name]) else f"{name}[{start}:{stop}]"


def an_input(draw, packet_class):
    """Disjoint parts of bytes and of an address, in any order; sometimes nothing."""
    if packet_class.startswith("ipv6"):
        choice = ["ipv6.src[3:14]", "ipv6.dst[0:9]", "l4.src[5:16]"]
        return draw.sample(choice, draw.randint(0, 3))
    pieces = []
    for name in draw.sample(sorted(WIDTHS), draw.randint(0, 3)):
        cuts = sorted(draw.sample(range(WIDTHS[name] + 1), 2))
        pieces.append(text_of((name, *cuts)))
        if cuts[1] < WIDTHS[name] and draw.random() < 0.3:
            pieces.append(text_of((name, cuts[1], draw.randint(cuts[1] + 1, WIDTHS[name]))))
    if draw.random() < 0.5:
        cuts = sorted(draw.sample(range(33), 2))
        pieces.append(f"ipv4.src[{cuts[0]}:{cuts[1]}]")
    draw.shuffle(pieces)
    return pieces


def a_formula(draw):
    """Text about parts of bytes, without operations whose width the reference would have to model."""

    def number(widest):
        side, part = draw.choice("de"), a_part(draw, widest)
        return f"{side}.{text_of(part)}", part[2] - part[1]

    def atom():
        kind = draw.randrange(4)
        (left, width), (right, _) = number(4), number(4)
        if kind == 0:
            return f"{left} {draw.choice(['<', '<=', '==', '!=', '>', '>='])} {right}"
        if kind == 1:
            return f"{left} {draw.choice(['<', '>=', '==', '!='])} {draw.randrange(1 << width)}"
        if kind == 2:
            return f"{left} & {draw.randrange(16)} == {right} | {draw.randrange(4)}"
        return f"{left} // {draw.randint(1, 3)} == {right} % {draw.randint(2, 5)}"

    parts = [atom() for _ in range(draw.randint(1, 3))]
    text = draw.choice([" and ", " or "]).join(f"({part})" for part in parts)
    return f"not ({text})" if draw.random() < 0.2 else text


def a_requirement(draw, numbers):
    equalities = []
    for _ in range(draw.randint(0, 3)):
        left = a_part(draw, 5)
        if draw.random() < 0.25:
            value = draw.randrange(1 << (left[2] - left[1]))
            equalities.append([text_of(left), value] if draw.random() < 0.5 else [value, text_of(left)])
            continue
        name, width = draw.choice(sorted(WIDTHS)), left[2] - left[1]
        start = draw.randint(0, WIDTHS[name] - width)
        equalities.append([text_of(left), text_of((name, start, start + width))])
    predicate = rss.Formula(a_formula(draw)) if draw.random() < 0.4 else None
    when = rss.Conjunction(rss.all_equal(*equalities).equalities, predicate=predicate)
    return rss.Requirement(draw.choice(numbers), draw.choice(numbers), when)


# --- the reference ---


def named_bits(requirement, side):
    return {(f.name, bit) for f in requirement.when.fields(side) for bit in range(f.start, f.stop)}


def packets(packet_class, bits):
    """Every assignment of the bits that the class allows with some value of the others: bit -> 0 or 1."""
    by_name = {}
    for name, bit in sorted(bits):
        by_name.setdefault(name, []).append(bit)
    choices = []
    for name, own in by_name.items():
        values = told(packet_class, name)
        if values is not None:
            spelled = {tuple(value >> (WIDTHS[name] - 1 - bit) & 1 for bit in own) for value in values}
        else:
            spelled = itertools.product((0, 1), repeat=len(own))
        choices.append([{(name, bit): v for bit, v in zip(own, value, strict=True)} for value in spelled])
    for combination in itertools.product(*choices):
        yield {bit: v for piece in combination for bit, v in piece.items()}


def as_object(packet):
    headers = {"ipv4": {}, "eth": {}}
    for name, width in WIDTHS.items():
        header, _, field = name.partition(".")
        value = sum(packet.get((name, bit), 0) << (width - 1 - bit) for bit in range(width))
        headers[header][field] = Value(value, width)
    return SimpleNamespace(**{header: SimpleNamespace(**values) for header, values in headers.items()})


def holds(requirement, code, d, e):
    one, two = as_object(d), as_object(e)
    for same in requirement.when.equalities:
        ends = []
        for packet, end in ((one, same.left), (two, same.right)):
            if isinstance(end, int):
                ends.append(end)
            else:
                header, _, field = end.name.partition(".")
                ends.append(getattr(getattr(packet, header), field)[end.start : end.stop])
        if ends[0] != ends[1]:
            return False
    return code is None or bool(eval(code, {"d": one, "e": two}))


def bits_to_enumerate(requirement, side, hash_input):
    """Those that the requirement names; bits of a field whose values the class restricts go together."""
    bits = named_bits(requirement, side)
    for name in {name for name, _ in [*positions(hash_input), *bits]}:
        if told(hash_input.packet_class, name) is not None:
            bits |= {(name, bit) for bit in range(WIDTHS[name])}
    return bits


def choices(requirement, side, hash_input):
    """How many assignments of these bits there are."""
    bits, count = bits_to_enumerate(requirement, side, hash_input), 1
    for name in {name for name, _ in bits}:
        values = told(hash_input.packet_class, name)
        count *= len(values) if values is not None else 1 << sum(name == other for other, _ in bits)
    return count


def cost(devices, requirements):
    """How many pairs of packets the reference looks at."""
    inputs = {device.number: device.inputs for device in devices}
    return sum(
        sum(choices(r, 0, i) for i in inputs[r.i]) * sum(choices(r, 1, i) for i in inputs[r.j]) for r in requirements
    )


def positions(hash_input):
    return [(f.name, bit) for f in hash_input.fields for bit in range(f.start, f.stop)]


def members(requirement, a, b):
    """Vectors of both inputs that span those of all pairs that must meet; None if there is no pair."""
    at = (positions(a), positions(b))
    bits = [bits_to_enumerate(requirement, side, i) for side, i in enumerate((a, b))]
    predicate = requirement.when.predicate
    code = None if predicate is None else compile(predicate.text, "formula", "eval")
    found = set()
    for d in packets(a.packet_class, bits[0]):
        for e in packets(b.packet_class, bits[1]):
            if holds(requirement, code, d, e):
                vector = [d.get(p, 0) for p in at[0]] + [e.get(p, 0) for p in at[1]]
                found.add(tuple(vector))
    if not found:
        return None
    free = [at[0][i] not in bits[0] for i in range(len(at[0]))] + [at[1][i] not in bits[1] for i in range(len(at[1]))]
    units = [tuple(int(i == j) for j in range(len(free))) for i, is_free in enumerate(free) if is_free]
    return [*found, *units]


def equations(devices, requirements, equal):
    """All equations on the key bits of all devices as lists of coordinates, from the definition of the hash."""
    first, base = 0, {}
    for device in devices:
        base[device.number] = first
        first += 8 * device.key_bytes
    by_number = {device.number: device for device in devices}
    rows = set()
    for requirement in requirements:
        one, two = by_number[requirement.i], by_number[requirement.j]
        q = 32 if equal == "hash" else max(one.table_bits, two.table_bits)
        for a in one.inputs:
            for b in two.inputs:
                if not requirement.applies(a.packet_class, b.packet_class):
                    continue
                for vector in members(requirement, a, b) or ():
                    for hash_bit in range(32 - q, 32):
                        row = 0
                        for at, value in enumerate(vector):
                            if value:
                                own, device = (at, one) if at < a.width else (at - a.width, two)
                                row ^= 1 << (base[device.number] + own + hash_bit)
                        rows.add(row)
    return rows, first


def rank(rows):
    kept = []  # slow and plain: each row is reduced by all before it
    for row in rows:
        for other in kept:
            row = min(row, row ^ other)
        if row:
            kept.append(row)
    return len(kept)


def devices_and_requirements(draw):
    numbers = draw.sample(range(5), draw.choice([1, 1, 2, 2, 3]))
    devices = []
    for number in numbers:
        classes = draw.sample(CLASSES, draw.randint(1, 3))
        inputs = tuple(rss.HashInput.of(name, *an_input(draw, name)) for name in classes)
        longest = max(i.width for i in inputs)
        key_bytes = -(-(longest + 31) // 8) + draw.randrange(3)
        devices.append(rss.Device(number, inputs, max(5, key_bytes), draw.choice([1, 3, 7, 9, 12])))
    return devices, [a_requirement(draw, numbers) for _ in range(draw.randint(1, 3))]


def a_problem(seed):
    draw = random.Random(seed)
    while True:
        devices, requirements = devices_and_requirements(draw)
        if cost(devices, requirements) <= PAIRS:
            return devices, requirements, draw.choice(["index", "index", "hash"])


@pytest.mark.parametrize("block", range(4))
def test_the_space_is_that_of_all_key_equations_of_all_pairs(block):
    for seed in range(block * COUNT // 4, (block + 1) * COUNT // 4):
        devices, requirements, equal = a_problem(seed)
        space = rss.solve(devices, requirements, equal)
        rows, total = equations(devices, requirements, equal)
        assert not any(row & ~space.used for row in rows), seed
        where = (seed, equal, devices, list(map(str, requirements)))
        assert space.dimension <= space.used.bit_count() - rank(rows), ("a key too many", *where)
        for own in range(3):  # with equal dimensions, members that satisfy everything make the spaces equal
            vector = space.join(space.random(own))
            assert not any((row & vector).bit_count() & 1 for row in rows), ("wrong key", *where)
        assert space.dimension == space.used.bit_count() - rank(rows), ("keys are missing", *where)
        assert vector >> total == 0
