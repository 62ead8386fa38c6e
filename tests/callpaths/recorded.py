"""Where the tests find real call paths: MAESTRO_SHARED, or `../shared` beside the repository."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("MAESTRO_SHARED", Path(__file__).parents[3] / "shared"))
NFS = ("vigbridge", "vigfw", "viglb", "vignat", "vignop", "vigpol")


def texts(name: str) -> list[tuple[str, str]]:
    """(path, text) of each real file of an NF. Skips, loudly, when there is no such data."""
    folder = SHARED / "call-paths"
    if name == "heavy-hitters":
        archive = folder / "heavy-hitters.tar.xz"
        if not archive.exists():
            pytest.skip(f"NO REAL CALL PATHS: {archive} is missing; set MAESTRO_SHARED")
        with tarfile.open(archive) as tar:
            out = []
            for m in sorted((m for m in tar.getmembers() if m.name.endswith(".call_path")), key=lambda m: m.name):
                f = tar.extractfile(m)
                assert f is not None
                out.append((m.name, f.read().decode()))
            return out
    if not (folder / name).is_dir():
        pytest.skip(f"NO REAL CALL PATHS: {folder / name} is missing; set MAESTRO_SHARED")
    return [(f.name, f.read_text()) for f in sorted((folder / name).glob("*.call_path"))]
