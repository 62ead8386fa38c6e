"""The commands `solve`, `hash` and `balance`: arguments in, text on stdout, exit status out.

Exit status: 0 done; 1 there is no such key (some device keeps no queue bit, or the proof fails); 2 usage or input
that cannot be read, with one line on stderr.
"""

from __future__ import annotations

import argparse
import ipaddress
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import balance as tables
from . import z3_here
from .configure import Configuration
from .fields import PACKET_CLASSES, Field, FieldError, canonical, carries, parse
from .nic import LARGEST_TABLE, profile, profiles
from .solve import Device, HashInput, SpecError
from .spec import Spec, read_spec
from .toeplitz import KeyLengthError, hash_fields

if TYPE_CHECKING:
    from .proof import Proof
    from .quality import InputQuality
    from .traffic import Traffic

MICROSOFT_KEY = "6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa"
"""Default of `hash`: the key of Microsoft's verification suite."""

_SYNTHETIC_PACKETS = 50_000


def add_parsers(subparsers: Any) -> None:
    """Add `solve`, `hash` and `balance` to the subparsers of an argparse parser; each sets `run`."""
    solve = subparsers.add_parser(
        "solve",
        help="RSS keys for constraints stated in a TOML file",
        epilog="example: maestro-lsp solve session.toml --format ethtool",
    )
    solve.add_argument("spec", type=Path, metavar="SPEC.toml", help="what must meet, and on which NIC")
    solve.add_argument(
        "--nic",
        metavar="PROFILE",
        help=f"override the file's NIC: {', '.join(sorted(profiles()))}, or FILE.toml[:NAME]",
    )
    solve.add_argument("--equal", choices=("index", "hash"), help="what must agree (default: the file's, or index)")
    solve.add_argument("--seed", type=int, metavar="N", help="default: the file's, or 0")
    solve.add_argument("--queues", type=_positive, metavar="N", help="queues of the tables and predictions")
    solve.add_argument("--alternatives", type=_positive, default=1, metavar="N", help="print N sets of keys")
    solve.add_argument(
        "--sample", type=Path, metavar="CAPTURE", help="prefer keys that spread this traffic, balance on it"
    )
    solve.add_argument("--prove", action=argparse.BooleanOptionalAction, default=True, help="prove the keys (default)")
    solve.add_argument("--plot", type=Path, metavar="OUT.svg", help="skew of uniform and Zipfian traffic")
    formats = ("text", "json", "dpdk-c", "testpmd", "ethtool")
    solve.add_argument("--format", choices=formats, default="text", help="what is printed")
    solve.set_defaults(run=solve_command)

    hashing = subparsers.add_parser(
        "hash",
        help="Toeplitz hash, index and queue of tuples or of a capture",
        epilog="example: maestro-lsp hash 10.0.0.1,10.0.0.2,1234,80 --queues 4",
    )
    hashing.add_argument(
        "tuples", nargs="*", metavar="SRC,DST[,SPORT,DPORT]", help="addresses, IPv4 or IPv6, and ports"
    )
    hashing.add_argument("--capture", type=Path, metavar="FILE", help="packets to hash: pcap or pcapng")
    hashing.add_argument(
        "--threshold", type=float, metavar="X", help="exit 1 if the standard deviation over queues is above this"
    )
    _add_key_options(hashing)
    hashing.add_argument("--format", choices=("text", "json"), default="text", help="for people, or for programs")
    hashing.set_defaults(run=hash_command)

    balancing = subparsers.add_parser(
        "balance",
        help="balanced indirection table for a capture",
        epilog="example: maestro-lsp balance traffic.pcap --queues 8 --plot skew.svg",
    )
    balancing.add_argument("capture", type=Path, metavar="CAPTURE", help="the traffic: pcap or pcapng")
    _add_key_options(balancing)
    balancing.add_argument(
        "--threshold", type=float, metavar="X", help="exit 1 if the standard deviation over queues is above this"
    )
    balancing.add_argument("--plot", type=Path, metavar="OUT.svg", help="skew before and after")
    balancing.add_argument("--format", choices=("text", "json"), default="text", help="for people, or for programs")
    balancing.set_defaults(run=balance_command)


