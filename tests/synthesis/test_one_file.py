"""Many files become one: small projects, and what their program's text must hold."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from maestro_lsp.check import Report, check
from maestro_lsp.synthesis.parallel import Refused, parallelize
from maestro_lsp.verify import verify
from maestro_lsp.workspace import find_nfs

from .targets import complaints

MAIN = """
    #include <stdbool.h>
    #include <stdint.h>
    #include "libvig/verified/map.h"
    #include "libvig/verified/double-chain.h"
    #include "libvig/verified/vigor-time.h"
    {top}
    void nf_config_init(int argc, char **argv) {{
      (void)argc;
      (void)argv;
      {config}
    }}
    bool nf_init(void) {{
      {init}
      return true;
    }}
    int nf_process(uint16_t device, uint8_t *buffer, uint16_t packet_length, vigor_time_t now) {{
      (void)buffer;
      (void)packet_length;
      (void)now;
      {process}
      return 1 - device;
    }}
"""


def project(folder: Path, **files: str) -> Report:
    """An NF of files given as `main`, or `name_c`, `name_h` for others."""
    for name, text in files.items():
        (folder / re.sub("_([ch])$", r".\1", name)).write_text(textwrap.dedent(text))
    (nf,) = find_nfs(folder)
    return check(nf)


def main(top: str = "", config: str = "", init: str = "", process: str = "") -> str:
    return MAIN.format(top=top, config=config, init=init, process=process)


def own_text(r: Report, strategy: str = "sequential") -> str:
    """The NF part of a program."""
    text = parallelize(r, strategy).text
    start = text.index("its own text, of the files named")
    return text[start : text.index("#pragma GCC diagnostic pop", start)]


def test_only_what_is_reached_is_kept(tmp_path: Path) -> None:
    r = project(
        tmp_path,
        main_c=main(
            top="#define USED 7\n#define UNUSED 8\nstatic int used(void) { return USED; }\nint unused(void) { return 1; }",
            process="if (used() == 3) return device;",
        ),
    )
    text = own_text(r)
    assert "used(void) { return USED; }" in text and "#define USED 7" in text
    assert "unused" not in text and "UNUSED" not in text


def test_functions_behind_pointers_are_kept(tmp_path: Path) -> None:
    top = "static int a(void) { return 1; }\nstatic int (*table[])(void) = {a};"
    text = own_text(project(tmp_path, main_c=main(top=top, process="if (table[0]() == 3) return device;")))
    assert "int a(void)" in text


def test_statics_of_two_files_get_names_of_their_own(tmp_path: Path) -> None:
    r = project(
        tmp_path,
        main_c=main(
            top='#include "other.h"\nstatic int limit(void) { return 4; }',
            process="if (limit() < other()) return device;",
        ),
        other_h="int other(void);\n",
        other_c='#include "other.h"\nstatic int limit(void) { return 5; }\nint other(void) { return limit(); }\n',
    )
    text = own_text(r)
    names = set(re.findall(r"\b(limit\w*)\(void\)", text))
    assert len(names) == 2 and "limit" in names
    (new,) = names - {"limit"}
    assert text.count(new) == 2


def test_a_type_that_two_files_define_differently_is_refused(tmp_path: Path) -> None:
    r = project(
        tmp_path,
        main_c=main(
            top='#include "other.h"\nstruct pair { int a; };\nstatic struct pair p;',
            process="if (p.a < other()) return device;",
        ),
        other_h="int other(void);\n",
        other_c='#include "other.h"\nstruct pair { long a; };\nstatic struct pair p;\nint other(void) { return (int)p.a; }\n',
    )
    with pytest.raises(Refused, match="pair differently"):
        parallelize(r, "sequential")


def test_a_type_that_two_files_define_alike_is_kept_once(tmp_path: Path) -> None:
    pair = "struct pair { int a; };"
    r = project(
        tmp_path,
        main_c=main(
            top=f'#include "other.h"\n{pair}\nstatic struct pair p;', process="if (p.a < other()) return device;"
        ),
        other_h="int other(void);\n",
        other_c=f'#include "other.h"\n{pair}\nint other(void) {{ struct pair q = {{3}}; return q.a; }}\n',
    )
    assert own_text(r).count("struct pair {") == 1


def test_branches_that_are_not_compiled_go(tmp_path: Path) -> None:
    process = "\n#ifdef KLEE_VERIFICATION\n  return 9;\n#else\n  if (now == 3) return device; // lucky\n#endif\n"
    text = own_text(project(tmp_path, main_c=main(process=process)))
    assert "return 9" not in text and "KLEE" not in text and "#e" not in text
    assert "if (now == 3) return device; // lucky" in text


def test_macros_of_one_name_keep_their_own_meaning(tmp_path: Path) -> None:
    r = project(
        tmp_path,
        main_c=main(top='#include "other.h"\n#define N 4', process="if (N < other()) return device;"),
        other_h="int other(void);\n",
        other_c='#include "other.h"\n#define N 5\nint other(void) { return N; }\n',
    )
    text = own_text(r)
    assert text.index("#define N 5") < text.index("#undef N") < text.index("#define N 4")


def test_comments_stay_and_annotations_go(tmp_path: Path) -> None:
    top = (
        "// Why it is one.\nstatic int one(void)\n//@ requires true;\n//@ ensures result == 1;\n{ return 1; /* one */ }"
    )
    text = own_text(project(tmp_path, main_c=main(top=top, process="if (one() == 2) return device;")))
    assert "// Why it is one.\nstatic int one(void)\n{ return 1; /* one */ }" in text


def test_each_core_has_its_own_of_what_start_up_or_packets_change(tmp_path: Path) -> None:
    top = (
        "static struct DoubleChain *chain;\nint limit;\nstatic const int fixed = 3;\nstatic int table[4] = {1, 2, 3, 4};\n"
        "static int next(void) { static int scratch; scratch = 2; return scratch; }"
    )
    r = project(
        tmp_path,
        main_c=main(
            top=top,
            config="limit = 4;",
            init="if (!dchain_allocate(64, &chain)) return false;",
            process="if (limit + fixed + table[device & 3] == next() && dchain_is_index_allocated(chain, 0)) return device;",
        ),
    )
    text = own_text(r, "shared-nothing")
    assert "static MAESTRO_PER_CORE struct DoubleChain *chain;" in text
    assert "static MAESTRO_PER_CORE int scratch;" in text
    assert re.search(r"^int limit;", text, re.M)
    assert "static const int fixed" in text and "static int table[4]" in text


def test_an_nf_that_is_not_understood_is_refused(tmp_path: Path) -> None:
    r = project(tmp_path, main_c=main(top="int missing(void);", process="if (missing() == 3) return device;"))
    with pytest.raises(Refused, match="not known well enough"):
        parallelize(r, "shared-nothing")
    assert "missing()" in own_text(r)


def test_variables_of_one_name_in_two_files_stay_apart(tmp_path: Path) -> None:
    """The later file's is renamed; which of the two comes later is the program's choice."""
    (tmp_path / "one.c").write_text("""
