"""Finding NFs in folders, files and trees, and loading their programs."""

from __future__ import annotations

import gc
import json
import os
import time
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from maestro_lsp.settings import Settings
from maestro_lsp.workspace import NfSources, find_nfs, load, reader
from tests.vigor import VIGOR, needs_vigor

MAIN = '#include "nf.h"\n#include "state.h"\nint nf_process(uint16_t device, uint8_t *p, uint16_t n, vigor_time_t now) {\n  return decide(device);\n}\n'
NF_H = '#include <stdint.h>\n#include "libvig/verified/vigor-time.h"\nint nf_process(uint16_t device, uint8_t *p, uint16_t n, vigor_time_t now);\n'
UTIL_H = "int util(int x);\nextern int counter;\n"
UTIL_C = '#include "nf-util.h"\nint counter = 3;\nint util(int x) { return x + counter; }\n'
STATE_H = '#include "nf-util.h"\nint decide(int device);\n'
STATE_C = '#include "state.h"\nint decide(int device) { return util(device); }\n'
MAKEFILE = "NF_FILES := main.c config.c\nNF_AUTOGEN_SRCS := flow.h\nNF_ARGS := --wan 1 --expire $(or $(E),10)\nNF_DEVICES := 3\ninclude ../common.mk\n"

Tree = Callable[[Mapping[str, str | bytes]], Path]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Writes files below a folder of its own, which is a repository's root."""

    def write(files: Mapping[str, str | bytes]) -> Path:
        root = tmp_path / "tree"
        (root / ".git").mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return root

    return write


def project(**extra: str) -> dict[str, str]:
    return {
        "nf.h": NF_H, "nf-util.h": UTIL_H, "nf-util.c": UTIL_C,
        "nf.c": '#include "nf.h"\nint main(void) { return nf_process(0, 0, 0, 0); }\n',
        "common.mk": "CFLAGS += -I .. -DCAPACITY_POW2 -DN=4\nNF_ARGS := --dpdk -- $(NF_ARGS)\n",
        "fw/main.c": MAIN, "fw/state.h": STATE_H, "fw/state.c": STATE_C, "fw/config.c": "int c;\n",
        "fw/flow.h.gen.c": "int flow_eq(void) { return 1; }\n", "fw/loop.c": "int looped(void) { return 1; }\n",
        "fw/Makefile": MAKEFILE, **extra,
    }  # fmt: skip


def short(nf: NfSources) -> list[str]:
    return [Path(path).name for path in nf.files]


def only(found: list[NfSources]) -> NfSources:
    (nf,) = found
    return nf


def test_a_makefile_names_the_sources_and_the_rest_are_helpers(tree: Tree) -> None:
    root = tree(project())
    nf = only(find_nfs(root / "fw"))
    assert (nf.name, Path(nf.root), Path(nf.entry_file)) == ("fw", root / "fw", root / "fw/main.c")
    assert short(nf) == ["main.c", "config.c", "flow.h.gen.c", "state.c"]
    assert [Path(path).name for path in nf.helpers] == ["loop.c"]
    assert (nf.nf_args, nf.devices) == (("--wan", "1", "--expire", "10"), 3)
    assert nf.defines == {"CAPACITY_POW2": "1", "N": "4"}
    assert nf.problems == ()


@pytest.mark.parametrize(
    ("sources", "counts"), [("$(wildcard src/*.c)", True), ("./src/main.c", True), ("other/src/x.c", False)]
)
def test_a_makefile_above_counts_if_it_names_the_folder(tree: Tree, sources: str, counts: bool) -> None:
    root = tree(
        {
            "limiter/Makefile": f"SRCS := {sources}\nCFLAGS += -Iinclude -DLIMIT=3\nNF_ARGS := --wan 1\n",
            "limiter/include/types.h": "typedef long nanoseconds;\n",
            "limiter/src/main.c": '#include "types.h"\nint nf_process(int device, char *p, int n, nanoseconds t) { return 0; }\n',
        }
    )
    nf = only(find_nfs(root / "limiter"))
    assert nf.name == "limiter"
    assert ((root / "limiter/include").as_posix() in nf.search) == counts
    assert (nf.nf_args, nf.defines) == ((("--wan", "1"), {"LIMIT": "3"}) if counts else (None, {}))


