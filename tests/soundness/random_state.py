"""What random NFs (random_nfs.py) are made of: fields of packets, keys made of them, and the objects that hold state."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SLOTS = 8  # entries of a table: few, so that tables fill
LEVELS = 2  # of prefixes, in arrays of maps, vectors and dchains

PLAIN = {"ip->src_addr": 32, "ip->dst_addr": 32, "l4->src": 16, "l4->dst": 16}
DIRECTED = {"near": 32, "far": 32, "near_port": 16, "far_port": 16}  # what a firewall calls inside and outside
SORTED = {"low": 32, "high": 32, "low_port": 16, "high_port": 16}  # the same both ways
MAC = {"*(uint32_t *)(buffer + 8)": 32, "*(uint16_t *)(buffer + 4)": 16}  # ends of Ethernet addresses
ACROSS = {
    "*(uint16_t *)(buffer + 28)": 16,
    "buffer[29]": 8,
    "*(uint32_t *)(buffer + 34)": 32,
    "*(uint32_t *)(buffer + 28)": 32,
}
OTHERS = {
    **MAC,
    **ACROSS,
    "device": 16,
    "ip->next_proto_id": 8,
}  # across: parts of addresses, both ports, both addresses' halves
CAPTURES = {
    "near": """\
uint32_t near = device ? ip->dst_addr : ip->src_addr, far = device ? ip->src_addr : ip->dst_addr;
uint16_t near_port = device ? l4->dst : l4->src, far_port = device ? l4->src : l4->dst;""",
    "low": """\
uint32_t low = ip->src_addr < ip->dst_addr ? ip->src_addr : ip->dst_addr, high = low ^ ip->src_addr ^ ip->dst_addr;
uint16_t low_port = l4->src < l4->dst ? l4->src : l4->dst, high_port = low_port ^ l4->src ^ l4->dst;""",
}
FLAGS = ["buffer[44] & 1", "l4->dst == 0x0001", "device == 0", "ip->next_proto_id == 6", "buffer[45] < 3", "len > 60",
         "ip->src_addr < ip->dst_addr", "(ip->src_addr & 0xff) == 2", "l4->src == l4->dst", "device == 1"]  # fmt: skip
MASKS = ["0x00ffffff", "0x000000ff", "0xff0000ff", "0xffff", "0x1", "0xff00", "~1u", "0xfffffffd"]
MEMBERS = {"a": 32, "b": 32, "p": 16, "q": 16}  # of an entry; its link is an index
HEAD = f"""\
#include "table.h"

#define SLOTS {SLOTS}

