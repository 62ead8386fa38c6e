"""Layouts compared with gcc: sizes, alignments, offsets and the bits of bit-fields of random records."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from maestro_lsp.source.ctypes import Array, CType, Field, Record, Unknown, alignof_, sizeof_
from maestro_lsp.source.unit import Unit

from .gcc import needs_gcc, ours

TYPES = ["char", "unsigned char", "short", "unsigned short", "int", "unsigned", "long", "unsigned long long", "uint8_t",
         "uint16_t", "uint32_t", "uint64_t", "float", "double", "long double", "void *", "enum color", "bool",
         "unsigned __int128", "struct small", "union mix", "struct tight"]  # fmt: skip
WIDTHS = {"char": 8, "unsigned char": 8, "short": 16, "unsigned short": 16, "int": 32, "unsigned": 32, "long": 64,
          "unsigned long long": 64, "uint8_t": 8, "uint16_t": 16, "uint32_t": 32, "uint64_t": 64, "bool": 1}  # fmt: skip
PRELUDE = """\
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
enum color { RED, GREEN };
struct small { char a; short b; };
union mix { char c[3]; int i; };
struct tight { char a; long b; } __attribute__((packed));
"""


@st.composite
def body(draw: st.DrawFn, prefix: str, depth: int = 0) -> list[str]:
    lines = []
    for number in range(draw(st.integers(1, 6))):
        name = f"{prefix}{number}"
        kind = draw(st.integers(0, 9))
        attribute = draw(st.sampled_from([""] * 8 + [" __attribute__((packed))", " __attribute__((aligned(4)))"]))
        if kind < 4:
            ctype = draw(st.sampled_from(sorted(WIDTHS)))
            width = draw(st.integers(1, WIDTHS[ctype]))
            lines.append(f"{ctype} {name} : {width};")
            if draw(st.integers(0, 5)) == 0:
                lines.append(f"{ctype} : {draw(st.sampled_from([0, 0, 1, WIDTHS[ctype]]))};")
        elif kind == 4 and depth < 2:
            keyword = draw(st.sampled_from(["struct", "union"]))
            inner = " ".join(draw(body(f"{name}_", depth + 1)))
            named = draw(st.sampled_from(["", f" {name}"]))
            packed = draw(st.sampled_from(["", "", " __attribute__((packed))"]))
            lines.append(f"{keyword} {{ {inner} }}{packed}{named};")
        else:
            suffix = draw(st.sampled_from(["", "", "", "[3]", "[2][3]"]))
            lines.append(f"{draw(st.sampled_from(TYPES))} {name}{suffix}{attribute};")
    return lines


@st.composite
def record(draw: st.DrawFn) -> str:
    keyword = draw(st.sampled_from(["struct", "struct", "struct", "union"]))
    attribute = draw(
        st.sampled_from([""] * 4 + ["packed", "__packed__", "aligned(8)", "packed, aligned(4)", "aligned"])
    )
    before = f" __attribute__(({attribute}))" if attribute and draw(st.booleans()) else ""
    after = f" __attribute__(({attribute}))" if attribute and not before else ""
    lines = draw(body("f"))
    pack = draw(st.sampled_from([""] * 4 + ["1", "2", "4", "push, 1"]))
    start, end = (f"#pragma pack({pack})\n", f"\n#pragma pack({'pop' if 'push' in pack else ''})") if pack else ("", "")
    return f"{start}{keyword}{before} NAME {{ {' '.join(lines)} }}{after};{end}"


def places(ctype: Record, path: str = "", base: int = 0) -> list[tuple[str, int, Field]]:
    """Every member that can be named: its path, the offset of the record it is in, and the field."""
    found = []
    for field in ctype.fields:
        name = path if field.name is None else f"{path}.{field.name}" if path else field.name
        if field.name is not None:
            found.append((name, base, field))
        inner = field.type
        if isinstance(inner, Record) and field.bit_width is None and inner.tag is None:
            found.extend(places(inner, name, base + field.offset))
    return found


def bits(base: int, field: Field) -> set[int]:
    """The bits of a record that a bit-field takes, bit 0 being the least significant of byte 0."""
    assert field.bit_offset is not None and field.bit_width is not None
    first = 8 * (base + field.offset) + field.bit_offset
    return set(range(first, first + field.bit_width))


def compare(records: dict[str, str], prelude: str = PRELUDE) -> None:
    """Compile a program that prints the layout of records and compare it with ours."""
    text = prelude + "\n".join(records.values())
    unit = Unit.parse(ours(text))
    assert unit.problems == ()
    program = [text, "#include <stdio.h>", "#include <string.h>", "int main(void) {"]
    expected: list[str] = []
    for name, source in records.items():
        keyword = "union" if re.search(r"^union\b", source, re.MULTILINE) else "struct"
        ctype = unit.scope.record(keyword, name)  # type: ignore[arg-type]
        size = sizeof_(ctype)
        assert size is not None, source
        program.append(f'printf("%zu %zu\\n", sizeof({keyword} {name}), _Alignof({keyword} {name}));')
        expected.append(f"{size} {alignof_(ctype)}")
        for path, base, field in places(ctype):
            if field.bit_width is None:
                program.append(f'printf("{path} %zu\\n", offsetof({keyword} {name}, {path}));')
                expected.append(f"{path} {base + field.offset}")
            else:
                program.append(
                    f"{{ union {{ {keyword} {name} r; unsigned char b[sizeof({keyword} {name})]; }} u; "
                    f'memset(&u, 0, sizeof u); u.r.{path} = -1; printf("{path}"); '
                    f'for (unsigned i = 0; i < 8 * sizeof u.b; i++) if (u.b[i / 8] >> i % 8 & 1) printf(" %u", i); puts(""); }}'
                )
                taken = sorted(bits(base, field))
                expected.append(" ".join([path, *map(str, taken)]))
    program.append("}")
    assert compile_and_run(program) == expected


def compile_and_run(lines: list[str], *flags: str) -> list[str]:
    """The lines that a program prints."""
    with tempfile.TemporaryDirectory() as folder:
        source_file, binary = Path(folder) / "layout.c", Path(folder) / "layout"
        source_file.write_text("\n".join(lines))
        subprocess.run(["gcc", "-w", *flags, "-o", binary, source_file], check=True, timeout=60)
        return subprocess.run([binary], capture_output=True, text=True, check=True, timeout=10).stdout.splitlines()


@needs_gcc
@given(st.lists(record(), min_size=25, max_size=25))
@settings(max_examples=8, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
def test_random_records_as_gcc(sources: list[str]) -> None:
    compare({f"r{i}": source.replace("NAME", f"r{i}") for i, source in enumerate(sources)})


HARD = {
    "flow": "struct flow { uint16_t a, b; uint32_t c, d; uint8_t e; };",
    "bits": "struct bits { uint8_t ihl : 4, version : 4; unsigned x : 20; unsigned y : 13; uint16_t z : 3; };",
    "cross": "struct cross { char a; int b : 30; char c : 6; long d : 40; } __attribute__((packed));",
    "zero": "struct zero { char a : 3; int : 0; char b; short : 0; char c : 1; };",
    "flexible": "struct flexible { uint16_t n; uint32_t items[]; };",
    "empty": "struct empty { };",
    "nested": "struct nested { struct { struct { int deep; }; union { long l; char c; }; }; char last; };",
    "list": "struct list { struct list *next; struct later *other; int (*call)(struct list *); char c; };",
    "later": "struct later { struct list inside; char x[sizeof(struct list) + sizeof(((struct list *)0)->c)]; };",
    "lines": "struct lines { char a; char b[64] __attribute__((aligned(64))); } __attribute__((aligned(64)));",
    "aligned_as": "struct aligned_as { char a; _Alignas(16) char b; _Alignas(double) char c; };",
    "mixed": "union mixed { uint8_t bytes[6]; struct { uint16_t high; uint32_t low; } __attribute__((packed)); };",
}


@needs_gcc
def test_hard_records_as_gcc() -> None:
    compare(HARD)


ENUMS = ["enum e0 { A0, B0 };", "enum e1 { A1 = -1, B1 };", "enum e2 { A2 = 0x80000000 };", "enum e3 { A3 = 1ul << 40 };",
         "enum __attribute__((packed)) e4 { A4, B4 = 200 };", "enum e5 { A5 = -1, B5 = 127 } __attribute__((packed));",
         "enum e6 { A6 = 'a', B6 = A6 + 2, C6 } __attribute__((packed));"]  # fmt: skip


@needs_gcc
def test_enumerations_as_gcc() -> None:
    unit = Unit.parse(ours("\n".join(ENUMS)))
    lines, expected = [*ENUMS, "#include <stdio.h>", "int main(void) {"], []
    for i in range(len(ENUMS)):
        ctype = unit.scope.enum(f"e{i}")
        assert ctype is not None
        lines.append(f'printf("%zu %d\\n", sizeof(enum e{i}), (enum e{i})-1 < 0);')
        expected.append(f"{ctype.underlying.size} {int(ctype.underlying.signed)}")
        for name, value in ctype.constants:
            lines.append(f'printf("%lld\\n", (long long){name});')
            expected.append(str(value))
    assert compile_and_run([*lines, "}"]) == expected


def test_packed_by_a_macro_that_no_header_defines() -> None:
    unit = Unit.parse(ours("struct s { char a; int b; } __packed;\ntypedef struct { char a; int b; } __packed t;\n"))
    assert unit.problems == ()
    assert unit.scope.record("struct", "s").size == 5
    assert sizeof_(unit.scope.typedef("t") or Unknown("t")) == 5
    assert list(unit.globals) == []


DPDK = {
    "rte_ether.h": ["rte_ether_addr", "rte_ether_hdr", "rte_vlan_hdr"],
    "rte_ip.h": ["rte_ipv4_hdr", "rte_ipv6_hdr"],
    "rte_tcp.h": ["rte_tcp_hdr"],
    "rte_udp.h": ["rte_udp_hdr"],
    "rte_icmp.h": ["rte_icmp_hdr"],
    "rte_sctp.h": ["rte_sctp_hdr"],
    "rte_arp.h": ["rte_arp_hdr", "rte_arp_ipv4"],
    "rte_vxlan.h": ["rte_vxlan_hdr"],
    "rte_gre.h": ["rte_gre_hdr"],
    "rte_mbuf.h": ["rte_mbuf"],
    "rte_thash.h": ["rte_ipv4_tuple"],
}


@needs_gcc
@pytest.mark.parametrize("header", DPDK)
def test_built_in_dpdk_headers_lay_out_as_the_installed_ones(header: str) -> None:
    flags = subprocess.run(["pkg-config", "--cflags", "libdpdk"], capture_output=True, text=True, check=False)
    if flags.returncode != 0:
        pytest.skip("DPDK is not installed: nothing to compare with")
    mentions = "".join(f"struct {tag} *p_{tag};\n" for tag in DPDK[header])
    unit = Unit.parse(ours(f"#include <{header}>\n{mentions}"))
    lines = [f"#include <{header}>", "#include <stddef.h>", "#include <stdio.h>", "int main(void) {"]
    expected = []
    for tag in DPDK[header]:
        ctype = unit.scope.record("struct", tag)
        lines.append(f'printf("{tag} %zu\\n", sizeof(struct {tag}));')
        expected.append(f"{tag} {ctype.size}")
        for path, base, field in places(ctype):
            # Names that releases changed: the built-in headers know both, the installed one knows one.
            if field.bit_width is None and path not in ("d_addr", "s_addr", *OTHER_NAMES):
                lines.append(f'printf("{path} %zu\\n", offsetof(struct {tag}, {path}));')
                expected.append(f"{path} {base + field.offset}")
    assert compile_and_run([*lines, "}"], *flags.stdout.split()) == expected


OTHER_NAMES = ("arp_hrd", "arp_pro", "arp_hln", "arp_pln", "arp_op", "hash.usr", "usr")


def test_old_and_new_dpdk_names_are_the_same_bytes() -> None:
    names = ("ether_hdr", "ipv4_hdr", "ipv6_hdr", "tcp_hdr", "udp_hdr", "arp_hdr", "vlan_hdr")
    includes = "".join(f"#include <rte_{name}.h>\n" for name in ("ether", "ip", "tcp", "udp", "arp"))
    mentions = "".join(f"struct {name} *{name}; struct rte_{name} *rte_{name};\n" for name in names)
    scope = Unit.parse(ours(includes + mentions)).scope
    ether = scope.record("struct", "rte_ether_hdr")
    assert ether.find("d_addr") is not None and ether.find("s_addr") is not None
    for old, new in (("d_addr", "dst_addr"), ("s_addr", "src_addr")):
        before, after = ether.find(old), ether.find(new)
        assert before is not None and after is not None
        assert (before.offset, before.type) == (after.offset, after.type)
    for tag in names:
        old_record, new_record = scope.record("struct", tag), scope.record("struct", f"rte_{tag}")
        assert old_record.size == new_record.size
        for field in old_record.fields:
            same = new_record.find(field.name or "")
            assert same is not None and same.offset == field.offset, field


def test_the_length_of_an_array_comes_from_its_initialiser() -> None:
    text = """
    enum { N = 3 };
    int a[] = {1, 2, 3}, b[] = {[N + 2] = 1, 2}, c[][2] = {{1, 2}, {3}}, d[N][2 * N];
    char e[] = "ab" "c", f[] = {"xyz"}, g[sizeof(a) / sizeof(a[0])];
    """
    unit = Unit.parse(ours(text))
    types: dict[str, CType] = {name: unit.globals[name].type for name in unit.globals}
    assert {name: sizeof_(ctype) for name, ctype in types.items()} == {
        "a": 12, "b": 28, "c": 16, "d": 72, "e": 4, "f": 4, "g": 3,
    }  # fmt: skip
    assert isinstance(types["d"], Array) and types["d"].length == 3