def test_without_a_makefile_all_sources_of_the_folder_belong(tree: Tree) -> None:
    files = project()
    del files["fw/Makefile"]
    nf = only(find_nfs(tree(files) / "fw"))
    assert short(nf) == ["main.c", "config.c", "flow.h.gen.c", "loop.c", "state.c"]
    assert (nf.nf_args, nf.devices, nf.helpers) == (None, None, ())


def test_helpers_beside_headers_are_loaded_when_they_are_missed(tree: Tree) -> None:
    nf = only(find_nfs(tree(project()) / "fw"))
    program = load(nf)
    assert program.problems == ()
    assert [Path(unit.path).name for unit in program.units] == short(nf)
    entry = program.function("nf_process")
    assert entry is not None and program.function("decide", entry.unit) is not None
    util = program.function("util", entry.unit)
    assert util is not None and Path(util.unit.path).name == "nf-util.c"
    counter = program.global_("counter", entry.unit)
    assert counter is not None and counter.unit is util.unit
    assert program.function("looped") is not None
    assert program.function("nowhere") is None


def test_a_file_stands_for_its_nf(tree: Tree) -> None:
    root = tree(project())
    for name in ("fw/main.c", "fw/state.h", "fw/config.c", "fw/loop.c"):
        assert only(find_nfs(root / name)).name == "fw"
    assert find_nfs(root / "nf.h") == []
    assert find_nfs(root / "no-such-file.c") == []
    assert find_nfs(root / "no-such-folder") == []


def test_a_tree_gives_all_its_nfs_in_order(tree: Tree) -> None:
    files = project()
    files.update({f"{name}/x.c": MAIN for name in ("b", "a/deep", "build", ".hidden", "node_modules", "a")})
    files["c/only_declares.c"] = (
        "int nf_process(int);\nint f(void) { return nf_process(1); }\n// int nf_process(void) {\n"
    )
    files["d/macro.c"] = "#define X int nf_process(void) {\n"
    assert [nf.name for nf in find_nfs(tree(files))] == ["a", "deep", "b", "fw"]


def test_cyclic_links_end_and_unreadable_files_are_left_out(tree: Tree) -> None:
    root = tree(project())
    (root / "fw" / "self").symlink_to(root, target_is_directory=True)
    (root / "loop.c").symlink_to(root / "loop.c")
    (root / "gone.c").symlink_to(root / "nowhere.c")
    os.mkfifo(root / "fw" / "pipe.c")
    (root / "fw" / "folder.c").mkdir()
    found = find_nfs(root)
    assert [nf.name for nf in found] == ["fw"]
    assert load(found[0]).function("nf_process") is not None


def test_two_entries_in_a_folder_are_two_nfs(tree: Tree) -> None:
    root = tree({"nf/one.c": MAIN, "nf/two.c": MAIN, "nf/state.c": STATE_C, "nf/state.h": STATE_H})
    one, two = find_nfs(root / "nf")
    assert (one.name, short(one)) == ("nf-one", ["one.c", "state.c"])
    assert (two.name, short(two)) == ("nf-two", ["two.c", "state.c"])
    assert [nf.name for nf in find_nfs(root / "nf/two.c")] == ["nf-two"]


def test_an_old_copy_that_the_makefile_does_not_name_is_no_nf(tree: Tree) -> None:
    nf = only(find_nfs(tree(project(**{"fw/main_old.c": MAIN})) / "fw"))
    assert short(nf)[0] == "main.c" and "main_old.c" not in str(nf.helpers)


