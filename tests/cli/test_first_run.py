"""The first minutes of a stranger: no arguments, misspelt words, one NF or many, and a machine that lacks what others have."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from maestro_lsp.cli import build_parser

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "fixtures"
COMMANDS = build_parser().commands
NEEDS_Z3 = "tests/sharding/nfs/neighbour-cell.c"  # its verdict rests on a proof that only Z3 finds


def run(*words: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    """The program in a process of its own."""
    command = [sys.executable, "-m", "maestro_lsp", *words]
    path = os.pathsep.join(filter(None, (environment.pop("PYTHONPATH", ""), str(ROOT))))
    env = {**os.environ, "PYTHONPATH": path, "COLUMNS": "120", **environment}
    return subprocess.run(
        command,
        cwd=cwd,
        capture_output=True,
        text=True,
        errors="backslashreplace",
        env=env,
        stdin=subprocess.DEVNULL,
        timeout=300,
    )


# ------------------------------------------------------------------------------------------------------------------ help


@pytest.mark.parametrize("words", [[], *([name] for name in COMMANDS if name != "serve")], ids=" ".join)
def test_a_command_alone_shows_its_help_with_an_example(words: list[str]) -> None:
    done = run(*words)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith(" ".join(["usage: maestro-lsp", *words]))
    assert "example: maestro-lsp " in done.stderr


def test_every_command_and_every_argument_is_explained() -> None:
    listed = build_parser().format_help()
    for name, parser in COMMANDS.items():
        assert f"\n    {name}" in listed
        for action in parser._actions:
            told = action.help or (isinstance(action.choices, tuple) and action.required)
            assert told, f"{name}: {action.option_strings or action.dest}"
            assert action.metavar != argparse.SUPPRESS


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["chek", "fixtures/fw"], "did you mean check?"),
        (["check", "fixtures/fw", "--frmat", "json"], "maestro-lsp check: error: --frmat is not understood; did you mean --format?"),
        (["check", "fixtures/fw", "--format", "jsn"], "did you mean json?"),
        (["parallelize", "fixtures/fw", "--strategy", "lock"], "did you mean locks?"),
        (["parallelize", "fixtures/fw"], "--strategy; see maestro-lsp parallelize --help"),
        (["hash", "10.0.0.1,10.0.0.2", "--queues", "many"], "'many' is no number from 1 to 65536"),
        (["serve", "--tcp", "99999"], "'99999' is no port from 1 to 65535"),
        (["--nic", "x710"], "see maestro-lsp --help"),
        (["check", "fixtures/fw", "--nic", ""], "argument --nic: '' names nothing"),
        (["check", "fixtures/fw", "--devices", "9" * 5000], "is no number from 1 up"),
        (["hash", "10.0.0.1,10.0.0.2", "--table", "9" * 12], "is no number from 1 to 65536"),
        (["verify", "fixtures/fw", "--packets", "-5"], "'-5' is no number from 0 up"),
        (["check", ""], "'' does not exist"),
    ],
)  # fmt: skip
def test_wrong_words_are_one_line_that_says_what_was_meant(words: list[str], said: str) -> None:
    done = run(*words)
    assert done.returncode == 2 and done.stdout == ""
    assert said in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (["par"], ["parallelize"]),
        (["parallelize", "--strategy", "shared"], ["shared-nothing"]),
        (["check", "fixtures/fw"], ["fixtures/fw"]),
        (["solve", "fixtures/specs/fire"], ["fixtures/specs/firewall.toml"]),
        (["verify", "fixtures/fw", "--against", "READ"], ["README.md"]),
    ],
)
def test_bash_completes_commands_choices_and_files(typed: list[str], offered: list[str]) -> None:
    script = run("completion", "bash").stdout
    words = " ".join(["maestro-lsp", *typed])
    before = typed[-2] if len(typed) > 1 else "maestro-lsp"
    ask = f"COMP_WORDS=({words}); COMP_CWORD={len(typed)}; _shtab_maestro_lsp maestro-lsp {typed[-1]} {before}; "
    done = subprocess.run(
        ["bash", "-c", script + ask + 'printf "%s\\n" "${COMPREPLY[@]}"'], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout.split() == offered


def test_a_port_that_is_taken_is_no_error_of_the_program() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("serve", "--tcp", str(port))
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(f"maestro-lsp: port {port} cannot be listened on: ")


# -------------------------------------------------------------------------------------------------- where output goes to


@pytest.mark.parametrize(
    ("redirection", "status", "said"),
    [
        (">/dev/full", 2, "maestro-lsp: output or working directory: No space left on device\n"),
        (">&-", 0, ""),
        ("2>&-", 0, ""),
        ("<&-", 0, ""),
    ],
)
def test_an_output_that_is_full_or_closed_is_no_error_of_the_program(redirection: str, status: int, said: str) -> None:
    command = f"{shlex.quote(sys.executable)} -m maestro_lsp check -q fixtures/nop {redirection}"
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (status, said)


def test_errors_do_not_go_to_standard_output_when_there_is_no_other() -> None:
    command = f"{shlex.quote(sys.executable)} -m maestro_lsp check nowhere 2>&-"
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.parametrize("name", ["sp ace é", os.fsdecode(b"b\xffd")], ids=["letters", "bytes"])
@pytest.mark.parametrize(
    "environment", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}], ids=" ".join
)
def test_names_of_any_bytes_are_checked_and_written_in_any_locale(
    name: str, environment: dict[str, str], tmp_path: Path
) -> None:
    for shared in filter(Path.is_file, FIXTURES.iterdir()):
        shutil.copy(shared, tmp_path)
    shutil.copytree(FIXTURES / "nop", tmp_path / name)
    assert run("check", name, cwd=tmp_path, **environment).returncode == 0
    assert run("parallelize", name, "--strategy", "locks", cwd=tmp_path, **environment).returncode == 0
    assert run("verify", name, "--packets", "0", cwd=tmp_path, **environment).returncode == 0


def test_a_device_or_pipe_is_not_read_to_see_whether_it_may_be_written_over() -> None:
    done = run("parallelize", "fixtures/nop", "--strategy", "locks", "--out", "/dev/full")
    assert done.returncode == 2 and "/dev/full was not written by maestro-lsp" in done.stderr


# ------------------------------------------------------------------------------------------------- none, one, twenty NFs


def test_a_tree_without_an_nf_says_how_one_is_found(tmp_path: Path) -> None:
    (tmp_path / "hello.c").write_text("int main(void) { return 0; }\n")
    done = run("check", ".", cwd=tmp_path)
    assert done.returncode == 2 and "no NF in .: an NF is found by a definition of nf_process" in done.stderr


def test_a_tree_with_twenty_nfs_gives_twenty_verdicts(tmp_path: Path) -> None:
    for shared in filter(Path.is_file, FIXTURES.iterdir()):
        shutil.copy(shared, tmp_path)
    for n in range(20):
        shutil.copytree(FIXTURES / "nop", tmp_path / f"nop{n:02}")
    done = run("check", "-q", ".", "--jobs", "2", cwd=tmp_path)
    assert done.returncode == 0
    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == [f"nop{n:02}" for n in range(20)]
    one = run("paths", ".", cwd=tmp_path)
    assert one.returncode == 2 and ". holds 20 NFs; name one of them" in one.stderr


# ------------------------------------------------------------------------------------------- what a machine may be without


@pytest.fixture
def no_z3(tmp_path: Path) -> str:
    """A PYTHONPATH where Z3's library does not load."""
    (tmp_path / "path" / "z3").mkdir(parents=True)
    (tmp_path / "path" / "z3" / "__init__.py").write_text(
        "class Z3Exception(Exception):\n    pass\nprint('Could not find libz3.so')\nraise Z3Exception('libz3.so not found.')\n"
    )
    return str(tmp_path / "path")


