"""Native bench: compiles an NF into a shared object and runs it, packet by packet, in this process.

`build` takes the NF's C files and gives the path of a shared object, cached by content. Two modes: `real`
links our libVig (or the user's), `traced` puts a tracing double in front of it (`tests.native.tracing`).
`Instance` loads a private copy of such an object, so that several instances of one NF live side by side, each
with its own globals, as the cores of a shared-nothing program would. DPDK's headers must be installed
(libdpdk-dev); no DPDK library is linked or run.
"""

from __future__ import annotations

import _ctypes
import contextlib
import ctypes
import functools
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

HERE = Path(__file__).resolve().parent
RUNTIME = HERE.parent.parent / "maestro_lsp" / "runtime"
LIBVIG = RUNTIME / "libvig" / "verified"
COMPAT = RUNTIME / "compat" / "dpdk_names.h"

Mode = Literal["real", "traced"]

# Sources of a libVig that the bench replaces (time) or has no use for (DPDK's queues).
_LEFT_OUT = {"vigor-time.c", "packet-dpdk.c"}
# Calls by which an NF would end the process; harness.c catches them.
_WRAPPED = ("exit", "abort", "__assert_fail")


class NativeError(Exception):
    """The NF does not compile, or it left by exit, abort or a failed assertion; the text says which."""