def test_an_entry_in_a_header_belongs_to_the_source_that_includes_it(tree: Tree) -> None:
    nf = only(find_nfs(tree({"nf/core.h": MAIN, "nf/main.c": '#include "core.h"\n', "nf/other.c": "int x;\n"}) / "nf"))
    assert short(nf) == ["main.c", "other.c"]
    assert load(nf).function("nf_process") is not None


def test_generated_programs_are_no_nfs(tree: Tree) -> None:
    generated = "// Generated by maestro-lsp 0.1.0 from fw. Do not edit.\n" + MAIN
    files = project(**{"fw/fw_locks.c": generated})
    del files["fw/Makefile"]
    nf = only(find_nfs(tree(files) / "fw"))
    assert "fw_locks.c" not in short(nf) + list(nf.helpers)


def test_flags_that_are_not_followed_are_said(tree: Tree) -> None:
    flags = "-DN=1 -UN -include rte_config.h -include mode.h -funsigned-char"
    commands = [
        {"file": "main.c", "command": "cc -DMODE=1 -DOTHER=1"},
        {"file": "other.c", "command": "cc -DMODE=0 -DOTHER=2"},
    ]
    root = tree({"fw/main.c": MAIN + "int mode = MODE;\n", "fw/other.c": "", "fw/mode.h": "", "fw/Makefile": f"CFLAGS := {flags}\n",
                 "fw/compile_commands.json": json.dumps(commands)})  # fmt: skip
    nf = only(find_nfs(root / "fw"))
    assert "N" not in nf.defines
    said = "\n".join(problem.message for problem in nf.problems)
    assert all(what in said for what in ("mode.h", "-funsigned-char", "MODE")), said
    assert "rte_config.h" not in said and "OTHER" not in said


def test_compile_commands_give_sources_and_flags(tree: Tree) -> None:
    files = project()
    del files["fw/Makefile"]
    root = tree(files)
    (root / "inc").mkdir()
    commands = [
        {"directory": str(root / "fw"), "file": "main.c", "arguments": ["cc", "-I../inc", "-DA=2", "-D", "B", "-c", "main.c"]},
        {"directory": str(root), "file": "fw/state.c", "command": "cc -I /usr/include/dpdk -isystem inc -D'C=x y' -c fw/state.c"},
        {"directory": str(root), "file": "nf.c", "command": "cc -DNOT_OURS nf.c"},
        {"file": 3}, 7,
    ]  # fmt: skip
    (root / "compile_commands.json").write_text(json.dumps(commands))
    nf = only(find_nfs(root / "fw"))
    assert short(nf) == ["main.c", "state.c"]
    assert nf.defines == {"A": "2", "B": "1", "C": "x y"}
    assert [str(Path(path).relative_to(root)) for path in nf.search] == ["inc", "fw", "."]
    (root / "compile_commands.json").write_text("{ not json")
    assert any("compile_commands.json" in problem.span.file for problem in only(find_nfs(root / "fw")).problems)


def test_settings_are_layered(tree: Tree) -> None:
    root = tree(
        project(
            **{
                "maestro.toml": '[maestro]\nnic = "e810"\ndevices = 5\nseed = 7\n[config]\nwan_device = 1\nname = "x"\n[[structure]]\nname = "Trie"\n'
                '[nf.fw]\nequal = "hash"\ndevices = 6\n[nf.fw.config]\nwan_device = 2\n[nf.other]\nnic = "null"\n',
                "fw/maestro.toml": '[maestro]\nassume = ["fragments"]\nargs = "--wan 0"\nstrict = true\n',
            }
        )
    )
    nf = only(find_nfs(root / "fw", Settings(nic="generic")))
    assert (nf.settings.nic, nf.settings.equal, nf.settings.seed, nf.settings.strict) == ("generic", "hash", 7, True)
    assert (nf.devices, nf.nf_args, nf.settings.assume) == (6, ("--wan", "0"), ("fragments",))
    assert nf.settings.config == {"wan_device": 2, "name": "x"}
    assert nf.settings.structures == ({"name": "Trie"},)
    assert nf.problems == ()


