"""How the server is started and ended."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from pathlib import Path

from .conftest import make_tree
from .raw import Client


def test_tcp_serves_one_client_on_the_loopback_interface_and_ends_with_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "maestro_lsp", "serve", "--tcp", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    ends = time.monotonic() + 60
    while True:
        try:
            connection = socket.create_connection(("127.0.0.1", port))
            break
        except ConnectionRefusedError:
            assert time.monotonic() < ends and process.poll() is None
            time.sleep(0.05)

    def say(message: dict[str, object]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        connection.sendall(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    root = make_tree(tmp_path, "nop").as_uri()
    say({"id": 1, "method": "initialize", "params": {"processId": None, "rootUri": root, "capabilities": {}}})
    with connection, connection.makefile("rb") as stream:
        size = int(stream.readline().split(b":")[1])
        while stream.readline() != b"\r\n":
            pass
        assert json.loads(stream.read(size))["result"]["serverInfo"]["name"] == "maestro-lsp"
    assert process.wait(20) in (0, 1)
    assert process.stdout is not None and process.stdout.read() == b""


def test_what_is_printed_never_reaches_the_client(tmp_path: Path) -> None:
    root = make_tree(tmp_path, "fw")
    client = Client(root, stderr=subprocess.PIPE)  # it asserts that every byte is of the protocol
    client.fresh(client.open(root / "fw" / "fw_main.c"))
    assert client.stop() == 0


def test_an_exit_without_a_shutdown_is_an_error(tmp_path: Path) -> None:
    client = Client(make_tree(tmp_path, "nop"))
    client.notify("exit", None)
    assert client.process.wait(20) == 1


def test_what_editors_pass_by_habit_is_accepted(tmp_path: Path) -> None:
    client = Client(make_tree(tmp_path, "nop"), options=["--stdio"])
    assert client.stop() == 0


def test_a_system_that_cannot_fork_is_told_so_in_one_line(tmp_path: Path) -> None:
    program = "import os, sys; del os.fork; from maestro_lsp.cli import main; sys.exit(main(['serve']))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.count("\n") == 1 and "the language server needs Linux, macOS or WSL" in run.stderr
