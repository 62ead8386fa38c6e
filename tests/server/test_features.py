"""Every feature, as a client sees it. `$0` in a snippet is where the cursor stands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from lsprotocol import types as lsp

from .conftest import Editor, editor, make_tree

GET = "if (map_get($0state->flows, id, &index)) {"


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fw(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Editor, str, str]]:
    """The firewall's flow table and main file, open and analysed; tests put back what they change."""
    root = make_tree(tmp_path_factory.mktemp("features"), "fw")
    async with editor(root) as e:
        flows, main = e.open(root / "fw" / "fw_flows.c"), e.open(root / "fw" / "fw_main.c")
        await e.fresh(flows)
        yield e, flows, main


async def hover(e: Editor, uri: str, snippet: str) -> str:
    params = lsp.HoverParams(lsp.TextDocumentIdentifier(uri), e.at(uri, snippet))
    found = await e.client.text_document_hover_async(params)
    if found is None:
        return ""
    assert isinstance(found.contents, lsp.MarkupContent)
    return found.contents.value


async def test_hover_over_nf_process_shows_the_matrix(fw: Any) -> None:
    e, _, main = fw
    text = await hover(e, main, "int nf_$0process(")
    assert text.startswith("**fw: shared-nothing**")
    assert "| 0, 0 | equal ipv4.src, ipv4.dst, l4.src, l4.dst, ipv4.proto |" in text
    assert "| 0, 1 | equal ipv4.proto, ipv4.src = ipv4.dst, ipv4.dst = ipv4.src" in text
    assert "device 1: packets spread over all 512 table entries" in text


async def test_hover_over_a_call_names_its_object_what_it_shards_on_and_what_it_conflicts_with(fw: Any) -> None:
    e, flows, _ = fw
    text = await hover(e, flows, GET)
    assert text.startswith("**map_get** on `state->flows` (map, 65536 entries)")
    assert "Shards on ipv4.proto, ipv4.src, ipv4.dst, l4.src, l4.dst." in text
    assert "`map_put` at [fw_flows.c:" in text
    assert "call paths, device 0." in text


async def test_hover_over_nothing_says_nothing(fw: Any) -> None:
    e, flows, _ = fw
    params = lsp.HoverParams(lsp.TextDocumentIdentifier(flows), lsp.Position(0, 0))
    assert await e.client.text_document_hover_async(params) is None


async def test_between_an_edit_and_its_analysis_places_move_with_the_text(fw: Any) -> None:
    e, flows, _ = fw
    before = await hover(e, flows, GET)
    e.rewrite(flows, "// one\n// two\n" + e.texts[flows])
    at_once = await hover(e, flows, GET)
    assert at_once == before  # the old answer, asked for at the new place
    await e.fresh(flows)
    assert (await hover(e, flows, GET)).startswith("**map_get** on `state->flows`")
    e.rewrite(flows, e.texts[flows].removeprefix("// one\n// two\n"))
    await e.fresh(flows)


async def test_lenses_resolve_to_the_verdict_and_the_number_of_paths(fw: Any) -> None:
    e, _, main = fw
    found = await e.client.text_document_code_lens_async(lsp.CodeLensParams(lsp.TextDocumentIdentifier(main)))
    resolved = [await e.client.code_lens_resolve_async(lens) for lens in found or ()]
    titles = [lens.command.title for lens in resolved if lens.command is not None]
    assert titles[0].startswith("shared-nothing: RSS keys for x710 spread packets over all 512 table entries")
    assert titles[1] == "28 call paths"
    assert all(lens.range.start == e.at(main, "int $0nf_process(") for lens in resolved)


async def test_inlay_hints_stand_behind_calls(fw: Any) -> None:
    e, flows, _ = fw
    whole = lsp.Range(lsp.Position(0, 0), lsp.Position(1000, 0))
    found = await e.client.text_document_inlay_hint_async(lsp.InlayHintParams(lsp.TextDocumentIdentifier(flows), whole))
    at = e.at(flows, "if (map_get(state->flows, id, &index)$0) {")
    (hint,) = [h for h in found or () if h.position == at]
    assert str(hint.label).startswith("shards on ipv4.proto, ipv4.src")
    first = lsp.Range(lsp.Position(0, 0), lsp.Position(at.line - 1, 0))
    some = await e.client.text_document_inlay_hint_async(lsp.InlayHintParams(lsp.TextDocumentIdentifier(flows), first))
    assert hint not in (some or ())


async def test_symbols_are_the_objects_and_the_paths(fw: Any) -> None:
    e, _, main = fw
    found = await e.client.text_document_document_symbol_async(
        lsp.DocumentSymbolParams(lsp.TextDocumentIdentifier(main))
    )
    (process,) = [s for s in found or () if s.name == "nf_process"]
    assert isinstance(process, lsp.DocumentSymbol) and process.children is not None
    assert len(process.children) == 28
    assert process.children[0].name.startswith("path 0: device 0, ")
    state = Path(lsp_path(main)).with_name("state.c").as_uri()
    objects = await e.client.text_document_document_symbol_async(
        lsp.DocumentSymbolParams(lsp.TextDocumentIdentifier(state))
    )
    assert {"state->flows", "state->chain", "state->ids"} <= {s.name for s in objects or ()}