struct entry {{ uint32_t a, b; uint16_t p, q; int link; int64_t t; }};
static void entry_clear(void *a) {{ memset(a, 0, sizeof(struct entry)); }}
static int count_in(struct Vector *vector, int index) {{
struct entry *e;
vector_borrow(vector, index, (void **)&e);
int now_ = ++e->a;
vector_return(vector, index, e);
return now_;
}}"""


@dataclass(frozen=True)
class Table:
    """A dchain, the map whose values are its indices, the vectors of keys and of entries."""

    number: int
    key: list[tuple[str, int]]  # what each member of the key is, and how wide
    two_maps: bool  # a second map and its keys, for the same indices
    remembers: dict[str, str]  # members of an entry, and what they are set to when it is made

    @property
    def members(self) -> list[str]:
        return [f"f{i}" for i in range(len(self.key))]

    @property
    def maps(self) -> Sequence[tuple[str, str]]:
        return (("m", "k"), ("n", "h")) if self.two_maps else (("m", "k"),)


def indented(lines: Iterable[str]) -> str:
    depth, text = 0, []
    for line in "\n".join(lines).split("\n"):
        text.append("  " * (depth - line.startswith("}")) + line if line else "")
        depth += line.count("{") - line.count("}")
    return "\n".join(text) + "\n"


class State:
    """The objects of one NF, and what its keys are made of."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.pick = random.Random(seed)
        self.count = 0
        self.names = ["nf_init", "nf_process", "entry", "entry_clear", "count_in"]  # at file scope
        self.objects: list[tuple[str, str, str]] = []  # type, name, how it is made
        self.variables: list[tuple[str, str]] = []  # declaration, name
        self.types: list[str] = []
        self.held: list[tuple[str, int]] = []  # what cells have told, by name and width
        self.devices = self.pick.choice([1, 2, 2, 2, 3])
        self.fields = self.pick.choice([PLAIN, PLAIN, DIRECTED, DIRECTED, SORTED])
        self.core = self.pick.sample(list(self.fields), self.pick.choice([1, 1, 2, 2, 3]))
        self.odd = self.pick.choice([0, 0.04, 0.1, 0.25])  # how often a site differs from the others
        self.nat = self.devices > 1 and self.chance(0.1)  # device 0's flows get numbers, by which answers are known
        if self.nat:
            self.fields, self.core = PLAIN, ["ip->src_addr", "l4->src", *(["ip->dst_addr"] if self.chance(0.5) else [])]
        self.state = "st->" if self.chance(0.25) else ""
        self.tables = [self.table(i) for i in range(self.pick.choice([1, 1, 1, 2, 2]))]
        self.rows = self.vector("rows", "entry") if self.chance(0.25) else None

    def chance(self, share: float) -> bool:
        return self.pick.random() < share

    def fresh(self, base: str) -> str:
        self.count += 1
        return f"{base}{self.count}"

    # ---- Objects

    def key_type(self, name: str, key: Sequence[tuple[str, int]]) -> None:
        self.names += [name, f"{name}_eq", f"{name}_hash", f"{name}_clear"]
        members = [f"f{i}" for i in range(len(key))]
        inside = " ".join(f"uint{width}_t {m};" for m, (_, width) in zip(members, key, strict=True))
        equal = " && ".join(f"x->{m} == y->{m}" for m in members)
        if self.chance(0.2) and all(width == 32 for _, width in key):
            equal = f"!memcmp(x, y, sizeof(struct {name}))"
        hashed = " * 31 + ".join(f"x->{m}" for m in members)
        self.types.append(f"""\
struct {name} {{ {inside} }};
static bool {name}_eq(void *a, void *b) {{ struct {name} *x = a, *y = b; return {equal}; }}
static unsigned {name}_hash(void *a) {{ struct {name} *x = a; return {hashed}; }}
static void {name}_clear(void *a) {{ memset(a, 0, sizeof(struct {name})); }}""")

    def table(self, number: int) -> Table:
        own = [] if self.chance(0.2) else list(self.core)
        rest = [f for f in self.fields if f not in own]
        own += self.pick.sample(rest, min(len(rest), self.pick.choice([0, 0, 1, 2]) + (not own)))
        if self.chance(0.1):
            own.append(self.pick.choice(list(OTHERS)))
        widths = {**self.fields, **OTHERS}
        key = [(self.derived(f, widths[f]) if self.chance(0.2) else f, widths[f]) for f in own]
        remembered = self.pick.sample(list(MEMBERS), self.pick.choice([0, 1, 2]))
        if self.nat and number == 0:
            key, remembers = [(f, widths[f]) for f in own], {"a": "ip->src_addr", "b": "ip->dst_addr", "p": "l4->dst"}
        else:
            remembers = {member: self.some_field(MEMBERS[member]) for member in remembered}
        table = Table(number, key, number == 0 and self.chance(0.08), remembers)
        self.key_type(f"key{number}", key)
        for map_, keys in table.maps:
            self.map(f"{map_}{number}", f"key{number}")
            self.vector(f"{keys}{number}", f"key{number}")
        self.vector(f"v{number}", "entry")
        self.objects.append(("DoubleChain", f"c{number}", "dchain_allocate(SLOTS, &@)"))
        return table

    def map(self, name: str, key: str) -> str:
        self.objects.append(("Map", name, f"map_allocate({key}_eq, {key}_hash, SLOTS, &@)"))
        return self.state + name

    def vector(self, name: str, cell: str) -> str:
        kind = "4" if cell == "addr" else f"sizeof(struct {cell})"
        self.objects.append(("Vector", name, f"vector_allocate({kind}, SLOTS, {cell}_clear, &@)"))
        return self.state + name

    def levels(self) -> None:
        """Arrays of tables, keyed by prefixes; at most once."""
        if "level_maps" not in self.names:
            for level in range(LEVELS):
                self.map(f"level_maps[{level}]", "addr")
                self.vector(f"level_keys[{level}]", "addr")
                self.vector(f"level_counts[{level}]", "entry")
                self.objects.append(("DoubleChain", f"level_chains[{level}]", "dchain_allocate(SLOTS, &@)"))
            self.names += ["level_maps"]

    def variable(self, declaration: str, name: str) -> str:
        if name not in self.names:
            self.names.append(name)
            self.variables.append((declaration, name))
        return name

    def declarations(self) -> list[str]:
        arrays = [
            (kind, name.replace("[0]", f"[{LEVELS}]"), how) for kind, name, how in self.objects if "[1]" not in name
        ]
        objects = [f"struct {kind} *{name};" for kind, name, _ in arrays]
        made = [how.replace("@", self.state + name) for _, name, how in self.objects]
        if self.state:
            self.names += ["state", "st"]
            objects = [f"struct state {{ {' '.join(objects)} }} *st;"]
            made.insert(0, "(st = malloc(sizeof *st)) != NULL")
        else:
            self.names += [name.partition("[")[0] for _, name, _ in arrays if name not in self.names]
        statics = [f"static {line}" for line in (*objects, *(f"{d};" for d, _ in self.variables))]
        return [*self.types, *statics, "bool nf_init(void) {", "return " + " &&\n  ".join(made) + ";", "}"]

    def of(self, letter: str, table: Table) -> str:
        return f"{self.state}{letter}{table.number}"

    # ---- Values

    def some_field(self, width: int) -> str:
        """A field of a packet: mostly of those that all keys have. Or what a cell has told."""
        held = [name for name, w in self.held if w == width]
        if held and self.chance(0.15):
            return self.pick.choice(held)
        names = [f for f in (self.core if self.chance(0.6) else self.fields) if self.fields[f] == width]
        if not names or self.chance(0.08):
            names = [f for f, w in {**PLAIN, **self.fields, **OTHERS}.items() if w == width] or ["l4->src"]
        return self.pick.choice(names)

    def derived(self, what: str, width: int) -> str:
        other = self.some_field(width)
        ways = [f"({what} & {self.pick.choice(MASKS)})", f"({what} ^ {other})", f"({what} + {other})", f"({what} >> 8)",
                f"({what} << 8)", f"({what} + 1)", f"({what} ^ 0x0101)", f"({what} | 0x0100)", f"(~{what})", f"({what} * 3)",
                f"({what} < {other} ? {what} : {other})", f"(({what} & 0x00ff) | ({other} & 0xff00))"]  # fmt: skip
        ways += [
            f"({what} % 5)",
            f"({what} / 3)",
            f"(uint8_t){what}",
            f"(-{what})",
            f"(int8_t){what}",
            f"(l4->src & 1 ? {what} : 0)",
        ]
        ways += (
            [f"__builtin_bswap32({what})", f"(uint16_t){what}", f"({what} << 7 | {what} >> 25)"] if width == 32 else []
        )
        return self.pick.choice(ways)

    def slot(self) -> str:
        """A packet's number in a small array."""
        if self.chance(0.1):
            return self.pick.choice(["device", "3", "(hash_obj(&source_, 4) & 7)"]).replace("source_", "ip->src_addr")
        return f"({self.some_field(self.pick.choice([16, 32]))} {self.pick.choice(['& 7', '% 8', '>> 8 & 7', '& 1'])})"

    def site(self, key: Sequence[tuple[str, int]]) -> list[str]:
        """What the members of a key are at one place."""
        values = [f for f, _ in key]
        if not self.chance(self.odd):
            return values
        at, other = self.pick.randrange(len(values)), self.pick.randrange(len(values))
        width = key[at][1]
        ways = [self.some_field(width), self.derived(values[at], width), self.pick.choice(["0", "1", "0x0101"])]
        ways += [values[other], f"({self.pick.choice(FLAGS)} ? {values[at]} : {self.some_field(width)})"]
        new = self.pick.choice(ways)
        if new == values[other]:
            values[other] = values[at]
        values[at] = new
        return values

    def key(self, kind: str, key: Sequence[tuple[str, int]]) -> tuple[list[str], str]:
        """Lines that make a key of that type, and its name."""
        members = [(f"f{i}", v) for i, v in enumerate(self.site(key))]
        if self.chance(0.1):
            scratch = self.variable(f"struct {kind} scratch_{kind}", f"scratch_{kind}")
            return [f"{scratch}.{m} = {v};" for m, v in members], scratch
        name = self.fresh("key_")
        if self.chance(0.15):
            return [f"struct {kind} {name} = {{{', '.join(v for _, v in members)}}};"], name
        lines = [f"struct {kind} {name};", f"memset(&{name}, 0, sizeof {name});"]
        return [*lines, *(f"{name}.{m} = {v};" for m, v in members)], name
