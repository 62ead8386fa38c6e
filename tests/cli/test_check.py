"""`maestro-lsp check`: output, exit status, errors, settings."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from maestro_lsp import docs
from maestro_lsp.cli import main
from maestro_lsp.sharding.findings import RULES

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "fixtures"


@pytest.fixture(autouse=True)
def in_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of some fixtures that a test may change."""
    for path in FIXTURES.glob("nf*.[ch]"):
        shutil.copy(path, tmp_path)
    shutil.copy(FIXTURES / "Makefile", tmp_path)
    for name in ("portstats", "first-100", "vlan-counter"):
        shutil.copytree(FIXTURES / name, tmp_path / name)
    return tmp_path


def run(*args: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """The program as a process of its own."""
    command = [sys.executable, "-m", "maestro_lsp", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, check=False)


def check(capsys: pytest.CaptureFixture[str], *args: object) -> tuple[int, str, str]:
    status = main(["check", *map(str, args)])
    return status, *capsys.readouterr()


def as_json(capsys: pytest.CaptureFixture[str], *args: object) -> Any:
    return json.loads(check(capsys, *args, "--format", "json")[1])


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


# --- exit status and errors ---


def test_the_exit_status_says_whether_every_nf_is_shared_nothing(capsys):
    assert check(capsys, FIXTURES / "nop")[0] == 0
    assert check(capsys, FIXTURES / "portstats")[0] == 0
    assert check(capsys, FIXTURES / "first-100")[0] == 1
    assert check(capsys, FIXTURES / "portstats", FIXTURES / "first-100")[0] == 1


def test_an_incomplete_analysis_is_unknown_and_status_1(capsys, project):
    edit(project / "portstats/stats_main.c", "return seen >", "mystery(state); return seen >")
    status, out, _ = check(capsys, project / "portstats")
    assert status == 1
    assert out.startswith("portstats: unknown")
    assert "mystery is called" in out and "[missing-function]" in out


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["does-not-exist"], "does-not-exist does not exist"),
        (["-q"], "the following arguments are required: PATH"),
        (["docs"], "no NF in docs"),
        (["fixtures/nop", "--nic", "abc"], "abc"),
        (["fixtures/nop", "--devices", "0"], "--devices"),
        (["fixtures/nop", "--devices", "many"], "many"),
        (["fixtures/nop", "--devices", "9999"], "devices is a number from 1 to 64"),
        (["fixtures/nop", "--set", "wan=1"], "config.NAME=VALUE"),
        (["fixtures/nop", "--set", "config.wan=left"], "'left', which is no number"),
        (["fixtures/nop", "--assume", "ipv5"], "no class of packets 'ipv5'"),
        (["fixtures/nop", "--format", "xml"], "xml"),
        (["fixtures/nop\0"], "does not exist"),
    ],
)
def test_bad_usage_is_status_2_and_an_error_that_says_what_is_wrong(args, message, capsys):
    try:
        status = main(["check", *args])
    except SystemExit as e:  # argparse
        status = e.code
    out, err = capsys.readouterr()
    assert status == 2
    assert out == ""
    assert message in err
    assert sum("error:" in line or line.startswith("maestro-lsp: ") for line in err.splitlines()) == 1


def test_a_bad_setting_of_one_nf_names_its_file_and_leaves_the_others(capsys, project):
    (project / "first-100/maestro.toml").write_text("[maestro]\ndevices = 2\nnics = 'x710'\n")
    status, out, err = check(capsys, project, "-q")
    assert status == 2
    assert re.fullmatch(r"maestro-lsp: \S*first-100/maestro.toml:3: unknown setting 'nics'.*\n", err)
    assert "portstats: shared-nothing" in out and "vlan-counter" in out


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nic = 'e1000'", "unknown NIC 'e1000'"),
        ("devices = 65", "devices is a number from 1 to 64, not 65"),
        ("equal = 'queue'", "equal is index or hash"),
        ("assume = ['ipv5']", "assume: there is no class of packets 'ipv5'"),
        ("allow = ['global-sate']", "allow: there is no finding 'global-sate'"),
        ("config.wan = 'left'", "config.wan is set to 'left'"),
    ],
)
def test_a_value_that_cannot_be_is_named_where_it_is_set(line, said, capsys, project):
    toml = f"# ours\n[maestro]\n{line}\n" if not line.startswith("config") else f"\n[config]\n{line[7:]}\n"
    (project / "maestro.toml").write_text(toml)
    status, out, err = check(capsys, project / "portstats")
    assert (status, out) == (2, "")
    assert re.match(rf"maestro-lsp: \S*maestro.toml:3: {re.escape(said)}", err)


