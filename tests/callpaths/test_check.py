"""Call path files beside an NF: found, compared with its source, and what a check then rests on.

The files are written from the fixtures' own sources, so everything here runs without real data; test_analysis.py does the same with
KLEE's files.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from maestro_lsp.check import CheckError, Report, check, check_call_paths, find
from maestro_lsp.cli import main
from maestro_lsp.render.json_ import nf as as_json
from maestro_lsp.render.paths import document
from maestro_lsp.render.pathview import files_of, lines, paths_through
from maestro_lsp.server.facts.panel import tree as tree_of
from maestro_lsp.server.facts.places import Places
from maestro_lsp.settings import Settings
from maestro_lsp.workspace import NfSources, find_nfs, reader
from tests.vigor import NFS

from .recorded import exported, texts

FIXTURES = Path(__file__).parents[2] / "fixtures"
FULL = bool(os.environ.get("MAESTRO_FULL"))
ALL = sorted(p.parent.name for p in FIXTURES.glob("*/expected.toml"))
SOME = [
    "bridge",
    "fw",
    "ipv6-bucket",
    "nat",
    "nop",
    "sketch-limiter",
    "trap-expired-count",
    "twin-index-in-cell",
    "write-only-stat",
]


def nf_of(folder: Path) -> NfSources:
    (nf,) = find_nfs(folder)
    return nf


def codes(r: Report) -> set[str]:
    return {f.code for f in r.findings if f.code.startswith("call-paths")}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fixtures with the firewall's call paths beside it."""
    top = tmp_path_factory.mktemp("tree") / "fixtures"
    shutil.copytree(FIXTURES, top)
    exported(nf_of(top / "fw"), top / "fw" / "klee-last")
    return top


# ------------------------------------------------------------------------------------------------------------- agreement


@pytest.mark.parametrize("name", ALL if FULL else SOME)
def test_files_written_from_a_source_agree_with_it(name: str, tmp_path: Path) -> None:
    nf = nf_of(FIXTURES / name)
    source = exported(nf, tmp_path / "paths")
    r = check(nf, Settings(call_paths=str(tmp_path / "paths")))
    assert r.comparison is not None
    plain = any(a.plain is not None for a in source.analysis.accesses)
    assert (r.source, codes(r)) == (("symbex", {"call-paths-stale"}) if plain else ("call-paths", set())), (
        r.comparison.summary
    )
    assert r.analysis.verdict == source.analysis.verdict
    assert [str(x) for x in r.analysis.rows] == [str(x) for x in source.analysis.rows]
    if not plain:
        assert r.comparison.alignment is not None and r.comparison.analysis is not None
        assert all(n in qs for n, qs in r.comparison.alignment.partners.items())
        assert {f.code for f in r.comparison.analysis.findings} == {f.code for f in source.analysis.findings}


def test_klee_last_is_found_and_can_be_set_otherwise(tree: Path, tmp_path: Path) -> None:
    nf = nf_of(tree / "fw")
    data = as_json(check(nf))
    assert (
        data["source"] == "call-paths"
        and data["call_paths"]["agrees"]
        and data["call_paths"]["files"] == data["paths"] == 28
    )
    off = as_json(check(nf, Settings(call_paths="")))
    assert off["source"] == "symbex" and "call_paths" not in off
    moved = tmp_path / "fw"
    shutil.copytree(tree, tmp_path, dirs_exist_ok=True)
    (moved / "klee-last").rename(moved / "recorded")
    assert check(nf_of(moved)).source == "symbex"
    (moved / "maestro.toml").write_text('[maestro]\ncall_paths = "recorded"\n')
    assert check(nf_of(moved)).source == "call-paths"
    (moved / "recorded").rename(moved / "klee-out-3")
    with pytest.raises(CheckError, match=r"recorded holds no \.call_path files"):
        check(nf_of(moved))
    (moved / "maestro.toml").unlink()
    assert check(nf_of(moved)).source == "call-paths"  # the newest run counts when the link is gone


def test_windows_line_ends_do_not_matter(tree: Path, tmp_path: Path) -> None:
    for f in (tree / "fw" / "klee-last").iterdir():
        (tmp_path / f.name).write_bytes(f.read_bytes().replace(b"\n", b"\r\n"))
    assert check(nf_of(tree / "fw"), Settings(call_paths=str(tmp_path))).source == "call-paths"


