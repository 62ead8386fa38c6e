"""A client that speaks to the real server over stdio, in a tree whose names have spaces and letters beyond ASCII."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp
from pygls.protocol import JsonRPCNotification, JsonRPCResponseMessage
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

FIXTURES = Path(__file__).parents[2] / "fixtures"
LIBVIG = FIXTURES.parent / "maestro_lsp" / "runtime" / "libvig"
PATIENCE = 60.0  # seconds; a busy machine is slow


def make_tree(folder: Path, *nfs: str) -> Path:
    """A workspace with copies of fixtures."""
    root = folder / "Werk stück 測試"
    root.mkdir()
    shutil.copytree(LIBVIG, root / "libvig")  # make splits paths at spaces, so that the Makefile's -I is lost
    for shared in FIXTURES.iterdir():
        if shared.is_file():
            shutil.copy(shared, root)
    for name in nfs:
        shutil.copytree(FIXTURES / name, root / name)
    return root


@pytest.fixture
def tree(tmp_path: Path) -> Callable[..., Path]:
    return lambda *nfs: make_tree(tmp_path, *nfs)


class Editor:
    """A client, and what an editor's user does with it."""

    def __init__(self, client: LanguageClient, server: lsp.InitializeResult) -> None:
        self.client = client
        self.capabilities = server.capabilities
        self.texts: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        self.published: list[lsp.PublishDiagnosticsParams] = []
        self.statuses: list[dict[str, Any]] = []
        self.asked: list[str] = []  # requests of the server
        self.edits: list[lsp.WorkspaceEdit] = []  # that the server had applied
        self._news = asyncio.Event()

    def heard(self, params: lsp.PublishDiagnosticsParams) -> None:
        self.published.append(params)
        self._news.set()

    async def until(self, true: Callable[[], Any], what: str = "that") -> Any:
        """Wait until something the server told makes a condition true; gives its value."""
        ends = time.monotonic() + PATIENCE
        while True:
            found = true()
            if found:
                return found
            left = ends - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"the server never said {what}")
            self._news.clear()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._news.wait(), min(left, 0.2))

    def open(self, path: Path, text: str | None = None) -> str:
        uri = path.as_uri()
        self.texts[uri] = path.read_text() if text is None else text
        self.versions[uri] = 1
        self.client.text_document_did_open(
            lsp.DidOpenTextDocumentParams(lsp.TextDocumentItem(uri, "c", 1, self.texts[uri]))
        )
        return uri

    def close(self, uri: str) -> None:
        del self.texts[uri], self.versions[uri]
        self.client.text_document_did_close(lsp.DidCloseTextDocumentParams(lsp.TextDocumentIdentifier(uri)))

    def replace(self, uri: str, old: str, new: str) -> None:
        """Replace the one place of `old`, by an incremental change."""
        text = self.texts[uri]
        assert text.count(old) == 1, (text.count(old), old)
        at = text.index(old)
        where = lsp.Range(self.position(uri, at), self.position(uri, at + len(old)))
        self.change(uri, lsp.TextDocumentContentChangePartial(range=where, text=new))
        self.texts[uri] = text.replace(old, new)

    def rewrite(self, uri: str, text: str) -> None:
        """Replace everything."""
        self.change(uri, lsp.TextDocumentContentChangeWholeDocument(text))
        self.texts[uri] = text

    def change(self, uri: str, *changes: Any) -> None:
        self.versions[uri] += 1
        identifier = lsp.VersionedTextDocumentIdentifier(version=self.versions[uri], uri=uri)
        self.client.text_document_did_change(lsp.DidChangeTextDocumentParams(identifier, list(changes)))

    def position(self, uri: str, offset: int) -> lsp.Position:
        """Of a place in an open text, in UTF-16 units."""
        before = self.texts[uri][:offset]
        line = before.count("\n")
        start = before.rfind("\n") + 1
        return lsp.Position(line, len(before[start:].encode("utf-16-le")) // 2)

    def at(self, uri: str, snippet: str) -> lsp.Position:
        """The place that `$0` marks in the one place of a snippet."""
        plain = snippet.replace("$0", "")
        assert self.texts[uri].count(plain) == 1, (self.texts[uri].count(plain), plain)
        return self.position(uri, self.texts[uri].index(plain) + snippet.index("$0"))

    async def diagnostics(self, uri: str) -> list[lsp.Diagnostic]:
        """Those of the latest version of an open text."""
        await self.fresh(uri)
        found = [p for p in self.published if p.uri == uri]
        return list(found[-1].diagnostics) if found else []

    async def fresh(self, uri: str) -> dict[str, Any]:
        """The answer to maestro/analysis, once it is about the latest texts."""
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            answer = await self.analysis(uri)
            if answer["state"] == "fresh":
                await asyncio.sleep(0.02)
                return answer
            await asyncio.sleep(0.02)
        raise TimeoutError(f"no analysis: {answer}")

    async def analysis(self, uri: str) -> dict[str, Any]:
        found: dict[str, Any] = await self.request("maestro/analysis", {"textDocument": {"uri": uri}})
        return found

    async def request(self, method: str, params: Any) -> Any:
        return await asyncio.wait_for(self.client.protocol.send_request_async(method, params), PATIENCE)

    async def command(self, name: str, **argument: Any) -> Any:
        params = lsp.ExecuteCommandParams(name, [argument])
        return await asyncio.wait_for(self.client.workspace_execute_command_async(params), PATIENCE)


@contextlib.asynccontextmanager
async def editor(
    *roots: Path,
    capabilities: str | lsp.ClientCapabilities = "visual-studio-code",
    options: Any = None,
    configuration: dict[str, Any] | None = None,
    cache: Path | str = "",
) -> AsyncIterator[Editor]:
    """A client of a server of its own. `cache`: the folder for results, none by default."""
    config = ClientServerConfig(
        server_command=[sys.executable, "-m", "maestro_lsp", "serve"],
        server_env={**os.environ, "MAESTRO_LSP_CACHE": str(cache)},
    )
    client = await config.start()
    assert isinstance(client, LanguageClient)
    if configuration is not None:
        client._configuration = {"": {"maestro": configuration}}
    for kind in (JsonRPCResponseMessage, JsonRPCNotification):  # of our own messages: plain dictionaries
        client.protocol._converter.register_structure_hook(kind, lambda data, cls: cls(**data))
    structure = client.protocol._converter.structure
    client.protocol._converter.register_structure_hook(  # lsprotocol takes every action that has a command for a command
        lsp.Command | lsp.CodeAction,
        lambda data, _: structure(data, lsp.Command if isinstance(data.get("command"), str) else lsp.CodeAction),
    )
    told: list[lsp.PublishDiagnosticsParams] = []
    found: Editor | None = None
    states: list[Any] = []

    del client.protocol.fm.features[lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS]  # pytest-lsp's keeps no versions

    @client.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    def _published(params: lsp.PublishDiagnosticsParams) -> None:
        if found is not None:
            found.heard(params)
        else:
            told.append(params)

    @client.feature("maestro/status")
    def _status(params: Any) -> None:
        (found.statuses if found is not None else states).append(params)

    asked: list[str] = []
    for method in (
        lsp.CLIENT_REGISTER_CAPABILITY,
        lsp.WORKSPACE_CODE_LENS_REFRESH,
        lsp.WORKSPACE_INLAY_HINT_REFRESH,
    ):
        if method not in client.protocol.fm.features:
            client.feature(method)(lambda params=None, method=method: asked.append(method))

    edits: list[lsp.WorkspaceEdit] = []

    @client.feature(lsp.WORKSPACE_APPLY_EDIT)
    def _apply(params: lsp.ApplyWorkspaceEditParams) -> lsp.ApplyWorkspaceEditResult:
        edits.append(params.edit)
        return lsp.ApplyWorkspaceEditResult(applied=True)

    if isinstance(capabilities, str):
        capabilities = client_capabilities(capabilities)
    folders = [lsp.WorkspaceFolder(root.as_uri(), root.name) for root in roots]
    answer = await client.initialize_session(
        lsp.InitializeParams(
            process_id=os.getpid(),
            root_uri=roots[0].as_uri() if roots else None,
            capabilities=capabilities,
            workspace_folders=folders,
            initialization_options=options,
        )
    )
    found = Editor(client, answer)
    found.asked = asked
    found.edits = edits
    found.published += told
    found.statuses += states
    try:
        yield found
    finally:
        await client.shutdown_session()
        await client.stop()