@functools.cache
def dpdk_flags() -> tuple[str, ...]:
    """Compiler flags for DPDK's headers. Raises NativeError if they are not installed."""
    try:
        query = ["pkg-config", "--cflags", "libdpdk"]
        flags = subprocess.run(query, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise NativeError("DPDK's headers are missing: install libdpdk-dev and pkg-config") from error
    # As system headers, they are not warned about and not part of a cached object's dependencies.
    return tuple(part.replace("-I", "-isystem", 1) for part in shlex.split(flags.stdout))


def cache_folder() -> Path:
    """Where compiled objects are kept: $MAESTRO_NATIVE_CACHE, else one folder for each user."""
    default = Path(tempfile.gettempdir()) / f"maestro-native-{os.getuid()}"
    folder = Path(os.environ.get("MAESTRO_NATIVE_CACHE", default))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


# ---- What an NF consists of


@dataclass(frozen=True)
class NfFolder:
    """An NF's folder as its Makefile describes it."""

    sources: tuple[Path, ...]
    include_dirs: tuple[Path, ...]
    args: tuple[str, ...]  # NF_ARGS with their defaults
    devices: int


def read_nf(folder: Path, variables: Mapping[str, str] | None = None) -> NfFolder:
    """Reads the Makefile of an NF in Vigor's layout: NF_FILES, and what its parent Makefile adds to them
    (generated code of NF_AUTOGEN_SRCS, state.c, and nf-util.c beside the folder). `variables` are what would
    be given to make."""
    made = _makefile_variables(folder / "Makefile", dict(variables or {}))
    names = made.get("NF_FILES", "").split()
    names += [f"{header}.gen.c" for header in made.get("NF_AUTOGEN_SRCS", "").split()]
    names += [name for name in ("state.c",) if (folder / name).exists() and name not in names]
    sources = [folder / name for name in names if (folder / name).exists()]
    shared = folder.parent / "nf-util.c"
    if shared.exists():
        sources.append(shared)
    return NfFolder(
        sources=tuple(sources),
        include_dirs=(folder, folder.parent),
        args=tuple(shlex.split(made.get("NF_ARGS", ""))),
        devices=int(made.get("NF_DEVICES", "2")),
    )


def _makefile_variables(makefile: Path, variables: dict[str, str]) -> dict[str, str]:
    """The variables assigned in a Makefile, in order, expanded as far as $(NAME) and $(or ...) go."""
    given = frozenset(variables)
    text = re.sub(r"\\\n", " ", makefile.read_text())
    for name, operator, value in re.findall(r"^([A-Z_]+)[ \t]*([:?+]?=)[ \t]*(.*)$", text, re.MULTILINE):
        value = _expand(value.split("#", 1)[0].strip(), variables)
        if operator == "+=":
            variables[name] = f"{variables.get(name, '')} {value}".strip()
        elif name not in given and not (operator == "?=" and name in variables):
            variables[name] = value
    return variables


def _expand(value: str, variables: Mapping[str, str]) -> str:
    innermost = re.compile(r"\$\(([^()$]*)\)")
    while match := innermost.search(value):
        expression = match[1].strip()
        if expression.startswith("or "):
            choices = (choice.strip() for choice in expression[3:].split(","))
            result = next((choice for choice in choices if choice), "")
        else:
            result = variables.get(expression, "")
        value = value[: match.start()] + result + value[match.end() :]
    return value


# ---- Building


def build(
    sources: Sequence[Path],
    include_dirs: Sequence[Path] = (),
    mode: Mode = "real",
    *,
    libvig: Path | None = None,
    defines: Sequence[str] = (),
) -> Path:
    """Compiles an NF and gives its shared object.

    `sources` are all C files of the NF, its helpers' included (see `read_nf`); `include_dirs` are searched
    before ours. `libvig` is a folder of another libVig's sources to link instead of our own; its headers must
    then be found in `include_dirs`. `defines` are -D names, for the NF and libVig. Raises NativeError with the
    compiler's words."""
    names = [f"-D{name}" for name in defines]
    nf_flags = [*(f"-I{path}" for path in (*include_dirs, RUNTIME)), *names, "-include", str(COMPAT)]
    # Everything else is compiled without the NF's flags where possible, to be shared between NFs.
    our_flags = [f"-I{RUNTIME}", f"-I{HERE}"]
    two_stars = re.compile(r"\bnf_process\s*\([^)]*\*\s*\*")
    by_mbuf = any(two_stars.search(path.read_text(errors="replace")) for path in sources)
    entry_flags = [*our_flags, "-DBENCH_ENTRY_MBUF"] if by_mbuf else our_flags
    library_flags = [*our_flags, *names] if libvig is None else [*nf_flags, "-D_NO_VERIFAST_"]
    library = [path for path in sorted((libvig or LIBVIG).glob("*.c")) if path.name not in _LEFT_OUT]
    doubles = [HERE / name for name in ("tracing.c", "double.c")] if mode == "traced" else []

    with ThreadPoolExecutor(max_workers=2) as pool:  # gcc does the work, in processes of its own
        nf_objects = pool.map(lambda path: _compile(path, nf_flags), sources)
        entry = pool.submit(_compile, HERE / "harness.c", entry_flags)
        our_objects = pool.map(lambda path: _compile(path, our_flags), [HERE / "dpdk_stub.c", *doubles])
        library_objects = list(pool.map(lambda path: _compile(path, library_flags), library))
        objects = [*nf_objects, entry.result(), *our_objects]
    if mode == "traced":
        renames = {name: f"real_{name}" for name in double_calls()}
        library_objects = [_rename(path, renames) for path in library_objects]
    return _link([*objects, *library_objects])


def double_calls() -> list[str]:
    """The names of the libVig functions that a traced build stands in for."""
    return re.findall(r"^CALL\((\w+)\)", (HERE / "calls.def").read_text(), re.MULTILINE)


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise NativeError(f"{shlex.join(command)}\n{done.stderr}")


def _digest(*parts: str | bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        digest.update(len(raw).to_bytes(8, "little") + raw)
    return digest.hexdigest()[:32]


def _compile(source: Path, flags: Sequence[str]) -> Path:
    """The object of one C file, from the cache if neither the file nor any header it includes has changed."""
    command = ["gcc", "-c", "-fPIC", "-g", "-O1", "-std=gnu11", "-D_GNU_SOURCE", "-w", *dpdk_flags(), *flags]
    cache = cache_folder()
    manifest = cache / f"{_digest(str(source), *command)}.json"
    if manifest.exists():
        known: dict[str, Any] = json.loads(manifest.read_text())
        if all(_content(Path(path)) == digest for path, digest in known["inputs"].items()):
            compiled: Path = cache / known["object"]
            if compiled.exists():
                return compiled
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        out, rules = Path(scratch) / "out.o", Path(scratch) / "out.d"
        _run([*command, "-MMD", "-MF", str(rules), "-o", str(out), str(source)])
        inputs = [Path(part) for part in shlex.split(rules.read_text().split(":", 1)[1].replace("\\\n", " "))]
        compiled = _keep(out, ".o")
        partial = Path(scratch) / "manifest"
        partial.write_text(
            json.dumps({"object": compiled.name, "inputs": {str(path): _content(path) for path in inputs}})
        )
        partial.replace(manifest)
    return compiled


def _content(path: Path) -> str:
    return _digest(path.read_bytes()) if path.exists() else ""


def _keep(made: Path, suffix: str) -> Path:
    """Moves a file into the cache, named by its content."""
    kept = cache_folder() / f"{_content(made)}{suffix}"
    made.replace(kept)
    return kept


def _rename(compiled: Path, renames: Mapping[str, str]) -> Path:
    kept = cache_folder() / f"{compiled.stem}-{_digest(*renames)}.o"
    if not kept.exists():
        with tempfile.TemporaryDirectory(dir=cache_folder()) as scratch:
            out = Path(scratch) / "renamed.o"
            options = [f"--redefine-sym={old}={new}" for old, new in renames.items()]
            _run(["objcopy", *options, str(compiled), str(out)])
            out.replace(kept)
    return kept


def _link(objects: Iterable[Path]) -> Path:
    paths = [str(path) for path in objects]
    kept = cache_folder() / f"{_digest(*paths)}.so"
    if not kept.exists():
        with tempfile.TemporaryDirectory(dir=cache_folder()) as scratch:
            out = Path(scratch) / "nf.so"
            # An NF's symbols are its own, whatever the process has under the same names; none may be missing.
            options = ["-Wl,-Bsymbolic", "-Wl,-z,defs", *(f"-Wl,--wrap={name}" for name in _WRAPPED)]
            _run(["gcc", "-shared", "-g", *options, "-o", str(out), *paths, "-lm"])
            out.replace(kept)
    return kept


def build_nf(
    folder: Path, mode: Mode = "real", *, libvig: Path | None = None, defines: Sequence[str] = ()
) -> tuple[Path, NfFolder]:
    """Builds the NF of a folder as its Makefile says; gives the shared object and what was read."""
    nf = read_nf(folder)
    return build(nf.sources, nf.include_dirs, mode, libvig=libvig, defines=defines), nf


# ---- Running


class Instance:
    """One running NF, with globals of its own.

    `args` are the NF's arguments (without a program name) for nf_config_init, which is skipped if None.
    `folder` is the working directory while the NF initialises, for NFs that read files. Raises
    NativeError if configuration or nf_init fails. An instance whose `process` raised is in an undefined state:
    the NF was left half-way."""

    def __init__(
        self, so: Path, devices: int = 2, args: Sequence[str] | None = None, folder: Path | None = None
    ) -> None:
        # The loader shares what it finds at one path, so each instance gets a file of its own; once loaded,
        # the file's name is not needed.
        with tempfile.TemporaryDirectory(dir=cache_folder()) as scratch:
            copy = Path(shutil.copy(so, scratch))
            self.library = ctypes.CDLL(str(copy))
        self.devices = devices
        self._message = (ctypes.c_char * 512).in_dll(self.library, "bench_message")
        self._packet = ctypes.c_void_p.in_dll(self.library, "bench_packet")
        self._length = ctypes.c_uint32.in_dll(self.library, "bench_length")
        self._process = self.library.bench_process
        self._process.argtypes = [ctypes.c_uint16, ctypes.c_char_p, ctypes.c_uint32, ctypes.c_int64]
        self._prepare()
        words = [] if args is None else [b"nf", *(word.encode() for word in args)]
        # getopt permutes argv, and an NF may keep pointers into it.
        self._argv = (ctypes.c_char_p * (len(words) + 1))(*words, None)
        with contextlib.chdir(folder or Path.cwd()):
            started = self.library.bench_init(ctypes.c_uint16(devices), len(words), self._argv)
        if not started:
            raise NativeError(self._message.value.decode(errors="replace"))

    def _prepare(self) -> None:
        """What a subclass has to set up before the NF first runs."""

    def process(self, device: int, packet: bytes, now: int) -> tuple[int, bytes]:
        """Gives the NF a packet that arrived on `device` at time `now` (nanoseconds). Returns what nf_process
        returned, as 16 bits (a device, or what the NF's nf.h says drops or floods), and the packet as it left
        it. Raises NativeError if the NF exits, aborts or fails an assertion."""
        out = self._process(device, packet, len(packet), now)
        if out < 0:
            raise NativeError(self._message.value.decode(errors="replace"))
        return out, ctypes.string_at(self._packet.value or 0, self._length.value)

    def close(self) -> None:
        """Unloads the NF's code. Its heap stays: NFs never free their state."""
        _ctypes.dlclose(self.library._handle)
