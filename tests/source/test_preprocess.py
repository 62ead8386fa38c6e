"""Positions, records and limits of the preprocessor; what it computes is in test_preprocess_gcc.py."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maestro_lsp.source.preprocess import Preprocessed, preprocess
from maestro_lsp.source.text import Span
from maestro_lsp.source.unit import Unit

from .gcc import ours


def origin_text(pre: Preprocessed, texts: dict[str, str], part: str, nth: int = 0) -> str:
    """The user's text behind the nth occurrence of a part of the preprocessed text."""
    start = -1
    for _ in range(nth + 1):
        start = pre.text.index(part, start + 1)
    span = pre.origin(start, start + len(part))
    return texts[span.file][span.start : span.end]


def test_origins_lead_to_what_the_user_wrote() -> None:
    main = (
        "/* c1 */ int a; // c2\n#define INC(x) ((x) + 1)\nint b = INC( /* arg */ a ) * 2;\n"
        'int sp\\\nliced;\n#include "h.h"\nint é = INC(INC(3)); int last; /* c3 */ int end;\n'
    )
    header = "// header\nint from_header;\n"
    pre = ours(main, {"h.h": header})
    texts = {"/nf/main.c": main, "/nf/h.h": header}
    assert origin_text(pre, texts, "int a;") == "int a;"
    assert origin_text(pre, texts, "+ 1", 0) == "INC( /* arg */ a )"
    assert origin_text(pre, texts, "int b =") == "int b ="
    assert origin_text(pre, texts, "* 2;") == "* 2;"
    assert origin_text(pre, texts, "spliced") == "sp\\\nliced"
    assert origin_text(pre, texts, "int from_header;") == "int from_header;"
    assert origin_text(pre, texts, "3") == "INC(INC(3))"
    assert origin_text(pre, texts, "int last;") == "int last;"
    assert origin_text(pre, texts, "int end;") == "int end;"
    start = pre.text.index("int b")
    whole = pre.origin(start, pre.text.index("2;") + 2)
    assert main[whole.start : whole.end] == "int b = INC( /* arg */ a ) * 2;"


def test_a_range_over_an_include_gives_the_part_where_it_starts() -> None:
    main = 'struct s {\n#include "fields.h"\nint z;\n};\n'
    pre = ours(main, {"fields.h": "int x;\n"})
    unit = Unit.parse(pre)
    node = unit.tree.root_node.named_children[0]
    span = unit.span(node)
    assert span.file == "/nf/main.c" and main[span.start : span.end] == main.strip(";\n")
    record = unit.scope.record("struct", "s")
    assert [field.name for field in record.fields] == ["x", "z"]


@given(
    st.lists(
        st.sampled_from(["w1", "w2 ", "é", "/* c */", "// d\n", "\n", "\r\n", "\\\n", "M", "F(w3)", '"s"', " "]),
        max_size=25,
    )
)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_every_word_maps_to_itself(pieces: list[str]) -> None:
    main = "#define M expanded\n#define F(x) [x]\n" + " ".join(pieces) + "\n"
    pre = ours(main)
    for word in ("w1", "w2", '"s"'):
        position = pre.text.find(word)
        while position >= 0:
            span = pre.origin(position, position + len(word))
            assert main[span.start : span.end] == word
            position = pre.text.find(word, position + 1)
    for inside, outside in (("expanded", "M"), ("[", "F(w3)")):
        position = pre.text.find(inside)
        if position >= 0:
            span = pre.origin(position, position + len(inside))
            assert main[span.start : span.end] == outside


def test_missing_headers_are_recorded_and_no_problem() -> None:
    main = '#include "nowhere.h"\n#include <stdint.h>\n#include <gone/away.h>\nint x;\n'
    pre = ours(main)
    assert pre.problems == ()
    assert [(i.name, i.path) for i in pre.includes if i.span.file == "/nf/main.c"] == [
        ("nowhere.h", None),
        ("stdint.h", "<built-in>/stdint.h"),
        ("gone/away.h", None),
    ]
    assert [main[i.span.start : i.span.end] for i in pre.includes][0] == '"nowhere.h"'
    assert pre.files == ("/nf/main.c",)


def test_the_users_headers_come_before_built_in_ones() -> None:
    pre = preprocess("/nf/main.c", {"/nf/main.c": "#include <stdint.h>\n", "/inc/stdint.h": "mine\n"}.get, ["/inc"])
    assert pre.text.split() == ["mine"]
    assert pre.files == ("/nf/main.c", "/inc/stdint.h")


def test_libvig_headers_are_built_in_under_every_projects_folder_names() -> None:
    for name in ("libvig/verified/map.h", "lib/state/map.h", "lib/verified/map.h"):
        unit = Unit.parse(ours(f'#include "{name}"\nvoid *used = map_get;\n'))
        assert "map_get" in unit.declared, name
    unit = Unit.parse(
        ours(
            '#include "lib/util/time.h"\n#include "lib/state/no-such-thing.h"\ntime_ns_t t; void *p = dchain_rejuvenate_index;\n'
        )
    )
    assert "dchain_rejuvenate_index" in unit.declared
    assert str(unit.globals["t"].type) == "long"


def test_settings_define_macros_and_leave_verification_code_out() -> None:
    main = "#ifdef KLEE_VERIFICATION\nno\n#endif\n#ifdef CAPACITY_POW2\nCAPACITY_POW2 F(3)\n#endif\n"
    pre = ours(main, defines={"CAPACITY_POW2": "1", "F(x)": "x*x"})
    assert pre.text.split() == ["1", "3*3"]


