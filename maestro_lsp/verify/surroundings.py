"""Whether all that surrounds the NF's own text in a generated file is as `parallelize` would write it now: the runtime, what the device
that nf_process returns means, how indices are given out. RSS keys are left to rss.py, #include lines to the compiler.

The NF's own text may define macros, and what they change in the runtime behind it no symbolic execution would see.
"""

from __future__ import annotations

import re

from ..synthesis.runtime_part import macros_of, runtime_blocks

_OWN = re.compile(r"^// -+ [^\n]*: its own text, of the files named$.*?^#pragma GCC diagnostic pop$", re.M | re.S)
_KEY = re.compile(r"^static const uint8_t maestro_key_\d+\[\d+\] = \{.*?\};", re.M | re.S)
_INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[^\n]*", re.M)


def surroundings_differ(text: str, fresh: str) -> str | None:
    """What is wrong with a file's surroundings, or None. `fresh` is the file as it would be written now."""
    blocks = runtime_blocks(text)
    if blocks != runtime_blocks(fresh):
        return "the runtime part is not the one that comes with this package: generate the file again"
    own, expected = _OWN.search(text), _OWN.search(fresh)
    if own is None or expected is None:
        return "the lines that say where the NF's own text begins and ends are gone: generate the file again"
    mine, its = _lines(text), _lines(fresh)
    if mine != its:
        wrong = next((a for a, b in zip(mine, its, strict=False) if a != b), (mine + its)[min(len(mine), len(its))])
        return f"what surrounds the NF's own text is not what the NF needs: {wrong}"
    words = set(re.findall(r"[A-Za-z_]\w*", " ".join(blocks)))
    added = (macros_of(own[0]) - macros_of(expected[0])) & words
    if added:
        return f"the macro {min(added)} changes the runtime part: give it another name"
    return None


def _lines(text: str) -> list[str]:
    """What surrounds the NF's own text, line by line, without comments and white space."""
    for block in runtime_blocks(text):
        text = text.replace(block, "", 1)
    text = _INCLUDE.sub("", _KEY.sub("", _OWN.sub("", text, count=1)))
    return [" ".join(line.split()) for line in re.sub(r"//[^\n]*", "", text).splitlines() if line.strip()]
