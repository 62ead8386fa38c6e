"""A client from hell: random edits, requests and nonsense, files that come and go, processes that are killed, a full disk. The server
answers to the end, and what it says then is what a fresh server says of the final texts.

300 steps by default, 10,000 with MAESTRO_FULL=1.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from .conftest import make_tree
from .raw import Client, children

STEPS = 10_000 if os.environ.get("MAESTRO_FULL") else 300
REQUESTS = (
    "textDocument/hover", "textDocument/codeLens", "textDocument/inlayHint", "textDocument/documentSymbol",
    "textDocument/definition", "textDocument/references", "textDocument/codeAction", "textDocument/diagnostic",
    "maestro/analysis", "maestro/panel", "maestro/paths",
)  # fmt: skip
PIECES = ("x", "0", "{", "}", ";", "\n", "(", '"', "/*", "*/", "#if 1\n", "\\\n", "é", "𝔘", "\x0c", "\r\n",
          "map_get(state->flows, id, &index);", "#include \"state.h\"\n", "while (1) {}\n", "return nf_process;")  # fmt: skip


class Session:
    """What the client did to each text."""

    def __init__(self, root: Path, seed: int, **how: Any) -> None:
        self.root = root
        self.draw = random.Random(seed)
        self.client = Client(root, **how)
        self.paths = sorted(p for p in root.rglob("*.[ch]") if "libvig" not in p.parts)
        self.original = {p: p.read_bytes() for p in self.paths}
        self.texts: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        self.asked: list[int] = []
        for name in ("fw_flows.c", "fw_main.c", "fw_config.h", "nf-util.c"):
            self.open(next(p for p in self.paths if p.name == name))

    def open(self, path: Path) -> None:
        uri = path.as_uri()
        if uri not in self.texts and path.exists():
            self.client.open(path)
            self.texts[uri] = path.read_bytes().decode("utf-8", "replace")
            self.versions[uri] = 1

    def some(self) -> str:
        return self.draw.choice(sorted(self.texts))

    def position(self, text: str, offset: int) -> dict[str, int]:
        """In UTF-16 units, of text whose lines end as the protocol's."""
        before = text[:offset].replace("\r\n", "\n\0").replace("\r", "\n")  # of one length
        line = before.count("\n")
        start = before.rfind("\n") + 1
        return {"line": line, "character": len(text[start:offset].replace("\0", "").encode("utf-16-le")) // 2}

    def edit(self) -> None:
        uri = self.some()
        changes = []
        text = self.texts[uri]
        for _ in range(self.draw.choice((1, 1, 1, 3))):
            start = self.draw.randrange(len(text) + 1)
            end = min(len(text), start + self.draw.choice((0, 0, 1, 1, 2, 40)))
            if "\r\n" in text[max(0, start - 1) : end + 1]:
                end = start = 0  # between the halves of a line end there is no position
            new = self.draw.choice(PIECES)
            where = {"start": self.position(text, start), "end": self.position(text, end)}
            changes.append({"range": where, "text": new})
            text = text[:start] + new + text[end:]
        self.versions[uri] += 1
        self.client.change(uri, self.versions[uri], changes)
        self.texts[uri] = text

    def restore(self) -> None:
        """The user takes everything in a file back: so that the session does not end in rubble alone."""
        uri = self.some()
        path = next(p for p in self.paths if p.as_uri() == uri)
        self.versions[uri] += 1
        self.texts[uri] = self.original[path].decode()
        self.client.change(uri, self.versions[uri], [{"text": self.texts[uri]}])

    def request(self) -> None:
        uri = self.some()
        line = self.draw.randrange(-1, 120)
        position = {"line": max(0, line), "character": self.draw.choice((0, 3, 10, 1_000_000))}
        where = {"start": {"line": 0, "character": 0}, "end": {"line": 10_000, "character": 0}}
        params = {"textDocument": {"uri": uri}, "position": position, "range": where,
                  "context": {"diagnostics": self.client.diagnostics.get(uri, [])[:3], "includeDeclaration": True}}  # fmt: skip
        self.asked.append(self.client.request(self.draw.choice(REQUESTS), params))
        if self.draw.random() < 0.2:
            self.client.notify("$/cancelRequest", {"id": self.asked[-1]})

    def command(self) -> None:
        name = self.draw.choice(("maestro.exportRss", "maestro.openDocumentation", "maestro.nonsense"))
        argument = self.draw.choice(({"uri": "file:///nowhere"}, {}, [], 7, {"uri": 3, "form": None, "code": "../x"}))
        self.asked.append(self.client.request("workspace/executeCommand", {"command": name, "arguments": [argument]}))

    def reopen(self) -> None:
        if len(self.texts) > 1 and self.draw.random() < 0.7:
            uri = self.some()
            del self.texts[uri], self.versions[uri]
            self.client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
        else:
            self.open(self.draw.choice(self.paths))

    def files(self) -> None:
        """A file that is not open is written, deleted, or comes back."""
        path = self.draw.choice([p for p in self.paths if p.as_uri() not in self.texts] or self.paths)
        if path.as_uri() in self.texts:
            return
        kind = self.draw.choice((1, 2, 3))
        if kind == 3:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(self.original[path] + (b"\n" if kind == 2 else b""))
        self.client.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": path.as_uri(), "type": kind}]})

    def nonsense(self) -> None:
        self.client.number += 1
        number = self.client.number
        choice = self.draw.randrange(9)
        if choice == 0:
            self.client.bytes(b"Content-Length: 7\r\n\r\n{broken")
        elif choice == 1:
            self.client.bytes(b"Nonsense\r\n\r\nContent-Length: 2\r\n\r\n[]")
        elif choice == 2:
            self.client.send(
                {"jsonrpc": "2.0", "id": number, "method": "textDocument/hover", "params": {"position": "here"}}
            )
            self.asked.append(number)
        elif choice == 3:
            self.client.send({"jsonrpc": "2.0", "id": number, "method": "no/such", "params": [1, 2, 3]})
            self.asked.append(number)
        elif choice == 4:
            self.client.notify(
                "textDocument/didChange",
                {"textDocument": {"uri": "file:///never/opened.c", "version": 9}, "contentChanges": [{"text": "x"}]},
            )
        elif choice == 5:
            self.client.notify("textDocument/didChange", {"textDocument": {}, "contentChanges": 5})
        elif choice == 6:
            self.client.send({"jsonrpc": "2.0", "id": "never asked", "result": {"a": 1}})
        elif choice == 7:
            self.client.send(
                {
                    "jsonrpc": "2.0",
                    "method": "workspace/didChangeConfiguration",
                    "params": {"settings": self.draw.choice((None, 3, {"maestro": {"devices": "two", "nic": []}}))},
                }
            )
        else:
            self.client.send(
                {
                    "jsonrpc": "2.0",
                    "id": number,
                    "method": "maestro/panel",
                    "params": self.draw.choice((None, [], {"textDocument": {"uri": 4}})),
                }
            )
            self.asked.append(number)

    def kill(self) -> None:
        """Of the analysis process or of what it started, whatever is there."""
        workers = children(self.client.process.pid)
        below = [c for w in workers for c in children(w)]
        victims = below or workers
        if victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.draw.choice(victims if self.draw.random() < 0.5 else workers), signal.SIGKILL)

    def step(self) -> None:
        weighted = (
            (self.edit, 40), (self.request, 30), (self.restore, 6), (self.command, 4), (self.reopen, 6), (self.files, 4),
            (self.nonsense, 8), (self.kill, 1), (lambda: time.sleep(self.draw.random() * 0.3), 3),
        )  # fmt: skip
        self.draw.choices([act for act, _ in weighted], [w for _, w in weighted])[0]()


