"""A client that notes when each message came, and that can send whatever it likes. For the hostile session and the benchmark."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

PATIENCE = 120.0
CAPABILITIES = {
    "window": {"workDoneProgress": True},
    "workspace": {
        "codeLens": {"refreshSupport": True},
        "inlayHint": {"refreshSupport": True},
        "didChangeWatchedFiles": {"dynamicRegistration": True},
    },
    "textDocument": {"publishDiagnostics": {"versionSupport": True}},
}


class Client:
    """One server and its client."""

    def __init__(
        self,
        root: Path,
        cache: str = "",
        before: Sequence[str] = (),
        stderr: Any = subprocess.DEVNULL,
        options: Sequence[str] = (),
    ) -> None:
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            [*before, sys.executable, "-m", "maestro_lsp", "serve", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env={**os.environ, "MAESTRO_LSP_CACHE": cache},
        )
        self.messages: queue.Queue[tuple[float, dict[str, Any] | None]] = queue.Queue()
        self.number = 0
        self.diagnostics: dict[str, list[Any]] = {}  # the latest of each file
        threading.Thread(target=self._read, daemon=True).start()
        folders = [{"uri": root.as_uri(), "name": root.name}]
        params = {
            "processId": os.getpid(),
            "rootUri": root.as_uri(),
            "capabilities": CAPABILITIES,
            "workspaceFolders": folders,
        }
        self.answer(self.request("initialize", params))
        self.notify("initialized", {})

    def _read(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        while line := stream.readline():
            assert line.startswith(b"Content-Length: "), line  # nothing but the protocol
            size = int(line.split(b":")[1])
            while stream.readline() != b"\r\n":
                pass
            message = json.loads(stream.read(size))
            if message.get("method") == "textDocument/publishDiagnostics":
                self.diagnostics[message["params"]["uri"]] = message["params"]["diagnostics"]
            self.messages.put((time.perf_counter(), message))
        self.messages.put((time.perf_counter(), None))

    def bytes(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send(self, message: Any) -> None:
        body = json.dumps(message).encode()
        self.bytes(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    def notify(self, method: str, params: Any) -> None:
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def request(self, method: str, params: Any) -> int:
        self.number += 1
        self.send({"jsonrpc": "2.0", "id": self.number, "method": method, "params": params})
        return self.number

    def until(self, wanted: Callable[[dict[str, Any]], Any]) -> tuple[float, dict[str, Any]]:
        """The first message that is wanted, and when it came; the server's requests are answered meanwhile."""
        ends = time.monotonic() + PATIENCE
        while True:
            at, message = self.messages.get(timeout=max(0.001, ends - time.monotonic()))
            if message is None:
                raise EOFError(f"the server ended with status {self.process.wait(10)}")
            if "method" in message and "id" in message:
                self.send({"jsonrpc": "2.0", "id": message["id"], "result": None})
            if wanted(message):
                return at, message

    def answer(self, number: int) -> tuple[float, Any]:
        """The answer to a request, an error's too, and when it came."""
        at, message = self.until(lambda m: m.get("id") == number and "method" not in m)
        return at, message.get("result", message.get("error"))

    def ask(self, method: str, params: Any) -> Any:
        return self.answer(self.request(method, params))[1]

    def open(self, path: Path, text: str | None = None) -> str:
        uri = path.as_uri()
        text = path.read_text() if text is None else text
        item = {"uri": uri, "languageId": "c", "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})
        return uri

    def change(self, uri: str, version: int, changes: list[dict[str, Any]]) -> float:
        """Send content changes; gives when."""
        at = time.perf_counter()
        document = {"uri": uri, "version": version}
        self.notify("textDocument/didChange", {"textDocument": document, "contentChanges": changes})
        return at

    def diagnosed(self, uri: str, version: int) -> float:
        """When the diagnostics of a version came."""
        return self.until(
            lambda m: (
                m.get("method") == "textDocument/publishDiagnostics"
                and m["params"]["uri"] == uri
                and m["params"].get("version") == version
            )
        )[0]

    def fresh(self, uri: str) -> dict[str, Any]:
        """The analysis of the NF of a file, once it is that of the latest texts."""
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            found: dict[str, Any] = self.ask("maestro/analysis", {"textDocument": {"uri": uri}})
            if found["state"] == "fresh":
                return found
            time.sleep(0.01)
        raise TimeoutError(f"{found['state']}: {found}")

    def stop(self) -> int:
        self.ask("shutdown", None)
        self.notify("exit", None)
        return self.process.wait(10)


def children(pid: int) -> list[int]:
    """The processes that a process started."""
    try:
        return [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
