"""Random small NFs, one for each seed: tables, vectors, plain variables, and packets that look things up in them by keys.

Most sites of an NF agree on what a key is, so that a good part of the NFs are rightly called shared-nothing; now and then one site
differs a little (another field, another mask, a field that was rewritten, the cell of another entry). That is where wrong verdicts
hide. The text goes with tests/sharding/nfs/table.h. What libVig leaves undefined is not kept out: checked_libvig.c sees it.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SLOTS = 8  # entries of a table: few, so that tables fill
HIDES = slice(34, 36), slice(24, 26)  # where the number of an index may leave: the source port; and the checksum

PLAIN = {"ip->src_addr": 32, "ip->dst_addr": 32, "l4->src": 16, "l4->dst": 16}
DIRECTED = {"near": 32, "far": 32, "near_port": 16, "far_port": 16}  # what a firewall calls inside and outside
SORTED = {"low": 32, "high": 32, "low_port": 16, "high_port": 16}  # the same both ways
MAC = {"*(uint32_t *)(buffer + 8)": 32, "*(uint16_t *)(buffer + 4)": 16}  # ends of Ethernet addresses
OTHERS = {**MAC, "device": 16, "ip->next_proto_id": 8}
CAPTURES = {
    "near": """\
uint32_t near = device ? ip->dst_addr : ip->src_addr, far = device ? ip->src_addr : ip->dst_addr;
uint16_t near_port = device ? l4->dst : l4->src, far_port = device ? l4->src : l4->dst;""",
    "low": """\
uint32_t low = ip->src_addr < ip->dst_addr ? ip->src_addr : ip->dst_addr, high = low ^ ip->src_addr ^ ip->dst_addr;
uint16_t low_port = l4->src < l4->dst ? l4->src : l4->dst, high_port = low_port ^ l4->src ^ l4->dst;""",
}
FLAGS = ["buffer[44] & 1", "l4->dst == 0x0001", "device == 0", "ip->next_proto_id == 6", "buffer[45] < 3", "len > 60"]
MASKS = ["0x00ffffff", "0x000000ff", "0xff0000ff", "0xffff", "0x1", "0xff00", "~1u", "0xfffffffd"]
HEAD = f"""\
#include "table.h"

#define SLOTS {SLOTS}

