"""What the client is told without asking: diagnostics, states, refreshes, progress, troubles."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from .documents import uri_of
from .features import diagnostics
from .features.lens import verdict
from .nfs import Facts, Nf
from .session import Listener

if TYPE_CHECKING:
    from .server import Server

_STATUS_DELAY = 0.03  # seconds in which changes of state are gathered


class Notices(Listener):
    """Tells one client."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._published: dict[str, str] = {}
        self._status_due: asyncio.TimerHandle | None = None
        self._shown: dict[str, tuple[Any, ...]] = {}  # what an NF's lenses and hints showed at their last refresh

    # ------------------------------------------------------------------------------------------------------ an analysis

    def analysed(self, nf: Nf, old: Facts | None) -> None:
        facts = [f for f in (old, nf.facts) if f is not None]
        shown = {path for f in facts for path in f.paths}
        # nothing to show in an open file is news too: it may tell by the version that its text is analysed
        read = {d.path for d in self._server.session.documents if any(d.path in f.reads for f in facts)}
        for path in sorted(shown | read):
            self.publish(path)
        self.refresh(nf)
        self._server.background.analysed(nf)

    def told_more(self, nf: Nf) -> None:
        self.refresh(nf)
        self.status()

    def publish(self, path: str) -> None:
        """Send a file's diagnostics if they, or the version they are for, changed."""
        server = self._server
        if not server.pushes:
            return
        document = server.session.documents.at(path)
        uri = document.uri if document is not None else uri_of(path)
        params = diagnostics.to_push(server.session.nfs, server.session.documents, path, uri)
        if self._published.get(uri) != params:
            if params.endswith('"diagnostics": []}'):
                known = self._published.pop(uri, None)
                if known is None and document is None:
                    return
            else:
                self._published[uri] = params
            server.protocol.notify_ready(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, params)

    def refresh(self, nf: Nf) -> None:
        """Have the client ask again for what is shown otherwise in source files, if that changed."""
        now = (verdict(nf), nf.proof, nf.facts and [nf.facts.data["files"][p]["data"] for p in nf.facts.paths])
        if self._shown.get(nf.entry) == now:
            return
        self._shown[nf.entry] = now
        server = self._server
        workspace = server.client_capabilities.workspace
        if workspace is None:
            return
        for asked, method in (
            (workspace.code_lens, types.WORKSPACE_CODE_LENS_REFRESH),
            (workspace.inlay_hint, types.WORKSPACE_INLAY_HINT_REFRESH),
            (None if server.pushes else workspace.diagnostics, types.WORKSPACE_DIAGNOSTIC_REFRESH),
        ):
            if asked is not None and asked.refresh_support:
                server.protocol.send_request(method)

    # ---------------------------------------------------------------------------------------------------------- states

    def status(self) -> None:
        if self._status_due is None:
            self._status_due = asyncio.get_running_loop().call_later(_STATUS_DELAY, self._send_status)

    def _send_status(self) -> None:
        self._status_due = None
        body = json.dumps({"nfs": [state_of(nf) for nf in self._server.session.nfs]})
        self._server.protocol.notify_ready("maestro/status", body)

    def trouble(self, message: str) -> None:
        self._server.window_show_message(types.ShowMessageParams(types.MessageType.Warning, message))


class WorkDone:
    """Work-done progress in the client, if it shows that."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._stops: dict[Any, Callable[[], None]] = {}
        self._number = 0

    async def begin(self, title: str, stop: Callable[[], None]) -> str | None:
        window = self._server.client_capabilities.window
        if window is None or not window.work_done_progress:
            return None
        self._number += 1
        token = f"maestro-{self._number}"
        try:
            create = types.WorkDoneProgressCreateParams(token)
            await self._server.window_work_done_progress_create_async(create)
        except JsonRpcException:
            return None
        self._stops[token] = stop
        self._say(token, types.WorkDoneProgressBegin(title, cancellable=True))
        return token

    def end(self, token: str | None, message: str) -> None:
        if token is not None:
            self._stops.pop(token, None)
            self._say(token, types.WorkDoneProgressEnd(message=message))

    def cancel(self, token: Any) -> None:
        """The user has had enough."""
        stop = self._stops.get(token)
        if stop is not None:
            stop()

    def _say(self, token: str, value: Any) -> None:
        self._server.protocol.notify(types.PROGRESS, types.ProgressParams(token, value))


def state_of(nf: Nf) -> dict[str, Any]:
    """One NF's line of maestro/status."""
    facts = nf.facts.data if nf.facts is not None else None
    return {
        "name": nf.name,
        "root": nf.root,
        "uri": uri_of(nf.entry),
        "state": nf.state,
        "verdict": facts["verdict"] if facts is not None else None,
        "keys": "ready" if facts is not None and facts["keys"] else "solving" if nf.state != "failed" else "none",
        "proof": nf.proof,
        "message": nf.message or nf.proof_text,
    }