def test_a_bad_structure_names_its_file(capsys, project):
    (project / "maestro.toml").write_text("[[structure]]\nname = 'bloom_add'\nop = 'write'\n")
    status, _, err = check(capsys, project / "portstats")
    assert status == 2
    assert re.match(r"maestro-lsp: \S*maestro.toml:1: bloom_add: `op` is one of", err)


def test_an_error_of_the_program_itself_is_a_finding_with_the_traceback_on_request(capsys, monkeypatch):
    def fail(*_: object) -> None:
        raise RuntimeError("as tests do")

    monkeypatch.setattr("maestro_lsp.check.execute", fail)
    status, out, err = check(capsys, FIXTURES / "nop")
    assert status == 1 and err == ""
    assert out.startswith("nop: unknown") and "please report it" in out and "Traceback" not in out
    assert "RuntimeError: as tests do" in check(capsys, FIXTURES / "nop", "-v")[1]


def test_a_process_has_the_same_exit_status():
    done = run("check", "fixtures/first-100", "-q")
    assert (done.returncode, done.stderr) == (1, "")
    assert run("check", "nowhere").returncode == 2
    assert run().returncode == 2


def test_a_reader_that_goes_away_is_no_error():
    command = f"{sys.executable} -m maestro_lsp paths fixtures/lb | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert done.stderr == "" and done.stdout.startswith("path 0")


# --- text ---


def test_text_names_places_with_line_and_caret(capsys):
    _, out, _ = check(capsys, FIXTURES / "first-100")
    lines = out.splitlines()
    at = next(i for i, line in enumerate(lines) if line.endswith("[global-state]"))
    place = re.match(r"fixtures/first-100/first_main.c:(\d+):(\d+): warning: ", lines[at])
    assert place
    source = (FIXTURES / "first-100/first_main.c").read_text().splitlines()[int(place[1]) - 1]
    assert lines[at + 1] == "  " + source
    caret = lines[at + 2][2:]
    assert caret.strip("^ ") == "" and caret.index("^") == int(place[2]) - 1
    assert source[caret.index("^") :].startswith("vector_borrow")


def test_hints_are_shown_on_request_and_nothing_but_verdicts_when_quiet(capsys):
    usual = check(capsys, FIXTURES / "fw")[1]
    assert "[shards-on]" not in usual and "hints not shown (-v)" in usual
    assert "[shards-on]" in check(capsys, FIXTURES / "fw", "-v")[1]
    assert len(check(capsys, FIXTURES / "fw", "-q")[1].splitlines()) == 1