def settled(client: Client, uris: list[str]) -> bool:
    """Whether every file's NF is analysed, or has none (as far as is known: a server that just started finds NFs later)."""
    return all(client.ask("maestro/analysis", {"textDocument": {"uri": u}})["state"] in ("fresh", "none") for u in uris)


def findings(client: Client, paths: list[Path]) -> dict[str, list[str]]:
    """What the client was told last about each file."""
    return {p.as_uri(): sorted(map(json.dumps, client.diagnostics.get(p.as_uri()) or [])) for p in paths}


def run(root: Path, seed: int, steps: int, **how: Any) -> None:
    session = Session(root, seed, **how)
    for _ in range(steps):
        session.step()
    client = session.client
    if client.process.poll() is not None:
        raise AssertionError(f"the server ended with status {client.process.returncode}")
    waiting = set(session.asked)
    while waiting:  # every request was answered, if only by an error
        _, message = client.until(lambda m: m.get("id") in waiting and "method" not in m)
        waiting.discard(message["id"])
    for path in session.paths:
        if not path.exists():
            path.write_bytes(session.original[path])
            client.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": path.as_uri(), "type": 1}]})
    uris = sorted(session.texts)
    entries = [p.as_uri() for p in session.paths if p.name in ("fw_main.c", "bridge_main.c")]
    fresh = Client(root)
    for uri in uris:
        fresh.open(next(p for p in session.paths if p.as_uri() == uri), session.texts[uri])
    ends = time.monotonic() + 120
    calm = 0
    while calm < 10:  # they agree, and neither has more to say
        calm = calm + 1 if all(settled(c, uris + entries) for c in (client, fresh)) else 0
        said, expected = (findings(c, session.paths) for c in (client, fresh))
        if said != expected or not any(expected.values()):
            calm = 0
        if time.monotonic() > ends:
            assert said == expected
            raise AssertionError("the servers do not come to an end")
        time.sleep(0.05)
    assert client.stop() == 0
    assert fresh.stop() == 0


