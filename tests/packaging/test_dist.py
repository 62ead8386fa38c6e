"""What people install: the wheel, in an environment of its own, with no repository beside it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OLDEST = (3, 11)


def pythons() -> dict[str, str]:
    """Interpreters of this machine that the package supports, by version: the one that runs the tests, and others found."""
    found = {"{}.{}".format(*sys.version_info): sys.executable}
    candidates = [shutil.which(f"python3.{minor}") for minor in range(11, 20)]
    for path in [*filter(None, candidates), *map(str, Path.home().glob(".pyenv/versions/3.*/bin/python3"))]:
        done = subprocess.run([path, "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True, text=True)
        if done.returncode == 0 and (version := tuple(map(int, done.stdout.split()))) >= OLDEST:
            found.setdefault("{}.{}".format(*version), path)
    return dict(sorted(found.items(), key=lambda item: int(item[0].split(".")[1])))


OLDEST_AND_NEWEST = sorted({next(iter(pythons())), list(pythons())[-1]}, key=lambda v: int(v.split(".")[1]))


def build(folder: Path) -> dict[str, bytes]:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(folder)], cwd=ROOT, check=True, capture_output=True
    )
    return {p.name: p.read_bytes() for p in folder.iterdir()}


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build(folder)
    return folder


def test_builds_are_the_same_bytes(dist: Path, tmp_path: Path) -> None:
    assert build(tmp_path) == {p.name: p.read_bytes() for p in dist.iterdir()}


@pytest.mark.parametrize("version", OLDEST_AND_NEWEST)
@pytest.mark.parametrize("kind", ["*.whl", "*.tar.gz"])
def test_an_installed_package_needs_no_repository(kind: str, version: str, dist: Path, tmp_path: Path) -> None:
    (package,) = dist.glob(kind)
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([pythons()[version], "-m", "venv", str(tmp_path / "venv")], check=True)
    subprocess.run([str(python), "-m", "pip", "install", "-q", str(package)], check=True, capture_output=True)
    nf = tmp_path / "nfs" / "fw"  # what a user has: an NF and the headers beside it, nothing of ours
    shutil.copytree(ROOT / "fixtures" / "fw", nf)
    for shared in (*ROOT.glob("fixtures/*.[ch]"), ROOT / "fixtures" / "Makefile"):
        shutil.copy(shared, nf.parent)

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        clean = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
        return subprocess.run([str(python), "-m", *words], cwd=nf.parent, capture_output=True, text=True, env=clean)

    checked = run("maestro_lsp", "check", "fw")
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.startswith("fw: shared-nothing")
    where = run("pip", "show", "-f", "maestro-lsp").stdout
    for part in ("_docs/global-state.md", "runtime/libvig/verified/map.c", "rss/profiles.toml", "py.typed"):
        assert f"maestro_lsp/{part}" in where
    assert "_docs/dchain-scan.md" in run("maestro_lsp", "check", "fw", "--format", "sarif").stdout
    assert run("maestro_lsp", "solve", str(ROOT / "fixtures" / "specs" / "symmetric.toml")).returncode == 0
    script = run("maestro_lsp", "completion", "bash")
    assert "maestro" in script.stdout and subprocess.run(["bash", "-n"], input=script.stdout, text=True).returncode == 0
