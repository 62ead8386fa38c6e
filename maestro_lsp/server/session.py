"""One client's session: open texts, the NFs of its folders, what the worker is doing, and what the client was told.

The newest change wins: the NF of a changed file is analysed at once, and whatever the worker did for an older version of it is
dropped. One NF is analysed at a time, the one that the user touched last first.
"""

from __future__ import annotations

import asyncio
import logging
import posixpath
from collections.abc import Callable, Iterable
from typing import Any

from . import settings as editor
from .documents import Documents, path_of
from .engine.client import Engine
from .nfs import PROJECT_FILES, Facts, Nf, Nfs

logger = logging.getLogger(__name__)

_HEALS_AFTER = 10.0  # seconds until a crashed analysis is tried once more
_STARTS_WITHIN = 30.0  # seconds for the worker to start up
_ENDS_WITHIN = 3.0  # seconds for the worker to drop a job
_ATTEMPTS = 4  # of one version, when the process crashes


class Superseded(Exception):
    """What was asked for will not be answered."""


class Listener:
    """What a session tells: all methods do nothing unless overridden."""

    def analysed(self, nf: Nf, old: Facts | None) -> None:
        """An NF has new facts (or none any more)."""

    def status(self) -> None:
        """The state of some NF changed."""

    def told_more(self, nf: Nf) -> None:
        """Something else is known about an NF: its proof."""

    def trouble(self, message: str) -> None:
        """Something the user should know."""