def test_settings_name_files_include_folders_and_defines(tree: Tree) -> None:
    toml = '[maestro]\nfiles = ["state.c"]\ninclude = ["../inc"]\ndefines = { A = 1, "F(x)" = "x" }\n'
    root = tree(project(**{"fw/maestro.toml": toml, "inc/extra.h": "int extra;\n"}))
    nf = only(find_nfs(root / "fw"))
    assert short(nf) == ["main.c", "state.c"]
    assert nf.search[0] == (root / "inc").as_posix()
    assert nf.defines["A"] == "1" and nf.defines["F(x)"] == "x"


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("[maestro\n", "not read"),
        ("[maestro]\nnick = 'x710'\n", "unknown setting 'nick'"),
        ("[maestro]\ndevices = 'two'\n", "'devices' must be of type int"),
        ("[maestro]\ndevices = true\n", "'devices' must be of type int"),
        ("[maestro]\nseed = false\n", "'seed' must be of type int"),
        *(
            ("maestro = 3\nconfig = 4\nstructure = 5\nnf = 6\n", message)
            for message in ("[maestro] must be", "[config] must be", "[[structure]] must be", "[nf.fw] must be")
        ),
        ("[nf]\nfw = 1\n", "[nf.fw] must be a table"),
        ("[masetro]\nnic = 'x710'\n", "unknown table [masetro]"),
    ],
)
def test_wrong_settings_are_problems_with_a_place(tree: Tree, toml: str, message: str) -> None:
    nf = only(find_nfs(tree(project(**{"fw/maestro.toml": toml})) / "fw"))
    assert any(message in problem.message and problem.span.file.endswith("fw/maestro.toml") for problem in nf.problems)
    assert load(nf).function("nf_process") is not None


@pytest.mark.parametrize("name", ["maestro.toml", "Makefile"])
def test_what_a_file_says_that_cannot_be_read_is_not_ignored_in_silence(tree: Tree, name: str) -> None:
    root = tree(project(**{f"fw/{name}": ""}))
    path, read = (root / "fw" / name).as_posix(), reader()
    nf = only(find_nfs(root / "fw", None, lambda asked: None if asked == path else read(asked)))
    assert [(p.span.file, "cannot be read" in p.message) for p in nf.problems] == [(path, True)]


def test_unsaved_buffers_win_over_files(tree: Tree) -> None:
    root = tree(project())
    path = (root / "fw/main.c").as_posix()
    read = reader({path: MAIN.replace("decide(device)", "fresh(device)")})
    nf = only(find_nfs(root / "fw", None, read))
    entry = load(nf, read).function("nf_process")
    assert entry is not None and "fresh" in entry.unit.node_text(entry.body)
    assert find_nfs(root / "fw", None, reader({path: "int x;\n"})) == []


def test_a_second_load_reuses_what_did_not_change(tree: Tree) -> None:
    root = tree(project())
    nf = only(find_nfs(root / "fw"))
    first = load(nf)
    again = load(nf, None, first)
    assert all(a is b for a, b in zip(first.units, again.units, strict=True))
    edited = reader({(root / "fw/state.h").as_posix(): STATE_H + "int more;\n"})
    changed = load(nf, edited, first)
    same = [a is b for a, b in zip(first.units, changed.units, strict=True)]
    assert dict(zip(short(nf), same, strict=True)) == {
        "main.c": False, "config.c": True, "flow.h.gen.c": True, "state.c": False,
    }  # fmt: skip
    moved = reader({(root / "fw/config.c").as_posix(): "/* longer */ int c;\n"})
    assert load(nf, moved, first).units[1] is not first.units[1]  # same text, other places


