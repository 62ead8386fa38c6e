"""The matrices and keys of the thesis's chapter 4, as the solver takes them."""

from maestro_lsp import rss

FOUR_TUPLE = ("ipv4.src", "ipv4.dst", "l4.src", "l4.dst")
SESSION = [[f, f] for f in FOUR_TUPLE]
REVERSE = [
    ["ipv4.src", "ipv4.dst"],
    ["ipv4.dst", "ipv4.src"],
    ["l4.src", "l4.dst"],
    ["l4.dst", "l4.src"],
]
# Matrices of thesis chapter 4; device 0 is LAN, 1 is WAN.
MATRICES = {
    "firewall": {(0, 0): [SESSION], (0, 1): [REVERSE], (1, 1): [SESSION]},
    "policer": {(1, 1): [[["ipv4.dst", "ipv4.dst"]]]},
    "nat": {(0, 1): [[["ipv4.dst", "ipv4.src"], ["l4.dst", "l4.src"]]]},
}
# First bytes of the keys printed in the thesis.
KEYS = {
    "firewall": {0: "20002422242220002000242220002423", 1: "24222000200024222422200024222000"},
    "policer": {1: "00000000000000010000000000000001"},
    "nat": {0: "00000000000000010000000000000001", 1: "00000001000000000000000000000000"},
}


def devices(table_bits: int = 9) -> list[rss.Device]:
    inputs = tuple(rss.HashInput.of(name, *FOUR_TUPLE) for name in ("ipv4-tcp", "ipv4-udp"))
    return [rss.Device(number, inputs, table_bits=table_bits) for number in (0, 1)]


def requirements(nf: str) -> tuple[rss.Requirement, ...]:
    rows = [{"devices": pair, "constraint": rows} for pair, rows in MATRICES[nf].items()]
    return rss.from_matrix(rows)


def padded(nf: str) -> dict[int, bytes]:
    return {number: bytes.fromhex(KEYS[nf].get(number, "")).ljust(52, b"\0") for number in (0, 1)}