def on_terminal(*args: str, **environment: str) -> str:
    """What the program writes when stdout and stderr are a terminal."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "maestro_lsp", *args],
        stdout=follower, stderr=follower, env={**os.environ, "TERM": "xterm", **environment},
    )  # fmt: skip
    os.close(follower)
    out = b""
    try:
        while block := os.read(leader, 65536):
            out += block
    except OSError:  # all of it was read and the other end is closed
        pass
    process.wait()
    os.close(leader)
    return out.decode()


def test_colour_is_for_terminals_whose_user_wants_it():
    assert "\x1b[33m" in on_terminal("check", "fixtures/first-100")
    assert "\x1b[33m" not in on_terminal("check", "fixtures/first-100", NO_COLOR="1")
    assert "\x1b" not in run("check", "fixtures/first-100").stdout


@pytest.mark.parametrize("name", ["fw", "first-100", "bridge"])
@pytest.mark.parametrize("columns", [80, 120])
def test_lines_fit_a_terminal_and_say_what_a_pipe_gets(name, columns, capsys):
    seen = on_terminal("check", f"fixtures/{name}", COLUMNS=str(columns), NO_COLOR="1")
    printed = seen.rpartition("\x1b[K")[2].replace("\r\n", "\n")  # progress was wiped
    assert all(len(line) <= columns or " " not in line.strip() for line in printed.splitlines())
    whole = check(capsys, f"fixtures/{name}")[1]
    assert any(len(line) > columns for line in whole.splitlines())
    assert printed.split() == whole.split()
    carets = re.findall(r"^ *(.*)\n( *)\^", printed, re.M)
    assert carets == re.findall(r"^ *(.*)\n( *)\^", whole, re.M) and carets


def test_progress_shows_on_a_terminal_and_is_wiped():
    out = on_terminal("check", "fixtures", "-q", NO_COLOR="1")
    assert re.search(r"\r\x1b\[Kanalysing \S+ \(\d+ of \d+\)", out)
    assert "\r\x1b[K" in out.split("analysing")[-1]


# --- settings ---


def test_the_command_line_wins_over_maestro_toml_and_that_over_the_makefile(capsys, project):
    assert as_json(capsys, project / "portstats")["nfs"][0]["devices"] == [0, 1]
    (project / "maestro.toml").write_text("[maestro]\ndevices = 3\nnic = 'generic'\n[nf.portstats]\nseed = 5\n")
    found = as_json(capsys, project / "portstats")["nfs"][0]
    assert found["devices"] == [0, 1, 2] and found["rss"]["nic"] == "generic"
    found = as_json(capsys, project / "portstats", "--devices", 4, "--nic", "e810")["nfs"][0]
    assert found["devices"] == [0, 1, 2, 3] and found["rss"]["nic"] == "e810"
    # vlan-counter's Makefile names none, so that the file's count holds for it too
    assert as_json(capsys, project / "vlan-counter")["nfs"][0]["devices"] == [0, 1, 2]


def test_the_seed_chooses_among_valid_keys(capsys):
    def keys(*args: object) -> list[str]:
        return [d["key"] for d in as_json(capsys, FIXTURES / "nop", *args)["nfs"][0]["rss"]["devices"]]

    assert keys("--seed", 1) == keys("--seed", 1) != keys("--seed", 2)


def test_strict_assumes_no_class_of_traffic_away(capsys):
    assert as_json(capsys, FIXTURES / "portstats")["nfs"][0]["assumes"]
    classes = {a["class"] for a in as_json(capsys, FIXTURES / "portstats", "--strict")["nfs"][0]["assumes"]}
    assert "ipv4-frag" not in classes


def test_a_value_of_the_configuration_can_be_set(capsys, project):
    # no packet gets as far as the table when the limit's comparison is what guards it
    edit(
        project / "portstats/stats_main.c",
        "  uint32_t *counter;",
        "  if (config.limit == 7) return other;\n  uint32_t *counter;",
    )
    assert not as_json(capsys, project / "portstats")["nfs"][0]["stateless"]
    assert as_json(capsys, project / "portstats", "--set", "config.limit=7")["nfs"][0]["stateless"]


def test_a_project_that_drops_with_a_value_of_its_own_can_send_back(capsys, project):
    def outcomes(name: str) -> set[tuple[str, str | None]]:
        main(["paths", str(project / name), "--format", "json"])
        return {(p["outcome"], p["output"]) for p in json.loads(capsys.readouterr().out)["paths"] if p["device"] == 0}

    assert ("drop", None) in outcomes("vlan-counter")  # DROP is 0xffff in its nf.h
    assert ("drop", None) in outcomes("portstats")  # here the input device drops
    edit(project / "nf.h", "#include", "#define DROP 0xfffd\n#include")
    assert ("forward", "0") in outcomes("portstats") and ("drop", None) not in outcomes("portstats")


def test_comments_hide_findings_and_leave_the_verdict(capsys, project):
    source = project / "first-100/first_main.c"
    edit(source, "  vector_borrow(", "  // maestro: allow(global-state, shards-on)\n  vector_borrow(")
    status, out, _ = check(capsys, project / "first-100", "-v")
    assert status == 1 and "locks" in out
    at = source.read_text().splitlines().index("  // maestro: allow(global-state, shards-on)") + 2
    assert f"first_main.c:{at}:" not in "".join(x for x in out.splitlines(True) if "[global-state]" in x)
    edit(source, "allow(global-state, shards-on)", "allow(shards-on)")
    assert f"first_main.c:{at}:" in "".join(
        x for x in check(capsys, project / "first-100", "-v")[1].splitlines(True) if "[global-state]" in x
    )


# --- broken source ---


def test_errors_in_what_the_nf_does_not_use_say_nothing_about_it(capsys, project):
    edit(
        project / "nf-util.h",
        "#endif",
        "struct gadget { int @ a; };\nint gadget_of(struct gadget *g { return g->a; }\n#endif",
    )
    assert check(capsys, project / "portstats")[0] == 0


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("state.h", "struct Vector *counters;", "int @@ spare; struct Vector *counters;"),
        ("stats_main.c", "int port = ", "int port = = "),
        ("stats_main.c", "int nf_process(", "int ) nf_process("),
        ("stats_main.c", "uint32_t *counter;", "uint32_t *counter"),
        ("state.c", "static struct State *allocated_nf_state", "static struct @ State *allocated_nf_state"),
        ("stats_main.c", "#include", "#if 1\n#include"),
        ("state.h", '#include "libvig/verified/vector.h"', "#error not today"),
    ],
)
def test_errors_in_what_the_nf_uses_make_the_result_unknown(file, old, new, capsys, project):
    edit(project / "portstats" / file, old, new)
    status, out, err = check(capsys, project / "portstats")
    if status != 2:  # 2: not even nf_process is found any more
        assert status == 1 and out.startswith("portstats: unknown")
        assert "[unsupported-construct]" in out or "[missing-function]" in out
    else:
        assert "no NF" in err


def test_a_missing_header_makes_nothing_unknown(capsys, project):
    edit(project / "portstats/stats_main.c", "#include", "#include <rte_nowhere.h>\n#include")
    assert check(capsys, project / "portstats")[0] == 0


@pytest.mark.parametrize(("before", "after"), [(b"", b"// caf\xe9 \xff\0\r\n"), (b"\xef\xbb\xbf", b"// caf\xc3\xa9")])
def test_unusual_bytes_and_line_ends_do_no_harm(before, after, capsys, project):
    path = project / "portstats/state.h"
    path.write_bytes(before + path.read_bytes().replace(b"\n", b"\r\n") + after)
    assert check(capsys, project / "portstats")[0] == 0


def test_an_nf_without_a_configuration_may_include_the_header_that_declares_one(capsys, tmp_path):
    (tmp_path / "nf.h").write_text("struct nf_config;\nextern struct nf_config config;\n")
    (tmp_path / "nf.c").write_text(
        '#include <stdbool.h>\n#include <stdint.h>\n#include "nf.h"\nbool nf_init(void) { return true; }\n'
        "int nf_process(uint16_t device, uint8_t *buffer, uint16_t length, int64_t now) { return !device; }\n"
    )
    assert check(capsys, tmp_path)[0] == 0


def test_a_type_of_nf_process_that_nobody_defines_is_said_there(capsys, tmp_path):
    (tmp_path / "nf.c").write_text(
        '#include <stdint.h>\n#include "clock.h"\nint nf_process(uint16_t device, uint8_t *buffer, uint16_t length, time_ns_t now) { return 0; }\n'
    )
    status, out, _ = check(capsys, tmp_path)
    assert (
        status == 1
        and "nf.c:3:1: warning: the definition of time_ns_t is not in any file of this NF; these headers" in out
    )
    assert "were not found: clock.h (say where they are with `include` in maestro.toml)" in out


def test_a_loop_without_a_bound_is_said_where_it_stands(capsys, tmp_path):
    (tmp_path / "nf.c").write_text(
        "#include <stdbool.h>\n#include <stdint.h>\nbool nf_init(void) { return true; }\n"
        "int nf_process(uint16_t device, uint8_t *buffer, uint16_t length, int64_t now) {\n"
        "  int n = 0;\n"
        "  while (now > n) n++;\n"
        "  return n % 2;\n}\n"
    )
    status, out, _ = check(capsys, tmp_path)
    assert status == 1 and ": unknown" in out
    assert re.search(r"nf.c:6:\d+: warning: .*\[loop-limit\]", out)


# --- start-up ---


def test_checking_imports_nothing_heavy_that_it_does_not_need():
    script = (
        "import sys; from maestro_lsp.cli import main; main(['check', 'fixtures/portstats', '-q']); "
        "heavy = {'z3', 'numpy', 'pygls', 'lsprotocol', 'dpkt', 'asyncio'} & sys.modules.keys(); assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_version_needs_nothing_of_the_package_but_its_number():
    script = (
        "import sys\nfrom maestro_lsp.cli import main\n"
        "try: main(['--version'])\n"
        "except SystemExit: pass\n"
        "print(sorted(m for m in sys.modules if m.startswith('maestro_lsp')))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == [
        "maestro-lsp 0.1.0",
        "['maestro_lsp', 'maestro_lsp.arguments', 'maestro_lsp.cli', 'maestro_lsp.terminal']",
    ]


# --- documentation ---


@pytest.mark.parametrize("code", RULES)
def test_every_finding_has_a_page(code):
    text = docs.page(code).read_text()
    assert text.startswith(f"# {code}\n\nSeverity: {RULES[code].severity}.\n")
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## Example",
        "## Why it matters",
        "## What to do",
    ]
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert (docs.page(code).parent / target).exists(), target


def test_there_are_no_pages_of_findings_that_do_not_exist():
    assert {p.stem for p in docs.page("shards-on").parent.glob("*.md")} == set(RULES)


def test_the_example_in_the_documentation_of_structures_works(capsys, project):
    text = (ROOT / "docs/maestro-toml.md").read_text()
    examples = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    (example,) = [e for e in examples if "bloom_add" in e]
    folder = project / "portstats"
    (folder / "maestro.toml").write_text(example)
    edit(folder / "state.h", "struct Vector *counters;", "struct Vector *counters; struct Bloom *seen;")
    edit(
        folder / "state.c",
        "  allocated_nf_state = state;",
        "  if (!bloom_allocate(1 << 20, &state->seen)) return NULL;\n  allocated_nf_state = state;",
    )
    edit(
        folder / "stats_main.c", "  uint32_t *counter;",
        "  if (!bloom_contains(state->seen, &ipv4->src_addr)) bloom_add(state->seen, &ipv4->src_addr);\n  return other;\n  uint32_t *counter;",
    )  # fmt: skip
    found = as_json(capsys, folder)["nfs"][0]
    assert found["verdict"] == "shared-nothing" and not found["stateless"]
    assert {"name": "seen", "kind": "bloom"}.items() <= {
        **found["objects"][0],
        "name": found["objects"][0]["name"].split(">")[-1],
    }.items()
    assert found["matrix"][0]["constraint"] == [[["ipv4.src", "ipv4.src"]]]
    # the other example names settings that exist
    (folder / "maestro.toml").write_text(next(e for e in examples if "[maestro]" in e).replace("args =", "# args ="))
    assert main(["check", str(folder), "-q"]) in (0, 1)


def test_prove_checks_the_keys_by_other_means(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    assert main(["check", "fixtures/fw", "--prove"]) == 0
    assert "keys proved on 3 pairs of hash inputs" in capsys.readouterr().out
    assert main(["check", "fixtures/fw", "--prove", "--format", "json"]) == 0
    proof = json.loads(capsys.readouterr().out)["nfs"][0]["proof"]
    assert proof["holds"] and len(proof["checks"]) == 3
    from maestro_lsp.rss import growth

    monkeypatch.setattr(growth, "odd", lambda *_: growth.z3.BoolVal(True))  # "there is a pair outside the span"
    assert main(["check", "fixtures/fw", "--prove"]) == 1
    assert "the proof of the keys FAILED" in capsys.readouterr().out


def test_a_nic_of_ones_own_is_named_by_its_file(monkeypatch, capsys, tmp_path):
    mine = tmp_path / "mine.toml"
    mine.write_text('[nic.mine]\nkey_bytes = 40\ntable = 64\noptions = ["ipv4-tcp", "ipv4-udp"]\n')
    monkeypatch.chdir(ROOT)
    assert main(["check", "fixtures/fw", "--nic", str(mine), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)["nfs"][0]["rss"]
    assert (found["nic"], found["devices"][0]["table_size"]) == ("mine", 64)
    shutil.copytree(ROOT / "fixtures" / "fw", tmp_path / "fw")
    (tmp_path / "fw" / "maestro.toml").write_text('[maestro]\nnic = "../mine.toml"\n')
    assert main(["check", str(tmp_path / "fw"), "--format", "json"]) in (0, 1)
    assert json.loads(capsys.readouterr().out)["nfs"][0]["rss"]["nic"] == "mine"
    mine.write_text("[nic.mine]\ntable = 100\n")
    assert main(["check", str(tmp_path / "fw")]) == 2
    assert "100 entries is not a power of two" in capsys.readouterr().err


def test_a_value_that_no_configuration_has_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    paths = ["fixtures/policer", "fixtures/nop"]  # of several NFs one has it: that is what --set is for
    assert main(["check", *paths, "-q", "--set", "config.lan_device=0"]) == 0
    assert main(["check", *paths, "-q", "--set", "config.lan_devise=0", "--set", "config.lan_device=0"]) == 2
    assert (
        "--set config.lan_devise has no effect: the configuration has burst, capacity, lan_device"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("declared", "asked"), [("bool", "dice()"), ("uint64_t", "dice() >> 40"), ("int", "dice() != dice()")]
)
def test_functions_of_the_users_own_return_anything_that_their_prototype_allows(capsys, tmp_path, declared, asked):
    (tmp_path / "maestro.toml").write_text('[[structure]]\nname = "dice"\nparams = []\nop = "environment"\n')
    (tmp_path / "nf.c").write_text(
        f"#include <stdbool.h>\n#include <stdint.h>\n{declared} dice(void);\nstatic int count;\n"
        "int nf_process(uint16_t device, uint8_t *packet, uint16_t length, int64_t now) {\n"
        f"  if ({asked}) count++;\n  return count > 9;\n}}\n"
    )
    assert main(["check", str(tmp_path)]) == 1
    printed = capsys.readouterr().out
    assert ": locks" in printed and "count is changed here" in printed


def test_values_in_nameless_structures_are_of_the_configuration(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "main.c").write_text(
        "#include <stdint.h>\n"
        "struct nf_config { union { struct { uint16_t lan; uint16_t wan; }; uint32_t both; }; struct { int deep; } named; } config;\n"
        "int nf_init(void) { return 1; }\n"
        "int nf_process(uint16_t d, uint8_t *b, uint16_t n, int64_t t) { return config.lan == d ? config.wan : d; }\n"
    )
    assert main(["check", str(tmp_path), "-q", "--set", "config.wan=1", "--set", "config.both=0"]) == 0
    assert main(["check", str(tmp_path), "-q", "--set", "config.deep=1"]) == 2
    assert "the configuration has both, lan, wan" in capsys.readouterr().err
