"""Values and types of expressions compared with gcc."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from maestro_lsp.source.ctypes import CType, Enum, Floating, Integer, Pointer, sizeof_
from maestro_lsp.source.expressions import constant, expression_type
from maestro_lsp.source.unit import Unit

from .gcc import needs_gcc, ours

PRELUDE = """\
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
enum color { RED, GREEN = 7, NEGATIVE = -3 };
typedef uint16_t port_t;
typedef struct pair { char c; struct { uint32_t low, high[3]; } in; port_t port; } pair_t;
pair_t pair, *pp;
char text[5];
unsigned char byte; short half; unsigned word; long wide; float real; double precise; enum color hue; bool flag;
int (*call)(void);
uint8_t octets[4][6];
"""
LITERALS = ["0", "1", "7", "255", "0x7fffffff", "2147483648", "0xffffffff", "3u", "5l", "0x8000000000000000", "1ull", "'a'",
            "'\\n'", "'\\xff'", "RED", "GREEN", "NEGATIVE", "sizeof(int)", "sizeof(pair_t)", "sizeof pair.in.high",
            "offsetof(pair_t, in.high[2])", "sizeof(octets) / sizeof(octets[0])", "sizeof(text)", "_Alignof(double)",
            "sizeof \"abc\"", "(int)3.75", "__builtin_bswap16(0x1234)", "__builtin_bswap32(1)"]  # fmt: skip
CASTS = ["int8_t", "uint8_t", "port_t", "short", "int", "unsigned", "long", "uint64_t", "bool", "char", "enum color"]
BINARY = ["+", "-", "*", "&", "|", "^", "<", "<=", ">", ">=", "==", "!=", "&&", "||", "/", "%"]


@st.composite
def expression(draw: st.DrawFn, depth: int = 4) -> str:
    kind = draw(st.integers(0, 8)) if depth else 0
    inner = expression(depth - 1)
    if kind <= 1:
        return draw(st.sampled_from(LITERALS))
    if kind == 2:
        return f"{draw(st.sampled_from(['-', '~', '!', '+']))}({draw(inner)})"
    if kind == 3:
        return f"({draw(st.sampled_from(CASTS))}){draw(st.sampled_from(['', '-', '~', '+']))}({draw(inner)})"
    if kind == 4:
        return f"(({draw(inner)}) {draw(st.sampled_from(['<<', '>>']))} {draw(st.integers(0, 31))})"
    if kind == 5:
        return f"(({draw(inner)}) ? ({draw(inner)}) : ({draw(inner)}))"
    return f"(({draw(inner)}) {draw(st.sampled_from(BINARY))} ({draw(inner)}))"


def gcc_prints(lines: list[str], declared: str) -> list[str] | None:
    """What a program prints; None if gcc rejects it."""
    with tempfile.TemporaryDirectory() as folder:
        source, binary = Path(folder) / "e.c", Path(folder) / "e"
        source.write_text(f"{PRELUDE}#include <stdio.h>\n{declared}\nint main(void) {{ {' '.join(lines)} }}\n")
        built = subprocess.run(
            ["gcc", "-w", "-fwrapv", "-o", binary, source], capture_output=True, timeout=60, check=False
        )
        if built.returncode != 0:
            return None
        return subprocess.run([binary], capture_output=True, text=True, check=False, timeout=10).stdout.splitlines()


@needs_gcc
@given(st.lists(expression(), min_size=40, max_size=40))
@settings(max_examples=6, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
def test_random_constant_expressions_as_gcc(expressions: list[str]) -> None:
    text = PRELUDE + "".join(f"long e{i} = {e};\n" for i, e in enumerate(expressions))
    unit = Unit.parse(ours(text))
    assert unit.problems == ()
    lines, expected = [], []
    for i, source in enumerate(expressions):
        init = unit.globals[f"e{i}"].init
        assert init is not None
        value, ctype = constant(init, unit.scope), expression_type(init, unit.scope)
        if value is None:  # it divides by zero
            assert "/" in source or "%" in source, source
            continue
        assert ctype is not None, source
        lines.append(
            f'printf("{i} %lld %zu %d\\n", (long long)({source}), sizeof({source}), (typeof({source}))-1 < 0);'
        )
        as_signed = (value & (1 << 64) - 1) - (1 << 64 if value >> 63 & 1 else 0)
        expected.append(f"{i} {as_signed} {sizeof_(ctype)} {int(is_signed(ctype))}")
    assert gcc_prints(lines, "") == expected


def is_signed(ctype: CType) -> bool:
    if isinstance(ctype, Enum):
        return ctype.underlying.signed
    return isinstance(ctype, Integer) and ctype.signed


TYPED = [
    "pair.c", "pair.in", "pair.in.high", "pair.in.high[1]", "pp->port", "*pp", "&pair", "&pp->in", "pp + 1", "1 + pp",
    "pp - pp", "text", "text[0]", "&text", "*text", "byte + byte", "byte << 3", "half * word", "word + wide", "byte + real",
    "real * precise", "wide / 2u", "hue", "hue + 1", "!wide", "~byte", "-half", "flag + flag", "byte ? half : wide",
    "1 ? pp : (void *)0", "byte = wide", "byte += wide", "byte++", "--wide", "(port_t)wide", "(byte, wide)", "call()",
    "*call", "(pair_t){0}", "(pair_t *)text", "(int[]){1, 2, 3}", "octets[1]", "octets[1][2]", "*octets", "**octets",
    "&octets[1]", "0[text]", "'c'", "\"abc\"", "1.5", "1.5f", "1.5l", "0xffffffff", "4294967296", "sizeof byte",
    "word < wide", "byte && wide", "({ int x = 1; long y = x; y; })", "(port_t)*pp->in.high", "(port_t)-1", "(port_t)(wide)",
    "(port_t)+byte", "(port_t)&pair == byte", "sizeof(port_t)", "__builtin_expect(byte, 1)", "(byte)", "((wide))",
]  # fmt: skip


@needs_gcc
def test_types_of_expressions_as_gcc() -> None:
    text = PRELUDE + "void f(void) {\n" + "".join(f"({source});\n" for source in TYPED) + "}\n"
    unit = Unit.parse(ours(text))
    assert unit.problems == ()
    statements = [n for n in unit.functions["f"].body.named_children if n.type == "expression_statement"]
    assert len(statements) == len(TYPED)
    lines, expected = [], []
    for source, statement in zip(TYPED, statements, strict=True):
        ctype = expression_type(statement.named_children[0], unit.scope)
        assert ctype is not None, source
        lines.append(f'puts("{len(expected)}"); printf("%zu\\n", sizeof({source}));')
        expected += [str(len(expected)), str(sizeof_(ctype))]
        kind = "pointer" if isinstance(ctype, Pointer) else "real" if isinstance(ctype, Floating) else "other"
        lines.append(f'puts(__builtin_classify_type({source}) == 5 ? "pointer" : '
                     f'__builtin_classify_type({source}) == 8 ? "real" : "other");')  # fmt: skip
        decays = kind == "other" and not isinstance(ctype, Integer | Enum) and str(ctype).endswith(("]", ")"))
        expected.append("pointer" if decays else kind)
    assert gcc_prints(lines, "") == expected
