"""Programs that differ are told apart, at the place where they do; a program equals itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from maestro_lsp.libvig.catalogue import Catalogue
from maestro_lsp.symbex.run import Execution, Inputs, execute
from maestro_lsp.synthesis.equivalence import Difference, compare
from maestro_lsp.verify.traffic import packet_of
from maestro_lsp.workspace import NfSources, conventions, find_nfs, load, reader

FIXTURES = Path(__file__).parents[2] / "fixtures"
NFS = {nf.name: nf for nf in find_nfs(FIXTURES)}


def run(nf: NfSources, buffers: dict[str, str], forget: bool) -> Execution:
    program = load(nf, reader(buffers))
    drop, flood = conventions(program)
    return execute(program, Catalogue.builtin(), Inputs(nf.devices or 2, nf.nf_args, {}, drop, flood), forget)


def differences(name: str, buffers: dict[str, str]) -> list[Difference]:
    nf = NFS[name]
    return compare(run(nf, {}, True), run(nf, buffers, False), Catalogue.builtin())


@pytest.mark.parametrize("name", sorted(NFS))
def test_a_program_equals_itself(name: str) -> None:
    assert differences(name, {}) == []


EDITS = [  # NF, file, text, replacement, what is said of it (None: it means the same)
    ("fw", "fw_flows.c", "if (map_get(state->flows, id, &index)) {", "if (!!map_get(state->flows, id, &index)) {", None),
    ("fw", "fw_flows.c", "memcpy(key, id, sizeof(struct FlowId));", "*key = *id;", None),
    ("fw", "fw_flows.c", "table->expiration_time * 1000", "1000 * table->expiration_time", None),
    ("fw", "fw_flows.c", "table->expiration_time * 1000", "table->expiration_time * 999", "another time"),
    ("fw", "fw_flows.c", "map_put(state->flows, key, index);", "map_put(state->flows, key, index + 1);", "value"),
    ("fw", "fw_flows.c", "map_put(state->flows, key, index);", "", "map_put"),
    ("fw", "fw_flows.c", "dchain_rejuvenate_index(state->chain, index, now);", "", "dchain_rejuvenate_index"),
    ("fw", "fw_flows.c", "*cell = inside;", "*cell = inside ^ 1;", "stored content"),
    ("fw", "fw_flows.c", "map_put(state->flows, key, index);", "map_put(state->flows, id, index);", "place of its key"),
    ("fw", "state.c", "dchain_allocate(max_flows", "dchain_allocate(max_flows - 1", "capacity"),
    ("nat", "nat_flows.c", "*key = *id;", "*key = *id; key->dst_port = id->src_port;", "another key"),
    ("nat", "nat_flows.c", "config.start_port + index", "config.start_port + index + 1", "byte"),
    ("first-100", "first_main.c", "*seen < config.limit", "!(*seen >= config.limit)", None),
    ("first-100", "first_main.c", "*seen < config.limit", "*seen <= config.limit", "another effect"),
    ("first-100", "first_main.c", "vector_borrow(state->seen, 0,", "vector_borrow(state->seen, device,", "cannot be executed"),
    ("first-100", "first_main.c", "pass ? !device : device", "pass ? device : !device", "the packet is"),
    ("first-100", "first_main.c", "(void)packet_length;", "if (packet_length == 77) { return device; }", "only the original"),
    ("trap-static-counter", None, "static uint32_t", "static volatile uint32_t", None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "file", "text", "replacement", "said"), EDITS)
def test_edits_are_told_apart(name: str, file: str | None, text: str, replacement: str, said: str | None) -> None:
    files = [FIXTURES / name / file] if file else sorted((FIXTURES / name).glob("*.c"))
    path, content = next((p, t) for p in files if text in (t := p.read_text()))
    found = differences(name, {str(path): content.replace(text, replacement, 1)})
    if said is None:
        assert found == []
    else:
        assert found and said in found[0].what
        if found[0].model is not None:
            assert (
                found[0].there is not None
                or found[0].here is not None
                or found[0].what.startswith(("byte", "the packet"))
            )


def test_the_packet_of_a_difference_is_one_that_shows_it() -> None:
    """Keys that differ by a port: the packet's ports differ, also where IP options move them."""
    path = FIXTURES / "fw" / "fw_main.c"
    changed = path.read_text().replace(".dst_port = ports->src_port", ".dst_port = ports->dst_port", 1)
    found = differences("fw", {str(path): changed})
    packets = [packet_of(d.model, d.regions) for d in found if d.model is not None]
    starts = [14 + 4 * (packet[14] & 15) for packet in packets]
    assert {start > 34 for start in starts} == {True, False}
    assert all(p[at : at + 2] != p[at + 2 : at + 4] for p, at in zip(packets, starts, strict=True))


HANDLERS = """
#include <stdbool.h>
#include <stdint.h>
struct nf_config {{ int unused; }};
struct nf_config config;
typedef int (*handler)(uint16_t device);
struct way {{ const char *name; handler does; }};
{functions}
static const struct way ways[2] = {{{{"out", {first}}}, {{"in", back}}}};
bool nf_init(void) {{ return true; }}
void nf_config_init(int argc, char **argv) {{ (void)argc; (void)argv; }}
int nf_process(uint16_t device, uint8_t *buffer, uint16_t length, int64_t now) {{
  (void)buffer; (void)length; (void)now;
  return ways[device].does(device) + (ways[device].name[0] == 'x');
}}
"""
OUT = "static int {name}(uint16_t device) {{ return {value}; }}"
BACK = "static int back(uint16_t device) { return device; }"


def test_pointers_are_compared_by_what_they_point_to(tmp_path: Path) -> None:
    """Functions and strings of a generated file stand in another order, and some have other names."""
    file = tmp_path / "nf_main.c"

    def made(name: str, value: str, last: bool) -> str:
        both = [OUT.format(name=name, value=value), BACK]
        return HANDLERS.format(functions="\n".join(reversed(both) if last else both), first=name)

    file.write_text(made("out", "1 - device", False))
    (nf,) = find_nfs(tmp_path)
    for changed, differs in (
        (made("out", "1 - device", True), False),
        (made("out_main", "1 - device", True), False),
        (made("out", "2 - device", True), True),
        (made("out", "1 - device", True).replace('"in", back', '"in", out'), True),
        (made("out", "1 - device", True).replace('"in"', '"xn"'), True),
    ):
        found = compare(run(nf, {}, True), run(nf, {str(file): changed}, False), Catalogue.builtin())
        assert bool(found) == differs, (changed, found)