class Session:
    """See the module."""

    def __init__(self, listener: Listener, engine: Callable[[Callable[[tuple[Any, ...]], None]], Engine]) -> None:
        self.documents = Documents()
        self.nfs = Nfs()
        self.folders: dict[str, str] = {}  # address -> path
        self.settings = editor.EditorSettings()
        self.folder_settings: dict[str, editor.EditorSettings] = {}  # by path of the folder
        self.listener = listener
        self.engine = engine(self._answered)
        self._clock = 0
        self._current: Nf | None = None
        self._changed: set[str] = set()  # paths, since the current analysis began
        self._discoveries: dict[int, tuple[str, ...]] = {}
        self._asked: dict[int, list[tuple[str, asyncio.Future[Any]]]] = {}  # of resting children
        self._timer: asyncio.TimerHandle | None = None
        self._ending: set[int] = set()  # jobs that took too long, until they are gone
        self._versions: dict[str, int] = {}

    # ---------------------------------------------------------------------------------------------------- open texts

    def opened(self, uri: str, version: int, text: str) -> None:
        document = self.documents.open(uri, version, text)
        self._text_changed(document.path, text)
        if document.path and not self.nfs.showing(document.path):
            self.discover((document.path,))

    def changed(self, uri: str, version: int, changes: Iterable[Any]) -> None:
        document = self.documents.change(uri, version, changes)
        if document is not None:
            self._text_changed(document.path, document.text)
            if "nf_process" in document.text and not self.nfs.showing(document.path):  # an NF is being written
                self.discover((document.path,))
        else:
            logger.warning("a change of %s, which is not open", uri)

    def closed(self, uri: str) -> None:
        document = self.documents.close(uri)
        if document is not None:
            self._text_changed(document.path, None)
            self._forget_strangers()

    def saved(self, uri: str) -> None:
        """Clients that watch no files at least say what they save."""
        self.files_changed((path_of(uri),))

    def _text_changed(self, path: str, text: str | None) -> None:
        if path:
            self.engine.buffers({path: text})
            self.touch(path)

    def _forget_strangers(self) -> None:
        """Drop NFs outside of all folders that no open text belongs to any more."""
        for nf in self.nfs:
            if self._is_stranger(nf) and not any(nf in self.nfs.showing(d.path) for d in self.documents):
                self._remove(nf)

    def _is_stranger(self, nf: Nf) -> bool:
        return not any(nf.root == f or nf.root.startswith(f.rstrip("/") + "/") for f in self.folders.values())

    # -------------------------------------------------------------------------------------------- files and folders

    def files_changed(self, paths: Iterable[str]) -> None:
        """Files were written, made, renamed or deleted."""
        unknown = set()
        for path in paths:
            if not path:
                continue
            name = posixpath.basename(path)
            if name in PROJECT_FILES:
                for nf in self.nfs:
                    if nf.root.startswith(posixpath.dirname(path).rstrip("/") + "/") or nf.root == posixpath.dirname(
                        path
                    ):
                        self._make_dirty(nf)
            elif self.documents.at(path) is None:
                self.touch(path)
            if not self.nfs.showing(path):
                if name.endswith((".c", ".h")):
                    unknown.add(path)
                elif name.endswith(".call_path"):  # KLEE writes many at once
                    unknown.add(posixpath.dirname(path))
        if unknown:
            self.discover(tuple(sorted(unknown)))
        self.pump()

    def set_folders(self, uris: Iterable[str]) -> None:
        """The workspace's folders."""
        for uri in uris:
            path = path_of(uri)
            if path:
                self.folders[uri] = path.rstrip("/") or "/"
        self.discover(tuple(self.folders.values()))

    def remove_folders(self, uris: Iterable[str]) -> None:
        for uri in uris:
            self.folders.pop(uri, None)
        self._forget_strangers()

    def set_settings(
        self, given: editor.EditorSettings, folders: dict[str, editor.EditorSettings] | None = None
    ) -> None:
        """New settings; what they concern is analysed anew."""
        before = {nf.entry: self.settings_of(nf) for nf in self.nfs}
        self.settings = given
        self.folder_settings = folders or {}
        for nf in self.nfs:
            if self.settings_of(nf).analysis != before[nf.entry].analysis:
                self._make_dirty(nf)
        for problem in given.problems:
            self.listener.trouble(problem)
        self.pump()

    def settings_of(self, nf: Nf) -> editor.EditorSettings:
        """The settings that hold for an NF: those of the innermost folder that it lies in."""
        inside = [f for f in self.folder_settings if nf.root == f or nf.root.startswith(f.rstrip("/") + "/")]
        return self.folder_settings[max(inside, key=len)] if inside else self.settings

    def sets_nic(self, nf: Nf) -> bool:
        """Whether the client's settings say which NIC an NF runs on."""
        return "nic" in self.settings_of(nf).analysis

    def restart(self) -> None:
        """Analyse everything anew, by a new process."""
        self.engine.restart()
        for nf in self.nfs:
            self._make_dirty(nf)
        self.pump()

    # ------------------------------------------------------------------------------------------------------ analysis

    def touch(self, path: str) -> None:
        """A file's text changed."""
        self._changed.add(path)
        for nf in self.nfs:
            if nf.depends_on(path):
                self._make_dirty(nf)
        self.pump()

    def _make_dirty(self, nf: Nf) -> None:
        self._clock += 1
        nf.touched = self._clock
        nf.failures = 0
        if not nf.dirty:
            nf.dirty = True
            self.listener.status()
        self._drop(nf)

    def _drop(self, nf: Nf) -> None:
        """Stop whatever is done for an older version of an NF."""
        if nf.job is not None:
            self.engine.cancel(nf.job)
            nf.job = None
            self._free(nf)
        self._rest_no_more(nf, "the NF changed")
        for what in list(nf.beside):
            self.stop_beside(nf, what)

    def pump(self) -> None:
        """Start the analysis that is due."""
        if self._current is not None:
            return
        due = [nf for nf in self.nfs if nf.dirty and self._wanted(nf)]
        if not due:
            return
        nf = max(due, key=lambda nf: (nf.touched, self._is_open(nf)))
        for other in self.nfs:
            if other is not nf and other.resting not in self._asked:
                self._rest_no_more(other, "another NF was analysed")  # one report in memory is enough
        nf.dirty = False
        nf.alternatives = {}
        nf.proof, nf.proof_text = "none", ""
        self._versions = {d.path: d.version for d in self.documents if d.path}
        nf.job = self.engine.begin("analyse", self._arguments(nf))
        self._current = nf
        self._changed.clear()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(
            self.settings.limit + (0 if self.engine.ready else _STARTS_WITHIN), self._overdue, nf, nf.job
        )

    @property
    def idle(self) -> bool:
        """Whether nothing is being analysed."""
        return self._current is None

    def _wanted(self, nf: Nf) -> bool:
        return self.settings_of(nf).workspace or self._is_open(nf)

    def _is_open(self, nf: Nf) -> bool:
        return any(d.path and nf.depends_on(d.path) for d in self.documents)

    def _arguments(self, nf: Nf) -> dict[str, Any]:
        settings = dict(self.settings_of(nf).analysis)
        return {"entry": nf.entry, "settings": settings, "encoding": str(self.documents.encoding)}

    def _free(self, nf: Nf) -> None:
        """An NF is not being analysed any more."""
        if self._current is not nf:
            return
        self._current = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _overdue(self, nf: Nf, job: int) -> None:
        if nf.job == job:
            self.engine.cancel(job)
            self._ending.add(job)
            asyncio.get_running_loop().call_later(_ENDS_WITHIN, self._ended, job)
            nf.failures = _ATTEMPTS
            self._failed(nf, f"the analysis took longer than {self.settings.limit:.0f} s")

    def _ended(self, job: int) -> None:
        """A job that was dropped must be gone by now; else the process that should have dropped it hangs itself."""
        if job in self._ending:
            logger.error("the analysis process does not answer")
            self.engine.restart()

    def _failed(self, nf: Nf, why: str) -> None:
        """An analysis crashed or hung. Once more, in case it was not its own fault, then not before the next change."""
        nf.job = None
        self._free(nf)
        nf.failures += 1
        last = why.strip().splitlines()[-1] if why.strip() else "no reason is known"
        nf.message = f"{nf.name} could not be analysed: {last}"
        logger.error("%s\n%s", nf.message, why)
        if nf.failures < _ATTEMPTS:
            nf.dirty = True
        else:
            self.listener.trouble(f"{nf.message}. The next edit starts it again.")
            if nf.failures == _ATTEMPTS:  # it crashed; perhaps the machine had no memory left
                asyncio.get_running_loop().call_later(_HEALS_AFTER, self._try_again, nf, nf.touched)
        self.listener.status()
        self.pump()

    def _try_again(self, nf: Nf, touched: int) -> None:
        if nf.touched == touched and nf.state == "failed" and self.nfs.get(nf.entry) is nf:
            nf.dirty = True
            self.pump()

    def discover(self, paths: tuple[str, ...]) -> None:
        """Look for NFs at paths."""
        if paths:
            self._discoveries[self.engine.begin("discover", {"paths": paths})] = paths

    def _remove(self, nf: Nf) -> None:
        self._drop(nf)
        self.nfs.remove(nf)
        old, nf.facts = nf.facts, None
        self.listener.analysed(nf, old)
        self.listener.status()

    # ---------------------------------------------------------------------------------------------- what is asked for

    def ask(self, nf: Nf, what: str, arguments: dict[str, Any] | None = None) -> asyncio.Future[Any]:
        """Have the worker say more about the latest analysis of an NF. The future raises Superseded if that is not the latest
        any more, or could not be done."""
        given = {**self._arguments(nf), **(arguments or {})}
        if nf.resting is None:  # its report is gone: it came from the cache, or other NFs took its place
            nf.resting = self.engine.begin(what, given)
        else:
            self.engine.follow(nf.resting, what, given)
        return self._promise(nf.resting, what)

    def ask_beside(self, nf: Nf, what: str, arguments: dict[str, Any] | None = None) -> asyncio.Future[Any]:
        """The same by a process of its own, for what takes long. Only one of a kind at a time for an NF."""
        self.stop_beside(nf, what)
        job = nf.beside[what] = self.engine.begin(what, {**self._arguments(nf), **(arguments or {})})
        answer = self._promise(job, what)

        def done(_: Any) -> None:
            self.engine.cancel(job)  # else the process would rest with its report
            if nf.beside.get(what) == job:
                del nf.beside[what]

        answer.add_done_callback(done)
        return answer

    def stop_beside(self, nf: Nf, what: str) -> None:
        """Stop what `ask_beside` started."""
        job = nf.beside.pop(what, None)
        if job is not None:
            self.engine.cancel(job)
            self._break_promises(job, "it was stopped")

    def _promise(self, job: int, what: str) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._asked.setdefault(job, []).append((what, future))
        return future

    def _break_promises(self, job: int, why: str) -> None:
        for _, future in self._asked.pop(job, ()):
            if not future.done():
                future.set_exception(Superseded(why))

    def _rest_no_more(self, nf: Nf, why: str) -> None:
        """Let go of the report in memory; what was asked about it will not be answered."""
        if nf.resting is not None:
            self.engine.cancel(nf.resting)
            self._break_promises(nf.resting, why)
            nf.resting = None

    # ------------------------------------------------------------------------------------------- the worker's answers

    def _answered(self, message: tuple[Any, ...]) -> None:
        kind, *rest = message
        if kind == "lost":
            self._lost(*rest)
        elif kind == "dying":
            self.listener.trouble("The analysis process ends as soon as it is started; see the server's output.")
        elif kind == "part":
            self._part(*rest)
        elif kind in ("rest", "failed", "end"):
            if kind == "end":
                self._ending.discard(rest[0])
            self._state(kind, *rest)

    def _part(self, job: int, name: str, data: Any) -> None:
        if name == "nfs":
            self._discovered(job, data)
            return
        asked = self._asked.get(job, [])
        for one in [one for one in asked if one[0] == name]:
            asked.remove(one)
            if not one[1].done():
                one[1].set_result(data)
            if not asked:
                del self._asked[job]
            return
        nf = next((nf for nf in self.nfs if nf.job == job), None)
        if nf is None:
            return  # superseded
        if name == "gone":
            nf.job = None
            self._free(nf)
            self._remove(nf)
            for found in data:
                self.nfs.add(found)
            self.pump()
        elif name == "facts":
            old, nf.facts = nf.facts, Facts(data, self._versions, frozenset(data["reads"]))
            nf.failures = 0
            nf.message = data["refused"]
            if data["final"]:
                nf.resting, nf.job = job, None
                self._free(nf)
            self.listener.analysed(nf, old)
            self.listener.status()
            if not self._changed.isdisjoint(nf.facts.reads):  # until now nobody knew that it reads them
                self._make_dirty(nf)
            self.pump()

    def _discovered(self, job: int, found: list[dict[str, str]]) -> None:
        self._discoveries.pop(job, None)
        for one in found:
            self.nfs.add(one)
        self.listener.status()
        self.pump()

    def _state(self, kind: str, job: int, *why: str) -> None:
        nf = next((nf for nf in self.nfs if job in (nf.job, nf.resting)), None)
        if nf is None:
            if kind != "rest":
                self._break_promises(job, why[0].strip().splitlines()[-1] if why else "the process ended")
            return
        if kind != "rest" and nf.job == job:
            self._failed(nf, why[0] if why else "the process ended without an answer")
        elif kind in ("failed", "end") and nf.resting == job:
            self._rest_no_more(nf, why[0] if why else "the process ended")

    def _lost(self, ready: bool) -> None:
        """The worker was started anew: give it the open texts, and begin again what was under way. An analysis that it had not
        even come to is not to blame."""
        self.engine.buffers({d.path: d.text for d in self.documents if d.path})
        self._ending.clear()
        lost, self._discoveries = self._discoveries, {}
        for paths in lost.values():
            self.discover(paths)
        for nf in self.nfs:
            self._rest_no_more(nf, "the analysis process ended")
            for what in list(nf.beside):
                self.stop_beside(nf, what)
            if nf.job is not None:
                self.engine.cancel(nf.job)
                nf.failures -= not ready
                self._failed(nf, "the analysis process ended")
        self.pump()
