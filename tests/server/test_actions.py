"""Code actions: what is offered, what it changes, and that the finding is gone afterwards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from maestro_lsp.server import toml_edit

from .conftest import Editor, editor
from .test_features import lsp_path


async def offered(e: Editor, uri: str, d: lsp.Diagnostic) -> dict[str, lsp.CodeAction]:
    found = await e.client.text_document_code_action_async(
        lsp.CodeActionParams(lsp.TextDocumentIdentifier(uri), d.range, lsp.CodeActionContext([d]))
    )
    return {a.title: a for a in found or () if isinstance(a, lsp.CodeAction)}


def apply(e: Editor, edit: lsp.WorkspaceEdit | None) -> None:
    """Do what a client does with an edit: open texts change, files are written."""
    assert edit is not None
    changes = dict(edit.changes or {})
    for change in edit.document_changes or ():
        if isinstance(change, lsp.CreateFile):
            Path(lsp_path(change.uri)).touch()
        elif isinstance(change, lsp.TextDocumentEdit):
            changes[change.text_document.uri] = list(change.edits)  # type: ignore[arg-type]
    for uri, edits in changes.items():
        (one,) = edits
        if uri in e.texts:
            e.change(uri, lsp.TextDocumentContentChangePartial(range=one.range, text=one.new_text))
            lines = e.texts[uri].splitlines(keepends=True)
            at = one.range.start
            assert at.line == one.range.end.line
            old = lines[at.line]
            lines[at.line] = old[: at.character] + one.new_text + old[one.range.end.character :]
            e.texts[uri] = "".join(lines)
        else:
            Path(lsp_path(uri)).write_text(one.new_text)
            e.client.workspace_did_change_watched_files(
                lsp.DidChangeWatchedFilesParams([lsp.FileEvent(uri, lsp.FileChangeType.Changed)])
            )


async def first(e: Editor, uri: str, code: str) -> lsp.Diagnostic:
    return next(d for d in await e.diagnostics(uri) if d.code == code)


async def test_a_finding_is_allowed_by_a_comment_and_two_in_one_place_share_it(tree: Callable[..., Path]) -> None:
    root = tree("lb")
    async with editor(root) as e:
        uri = e.open(root / "lb" / "lb_balancer.c")
        for code in ("unhashed-traffic", "dchain-scan"):
            d = await first(e, uri, code)
            action = (await offered(e, uri, d))[f"Allow {code} here"]
            assert action.edit is None and action.kind == lsp.CodeActionKind.QuickFix
            apply(e, (await e.client.code_action_resolve_async(action)).edit)
            line = d.range.start.line + 1 if code == "unhashed-traffic" else d.range.start.line
            left = await e.diagnostics(uri)
            assert not [x for x in left if x.code == code and x.range.start.line == line]
        assert e.texts[uri].count("// maestro: allow(unhashed-traffic, dchain-scan)") == 1


async def test_a_hint_is_explained_but_not_offered_to_be_hidden(tree: Callable[..., Path]) -> None:
    root = tree("fw")
    async with editor(root) as e:
        uri = e.open(root / "fw" / "fw_flows.c")
        assert set(await offered(e, uri, await first(e, uri, "shards-on"))) == {"Open the page about shards-on"}


async def test_a_finding_is_allowed_for_the_whole_nf_in_a_maestro_toml_that_is_made(tree: Callable[..., Path]) -> None:
    root = tree("fw")
    async with editor(root) as e:
        uri = e.open(root / "fw" / "fw_flows.c")
        d = await first(e, uri, "unhashed-traffic")
        action = (await offered(e, uri, d))["Allow unhashed-traffic in fw (maestro.toml)"]
        apply(e, (await e.client.code_action_resolve_async(action)).edit)
        assert (root / "fw" / "maestro.toml").read_text() == '[maestro]\nallow = ["unhashed-traffic"]\n'
        assert not [x for x in await e.diagnostics(uri) if x.code == "unhashed-traffic"]


async def test_switching_to_a_nic_is_offered_with_what_it_would_do_and_does_it(tree: Callable[..., Path]) -> None:
    root = tree("subsumed-maps")
    path = root / "subsumed-maps" / "guard_main.c"
    toml = root / "subsumed-maps" / "maestro.toml"
    toml.write_text('# mine\n[maestro]\nseed = 3\nnic = "e810" # ours\n')
    async with editor(root) as e:
        uri = e.open(path)
        await e.fresh(uri)
        entry = e.at(uri, "nf_$0process(")
        where = lsp.Range(entry, entry)

        async def actions() -> dict[str, lsp.CodeAction]:
            found = await e.client.text_document_code_action_async(
                lsp.CodeActionParams(lsp.TextDocumentIdentifier(uri), where, lsp.CodeActionContext([]))
            )
            return {a.title: a for a in found or () if isinstance(a, lsp.CodeAction)}

        from .test_features import eventually

        found = await eventually(actions, lambda offers: any("to software (" in title for title in offers))
        title = next(title for title in found if "to software" in title)
        assert title.startswith("Switch the NIC profile of subsumed-maps to software (")
        apply(e, (await e.client.code_action_resolve_async(found[title])).edit)
        assert toml.read_text() == '# mine\n[maestro]\nseed = 3\nnic = "software" # ours\n'
        answer = await e.fresh(uri)
        assert answer["rss"]["nic"] == "software" and answer["verdict"] in title


async def test_a_device_role_that_nothing_says_is_offered_to_be_said(tree: Callable[..., Path]) -> None:
    root = tree("fw")
    makefile = root / "fw" / "Makefile"
    makefile.write_text(makefile.read_text().partition("NF_ARGS")[0])
    async with editor(root) as e:
        uri = e.open(root / "fw" / "fw_main.c")
        assert (await e.fresh(uri))["roles"] == {"config.wan_device": 1}
        entry = e.at(uri, "int nf_$0process(")
        found = await e.client.text_document_code_action_async(
            lsp.CodeActionParams(lsp.TextDocumentIdentifier(uri), lsp.Range(entry, entry), lsp.CodeActionContext([]))
        )
        title = "Say that config.wan_device is 0 (maestro.toml)"
        (say,) = [a for a in found or () if isinstance(a, lsp.CodeAction) and a.title == title]
        apply(e, (await e.client.code_action_resolve_async(say)).edit)
        assert (root / "fw" / "maestro.toml").read_text() == "[config]\nwan_device = 0\n"
        assert not (await e.fresh(uri)).get("roles")


async def test_an_editor_setting_that_wins_disables_the_switch(tree: Callable[..., Path]) -> None:
    root = tree("fw")
    async with editor(root, configuration={"nic": "e810"}) as e:
        uri = e.open(root / "fw" / "fw_flows.c")
        await e.until(lambda: any(s["nfs"] and s["nfs"][0]["state"] == "fresh" for s in e.statuses[-1:]))
        assert (await e.fresh(uri))["rss"]["nic"] == "e810"
        main = e.open(root / "fw" / "fw_main.c")
        entry = e.at(main, "int nf_$0process(")
        found = await e.client.text_document_code_action_async(
            lsp.CodeActionParams(
                lsp.TextDocumentIdentifier(main),
                lsp.Range(entry, entry),
                lsp.CodeActionContext([], [lsp.CodeActionKind.Refactor]),
            )
        )
        switches = [a for a in found or () if isinstance(a, lsp.CodeAction) and a.title.startswith("Switch the NIC")]
        assert switches and all(a.disabled is not None and "maestro.nic" in a.disabled.reason for a in switches)
        with pytest.raises(JsonRpcException, match="remove it first"):
            await e.command("maestro.chooseNic", uri=uri, nic="x710")


async def test_a_nic_is_chosen_by_a_command_that_edits_maestro_toml(tree: Callable[..., Path]) -> None:
    root = tree("fw")
    async with editor(root) as e:
        uri = e.open(root / "fw" / "fw_flows.c")
        await e.fresh(uri)
        with pytest.raises(JsonRpcException, match="nic is one of 82599, "):
            await e.command("maestro.chooseNic", uri=uri, nic="i40e")
        toml = root / "fw" / "maestro.toml"
        assert await e.command("maestro.chooseNic", uri=uri, nic="connectx") == {"file": str(toml)}
        apply(e, e.edits[-1])
        assert toml.read_text() == '[maestro]\nnic = "connectx"\n'
        assert (await e.fresh(uri))["rss"]["nic"] == "connectx"


async def test_the_page_of_a_finding_is_shown_by_the_client(tree: Callable[..., Path]) -> None:
    root = tree("fw")
    async with editor(root) as e:
        uri = e.open(root / "fw" / "fw_flows.c")
        d = await first(e, uri, "unhashed-traffic")
        action = (await offered(e, uri, d))["Open the page about unhashed-traffic"]
        assert action.command is not None
        await e.command(action.command.command, **action.command.arguments[0])  # type: ignore[index]
        (shown,) = e.client.shown_documents
        assert shown.uri.endswith("/unhashed-traffic.md") and Path(lsp_path(shown.uri)).is_file()
        with pytest.raises(Exception, match="no page about"):
            await e.command("maestro.openDocumentation", code="../../etc/passwd")


def test_toml_edits_change_one_value_and_keep_the_rest() -> None:
    text = '# top\n[maestro] # settings\nassume = [\n  "ipv4-frag", # why\n]\n\n[config]\nwan = 1\n'
    assert toml_edit.with_value(text, "config", "wan", 2) == text.replace("wan = 1", "wan = 2")
    assert toml_edit.with_value(text, "maestro", "nic", "x710") == text.replace(
        "settings\n", 'settings\nnic = "x710"\n'
    )
    changed = toml_edit.with_value(text, "maestro", "assume", ["ipv4-other"])
    assert changed == '# top\n[maestro] # settings\nassume = ["ipv4-other"]\n\n[config]\nwan = 1\n'
    assert toml_edit.with_value("nic = [", "maestro", "nic", "x710") is None
    own = '[maestro]\nnic = "x710"\n[nf.fw]\nnic = "e810"\n'
    assert toml_edit.table_for(own, "fw", "maestro", "nic") == "nf.fw"
    assert toml_edit.table_for(own, "nat", "maestro", "nic") == "maestro"


@given(st.text(alphabet="[]maestronic=\"' \n#.12,", max_size=60), st.sampled_from(["x710", 'a"b\\c']))
def test_a_toml_edit_either_says_what_was_wanted_or_is_not_made(text: str, value: str) -> None:
    import tomllib

    new: Any = toml_edit.with_value(text, "maestro", "nic", value)
    if new is not None:
        assert tomllib.loads(new)["maestro"]["nic"] == value