def test_bytes_that_are_no_text_do_no_harm(tree: Tree) -> None:
    garbage = bytes(range(256)) * 40
    root = tree({"nf/main.c": MAIN, "nf/nf.h": NF_H, "nf/bin.c": garbage, "nf/latin.c": b"// caf\xe9\nint x;\n", "nf/Makefile": garbage,
                 "nf/maestro.toml": garbage, "compile_commands.json": garbage})  # fmt: skip
    nf = only(find_nfs(root / "nf"))
    program = load(nf)
    assert program.function("nf_process") is not None
    latin = next(unit for unit in program.units if unit.path.endswith("latin.c"))
    assert "x" in latin.globals


def test_a_file_of_a_hundred_thousand_lines_is_read(tree: Tree) -> None:
    start = time.perf_counter()
    lines = "".join(f"#define M{i} {i}\nint f{i}(int x) {{ return x + M{i}; }}\n" for i in range(50_000))
    program = load(only(find_nfs(tree({"nf/main.c": MAIN, "nf/big.c": lines}) / "nf")))
    assert program.function("f49999") is not None
    assert time.perf_counter() - start < 20


def test_symbolic_links_to_sources_are_followed(tree: Tree) -> None:
    root = tree(project())
    (root / "linked").symlink_to(root / "fw", target_is_directory=True)
    assert only(find_nfs(root / "linked")).name == "linked"


@needs_vigor
def test_vigors_nfs_are_found_and_parse_without_a_problem() -> None:
    found = find_nfs(VIGOR)
    assert [nf.name for nf in found] == ["template", "vigbridge", "vigfw", "viglb", "vignat", "vignop", "vigpol"]
    for nf in found:
        program = load(nf)
        for name in ("nf_process", "nf_init", "nf_has_tcpudp_header"):
            assert program.function(name, program.units[0]) is not None, (nf.name, name)
        assert program.problems == (), nf.name
        missing = {i.name for unit in program.units for i in unit.pre.includes if i.path is None}
        # The template is incomplete on purpose: its generated files are not there.
        assert missing == ({"state.h", "flow.h.gen.h"} if nf.name == "template" else set()), nf.name
        assert nf.defines == {"CAPACITY_POW2": "1"}
        assert nf.devices == (3 if nf.name == "viglb" else 2)
        for unit in program.units:
            for table in (unit.functions, unit.globals, unit.declared):
                for name in table:
                    assert "Unknown" not in repr(table[name]), (nf.name, unit.path, name)


def test_a_program_that_is_loaded_again_keeps_nothing_of_its_earlier_versions(tmp_path: Path) -> None:
    (tmp_path / "nf.c").write_text("int helper(void);\nint nf_process(int a) {\n  return helper();\n}\n")
    (tmp_path / "other.h").write_text("int helper(void);\n")
    (nf,) = find_nfs(tmp_path)
    program, seen = None, []
    for n in range(4):
        read = reader({nf.entry_file: f"// {n}\n" + (tmp_path / "nf.c").read_text()})
        program = load(nf, read, program)
        seen.append(weakref.ref(program.units[0]))
    gc.collect()
    assert [ref() is not None for ref in seen[:2]] == [False, False]


def test_a_unit_is_not_even_preprocessed_again_unless_something_it_was_made_from_changed(tmp_path: Path) -> None:
    (tmp_path / "nf.c").write_text('#include "a.h"\nint nf_process(int a) {\n  return VALUE;\n}\n')
    (tmp_path / "rest.c").write_text("int rest;\n")
    (tmp_path / "a.h").write_text("#define VALUE 1\n")
    (nf,) = find_nfs(tmp_path)
    first = load(nf)
    again = load(nf, None, first)
    assert [a is b for a, b in zip(first.units, again.units, strict=True)] == [True, True]
    (tmp_path / "a.h").write_text("#define VALUE 2\n")
    changed = load(nf, None, again)
    assert [a is b for a, b in zip(again.units, changed.units, strict=True)] == [False, True]
    assert "return  2 ;" in changed.units[0].text
