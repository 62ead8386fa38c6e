"""Where the tests find real call paths: MAESTRO_SHARED, or `../shared` beside the repository."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path
from typing import NoReturn

import pytest

from maestro_lsp.check import Report, check_source
from maestro_lsp.render.paths import call_path_files
from maestro_lsp.settings import Settings
from maestro_lsp.workspace import NfSources
from tests.vigor import GIVEN, VIGOR, WHY

SHARED = Path(os.environ.get("MAESTRO_SHARED", Path(__file__).parents[3] / "shared"))


def absent(why: str) -> NoReturn:
    """Real data is missing: nothing to be quiet about where all tests have to run."""
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)


def source(name: str) -> Path:
    """The folder of a real NF's source."""
    if not GIVEN:
        pytest.skip(WHY)
    return VIGOR / name


def exported(nf: NfSources, folder: Path) -> Report:
    """The report of a source, whose call paths are written to a folder."""
    report = check_source(nf, Settings(call_paths=""))
    folder.mkdir(parents=True, exist_ok=True)
    for n, text in enumerate(call_path_files(report), 1):
        (folder / f"test{n:06}.call_path").write_text(text)
    return report


def texts(name: str) -> list[tuple[str, str]]:
    """(path, text) of each real file of an NF. Skips, loudly, when there is no such data; in CI that is an error."""
    folder = SHARED / "call-paths"
    if name == "heavy-hitters":
        archive = folder / "heavy-hitters.tar.xz"
        if not archive.exists():
            absent(f"NO REAL CALL PATHS: {archive} is missing; set MAESTRO_SHARED")
        with tarfile.open(archive) as tar:
            out = []
            for m in sorted((m for m in tar.getmembers() if m.name.endswith(".call_path")), key=lambda m: m.name):
                f = tar.extractfile(m)
                assert f is not None
                out.append((m.name, f.read().decode()))
            return out
    if not (folder / name).is_dir():
        absent(f"NO REAL CALL PATHS: {folder / name} is missing; set MAESTRO_SHARED")
    return [(f.name, f.read_text()) for f in sorted((folder / name).glob("*.call_path"))]