@pytest.mark.parametrize("seed", range(2))
def test_the_server_survives_a_hostile_session_and_ends_in_the_right(tmp_path: Path, seed: int) -> None:
    run(make_tree(tmp_path, "fw", "bridge"), seed, STEPS // 2)


def test_a_full_disk_costs_nothing_but_the_reuse(tmp_path: Path) -> None:
    root = make_tree(tmp_path, "fw")
    cache = tmp_path / "cache"
    client = Client(root, str(cache), before=("bash", "-c", 'ulimit -f 4; exec "$@"', "-"))  # files of 4 KiB at most
    uri = client.open(root / "fw" / "fw_flows.c")
    assert client.fresh(uri)["verdict"] == "shared-nothing"
    for n in range(5):
        client.change(uri, n + 2, [{"text": f"// {n}\n" + (root / "fw" / "fw_flows.c").read_text()}])
        assert client.fresh(uri)["verdict"] == "shared-nothing"
    assert client.stop() == 0
    assert not [p for p in cache.iterdir() if p.stat().st_size > 0]


def test_results_outlive_a_session_and_damaged_ones_are_made_again(tmp_path: Path) -> None:
    root = make_tree(tmp_path, "fw")
    cache = tmp_path / "cache"
    for damage in (None, b"", b"rubbish", "cut"):
        for path in cache.iterdir() if cache.exists() and damage is not None else ():
            data = path.read_bytes()
            path.write_bytes(data[: len(data) // 2] if damage == "cut" else damage)  # type: ignore[arg-type]
        client = Client(root, str(cache))
        uri = client.open(root / "fw" / "fw_flows.c")
        assert client.fresh(uri)["verdict"] == "shared-nothing"
        assert client.stop() == 0
    assert cache.exists() and any(cache.iterdir())


@pytest.mark.parametrize("victim", ["worker", "child"])
def test_a_killed_process_costs_one_analysis(tmp_path: Path, victim: str) -> None:
    client = Client(make_tree(tmp_path, "lb"))
    path = next(Path(p) for p in (tmp_path / "Werk stück 測試" / "lb").glob("lb_balancer.c"))
    uri = client.open(path)
    client.fresh(uri)
    for n in range(3):
        client.change(uri, n + 2, [{"text": path.read_text() + f"// {n}\n"}])
        ends = time.monotonic() + 30
        while time.monotonic() < ends:
            (worker,) = children(client.process.pid) or [0]
            below = children(worker)
            if worker and (victim == "worker" or below):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(worker if victim == "worker" else below[-1], signal.SIGKILL)
                break
        assert client.fresh(uri)["name"] == "lb"
    assert client.stop() == 0


def test_an_analysis_without_end_is_dropped_and_reported_and_the_next_edit_starts_anew(tmp_path: Path) -> None:
    client = Client(make_tree(tmp_path, "fw"))
    path = tmp_path / "Werk stück 測試" / "fw" / "fw_flows.c"
    uri = client.open(path)
    client.fresh(uri)
    client.notify("workspace/didChangeConfiguration", {"settings": {"maestro": {"timeLimit": 6, "prove": False}}})
    client.change(uri, 2, [{"text": path.read_text() + "// 2\n"}])
    (worker,) = children(client.process.pid)
    os.kill(worker, signal.SIGSTOP)  # it hangs
    _, told = client.until(lambda m: m.get("method") == "window/showMessage")
    assert "took longer than 6 s" in told["params"]["message"] and "fw" in told["params"]["message"]
    client.change(uri, 3, [{"text": path.read_text() + "// 3\n"}])
    assert client.fresh(uri)["verdict"] == "shared-nothing"
    assert client.stop() == 0


def test_the_server_and_its_processes_end_with_the_client(tmp_path: Path) -> None:
    client = Client(make_tree(tmp_path, "fw"))
    client.fresh(client.open(tmp_path / "Werk stück 測試" / "fw" / "fw_flows.c"))
    pids = [client.process.pid, *children(client.process.pid)]
    pids += [c for p in pids[1:] for c in children(p)]
    assert client.process.stdin is not None
    client.process.stdin.close()
    assert client.process.wait(10) == 1
    ends = time.monotonic() + 10
    while time.monotonic() < ends and any(alive(pid) for pid in pids):
        time.sleep(0.05)
    assert not [pid for pid in pids if alive(pid)]


def alive(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def test_a_killed_server_leaves_no_processes(tmp_path: Path) -> None:
    client = Client(make_tree(tmp_path, "fw"))
    client.fresh(client.open(tmp_path / "Werk stück 測試" / "fw" / "fw_flows.c"))
    pids = children(client.process.pid)
    pids += [c for p in pids for c in children(p)]
    client.process.kill()
    ends = time.monotonic() + 10
    while time.monotonic() < ends and any(alive(pid) for pid in pids):
        time.sleep(0.05)
    assert not [pid for pid in pids if alive(pid)]


def test_a_header_that_changes_while_it_is_first_read_is_read_again(tmp_path: Path) -> None:
    root = make_tree(tmp_path, "bridge")
    client = Client(root)
    main, header = root / "bridge" / "bridge_main.c", root / "extra.h"
    text, macros = main.read_text(), "#define EVERYWHERE FLOOD_FRAME\n"
    header.write_text(macros)
    reading = '#include "../extra.h"\n' + text.replace("return FLOOD_FRAME", "return EVERYWHERE")
    uri, header_uri = client.open(main), client.open(header)
    for version, delay in enumerate((0, 0.005, 0.01, 0.02, 0.04, 0.08), 2):
        client.change(uri, 2 * version, [{"text": text}])
        client.change(header_uri, 2 * version, [{"text": macros}])
        client.fresh(uri)  # of what does not read the header
        client.change(uri, 2 * version + 1, [{"text": reading}])
        time.sleep(delay)
        client.change(header_uri, 2 * version + 1, [{"text": "\n"}])
        ends = time.monotonic() + 5
        while not any("EVERYWHERE" in d["message"] for d in client.diagnostics.get(uri, [])):
            assert time.monotonic() < ends, (delay, client.diagnostics.get(uri))
            client.ask("maestro/analysis", {"textDocument": {"uri": uri}})
    assert client.stop() == 0


def test_an_nf_that_is_written_in_an_open_file_is_found(tmp_path: Path) -> None:
    root = make_tree(tmp_path, "bridge")
    main = root / "bridge" / "bridge_main.c"
    text = main.read_text()
    main.write_text("\n")
    client = Client(root)
    uri = client.open(main)
    assert client.ask("maestro/analysis", {"textDocument": {"uri": uri}})["state"] == "none"
    client.change(uri, 2, [{"text": text}])
    ends = time.monotonic() + 5
    while client.ask("maestro/analysis", {"textDocument": {"uri": uri}})["state"] != "fresh":
        assert time.monotonic() < ends
    assert client.stop() == 0