def test_without_z3_most_nfs_are_analysed_and_verified_as_ever(no_z3: str, tmp_path: Path) -> None:
    assert run("check", "fixtures/fw", PYTHONPATH=no_z3).stdout == run("check", "fixtures/fw").stdout
    file = str(tmp_path / "fw.c")
    assert run("parallelize", "fixtures/fw", "--strategy", "locks", "--out", file, PYTHONPATH=no_z3).returncode == 0
    assert run("verify", "fixtures/fw", "--against", file, "--packets", "0", PYTHONPATH=no_z3).returncode == 0


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["check", NEEDS_Z3], 1),
        (["check", "fixtures/fw", "--prove"], 2),
        (["solve", "fixtures/specs/symmetric.toml"], 2),
    ],
)
def test_what_needs_z3_says_how_to_install_it(words: list[str], status: int, no_z3: str) -> None:
    done = run(*words, PYTHONPATH=no_z3)
    assert done.returncode == status
    assert "Z3 cannot be loaded (Z3Exception: libz3.so not found); install it anew: " in done.stdout + done.stderr
    assert "please report" not in done.stderr and "Could not find" not in done.stdout


def test_keys_are_found_without_z3_when_no_proof_is_wanted(no_z3: str) -> None:
    words = ("solve", "fixtures/specs/symmetric.toml", "--no-prove")
    assert run(*words, PYTHONPATH=no_z3).stdout == run(*words).stdout


