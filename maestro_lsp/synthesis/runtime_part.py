"""The runtime part of a generated file: headers of maestro_lsp/runtime, put into one text between markers.

What a header includes with quotes is expanded, each file once; what it includes with brackets stays, each once. Markers let an
analysis leave the runtime out: `nf_part` gives a generated file with every marked block replaced by blank lines, which keeps line
numbers, and with declarations of what the NF part calls. The project's helpers that the catalogue knows by their names are marked
too, since an analysis takes the catalogue's word for them.
"""

from __future__ import annotations

import posixpath
import re
from functools import cache
from importlib import resources

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+(<[^>]+>|"[^"]+")[^\n]*\n', re.MULTILINE)
_ONCE = re.compile(r"^[ \t]*#\s*pragma\s+once[^\n]*\n", re.MULTILINE)
_MACRO = re.compile(r"^[ \t]*#[ \t]*(?:define|undef)[ \t]+(\w+)", re.MULTILINE)
_BLOCK = re.compile(r"^// maestro: (runtime|by name) begins.*?^// maestro: \1 ends$", re.MULTILINE | re.DOTALL)

ANALYSIS_HEADER = "maestro/nf_part.h"
"""The built-in header that declares to an analysis what the runtime gives to the NF part."""


class RuntimePart:
    """Expands headers of the runtime for one generated file."""

    def __init__(self) -> None:
        self._files: set[str] = set()
        self.included: set[str] = set()  # operands of #include <...> so far

    def block(self, what: str, *names: str) -> str:
        """Headers by their paths below maestro_lsp/runtime, with all they need, as one marked block."""
        text = "".join(self._expand(name) for name in names)
        text = re.sub(r"\n{3,}", "\n\n", text.strip("\n"))
        return f"// maestro: runtime begins: {what}\n{text}\n// maestro: runtime ends\n"

    def _expand(self, name: str) -> str:
        if name in self._files:
            return ""
        self._files.add(name)
        text = _ONCE.sub("", _read(name))

        def include(match: re.Match[str]) -> str:
            operand = match[1]
            if operand.startswith("<"):
                if operand in self.included and not _is_conditional(text, match.start()):
                    return ""
                self.included.add(operand)
                return match[0]
            inner = operand.strip('"')
            if not _exists(inner):
                inner = posixpath.normpath(posixpath.join(posixpath.dirname(name), inner))
            return self._expand(inner)

        return _INCLUDE.sub(include, text).strip("\n") + "\n\n"


def _is_conditional(text: str, position: int) -> bool:
    """Whether a place lies within #if."""
    before = text[:position]
    return len(re.findall(r"^\s*#\s*if", before, re.MULTILINE)) > len(
        re.findall(r"^\s*#\s*endif", before, re.MULTILINE)
    )


def by_name(definition: str) -> str:
    """A helper of the project that analyses know by its name, marked."""
    return f"// maestro: by name begins\n{definition}\n// maestro: by name ends"


def runtime_blocks(text: str) -> list[str]:
    """The marked blocks of a generated file."""
    return [m[0] for m in _BLOCK.finditer(text)]


def macros_of(text: str) -> frozenset[str]:
    """The macros that a text defines or undefines."""
    return frozenset(_MACRO.findall(text))


def nf_part(text: str) -> str:
    """A generated file as an analysis reads it: without the runtime, and line by line at the same places."""
    first = f"#include <{ANALYSIS_HEADER}>"

    def blank(match: re.Match[str]) -> str:
        nonlocal first
        lines = "\n" * match[0].count("\n")
        lines, first = first + lines, ""
        return lines

    return _BLOCK.sub(blank, text)


@cache
def _read(name: str) -> str:
    return resources.files("maestro_lsp").joinpath("runtime", *name.split("/")).read_text("utf-8")


@cache
def _exists(name: str) -> bool:
    return resources.files("maestro_lsp").joinpath("runtime", *name.split("/")).is_file()