# ---------------------------------------------------------------------------------------------------------- stale files

STALE = [  # what changes in the firewall; file and text; file and function of the finding; what it says
    ("fw_flows.c", "* 1000;", "* 100;", "fw_flows.c", "flow_table_expire", "time - "),
    ("fw_flows.c", "  map_put(state->flows, key, index);\n  vector_return(state->ids, index, key);",
     "  vector_return(state->ids, index, key);\n  map_put(state->flows, key, index);", "fw_flows.c", "flow_table_learn", "map_put"),
    ("fw_flows.c", "  *cell = inside;\n", "", "fw_flows.c", "flow_table_learn", "stores"),
    ("fw_flows.c", "*cell = inside;", "*cell = 1 - inside;", "fw_flows.c", "flow_table_learn", "stores"),
    ("fw_flows.c", "  dchain_rejuvenate_index(table->state->chain, index, now);\n", "", "fw_flows.c", "flow_table_lookup", "dchain_rejuvenate"),
    ("fw_main.c", ".src_port = ports->src_port,\n        .dst_port = ports->dst_port", ".src_port = ports->dst_port,\n        .dst_port = ports->src_port",
     "fw_flows.c", "flow_table_learn", "key {l4.src"),
    ("fw_main.c", "  uint16_t dst_device;\n", "  if (ipv4->time_to_live == 1) {\n    return device;\n  }\n  uint16_t dst_device;\n",
     "fw_main.c", "nf_process", "ipv4.ttl"),
    ("fw_main.c", "dst_device = config.wan_device;", "dst_device = device;", "fw_main.c", "nf_process", "forwarded to 1"),
    ("fw_main.c", "  ether->src_addr = config.device_macs[dst_device];\n", "", "fw_main.c", "nf_process", "eth.src"),
    ("fw_main.c", "  ether->src_addr = config.device_macs[dst_device];\n", "  ipv4->time_to_live--;\n  ipv4->src_addr = 5;\n",
     "fw_main.c", "nf_process", "ipv4.ttl = (ipv4.ttl - 1), ipv4.src = "),
    ("state.c", "map_allocate(FlowId_eq, FlowId_hash, max_flows", "map_allocate(FlowId_eq, FlowId_hash, 2 * max_flows", "fw_flows.c", "", "of 65536"),
    ("state.c", "vector_allocate(sizeof(uint32_t)", "vector_allocate(sizeof(uint64_t)", "fw_flows.c", "", "of 4 bytes for each element"),
    ("flow.h.gen.c", "x->dst_ip == y->dst_ip", "x->src_ip == y->src_ip", "fw_flows.c", "flow_table_learn", "key {"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "at", "function", "says"), STALE)
def test_small_changes_of_the_source_make_files_stale(
    tree: Path, file: str, old: str, new: str, at: str, function: str, says: str
) -> None:
    nf = nf_of(tree / "fw")
    path = str(tree / "fw" / file)
    text = Path(path).read_text()
    assert old in text
    changed = text.replace(old, new, 1)
    alone = check(nf, Settings(call_paths=""), reader({path: changed}))
    r = check(nf, None, reader({path: changed}))
    assert r.source == "symbex" and codes(r) == {"call-paths-stale"}
    found = [
        f for f in r.findings if f.code == "call-paths-stale" and Path(f.span.file).name == at and says in f.message
    ]
    assert found, [f.message for f in r.findings if f.code == "call-paths-stale"]
    assert any(f"in {function}" in f.message for f in found) or not function
    # the source's own result is unharmed
    assert r.analysis.verdict == alone.analysis.verdict and [str(x) for x in r.analysis.rows] == [
        str(x) for x in alone.analysis.rows
    ]
    assert {f for f in r.findings if f.code != "call-paths-stale"} == set(alone.findings)


