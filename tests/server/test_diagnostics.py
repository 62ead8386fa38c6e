"""What the server says about files without being asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lsprotocol import types as lsp

from .conftest import editor


async def test_the_findings_of_the_bridge_are_pushed_with_their_other_access_and_their_page(
    tree: Callable[..., Path],
) -> None:
    root = tree("bridge")
    async with editor(root) as e:
        uri = e.open(root / "bridge" / "bridge_main.c")
        found = await e.diagnostics(uri)
        about = [d for d in found if d.code == "rss-incompatible-field"]
        assert about and all(d.source == "maestro" and d.severity == 2 for d in about)
        assert any("the other access" in r.message for d in about for r in d.related_information or ())
        page = about[0].code_description
        assert page is not None and page.href.endswith("/rss-incompatible-field.md")


async def test_an_edit_that_keys_the_firewall_by_mac_address_makes_findings_and_undoing_it_removes_them(
    tree: Callable[..., Path],
) -> None:
    root = tree("fw")
    async with editor(root) as e:
        uri = e.open(root / "fw" / "fw_flows.c")
        before = await e.diagnostics(uri)
        assert (await e.analysis(uri))["verdict"] == "shared-nothing"
        e.replace(uri, "map_get(state->flows, id, &index)", "map_get(state->flows, state, &index)")
        await e.diagnostics(uri)
        assert (await e.analysis(uri))["verdict"] != "shared-nothing"
        e.replace(uri, "map_get(state->flows, state, &index)", "map_get(state->flows, id, &index)")
        assert await e.diagnostics(uri) == before
        assert (await e.analysis(uri))["verdict"] == "shared-nothing"


async def test_that_nothing_is_to_be_said_about_an_edited_file_is_said(tree: Callable[..., Path]) -> None:
    root = tree("device-counter")
    async with editor(root) as e:
        uri = e.open(root / "device-counter" / "bytes.h.gen.c")
        await e.analysis(uri)
        e.replace(uri, "// Generated", "// edited\n// Generated")
        assert await e.diagnostics(uri) == []


async def test_a_client_to_which_findings_are_pushed_is_not_told_to_pull_them_as_well(
    tree: Callable[..., Path],
) -> None:
    root = tree("bridge")
    async with editor(root) as e:
        assert e.capabilities.diagnostic_provider is None
    async with editor(root, options={"diagnostics": "pull"}) as e:
        assert e.capabilities.diagnostic_provider is not None


async def test_a_comment_that_allows_what_is_not_there_is_faded_out(tree: Callable[..., Path]) -> None:
    root = tree("fw")
    async with editor(root) as e:
        uri = e.open(root / "fw" / "fw_flows.c")
        call = "  if (map_get(state->flows, id, &index)) {"
        e.replace(uri, call, "  // maestro: allow(unhashed-traffic, dchain-scan)\n" + call)
        found = await e.diagnostics(uri)
        assert "unhashed-traffic" not in {d.code for d in found}
        (unused,) = [d for d in found if d.code == "unused-allow"]
        assert list(unused.tags or ()) == [lsp.DiagnosticTag.Unnecessary]
        assert unused.range == lsp.Range(
            e.at(uri, "allow(unhashed-traffic, $0dchain-scan"), e.at(uri, "dchain-scan$0)")
        )