struct entry {{ uint32_t a, b; uint16_t p, q; int64_t t; }};
static void entry_clear(void *a) {{ memset(a, 0, sizeof(struct entry)); }}
static int count_in(struct Vector *vector, int index) {{
struct entry *e;
vector_borrow(vector, index, (void **)&e);
int now_ = ++e->a;
vector_return(vector, index, e);
return now_;
}}"""
MEMBERS = {"a": 32, "b": 32, "p": 16, "q": 16}
OUT = ["device", "!device"]


@dataclass(frozen=True)
class Nf:
    """`text` is a file of C. `names` are those of its file scope, `variables` those that packets may change."""

    seed: int
    text: str
    names: tuple[str, ...]
    variables: tuple[str, ...]
    devices: int
    nic: str
    hides: tuple[slice, ...]  # of packets that leave: where the number of an index may be
    numbered: bool  # whether packets say which index they want; those that do are answers to packets in which one left


@dataclass(frozen=True)
class Table:
    """A dchain, the map whose values are its indices, the vectors of keys and of entries."""

    number: int
    key: list[tuple[str, int]]  # what each member of the key is, and how wide
    two_maps: bool  # a second map and its keys, for the same indices

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


class Generator:
    """One NF for each seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.pick = random.Random(seed)
        self.count = 0
        self.names = ["nf_init", "nf_process", "entry", "entry_clear", "count_in"]
        self.objects: list[tuple[str, str, str]] = []  # type, name, how it is made
        self.variables: list[tuple[str, str]] = []  # declaration, name
        self.types: list[str] = []
        self.indices: list[tuple[Table, str]] = []  # that statements may use
        self.leaves = self.numbered = False

    def nf(self) -> Nf:
        pick = self.pick
        devices = pick.choice([1, 2, 2, 2, 3])
        self.fields = pick.choice([PLAIN, PLAIN, DIRECTED, DIRECTED, SORTED])
        self.core = pick.sample(list(self.fields), pick.choice([1, 1, 2, 2, 3]))
        self.odd = pick.choice([0, 0.04, 0.1, 0.25])  # how often a site differs from the others
        self.state = "st->" if self.chance(0.25) else ""
        self.tables = [self.table(i) for i in range(pick.choice([1, 1, 1, 2, 2]))]
        self.rows = self.vector("rows", "entry") if self.chance(0.25) else None
        body = self.body()
        text = indented([HEAD, *self.declarations(), *body])
        nic = "software" if any(f in text for f in MAC) and self.chance(0.8) else "x710"
        return Nf(self.seed, text, tuple(self.names), tuple(name for _, name in self.variables),
                  devices, nic, HIDES if self.leaves else (), self.numbered)  # fmt: skip

    def chance(self, share: float) -> bool:
        return self.pick.random() < share

    def fresh(self, base: str) -> str:
        self.count += 1
        return f"{base}{self.count}"

    # ---- State

    def table(self, number: int) -> Table:
        own = [] if self.chance(0.2) else list(self.core)
        rest = [f for f in self.fields if f not in own]
        own += self.pick.sample(rest, min(len(rest), self.pick.choice([0, 0, 1, 2]) + (not own)))
        if self.chance(0.1):
            own.append(self.pick.choice(list(OTHERS)))
        widths = {**self.fields, **OTHERS}
        key = [(self.derived(f, widths[f]) if self.chance(0.2) else f, widths[f]) for f in own]
        table = Table(number, key, two_maps=number == 0 and self.chance(0.08))
        n = f"key{number}"
        self.names += [n, f"{n}_eq", f"{n}_hash", f"{n}_clear"]
        inside = " ".join(f"uint{width}_t {m};" for m, (_, width) in zip(table.members, key, strict=True))
        equal = " && ".join(f"x->{m} == y->{m}" for m in table.members)
        if self.chance(0.2) and all(width == 32 for _, width in key):
            equal = f"!memcmp(x, y, sizeof(struct {n}))"
        hashed = " * 31 + ".join(f"x->{m}" for m in table.members)
        self.types.append(f"""\
struct {n} {{ {inside} }};
static bool {n}_eq(void *a, void *b) {{ struct {n} *x = a, *y = b; return {equal}; }}
static unsigned {n}_hash(void *a) {{ struct {n} *x = a; return {hashed}; }}
static void {n}_clear(void *a) {{ memset(a, 0, sizeof(struct {n})); }}""")
        for map_, keys in table.maps:
            self.objects.append(("Map", f"{map_}{number}", f"map_allocate({n}_eq, {n}_hash, SLOTS, &@)"))
            self.vector(f"{keys}{number}", n)
        self.vector(f"v{number}", "entry")
        self.objects.append(("DoubleChain", f"c{number}", "dchain_allocate(SLOTS, &@)"))
        return table

    def vector(self, name: str, cell: str) -> str:
        self.objects.append(("Vector", name, f"vector_allocate(sizeof(struct {cell}), SLOTS, {cell}_clear, &@)"))
        return self.state + name

    def variable(self, declaration: str, name: str) -> str:
        if name not in self.names:
            self.names.append(name)
            self.variables.append((declaration, name))
        return name

    def declarations(self) -> list[str]:
        objects = [f"struct {kind} *{name};" for kind, name, _ in self.objects]
        made = [how.replace("@", self.state + name) for _, name, how in self.objects]
        if self.state:
            self.names += ["state", "st"]
            objects = [f"struct state {{ {' '.join(objects)} }} *st;"]
            made.insert(0, "(st = malloc(sizeof *st)) != NULL")
        else:
            self.names += [name for _, name, _ in self.objects]
        statics = [f"static {line}" for line in (*objects, *(f"{d};" for d, _ in self.variables))]
        return [*self.types, *statics, "bool nf_init(void) {", "return " + " &&\n  ".join(made) + ";", "}"]

    def of(self, letter: str, table: Table) -> str:
        return f"{self.state}{letter}{table.number}"

    # ---- Values

    def some_field(self, width: int) -> str:
        """A field of a packet: mostly of those that all keys have."""
        names = [f for f in (self.core if self.chance(0.6) else self.fields) if self.fields[f] == width]
        if not names or self.chance(0.08):
            names = [f for f, w in {**PLAIN, **self.fields, **OTHERS}.items() if w == width] or ["l4->src"]
        return self.pick.choice(names)

    def derived(self, what: str, width: int) -> str:
        other = self.some_field(width)
        ways = [f"({what} & {self.pick.choice(MASKS)})", f"({what} ^ {other})", f"({what} + {other})", f"({what} >> 8)",
                f"({what} << 8)", f"({what} + 1)", f"({what} ^ 0x0101)", f"({what} | 0x0100)", f"(~{what})", f"({what} * 3)",
                f"({what} < {other} ? {what} : {other})", f"(({what} & 0x00ff) | ({other} & 0xff00))"]  # fmt: skip
        ways += [f"__builtin_bswap32({what})", f"(uint16_t){what}"] if width == 32 else []
        return self.pick.choice(ways)

    def site(self, table: Table) -> list[str]:
        """What the members of the key are at one place."""
        values = [f for f, _ in table.key]
        if not self.chance(self.odd):
            return values
        at, other = self.pick.randrange(len(values)), self.pick.randrange(len(values))
        width = table.key[at][1]
        ways = [self.some_field(width), self.derived(values[at], width), self.pick.choice(["0", "1", "0x0101"])]
        ways += [values[other], f"({self.pick.choice(FLAGS)} ? {values[at]} : {self.some_field(width)})"]
        new = self.pick.choice(ways)
        if new == values[other]:
            values[other] = values[at]
        values[at] = new
        return values

    def key(self, table: Table) -> tuple[list[str], str]:
        """Lines that make a key, and its name."""
        members = list(zip(table.members, self.site(table), strict=True))
        n = f"key{table.number}"
        if self.chance(0.1):
            scratch = self.variable(f"struct {n} scratch{table.number}", f"scratch{table.number}")
            return [f"{scratch}.{m} = {v};" for m, v in members], scratch
        name = self.fresh("key_")
        if self.chance(0.15):
            return [f"struct {n} {name} = {{{', '.join(v for _, v in members)}}};"], name
        lines = [f"struct {n} {name};", f"memset(&{name}, 0, sizeof {name});"]
        return [*lines, *(f"{name}.{m} = {v};" for m, v in members)], name

    # ---- Statements

    def body(self) -> list[str]:
        lines = ["int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {", "PARSE"]
        captures = CAPTURES.get(next(iter(self.fields)), "")
        lines += [self.rewrite() if self.chance(0.12) else "", captures, self.rewrite() if self.chance(0.06) else ""]
        for table in self.tables:
            lines += self.expiry(table)
        for table in self.tables:
            lines += self.lookup(table)
            for _ in range(self.pick.choice([0, 1, 1, 2])):
                lines += self.statement()
        for table, index in self.indices:
            if self.chance(0.8):  # state that differs is seen to differ
                count = f"count_in({self.of('v', table)}, {index})"
                lines.append(f"ip->packet_id {self.pick.choice(['=', '^='])} {count};")
        lines.append(f"return {self.pick.choice(['!device', '!device', 'device ^ 1', '(device + 1) % 3', '1'])};")
        return [line for line in [*lines, "}"] if line]

    def rewrite(self) -> str:
        name = self.pick.choice(list(PLAIN))
        other = self.pick.choice([f for f in PLAIN if PLAIN[f] == PLAIN[name]])
        return f"{name} = {self.pick.choice([other, '0x0101', f'{name} & 0x00ffffff', f'{name} + 1'])};"

    def cell(self, vector: str, number: str, inside: Iterable[str], kind: str = "entry") -> list[str]:
        """Borrow a cell, called @ in what is done with it."""
        name = self.fresh("e")
        lines = [line.replace("@", name) for line in inside]
        borrow = [f"struct {kind} *{name};", f"vector_borrow({vector}, {number}, (void **)&{name});"]
        return [*borrow, *lines, f"vector_return({vector}, {number}, {name});"]

    def expiry(self, table: Table) -> list[str]:
        objects = ", ".join(self.of(letter, table) for letter in "ckm")
        call = f"expire_items_single_map({objects}, now - LAG)"
        if table.two_maps or self.chance(0.04):
            return self.expiry_by_hand(table)
        if self.chance(0.2):
            return []
        odd = [f"if ({self.pick.choice(FLAGS)}) {call};", f"if ({call} > 1) return device;", f"ip->packet_id = {call};",
               call.replace("LAG", "(device ? 2 : 1) * LAG") + ";"]  # fmt: skip
        return [self.pick.choice(odd) if self.chance(0.1) else f"{call};"]

    def expiry_by_hand(self, table: Table) -> list[str]:
        old = self.fresh("old")
        expired = f"dchain_expire_one_index({self.of('c', table)}, &{old}, now - LAG)"
        lines = [f"for (int {old}; {expired};) {{", "void *trash;"]
        for map_, keys in table.maps:
            if not self.chance(0.05):
                erase = f"map_erase({self.of(map_, table)}, @, &trash);"
                lines += self.cell(self.of(keys, table), old, [erase], f"key{table.number}")
        return [*lines, *(self.use(table, old) if self.chance(0.05) else []), "}"]

    def lookup(self, table: Table) -> list[str]:
        """Find the packet's entry, or make it one."""
        lines, key = self.key(table)
        index = self.fresh("i")
        map_ = self.of(self.pick.choice(table.maps)[0], table)
        lines += [f"int {index};", f"if (map_get({map_}, &{key}, &{index})) {{"]
        lines += self.guard(table, index) if self.chance(0.15) else []
        if self.chance(0.75):
            lines.append(f"dchain_rejuvenate_index({self.of('c', table)}, {self.neighbour(index)}, now);")
        lines += self.removal(table, index, key) if self.chance(0.15) else []
        lines.append("} else {")
        lines += [f"if ({self.pick.choice(FLAGS)}) return device;"] if self.chance(0.3) else []
        lines += self.statement() if self.chance(0.08) else []
        lines += [*self.creation(table, index, key), "}"]
        self.indices.append((table, index))
        return lines

    def neighbour(self, index: str) -> str:
        return index if not self.chance(self.odd / 4) else f"({index} ^ 1)"

    def creation(self, table: Table, index: str, key: str) -> list[str]:
        full = self.pick.choice(["device", "device", "!device"])
        lines = [f"if (!dchain_allocate_new_index({self.of('c', table)}, &{index}, now)) return {full};"]
        for map_, keys in table.maps:
            inside = [f"*@ = {key};"]
            if keys == "h" or self.chance(self.odd / 2):
                inside = [f"@->{member} = {v};" for member, v in zip(table.members, self.site(table), strict=True)]
            inside.append(f"map_put({self.of(map_, table)}, @, {self.neighbour(index)});")
            lines += self.cell(self.of(keys, table), index, inside, f"key{table.number}")
        if self.chance(0.9):
            some = self.pick.sample(list(MEMBERS), self.pick.choice([0, 1, 2]))
            first = [f"@->{m} = {self.some_field(MEMBERS[m])};" for m in some]
            lines += self.cell(self.of("v", table), index, ["memset(@, 0, sizeof *@);", *first])
        if self.indices and self.chance(0.2):  # an index of another table in this one's cell
            lines += self.cell(self.of("v", table), index, [f"@->b = {self.pick.choice(self.indices)[1]};"])
        return lines

    def removal(self, table: Table, index: str, key: str) -> list[str]:
        lines = [f"if ({self.pick.choice(FLAGS)}) {{", "void *trash;"]
        for map_, keys in table.maps:
            erase = f"map_erase({self.of(map_, table)}, %s, &trash);"
            if self.chance(0.5) or keys == "h":
                lines += self.cell(self.of(keys, table), index, [erase % "@"], f"key{table.number}")
            else:
                lines.append(erase % f"&{key}")
        if not self.chance(0.05):
            lines.append(f"dchain_free_index({self.of('c', table)}, {index});")
        return [*lines, f"return {self.pick.choice(OUT)};", "}"]

    def statement(self) -> list[str]:
        ways = [(7, self.again), (6, self.by_number), (3, self.plain), (6, lambda: [self.rewrite()]),
                (7, lambda: [f"if ({self.pick.choice(FLAGS)}) return {self.pick.choice(OUT)};"])]  # fmt: skip
        if self.indices:
            table, index = self.pick.choice(self.indices)
            ways += [(50, lambda: self.use(table, index)), (8, lambda: self.guard(table, index))]
            ways += [(4, lambda: self.said(table, index)), (5, lambda: self.linked(table, index))]
        if self.rows:
            ways.append((10, lambda: self.cell(self.rows or "", self.slot(), self.changes())))
        (way,) = self.pick.choices([w for _, w in ways], [weight for weight, _ in ways])
        return way()

    def slot(self) -> str:
        """A packet's number in a small array."""
        return f"({self.some_field(self.pick.choice([16, 32]))} {self.pick.choice(['& 7', '% 8', '>> 8 & 7', '& 1'])})"

    def use(self, table: Table, index: str) -> list[str]:
        whose = self.pick.choice(self.tables) if self.chance(self.odd / 2) else table
        number, changes = self.neighbour(index), self.changes()
        if self.chance(0.15):
            asked = f"@->{self.pick.choice(['a > 3', 'p & 2', 't > now - LAG / 9', 'b == ' + self.some_field(32)])}"
            flag = self.fresh("ask")
            lines = self.cell(self.of("v", whose), number, [*changes, f"bool {flag} = {asked};"])
            return [*lines, f"if ({flag}) return device;"]
        return self.cell(self.of("v", whose), number, changes)

    def changes(self) -> list[str]:
        """What is done with an entry."""
        lines = []
        for _ in range(self.pick.choice([1, 1, 2, 3])):
            member = self.pick.choice(list(MEMBERS))
            value = self.some_field(MEMBERS[member])
            target = self.pick.choice([f for f in PLAIN if PLAIN[f] == MEMBERS[member]])
            lines.append(self.pick.choice(
                [f"@->{member}++;", f"@->{member} = {value};", f"@->{member} {self.pick.choice('+^')}= {value};", "@->t = now;",
                 f"ip->packet_id = @->{member};", f"ip->hdr_checksum ^= @->{member};", f"{target} = @->{member};"]))  # fmt: skip
        return lines

    def guard(self, table: Table, index: str) -> list[str]:
        """What the entry remembers must be what the packet says."""
        ok, member = self.fresh("ok"), self.pick.choice(list(MEMBERS))
        same = f"bool {ok} = @->{member} == {self.some_field(MEMBERS[member])};"
        return [*self.cell(self.of("v", table), index, [same]), f"if (!{ok}) return device;"]

    def linked(self, table: Table, index: str) -> list[str]:
        """An entry's cell says which entry, of whatever table, to go to."""
        link = self.fresh("link")
        lines = self.cell(self.of("v", table), index, [f"int {link} = @->b;"])
        whose = self.pick.choice(self.tables)
        inside = [f"if ({link} >= 0 && {link} < SLOTS) {{", *self.use(whose, link), "}"]
        return [*lines, *inside]

    def again(self) -> list[str]:
        """Another lookup, which makes nothing: a reply's, a neighbour's."""
        table, index = self.pick.choice(self.tables), self.fresh("i")
        made, key = self.key(table)
        found = f"map_get({self.of('m', table)}, &{key}, &{index})"
        use = [f"return {self.pick.choice(OUT)};"] if self.chance(0.4) else self.use(table, index)
        return [*made, f"int {index};", f"if ({found}) {{", *use, "}"]

    def said(self, table: Table, index: str) -> list[str]:
        """Something is done with the number itself."""
        kind = self.pick.randrange(5)
        if kind == 0:
            return [f"if ({index} & 1) return device;"]
        if kind == 1:
            return self.cell(self.rows or self.of("v", self.pick.choice(self.tables)), index, self.changes())
        self.leaves = True
        return [f"l4->src = {self.pick.choice([index, f'{index} + 1', f'{index} << 8', index])};"]

    def by_number(self) -> list[str]:
        """A packet says which entry it wants."""
        self.numbered = True
        table, index = self.pick.choice(self.tables), self.fresh("j")
        number = self.pick.choice(["l4->dst", "l4->dst", "l4->dst & 7", "l4->dst - 1", "l4->dst >> 8", "l4->src"])
        chain = self.of("c", table)
        known = f"{index} >= 0 && {index} < SLOTS && dchain_is_index_allocated({chain}, {index})"
        steps = [self.guard(table, index)] if self.chance(0.8) else []
        steps += [[f"dchain_rejuvenate_index({chain}, {index}, now);"]] if self.chance(0.4) else []
        self.pick.shuffle(steps)
        steps.append(self.use(table, index))
        lines = [f"int {index} = {number};", f"if (!({known})) return device;"]
        return lines + [line for step in steps for line in step]

    def plain(self) -> list[str]:
        """A variable of the program's own."""
        place = self.pick.choice([("uint32_t counts[8]", "counts", f"[{self.slot()}]"), ("uint32_t last", "last", ""),
                                  ("uint32_t of_device[4]", "of_device", "[device]")])  # fmt: skip
        name = self.variable(*place[:2]) + place[2]
        done = self.pick.choice([f"{name}++;", f"{name} = {self.some_field(32)};"])
        return [done, self.pick.choice([f"ip->packet_id = {name};", f"if ({name} & 2) return device;", ""])]
