"""Random small NFs, one for each seed: tables, vectors, plain variables, and packets that look things up in them by keys.

Most sites of an NF agree on what a key is, so that a good part of the NFs are rightly called shared-nothing; now and then one site
differs a little (another field, another mask, a field that was rewritten, the cell of another entry). That is where wrong verdicts
hide. The text goes with tests/sharding/nfs/table.h. What libVig leaves undefined is not kept out: checked_libvig.c sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from .random_state import CAPTURES, FLAGS, HEAD, LEVELS, MAC, MEMBERS, PLAIN, State, Table, indented

OUT = ["device", "!device"]
SAME: Mapping[str, str] = {}
BACK = {"ip->src_addr": "ip->dst_addr", "ip->dst_addr": "ip->src_addr", "l4->src": "l4->dst", "l4->dst": "l4->src"}
NUMBERS = [
    ("%s", "l4->dst"),
    ("%s", "l4->dst"),
    ("%s + 1", "l4->dst - 1"),
    ("%s << 8", "l4->dst >> 8"),
    ("%s", "l4->dst & 7"),
]
HIDES = slice(34, 36), slice(24, 26)  # where the number of an index may leave: the source port; and the checksum


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


class Generator(State):
    """One NF for each seed."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.indices: list[tuple[Table, str]] = []  # that statements may use
        self.leaves = self.numbered = False

    def nf(self) -> Nf:
        body = self.body()
        text = indented([HEAD, *self.declarations(), *body])
        nic = "software" if any(f in text for f in MAC) and self.chance(0.8) else "x710"
        variables = tuple(name for _, name in self.variables)
        hides = HIDES if self.leaves else ()
        return Nf(self.seed, text, tuple(self.names), variables, self.devices, nic, hides, self.numbered)

    def body(self) -> list[str]:
        lines = ["int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {", "PARSE"]
        captures = CAPTURES.get(next(iter(self.fields)), "")
        lines += [self.rewrite() if self.chance(0.12) else "", captures, self.rewrite() if self.chance(0.06) else ""]
        for table in self.tables:
            lines += self.expiry(table)
        if self.nat:
            lines += self.translation(self.tables[0])
        for table in self.tables[self.nat :]:
            lines += self.lookup(table)
            for _ in range(self.pick.choice([0, 1, 1, 2])):
                lines += self.statement()
        for table, index in self.indices:
            if self.chance(0.85):  # state that differs is seen to differ
                count = f"count_in({self.of('v', table)}, {index})"
                lines.append(f"ip->packet_id {self.pick.choice(['=', '^='])} {count};")
        lines.append(f"return {self.pick.choice(['!device', '!device', 'device ^ 1', '(device + 1) % 3', '1'])};")
        return [line for line in [*lines, "}"] if line]

    def rewrite(self) -> str:
        name = self.pick.choice(list(PLAIN))
        other = self.pick.choice([f for f in PLAIN if PLAIN[f] == PLAIN[name]])
        return f"{name} = {self.pick.choice([other, '0x0101', f'{name} & 0x00ffffff', f'{name} + 1'])};"

    def cell(self, vector: str, number: str, inside: Iterable[str], kind: str = "struct entry") -> list[str]:
        """Borrow a cell, called @ in what is done with it."""
        name = self.fresh("e")
        lines = [line.replace("@", name) for line in inside]
        borrow = [f"{kind} *{name};", f"vector_borrow({vector}, {number}, (void **)&{name});"]
        return [*borrow, *lines, f"vector_return({vector}, {number}, {name});"]

    # ---- Tables: expiry, lookup, creation, removal

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
                lines += self.cell(self.of(keys, table), old, [erase], f"struct key{table.number}")
        return [*lines, *(self.use(table, old) if self.chance(0.05) else []), "}"]

    def lookup(self, table: Table) -> list[str]:
        """Find the packet's entry, or make it one."""
        lines, key = self.key(f"key{table.number}", table.key)
        index = self.fresh("i")
        map_ = self.of(self.pick.choice(table.maps)[0], table)
        lines += [f"int {index};", f"if (map_get({map_}, &{key}, &{index})) {{"]
        found = self.guard(table, index) if self.chance(0.15) else []
        if self.chance(0.75):
            found.append(f"dchain_rejuvenate_index({self.of('c', table)}, {self.neighbour(index)}, now);")
        found += self.removal(table, index, key) if self.chance(0.15) else []
        missed = [f"if ({self.pick.choice(FLAGS)}) return device;"] if self.chance(0.3) else []
        missed += self.inner(self.statement) if self.chance(0.08) else []
        missed += self.creation(table, index, key)
        self.indices.append((table, index))
        return [*lines, *found, "} else {", *missed, "}"]

    def neighbour(self, index: str) -> str:
        return index if not self.chance(self.odd / 4) else f"({index} ^ 1)"

    def creation(self, table: Table, index: str, key: str) -> list[str]:
        full = self.pick.choice(["device", "device", "!device"])
        lines = [f"if (!dchain_allocate_new_index({self.of('c', table)}, &{index}, now)) return {full};"]
        for map_, keys in table.maps:
            inside = [f"*@ = {key};"]
            if keys == "h" or self.chance(self.odd / 2):
                inside = [f"@->{member} = {v};" for member, v in zip(table.members, self.site(table.key), strict=True)]
            inside.append(f"map_put({self.of(map_, table)}, @, {self.neighbour(index)});")
            lines += self.cell(self.of(keys, table), index, inside, f"struct key{table.number}")
        if self.chance(0.9):
            values = {
                m: self.some_field(MEMBERS[m]) if self.chance(self.odd) else f for m, f in table.remembers.items()
            }
            first = [f"@->{m} = {f};" for m, f in values.items()]
            clear = "memset(@, 0, sizeof *@);"
            if self.chance(0.08):
                clear = self.pick.choice(["@->a = 0;", f"if ({self.pick.choice(FLAGS)}) {clear}", "memset(@, 0, 12);"])
            lines += self.cell(self.of("v", table), index, [clear, *first])
        if self.indices and self.chance(0.2):  # an index of another table in this one's cell
            lines += self.cell(self.of("v", table), index, [f"@->link = {self.pick.choice(self.indices)[1]};"])
        return lines

    def removal(self, table: Table, index: str, key: str) -> list[str]:
        lines = [f"if ({self.pick.choice(FLAGS)}) {{", "void *trash;"]
        for map_, keys in table.maps:
            erase = f"map_erase({self.of(map_, table)}, %s, &trash);"
            if self.chance(0.5) or keys == "h":
                lines += self.cell(self.of(keys, table), index, [erase % "@"], f"struct key{table.number}")
            else:
                lines.append(erase % f"&{key}")
        if not self.chance(0.05):
            lines.append(f"dchain_free_index({self.of('c', table)}, {index});")
        if self.chance(0.2):  # and starts anew
            return [*lines, *self.inner(lambda: self.creation(table, index, key)), "}"]
        lines += self.use(table, index) if self.chance(0.1) else []
        return [*lines, f"return {self.pick.choice(OUT)};", "}"]

    # ---- Statements

    def inner(self, statement: Callable[[], list[str]]) -> list[str]:
        """A statement in a block of its own, whose names end with it."""
        indices, held = list(self.indices), list(self.held)
        lines = statement()
        self.indices, self.held = indices, held
        return lines

    def statement(self) -> list[str]:
        ways: list[tuple[int, Callable[[], list[str]]]] = [
            (7, self.again), (6, self.by_number), (3, self.plain), (6, lambda: [self.rewrite()]), (6, self.branch), (2, self.prefixes),
            (7, lambda: [f"if ({self.pick.choice(FLAGS)}) return {self.pick.choice(OUT)};"]),
            (3, lambda: self.lookup(self.pick.choice(self.tables)))]  # fmt: skip
        if self.indices:
            table, index = self.pick.choice(self.indices)
            ways += [(50, lambda: self.use(table, index)), (8, lambda: self.guard(table, index)), (3, lambda: self.numbers(index)),
                     (4, lambda: self.said(table, index)), (5, lambda: self.linked(table, index)),
                     (4, lambda: self.by_index(index)), (5, lambda: self.asked(table, index))]  # fmt: skip
        if self.rows:
            ways.append((10, lambda: self.cell(self.rows or "", self.slot(), self.changes())))
        (way,) = self.pick.choices([w for _, w in ways], [weight for weight, _ in ways])
        return way()

    def branch(self) -> list[str]:
        yes, no = self.inner(self.statement), self.inner(self.statement)
        return [f"if ({self.pick.choice(FLAGS)}) {{", *yes, "} else {", *no, "}"]

    def use(self, table: Table, index: str) -> list[str]:
        whose = self.pick.choice(self.tables) if self.chance(self.odd / 2) else table
        number, changes = self.neighbour(index), self.changes()
        if self.chance(0.15):
            asked = f"@->{self.pick.choice(['a > 3', 'p & 2', 't > now - LAG / 9', 'b == ' + self.some_field(32)])}"
            flag = self.fresh("ask")
            lines = self.cell(self.of("v", whose), number, [*changes, f"bool {flag} = {asked};"])
            return [*lines, f"if ({flag}) return {self.pick.choice(['device', 'device', '!device'])};"]
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
                 f"ip->packet_id = @->{member};", f"ip->hdr_checksum ^= @->{member};", f"{target} = @->{member};",
                 f"if (@->{member} != {value}) {{ @->{member} = {value}; @->a = 0; }}", "device ^= @->p & 1;"]))  # fmt: skip
        return lines

    def asked(self, table: Table, index: str) -> list[str]:
        """What an entry holds is remembered, and may become part of a key."""
        name, member = self.fresh("held"), self.pick.choice(list(MEMBERS))
        lines = self.cell(self.of("v", table), index, [f"uint{MEMBERS[member]}_t {name} = @->{member};"])
        self.held.append((name, MEMBERS[member]))
        return lines

    def guard(self, table: Table, index: str, fields: Mapping[str, str] = SAME) -> list[str]:
        """What the entry remembers must be what the packet says. `fields`: where an answer has what the entry remembers."""
        ok, member = self.fresh("ok"), self.pick.choice(list(table.remembers) or list(MEMBERS))
        if member in table.remembers and not self.chance(0.2):
            wanted = fields.get(table.remembers[member], table.remembers[member])
        else:
            wanted = self.some_field(MEMBERS[member])
        lines = self.cell(self.of("v", table), index, [f"bool {ok} = @->{member} == {wanted};"])
        return [*lines, f"if (!{ok}) return device;"]

    def linked(self, table: Table, index: str) -> list[str]:
        """An entry's cell says which entry, of whatever table, to go to."""
        link = self.fresh("link")
        lines = self.cell(self.of("v", table), index, [f"int {link} = @->link;"])
        inside = self.inner(lambda: self.use(self.pick.choice(self.tables), link))
        return [*lines, f"if ({link} >= 0 && {link} < SLOTS) {{", *inside, "}"]

    def again(self) -> list[str]:
        """Another lookup, which makes nothing: a reply's, a neighbour's."""
        table, index = self.pick.choice(self.tables), self.fresh("i")
        made, key = self.key(f"key{table.number}", table.key)
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
        return [f"l4->src = {self.pick.choice(NUMBERS)[0] % index};"]

    def by_number(self) -> list[str]:
        """A packet says which entry it wants."""
        table, read = self.pick.choice(self.tables), self.pick.choice(["l4->src", *(read for _, read in NUMBERS)])
        return self.numbered_entry(table, read, SAME)

    def numbered_entry(self, table: Table, number: str, fields: Mapping[str, str]) -> list[str]:
        self.numbered = True
        chain, index = self.of("c", table), self.fresh("j")
        known = f"{index} >= 0 && {index} < SLOTS && dchain_is_index_allocated({chain}, {index})"
        steps = [self.guard(table, index, fields) for _ in range(self.pick.choice([0, 1, 1, 1, 2]))]
        steps += [[f"dchain_rejuvenate_index({chain}, {index}, now);"]] if self.chance(0.4) else []
        if self.chance(0.2):
            self.pick.shuffle(steps)
        steps.append(self.use(table, index))
        if fields and self.chance(0.8):
            steps.append(self.cell(self.of("v", table), index, ["ip->dst_addr = @->a;", "l4->dst = @->p;"]))
        lines = [f"int {index} = {number};", f"if (!({known})) return device;"]
        return lines + [line for step in steps for line in step]

    def translation(self, table: Table) -> list[str]:
        """As a NAT does: flows of device 0 leave with the number of their entry, by which answers find it."""
        leave, read = self.pick.choice(NUMBERS)
        if self.chance(self.odd):
            read = self.pick.choice(NUMBERS)[1]
        self.leaves = True

        def out() -> list[str]:
            lines = self.lookup(table)
            return [
                *lines,
                f"l4->src = {leave % self.indices[-1][1]};",
                f"return {self.pick.choice(['1', '1', '!device'])};",
            ]

        gone = self.inner(out)
        back = self.inner(lambda: self.numbered_entry(table, read, BACK))
        return [
            "if (device == 0) {",
            *gone,
            "}",
            *(["{", *back, "}"] if len(self.tables) > 1 else [*back, "return 0;"]),
        ]

    def plain(self) -> list[str]:
        """A variable of the program's own."""
        place = self.pick.choice([("uint32_t counts[8]", "counts", f"[{self.slot()}]"), ("uint32_t last", "last", ""),
                                  ("uint32_t of_device[4]", "of_device", "[device]")])  # fmt: skip
        name = self.variable(*place[:2]) + place[2]
        done = self.pick.choice([f"{name}++;", f"{name} = {self.some_field(32)};"])
        return [done, self.pick.choice([f"ip->packet_id = {name};", f"if ({name} & 2) return device;", ""])]

    def by_index(self, index: str) -> list[str]:
        """Plain memory for each index of a table; what the last owner left may be there."""
        name = f"{self.variable('struct entry of_index[SLOTS]', 'of_index')}[{index}]"
        clear = [f"if (!now) memset(&{name}, 0, sizeof {name});"] if self.chance(0.5) else []
        return [*clear, *(line.replace("@->", f"{name}.") for line in self.changes())]

    def numbers(self, index: str) -> list[str]:
        """A map whose values are no indices; its keys stand in cells of the index."""
        key = [(self.pick.choice(self.core), 32), (self.some_field(16), 16)][: self.pick.choice([1, 2])]
        if "loose" not in self.names:
            self.key_type("loose", key)
            self.map("numbers", "loose")
            self.vector("number_keys", "loose")
            self.loose = key
        made, name = self.key("loose", self.loose)
        value = self.fresh("value")
        stored = self.pick.choice(["device", self.some_field(16), "5", index])
        put = [f"*@ = {name};", f"map_put({self.state}numbers, @, {stored});"]
        lines = [*made, f"int {value};", f"if (!map_get({self.state}numbers, &{name}, &{value})) {{"]
        lines += [*self.cell(f"{self.state}number_keys", index, put, "struct loose"), f"{value} = {stored};", "}"]
        use = self.cell(self.rows or self.of("v", self.tables[0]), f"({value} & 7)", self.changes())
        return lines + self.pick.choice([use, [f"ip->packet_id = {value};"], [f"if ({value} == 1) return device;"]])

    def prefixes(self) -> list[str]:
        """Counts for every prefix of an address, in arrays of tables."""
        self.levels()
        address, s, part = (
            self.pick.choice([f for f, w in self.fields.items() if w == 32]),
            self.state,
            self.fresh("part"),
        )
        index, level = self.fresh("i"), self.fresh("level")
        objects = f"{s}level_chains[{level}], {s}level_keys[{level}], {s}level_maps[{level}]"
        put = self.cell(
            f"{s}level_keys[{level}]",
            index,
            [f"*@ = {part};", f"map_put({s}level_maps[{level}], @, {index});"],
            "uint32_t",
        )
        first = self.cell(
            f"{s}level_counts[{level}]", index, ["memset(@, 0, sizeof *@);"] if self.chance(0.9) else ["@->a = 0;"]
        )
        return [f"for (int {level} = 0; {level} < {LEVELS}; {level}++) {{", f"expire_items_single_map({objects}, now - LAG);",
                f"uint32_t {part} = {address} & ({level} ? 0xffffffff : {self.pick.choice(['0x00ffffff', '0xffff', '0xff'])});",
                f"int {index};", f"if (!map_get({s}level_maps[{level}], &{part}, &{index})) {{",
                f"if (!dchain_allocate_new_index({s}level_chains[{level}], &{index}, now)) return device;", *put, *first, "} else {",
                f"dchain_rejuvenate_index({s}level_chains[{level}], {index}, now);", "}",
                *self.cell(f"{s}level_counts[{level}]", index, self.changes()), "}"]  # fmt: skip