def test_the_table_of_macros_can_be_read() -> None:
    main = (
        "#define FLOOD_FRAME ((uint16_t) -1)\n#define DROP 0xffff\n#define F(a, b...) a b\n#define GONE\n#undef GONE\n"
    )
    pre = ours(main)
    flood, drop, function = pre.macros["FLOOD_FRAME"], pre.macros["DROP"], pre.macros["F"]
    assert (flood.text, flood.params) == ("((uint16_t) -1)", None)
    assert drop.text == "0xffff"
    assert drop.span is not None and main[drop.span.start : drop.span.end] == "#define DROP 0xffff"
    assert (function.params, function.variadic) == (("a", "b"), True)
    assert "GONE" not in pre.macros


PROBLEMS = {
    "#error no good\nint x;\n": ("#error no good", "#error no good"),
    "#if 1\nint x;\n": ("#if 1", "unterminated conditional: no #endif"),
    "#endif\nint x;\n": ("#endif", "#endif without #if"),
    "#else\nint x;\n": ("#else", "#else without #if"),
    "#if (1\nint y;\n#endif\nint x;\n": ("#if (1", "the condition ends too early"),
    "#if 1 / 0\n#endif\nint x;\n": ("#if 1 / 0", "division by zero in the condition"),
    "#define 3\nint x;\n": ("#define 3", "macro names must be identifiers"),
    "#define F(a\nint x;\n": ("#define F(a", "missing ')' in the parameter list of macro F"),
    "#frobnicate\nint x;\n": ("#frobnicate", "unknown directive #frobnicate"),
    "#include nonsense\nint x;\n": ("#include nonsense", '#include expects "file" or <file>'),
    "#define F(a) a\nF(1, 2) int x;\n": ("F", "macro F takes 1 argument, got 2"),
    "#define F(a) a\nint x; F(1": ("F", "unterminated argument list of macro F"),
}


@pytest.mark.parametrize("main", PROBLEMS)
def test_problems_have_a_place_and_the_rest_is_read(main: str) -> None:
    pre = ours(main)
    (problem,) = pre.problems
    assert (main[problem.span.start : problem.span.end], problem.message) == PROBLEMS[main]
    assert "int x;" in " ".join(pre.text.split())


def test_an_unfinished_invocation_does_not_swallow_the_rest() -> None:
    main = "#define LOG(x) log(x)\nvoid f(void) { LOG(1; }\n#define A 2\nint x = A;\nvoid g(void) { LOG(3); }\n"
    pre = ours(main)
    assert "int x =  2 ;" in pre.text
    assert "log(3)" in pre.text


def within(seconds: float, action: Callable[[], Preprocessed]) -> Preprocessed:
    start = time.process_time()
    result = action()
    assert time.process_time() - start < seconds
    return result


def test_cyclic_includes_end() -> None:
    files = {"a.h": '#include "b.h"\n#include "b.h"\nint a;\n', "b.h": '#include "a.h"\n#include "a.h"\nint b;\n'}
    pre = within(4, lambda: ours('#include "a.h"\n', files))
    assert any("nested too deeply" in problem.message for problem in pre.problems)


def test_macro_bombs_end() -> None:
    bomb = "#define A0 x x x x x x x x\n"
    bomb += "".join(f"#define A{n + 1} A{n} A{n} A{n} A{n} A{n} A{n} A{n} A{n}\n" for n in range(12))
    pre = within(4, lambda: ours(bomb + "A12\nint after;\n"))
    assert [problem.message for problem in pre.problems] == ["macro A12 expands to too much"]
    assert "int after;" in pre.text
    pre = within(4, lambda: ours("#define F(x) x\n" + "F(" * 5000 + ")" * 5000 + "\nint after;\n"))
    assert "int after;" in pre.text
    within(4, lambda: ours("#define F(x) x\n" + "F(\n" * 20000))
    within(4, lambda: ours("#define F(x) x\n" + "F(\n#define X\n" * 3000))
    within(4, lambda: ours("#if " + "(" * 100_000 + "\n#endif\n"))
    within(4, lambda: ours("#if " + "-" * 100_000 + "1\n#endif\n"))
    within(4, lambda: ours("#if 1\n" * 50_000))
    within(4, lambda: ours("x /* " * 200_000))
    within(4, lambda: ours("'" * 200_000 + '"\\' * 100_000))


GARBAGE = st.text(alphabet=st.sampled_from(list("#define FXx(),\"'\\/*\n {}ifnl1+&.;\r\t\0é\ud800😀@")), max_size=300)


@given(GARBAGE)
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_no_text_raises(text: str) -> None:
    first, second = ours(text, {"h.h": text[::-1]}), ours(text, {"h.h": text[::-1]})
    assert first.text == second.text
    for start in range(0, len(first.text), 7):
        span = first.origin(start, min(len(first.text), start + 5))
        assert 0 <= span.start <= span.end <= len(text) or span.file != "/nf/main.c"
    unit = Unit.parse(first)
    for table in (unit.functions, unit.globals, unit.declared):
        for name in table:
            table[name]
    assert unit.problems == Unit.parse(second).problems


def test_spans_are_values() -> None:
    assert Span("f.c", 1, 2) == Span("f.c", 1, 2)
    assert len({Span("f.c", 1, 2), Span("f.c", 1, 2)}) == 1