#include <stdbool.h>
#include <stdint.h>
struct nf_config { int unused; };
struct nf_config config;
int look(uint8_t by);
static uint32_t seen = 3;
bool nf_init(void) { return true; }
void nf_config_init(int argc, char **argv) { (void)argc; (void)argv; }
int nf_process(uint16_t device, uint8_t *buffer, uint16_t length, int64_t now) {
  (void)now; (void)buffer;
  return ++seen + look((uint8_t)length) > 9 ? 1 - device : device;
}
""")
    (tmp_path / "two.c").write_text("""
#include <stdint.h>
int look(uint8_t by);
static uint32_t seen = 5;
int look(uint8_t by) { return (seen += by) > 1000; }
""")
    (nf,) = find_nfs(tmp_path)
    for strategy in ("sequential", "locks"):
        r = check(nf)
        made = parallelize(r, strategy)
        verified = verify(r, f"{tmp_path}/{made.file_name}", made.text, packets=0)
        assert verified.verified, [c.detail for c in verified.checks]


def equal(r: Report, strategy: str) -> bool:
    """Whether the program is proved to be the NF."""
    made = parallelize(r, strategy)
    verified = verify(check(r.nf), f"{r.nf.root}/{made.file_name}", made.text, packets=0)
    return [c.detail for c in verified.checks if c.status == "failed"] == []


def test_tables_of_names_are_alike_where_their_texts_are(tmp_path: Path) -> None:
    top = (
        'static struct { const char *name; int port; } known[] = {{"http", 80}, {"dns", 53}};\nstatic const char *why;'
    )
    process = 'why = known[device & 1].port == 53 ? "a name" : known[0].name; if (why[0] == 104) return device;'
    r = project(tmp_path, main_c=main(top=top, process=process))
    assert equal(r, "locks")
    made = parallelize(r, "locks")
    for old, new in (('"http"', '"ftp!"'), ('"a name"', '"a nome"')):
        assert made.text.count(old) == 1
        v = verify(check(r.nf), str(tmp_path / "x.c"), made.text.replace(old, new), packets=0)
        assert not v.verified, new


def test_packing_by_pragma_stays(tmp_path: Path) -> None:
    top = (
        "struct loose { char a; int b; };\n#pragma pack(push, 1)\nstruct tight { char a; int b; };\n#pragma pack(pop)\n"
        "struct last { char a; int b; };"
    )
    process = "if (sizeof(struct loose) + sizeof(struct tight) + sizeof(struct last) == 21) return device;"
    r = project(tmp_path, main_c=main(top=top, process=process))
    assert {p.outcome for p in r.paths} == {"drop"}
    assert "#pragma pack(push, 1)\nstruct tight { char a; int b; };\n#pragma pack(pop)\n" in own_text(r)
    assert equal(r, "sequential")


def test_what_one_macro_defines_stands_once(tmp_path: Path) -> None:
    top = (
        "#define COUNTER(name) static int name##_count; static int name(void) { return ++name##_count; }\nCOUNTER(hits)"
    )
    r = project(tmp_path, main_c=main(top=top, process="if (hits() > 3) return device;"))
    assert own_text(r).count("COUNTER(hits)") == 1
    assert equal(r, "sequential")
    with pytest.raises(Refused, match=r"a macro makes the function at main\.c:\d+"):
        parallelize(r, "locks")


X_MACRO = "#define COLOURS X(RED) X(GREEN)\nenum colour {\n#define X(c) c,\n  COLOURS\n#undef X\n  COUNT\n};"
TWICE = "#define LIMIT 3\nstatic int one(void) { return LIMIT; }\n#undef LIMIT\n#define LIMIT 5\n"


def test_a_macro_that_changes_its_meaning_is_refused(tmp_path: Path) -> None:
    r = project(tmp_path, main_c=main(top=TWICE, process="if (one() < LIMIT) return device;"))
    with pytest.raises(Refused, match=r"LIMIT, which main\.c"):
        parallelize(r, "sequential")
    (tmp_path / "x").mkdir()
    assert equal(
        project(tmp_path / "x", main_c=main(top=X_MACRO, process="if (COUNT > 1) return device;")), "sequential"
    )


@pytest.mark.parametrize("top", ["static int maestro_share(int n) { return n; }", "#define maestro_share(n) (n)"])
def test_names_of_the_runtime_are_refused(top: str, tmp_path: Path) -> None:
    r = project(tmp_path, main_c=main(top=top, process="if (maestro_share(device) == 3) return device;"))
    with pytest.raises(Refused, match="has the prefix"):
        parallelize(r, "sequential")


def test_an_nf_may_have_functions_with_names_of_a_library_that_it_does_not_use(tmp_path: Path) -> None:
    top = "static int lpm_lookup_elem(int prefix) { return prefix & 1; }"
    assert equal(
        project(tmp_path, main_c=main(top=top, process="if (lpm_lookup_elem(device)) return device;")), "locks"
    )


CHAIN = "static struct DoubleChain *chain;\n"
MAKE = "if (!dchain_allocate(64, &chain)) return false;"


@pytest.mark.parametrize("strategy", ["shared-nothing", "locks"])
def test_an_address_of_what_each_core_has_for_itself_is_no_initialiser(strategy: str, tmp_path: Path) -> None:
    top = (
        CHAIN
        + "static int scratch[4];\nstatic int *const last = &scratch[1];\nstatic const int size = sizeof(scratch);"
    )
    process = "*last = size; if (*last == 3 && dchain_is_index_allocated(chain, 0)) return device;"
    r = project(tmp_path, main_c=main(top=top, init=MAKE, process=process))
    with pytest.raises(Refused, match=r"main\.c:\d+ last begins as an address of scratch"):
        parallelize(r, strategy)


def test_without_tables_there_is_nothing_to_balance(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="nothing in tables"):
        parallelize(project(tmp_path, main_c=main()), "shared-nothing", "balanced")


FLOWS = """
static struct Map *flows;
static struct Vector *keys;
static bool same(void *a, void *b) { return *(uint16_t *)a == *(uint16_t *)b; }
static unsigned hash(void *a) { return *(uint16_t *)a; }
static void zero(void *a) { *(uint16_t *)a = 0; }
#define ENTRIES 1000
#define KEYS sizeof(uint16_t), ENTRIES, zero
"""
LEARN = """
  if (((uint16_t *)buffer)[6] != 8) return device; // IPv4
  int index;
  uint16_t key = ((uint16_t *)buffer)[13], *cell;
  expire_items_single_map(chain, keys, flows, now - 1000);
  if (map_get(flows, &key, &index)) dchain_rejuvenate_index(chain, index, now);
  else if (dchain_allocate_new_index(chain, &index, now)) {
    vector_borrow(keys, index, (void **)&cell);
    *cell = key;
    map_put(flows, cell, index);
    vector_return(keys, index, cell);
  }
