"""The language server: its features, one handler each. Handlers convert, ask one module of `features`, and convert back.

Analysis, keys and proofs are computed by another process (`engine`); nothing here takes longer than looking something up.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer

from .. import __version__, docs
from . import parallel, settings
from .background import Background
from .commands import Commands
from .documents import path_of
from .engine.client import Engine
from .features import actions, analysis, diagnostics, hints, hover, lens, navigation, symbols
from .notices import Notices, WorkDone
from .protocol import Protocol, Ready, converter
from .session import Session

logger = logging.getLogger(__name__)

_CLIENT_CHECK_SECONDS = 5.0
_WATCHED = (
    "**/*.{c,h}",
    "**/{Makefile,makefile,GNUmakefile}",
    "**/*.toml",  # maestro.toml, and profiles of NICs
    "**/compile_commands.json",
    "**/*.call_path",
)


class Server(LanguageServer):
    """One session with one client."""

    protocol: Protocol

    def __init__(self, worker: subprocess.Popen[bytes] | None = None) -> None:
        super().__init__("maestro-lsp", __version__, protocol_cls=Protocol, converter_factory=converter)
        self.pushes = True
        self.notices = Notices(self)
        self.session = Session(self.notices, lambda listener: Engine(listener, worker))
        self.shown_progress = WorkDone(self)
        self.background = Background(self.session, self.shown_progress)
        self.maestro_commands = Commands(self.session)
        self.watching: asyncio.Task[None] | None = None

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Bad messages are the client's affair: they are logged, not shown to its user."""
        logger.error("%s: %s", getattr(source, "__name__", source), error)

    def at(self, identifier: Any) -> str:
        """The path of the document that a request is about. Raises JsonRpcInvalidParams."""
        uri = getattr(identifier, "uri", None) or (identifier.get("uri") if isinstance(identifier, dict) else None)
        if not isinstance(uri, str):
            raise JsonRpcInvalidParams("textDocument.uri is missing")
        return path_of(uri)


def create(worker: subprocess.Popen[bytes] | None = None) -> Server:
    """A server with all handlers. `worker` is its analysis process if that was started already."""
    server = Server(worker)
    _lifecycle(server)
    _texts(server)
    _features(server)
    _actions(server)
    _own(server)
    return server


# ----------------------------------------------------------------------------------------------------------- life cycle


def _lifecycle(server: Server) -> None:
    @server.feature(types.INITIALIZE)
    async def initialize(params: types.InitializeParams) -> None:
        session = server.session
        session.documents.encoding = types.PositionEncodingKind(server.workspace.position_encoding).value
        server.pushes = _pushes(params)
        session.settings = settings.read(_section(params.initialization_options))
        await session.engine.start()
        folders = [f.uri for f in params.workspace_folders or ()] or ([params.root_uri] if params.root_uri else [])
        session.set_folders(folders)
        if params.process_id is not None:
            server.watching = asyncio.create_task(_follow_client(server, params.process_id))

    @server.feature(types.INITIALIZED)
    async def initialized(_: types.InitializedParams) -> None:
        await _register(server)
        await _configure(server)

    @server.feature(types.SHUTDOWN)
    def shutdown(_: Any = None) -> None:
        server.session.engine.stop()

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def configuration(params: types.DidChangeConfigurationParams) -> None:
        await _configure(server, params.settings)

    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    async def folders(params: types.DidChangeWorkspaceFoldersParams) -> None:
        server.session.remove_folders(f.uri for f in params.event.removed)
        server.session.set_folders(f.uri for f in params.event.added)
        await _configure(server)


def _pushes(params: types.InitializeParams) -> bool:
    """Whether diagnostics are pushed: unless the client only pulls, or asks for it with the option `diagnostics: pull`. Both at
    once would show everything twice."""
    texts = params.capabilities.text_document
    options = params.initialization_options
    if isinstance(options, dict) and options.get("diagnostics") == "pull":
        return False
    return texts is None or texts.publish_diagnostics is not None or texts.diagnostic is None


def _section(given: Any) -> Any:
    """The settings in what may be them, or hold them as a section."""
    inner = given.get(settings.SECTION) if isinstance(given, dict) else None
    return inner if isinstance(inner, dict) else given


