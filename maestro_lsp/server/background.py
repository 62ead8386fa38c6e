"""What is worked out once an analysis has settled: the proof of the keys, what other NICs would do, and the parts of the panel that
the client looks at. All of it is dropped when the NF changes.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Protocol

from .nfs import Facts, Nf
from .session import Session, Superseded

logger = logging.getLogger(__name__)

SETTLED_SECONDS = 0.3  # without a change, before work begins that an edit would waste
_CURABLE = frozenset(("rss-incompatible-field", "unhashed-traffic", "narrow-sharding", "disjoint-sharding"))


class Progress(Protocol):
    """Shows the client that something is going on."""

    async def begin(self, title: str, stop: Any) -> Any:
        """Start showing; `stop` is called when the user cancels. Gives a token, None if the client shows nothing."""

    def end(self, token: Any, message: str) -> None:
        """Stop showing."""


class Background:
    """The background work of one session."""

    def __init__(self, session: Session, progress: Progress) -> None:
        self._session = session
        self._progress = progress
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._looked_at: dict[str, set[str]] = {}  # parts of the panel by NF

    def analysed(self, nf: Nf) -> None:
        """An NF has new facts."""
        running = self._tasks.pop(nf.entry, None)
        if running is not None:
            running.cancel()
        if nf.facts is None or nf.facts.data["refused"]:
            return
        for what in self._looked_at.get(nf.entry, ()):
            self.want(nf, what)
        self._tasks[nf.entry] = asyncio.create_task(self._settle(nf, nf.facts))

    def want_alternatives(self, entry: str) -> None:
        """Have it worked out what other NICs would do for an NF."""
        nf = self._session.nfs.get(entry)
        if nf is not None and nf.state == "fresh" and not nf.alternatives and "alternatives" not in nf.beside:
            key = f"{entry} alternatives"
            self._tasks[key] = asyncio.create_task(self._alternatives(nf))

    async def _alternatives(self, nf: Nf) -> None:
        try:
            nf.alternatives = await self._session.ask_beside(nf, "alternatives")
        except Superseded as why:
            logger.info("alternatives for %s: %s", nf.name, why)

    async def _settle(self, nf: Nf, facts: Facts) -> None:
        await asyncio.sleep(SETTLED_SECONDS)
        while not (nf.state == "fresh" and self._session.idle):
            if nf.facts is not facts:
                return
            await asyncio.sleep(SETTLED_SECONDS)
        try:
            if any(f'"{code}"' in d for p in facts.paths for d in facts.diagnostics(p) for code in _CURABLE):
                await self._alternatives(nf)
            if facts.data["keys"] and facts.data["verdict"] == "shared-nothing" and self._session.settings_of(nf).prove:
                await self._prove(nf)
        except Superseded as why:
            logger.info("%s: %s", nf.name, why)

    async def _prove(self, nf: Nf) -> None:
        """Prove the keys, with progress that the user can cancel."""
        nf.proof = "running"
        self._session.listener.told_more(nf)
        stop = self._session.stop_beside
        answer = self._session.ask_beside(nf, "prove")
        token = await self._progress.begin(f"Proving the keys of {nf.name}", lambda: stop(nf, "prove"))
        try:
            nf.proof, nf.proof_text = await answer
        except Superseded as why:
            nf.proof, nf.proof_text = "none", f"not proved: {why}"
        except asyncio.CancelledError:
            nf.proof = "none"
            raise
        finally:
            self._progress.end(token, nf.proof)
            self._session.listener.told_more(nf)

    # ------------------------------------------------------------------------------------------------- parts of the panel

    def part(self, nf: Nf, what: str) -> tuple[str, bytes]:
        """State and JSON of a part: what is known now. If that is not the latest, it is being made, and maestro/status tells."""
        self._looked_at.setdefault(nf.entry, set()).add(what)
        facts, data = nf.parts.get(what, (None, b""))
        if facts is not None and facts is nf.facts:
            return nf.state, data
        if nf.facts is not None and nf.state == "fresh":
            self.want(nf, what)
        return ("stale" if data else "pending"), data

    def want(self, nf: Nf, what: str) -> None:
        """Have a part made for the latest facts."""
        key = f"{nf.entry} {what}"
        if key not in self._tasks or self._tasks[key].done():
            self._tasks[key] = asyncio.create_task(self._make(nf, what, nf.facts))

    async def _make(self, nf: Nf, what: str, facts: Facts | None) -> None:
        try:
            data = await self._session.ask(nf, what)
        except Superseded as why:
            logger.info("%s of %s: %s", what, nf.name, why)
            return
        if facts is not None and nf.facts is facts:
            nf.parts[what] = (facts, data)
            self._session.listener.status()