def lsp_path(uri: str) -> str:
    from urllib.parse import unquote

    return unquote(uri.removeprefix("file://"))


async def test_definition_leads_from_a_call_to_its_object_and_references_back_to_all_calls(fw: Any) -> None:
    e, flows, _ = fw
    identifier = lsp.TextDocumentIdentifier(flows)
    found = await e.client.text_document_definition_async(lsp.DefinitionParams(identifier, e.at(flows, GET)))
    assert isinstance(found, (list, tuple))
    (place,) = found
    assert isinstance(place, lsp.Location) and place.uri.endswith("/fw/state.c")
    line = Path(lsp_path(place.uri)).read_text().splitlines()[place.range.start.line]
    assert "map_allocate" in line
    for uri, position in ((flows, e.at(flows, GET)), (place.uri, place.range.start)):
        uses = await e.client.text_document_references_async(
            lsp.ReferenceParams(lsp.ReferenceContext(True), lsp.TextDocumentIdentifier(uri), position)
        )
        lines = {(u.uri.rpartition("/")[2], u.range.start.line) for u in uses or ()}
        assert ("state.c", place.range.start.line) in lines
        assert {n for f, n in lines if f == "fw_flows.c"} == {
            n for n, text in enumerate(e.texts[flows].splitlines()) if "state->flows" in text
        }


async def test_commands_give_the_json_of_check(fw: Any) -> None:
    e, _, main = fw
    for name in ("maestro.showMatrix", "maestro.solveKeys"):
        found = await e.command(name, uri=main)
        assert found["verdict"] == "shared-nothing" and found["name"] == "fw"
        assert len(found["rss"]["devices"]) == 2


async def test_the_rss_configuration_is_exported_in_all_forms_and_a_wrong_form_is_explained(fw: Any) -> None:
    e, _, main = fw
    key = (await e.command("maestro.showMatrix", uri=main))["rss"]["devices"][0]["key"]
    for form, sign in (
        ("dpdk-c", "rte_eth_dev_rss_hash_update"),
        ("testpmd", key),
        ("json", key),
        ("ethtool", "ethtool -X"),
    ):
        assert sign in (await e.command("maestro.exportRss", uri=main, form=form))["text"]
    with pytest.raises(Exception, match="form is one of"):
        await e.command("maestro.exportRss", uri=main, form="pcap")
    with pytest.raises(Exception, match="no NF at"):
        await e.command("maestro.showMatrix", uri="file:///nowhere/x.c")


async def eventually(ask: Callable[[], Any], good: Callable[[Any], bool]) -> Any:
    for _ in range(600):
        found = await ask()
        if good(found):
            return found
        await asyncio.sleep(0.05)
    raise TimeoutError(str(found)[:500])


async def test_the_panel_has_the_accesses_behind_each_row_keys_spread_and_a_tree(fw: Any) -> None:
    e, flows, main = fw

    async def ask() -> Any:
        return await e.request("maestro/panel", {"textDocument": {"uri": main}})

    found = await eventually(ask, lambda answer: answer["state"] == "fresh")
    assert found["nf"]["verdict"] == "shared-nothing"
    assert [row["devices"] for row in found["rows"]] == [[0, 0], [0, 1], [1, 1]]
    pairs = [(a["first"]["function"], a["second"]["function"]) for a in found["rows"][1]["accesses"]]
    assert ("map_put", "map_get") in pairs
    access = found["rows"][0]["accesses"][0]["first"]
    assert access["uri"] == flows and "state->" in access["text"]
    for device in found["devices"]:
        assert sum(device["spread"]["queues"]) == 8192 and max(device["spread"]["queues"]) < 2 * 8192 / 8
        assert set(device["exports"]) == {"dpdk-c", "ethtool", "testpmd", "json"}
    nodes = {n["id"] for n in found["tree"]["nodes"]}
    assert {n["kind"] for n in found["tree"]["nodes"]} == {"condition", "call", "outcome"}
    assert all(edge["from"] in nodes and edge["to"] in nodes for edge in found["tree"]["edges"])


async def test_the_paths_are_listed_with_conditions_calls_and_lines(fw: Any) -> None:
    e, _, main = fw

    async def ask() -> Any:
        return await e.request("maestro/paths", {"textDocument": {"uri": main}})

    found = await eventually(ask, lambda answer: answer["state"] == "fresh")
    assert len(found["paths"]) == 28 and found["source"] == "symbex"
    path = next(p for p in found["paths"] if any("map_put" in c["text"] for c in p["calls"]))
    assert path["condition"] and path["lines"]


async def test_keys_are_proved_in_the_background_and_that_is_shown_everywhere(fw: Any) -> None:
    e, _, main = fw

    async def ask() -> Any:
        return await e.analysis(main)

    await eventually(ask, lambda answer: answer["proof"] == "proved")
    assert "The keys are proved." in await hover(e, main, "int nf_$0process(")
    lens = await e.client.text_document_code_lens_async(lsp.CodeLensParams(lsp.TextDocumentIdentifier(main)))
    first = await e.client.code_lens_resolve_async((lens or ())[0])
    assert first.command is not None and first.command.title.endswith(", proved")
    await e.until(lambda: any(s["proof"] == "proved" for s in e.statuses[-1]["nfs"]), "that the keys are proved")
