"""The event loop's side of the worker process: starts it, feeds it, hands on what it says, and starts it anew when it is gone."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .wire import HEADER, frame

logger = logging.getLogger(__name__)

_TOLD_AFTER = 5  # restarts in a row, each before an answer came
_MOST_SECONDS = 10.0  # between restarts
_PACKAGE = Path(__file__).parents[3]

Listener = Callable[[tuple[Any, ...]], None]


def spawn() -> subprocess.Popen[bytes]:
    """Start a worker process. It needs some 0.3 s to get ready; what it is told meanwhile waits in its pipe."""
    path = os.pathsep.join(p for p in (str(_PACKAGE), os.environ.get("PYTHONPATH")) if p)
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "maestro_lsp.server.engine.worker"],  # -P: a folder's json.py is not ours
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "0"},
        start_new_session=True,
    )


class Engine:
    """A worker process and its jobs.

    listener  is called with each answer (see `worker`), and with ("lost", ready) when the process died, having started up or
              not, and was started anew: what was under way is lost, and it knows no unsaved texts; with ("dying",) when it dies again and again
    """

    def __init__(self, listener: Listener, process: subprocess.Popen[bytes] | None = None) -> None:
        self._listener = listener
        self._process = process
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._waiting: list[bytes] = []
        self._restarts = 0
        self.ready = False  # whether the process has started up
        self._stopped = False
        self._job = 0

    @property
    def pid(self) -> int | None:
        """Of the worker process."""
        return self._process.pid if self._process is not None else None

    async def start(self) -> None:
        """Connect to the process, starting it if there is none."""
        loop = asyncio.get_running_loop()
        process = self._process or spawn()
        self._process = process
        assert process.stdin is not None and process.stdout is not None
        reader = asyncio.StreamReader(limit=1 << 20)
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), process.stdout)
        transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, process.stdin)
        self._writer = asyncio.StreamWriter(transport, protocol, None, loop)
        for data in self._waiting:
            self._writer.write(data)
        self._waiting.clear()
        self._reading = asyncio.create_task(self._read(reader))

    def stop(self) -> None:
        """End the process and whatever it started."""
        self._stopped = True
        if self._writer is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._writer.close()
        self._kill()

    def restart(self) -> None:
        """End the process; a new one takes its place."""
        self._restarts = 0
        self._kill()

    def _kill(self) -> None:
        process = self._process
        if process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(1)

    # ------------------------------------------------------------------------------------------------------- messages

    def buffers(self, texts: dict[str, str | None]) -> None:
        """Unsaved texts; None: the file counts again."""
        self._send("buffers", texts)

    def begin(self, task: str, arguments: dict[str, Any]) -> int:
        """Start a job; gives its number."""
        self._job += 1
        self._send("start", self._job, task, arguments)
        return self._job

    def follow(self, job: int, what: str, arguments: dict[str, Any]) -> None:
        """Ask the resting child of a job."""
        self._send("follow", job, what, arguments)

    def cancel(self, job: int) -> None:
        """Drop a job."""
        self._send("cancel", job)

    def _send(self, *message: Any) -> None:
        data = frame(*message)
        if self._writer is None:
            self._waiting.append(data)
        elif not self._writer.is_closing():
            self._writer.write(data)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        import marshal

        try:
            while True:
                size = HEADER.unpack(await reader.readexactly(HEADER.size))[0]
                message = marshal.loads(await reader.readexactly(size))
                self._restarts = 0
                self.ready = True
                try:
                    self._listener(message)
                except Exception:
                    logger.exception("while handling %r", message[:3])
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except Exception:
            logger.exception("the analysis process said something that makes no sense")
        if not self._stopped:
            await self._again()

    async def _again(self) -> None:
        """The process is gone: clean up and start another."""
        self._kill()
        self._process = None
        self._writer = None
        self._waiting.clear()
        was_ready, self.ready = self.ready, False
        self._restarts += 1
        logger.warning("the analysis process ended; starting another")
        if self._restarts == _TOLD_AFTER:
            self._listener(("dying",))
        await asyncio.sleep(min(_MOST_SECONDS, 0.05 * 2**self._restarts) if self._restarts > 1 else 0)
        await self.start()
        self._listener(("lost", was_ready))