async def _follow_client(server: Server, pid: int) -> None:
    """End when the client is gone, even if somebody else holds our input open."""
    while True:
        await asyncio.sleep(_CLIENT_CHECK_SECONDS)
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            logger.warning("the client, process %d, is gone", pid)
            server.session.engine.stop()
            os._exit(1)
        except PermissionError:
            return  # another user's: alive


async def _register(server: Server) -> None:
    """Ask for changes of files and of settings, if the client lets us."""
    workspace = server.client_capabilities.workspace
    if workspace is None:
        return
    wanted = []
    watched = workspace.did_change_watched_files
    if watched is not None and watched.dynamic_registration:
        watchers = [types.FileSystemWatcher(glob_pattern=pattern) for pattern in _WATCHED]
        options = types.DidChangeWatchedFilesRegistrationOptions(watchers=watchers)
        wanted.append(types.Registration("files", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options))
    changed = workspace.did_change_configuration
    if changed is not None and changed.dynamic_registration:
        section = types.DidChangeConfigurationRegistrationOptions(section=settings.SECTION)
        wanted.append(types.Registration("settings", types.WORKSPACE_DID_CHANGE_CONFIGURATION, section))
    if wanted:
        with contextlib.suppress(JsonRpcException):  # it said it could, but cannot
            await server.client_register_capability_async(types.RegistrationParams(wanted))


async def _configure(server: Server, given: Any = None) -> None:
    """Take settings: the client's, asked for by folder where it can answer that, else those it sent."""
    session = server.session
    workspace = server.client_capabilities.workspace
    if workspace is not None and workspace.configuration:
        items = [types.ConfigurationItem(section=settings.SECTION)]
        items += [types.ConfigurationItem(scope_uri=uri, section=settings.SECTION) for uri in session.folders]
        try:
            answer = await server.workspace_configuration_async(types.ConfigurationParams(items))
        except JsonRpcException as error:
            logger.warning("the client does not tell its settings: %s", error)
            return
        if not answer or all(found is None for found in answer):
            return
        whole, *by_folder = (settings.read(found) for found in answer)
        session.set_settings(whole, dict(zip(session.folders.values(), by_folder, strict=False)))
    elif given is not None:
        session.set_settings(settings.read(_section(given)))


# ---------------------------------------------------------------------------------------------------------------- texts


