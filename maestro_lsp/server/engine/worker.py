"""The worker process: analyses NFs for the language server.

It reads messages on its standard input and answers on its standard output (see `wire`). For each analysis it parses what
changed and then forks a child that executes, judges and renders. Whatever happens to that child (an endless loop, a crash, a
newer edit) costs nothing else, and it can be dropped at once, inside any C code. A child that has answered rests with its
report in memory, for what is only wanted later: call paths, the matrix panel, the proof.

    ("buffers", {path: text or None})        unsaved texts that win over files; None: the file counts again
    ("start", job, kind, arguments)          "discover", or one of `tasks.TASKS`
    ("follow", job, what, arguments)         ask a resting child
    ("cancel", job)                          drop it
  answers
    ("part", job, name, data)                a result, in several parts
    ("rest", job)                            all that was asked for has been said
    ("failed", job, why)
    ("end", job)                             the child is gone
    ("ready",)                               once, at the start
"""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import selectors
import signal
import sys
import time
import traceback
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, NoReturn

from ... import workspace
from ...libvig.catalogue import Catalogue
from ...source.program import Program
from ...source.text import Read
from ...symbex.link import compile_ahead
from . import cache as caches
from . import tasks
from .wire import Frames, frame, send

_PROGRAMS = 6  # parsed programs kept for the next edit
_CPU_SECONDS = 600  # of a child that nobody stops any more
_MEMORY_BYTES = 4 << 30  # of address space
_IDLE_SECONDS = 0.5  # after which memory is tidied
_LOADS = (10, 60)  # programs loaded until that is worth it when idle, and in any case


@dataclass
class _Child:
    job: int
    pid: int
    results: int  # descriptor
    commands: int  # descriptor
    kind: str
    name: str = ""  # of its results in the cache
    entry: str = ""
    frames: Frames = field(default_factory=Frames)
    failed: bool = False


