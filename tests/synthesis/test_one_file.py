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
