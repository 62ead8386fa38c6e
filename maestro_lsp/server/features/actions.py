"""Code actions: hide a finding, switch the NIC profile, say a configuration value, open a finding's page. Edits are made when an
action is resolved.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable
from typing import Any

from ...source.text import Read
from .. import toml_edit
from ..documents import Documents, Position, forward_range, path_of, uri_of
from ..nfs import Nf, Nfs
from .lookup import views

QUICK_FIX, REFACTOR, REWRITE = "quickfix", "refactor", "refactor.rewrite"
NIC_IS_SET = "the editor's setting maestro.nic wins over maestro.toml: remove it first"
HINT = 4  # severity
KINDS = (QUICK_FIX, REFACTOR, REWRITE)
_MAX_VALUES = 4  # of a device role that are offered

_ALLOW = re.compile(r"(maestro:\s*allow\()([\w\s,-]*)(\))")


def actions(
    nfs: Nfs,
    documents: Documents,
    path: str,
    lines: tuple[Position, Position],
    diagnostics: Iterable[Any],
    nic_is_set: Callable[[Nf], bool],
) -> list[dict[str, Any]]:
    """What can be done about diagnostics, and at nf_process if the range touches its name. Unresolved.

    diagnostics    ours among those the client shows there: dictionaries
    nic_is_set     whether the editor's settings say the NIC, so that maestro.toml does not count
    """
    found: list[dict[str, Any]] = []
    for d in sorted(diagnostics, key=lambda d: d.get("severity") or 1):
        nf = nfs.get(str((d.get("data") or {}).get("nf")))
        if nf is not None and nf.facts is not None:
            found += _about(d, nf, path, nic_is_set(nf))
    for nf, shown, edits in views(nfs, documents, path):
        entry = shown["entry"]
        if entry is None or nf.facts is None:
            continue
        name = forward_range(entry["name"], edits)
        start, end = ((name[side]["line"], name[side]["character"]) for side in ("start", "end"))
        if lines[0] <= end and start <= lines[1]:
            found += [_nic(nf, profile, REFACTOR, nic_is_set(nf)) for profile in nf.facts.data.get("nics", ())]
            found += _roles(nf)
            found += _strategies(nf)
    return found


def _about(d: dict[str, Any], nf: Nf, path: str, decided: bool) -> list[dict[str, Any]]:
    code = d["code"]
    if code == "settings":
        return []
    here = {"nf": nf.entry, "code": code, "uri": uri_of(path)}
    line = d["range"]["start"]["line"]
    out = []
    for profile, then in nf.alternatives.items():
        if not any(c == code and u == uri_of(path) and at == line for c, u, at in then["left"]):
            out.append({**_nic(nf, profile, QUICK_FIX, decided), "diagnostics": [d]})
    if d.get("severity") != HINT:  # hints say what is, and complain of nothing
        out += _allow(d, code, here, nf)
    title = f"Open the page about {code}"
    show = {"title": title, "command": "maestro.openDocumentation", "arguments": [{"code": code}]}
    return [*out, {"title": title, "kind": QUICK_FIX, "diagnostics": [d], "command": show}]


def _allow(d: dict[str, Any], code: str, here: dict[str, Any], nf: Nf) -> list[dict[str, Any]]:
    line = d["range"]["start"]["line"]
    return [
        {
            "title": f"Allow {code} here",
            "kind": QUICK_FIX,
            "diagnostics": [d],
            "data": {**here, "do": "allow-here", "line": line},
        },
        {
            "title": f"Allow {code} in {nf.name} (maestro.toml)",
            "kind": QUICK_FIX,
            "diagnostics": [d],
            "data": {**here, "do": "allow-nf"},
        },
    ]


def _nic(nf: Nf, profile: str, kind: str, decided: bool) -> dict[str, Any]:
    then = nf.alternatives.get(profile)
    action = {
        "title": f"Switch the NIC profile of {nf.name} to {profile}" + (f" ({then['verdict']})" if then else ""),
        "kind": kind,
        "data": {"do": "nic", "nf": nf.entry, "value": profile},
    }
    if decided:
        action["disabled"] = {"reason": NIC_IS_SET}
    return action


def _roles(nf: Nf) -> list[dict[str, Any]]:
    assert nf.facts is not None
    return [
        {
            "title": f"Say that {role} is {value} (maestro.toml)",
            "kind": REFACTOR,
            "data": {"do": "config", "nf": nf.entry, "name": role, "value": value},
        }
        for role in nf.facts.data.get("roles", {})
        for value in range(min(nf.facts.data["devices"], _MAX_VALUES))
    ]


def _strategies(nf: Nf) -> list[dict[str, Any]]:
    """Parallel programs to write; those that do not apply say why."""
    assert nf.facts is not None
    out: list[dict[str, Any]] = []
    for strategy, why_not in nf.facts.data.get("strategies", {}).items():
        title = f"Parallelize {nf.name}: {strategy}"
        action: dict[str, Any] = {"title": title, "kind": REWRITE}
        if why_not is None:
            argument = {"uri": uri_of(nf.entry), "strategy": strategy}
            action["command"] = {"title": title, "command": "maestro.parallelize", "arguments": [argument]}
        else:
            action["disabled"] = {"reason": why_not}
        out.append(action)
    return out


# ------------------------------------------------------------------------------------------------------------- resolving


def edit(nfs: Nfs, documents: Documents, data: Any, read: Read, creates: bool) -> dict[str, Any] | None:
    """The WorkspaceEdit of an action, None if there is none (any more).

    read     gives the text of a file that is not open
    creates  whether the client makes files
    """
    nf = nfs.get(str(data.get("nf"))) if isinstance(data, dict) else None
    if nf is None or nf.facts is None:
        return None
    what = data.get("do")
    if what == "allow-here":
        return _allow_here(documents, data, read)
    path = posixpath.join(nf.root, "maestro.toml")
    old = _text(documents, path, read)
    text = old or ""
    if what == "nic":
        new = toml_edit.with_value(
            text, toml_edit.table_for(text, nf.name, "maestro", "nic"), "nic", str(data["value"])
        )
    elif what == "config":
        key = str(data["name"]).removeprefix("config.")
        new = toml_edit.with_value(text, toml_edit.table_for(text, nf.name, "config", key), key, int(data["value"]))
    elif what == "allow-nf":
        table = toml_edit.table_for(text, nf.name, "maestro", "allow")
        codes = [*toml_edit.list_of(text, table, "allow"), str(data["code"])]
        new = toml_edit.with_value(text, table, "allow", list(dict.fromkeys(codes)))
    else:
        return None
    return _rewritten(documents, path, old, new, creates) if new is not None else None


def _allow_here(documents: Documents, data: dict[str, Any], read: Read) -> dict[str, Any] | None:
    path = path_of(str(data["uri"]))
    text = _text(documents, path, read)
    if text is None:
        return None
    lines = text.splitlines()
    number, code = int(data["line"]), str(data["code"])
    if number >= len(lines):
        return None
    for at in (number, number - 1):
        known = _ALLOW.search(lines[at]) if at >= 0 else None
        if known is not None:
            codes = ", ".join([*filter(None, (c.strip() for c in known[2].split(","))), code])
            line = f"{lines[at][: known.start(2)]}{codes}{lines[at][known.end(2) :]}"
            return _changed(documents, path, at, len(lines[at]), line)
    if number > 0 and lines[number - 1].rstrip().endswith("\\"):
        return None  # inside a macro there is no room for a comment of its own line
    indent = lines[number][: len(lines[number]) - len(lines[number].lstrip())]
    return _changed(documents, path, number, 0, f"{indent}// maestro: allow({code})\n")


def _changed(documents: Documents, path: str, line: int, length: int, new: str) -> dict[str, Any]:
    """Replace the first characters of a line."""
    document = documents.at(path)
    if document is not None:
        start = document.source.line_starts[line]
        length = document.source.position(start + length, documents.encoding)[1]
    where = {"start": {"line": line, "character": 0}, "end": {"line": line, "character": length}}
    return {"changes": {document.uri if document is not None else uri_of(path): [{"range": where, "newText": new}]}}


def _rewritten(documents: Documents, path: str, old: str | None, new: str, creates: bool) -> dict[str, Any]:
    """A file's whole new text; the file is made if there is none."""
    document = documents.at(path)
    uri = document.uri if document is not None else uri_of(path)
    lines = (old or "").count("\n") + 1
    whole = {"start": {"line": 0, "character": 0}, "end": {"line": lines, "character": 0}}
    change = {"range": whole, "newText": new}
    if old is not None or not creates:
        return {"changes": {uri: [change]}}
    return {
        "documentChanges": [
            {"kind": "create", "uri": uri, "options": {"ignoreIfExists": True}},
            {"textDocument": {"uri": uri, "version": None}, "edits": [change]},
        ]
    }


def _text(documents: Documents, path: str, read: Read) -> str | None:
    document = documents.at(path)
    return document.text if document is not None else read(path)