class Worker:
    """The loop of the worker process."""

    def __init__(self, commands: int, answers: int) -> None:
        self.commands = commands
        self.answers = answers
        self.selector = selectors.DefaultSelector()
        self.selector.register(commands, selectors.EVENT_READ, None)
        self.incoming = Frames()
        self.buffers: dict[str, str] = {}
        self.programs: OrderedDict[str, Program] = OrderedDict()
        # entry file -> names that helper sources were loaded for, and functions that were run
        self.ahead: dict[str, tuple[tuple[str, ...], tuple[tuple[str, str], ...]]] = {}
        self.children: dict[int, _Child] = {}
        self.cache = caches.Cache(caches.folder())
        self.loads = 0

    def run(self) -> None:
        """Until the server is gone."""
        self.answer("ready")
        while True:
            ready = self.selector.select(_IDLE_SECONDS if self.loads >= _LOADS[0] else None)
            if not ready or self.loads >= _LOADS[1]:
                self.tidy()
            for key, _ in ready:
                if key.data is not None:
                    if key.data.job in self.children:
                        self.relay(key.data)
                elif not self.incoming.read(self.commands):
                    for child in list(self.children.values()):
                        self.end(child)
                    return
            messages = list(self.incoming.messages())
            dropped = {m[1] for m in messages if m[0] == "cancel"}  # while typing fast: not even begun
            for message in messages:
                if message[0] != "start" or message[1] not in dropped:
                    self.obey(message)

    def answer(self, *message: Any) -> None:
        send(self.answers, frame(*message))

    def obey(self, message: tuple[Any, ...]) -> None:
        kind, *rest = message
        if kind == "buffers":
            for path, text in rest[0].items():
                if text is None:
                    self.buffers.pop(path, None)
                else:
                    self.buffers[path] = text
        elif kind == "start":
            job, task, arguments = rest
            try:
                self.start(job, task, arguments)
            except Exception:
                self.answer("failed", job, traceback.format_exc())
                self.answer("end", job)
        elif kind == "follow":
            child = self.children.get(rest[0])
            if child is not None:
                try:
                    send(child.commands, frame(*rest[1:]))
                except BrokenPipeError:
                    self.died(child)
        elif kind == "cancel":
            child = self.children.get(rest[0])
            if child is not None:
                self.end(child)

    # ------------------------------------------------------------------------------------------------------------ jobs

    def start(self, job: int, task: str, arguments: dict[str, Any]) -> None:
        log: dict[str, str | None] = {}
        read = workspace.noting(workspace.reader(self.buffers), log)
        if task == "discover":
            self.answer("part", job, "nfs", tasks.discover(arguments, read))
            self.answer("end", job)
            return
        request = tasks.Request(arguments, read, log)
        nf = request.find()
        if nf is None:
            self.answer("part", job, "gone", tasks.discover({"paths": [request.place]}, read))
            self.answer("end", job)
            return
        if nf.entry_file:
            request.program = self.program(nf, read)
        before = {path: caches.digest(text) for path, text in sorted(log.items())}
        request.keyed = frozenset(before)
        name = caches.key(nf, arguments.get("settings"), arguments.get("encoding"), request.recorded, before)
        part = "facts" if task == "analyse" else task
        known = self.cache.get(name, read)
        if known is not None and part in known:
            self.answer("part", job, part, known[part])
            self.answer("end", job)
            return
        self.fork(job, task, request, name)

    def program(self, nf: workspace.NfSources, read: Read) -> Program:
        """The NF's program, parsed and compiled; what did not change since the last time is not parsed and compiled again."""
        entry = nf.entry_file
        program = workspace.load(nf, read, self.programs.pop(entry, None))
        helpers, functions = self.ahead.get(entry, ((), ()))
        program.parse_ahead(helpers)
        compile_ahead(program, Catalogue.builtin(), functions)
        self.programs[entry] = program
        if len(self.programs) > _PROGRAMS:
            self.programs.popitem(last=False)
        self.loads += 1
        return program

    def fork(self, job: int, task: str, request: tasks.Request, name: str) -> None:
        results, results_end = os.pipe()
        commands_end, commands = os.pipe()
        gc.freeze()  # a collection in the child would copy every page
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            self.close_inherited(results, commands)
            _child(job, task, request, commands_end, results_end)
        os.close(results_end)
        os.close(commands_end)
        child = _Child(job, pid, results, commands, task, name, request.entry)
        self.children[job] = child
        self.selector.register(results, selectors.EVENT_READ, child)

    def close_inherited(self, *others: int) -> None:
        """In a child: leave alone what belongs to the worker."""
        self.selector.close()
        for fd in (self.commands, self.answers, *others):
            os.close(fd)
        for child in self.children.values():
            os.close(child.results)
            os.close(child.commands)

    def relay(self, child: _Child) -> None:
        """Pass on what a child says, and keep it."""
        open_ = child.frames.read(child.results)
        for message in child.frames.messages():
            if message[0] == "keep":
                _, extras, ahead, parts = message
                for name, data in parts.items():
                    self.answer("part", child.job, name, data)
                self.ahead[child.entry] = ahead
                self.cache.put(child.name, extras, parts)
            elif message[0] == "add":
                self.answer("part", child.job, message[1], message[2])
                self.cache.add(child.name, message[1], message[2])
            else:
                child.failed = child.failed or message[0] == "failed"
                self.answer(message[0], child.job, *message[1:])
        if not open_:
            self.died(child)

    def end(self, child: _Child) -> None:
        """Stop a child and forget it."""
        self.forget(child)
        self.answer("end", child.job)

    def died(self, child: _Child) -> None:
        """A child is gone that nobody stopped."""
        status = self.forget(child)
        if not child.failed:
            self.answer("failed", child.job, _reason(status))
        self.answer("end", child.job)

    def forget(self, child: _Child) -> int:
        """Make sure that a child is gone; gives the status that it ended with."""
        del self.children[child.job]
        self.selector.unregister(child.results)
        os.close(child.results)
        os.close(child.commands)
        os.kill(child.pid, signal.SIGKILL)  # no harm if it has ended: its number is its own until it is waited for
        return os.waitpid(child.pid, 0)[1]

    def tidy(self) -> None:
        """Collect what old programs left behind; nothing waits for it."""
        self.loads = 0
        gc.unfreeze()
        gc.collect()
        gc.freeze()


def _reason(status: int) -> str:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        try:
            return f"the process was ended by {signal.Signals(number).name}"
        except ValueError:
            return f"the process was ended by signal {number}"
    return f"the process ended with status {os.WEXITSTATUS(status)}"


# ---------------------------------------------------------------------------------------------------------- in the child


def _child(job: int, task: str, request: tasks.Request, commands: int, results: int) -> NoReturn:
    """Do the task, then what follows, and end with the process."""
    status = 0
    try:
        gc.set_threshold(100_000, 20, 50)
        if task in tasks.UNHURRIED:
            os.nice(10)
        _limit(resource.RLIMIT_CPU, _CPU_SECONDS)
        _limit(resource.RLIMIT_AS, _MEMORY_BYTES)
        incoming = Frames()
        wanted: list[tuple[str, dict[str, Any]]] = [(task, request.arguments)]
        while True:
            for what, arguments in wanted:
                for message in tasks.TASKS[what](request, arguments):
                    send(results, frame(*message))
            send(results, frame("rest"))
            if not incoming.read(commands):
                break
            wanted = list(incoming.messages())
    except (BrokenPipeError, KeyboardInterrupt):
        status = 1
    except BaseException:
        send(results, frame("failed", traceback.format_exc()))
        status = 1
    finally:
        os._exit(status)


def _limit(what: int, value: int) -> None:
    _, hard = resource.getrlimit(what)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(what, (value, hard))


def main() -> None:
    """Run on standard input and output, which nothing else gets to use."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    commands, answers = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    started = time.monotonic()
    tasks.warm_up()
    print(f"worker ready after {time.monotonic() - started:.2f} s", file=sys.stderr)
    gc.collect()
    gc.freeze()
    with contextlib.suppress(BrokenPipeError):
        Worker(commands, answers).run()


if __name__ == "__main__":
    main()