"""


def test_a_share_of_a_capacity_needs_its_place(tmp_path: Path) -> None:
    top = '#include "libvig/verified/expirator.h"\n#include "libvig/verified/vector.h"\n' + CHAIN + FLOWS
    init = "if (!map_allocate(same, hash, ENTRIES, &flows) || !dchain_allocate(ENTRIES, &chain)) return false;\n"
    for name, vector in (("one", "sizeof(uint16_t), ENTRIES, zero"), ("two", "KEYS")):
        (tmp_path / name).mkdir()
        init_all = init + f"if (!vector_allocate({vector}, &keys)) return false;"
        r = project(tmp_path / name, main_c=main(top=top, init=init_all, process=LEARN))
        if name == "one":
            assert "maestro_share_pow2(ENTRIES), &flows" in own_text(r, "shared-nothing")
        else:
            with pytest.raises(Refused, match="the capacity of keys together with other things"):
                parallelize(r, "shared-nothing")


STYLE = """
// a comment that goes on \\
   on the next line
struct three { int a, b, c; };
static struct three only = {1};
"""
STYLED = """
  int unused, set_only = 3; set_only = 4;
  int r = 0, i = 0; unsigned char *u = (unsigned char *)"x"; char *s = u;
  if (device) ;
  switch (packet_length) { case 64: r = 1; case 65: r++; break; default: r = 2; }
  if (r) if (i) r = 1; else r = 2;
  for (unsigned n = 0; n < r; n++) i++; i++;
  if (r == 3 || r == 5 && i + only.a + s[0] > 3) return device;
