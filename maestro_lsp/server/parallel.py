"""The commands that write a parallel program of an NF and that verify one.

Writing shows the file as an edit that the user can look at before it is made; it was compared with the NF by then. What verification
finds wrong becomes diagnostics of the generated file.
"""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from .documents import uri_of
from .nfs import Nf
from .session import Superseded

if TYPE_CHECKING:
    from .server import Server

STRATEGIES = ("shared-nothing", "locks", "tm", "sequential")  # as in synthesis.parallel, which only the worker imports

PACKETS = 4000


async def parallelize(server: Server, arguments: tuple[Any, ...]) -> dict[str, Any]:
    """`maestro.parallelize {uri, strategy}` -> `{file, verified}`."""
    nf = await server.maestro_commands.fresh(server.maestro_commands.nf(arguments))
    strategy = arguments[0].get("strategy", "shared-nothing")
    if strategy not in STRATEGIES:
        raise JsonRpcInvalidParams(f"strategy is one of {', '.join(STRATEGIES)}, not {strategy!r}")
    made = await _worked_out(server, nf, "parallelize", {"strategy": strategy}, f"Parallelizing {nf.name} ({strategy})")
    await _write(server, made, f"{nf.name}: {strategy}, {'verified' if made['verified'] else 'NOT equal to the NF'}")
    _tell(server, nf, made["path"], made, f"Build it: {made['build']}")
    return {"file": made["path"], "verified": made["verified"]}


async def verify(server: Server, arguments: tuple[Any, ...]) -> dict[str, Any]:
    """`maestro.verify {uri, file, packets}` -> `{file, verified, checks}`; the file is compared by symbols, and by running both on
    so many packets (0: not at all)."""
    nf = await server.maestro_commands.fresh(server.maestro_commands.nf(arguments))
    file = arguments[0].get("file")
    if not isinstance(file, str):
        raise JsonRpcInvalidParams('the argument has a "file", the path of the generated file')
    packets = arguments[0].get("packets", PACKETS)
    if not isinstance(packets, int) or packets < 0:
        raise JsonRpcInvalidParams(f"packets is a number, not {packets!r}")
    found = await _worked_out(
        server, nf, "verify", {"file": file, "packets": packets}, f"Verifying {posixpath.basename(file)}"
    )
    _tell(server, nf, file, found, "")
    checks = [{"name": name, "status": status, "detail": detail} for name, status, detail in found["checks"]]
    return {"file": file, "verified": found["verified"], "checks": checks}


async def _worked_out(server: Server, nf: Nf, what: str, arguments: dict[str, Any], title: str) -> dict[str, Any]:
    """What the worker says, with progress that can be cancelled. Raises JsonRpcInvalidParams when it refuses."""
    answer = server.session.ask_beside(nf, what, arguments)
    token = await server.shown_progress.begin(title, lambda: server.session.stop_beside(nf, what))
    try:
        found: dict[str, Any] = await answer
    except Superseded as why:
        raise JsonRpcInvalidParams(f"{nf.name}: {why}") from None
    finally:
        server.shown_progress.end(token, "")
    if found["refused"]:
        raise JsonRpcInvalidParams(found["refused"])
    return found


async def _write(server: Server, made: dict[str, Any], label: str) -> None:
    """Write the file by way of the client, which may show it first; if it applies no edits, on our own."""
    workspace = server.client_capabilities.workspace
    edits = workspace.workspace_edit if workspace is not None else None
    if workspace is None or not workspace.apply_edit or edits is None or not edits.document_changes:
        Path(made["path"]).write_text(made["text"], "utf-8")
        return
    document = server.session.documents.at(made["path"])
    uri = document.uri if document is not None else uri_of(made["path"])
    annotated = edits.change_annotation_support is not None
    mark = "parallel" if annotated else None
    lines = document.text.count("\n") + 1 if document is not None else 0
    if document is None and made["exists"]:
        lines = Path(made["path"]).read_text("utf-8", "replace").count("\n") + 1
    whole = types.Range(types.Position(0, 0), types.Position(lines, 0))
    text = types.AnnotatedTextEdit(mark, whole, made["text"]) if mark else types.TextEdit(whole, made["text"])
    version = document.version if document is not None else None
    changes: list[Any] = []
    if not made["exists"] and document is None:
        options = types.CreateFileOptions(ignore_if_exists=True)
        changes.append(types.CreateFile(uri=uri, options=options, annotation_id=mark))
    changes.append(types.TextDocumentEdit(types.OptionalVersionedTextDocumentIdentifier(uri, version), [text]))
    annotation = types.ChangeAnnotation(label, needs_confirmation=True, description=posixpath.basename(made["path"]))
    edit = types.WorkspaceEdit(document_changes=changes, change_annotations={mark: annotation} if mark else None)
    applied = await server.workspace_apply_edit_async(types.ApplyWorkspaceEditParams(edit, label))
    if not applied.applied:
        raise JsonRpcInvalidParams(f"not written: {applied.failure_reason or 'the edit was not applied'}")


def _tell(server: Server, nf: Nf, path: str, found: dict[str, Any], more: str) -> None:
    """Say how verification went, in a message and at the places that differ."""
    server.session.nfs.verified[path] = found["diagnostics"]
    server.notices.publish(path)
    failed = [detail for _, status, detail in found["checks"] if status == "failed"]
    name = posixpath.basename(path)
    if failed:
        kind, text = types.MessageType.Error, f"{name} is not equal to {nf.name}: {failed[0]}"
    else:
        passed = "; ".join(detail for _, status, detail in found["checks"] if status == "passed")
        kind, text = types.MessageType.Info, f"{name} is equal to {nf.name}: {passed}. {more}".strip()
    server.window_show_message(types.ShowMessageParams(kind, text))