def _texts(server: Server) -> None:
    session = server.session

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        text = params.text_document
        session.opened(text.uri, text.version, text.text)
        server.notices.publish(path_of(text.uri))

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: types.DidChangeTextDocumentParams) -> None:
        session.changed(params.text_document.uri, params.text_document.version, params.content_changes)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: types.DidSaveTextDocumentParams) -> None:
        session.saved(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        session.closed(params.text_document.uri)

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def watched(params: types.DidChangeWatchedFilesParams) -> None:
        session.files_changed(path_of(change.uri) for change in params.changes)

    operations = types.FileOperationRegistrationOptions(
        filters=[
            types.FileOperationFilter(pattern=types.FileOperationPattern(glob="**/*"), scheme="file"),
        ]
    )

    @server.feature(types.WORKSPACE_DID_CREATE_FILES, operations)
    def created(params: types.CreateFilesParams) -> None:
        session.files_changed(path_of(f.uri) for f in params.files)

    @server.feature(types.WORKSPACE_DID_RENAME_FILES, operations)
    def renamed(params: types.RenameFilesParams) -> None:
        session.files_changed(path_of(uri) for f in params.files for uri in (f.old_uri, f.new_uri))

    @server.feature(types.WORKSPACE_DID_DELETE_FILES, operations)
    def deleted(params: types.DeleteFilesParams) -> None:
        session.files_changed(path_of(f.uri) for f in params.files)


# ------------------------------------------------------------------------------------------------------------- features


def _features(server: Server) -> None:
    nfs, documents = server.session.nfs, server.session.documents

    @server.feature(
        types.TEXT_DOCUMENT_DIAGNOSTIC,
        types.DiagnosticOptions(inter_file_dependencies=True, workspace_diagnostics=False, identifier=settings.SECTION),
    )
    def pull(params: types.DocumentDiagnosticParams) -> Ready:
        path = server.at(params.text_document)
        return Ready(diagnostics.to_pull(nfs, documents, path, params.previous_result_id))

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hovering(params: types.HoverParams) -> Any:
        return hover.hover(nfs, documents, server.at(params.text_document), _position(params))

    @server.feature(types.TEXT_DOCUMENT_CODE_LENS, types.CodeLensOptions(resolve_provider=True))
    def lenses(params: types.CodeLensParams) -> Any:
        return lens.lenses(nfs, documents, server.at(params.text_document))

    @server.feature(types.CODE_LENS_RESOLVE)
    def lens_resolve(params: types.CodeLens) -> Any:
        return lens.resolve(nfs, {"range": params.range, "data": params.data})

    @server.feature(types.TEXT_DOCUMENT_INLAY_HINT)
    def inlay_hints(params: types.InlayHintParams) -> Any:
        if not server.session.settings.hints:
            return []
        lines = (params.range.start.line, params.range.end.line)
        return hints.hints(nfs, documents, server.at(params.text_document), lines)

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def document_symbols(params: types.DocumentSymbolParams) -> Any:
        return symbols.symbols(nfs, documents, server.at(params.text_document))

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    def definition(params: types.DefinitionParams) -> Any:
        return navigation.definitions(nfs, documents, server.at(params.text_document), _position(params))

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    def references(params: types.ReferenceParams) -> Any:
        declared = params.context.include_declaration
        path = server.at(params.text_document)
        return navigation.references(nfs, documents, path, _position(params), declared)


def _actions(server: Server) -> None:
    nfs, documents = server.session.nfs, server.session.documents

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION,
        types.CodeActionOptions(code_action_kinds=list(actions.KINDS), resolve_provider=True),
    )
    def code_actions(params: types.CodeActionParams) -> Any:
        path = server.at(params.text_document)
        ours = [d for d in params.context.diagnostics if d.source == settings.SECTION]
        shown = [server.protocol._converter.unstructure(d) for d in ours]
        start, end = params.range.start, params.range.end
        lines = ((start.line, start.character), (end.line, end.character))
        found = actions.actions(nfs, documents, path, lines, shown, server.session.sets_nic)
        for action in found:
            if action.get("kind") == actions.REFACTOR:  # next time with what each NIC would do
                server.background.want_alternatives(action["data"]["nf"])
        kinds = params.context.only
        if kinds:
            found = [a for a in found if any(a["kind"] == k or a["kind"].startswith(f"{k}.") for k in kinds)]
        return found if _resolves_edits(server) else [resolved(action) for action in found]

    @server.feature(types.CODE_ACTION_RESOLVE)
    def action_resolve(params: types.CodeAction) -> Any:
        return resolved(server.protocol._converter.unstructure(params))

    def resolved(action: dict[str, Any]) -> dict[str, Any]:
        if "data" not in action:
            return action
        change = actions.edit(nfs, documents, action["data"], _read_file, _creates_files(server))
        if change is None:
            return {**action, "disabled": {"reason": "it is not written in a way that can be changed here"}}
        return {**action, "edit": change}


def _read_file(path: str) -> str | None:
    """The text of a small file."""
    try:
        return Path(path).read_text("utf-8")
    except (OSError, ValueError):
        return None


def _resolves_edits(server: Server) -> bool:
    texts = server.client_capabilities.text_document
    offered = texts.code_action if texts is not None else None
    support = offered.resolve_support if offered is not None else None
    return support is not None and "edit" in support.properties


def _creates_files(server: Server) -> bool:
    workspace = server.client_capabilities.workspace
    edits = workspace.workspace_edit if workspace is not None else None
    return edits is not None and types.ResourceOperationKind.Create in (edits.resource_operations or ())


def _position(params: Any) -> tuple[int, int]:
    return params.position.line, params.position.character


# -------------------------------------------------------------------------------------------------------------- our own


