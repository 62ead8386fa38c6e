"""What a person sees and does in VS Code, in the real workbench, with the real server: the bridge and the firewall."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Frame, expect

from tests.e2e.workbench import SEEN_MS, Window, code_server, copy_fixtures

pytestmark = pytest.mark.xdist_group("workbench")

SERVER = Path(sys.executable).parent / "maestro-lsp"
NOT_HASHED = "is keyed by eth.src, which no RSS option of x710 hashes"


@pytest.fixture(scope="module")
def folder(home: Path) -> Path:
    return copy_fixtures(home, "fw", "bridge")


@pytest.fixture(scope="module")
def window(browser: Browser, home: Path, folder: Path) -> Iterator[Window]:
    with code_server(home, {}, {"maestro.server.path": str(SERVER)}) as server:
        window = Window(browser, server, folder)
        yield window
        window.close()


def checked(nf: Path) -> dict[str, Any]:
    """What the command line says of an NF."""
    run = subprocess.run([SERVER, "check", nf, "--format", "json"], capture_output=True, text=True, timeout=120)
    (answer,) = json.loads(run.stdout)["nfs"]
    return answer


def findings(nf: Path, file: str) -> list[tuple[str, int, int]]:
    """Findings of a file that an editor lists: message, line and column, which count from 1."""
    start = [
        (f["message"], f["range"]["start"])
        for f in checked(nf)["findings"]
        if Path(f["file"]).name == file and f["severity"] != "hint"
    ]
    return sorted((message, at["line"] + 1, at["character"] + 1) for message, at in start)


def open_analysed(window: Window, file: str, verdict: str) -> None:
    window.open(file)
    window.seen('.statusbar-item[id*="maestro"]', verdict)


# ---- the bridge


def test_findings_are_underlined_and_listed_exactly_as_on_the_command_line(window: Window, folder: Path):
    open_analysed(window, "bridge_main.c", "bridge: locks")
    window.go_to(43)
    window.seen(".editor-instance .squiggly-warning")
    expected = findings(folder / "bridge", "bridge_main.c")
    assert len(expected) == 6 and all("no RSS option of x710 hashes" in message for message, _, _ in expected)
    assert window.problems("bridge_main.c") == expected
    window.photograph("bridge-findings-dark")
    window.run("View: Hide Panel")


def test_the_verdict_stands_over_nf_process_and_the_matrix_is_shown_on_hover(window: Window):
    open_analysed(window, "bridge_main.c", "bridge: locks")
    window.go_to(81)
    lens = window.page.locator(".editor-instance .codelens-decoration a")
    expect(lens.filter(has_text="locks: cannot be sharded as written")).to_be_visible(timeout=SEEN_MS)
    expect(lens.filter(has_text="22 call paths")).to_be_visible(timeout=SEEN_MS)
    shown = window.hover("int nf_process(uint16_t device", "nf_process")
    expect(shown).to_contain_text("bridge: locks")
    for devices in ("0, 0", "0, 1", "1, 1"):
        row = shown.locator("tr").filter(has=window.page.get_by_role("cell", name=devices, exact=True))
        expect(row).to_contain_text("eth.dst = eth.src or eth.src = eth.dst or equal eth.src")
    window.photograph("bridge-hover-dark")


def test_what_a_call_shards_on_stands_beside_it(window: Window):
    open_analysed(window, "bridge_main.c", "bridge: locks")
    window.go_to(59)
    for call, hint in (
        ("map_put(mac_table->index_of, key, index)", "eth.src"),
        ("map_get(mac_table->index_of, destination", "eth.dst"),
    ):
        line = window.page.locator(".editor-instance .view-line").filter(
            has_text=re.compile(re.escape(call.split("(")[0]) + r"\(.*" + hint)
        )
        expect(line.first).to_be_visible(timeout=SEEN_MS)


def test_the_lens_opens_the_matrix_panel_whose_accesses_lead_to_the_source(window: Window):
    open_analysed(window, "bridge_main.c", "bridge: locks")
    window.go_to(81)
    window.seen(".editor-instance .codelens-decoration a", "locks: cannot be sharded").click()
    panel = window.webview("bridge")
    expect(panel.locator(".verdict")).to_have_text("locks")
    cells = panel.locator("table.matrix td.filled")
    expect(cells).to_have_count(3)
    assert [c.split("\n")[:5] for c in cells.all_inner_texts()] == 3 * [
        ["eth.dst = eth.src", "or", "eth.src = eth.dst", "or", "equal eth.src"]
    ]
    cells.nth(1).locator("a").click()
    accesses = panel.locator("#row-0-1 table.accesses")
    expect(accesses).to_be_visible()
    window.photograph("bridge-matrix-dark")
    accesses.locator("a", has_text="map_put(").first.click()
    window.seen('[id="status.editor.selection"]', re.compile("^Ln 59, "))


# ---- the firewall


def test_the_firewall_is_shared_nothing_with_the_one_warning_of_the_command_line(window: Window, folder: Path):
    open_analysed(window, "fw_flows.c", "fw: shared-nothing")
    expected = findings(folder / "fw", "fw_flows.c")
    assert [line for _, line, _ in expected] == [32]
    assert window.problems("fw_flows.c") == expected
    window.run("View: Hide Panel")


def matrix_of_firewall(window: Window) -> Frame:
    open_analysed(window, "fw_flows.c", "fw: shared-nothing")
    window.run("Maestro: Show Constraint Matrix")
    return window.webview("fw")


def test_the_configuration_is_copied_as_the_command_line_gives_it(window: Window, folder: Path):
    panel = matrix_of_firewall(window)
    keys = [device["key"] for device in checked(folder / "fw")["rss"]["devices"]]
    expect(panel.locator(".key code")).to_have_count(2)
    assert [key.replace(" ", "") for key in panel.locator(".key code").all_inner_texts()] == keys
    panel.get_by_role("button", name="Copy the key of device 1").click()
    expect_clipboard(window, re.escape(keys[1]))
    panel.get_by_role("button", name="C for DPDK").click()
    expect_clipboard(window, r"uint8_t rss_key_0\[52\] = \{[\s\S]*rte_eth_dev_rss_hash_update")
    expect(panel.locator("figure.spread .bar")).to_have_count(16)  # eight queues on each device
    panel.locator("#rss-title").scroll_into_view_if_needed()
    window.photograph("firewall-rss-dark")


def expect_clipboard(window: Window, pattern: str) -> None:
    # the clipboard is written after the click, by another process
    window.page.wait_for_function(
        "async pattern => new RegExp(pattern).test(await navigator.clipboard.readText())", arg=pattern, timeout=SEEN_MS
    )


def test_the_decision_tree_is_walked_and_folded_by_keyboard(window: Window):
    panel = matrix_of_firewall(window)
    root = panel.locator("#tree > li").first
    root.focus()
    expect(root).to_have_attribute("aria-expanded", "true")
    root.press("ArrowLeft")
    expect(root).to_have_attribute("aria-expanded", "false")
    expect(root.locator("li").first).to_be_hidden()
    root.press("ArrowRight")
    root.press("ArrowRight")
    focused = panel.locator("li:focus")
    expect(focused).to_have_attribute("aria-level", "2")
    window.photograph("firewall-tree-dark")
    panel.get_by_role("button", name="Unfold all").click()
    root.focus()
    for _ in range(panel.get_by_role("treeitem").count()):
        if "map_put" in focused.locator("> .node").inner_text():
            break
        focused.press("ArrowDown")
    focused.locator("> .node a", has_text="map_put").press("Enter")
    window.seen('[id="status.editor.selection"]', "Ln 42, ")


def test_a_chosen_call_path_is_explained_and_highlighted(window: Window):
    open_analysed(window, "fw_flows.c", "fw: shared-nothing")
    window.go_to(36)
    window.run("Maestro: Show Call Paths")
    panel = window.webview("Call paths of fw")
    paths = panel.locator(".path:visible")
    expect(paths).to_have_count(28)
    panel.get_by_role("searchbox").fill("dchain_allocate_new_index !full")
    expect(paths).not_to_have_count(28)
    paths.first.locator("input").check()
    detail = panel.locator("#detail")
    expect(detail).to_contain_text("!found(state->flows)")
    expect(detail.locator("a", has_text="dchain_allocate_new_index(").first).to_be_visible()
    highlighted = window.page.locator(".editor-instance .view-overlays [class*='TextEditorDecorationType']")
    expect(highlighted.first).to_be_visible(timeout=SEEN_MS)
    window.photograph("firewall-paths-dark")
    panel.get_by_role("button", name="Clear highlights").click()
    expect(highlighted).to_have_count(0)


def test_keying_the_map_by_mac_address_is_found_while_typing_and_undoing_it_is_too(window: Window, folder: Path):
    open_analysed(window, "fw_main.c", "fw: shared-nothing")
    lines = (folder / "fw/fw_main.c").read_text().split("\n")
    window.go_to(lines.index("    LOG_FLOWID(&id, NF_DEBUG);") + 1, 200)
    window.page.keyboard.type("\nid = (struct FlowId){.src_ip = *(uint32_t *)ether->src_addr.addr_bytes};")
    window.seen('.statusbar-item[id*="maestro"]', "fw: locks")
    found = window.problems("fw_flows.c")
    assert {line for message, line, _ in found if NOT_HASHED in message} == {32, 42}
    window.photograph("firewall-keyed-by-mac-dark")
    window.run("View: Hide Panel")
    window.page.locator(".editor-instance .view-lines").first.click()
    for _ in range(100):
        window.page.keyboard.press("Control+Z")
        if window.page.locator(".tab.active.dirty").count() == 0:
            break
        window.page.wait_for_timeout(50)
    window.seen('.statusbar-item[id*="maestro"]', "fw: shared-nothing")
    assert not any(NOT_HASHED in message for message, _, _ in window.problems("fw_flows.c"))
    window.run("View: Hide Panel")


def test_the_parallel_program_is_shown_before_it_is_written_and_is_that_of_the_command_line(
    window: Window, folder: Path
):
    written = folder / "fw/fw-shared-nothing.c"
    for answer in ("Discard", "Write"):
        open_analysed(window, "fw_main.c", "fw: shared-nothing")
        window.run("Maestro: Parallelize This NF")
        window.choose("shared-nothing")
        window.seen(".notification-list-item-message", "Write fw-shared-nothing.c? (fw: shared-nothing, verified)")
        window.seen(".editor-instance .view-line", "Generated by maestro-lsp")
        window.photograph("parallelize-preview")
        assert not written.exists()
        window.page.get_by_role("button", name=answer, exact=True).click()
        window.gone(".notification-list-item-message", "Write fw-shared-nothing.c?")
    window.seen(".notification-list-item-message", "fw-shared-nothing.c is equal to fw: 28 call paths")
    window.seen('.tab.active[data-resource-name="fw-shared-nothing.c"]:not(.dirty)')
    window.photograph("parallelize-written")
    now = written.read_text()
    subprocess.run(
        [SERVER, "parallelize", folder / "fw", "--strategy", "shared-nothing", "--out", written],
        check=True,
        timeout=120,
    )
    assert now == written.read_text()
    written.unlink()


def test_a_parallel_program_is_verified_and_one_with_a_wrong_key_is_not(window: Window, folder: Path):
    written = folder / "fw/fw-shared-nothing.c"
    write = [SERVER, "parallelize", folder / "fw", "--strategy", "shared-nothing", "--out", written, "-q"]
    subprocess.run(write, check=True, timeout=120)
    window.open("fw-shared-nothing.c")
    window.run("Maestro: Verify Parallel Program")
    window.seen(".notification-list-item-message", "fw-shared-nothing.c is equal to fw: 28 call paths")
    window.run("Notifications: Clear All Notifications")
    text = written.read_text()
    at = re.search(r"maestro_key_0\[52\] = \{\s*(?:0x.., ){15}0x(..)", text)  # the first do not reach the index
    assert at is not None
    wrong = f"{int(at[1], 16) ^ 0xFF:02x}"
    window.go_to(text.count("\n", 0, at.start(1)) + 1)
    written.write_text(text[: at.start(1)] + wrong + text[at.end(1) :])
    window.seen(".editor-instance .view-line", f"0x{wrong}")  # the editor has taken note
    window.run("Maestro: Verify Parallel Program")
    window.seen(".notification-list-item-message", "fw-shared-nothing.c is not equal to fw")
    ((message, line, _),) = window.problems("fw-shared-nothing.c")
    assert "the keys do not make all packets meet" in message
    assert line == text.count("\n", 0, text.index("maestro_key_0")) + 1
    window.photograph("verify-wrong-key")
    window.run("View: Hide Panel")
    window.run("Notifications: Clear All Notifications")
    written.unlink()


def test_a_strategy_that_does_not_apply_says_why(window: Window):
    open_analysed(window, "bridge_main.c", "bridge: locks")
    window.run("Maestro: Parallelize This NF")
    refused = window.seen(".quick-input-list .monaco-list-row", "shared-nothing")
    expect(refused).to_contain_text("locks")
    window.photograph("parallelize-refused")
    window.page.keyboard.press("Escape")


def test_a_quick_fix_switches_the_nic_and_the_finding_goes(window: Window, folder: Path):
    open_analysed(window, "bridge_main.c", "bridge: locks")
    window.go_to(43, 7)
    window.code_action("map_get(mac_table->index_of, source", "map_get", "Switch the NIC profile of bridge to software")
    expect_text(window, folder / "bridge/maestro.toml", 'nic = "software"')
    window.filter_problems("bridge_main.c")
    window.gone(".markers-panel .monaco-list-row", NOT_HASHED)
    expected = findings(folder / "bridge", "bridge_main.c")
    assert expected and not any(
        NOT_HASHED in message for message, _, _ in expected
    )  # software cannot do everything either
    assert window.problems("bridge_main.c") == expected
    window.run("View: Hide Panel")


def expect_text(window: Window, file: Path, text: str) -> None:
    for _ in range(SEEN_MS // 100):
        if file.exists() and text in file.read_text():
            return
        window.page.wait_for_timeout(100)
    raise AssertionError(f"{file} has no {text!r}")


def test_the_panels_are_legible_in_light_and_high_contrast_themes(window: Window):
    for theme, name in (("Light Modern", "light"), ("Dark High Contrast", "contrast")):
        window.run("Preferences: Color Theme")
        window.page.keyboard.type(theme)
        window.page.keyboard.press("Enter")
        matrix_of_firewall(window)
        window.photograph(f"firewall-matrix-{name}")


def test_a_panel_is_there_again_after_the_window_is_reloaded(window: Window):
    matrix_of_firewall(window)
    # Unlike a reload of the page, the command notes first what is open.
    with window.page.expect_navigation(wait_until="domcontentloaded"):
        window.run("Developer: Reload Window")
    panel = window.webview("fw")
    expect(panel.locator(".verdict")).to_have_text("shared-nothing")
    expect(panel.locator("table.matrix td.filled")).to_have_count(3)
    window.photograph("panel-after-reload")