@pytest.fixture(params=["no libdpdk", "no pkg-config", "no compiler"])
def no_dpdk(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[dict[str, str], str]:
    """An environment without what building needs, and what a message must name."""
    tools = tmp_path / "bin"
    tools.mkdir()
    present = {"no libdpdk": ["cc", "gcc", "pkg-config"], "no pkg-config": ["cc", "gcc"], "no compiler": ["pkg-config"]}
    for tool in ("sh", "env", *present[request.param]):
        (tools / tool).symlink_to(shutil.which(tool) or tool)
    nowhere = {} if request.param == "no compiler" else {"PKG_CONFIG_LIBDIR": "/nowhere", "PKG_CONFIG_PATH": ""}
    named = {"no libdpdk": "libdpdk-dev", "no pkg-config": "pkg-config is missing", "no compiler": "install gcc"}
    return {"PATH": str(tools), "CC": "", **nowhere}, named[request.param]


def test_without_dpdk_all_but_running_is_verified_and_building_says_what_to_install(
    no_dpdk: tuple[dict[str, str], str], tmp_path: Path
) -> None:
    environment, named = no_dpdk
    file = tmp_path / "nop.c"
    words = ("parallelize", "fixtures/nop", "--strategy", "locks", "--out", str(file))
    built = run(*words, "--build", **environment)
    assert built.returncode == 2 and file.exists()
    assert built.stderr.startswith("maestro-lsp: the file is written, but cannot be built here: ")
    assert named in built.stderr and built.stderr.count("\n") == 1
    verified = run("verify", "fixtures/nop", "--against", str(file), **environment)
    assert verified.returncode == 0
    assert "paths     passed" in verified.stdout
    assert any(line.split()[:2] == ["run", "not-run"] and named in line for line in verified.stdout.splitlines())


def test_with_an_old_python_make_says_which_it_needs_and_leaves_nothing_behind(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    done = subprocess.run(
        ["make", f"{venv}/.installed", f"VENV={venv}", "PYTHON=false"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode != 0 and "Python 3.11 or later is needed" in done.stderr
    assert not venv.exists()


def test_without_node_only_the_extension_is_not_built(tmp_path: Path) -> None:
    make = shutil.which("make")
    assert make is not None
    (tmp_path / "sh").symlink_to(shutil.which("sh") or "sh")
    done = subprocess.run([make, "node"], cwd=ROOT, capture_output=True, text=True, env={"PATH": str(tmp_path)})
    assert done.returncode != 0 and "needs Node.js 20 or later with npm" in done.stderr
    plan = subprocess.run([make, "-n", "demo", "dist", "site"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "npm" not in plan.stdout and "node" not in plan.stdout
