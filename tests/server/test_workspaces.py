"""Folders, files that come and go, headers of several NFs, settings, and the units that clients count in."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pytest_lsp import client_capabilities

from .conftest import FIXTURES, Editor, editor, make_tree
from .test_features import eventually


def changed(e: Editor, *files: tuple[Path, lsp.FileChangeType]) -> None:
    events = [lsp.FileEvent(path.as_uri(), kind) for path, kind in files]
    e.client.workspace_did_change_watched_files(lsp.DidChangeWatchedFilesParams(events))


def states(e: Editor) -> dict[str, str]:
    return {n["name"]: n["state"] for n in e.statuses[-1]["nfs"]} if e.statuses else {}


async def test_all_nfs_of_all_folders_are_analysed_and_those_of_a_removed_folder_forgotten(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first, second = make_tree(tmp_path / "a", "fw", "bridge"), make_tree(tmp_path / "b", "nop", "policer")
    async with editor(first, second) as e:
        names = {"fw", "bridge", "nop", "policer"}
        await e.until(lambda: states(e) == dict.fromkeys(names, "fresh"), "that all are analysed")
        bridge = (first / "bridge" / "bridge_main.c").as_uri()
        assert [p for p in e.published if p.uri == bridge and p.diagnostics]  # though nobody opened it
        e.client.workspace_did_change_workspace_folders(
            lsp.DidChangeWorkspaceFoldersParams(
                lsp.WorkspaceFoldersChangeEvent(added=[], removed=[lsp.WorkspaceFolder(first.as_uri(), "a")])
            )
        )
        await e.until(lambda: set(states(e)) == {"nop", "policer"}, "that two are left")
        await e.until(lambda: [p for p in e.published if p.uri == bridge][-1].diagnostics == (), "that it is clean")


async def test_a_folder_without_an_nf_stays_quiet(tmp_path: Path) -> None:
    (tmp_path / "hello.c").write_text("int main(void) { return 0; }\n")
    async with editor(tmp_path) as e:
        uri = e.open(tmp_path / "hello.c")
        answer = await e.analysis(uri)
        assert (answer["state"], answer["nfs"]) == ("none", [])
        hover = lsp.HoverParams(lsp.TextDocumentIdentifier(uri), lsp.Position(0, 5))
        assert await e.client.text_document_hover_async(hover) is None
        assert states(e) == {} and not [p for p in e.published if p.diagnostics]
        e.rewrite(uri, (FIXTURES / "nop" / "nop_main.c").read_text())
        await e.until(lambda: states(e), "that there is an NF now")


async def test_twenty_nfs_are_all_analysed_and_the_one_that_is_looked_at_does_not_wait_for_them(tmp_path: Path) -> None:
    root = make_tree(tmp_path)
    for n in range(20):
        shutil.copytree(FIXTURES / "policer", root / f"policer{n:02}")
    async with editor(root) as e:
        looked_at = e.open(root / "policer19" / "policer_main.c")
        assert (await e.fresh(looked_at))["nfs"] == ["policer19"]
        others = [state for name, state in states(e).items() if name != "policer19"]
        assert others.count("fresh") < 10, others
        await e.until(lambda: states(e) == {f"policer{n:02}": "fresh" for n in range(20)}, "that all are analysed")


async def test_without_z3_the_keys_are_not_proved_and_the_client_is_told_why(
    tmp_path: Path, tree: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "without" / "z3").mkdir(parents=True)
    (tmp_path / "without" / "z3" / "__init__.py").write_text(
        "print('Could not find it')\nraise ImportError('no libz3')\n"
    )
    root = tree("fw")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'without'}:{FIXTURES.parent}")
    async with editor(root) as e:
        assert (await e.fresh(e.open(root / "fw" / "fw_main.c")))["nfs"] == ["fw"]
        told = await e.until(lambda: [n for s in e.statuses for n in s["nfs"] if "Z3" in n.get("message", "")], "why")
        assert "Z3 cannot be loaded (ImportError: no libz3); install it anew" in told[-1]["message"]
        assert told[-1]["verdict"] == "shared-nothing"


async def test_a_shared_header_belongs_to_all_its_nfs_and_an_unsaved_edit_in_it_reaches_them(tmp_path: Path) -> None:
    root = make_tree(tmp_path, "fw", "policer")
    async with editor(root) as e:
        await e.until(lambda: states(e) == {"fw": "fresh", "policer": "fresh"})
        header = e.open(root / "nf-util.h")
        answer = await e.fresh(header)
        assert set(answer["nfs"]) == {"fw", "policer"}
        e.rewrite(header, "#error broken\n" + e.texts[header])
        main = (root / "fw" / "fw_main.c").as_uri()
        other = (root / "policer" / "policer_main.c").as_uri()
        e.replace(header, "#error broken\n", "struct broken {\n")
        for uri in (main, other):

            async def ask(uri: str = uri) -> Any:
                return await e.analysis(uri)

            await eventually(ask, lambda a: a["state"] == "fresh" and a["verdict"] == "unknown")
        e.close(header)  # what is on disk counts again
        for uri in (main, other):

            async def again(uri: str = uri) -> Any:
                return await e.analysis(uri)

            await eventually(again, lambda a: a["state"] == "fresh" and a["verdict"] == "shared-nothing")


async def test_files_and_nfs_come_are_renamed_and_go(tmp_path: Path) -> None:
    root = make_tree(tmp_path, "fw")
    async with editor(root) as e:
        await e.until(lambda: states(e) == {"fw": "fresh"})
        flows = root / "fw" / "fw_flows.c"
        hidden = root / "fw" / "elsewhere.txt"
        flows.rename(hidden)
        changed(e, (flows, lsp.FileChangeType.Deleted))
        main = (root / "fw" / "fw_main.c").as_uri()

        async def ask() -> Any:
            return await e.analysis(main)

        gone = await eventually(ask, lambda a: a["state"] == "fresh" and a["verdict"] == "unknown")
        assert any(f["code"] == "missing-function" for f in gone["findings"])
        hidden.rename(root / "fw" / "flows_again.c")
        makefile = root / "fw" / "Makefile"
        makefile.write_text(makefile.read_text().replace("fw_flows.c", "flows_again.c"))
        changed(e, (root / "fw" / "flows_again.c", lsp.FileChangeType.Created), (makefile, lsp.FileChangeType.Changed))
        await eventually(ask, lambda a: a["state"] == "fresh" and a["verdict"] == "shared-nothing")
        shutil.copytree(root / "fw", root / "copy")
        changed(e, (root / "copy" / "fw_main.c", lsp.FileChangeType.Created))
        await e.until(lambda: states(e) == {"fw": "fresh", "copy": "fresh"}, "that there is a second")
        shutil.rmtree(root / "copy")
        changed(e, (root / "copy" / "fw_main.c", lsp.FileChangeType.Deleted))
        await e.until(lambda: states(e) == {"fw": "fresh"}, "that it is gone")


async def test_what_the_editor_itself_renames_makes_and_deletes_is_noticed_without_watching(tmp_path: Path) -> None:
    root = make_tree(tmp_path, "fw")
    main, flows = (root / "fw" / name for name in ("fw_main.c", "fw_flows.c"))
    moved = root / "fw" / "elsewhere.txt"
    async with editor(root) as e:

        async def verdict_is(verdict: str) -> None:
            async def ask() -> Any:
                return await e.analysis(main.as_uri())

            await eventually(ask, lambda a: a["state"] == "fresh" and a["verdict"] == verdict)

        await verdict_is("shared-nothing")
        flows.rename(moved)
        e.client.workspace_did_rename_files(lsp.RenameFilesParams([lsp.FileRename(flows.as_uri(), moved.as_uri())]))
        await verdict_is("unknown")
        flows.write_text(moved.read_text())
        e.client.workspace_did_create_files(lsp.CreateFilesParams([lsp.FileCreate(flows.as_uri())]))
        await verdict_is("shared-nothing")
        flows.unlink()
        e.client.workspace_did_delete_files(lsp.DeleteFilesParams([lsp.FileDelete(flows.as_uri())]))
        await verdict_is("unknown")


async def test_a_file_outside_of_all_folders_is_analysed_while_it_is_open(tmp_path: Path) -> None:
    root = make_tree(tmp_path, "nop")
    async with editor() as e:
        uri = e.open(root / "nop" / "nop_main.c")

        async def ask() -> Any:
            return await e.analysis(uri)

        assert (await eventually(ask, lambda a: a["state"] == "fresh"))["stateless"]
        e.close(uri)
        await eventually(ask, lambda a: a["state"] == "none")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_positions_are_in_the_units_that_were_agreed_on(tmp_path: Path, encoding: str) -> None:
    root = make_tree(tmp_path, "fw")
    capabilities = client_capabilities("visual-studio-code")
    capabilities.general = lsp.GeneralClientCapabilities(position_encodings=[lsp.PositionEncodingKind(encoding)])
    path = root / "fw" / "fw_flows.c"
    call = "map_get(state->flows, id, &index)"
    path.write_text(path.read_text().replace("if (" + call, "/* Zustände 𝔘 */ if (" + call, 1))
    async with editor(root, capabilities=capabilities) as e:
        assert e.capabilities.position_encoding == encoding
        uri = e.open(path)
        found = await e.diagnostics(uri)
        lines = e.texts[uri].split("\n")
        number = next(n for n, line in enumerate(lines) if "𝔘" in line)
        before = lines[number][: lines[number].index(call)]
        width = {"utf-8": len(before.encode()), "utf-16": len(before.encode("utf-16-le")) // 2, "utf-32": len(before)}
        start = lsp.Position(number, width[encoding])
        assert start in [d.range.start for d in found if d.code == "shards-on"]
        hovered = await e.client.text_document_hover_async(lsp.HoverParams(lsp.TextDocumentIdentifier(uri), start))
        assert hovered is not None and hovered.range is not None and hovered.range.start == start
        # an edit behind the wide letters is understood in the same units
        end = lsp.Position(number, width[encoding] + len(call))
        wrong = lsp.TextDocumentContentChangePartial(range=lsp.Range(start, end), text="nothing_at_all()")
        e.change(uri, wrong)
        assert (await e.fresh(uri))["verdict"] == "unknown"
        back = lsp.Range(start, lsp.Position(number, start.character + len("nothing_at_all()")))
        e.change(uri, lsp.TextDocumentContentChangePartial(range=back, text=call))
        assert (await e.fresh(uri))["verdict"] == "shared-nothing"


async def test_form_feeds_do_not_count_as_line_ends(tree: Callable[..., Path]) -> None:
    root = tree("fw")
    async with editor(root) as e:
        uri = e.open(root / "fw" / "fw_flows.c")
        before = await e.diagnostics(uri)
        e.rewrite(uri, "\x0c// a page\x0b\x85\u2028\n" + e.texts[uri])
        after = await e.diagnostics(uri)
        assert [d.range.start.line - 1 for d in after] == [d.range.start.line for d in before]


async def test_a_client_that_only_pulls_gets_findings_that_way_each_once(tree: Callable[..., Path]) -> None:
    root = tree("bridge")
    async with editor(root, options={"diagnostics": "pull"}) as e:
        assert e.capabilities.diagnostic_provider is not None
        uri = e.open(root / "bridge" / "bridge_main.c")
        await e.fresh(uri)
        ask = lsp.DocumentDiagnosticParams(lsp.TextDocumentIdentifier(uri))
        full = await e.client.text_document_diagnostic_async(ask)
        assert full.kind == "full" and {d.code for d in full.items} >= {"rss-incompatible-field"}
        assert not e.published
        again = await e.client.text_document_diagnostic_async(
            lsp.DocumentDiagnosticParams(lsp.TextDocumentIdentifier(uri), previous_result_id=full.result_id)
        )
        assert again.kind == "unchanged"
        e.rewrite(uri, "\n\n" + e.texts[uri])
        moved = await e.client.text_document_diagnostic_async(ask)  # before it is analysed
        lines = [d.range.start.line for d in full.items]
        assert sorted(d.range.start.line - 2 for d in moved.items) == sorted(lines)


async def test_by_default_findings_are_pushed_and_not_offered_to_be_pulled(tree: Callable[..., Path]) -> None:
    async with editor(tree("nop")) as e:
        assert e.capabilities.diagnostic_provider is None


async def test_settings_win_over_maestro_toml_and_wrong_ones_are_named(tree: Callable[..., Path]) -> None:
    root = tree("fw")
    (root / "fw" / "maestro.toml").write_text('[maestro]\nnic = "e810"\ndevices = 3\n')
    async with editor(root, configuration={"nic": "82599", "devices": "many"}) as e:
        uri = e.open(root / "fw" / "fw_main.c")
        await e.until(lambda: e.client.messages, "that a setting is wrong")
        assert "maestro.devices must be of type int" in e.client.messages[0].message

        async def ask() -> Any:
            return await e.analysis(uri)

        answer = await eventually(ask, lambda a: a["state"] == "fresh" and a["rss"] and a["rss"]["nic"] == "82599")
        assert answer["devices"] == [0, 1, 2]
        e.client._configuration[""]["maestro"] = {"nic": "x710"}
        e.client.workspace_did_change_configuration(lsp.DidChangeConfigurationParams(settings=None))
        await eventually(ask, lambda a: a["state"] == "fresh" and a["rss"]["nic"] == "x710")


async def test_an_unsaved_maestro_toml_counts_and_an_error_in_it_is_shown_in_it(tree: Callable[..., Path]) -> None:
    root = tree("fw")
    async with editor(root) as e:
        main = e.open(root / "fw" / "fw_main.c")
        await e.fresh(main)
        toml = root / "fw" / "maestro.toml"
        uri = e.open(toml, '[maestro]\nnic = "e810"\n')
        assert (await e.fresh(main))["rss"]["nic"] == "e810"
        e.rewrite(uri, '[maestro]\nnick = "e810"\n')
        await e.until(lambda: [p for p in e.published if p.uri == uri and p.diagnostics], "what is wrong")
        told = [p for p in e.published if p.uri == uri][-1].diagnostics[0]
        assert "unknown setting 'nick'" in told.message and told.range.start.line == 1


async def test_a_result_that_is_kept_counts_only_while_files_found_on_the_way_are_the_same(
    tree: Callable[..., Path], tmp_path: Path
) -> None:
    """Twice changed between sessions: the second result, too, must remember what it was made from."""
    root = tree("policer")
    (root / "policer" / "maestro.toml").write_text('[maestro]\nnic = "mine.toml"\n')
    for table in (128, 256, 64, 128):
        profile = f'[nic.mine]\nkey_bytes = 40\ntable = {table}\noptions = ["ipv4-tcp", "ipv4-udp", "ipv4"]\n'
        (root / "policer" / "mine.toml").write_text(profile)
        async with editor(root, cache=tmp_path / "cache") as e:
            answer = await e.fresh(e.open(root / "policer" / "policer_main.c"))
            assert answer["rss"]["devices"][0]["table_size"] == table


async def test_a_profile_of_ones_own_counts_as_it_is_now_saved_or_not(tree: Callable[..., Path]) -> None:
    root = tree("policer")
    (root / "policer" / "maestro.toml").write_text('[maestro]\nnic = "mine.toml"\n')
    profile = '[nic.mine]\nkey_bytes = 40\ntable = {table}\noptions = ["ipv4-tcp", "ipv4-udp", "ipv4"]\n'
    own = root / "policer" / "mine.toml"
    own.write_text("[nic.mine]\ntable = 3\n")
    async with editor(root) as e:
        main = e.open(root / "policer" / "policer_main.c")
        await e.until(
            lambda: any("not a power of two" in d.message for p in e.published for d in p.diagnostics), "what is wrong"
        )
        own.write_text(profile.format(table=128))
        changed(e, (own, lsp.FileChangeType.Changed))

        async def ask() -> Any:
            return await e.analysis(main)

        def shows(table: int) -> Callable[[Any], bool]:
            return lambda a: bool(
                a["state"] == "fresh" and a.get("rss") and a["rss"]["devices"][0]["table_size"] == table
            )

        await eventually(ask, shows(128))
        uri = e.open(own, profile.format(table=256))
        await eventually(ask, shows(256))
        e.close(uri)
        await eventually(ask, shows(128))
        own.write_text(profile.format(table=64))
        changed(e, (own, lsp.FileChangeType.Changed))
        await eventually(ask, shows(64))


async def test_hints_can_be_turned_off_and_a_proof_be_cancelled(tree: Callable[..., Path]) -> None:
    root = tree("policer")
    async with editor(root, configuration={"hints": {"enabled": False}}) as e:
        uri = e.open(root / "policer" / "policer_main.c")
        await e.fresh(uri)
        whole = lsp.Range(lsp.Position(0, 0), lsp.Position(1000, 0))
        asked = lsp.InlayHintParams(lsp.TextDocumentIdentifier(uri), whole)

        async def hints() -> Any:
            return await e.client.text_document_inlay_hint_async(asked)

        await eventually(hints, lambda found: not found)
        shown = e.client.progress_reports

        def begun() -> list[Any]:
            return [token for token, reports in shown.items() if reports]

        for tries in range(20):  # prove again and again until there was time to cancel
            await e.until(lambda: len(begun()) > tries, "that keys are proved")  # noqa: B023
            token = begun()[-1]
            if shown[token][-1].kind != "end":
                e.client.window_work_done_progress_cancel(lsp.WorkDoneProgressCancelParams(token))
            await e.until(lambda: shown[token][-1].kind == "end", "that it ended")  # noqa: B023
            if (await e.analysis(uri))["proof"] == "none":
                break
            e.rewrite(uri, e.texts[uri] + "\n// again\n")
        else:
            pytest.fail("the proof was always faster than the client")
        await asyncio.sleep(0.1)
        assert (await e.analysis(uri))["proof"] == "none"


async def test_call_path_files_without_sources_are_an_nf_of_their_own(tmp_path: Path) -> None:
    root = tmp_path / "nur Pfade 測試"
    recorded = root / "fw" / "klee-last"
    write = [sys.executable, "-m", "maestro_lsp", "paths", FIXTURES / "fw", "--format", "call-path", "--out", recorded]
    subprocess.run(write, check=True, capture_output=True, timeout=60)
    first, *_, last = sorted(recorded.glob("*.call_path"))
    async with editor(root) as e:
        await e.until(lambda: states(e) == {"fw": "fresh"}, "that the files are an NF")
        found = await e.fresh((root / "fw").as_uri())
        assert (found["verdict"], found["source"], found["paths"]) == ("shared-nothing", "call-paths", 28)
        uri = e.open(first)
        document = lsp.TextDocumentIdentifier(uri)
        (lens, _) = await e.client.text_document_code_lens_async(lsp.CodeLensParams(document)) or ()
        title = (await e.client.code_lens_resolve_async(lens)).command
        assert title is not None and title.title.startswith("shared-nothing: RSS keys for x710")
        hover = await e.client.text_document_hover_async(lsp.HoverParams(document, lens.range.start))
        assert hover is not None and isinstance(hover.contents, lsp.MarkupContent)
        assert "| 0, 0 | equal ipv4.src, ipv4.dst" in hover.contents.value
        panel = await eventually(
            lambda: e.request("maestro/panel", {"textDocument": {"uri": uri}}), lambda a: "tree" in a
        )
        assert panel["rows"] and panel["devices"] and len(panel["tree"]["nodes"]) > 28
        with pytest.raises(JsonRpcException, match="there are call path files alone"):
            await e.command("maestro.parallelize", uri=uri, strategy="locks")

        last.unlink()  # now packets take paths that no file describes
        changed(e, (last, lsp.FileChangeType.Deleted))
        assert (await e.fresh(uri))["verdict"] == "unknown"
        assert [d for p in e.published[-1:] for d in p.diagnostics if d.code == "call-paths-invalid"]

        e.close(uri)
        for path in recorded.glob("*.call_path"):
            path.unlink()
            changed(e, (path, lsp.FileChangeType.Deleted))
        await e.until(lambda: e.statuses[-1]["nfs"] == [], "that nothing is left")