def _own(server: Server) -> None:
    nfs, documents = server.session.nfs, server.session.documents

    @server.feature("maestro/analysis")
    def maestro_analysis(params: Any) -> Ready:
        return Ready(analysis.analysis(nfs, documents, server.at(_document(params))))

    @server.feature("maestro/panel")
    def maestro_panel(params: Any) -> Ready:
        return part(params, "panel")

    @server.feature("maestro/paths")
    def maestro_paths(params: Any) -> Ready:
        return part(params, "paths")

    def part(params: Any, what: str) -> Ready:
        path = server.at(_document(params))
        nf = analysis.nf_of(nfs, path)
        state, data = server.background.part(nf, what) if nf is not None else ("none", b"")
        first = {**analysis.head(nfs, documents, path), "state": state}
        if what == "panel" and data and nf is not None and nf.facts is not None:
            return Ready(
                analysis.joined({**first, "nf": None}, data).replace(
                    '"nf": null', '"nf": ' + nf.facts.data["analysis"].decode(), 1
                )
            )
        return Ready(analysis.joined(first, data))

    @server.feature(types.WINDOW_WORK_DONE_PROGRESS_CANCEL)
    def stop(params: types.WorkDoneProgressCancelParams) -> None:
        server.shown_progress.cancel(params.token)

    commands = server.maestro_commands

    @server.command("maestro.exportRss")
    async def export(*arguments: Any) -> dict[str, str]:
        return await commands.export(arguments)

    @server.command("maestro.showMatrix")
    async def show_matrix(*arguments: Any) -> Ready:
        return await commands.matrix(arguments)

    @server.command("maestro.solveKeys")
    async def solve_keys(*arguments: Any) -> Ready:
        return await commands.matrix(arguments)

    @server.command("maestro.showPaths")
    async def show_paths(*arguments: Any) -> Ready:
        return await commands.paths(arguments)

    @server.command("maestro.parallelize")
    async def parallelize(*arguments: Any) -> dict[str, Any]:
        return await parallel.parallelize(server, arguments)

    @server.command("maestro.verify")
    async def verify(*arguments: Any) -> dict[str, Any]:
        return await parallel.verify(server, arguments)

    @server.command("maestro.chooseNic")
    async def choose_nic(*arguments: Any) -> dict[str, str]:
        nf, change = commands.nic(
            arguments, lambda data: actions.edit(nfs, documents, data, _read_file, _creates_files(server))
        )
        edit = server.protocol._converter.structure(change, types.WorkspaceEdit)
        applied = await server.workspace_apply_edit_async(types.ApplyWorkspaceEditParams(edit, "Choose NIC"))
        if not applied.applied:
            raise JsonRpcInvalidParams(f"not written: {applied.failure_reason or 'the edit was not applied'}")
        return {"file": f"{nf.root}/maestro.toml"}

    @server.command("maestro.openDocumentation")
    async def documentation(*arguments: Any) -> None:
        code = arguments[0].get("code") if arguments and isinstance(arguments[0], dict) else None
        if not isinstance(code, str) or not docs.page(code).is_file():
            raise JsonRpcInvalidParams(f"there is no page about {code!r}")
        await server.window_show_document_async(types.ShowDocumentParams(docs.uri(code), take_focus=True))

    @server.command("maestro.restartAnalysis")
    def restart(*_: Any) -> None:
        commands.restart()


def _document(params: Any) -> Any:
    return params.get("textDocument") if isinstance(params, dict) else None


def _log_to_stderr() -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")


def serve(tcp: int | None, worker: subprocess.Popen[bytes] | None) -> int:
    """Serve one client on standard input and output, or on a port of the loopback interface; gives the exit status."""
    _log_to_stderr()
    server = create(worker)
    gc.freeze()  # the protocol's many classes: a collection that walks over them would hold up an answer
    try:
        if tcp is None:
            out = os.fdopen(os.dup(1), "wb")
            os.dup2(2, 1)  # nothing but the protocol may reach the client
            server.start_io(sys.stdin.buffer, out)
        else:
            server.start_tcp("127.0.0.1", tcp)
    finally:
        server.session.engine.stop()
    return 0 if server.protocol._shutdown else 1