def test_what_becomes_of_the_packet_is_told_where_the_source_decides_it(tree: Path) -> None:
    path = str(tree / "fw" / "fw_main.c")
    text = Path(path).read_text()

    def told(old: str, new: str) -> set[tuple[str, str]]:
        assert old in text
        changed = text.replace(old, new, 1)
        r = check(nf_of(tree / "fw"), None, reader({path: changed}))
        found = [f for f in r.findings if f.code == "call-paths-stale"]
        says = [re.search(r"eth\.src[^ ,]*|forwarded|$", f.message) for f in found]
        return {(changed[f.span.start : f.span.end], m[0] if m else "") for f, m in zip(found, says, strict=True)}

    copied = "ether->src_addr = config.device_macs[dst_device]"
    other = copied.replace("device_macs", "endpoint_macs")
    assert {w for w, _ in told(copied, other)} == {other}  # one finding for all of the address, at the assignment
    assert told(copied + ";", ";") == {("return dst_device;", "eth.src")}  # nothing writes it: where the packet leaves
    assert told("dst_device = config.wan_device;", "dst_device = device;") == {("return dst_device;", "forwarded")}


def test_changes_that_mean_nothing_do_not_make_files_stale(tree: Path) -> None:
    nf = nf_of(tree / "fw")
    path = str(tree / "fw" / "fw_flows.c")
    text = Path(path).read_text()
    same = (
        re.sub(r"\bindex\b", "entry", text)
        .replace("  uint32_t *cell;", "\n\n  // moved down\n  uint32_t *cell;")
        .replace("== 0)", "< 1)")
    )
    assert same != text
    r = check(nf, None, reader({path: same}))
    assert r.source == "call-paths" and not codes(r)


def test_a_file_that_is_missing_is_a_difference_too(tree: Path, tmp_path: Path) -> None:
    for f in sorted((tree / "fw" / "klee-last").iterdir())[1:]:
        shutil.copy(f, tmp_path)
    r = check(nf_of(tree / "fw"), Settings(call_paths=str(tmp_path)))
    (f,) = [f for f in r.findings if f.code == "call-paths-stale"]
    assert r.source == "symbex" and "path 0 of the source" in f.message and "in any file" in f.message


# --------------------------------------------------------------------------------------------------------- invalid files


def spoiled(tree: Path, to: Path, change: Callable[[str], str]) -> Report:
    """The firewall, with the last of its files changed."""
    shutil.copytree(tree / "fw" / "klee-last", to, dirs_exist_ok=True)
    last = sorted(to.iterdir())[-1]
    last.write_text(change(last.read_text()))
    return check(nf_of(tree / "fw"), Settings(call_paths=str(to)))


@cache
def without_files(folder: Path) -> Report:
    return check(nf_of(folder), Settings(call_paths=""))


def assert_harmless(r: Report, tree: Path) -> list[tuple[str, int, str]]:
    """The findings about files, as (file, line, message); all else is as without them."""
    alone = without_files(tree / "fw")
    assert r.source == "symbex" and r.analysis.verdict == alone.analysis.verdict == "shared-nothing"
    assert [str(x) for x in r.analysis.rows] == [str(x) for x in alone.analysis.rows]
    assert {f for f in r.findings if not f.code.startswith("call-paths")} == set(alone.findings)
    return [
        (Path(f.span.file).name, r.text(f.span.file).line(f.span.start) + 1, f.message)
        for f in r.findings
        if f.code == "call-paths-invalid"
    ]


