"""Units and programs: what is declared where, places, syntax problems, linking, incremental parsing."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tree_sitter import Node

from maestro_lsp.source.ctypes import BOOL, Array, Function, Integer, Pointer, Record, Unknown, sizeof_
from maestro_lsp.source.declarations import declare, type_of
from maestro_lsp.source.expressions import constant
from maestro_lsp.source.program import Program
from maestro_lsp.source.scope import Scope
from maestro_lsp.source.unit import Unit

from .gcc import ours

SOURCE = """\
#include <stdbool.h>
#include <stdint.h>
#define AND &&
#define LIMIT 4
struct later;
typedef struct flow { uint32_t src, dst; struct later *next; } flow_t;
struct later { flow_t inside; char name[LIMIT]; };
extern int shared;
int shared = LIMIT + 1, *pointer, table[LIMIT][2];
static flow_t flows[] = {{1, 2}, {.dst = 3}};
extern struct nf_config config;
int declared_only(void *p, int n[3], bool f(int));
static inline bool flow_eq(const void *a, const void *b) {
  const flow_t *x = (const flow_t *)a, *y = b;
  return x->src == y->src AND x->dst == y->dst;
}
void (*chosen(int which))(int);
unsigned long count(const char *format, ...) { return (flow_t){0}.src; }
"""


def unit_of(text: str) -> Unit:
    return Unit.parse(ours(text))


def nodes(node: Node, kind: str) -> list[Node]:
    found = [node] if node.type == kind else []
    return found + [inner for child in node.children for inner in nodes(child, kind)]


def test_functions_globals_and_prototypes_are_found() -> None:
    unit = unit_of(SOURCE)
    assert unit.problems == ()
    assert list(unit.functions) == ["flow_eq", "count"]
    flow_eq = unit.functions["flow_eq"]
    assert (flow_eq.static, flow_eq.type.result, [name for name, _ in flow_eq.params]) == (True, BOOL, ["a", "b"])
    assert SOURCE[unit.span(flow_eq.node).start :].startswith("static inline bool flow_eq")
    assert unit.functions["count"].type.variadic
    assert set(unit.globals) == {"shared", "pointer", "table", "flows", "config"}
    shared, table, flows = unit.globals["shared"], unit.globals["table"], unit.globals["flows"]
    assert shared.init is not None and not shared.extern and constant(shared.init, unit.scope) == 5
    assert (sizeof_(table.type), sizeof_(flows.type), flows.static) == (32, 32, True)
    assert unit.globals["config"].extern
    assert str(unit.declared["declared_only"]) == "int(void *, int *, _Bool(int) *)"
    assert str(unit.declared["chosen"]) == "void(int) *(int)"


def test_records_that_point_at_each_other_are_complete() -> None:
    scope = unit_of(SOURCE).scope
    flow, later = scope.record("struct", "flow"), scope.record("struct", "later")
    field = flow.find("next")
    assert field is not None and isinstance(field.type, Pointer) and field.type.to is later
    assert (flow.size, later.size) == (16, 24)
    assert scope.typedef("flow_t") is flow


def test_a_record_that_contains_itself_ends() -> None:
    unit = unit_of("struct a { struct b x; }; struct b { struct a y; int z; }; struct c { struct c c; };")
    assert unit.scope.record("struct", "a").size >= 0
    assert unit.scope.record("struct", "c").size == 0


def test_typedef_names_make_casts() -> None:
    text = (
        "typedef unsigned short port_t; typedef struct s { int x; } *s_t;\n"
        "int f(int *p, int x) { x = (port_t)*p; x = (port_t)(x); x = (port_t)-1; x = (s_t)&p == 0; x = (port_t) + 1;\n"
        "  x = sizeof(port_t); if (x) return (port_t)x * 2; while (x) (port_t)x; f((port_t)x, (x) * x); return (port_t)~x; }\n"
    )
    unit = unit_of(text)
    body = unit.functions["f"].body
    assert unit.problems == ()
    assert len(nodes(body, "cast_expression")) == 9
    assert {str(type_of(n.child_by_field_name("type"), unit.scope)) for n in nodes(body, "cast_expression")} == {  # type: ignore[arg-type]
        "unsigned short",
        "struct s *",
    }
    for cast in nodes(body, "cast_expression"):  # places ignore what the parser was helped with
        span = unit.span(cast)
        assert text[span.start : span.end].replace("port_t", "port_t const").replace("s_t)", "s_t const)") in (
            unit.node_text(cast),
            unit.node_text(cast).replace("  ", " "),
        )


def test_typeof_has_the_type_of_its_operand() -> None:
    unit = unit_of(
        "#define MAX(a, b) ({ typeof(a) _a = (a); __typeof__(b) _b = (b); _a > _b ? _a : _b; })\n"
        "struct s { unsigned long wide; } s; int g(short v) { __auto_type w = s.wide; typeof(int *) p; return MAX(s.wide, v); }\n"
    )
    assert unit.problems == ()
    scope = Scope(unit.scope)
    scope.variables["v"] = Integer("short", 2, True)
    types = {}
    for node in nodes(unit.functions["g"].body, "declaration"):
        for name, ctype, *_ in declare(node, scope):
            types[name] = str(ctype)
    assert types == {"w": "unsigned long", "p": "int *", "_a": "unsigned long", "_b": "short"}


def test_local_declarations_stay_in_their_scope() -> None:
    unit = unit_of(
        "enum e { A = 1 }; int f(void) { enum { A = 5 }; struct s { char c[A]; } x, *y; typedef int A_t; A_t z = A; }"
    )
    scope = Scope(unit.scope)
    found = {d.name: d for n in unit.functions["f"].body.named_children for d in declare(n, scope)}
    assert isinstance(found["x"].type, Record) and found["x"].type.size == 5
    assert found["z"].init is not None and constant(found["z"].init, scope) == 5
    assert (found["A_t"].storage, found["z"].storage) == ("typedef", None)
    assert unit.scope.constant("A") == 1
    assert "s" not in unit.scope.tags and "A_t" not in unit.scope.typedefs


def test_types_without_a_declaration_are_unknown() -> None:
    unit = unit_of("gone_t g; struct absent *a; struct absent b;")
    assert unit.globals["g"].type == Unknown("gone_t")
    assert sizeof_(unit.globals["g"].type) is None
    assert sizeof_(unit.globals["a"].type) == 8
    assert sizeof_(unit.globals["b"].type) is None


def test_what_gnu_c_adds_is_read() -> None:
    unit = unit_of(
        "__extension__ typedef struct { __extension__ union { int a; }; } __attribute__((__packed__)) t;\n"
        'static __inline__ __attribute__((always_inline)) int f(int x) { __asm__ volatile("" ::: "memory"); return ({ x; }); }\n'
        '_Static_assert(sizeof(t) == 4, "size"); int g __attribute__((aligned(64))) = 1; _Thread_local int h;\n'
        "struct __attribute__((packed)) p { char c; int i; }; int k(void) { l: ; int y = 0; goto l; return y ?: 1; }\n"
        "int r(int x) { switch (x) { case 1 ... 3: return 1; case 7: return 2; default: return 0; } }\n"
        'extern __thread int per_thread; const char *const names[] = {"a", "b" "c"}; void n(void) __attribute__((noreturn));\n'
    )
    assert unit.problems == ()
    assert {"f", "k"} <= set(unit.functions)
    assert unit.scope.record("struct", "p").size == 5
    names = unit.globals["names"].type
    assert isinstance(names, Array) and names.length == 2


BROKEN = {
    "int f(void) { return 1 }\nint g(void) { return 2; }\n": "missing ';'",
    "int f(void) { x = (1 + ; }\nint g(void) { return 2; }\n": "syntax error",
    "struct s { int a int b; };\nint g(void) { return 2; }\n": "syntax error",
}


@pytest.mark.parametrize("text", BROKEN)
def test_syntax_errors_have_a_place_and_the_rest_is_read(text: str) -> None:
    unit = unit_of(text)
    assert "g" in unit.functions
    assert any(BROKEN[text] in problem.message for problem in unit.problems)
    first_line = text.index("\n")
    assert all(problem.span.start <= first_line for problem in unit.problems)


def test_spans_count_code_points() -> None:
    text = 'const char *s = "é😀"; typedef int num; int after(void) { return (num)-1; } int é_x = 1; int last;\n'
    unit = unit_of(text)
    for part in ("after", "last"):
        node = next(n for n in nodes(unit.tree.root_node, "identifier") if unit.node_text(n) == part)
        span = unit.span(node)
        assert text[span.start : span.end] == part


def test_units_link_as_c_does() -> None:
    first = unit_of(
        "static int helper(void) { return 1; } int f(void) { return helper(); } int tentative; extern int x; extern int far;"
    )
    second = unit_of("int helper(void) { return 2; } int tentative = 3; int x = 4; static int own = 5;")
    third = unit_of("int late(void) { return 6; } int far = 7;")
    asked = []

    def helpers(name: str, linked: Sequence[Unit]) -> Unit | None:
        asked.append(name)
        return third if name in ("late", "far") else None

    program = Program([first, second], helpers)
    own, external = program.function("helper", first), program.function("helper", second)
    assert own is not None and own.unit is first and external is not None and external.unit is second
    assert (program.function("helper") or own).unit is second
    for name, unit, owner in (
        ("tentative", first, second),
        ("x", first, second),
        ("own", second, second),
        ("far", first, third),
    ):
        found = program.global_(name, unit)
        assert found is not None and found.unit is owner, name
    assert program.global_("own", first) is None
    late = program.function("late", first)
    assert late is not None and late.unit is third
    assert program.function("nowhere", first) is None and program.function("nowhere", second) is None
    assert asked == ["far", "own", "nowhere"] or asked == ["far", "nowhere"]
    program.relink()
    assert program.asked == () and program.units == [first, second] and program.parsed == [first, second, third]
    late = program.function("late", first)
    assert late is not None and late.unit is third and program.asked == ("late",)


WORDS = [
    "int x;",
    "struct s { int a; };",
    "int f(void) { return 1; }",
    "typedef int t;",
    "}",
    "{",
    "/* é */",
    "enum { A };",
    ";",
    "(",
    "x",
]


@given(st.lists(st.sampled_from(WORDS), max_size=12), st.integers(0, 12), st.lists(st.sampled_from(WORDS), max_size=4))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_incremental_parsing_gives_the_same_tree(words: list[str], at: int, inserted: list[str]) -> None:
    old = unit_of("\n".join(words))
    text = "\n".join([*words[:at], *inserted, *words[at + 1 :]])
    new, fresh = Unit.parse(ours(text), old), unit_of(text)
    assert str(new.tree.root_node) == str(fresh.tree.root_node)
    assert new.problems == fresh.problems
    assert set(new.functions) == set(fresh.functions)
    assert str(old.tree.root_node) == str(unit_of("\n".join(words)).tree.root_node)


@pytest.mark.parametrize("seed", range(12))
def test_mutilated_sources_never_raise(seed: int) -> None:
    rng = random.Random(seed)
    text = SOURCE
    for _ in range(rng.randint(1, 6)):
        start, end = sorted(rng.sample(range(len(text)), 2))
        end = min(end, start + 60)
        kind = rng.randrange(4)
        if kind == 0:
            text = text[:start] + text[end:]
        elif kind == 1:
            text = text[:end] + text[start:end] + text[end:]
        elif kind == 2:
            text = text[:start] + "".join(chr(rng.randrange(1, 256)) for _ in range(8)) + text[start:]
        else:
            lines = text.splitlines()
            rng.shuffle(lines)
            text = "\n".join(lines)
    unit = unit_of(text)
    for table in (unit.functions, unit.globals, unit.declared):
        for name in table:
            assert table[name] is not None
    for function in unit.functions.values():
        assert isinstance(function.type, Function)
        scope = Scope(unit.scope)
        for node in nodes(function.body, "declaration"):
            declare(node, scope)


def test_deep_nesting_and_long_files_end() -> None:
    start = time.process_time()
    unit = unit_of("int x = " + "(" * 20_000 + "1" + ")" * 20_000 + ";")
    constant(unit.globals["x"].init, unit.scope) if "x" in unit.globals else None  # type: ignore[arg-type]
    unit_of("int f(void) {" + "{" * 20_000)
    unit_of("struct s {" * 3_000)
    unit_of("int " + "*" * 20_000 + "p;").globals["p"]
    unit_of("int a" + "[2]" * 3_000 + ";").globals["a"]
    many = unit_of("".join(f"int v{i} = {i}; /* c */\n" for i in range(30_000)))
    assert constant(many.globals["v777"].init, many.scope) == 777  # type: ignore[arg-type]
    assert time.process_time() - start < 15
