"""Verification passes what `parallelize` writes, and sees what is changed in it."""

from __future__ import annotations

import os
import random
import resource
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from maestro_lsp.check import Report, check
from maestro_lsp.synthesis.parallel import STRATEGIES, applicable, parallelize
from maestro_lsp.verify import NotGenerated, Verification, verify
from maestro_lsp.workspace import find_nfs
from tests.vigor import GIVEN, VIGOR

from .mutants import Mutant, mutants

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "fixtures"
NFS = {nf.name: nf for nf in find_nfs(FIXTURES)}
FULL = bool(os.environ.get("MAESTRO_FULL"))
RUNS = sorted(NFS) if FULL else ["bridge-static", "fw", "lb", "nat"]  # that are compiled and run, too
PACKETS = 20_000 if FULL else 3000
MUTATED = [
    ("fw", "shared-nothing"),
    ("nat", "shared-nothing"),
    ("policer", "locks"),
    ("bridge", "locks"),
    ("lb", "locks"),
    ("fw", "locks"),
]
MUTANTS = 400 if FULL else 24  # of each but lb, whose take ten times as long


def report(name: str) -> Report:
    return check(NFS[name])  # anew: verification compares with the latest analysis


@cache
def written(name: str, strategy: str) -> str:
    return parallelize(report(name), strategy).text


def strategies(name: str) -> list[str]:
    possible = applicable(report(name))
    return [s for s in STRATEGIES if possible[s] is None]


def failures(v: Verification) -> list[str]:
    return [f"{c.name}: {c.detail}" for c in v.checks if c.status == "failed"]


@pytest.mark.parametrize("name", sorted(NFS))
def test_what_is_written_is_equal(name: str) -> None:
    for strategy in strategies(name):
        text = written(name, strategy)
        assert failures(verify(report(name), str(FIXTURES / name / f"{strategy}.c"), text, packets=0)) == [], strategy


@pytest.mark.parametrize("name", RUNS)
def test_what_is_written_runs_as_the_nf_does(name: str, tmp_path: Path) -> None:
    for strategy in strategies(name):
        file = tmp_path / f"{strategy}.c"
        file.write_text(written(name, strategy))
        v = verify(report(name), str(file), file.read_text(), PACKETS)
        assert failures(v) == [], strategy
        assert next(c for c in v.checks if c.name == "run").status == "passed"


def test_an_nf_needs_no_configuration_to_be_run(tmp_path: Path) -> None:
    source = "int nf_process(unsigned short device, unsigned char *packet, unsigned short length, long now) { return packet[0] & 1; }"
    (tmp_path / "nf.c").write_text(source)
    (nf,) = find_nfs(tmp_path)
    file = tmp_path / "sequential.c"
    file.write_text(parallelize(check(nf), "sequential").text)
    v = verify(check(nf), str(file), file.read_text(), 100)
    assert {c.name: c.status for c in v.checks}["run"] == "passed", failures(v)


def sample(name: str, strategy: str) -> list[Mutant]:
    found = list(mutants(written(name, strategy)))
    count = MUTANTS if FULL or name != "lb" else MUTANTS // 4
    some = random.Random(f"{name} {strategy}").sample(found, min(count, len(found)))
    return some + [m for m in found if m.kind == "core" and m not in some]


@pytest.mark.parametrize(("name", "strategy"), MUTATED)
def test_mutants_are_told_apart(name: str, strategy: str, tmp_path: Path) -> None:
    """By symbols alone. A mutant that passes was proved equal on every call path; a run has the same opinion of some of these (of all
    with MAESTRO_FULL)."""
    passed = []
    some = sample(name, strategy)
    for m in some:
        if verify(report(name), str(FIXTURES / name / "mutant.c"), m.text, packets=0).verified:
            passed.append(m)
    assert [m.what for m in passed if m.kind == "core"] == []  # which no proof for one core can see
    assert len(passed) < 0.4 * len(some), [m.what for m in passed]
    for m in passed if FULL else passed[:1]:
        file = tmp_path / "mutant.c"
        file.write_text(m.text)
        assert failures(verify(report(name), str(file), m.text, PACKETS)) == [], m.what