"""


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_an_unusual_style_gives_no_warning(compiler: str, tmp_path: Path) -> None:
    made = parallelize(project(tmp_path, main_c=main(top=STYLE, process=STYLED)), "shared-nothing")
    assert complaints(compiler, tmp_path, made, tmp_path / made.file_name) == ""


HEADERS = {
    "static uint32_t ticks;\nstatic inline uint32_t tick(void) { return ++ticks; }": "ticks .* variable for each file",
    "static inline uint32_t tick(void) { static uint32_t own; return ++own; }": "own .* variable for each file",
    "static inline uint32_t tick(void) { return SIZE; }": "tick .* means different things in main.c and other.c",
    "#ifdef WIDE\ntypedef uint64_t word;\n#else\ntypedef uint32_t word;\n#endif\nstatic inline uint32_t tick(void) { return sizeof(word); }": "word",
    "static const uint32_t table[2] = {1, 2};\nstatic inline uint32_t tick(void) { return table[1]; }": "",
}  # fmt: skip


@pytest.mark.parametrize(("header", "why"), HEADERS.items())
def test_what_files_have_of_their_own_from_one_header_does_not_become_one(
    header: str, why: str, tmp_path: Path
) -> None:
    r = project(
        tmp_path,
        main_c=main(
            top='#define SIZE 3\n#define WIDE 1\n#include "tick.h"\nuint32_t other(void);',
            process="if (tick() + 2 * other() > 12) return device;",
        ),
        tick_h="#pragma once\n#include <stdint.h>\n" + header + "\n",
        other_c='#define SIZE 5\n#include "tick.h"\nuint32_t other(void);\nuint32_t other(void) { return tick(); }\n',
    )
    if why:
        with pytest.raises(Refused, match=why):
            parallelize(r, "sequential")
    else:
        assert equal(r, "sequential")


RING = """
[[structure]]
name = "ring_make"
params = ["size", "out"]
op = "allocate"
kind = "ring"
capacity = "size"
out = "out"
result = "bool"

[[structure]]
name = "ring_add"
params = ["ring", "by"]
op = "update"
object = "ring"
result = "int"
"""


def test_a_structure_that_is_described_may_lie_beside_the_nf(tmp_path: Path) -> None:
    (tmp_path / "maestro.toml").write_text(RING)
    r = project(
        tmp_path,
        main_c=main(
            top='#include "ring.h"\nstatic struct Ring *ring;',
            init="if (!ring_make(8, &ring)) return false;",
            process="if (ring_add(ring, device) > 3) return device;",
        ),
        ring_h="#pragma once\n#include <stdbool.h>\nstruct Ring;\nbool ring_make(int size, struct Ring **out);\nint ring_add(struct Ring *ring, int by);\n",
        ring_c="""
            #include "ring.h"
            #include <stdlib.h>
            struct Ring { int sum; };
            bool ring_make(int size, struct Ring **out) { *out = calloc(size, sizeof(struct Ring)); return *out != NULL; }
            int ring_add(struct Ring *ring, int by) { return ring->sum += by; }
        """,
    )
    assert r.analysis.verdict == "locks"
    text = own_text(r, "locks")
    assert "struct Ring { int sum; };" in text and "(maestro_write(), ring_add(ring, device))" in text
    assert equal(r, "locks")
    made = parallelize(r, "locks")
    assert complaints("gcc", tmp_path, made, tmp_path / made.file_name) == ""
