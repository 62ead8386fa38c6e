"""Random C programs without undefined behaviour: typed expressions over packet bytes, assignments, branches, short loops.

What C leaves undefined is kept out by construction: divisors are odd (and signed quotients of two's extremes wrap nowhere, since
dividends are narrow), shift counts are masked, nothing is read before it is written, side effects stand in statements of their
own. Signed overflow wraps (-fwrapv).
"""

from __future__ import annotations

import random

TYPES = {"int8_t": 8, "uint8_t": 8, "int16_t": 16, "uint16_t": 16, "int": 32, "uint32_t": 32, "int64_t": 64, "uint64_t": 64,
         "bool": 1, "char": 8, "enum hue": 32}  # fmt: skip
LITERALS = ["0", "1", "2", "-1", "7", "255", "256", "0x7f", "0x80", "-128", "65535", "0x7fffffff", "0x80000000", "-2147483648",
            "4294967295", "1u", "-1l", "0xffull", "0x8000000000000000", "'a'", "'\\xff'", "GREEN", "PALE", "sizeof(int)"]  # fmt: skip
BINARY = ["+", "-", "*", "&", "|", "^", "<", "<=", ">", ">=", "==", "!=", "&&", "||"]
COMPOUND = ["=", "+=", "-=", "*=", "&=", "|=", "^="]
FRAME = """\
enum hue { RED, GREEN = 5, PALE = -3 };
struct mix { int8_t a; uint16_t b : 5; int c : 7; uint32_t d; };
union both { uint32_t word; int16_t halves[2]; uint8_t bytes[4]; };
"""


class Generator:
    """One program for each seed."""

    def __init__(self, seed: int) -> None:
        self.pick = random.Random(seed)
        self.names: list[tuple[str, str]] = []  # readable places with their types
        self.tests = 0  # decisions so far: paths multiply

    def program(self) -> str:
        """A definition of nf_process; `FRAME` has the types that it uses."""
        body = []
        for i in range(self.pick.randrange(3, 7)):
            body.append(self.declaration(i))
        body.append(f"  struct mix m = {{ {self.expression(1)}, .d = {self.expression(1)} }};")
        body.append(f"  union both u = {{ .word = {self.expression(1)} }};")
        self.names += [("m.a", "int8_t"), ("m.b", "int"), ("m.c", "int"), ("m.d", "uint32_t")]
        self.names += [("u.word", "uint32_t"), ("u.halves[1]", "int16_t"), ("u.bytes[2]", "uint8_t")]
        for _ in range(self.pick.randrange(3, 9)):
            body.append(self.statement(2, "  "))
        for i, (name, _) in enumerate(self.names):
            body.append(f"  PUT({64 + 8 * i}, {name});")
        body.append(f"  return {self.expression(3)};")
        return "PROCESS {\n" + "\n".join(body) + "\n}\n"

    def declaration(self, number: int) -> str:
        ctype = self.pick.choice(list(TYPES))
        text = f"  {ctype} v{number} = {self.expression(2)};"
        self.names.append((f"v{number}", ctype))
        return text

    def statement(self, depth: int, indent: str) -> str:
        kind = self.pick.randrange(8 if depth else 4)
        name, _ = self.pick.choice(self.names)
        if kind <= 2:
            return f"{indent}{name} {self.pick.choice(COMPOUND)} {self.expression(3)};"
        if kind == 3:
            return (
                f"{indent}{self.pick.choice(['++', '--'])}{name};"
                if self.pick.random() < 0.5
                else self.moved(indent, name)
            )
        if kind == 4:
            inner = indent + "  "
            return f"{indent}for (int i = 0; i < {self.pick.randrange(1, 4)}; i++) {{\n{self.plain(inner)}\n{indent}}}"
        if self.tests >= 3:
            return self.plain(indent)
        self.tests += 1
        inner = indent + "  "
        if kind == 5:
            labels = self.pick.sample(range(-2, 9), 3)
            cases = "".join(
                f"{indent}case {v}:\n{self.plain(inner)}\n{inner}{self.pick.choice(['break;', ';'])}\n" for v in labels
            )
            return (f"{indent}switch ({self.expression(2)} {self.pick.choice(['& 7', '% 5'])}) {{\n{cases}"
                    f"{indent}default:\n{self.plain(inner)}\n{indent}}}")  # fmt: skip
        yes, no = self.statement(depth - 1, inner), self.statement(depth - 1, inner)
        return f"{indent}if ({self.expression(3)}) {{\n{yes}\n{indent}}} else {{\n{no}\n{indent}}}"

    def plain(self, indent: str) -> str:
        name, _ = self.pick.choice(self.names)
        return f"{indent}{name} {self.pick.choice(COMPOUND)} {self.expression(2)};"

    def moved(self, indent: str, name: str) -> str:
        other, _ = self.pick.choice([n for n in self.names if n[0] != name])
        return f"{indent}{other} = {name}{self.pick.choice(['++', '--'])};"

    def expression(self, depth: int) -> str:
        kind = self.pick.randrange(11) if depth else self.pick.randrange(3)
        if kind == 0:
            return self.pick.choice(LITERALS)
        if kind == 1 and self.names:
            return self.pick.choice(self.names)[0]
        if kind <= 2:
            at = self.pick.randrange(40)
            ctype = self.pick.choice(["int8_t", "uint16_t", "int", "uint64_t"])
            return self.pick.choice([f"buffer[{at}]", f"GET({ctype}, {at})"])
        if kind == 3:
            return f"{self.pick.choice('-~!+')}({self.expression(depth - 1)})"
        if kind == 4:
            return f"({self.pick.choice(list(TYPES))})({self.expression(depth - 1)})"
        if kind == 5:
            count = self.pick.choice([str(self.pick.randrange(8)), f"({self.expression(0)} & 7)"])
            return f"(({self.expression(depth - 1)}) {self.pick.choice(['<<', '>>'])} {count})"
        if kind == 6:
            divisor = f"(({self.pick.choice(['uint8_t', 'int8_t'])})({self.expression(0)}) | 1)"
            return f"((int16_t)({self.expression(depth - 1)}) {self.pick.choice('/%')} {divisor})"
        if kind == 7 and self.tests < 3:
            self.tests += 1
            return f"(({self.expression(depth - 1)}) ? ({self.expression(depth - 1)}) : ({self.expression(depth - 1)}))"
        operator = self.pick.choice(BINARY)
        if operator in ("&&", "||"):
            if self.tests >= 3:
                operator = self.pick.choice("+^")
            else:
                self.tests += 1
        return f"(({self.expression(depth - 1)}) {operator} ({self.expression(depth - 1)}))"