def test_files_that_cannot_be_used_are_findings_at_their_place(tree: Path, tmp_path: Path) -> None:
    found = assert_harmless(spoiled(tree, tmp_path / "cut", lambda t: t[: len(t) // 2]), tree)
    assert len(found) == 1 and found[0][0] == "test000028.call_path" and found[0][1] > 1
    found = assert_harmless(spoiled(tree, tmp_path / "op", lambda t: t.replace("(Extract ", "(Xtract ", 1)), tree)
    assert "Xtract" in found[0][2]
    found = assert_harmless(
        spoiled(tree, tmp_path / "call", lambda t: t.replace("expire_items_single_map(", "expire_all(")), tree
    )
    assert "expire_all" in found[0][2] and "catalogue" in found[0][2]
    found = assert_harmless(
        spoiled(tree, tmp_path / "crlf", lambda t: t.replace("(Extract ", "(Xtract ", 1).replace("\n", "\r\n")), tree
    )
    text = (tmp_path / "crlf" / "test000028.call_path").read_bytes().decode()
    assert "Xtract" in text.split("\r\n")[found[0][1] - 1]


@pytest.mark.parametrize("other", ["policer", "bridge", "nop"])
def test_the_files_of_another_nf_are_told_from_stale_ones(tree: Path, tmp_path: Path, other: str) -> None:
    exported(nf_of(FIXTURES / other), tmp_path)
    found = assert_harmless(check(nf_of(tree / "fw"), Settings(call_paths=str(tmp_path))), tree)
    assert len(found) == 1 and "of another NF" in found[0][2] and (found[0][1] > 1 or other == "nop")


def test_mutated_files_never_harm_the_result(tree: Path, tmp_path: Path) -> None:
    rng = random.Random(7)
    tokens = ("", "(", ")", "[", "]", "0", "w", "N0:", "\n", "->", "\x00", "é", "99999999", " Eq ", "false", ",")
    for n in range(60 if FULL else 12):

        def change(text: str) -> str:
            for _ in range(rng.randint(1, 3)):
                at = rng.randrange(len(text))
                text = text[:at] + rng.choice(tokens) + text[at + rng.choice((0, 1, 5)) :]
            return text

        r = spoiled(tree, tmp_path / str(n), change)
        if r.source == "symbex":
            assert codes(r) and (assert_harmless(r, tree) or "call-paths-stale" in codes(r))
        assert r.analysis.verdict == "shared-nothing"


def test_masses_of_garbage_are_bounded(tree: Path, tmp_path: Path) -> None:
    with (tmp_path / "a.call_path").open("wb") as f:
        f.truncate(1 << 30)
    os.mkfifo(tmp_path / "b.call_path")
    (tmp_path / "c.call_path").mkdir()
    for i in range(10_000):
        (tmp_path / f"d{i:05}.call_path").write_text("garbage")
    found = assert_harmless(check(nf_of(tree / "fw"), Settings(call_paths=str(tmp_path))), tree)
    messages = [m for _, _, m in found]
    assert (
        len(found) <= 20
        and any("1073741824 bytes" in m for m in messages)
        and any("10003 call path files" in m for m in messages)
    )
    assert any("no file" in m for m in messages) and any("section" in m for m in messages)


def test_ten_thousand_good_files_are_too_many(tree: Path, tmp_path: Path) -> None:
    good = sorted((tree / "fw" / "klee-last").iterdir())
    for i in range(10_000):
        (tmp_path / f"{i:05}.call_path").hardlink_to(good[i % len(good)])
    found = assert_harmless(check(nf_of(tree / "fw"), Settings(call_paths=str(tmp_path))), tree)
    assert len(found) == 1 and "10000 call path files" in found[0][2]


# ----------------------------------------------------------------------------------------------------- without a source


def test_a_folder_of_call_paths_alone_is_analysed(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(tree / "fw" / "klee-last", tmp_path / "firewall")
    source = as_json(check(nf_of(tree / "fw"), Settings(call_paths="")))
    assert main(["check", str(tmp_path / "firewall"), "--format", "json"]) == 0
    (nf,) = json.loads(capsys.readouterr().out)["nfs"]
    assert (nf["name"], nf["source"], nf["complete"], nf["entry"]) == ("firewall", "call-paths", True, None)
    assert (nf["verdict"], nf["matrix"]) == (source["verdict"], source["matrix"])
    assert [o["name"] for o in nf["objects"]] == [o["name"].removeprefix("state->") for o in source["objects"]]
    assert {f["code"] for f in nf["findings"]} == {f["code"] for f in source["findings"]}
    assert all(f["file"].endswith(".call_path") and f["range"]["start"]["line"] > 0 for f in nf["findings"])
    assert [a["class"] for a in nf["assumes"]][-1] == "call-paths"
    report = check_call_paths(*find(tmp_path / "firewall"))
    shown = tree_of(report, Places(report, "utf-16"))
    assert shown["complete"] and len({n["id"] for n in shown["nodes"]}) == len(shown["nodes"]) > 28


def test_the_source_decides_where_call_paths_lie(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(tree / "fw", tmp_path / "fw")
    (tmp_path / "fw" / "fw_main.c").unlink()
    assert [(nf.name, nf.entry_file) for nf in find(tmp_path / "fw")] == [("fw", "")]
    assert [nf.name for nf in find(tmp_path)] == [nf.name for nf in find(tmp_path / "fw" / "klee-last")] == ["fw"]
    assert main(["check", "-q", str(tmp_path)]) == 0
    assert "fw: shared-nothing" in capsys.readouterr().out
    (tmp_path / "empty").mkdir()
    assert main(["check", str(tmp_path / "empty")]) == 2
    assert ".call_path files" in capsys.readouterr().err


def test_files_stand_in_for_sources_that_are_missing(tree: Path, tmp_path: Path) -> None:
    shutil.copytree(tree, tmp_path, dirs_exist_ok=True)
    folder = tmp_path / "fw"
    (folder / "state.c").unlink()
    r = check(nf_of(folder))
    assert (r.source, r.analysis.verdict, r.analysis.complete) == ("call-paths", "shared-nothing", True)
    assert r.comparison is not None and "alloc_state" in r.comparison.summary
    where = {
        (Path(f.span.file).name, r.text(f.span.file).line(f.span.start))
        for f in r.findings
        if f.code == "unhashed-traffic"
    }
    assert where and all(name == "fw_flows.c" for name, _ in where)  # calls stand where there is a source for them
    # a source that has another call than the files is of another version, and then nothing is promised
    text = (folder / "fw_flows.c").read_text()
    (folder / "fw_flows.c").write_text(text.replace("  map_put(state->flows, key, index);\n", "  (void)key;\n"))
    r = check(nf_of(folder))
    assert (r.source, r.analysis.verdict) == ("symbex", "unknown")
    assert codes(r) == {"call-paths-stale"} and any("map_put" in f.message for f in r.findings)
    # nor where the source is broken rather than missing
    (folder / "fw_flows.c").write_text(text.replace("int index;", "int index", 1))
    assert check(nf_of(folder)).analysis.verdict == "unknown"


def test_invalid_files_alone_promise_nothing(tree: Path, tmp_path: Path) -> None:
    shutil.copytree(tree / "fw" / "klee-last", tmp_path, dirs_exist_ok=True)
    last = sorted(tmp_path.iterdir())[-1]
    last.write_text(last.read_text()[:900])
    (nf,) = find(tmp_path)
    r = check(nf)
    assert r.analysis.verdict == "unknown" and codes(r) == {"call-paths-invalid"}


@pytest.mark.parametrize("name", SOME)
def test_a_missing_file_is_noticed_without_a_source(name: str, tmp_path: Path) -> None:
    exported(nf_of(FIXTURES / name), tmp_path)
    (nf,) = find(tmp_path)
    assert not codes(check(nf))
    files = sorted(tmp_path.iterdir())
    for f in files if FULL else random.Random(1).sample(files, min(4, len(files))):
        text = f.read_text()
        f.unlink()
        r = check(nf)
        assert r.analysis.verdict == "unknown" and codes(r) == {"call-paths-invalid"}, f.name
        f.write_text(text)


def test_only_files_that_no_packet_takes_can_be_missed(tmp_path: Path) -> None:
    """In the load balancer a flow whose backend is gone gives its index back and takes one: there is one, so it never fails to. Files
    that say otherwise must not stand for those of the packets."""
    exported(nf_of(FIXTURES / "lb"), tmp_path)
    (nf,) = find(tmp_path)
    fails, missed = [], []
    freed = [f for f in sorted(tmp_path.iterdir()) if re.search(r"^\d*:?dchain_free_index", f.read_text(), re.M)]
    for f in freed:
        text = f.read_text()
        if re.search(
            r"dchain_allocate_new_index\([^\n]*\) -> \(w32 0\)$", text.partition("dchain_free_index(")[2], re.M
        ):
            fails.append(f.name)
        f.unlink()
        if not codes(check(nf)):
            missed.append(f.name)
        f.write_text(text)
    assert len(freed) == 14 and len(fails) == 4 and missed == fails


# ----------------------------------------------------------------------------------------------------- paths and editors


def test_paths_compares_and_exports(tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(tree / "fw")
    assert main(["paths", folder]) == 0
    text = capsys.readouterr().out
    assert "test000001.call_path: path 0 of the source" in text and "which agree with the source" in text
    assert main(["paths", folder, "--format", "call-path"]) == 2
    assert "--out DIR" in capsys.readouterr().err
    out = str(tmp_path / "again")
    assert main(["paths", folder, "--format", "call-path", "--out", out]) == 0
    assert main(["paths", folder, "--format", "call-path", "--out", out]) == 2
    assert [p.read_text() for p in sorted(Path(out).iterdir())] == [
        p.read_text() for p in sorted((tree / "fw" / "klee-last").iterdir())
    ]
    capsys.readouterr()
    assert main(["paths", out, "--format", "lva"]) == 0
    lva = capsys.readouterr().out
    assert "  file         test000006.call_path" in lva and "  interface    map_get" in lva


def test_differences_are_data(tree: Path) -> None:
    path = str(tree / "fw" / "fw_flows.c")
    changed = Path(path).read_text().replace("* 1000;", "* 100;")
    data = document(check(nf_of(tree / "fw"), None, reader({path: changed})))["call_paths"]
    assert not data["agrees"] and data["only_in_files"] == data["only_in_source"] == 28
    d = data["differences"][0]
    assert (d["side"], d["path"], d["nearest"], d["call"]) == ("files", 0, 0, 0) and d["file"].endswith("fw_flows.c")
    assert "expire_items_single_map: time" in d["text"]


def test_an_editor_gets_the_paths_through_a_place(tree: Path) -> None:
    r = check(nf_of(tree / "fw"))
    flows = str(tree / "fw" / "fw_flows.c")
    text = r.text(flows)
    through = {text.text[s.start : s.end]: ns for s, ns in paths_through(r).items() if s.file == flows}
    put = "map_put(state->flows, key, index)"
    assert through[put] == tuple(p.number for p in r.paths if any(c.function == "map_put" for c in p.calls)) != ()
    learn = next(p for p in r.paths if p.number in through[put])
    assert files_of(r, learn) == [str(tree / "fw" / "klee-last" / f"test{learn.number + 1:06}.call_path")]
    covered = {n for s in lines(r, learn) if s.file == flows for n in range(text.line(s.start), text.line(s.end) + 1)}
    source = text.text.split("\n")
    assert {source.index(f"  {put};"), source.index("  *cell = inside;")} <= covered
    assert (
        source.index("    dchain_rejuvenate_index(state->chain, index, now);") not in covered
    )  # the branch that is not taken
    assert not covered & {i for i, t in enumerate(source) if "*inside = *cell" in t}


def test_a_path_is_followed_through_its_own_calls_only(tree: Path) -> None:
    for name in ("lb", "heavy-hitters", "bridge"):
        r = check(nf_of(tree / name))
        follow = r.execution.follow
        assert follow is not None
        every = {c.span for p in r.paths for c in p.calls}
        for p in r.paths[:: 1 if FULL else 7]:
            steps = follow(p)
            mine = {c.span for c in p.calls}
            covered = {
                c for c in every if any(s.file == c.file and s.start <= c.start and c.end <= s.end for s in steps)
            }
            assert covered == mine, (name, p.number)


@pytest.mark.parametrize("name", [*NFS, "heavy-hitters"])
def test_real_files_alone_can_be_checked_from_the_command_line(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path, text in texts(name):
        (tmp_path / Path(path).name).write_text(text)
    assert main(["check", str(tmp_path), "--format", "json"]) == (1 if name in ("vigbridge", "viglb") else 0)
    (nf,) = json.loads(capsys.readouterr().out)["nfs"]
    assert nf["source"] == "call-paths" and nf["complete"] and nf["devices"] == list(range(3 if name == "viglb" else 2))
    assert not any("#" in o["name"] for o in nf["objects"])
    assert main(["paths", str(tmp_path), "--format", "lva"]) == 0
    lva = capsys.readouterr().out
    assert name == "vignop" or "  dependencies " in lva
    assert main(["paths", str(tmp_path), "--format", "dot"]) == 0
    tree = capsys.readouterr().out
    assert name in ("vignop", "heavy-hitters") or re.search(r'label="found\(\w+\)", shape=diamond', tree)
