"""What the client is told without asking: diagnostics, states, refreshes, progress, troubles."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from lsprotocol import types

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
        self._shown: dict[
            str, tuple[Any, ...]
        ] = {}  # what lenses and hints of an NF showed when they were last refreshed

    # ------------------------------------------------------------------------------------------------------ an analysis

    def analysed(self, nf: Nf, old: Facts | None) -> None:
        for path in diagnostics.files_of(old, nf.facts):
            self.publish(path)
        self.refresh(nf)

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