def _add_key_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--key", metavar="HEX", help="default: Microsoft's test key, as often as the NIC's has room for"
    )
    parser.add_argument(
        "--nic",
        metavar="PROFILE",
        help="decides what is hashed, the table size and the key length; default: an x710 with any key",
    )
    parser.add_argument("--fields", metavar="LIST", help="hash these instead, e.g. ipv4.src,ipv4.dst")
    parser.add_argument("--table", type=_positive, default=0, metavar="N", help="entries, default: the NIC's")
    parser.add_argument("--queues", type=_positive, default=8, metavar="N", help="default: 8")


def _positive(text: str) -> int:
    value = int(text) if text.isdecimal() and len(text) < 10 else 0
    if not 0 < value <= LARGEST_TABLE:
        raise argparse.ArgumentTypeError(f"{text[:20]!r} is no number from 1 to {LARGEST_TABLE}")
    return value


def _one_line(command: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """Errors of input as one line on stderr and status 2."""

    def run(args: argparse.Namespace) -> int:
        from .capture import CaptureError

        try:
            return command(args)
        except (SpecError, FieldError, KeyLengthError, CaptureError) as error:
            message = str(error)
        except OSError as error:
            message = f"{error.filename}: {error.strerror}"
        print(f"maestro-lsp: {message}", file=sys.stderr)
        return 2

    return run


# --- solve ---


@_one_line
def solve_command(args: argparse.Namespace) -> int:
    """Best configuration of a specification, proved. Status 1 if a device keeps no queue bit or a check fails."""
    spec = read_spec(args.spec, args.nic)
    queues = args.queues or spec.queues
    traffic, sample = None, None
    if args.sample is not None:
        from .capture import read_capture
        from .traffic import sample_score

        traffic = read_capture(args.sample)
        if missing := _uncarried(spec.configure(equal=args.equal, seed=args.seed), traffic.present()):
            raise SpecError(f"{args.sample}: captures are not read for {', '.join(missing)}")
        sample = sample_score(traffic, spec.configure(equal=args.equal, seed=args.seed).space.devices, queues)
    found = spec.configure(equal=args.equal, seed=args.seed, sample=sample, alternatives=args.alternatives)
    for requirement in found.space.idle:
        at_hand = {i.packet_class for device in found.space.devices for i in device.inputs}
        classes = ", ".join(c for c in PACKET_CLASSES if c in at_hand)
        raise SpecError(f"{args.spec}: '{requirement}' can never hold for packets of the classes at hand ({classes})")
    proof = None
    if args.prove:
        z3_here.load()
        from .proof import prove

        proof = prove(found.space, found.keys, seed=spec.seed)
    spread = _tables(found, traffic, queues)
    print(_render(args.format, spec, found, proof, spread, queues), end="")
    if args.plot is not None:
        args.plot.write_text(_synthetic_plot(found, queues), "utf-8")
    stuck = [device for device in _bound_devices(found) if not found.queue_bits(device)]
    for device in stuck:
        print(f"maestro-lsp: {_why_stuck(found, device)}", file=sys.stderr)
    if proof is not None and not proof.holds:
        print(f"maestro-lsp: {proof.failures[0]}", file=sys.stderr)
    return 1 if stuck or (proof is not None and not proof.holds) else 0


def _why_stuck(found: Configuration, device: int) -> str:
    """Which meets leave no valid key that spreads a device's packets, and by what."""
    named = [c for c in PACKET_CLASSES if (device, c) in found.space.named]
    inputs = [i for i in found.space.device(device).inputs if i.fields and (not named or i.packet_class in named)]
    hashed = dict.fromkeys(field for i in inputs for field in i.fields)
    reasons = []
    for requirement in found.space.explain(device):
        sides = [side for side, number in enumerate((requirement.i, requirement.j)) if number == device]
        free = [", ".join(str(f) for f in hashed if not _covered(f, requirement.when.fields(side))) for side in sides]
        named_free = [f"{names} of {('d', 'e')[side]}" for side, names in zip(sides, free, strict=True) if names]
        if len(sides) == 2 and free[0] == free[1] and free[0]:
            named_free = [f"{free[0]} of d and e"]
        reasons.append(f"'{requirement}'" + (f" (free: {'; '.join(named_free)})" if named_free else ""))
    whose = ", ".join(named) or "all"
    return (
        f"device {device}: every valid key sends its {whose} packets to one queue; it cannot depend on what a meet leaves free, "
        f"nor on what a meet ties to that: {' and '.join(reasons)}"
    )


def _covered(field: Field, runs: Iterable[Field]) -> bool:
    """Whether all bits of a field are in some of the parts."""
    bits = {bit for run in runs if run.name == field.name for bit in range(run.start, run.stop)}
    return bits >= set(range(field.start, field.stop))


def _tables(found: Configuration, traffic: Traffic | None, queues: int) -> dict[int, tables.Table]:
    """Table of each device, balanced on the traffic if there is any; tied devices have the same contents."""
    made: dict[int, tables.Table] = {}
    for group in found.table_groups:
        sizes = {number: 1 << found.space.device(number).table_bits for number in group}
        table = tables.round_robin(min(sizes.values()), queues)
        if traffic is not None:
            table = tables.balanced(_group_loads(found, traffic, group), queues)
        made |= {number: tables.repeated(table, size) for number, size in sizes.items()}
    return made


def _bound_devices(found: Configuration) -> tuple[int, ...]:
    """Devices that some requirement names."""
    named = {n for requirement in found.space.requirements for n in (requirement.i, requirement.j)}
    return tuple(sorted(named))


def _render(
    form: str, spec: Spec, found: Configuration, proof: Proof | None, spread: dict[int, tables.Table], queues: int
) -> str:
    from . import export

    match form:
        case "dpdk-c":
            return export.to_dpdk_c(found, spread)
        case "testpmd":
            return export.to_testpmd(found, spread)
        case "ethtool":
            return export.to_ethtool(found, spread, spec.interfaces)
        case "json":
            body = found.to_json() | {
                "schema": 1,
                "dimension": found.space.dimension,
                "exact": not found.space.overapproximated,
                "alternatives": [
                    {str(number): key.hex() for number, key in ranked.keys.items()} for ranked in found.ranked
                ],
                "proof": None if proof is None else {"holds": proof.holds, "checks": list(map(str, proof.checks))},
            }
            return json.dumps(body, indent=2) + "\n"
    return _text(spec, found, proof, queues)


def _text(spec: Spec, found: Configuration, proof: Proof | None, queues: int) -> str:
    lines = [spec.title] if spec.title else []
    for device in found.space.devices:
        number = device.number
        nic = found.profiles[number]
        lines.append(
            f"device {number} ({nic.name}, {1 << device.table_bits} entries): "
            f"{found.queue_bits(number)} of {found.space.index_bits(number)} queue bits"
        )
        lines.append(f"  key {found.keys[number].hex()}")
        for quality in found.ranked[0].inputs:
            if quality.device != number or not quality.hash_input.fields:
                continue
            names = ", ".join(map(str, quality.hash_input.fields))
            decide = ", ".join(_deciding(found, number, quality)) or "nothing"
            lines.append(f"  {quality.hash_input.packet_class}: hashes {names}")
            lines.append(f"    {quality.queue_bits} queue bits, decided by {decide}")
        if found.off[number]:
            lines.append(f"  left off: {', '.join(sorted(found.off[number]))}, whose packets meet at table entry 0")
    for at, ranked in enumerate(found.ranked[1:], 2):
        lines.append(f"alternative {at}")
        lines += [f"  device {number}: key {key.hex()}" for number, key in ranked.keys.items()]
    shared = [group for group in found.table_groups if len(group) > 1]
    lines += [f"devices {', '.join(map(str, group))}: one table, the same contents" for group in shared]
    lines.append(f"2^{found.space.dimension} valid keys, equal {found.space.equal}")
    for requirement in found.space.overapproximated:
        lines.append(f"note: Z3 left questions about '{requirement}' open; there may be more keys")
    lines += _idle_fields(found)
    lines += _prediction(found, queues)
    if proof is not None:
        lines.append(f"proof: {'holds' if proof.holds else 'FAILED'}, {len(proof.checks)} pairs of hash inputs")
        lines += [f"  {check}" for check in proof.checks]
    return "\n".join(lines) + "\n"


def _deciding(found: Configuration, number: int, quality: InputQuality) -> Iterator[str]:
    """The fields, or parts of them, that some valid key lets decide, with the queue bits that their low 16 bits give."""
    mask, end, ranks = found.space.deciding(number, quality.hash_input), 0, dict(quality.fields)
    for field in quality.hash_input.fields:
        bits = [at for at in range(field.width) if mask >> end + at & 1]
        end += field.width
        if not bits:
            continue
        whole = bits[0] == 0 and bits[-1] == field.width - 1
        part = field if whole else Field(field.name, field.start + bits[0], field.start + bits[-1] + 1)
        rank = ranks.get(str(field), 0)
        yield f"{part} ({rank} by its low 16 bits)" if rank and field.width > 16 else f"{part}"


def _idle_fields(found: Configuration) -> list[str]:
    """Fields that requirements tie and a NIC hashes, but that have no weight under any valid key."""
    idle: dict[str, list[str]] = {}
    for device in found.space.devices:
        for own in device.inputs:
            deciding, end, names = found.space.deciding(device.number, own), 0, []
            for field in own.fields:
                end += field.width
                if not deciding >> (end - field.width) & ((1 << field.width) - 1) and _always_named(
                    found, device, own, field
                ):
                    names.append(str(field))
            if names and deciding:
                idle.setdefault(", ".join(names), []).append(own.packet_class)
    return [
        f"note: {fields} cannot have weight for {', '.join(dict.fromkeys(classes))}, because classes that are hashed by less "
        "must meet them too: name ipv4.proto or classes to keep them apart"
        for fields, classes in idle.items()
    ]


def _always_named(found: Configuration, device: Device, own: HashInput, field: Field) -> bool:
    """Whether every requirement on packets of a class asks for equality of the field with one of the other packet."""
    sides = [
        {
            run
            for same in requirement.when.equalities
            if not isinstance(same.left, int) and not isinstance(same.right, int)
            for run in canonical((same.left, same.right)[side])
        }
        for requirement in found.space.requirements
        for side, number in enumerate((requirement.i, requirement.j))
        if number == device.number
        and any(
            requirement.applies(*((own.packet_class, other) if side == 0 else (other, own.packet_class)))
            for other in PACKET_CLASSES
        )
    ]
    return bool(sides) and all(field in tied for tied in sides)


def _group_loads(found: Configuration, traffic: Traffic, group: tuple[int, ...]) -> Any:
    """Load of the one table of some devices if the traffic arrives on each of them."""
    from .traffic import entry_loads

    own = [entry_loads(traffic, found.space.device(n), found.keys[n]) for n in group]
    return tables.common_loads(own)


def _uncarried(found: Configuration, classes: Sequence[str]) -> list[str]:
    """Fields that some device hashes of packets of these classes, and that traffic does not carry."""
    from .traffic import uncarried

    return sorted({name for device in found.space.devices for name in uncarried(device, classes)})


def _traffic_class(found: Configuration) -> str:
    """A class of packets that the first device hashes, TCP or UDP over IPv4 if it does."""
    hashed = [i.packet_class for i in found.space.devices[0].inputs if i.fields]
    plain = [name for name in ("ipv4-udp", "ipv4-tcp") if name in hashed]
    return next(iter(plain + [name for name in hashed if name.startswith("ip")]), "ipv4-udp")


def _prediction(found: Configuration, queues: int) -> list[str]:
    from .traffic import uniform, zipf

    lines = []
    kind = _traffic_class(found)
    if missing := _uncarried(found, [kind]):
        return [f"no prediction: packets are not made up for {', '.join(missing)}"]
    for name, traffic in (
        ("uniform", uniform(_SYNTHETIC_PACKETS, packet_class=kind)),
        ("Zipfian", zipf(_SYNTHETIC_PACKETS, packet_class=kind)),
    ):
        loads = _group_loads(found, traffic, found.table_groups[0])
        plain = tables.skew(loads, tables.round_robin(len(loads), queues), queues)
        better = tables.skew(loads, tables.balanced(loads, queues), queues)
        best = tables.recommended(loads, queues)
        lines.append(
            f"{name} traffic on {queues} queues: busiest {plain.busiest / plain.mean:.2f} of the mean, "
            f"{better.busiest / better.mean:.2f} balanced; {best.cores} cores worth using, "
            f"speed-up at most {best.speedup:.1f}"
        )
    return lines


def _synthetic_plot(found: Configuration, queues: int) -> str:
    """Skew by cores: uniform, Zipfian, Zipfian with a balanced table (thesis figure 4.9)."""
    from .plot import skew_plot
    from .traffic import uniform, zipf

    kind, group = _traffic_class(found), found.table_groups[0]
    if missing := _uncarried(found, [kind]):
        raise SpecError(f"--plot: packets are not made up for {', '.join(missing)}")
    even = _group_loads(found, uniform(_SYNTHETIC_PACKETS, packet_class=kind), group)
    skewed = _group_loads(found, zipf(_SYNTHETIC_PACKETS, packet_class=kind), group)
    cores = _core_counts(queues)
    series = {
        "uniform": {n: _per_core(even, n, False) for n in cores},
        "Zipf": {n: _per_core(skewed, n, False) for n in cores},
        "Zipf, balanced": {n: _per_core(skewed, n, True) for n in cores},
    }
    return skew_plot(series, "Packets per core")


def _core_counts(queues: int) -> list[int]:
    return sorted({n for n in (2, 4, 6, 8, 12, 16, 24, 32, queues) if 2 <= n <= max(2, queues)})


def _per_core(loads: Any, cores: int, balanced: bool) -> list[int]:
    table = tables.balanced(loads, cores) if balanced else tables.round_robin(len(loads), cores)
    return [int(load) for load in tables.queue_loads(loads, table, cores)]


# --- hash and balance ---


def _device(args: argparse.Namespace) -> tuple[Device, bytes]:
    """The device and key that the options describe."""
    nic = profile("x710" if args.nic is None else args.nic, table=args.table)
    given = MICROSOFT_KEY if args.key is None else args.key
    try:
        key = bytes.fromhex(given.replace(":", ""))
    except ValueError:
        raise SpecError(f"--key '{given[:20]}' is not hexadecimal: write two digits a byte") from None
    if args.key is None and args.nic and nic.key_bytes:
        key = (key * (nic.key_bytes // len(key) + 1))[: nic.key_bytes]
    if args.nic and nic.key_bytes not in (0, len(key)):
        raise SpecError(f"{nic.name} takes keys of {nic.key_bytes} bytes, this one has {len(key)}")
    if nic.table.bit_count() != 1 or nic.table < 2:
        raise SpecError(f"a table of {nic.table} entries is not a power of two")
    inputs = nic.inputs()
    if args.fields is not None:
        named = tuple(parse(name) for name in args.fields.split(","))
        inputs = tuple(
            HashInput(i.packet_class, named if all(carries(i.packet_class, f.name) for f in named) else ())
            for i in inputs
        )
    return Device(0, inputs, len(key), nic.table_bits), key


@_one_line
def hash_command(args: argparse.Namespace) -> int:
    """Hash, index and queue of tuples given on the command line, or packets per queue of a capture."""
    device, key = _device(args)
    if args.capture is None and not args.tuples:
        raise SpecError("give tuples such as 10.0.0.1,10.0.0.2,1234,80, or --capture FILE")
    table = tables.round_robin(1 << device.table_bits, args.queues)
    rows = []
    for text in args.tuples:
        packet_class, values = _tuple(text)
        fields = device.input(packet_class).fields
        if not fields or not all(name in values for field in fields for name in _whole_names(field)):
            raise SpecError(f"'{text}' lacks some of the fields {args.fields or 'that are hashed'}")
        hashed = hash_fields(key, fields, values)
        index = hashed & (len(table) - 1)
        rows.append({"tuple": text, "hash": f"{hashed:#010x}", "index": index, "queue": table[index]})
    if args.format == "json" and args.capture is None:
        print(json.dumps(rows, indent=2))
        return 0
    for row in rows:
        print(f"{row['tuple']}: hash {row['hash']}, index {row['index']}, queue {row['queue']}")
    return 0 if args.capture is None else _report(args, device, key)


def _whole_names(field: Field) -> list[str]:
    return [run.name for run in canonical(field)]


def _tuple(text: str) -> tuple[str, dict[str, int]]:
    """Class and field values of SRC,DST or SRC,DST,SPORT,DPORT. Raises SpecError."""
    parts = text.split(",")
    try:
        src, dst = (ipaddress.ip_address(part) for part in parts[:2])
        ports = [int(part) for part in parts[2:]]
    except ValueError:
        raise SpecError(f"'{text}' is not SRC,DST or SRC,DST,SPORT,DPORT") from None
    if src.version != dst.version or len(ports) not in (0, 2) or not all(0 <= p < 65536 for p in ports):
        raise SpecError(f"'{text}' is not SRC,DST or SRC,DST,SPORT,DPORT")
    version = f"ipv{src.version}"
    values = {f"{version}.src": int(src), f"{version}.dst": int(dst)}
    if not ports:
        return f"{version}-other", values
    return f"{version}-tcp", values | {"l4.src": ports[0], "l4.dst": ports[1]}


@_one_line
def balance_command(args: argparse.Namespace) -> int:
    """Balanced table of a capture, with its skew before and after and the least that is possible."""
    device, key = _device(args)
    return _report(args, device, key, balancing=True)


def _report(args: argparse.Namespace, device: Device, key: bytes, balancing: bool = False) -> int:
    from .capture import CaptureError, read_capture
    from .traffic import entry_loads, uncarried

    traffic = read_capture(args.capture)
    hashed = [name for name in traffic.present() if device.input(name).fields]
    if not hashed:
        raise CaptureError(f"{args.capture}: only {', '.join(traffic.present())}, none of which is hashed")
    if missing := uncarried(device, hashed):
        raise CaptureError(f"{args.capture}: captures are not read for {', '.join(missing)}")
    longest = max((device.input(name) for name in hashed), key=lambda i: i.width)
    needed = -(-(longest.width + 31) // 8)
    if needed > len(key):
        raise KeyLengthError(
            f"{args.capture}: hashing {longest.packet_class} takes a key of {needed} bytes, this one has {len(key)}"
        )
    loads = entry_loads(traffic, device, key)
    before = tables.round_robin(len(loads), args.queues)
    reports = {"round robin": (before, tables.skew(loads, before, args.queues))}
    if balancing:
        after = tables.balanced(loads, args.queues)
        fewest = tables.rebalanced(before, loads, args.queues)
        reports["balanced"] = (after, tables.skew(loads, after, args.queues))
        reports[f"{len(fewest.moved)} entries moved"] = (
            fewest.table,
            tables.skew(loads, fewest.table, args.queues),
        )
        if args.plot is not None:
            from .plot import skew_plot

            cores = _core_counts(args.queues)
            series = {
                "round robin": {n: _per_core(loads, n, False) for n in cores},
                "balanced": {n: _per_core(loads, n, True) for n in cores},
            }
            args.plot.write_text(skew_plot(series, f"Packets per core: {args.capture.name}"), "utf-8")
    chosen = reports["balanced" if balancing else "round robin"]
    if args.format == "json":
        print(json.dumps(_json_report(traffic, loads, reports, args.queues), indent=2))
    else:
        print(f"{len(traffic)} packets ({', '.join(traffic.present())}), {traffic.skipped} malformed")
        for name, (table, found) in reports.items():
            own = " ".join(str(load) for load in tables.queue_loads(loads, table, args.queues))
            print(f"{name}: {own}")
            print(
                f"  busiest {found.busiest} ({found.busiest / found.mean:.2f} of the mean), standard deviation "
                f"{found.deviation:.1f}, no table has less than {found.bound}"
            )
        if balancing:
            print(f"table: {' '.join(map(str, chosen[0]))}")
    return 1 if args.threshold is not None and chosen[1].deviation > args.threshold else 0


def _json_report(
    traffic: Traffic, loads: Any, reports: dict[str, tuple[tables.Table, tables.Skew]], queues: int
) -> dict[str, Any]:
    return {
        "packets": len(traffic),
        "classes": list(traffic.present()),
        "malformed": traffic.skipped,
        "tables": [
            {
                "name": name,
                "table": list(table),
                "queues": [int(load) for load in tables.queue_loads(loads, table, queues)],
                "busiest": found.busiest,
                "deviation": found.deviation,
                "bound": found.bound,
            }
            for name, (table, found) in reports.items()
        ],
    }