def test_tables_that_are_divided_stay_whole() -> None:
    """One core's execution cannot see this: its share is everything."""
    text = written("fw", "shared-nothing")
    wrong = {
        "dchain_allocate(maestro_share(": ("dchain_allocate((", "and all indices of its dchain"),
        "FlowId_hash, maestro_share_pow2(": ("FlowId_hash, maestro_share(", "power of two"),
        "vector_allocate(sizeof(struct FlowId), maestro_share(": ("vector_allocate(sizeof(struct FlowId), (", ""),
    }
    for old, (new, said) in wrong.items():
        assert text.count(old) == 1, old
        v = verify(report("fw"), str(FIXTURES / "fw" / "changed.c"), text.replace(old, new), packets=0)
        found = next(c for c in v.checks if c.name == "cores")
        assert (said in found.detail) if said else v.verified, (old, found)


def test_calls_on_another_kind_of_dchain_are_seen() -> None:
    """To symbolic execution they are the same."""
    for old, new in (("maestro_dchain_", "dchain_"), ("maestro_expire_", "maestro_live_expire_")):
        head, mark, part = written("fw", "locks").partition("// state.c\n")
        assert old in part
        text = head + mark + part.replace(old, new, 1)
        v = verify(report("fw"), str(FIXTURES / "fw" / "changed.c"), text, packets=0)
        assert "is not for the dchains that this program has" in v.checks[0].detail


def test_a_difference_is_shown_by_a_short_sequence_of_packets(tmp_path: Path) -> None:
    text = written("fw", "sequential").replace(
        "sizeof(struct FlowId));\n  map_put", "sizeof(struct FlowId) - 4);\n  map_put", 1
    )
    assert text != written("fw", "sequential")
    file = tmp_path / "fw.c"
    file.write_text(text)
    v = verify(report("fw"), str(file), text, PACKETS)
    paths, run = (next(c for c in v.checks if c.name == name) for name in ("paths", "run"))
    assert paths.status == run.status == "failed"
    assert paths.differences[0].there is not None and paths.differences[0].model
    assert run.outcome is not None and len(run.outcome.sequence) == 2


def test_a_changed_runtime_is_refused() -> None:
    text = written("fw", "shared-nothing").replace("maestro_packet_read += (uint32_t)length;", "", 1)
    v = verify(report("fw"), str(FIXTURES / "fw" / "x.c"), text, packets=0)
    assert failures(v) and failures(v)[0].startswith("runtime:")


def test_other_files_are_refused() -> None:
    with pytest.raises(NotGenerated, match="parallelize"):
        verify(report("fw"), str(FIXTURES / "fw" / "fw_main.c"), (FIXTURES / "fw" / "fw_main.c").read_text(), packets=0)


def command(*words: str, cwd: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "maestro_lsp", *words], cwd=cwd, capture_output=True, text=True, env=os.environ | env
    )


def test_the_command_finds_generated_files_beside_the_nf(tmp_path: Path) -> None:
    for path in (*FIXTURES.glob("*.[ch]"), FIXTURES / "Makefile"):
        shutil.copy(path, tmp_path)
    shutil.copytree(FIXTURES / "nop", tmp_path / "nop")
    none = command("verify", "nop", cwd=tmp_path)
    assert none.returncode == 2 and "maestro-lsp parallelize nop" in none.stderr
    assert command("parallelize", "nop", "--strategy", "sequential", cwd=tmp_path).returncode == 0
    found = command("verify", "nop", "--packets", "0", cwd=tmp_path)
    assert found.returncode == 0 and found.stdout.startswith("nop/nop-sequential.c: equal to nop"), (
        found.stdout + found.stderr
    )
    file = tmp_path / "nop" / "nop-sequential.c"
    file.write_text(file.read_text().replace("return", "return 1 +", 1))
    differs = command("verify", str(file), "--packets", "0", cwd=tmp_path)
    assert differs.returncode == 1 and "not equal" in differs.stdout, differs.stdout + differs.stderr


