"""The formats that programs read: `check` as JSON and SARIF, `paths` as JSON, dot and libVig accesses."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from maestro_lsp.cli import main
from maestro_lsp.rss.fields import FieldError, parse
from maestro_lsp.sharding.findings import RULES

ROOT = Path(__file__).parents[2]
FIXTURES = sorted(p.parent.name for p in (ROOT / "fixtures").glob("*/expected.toml"))
SOME = ["bridge", "fw", "lb", "nat", "nop", "policer", "trap-late-expiry", "vlan-counter"]


@pytest.fixture(autouse=True)
def in_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@cache
def output(*args: str) -> str:
    """What the program prints, run in the repository."""
    command = [sys.executable, "-m", "maestro_lsp", *args]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


@cache
def everything() -> Any:
    return json.loads(output("check", "fixtures", "--format", "json", "--jobs", "2"))


def nf(name: str) -> Any:
    return next(n for n in everything()["nfs"] if n["name"] == name)


# --- JSON ---

# A shape: a type, a tuple of alternatives, [shape of all elements], {key: shape} with exactly these keys (a "?" marks one that
# may be absent), or {str: shape} for any keys
POSITION = {"line": int, "character": int}
RANGE = {"start": POSITION, "end": POSITION}
PLACE = {"file": str, "line": int}
SHAPE = {
    "schema": int,
    "tool": str,
    "nfs": [
        {
            "name": str,
            "root": str,
            "entry": (PLACE, None),
            "complete": bool,
            "source": str,
            "devices": [int],
            "paths": int,
            "objects": [{"name": str, "kind": str, "written": bool, "capacity": (int, None), "declared": (PLACE, None)}],
            "verdict": str,
            "stateless": bool,
            "matrix": [{"devices": [int], "constraint": [[[(str, int)]]], "exact?": bool, "text?": str}],
            "rss": (
                {
                    "nic": str,
                    "equal": str,
                    "tables": str,
                    "devices": [
                        {
                            "device": int,
                            "inputs": [{"option": str, "class": str, "fields": [str], "queue_bits": int}],
                            "key": str,
                            "table_size": int,
                            "index_bits": int,
                            "queue_bits": int,
                            "off": [str],
                        }
                    ],
                },
                None,
            ),
            "proof": ({"holds": bool, "checks": [str]}, None),
            "assumes": [{"class": str, "devices": [int], "why": str}],
            "deviations": [{"code": str, "why": str}],
            "roles": {str: int},
            "findings": [
                {
                    "code": str,
                    "severity": str,
                    "message": str,
                    "file": str,
                    "range": RANGE,
                    "related": [{"file": str, "range": RANGE, "message": str}],
                }
            ],
            "timings_ms": {"load": float, "symbex": float, "sharding": float, "solve": float},
        }
    ],
}  # fmt: skip


def misfit(value: Any, shape: Any, at: str = "$") -> str:
    """Where and how a value is not of a shape; nothing if it is."""
    if isinstance(shape, tuple):
        found = [misfit(value, s, at) for s in shape]
        return "" if "" in found else found[0]
    if shape is None or isinstance(shape, type):
        fits = value is None if shape is None else type(value) is shape
        return "" if fits else f"{at} is {value!r}, not {shape}"
    if isinstance(shape, list):
        if not isinstance(value, list):
            return f"{at} is no list"
        return next((m for i, v in enumerate(value) if (m := misfit(v, shape[0], f"{at}[{i}]"))), "")
    if not isinstance(value, dict):
        return f"{at} is no object"
    if str in shape:
        return next((m for k, v in value.items() if (m := misfit(v, shape[str], f"{at}.{k}"))), "")
    names = {k.removesuffix("?"): s for k, s in shape.items()}
    missing = {k for k in shape if not k.endswith("?")} - value.keys()
    if missing or value.keys() - names.keys():
        return f"{at} lacks {missing}, has {value.keys() - names.keys()} too many"
    return next((m for k, v in value.items() if (m := misfit(v, names[k], f"{at}.{k}"))), "")


def test_json_has_the_contracts_shape():
    assert misfit(everything(), SHAPE) == ""
    assert everything()["schema"] == 1
    assert [n["name"] for n in everything()["nfs"]] == FIXTURES


def test_the_shape_test_can_fail():
    broken = json.loads(json.dumps(everything()))
    broken["nfs"][3]["findings"][0]["range"]["start"]["line"] = "1"
    assert "$.nfs[3].findings[0].range.start.line" in misfit(broken, SHAPE)
    del broken["nfs"][0]["verdict"]
    assert "verdict" in misfit(broken, SHAPE)


@pytest.mark.parametrize("name", FIXTURES)
def test_json_means_what_the_contract_says(name):
    n = nf(name)
    assert n["verdict"] in ("shared-nothing", "locks", "unknown")
    assert n["root"] == f"fixtures/{name}"
    entry = (ROOT / n["entry"]["file"]).read_text().splitlines()
    assert "nf_process" in " ".join(entry[n["entry"]["line"] - 1 :][:3])
    pairs = [tuple(row["devices"]) for row in n["matrix"]]
    assert pairs == [(i, j) for i in n["devices"] for j in n["devices"] if i <= j]
    for row in n["matrix"]:
        assert all(len(pair) == 2 for c in row["constraint"] for pair in c)
        sets = [frozenset(map(tuple, c)) for c in row["constraint"]]
        assert not any(a < b for a in sets for b in sets), "absorbed conjunctions are dropped"
    for d in n["rss"]["devices"]:
        assert len(bytes.fromhex(d["key"])) == 52 and d["table_size"] == 1 << d["index_bits"]
        assert 0 <= d["queue_bits"] <= d["index_bits"]
        for i in d["inputs"]:
            for field in i["fields"]:
                try:
                    parse(field)
                except FieldError as e:
                    pytest.fail(str(e))
    for f in n["findings"]:
        assert f["severity"] == RULES[f["code"]].severity
        for place in (f, *f["related"]):
            text = (ROOT / place["file"]).read_text().splitlines()
            start, end = place["range"]["start"], place["range"]["end"]
            assert (start["line"], start["character"]) < (end["line"], end["character"])
            assert end["character"] <= len(text[end["line"]])
    keys = [(f["file"], f["range"]["start"]["line"], f["range"]["start"]["character"]) for f in n["findings"]]
    assert keys == sorted(keys)
    for o in n["objects"]:
        assert o["declared"] is None or (ROOT / o["declared"]["file"]).is_file()


def test_every_object_of_the_firewall_is_declared_where_it_is_allocated():
    lines = (ROOT / "fixtures/fw/state.c").read_text().splitlines()
    for o in nf("fw")["objects"]:
        assert f"&{o['name']})" in lines[o["declared"]["line"] - 1], o


def test_output_is_the_same_whatever_ran_before_and_however_sets_are_ordered():
    def without_times(text: str) -> Any:
        document = json.loads(text)
        for n in document["nfs"]:
            del n["timings_ms"]
        return document

    args = [f"fixtures/{name}" for name in SOME]
    documents = []
    for seed, extra in (("1", []), ("2", ["--jobs", "2"])):
        command = [sys.executable, "-m", "maestro_lsp", "check", "--format", "json", *args, *extra]
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed}, check=False
        )
        documents.append(without_times(done.stdout))
    assert json.dumps(documents[0]) == json.dumps(documents[1])
    alone = without_times(output("check", "fixtures/nat", "--format", "json"))["nfs"]
    assert alone == [n for n in documents[0]["nfs"] if n["name"] == "nat"]


def test_paths_are_relative_to_the_working_directory(monkeypatch, capsys):
    monkeypatch.chdir(ROOT / "fixtures/fw")
    main(["check", ".", "--format", "json"])
    (n,) = json.loads(capsys.readouterr().out)["nfs"]
    assert n["root"] == "." and n["entry"]["file"] == "fw_main.c"
    monkeypatch.chdir(ROOT / "fixtures/nat")
    main(["check", "../fw", "--format", "json"])
    (n,) = json.loads(capsys.readouterr().out)["nfs"]
    assert n["root"] == "../fw" and n["entry"]["file"] == "../fw/fw_main.c"


# --- SARIF ---


def sarif(*paths: str) -> Any:
    return json.loads(output("check", *paths, "--format", "sarif"))


def test_sarif_has_what_version_2_1_0_asks_for():
    log = sarif(*(f"fixtures/{name}" for name in SOME))
    assert log["version"] == "2.1.0" and "sarif-2.1.0" in log["$schema"]
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "maestro-lsp" and run["columnKind"] == "utf16CodeUnits"
    ids = [rule["id"] for rule in driver["rules"]]
    assert ids == list(RULES)
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"] and re.match(r"[a-z]+://", rule["helpUri"])
        assert rule["defaultConfiguration"]["level"] in ("none", "note", "warning", "error")
    assert run["results"]
    for result in run["results"]:
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("none", "note", "warning", "error") and result["message"]["text"]
        for place in (*result["locations"], *result.get("relatedLocations", [])):
            physical = place["physicalLocation"]
            assert (ROOT / physical["artifactLocation"]["uri"]).is_file()
            region = physical["region"]
            assert region["startLine"] >= 1 and region["startColumn"] >= 1
            assert (region["startLine"], region["startColumn"]) < (region["endLine"], region["endColumn"])


def test_sarif_says_what_json_says():
    results = sarif("fixtures/bridge")["runs"][0]["results"]
    findings = nf("bridge")["findings"]
    assert [(r["ruleId"], r["message"]["text"]) for r in results] == [(f["code"], f["message"]) for f in findings]
    assert any("relatedLocations" in r for r in results)


def test_columns_count_utf_16_units(tmp_path, capsys):
    for path in (ROOT / "fixtures").glob("nf*.[ch]"):
        shutil.copy(path, tmp_path)
    shutil.copytree(ROOT / "fixtures/first-100", tmp_path / "first-100")
    source = tmp_path / "first-100/first_main.c"
    line = next(x for x in source.read_text().splitlines() if "vector_borrow(" in x)
    source.write_text(source.read_text().replace(line, "/*\U0001f525é*/" + line))
    main(["check", str(source.parent), "--format", "sarif"])
    results = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    columns = {
        r["locations"][0]["physicalLocation"]["region"]["startColumn"] for r in results if r["ruleId"] == "global-state"
    }
    assert len("/*\U0001f525é*/") + 1 + line.index("vector_borrow") + 1 in columns


# --- paths ---


@pytest.mark.parametrize("name", SOME)
def test_paths_as_json_tell_each_path(name):
    document = json.loads(output("paths", f"fixtures/{name}", "--format", "json"))
    assert document["schema"] == 1 and document["nf"] == name and document["complete"]
    assert [p["number"] for p in document["paths"]] == list(range(nf(name)["paths"]))
    for p in document["paths"]:
        assert p["device"] in nf(name)["devices"] and p["outcome"] in ("forward", "drop", "flood")
        assert (p["output"] is None) == (p["outcome"] != "forward")
        for c in p["calls"]:
            text = (ROOT / c["file"]).read_text().splitlines()
            assert c["function"] in text[c["range"]["start"]["line"]]
            assert c["text"].startswith(c["function"] + "(")
            assert c["stack"][-1]["range"] == c["range"] and c["stack"][0]["function"] == "nf_process"


def test_paths_as_text_read_like_the_source():
    text = output("paths", "fixtures/nat")
    assert "if eth.type == 0x800" in text
    assert (
        "map_get(state->flows, {l4.src, l4.dst, ipv4.src, ipv4.dst, 0, ipv4.proto}) -> 1 value_out = index(state->flows)"
        in text
    )
    assert "if !full(state->ports)" in text
    assert "vector_borrow(state->ids, (l4.dst - 1024))" in text
    assert "writes ipv4.src = 0x1020304" in text  # --extip 1.2.3.4
    assert re.search(r"^path 0: device 0, drop$", text, re.MULTILINE)


def test_numbers_of_cells_are_the_programs_and_fields_are_of_the_wire(tmp_path):
    (tmp_path / "nf.c").write_text(
        "#include <rte_ip.h>\n#include <rte_ether.h>\n#include <libvig/verified/vector.h>\n"
        "static struct Vector *counts;\n"
        "static void zero(void *count) { *(uint32_t *)count = 0; }\n"
        "bool nf_init(void) { return vector_allocate(sizeof(uint32_t), 1, zero, &counts); }\n"
        "int nf_process(uint16_t device, uint8_t *packet, uint16_t length, int64_t now) {\n"
        "  uint32_t *count;\n"
        "  struct rte_ether_hdr *ether = (struct rte_ether_hdr *)packet;\n"
        "  struct rte_ipv4_hdr *ipv4 = (struct rte_ipv4_hdr *)(ether + 1);\n"
        "  if (ether->ether_type != rte_cpu_to_be_16(0x800) || ipv4->next_proto_id != 17 || ipv4->src_addr < 1000) return device;\n"
        "  vector_borrow(counts, 0, (void **)&count);\n"
        "  bool full = *count >= 300;\n"
        "  if (!full) *count += 1;\n"
        "  vector_return(counts, 0, count);\n"
        "  return full ? device : 1 - device;\n"
        "}\n"
    )
    text = output("paths", str(tmp_path))
    assert "if counts[...][0:4] < 300" in text
    assert "if eth.type == 0x800" in text and "if swapped(ipv4.src) < 0x3e8" in text


@pytest.mark.parametrize("name", SOME)
def test_no_path_is_shown_in_the_executors_own_terms(name):
    text = output("paths", f"fixtures/{name}")
    assert "#" not in re.sub(r"\)#\d", ")", text), "symbols have numbers only inside"
    assert "Traceback" not in text and "vector_data_reset" not in text and "packet@" not in text


@pytest.mark.parametrize("name", SOME)
def test_dot_is_the_decision_tree_with_equal_subtrees_shared(name):
    text = output("paths", f"fixtures/{name}", "--format", "dot")
    nodes = re.findall(r"^  ([nd]\d+) \[", text, re.MULTILINE)
    edges = re.findall(r"^  (\w+) -> (\w+)(?: \[label=\"(yes|no)\"\])?;$", text, re.MULTILINE)
    assert len(nodes) == len(set(nodes))
    assert {n for a, b, _ in edges for n in (a, b)} <= set(nodes)
    assert set(nodes) - {b for _, b, _ in edges} == {f"d{d}" for d in nf(name)["devices"]}
    conditions = {a for a, _, answer in edges if answer}
    assert all(sorted(answer for a, _, answer in edges if a == c) == ["no", "yes"] for c in conditions)
    leaves = set(nodes) - {a for a, _, _ in edges}
    assert 1 <= len(leaves) <= nf(name)["paths"]
    subprocess.run(["dot", "-Tcanon"], input=text, text=True, check=True, stdout=subprocess.DEVNULL)


def test_accesses_have_the_fields_of_the_thesis():
    """Listing 3.2: a map read by the IPv4 destination address, found; on the device that the policer watches."""
    blocks = [
        b for b in output("paths", "fixtures/policer", "--format", "lva").split("=====\n") if b.startswith("Access")
    ]
    records = [dict(re.findall(r"^  (\S+(?: device)?) +(.*(?:\n {4,}.*)*)$", b, re.MULTILINE)) for b in blocks]
    assert [b.split("\n")[0] for b in blocks] == [f"Access {i}" for i in range(len(records))]
    found = [r for r in records if r["interface"] == "map_get" and r["success"] == "1"]
    assert found
    for r in found:
        assert r["operation"] == "READ" and r["object"] == "state->index_of"
        assert r["read"] == "(ReadLSB w32 (w32 30) packet)"
        assert (r["layer"], r["protocol"], r["dependencies"].split()) == ("3", "2048", ["19", "18", "17", "16"])
        assert re.match(r"offset 14 expression \(ReadLSB w\d+ \(w32 14\) packet\)", r["fragments"])
        assert re.fullmatch(r"\(ReadLSB w32 \(w32 0\) allocated_index_\d+\)", r["result"])
        assert r["src device"] == "1" and r["dst device"] in ("0", "drop")
        assert re.fullmatch(r"fixtures/policer/\w+\.c:\d+", r["file"])
    puts = [r for r in records if r["interface"] == "map_put"]
    assert puts and all(re.fullmatch(r"\(ReadLSB w32 \(w32 0\) new_index_\d+\)", r["write"]) for r in puts)


def test_accesses_have_the_fields_of_the_thesis_as_data():
    accesses = json.loads(output("paths", "fixtures/policer", "--format", "json"))["accesses"]
    found = [a for a in accesses if a["interface"] == "map_get" and a["success"]]
    assert found
    for a in found:
        assert (a["operation"], a["object"], a["src_device"]) == ("read", "state->index_of", 1)
        assert a["read"] == "(ReadLSB w32 (w32 30) packet)" and "allocated_index" in a["result"] and not a["write"]
        assert a["dependencies"] == [{"layer": 3, "protocol": 2048, "bytes": [16, 17, 18, 19]}]
        assert re.fullmatch(r"fixtures/policer/\w+\.c:\d+", a["file"]) and a["dst_device"] in ("0", "drop")
    assert all("new_index" in a["write"] for a in accesses if a["interface"] == "map_put")


def test_only_call_paths_are_files_in_a_folder(tmp_path, capsys):
    assert main(["paths", "fixtures/fw", "--format", "dot", "--out", str(tmp_path)]) == 2
    assert "dot is printed: redirect it" in capsys.readouterr().err


def test_paths_want_one_nf(capsys):
    assert main(["paths", "fixtures"]) == 2
    assert re.fullmatch(r"maestro-lsp: fixtures holds \d+ NFs; name one of them: .*\n", capsys.readouterr().err)
