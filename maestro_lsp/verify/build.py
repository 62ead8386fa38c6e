"""Compiles an NF as its author wrote it, and a generated program, into shared objects that take packets from Python.

Needs a C compiler and DPDK's headers (pkg-config libdpdk). Each library's containers are compiled once for both.
"""

from __future__ import annotations

import os
import posixpath
import re
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ..workspace import NfSources, read_file

RUNTIME = Path(__file__).parent.parent / "runtime"
_FLAGS = ("-std=gnu11", "-O1", "-fPIC", "-w", "-include", "compat/dpdk_names.h")


class CannotBuild(Exception):
    """The programs cannot be compiled here; one line that says why and what to do."""


@dataclass(frozen=True)
class Conventions:
    """What the device that nf_process returns means, as C expressions over `output` and `device`."""

    drops: str
    floods: str
    devices: int
    takes_mbuf: bool


@dataclass(frozen=True)
class Tools:
    """What compiles here."""

    compiler: str
    cflags: tuple[str, ...]
    libs: tuple[str, ...]


def tools() -> Tools:
    """The compiler and DPDK's flags.

    Raises:
        CannotBuild: if one of them is missing.
    """
    compiler = os.environ.get("CC") or next((c for c in ("gcc", "clang", "cc") if shutil.which(c)), None)
    if compiler is None:
        raise CannotBuild("there is no C compiler: install gcc or clang")
    if shutil.which("pkg-config") is None:
        raise CannotBuild("pkg-config is missing: install it, and DPDK's headers (Debian: pkg-config libdpdk-dev)")
    answers = []
    for option in ("--cflags", "--libs"):
        done = subprocess.run(["pkg-config", option, "libdpdk"], capture_output=True, text=True)
        if done.returncode:
            raise CannotBuild("DPDK's headers are missing: install them (Debian: libdpdk-dev)")
        answers.append(tuple(shlex.split(done.stdout)))
    return Tools(compiler, *answers)


def build(
    nf: NfSources,
    sources: Sequence[str],
    libvig: str,
    generated: str,
    strategy: str,
    conventions: Conventions,
    folder: Path,
) -> tuple[Path, Path]:
    """The original and the generated program as shared objects in `folder`.

    Args:
        sources: the C files of the NF, helpers included, main loop excluded.
        libvig: folder of the containers' sources.
        generated: path of the generated file.

    Raises:
        CannotBuild: if something does not compile.
    """
    use = tools()
    include = dict.fromkeys((nf.root, *nf.search, posixpath.dirname(posixpath.dirname(libvig))))
    include[str(named_otherwise(sources, list(include), folder / "named-otherwise"))] = None
    flags = [*_FLAGS, f"-I{RUNTIME}", *(f"-D{k}={v}" if v else f"-D{k}" for k, v in sorted(nf.defines.items())),
             *(f"-I{p}" for p in include), *use.cflags]  # fmt: skip
    containers = needed(sources, Path(libvig))
    sources = [s for s in sources if s not in containers]
    jobs: list[tuple[str, Path, list[str]]] = []
    for n, source in enumerate((*containers, *sources)):
        jobs.append((source, folder / f"{n}.o", []))
    reference = folder / "reference.o"
    jobs.append((str(RUNTIME / "replay" / "reference.c"), reference, _reference(conventions)))
    program = folder / "program.o"
    alone = ["-DREPLAY_SEQUENTIAL"] if strategy == "sequential" else []
    jobs.append((str(RUNTIME / "replay" / "generated.c"), program, [f'-DREPLAY_PROGRAM="{generated}"', *alone]))
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        list(pool.map(lambda job: _run([use.compiler, *flags, *job[2], "-c", "-o", str(job[1]), job[0]]), jobs))
    objects = [str(o) for _, o, _ in jobs[:-2]]
    originals, generateds = folder / "original.so", folder / "generated.so"
    link = [use.compiler, "-shared", "-Wl,--no-undefined", "-o"]
    _run([*link, str(originals), str(reference), *objects, *use.libs], "the NF does not link")
    # the generated file has packet I/O of its own: that of the library is then not linked
    mine = [o for o, (source, _, _) in zip(objects, jobs, strict=False) if source in containers]
    _run([*link, str(generateds), str(program), *mine, *use.libs], "the generated program does not link")
    return originals, generateds


_INCLUDE = re.compile(r'^\s*#\s*include\s*[<"](?:[^">]*/)?([^"/>]+)\.h[">]', re.MULTILINE)


def needed(sources: Sequence[str], libvig: Path) -> list[str]:
    """The library's sources that an NF needs: those beside the headers that it includes, and what these include. Packet I/O
    always: helpers call it without saying so."""
    todo, found = [Path(s) for s in sources], {libvig / "packet-io.c"}
    seen: set[Path] = set()
    while todo:
        path = todo.pop()
        if path in seen or not path.is_file():
            continue
        seen.add(path)
        for stem in _INCLUDE.findall(path.read_text("utf-8", "replace")):
            todo += [folder / f"{stem}.h" for folder in dict.fromkeys((path.parent, libvig))]
            if (source := libvig / f"{stem}.c").is_file():
                found.add(source)
                todo.append(source)
    return sorted(str(p) for p in found if p.is_file())


_HEADER = re.compile(r'^\s*#\s*include\s*[<"]((?:[^">/]+/)+)([^"/>]+\.h)[">]', re.MULTILINE)


def named_otherwise(sources: Sequence[str], include: Sequence[str], folder: Path) -> Path:
    """A folder to search in which our library lies under the names that an NF without one includes it by: `lib/verified`."""
    folder.mkdir()
    ours = RUNTIME / "libvig" / "verified"
    for path in (p for s in sources for p in (Path(s), *Path(s).parent.glob("*.h"))):
        for place, name in _HEADER.findall(read_file(str(path)) or ""):
            found = any(Path(i, place, name).is_file() for i in (str(path.parent), *include))
            link = folder / place
            if not found and ".." not in place and (ours / name).is_file() and not link.exists():
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(ours)
    return folder


def _reference(c: Conventions) -> list[str]:
    return [f"-DREPLAY_DROPS(output,device)=({c.drops})", f"-DREPLAY_FLOODS(output)=({c.floods})",
            f"-DREPLAY_DEVICES={c.devices}", *(["-DREPLAY_TAKES_MBUF"] if c.takes_mbuf else [])]  # fmt: skip


def _run(command: list[str], failure: str = "") -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error" in line or "undefined" in line] or [
            done.stderr[:300]
        ]
        raise CannotBuild(f"{failure or f'{posixpath.basename(command[-1])} does not compile'}: {lines[0].strip()}")