def test_without_a_compiler_the_rest_is_checked(tmp_path: Path) -> None:
    file = tmp_path / "nop.c"
    file.write_text(written("nop", "sequential"))
    done = command("verify", str(FIXTURES / "nop"), "--against", str(file), PATH=str(tmp_path))
    assert done.returncode == 0 and "not-run" in done.stdout and "compiler" in done.stdout, done.stdout + done.stderr


SURROUNDINGS = [
    ("fw", "shared-nothing", "", "#define MAESTRO_NF_DEVICES 2", "#define MAESTRO_NF_DEVICES 3"),
    ("fw", "shared-nothing", "", "((output) == (device))", "((output) != (device))"),
    ("bridge", "tm", "", "((output) == 0xffff)", "((output) == 0xfffe)"),
    ("policer", "locks", "", "MAESTRO_WRITING_DEVICES 0x", "MAESTRO_WRITING_DEVICES 0x1"),
    ("fw", "locks", "", "#pragma GCC diagnostic pop", "#pragma GCC diagnostic pop\n#define map_put(map, key, value)"),
    ("fw", "shared-nothing", "", "// state.c", "#undef MAESTRO_PER_CORE\n#define MAESTRO_PER_CORE\n// state.c"),
    ("nat", "shared-nothing", "rss-allocator", "maestro_core_of_index(int index) {", "maestro_core_of_index(int index) { ++index;"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "strategy", "form", "old", "new"), SURROUNDINGS)
def test_changes_around_the_nfs_own_text_are_seen(name: str, strategy: str, form: str, old: str, new: str) -> None:
    text = parallelize(report(name), strategy, form).text
    assert text.count(old) == 1
    v = verify(report(name), str(FIXTURES / name / "changed.c"), text.replace(old, new), packets=0)
    assert [c.name for c in v.checks if c.status == "failed"][:1] == ["runtime"]


OF_ONE_CORE = [
    ("fw", "", "\nstruct nf_config config;", "\nMAESTRO_PER_CORE struct nf_config config;", "nf_config_init sets it on one"),
    ("nat", "rss-allocator", ", maestro_core_of_index)", ", 0)", "gives out indices of other cores"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "form", "old", "new", "said"), OF_ONE_CORE)
def test_what_only_one_core_would_have_is_seen(name: str, form: str, old: str, new: str, said: str) -> None:
    text = parallelize(report(name), "shared-nothing", form).text
    assert text.count(old) == 1
    v = verify(report(name), str(FIXTURES / name / "changed.c"), text.replace(old, new), packets=0)
    assert said in next(c.detail for c in v.checks if c.name == "cores")


def test_macros_of_the_nf_do_not_reach_the_runtime(tmp_path: Path) -> None:
    source = (
        "#define count + 1\n#define poll(x) ((x) + 2)\n#define UNUSED 3\n"
        "int nf_process(unsigned short device, unsigned char *packet, unsigned short length, long now) { return poll(packet[0] count) & UNUSED; }"
    )
    (tmp_path / "nf.c").write_text(source)
    (nf,) = find_nfs(tmp_path)
    file = tmp_path / "sequential.c"
    file.write_text(parallelize(check(nf), "sequential").text)
    assert "#undef count\n" in file.read_text() and "#undef UNUSED" not in file.read_text()
    v = verify(check(nf), str(file), file.read_text(), 100)
    assert {c.name: c.status for c in v.checks}["run"] == "passed", failures(v)


def spent() -> float:
    """Processor seconds of the children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


VIGORS = [str(VIGOR / name) for name in ("vigfw", "vignat")] if GIVEN else []


@pytest.mark.parametrize("folder", ["fixtures/fw", "fixtures/nat", *VIGORS])
def test_writing_and_proving_take_three_seconds_at_most(folder: str, tmp_path: Path) -> None:
    """Of the processor, that of an idle machine too: the commands compute on one core."""
    before, file = spent(), str(tmp_path / "out.c")
    assert command("parallelize", folder, "--strategy", "shared-nothing", "--out", file, "-q").returncode == 0
    assert command("verify", folder, "--against", file, "--packets", "0").returncode == 0
    assert spent() - before < 3
