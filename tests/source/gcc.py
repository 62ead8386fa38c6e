"""gcc as the second opinion on preprocessing and layouts."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from maestro_lsp.source.macros import tokenize
from maestro_lsp.source.preprocess import Preprocessed, preprocess

needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed: nothing to compare with")


def gcc_tokens(text: str, folder: Path | None = None, options: Sequence[str] = ()) -> tuple[list[str], bool]:
    """The tokens that gcc -E leaves of a text, and whether it had no error."""
    run = subprocess.run(
        ["gcc", "-E", "-P", "-w", *options, "-x", "c", "-"],
        input=text.encode(),
        capture_output=True,
        cwd=folder,
        check=False,
        timeout=20,
    )
    kept = [line for line in run.stdout.decode().splitlines() if not line.startswith("#pragma")]
    return [token.text for token in tokenize("\n".join(kept))], run.returncode == 0


def ours(text: str, files: Mapping[str, str] | None = None, **options: object) -> Preprocessed:
    """Our preprocessing of a text, `files` being beside it."""
    texts = {"/nf/main.c": text, **{f"/nf/{name}": content for name, content in (files or {}).items()}}
    return preprocess("/nf/main.c", texts.get, **options)  # type: ignore[arg-type]


def our_tokens(pre: Preprocessed) -> list[str]:
    return [token.text for token in tokenize(pre.text)]
