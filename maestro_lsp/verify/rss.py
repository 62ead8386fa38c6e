"""Whether the RSS data of a generated file is right.

It may differ from what `parallelize` would write now only in its keys, and then they must be valid: members of the space of all keys that
fulfil the matrix.
"""

from __future__ import annotations

import re

from ..rss.configure import Configuration

_SECTION = re.compile(
    r"^static const uint8_t maestro_key_\d+.*?^static const struct maestro_rss maestro_rss\b.*?^\};", re.M | re.S
)
_KEY = re.compile(r"^static const uint8_t maestro_key_(\d+)\[(\d+)\] = \{(.*?)\};", re.M | re.S)


def rss_differs(text: str, fresh: str, found: Configuration | None) -> str | None:
    """What is wrong with the RSS data of a file, or None. `fresh` is the file as it would be written now."""
    mine, expected = _SECTION.search(text), _SECTION.search(fresh)
    if expected is None or found is None:
        return None
    if mine is None:
        return "the RSS data is missing or damaged"
    if _without_comments(_KEY.sub("", mine[0])) != _without_comments(_KEY.sub("", expected[0])):
        return "hash inputs, options or tables are not those that the matrix was solved for"
    try:
        keys = {
            int(n): bytes(int(b, 0) for b in body.replace(",", " ").split()) for n, _, body in _KEY.findall(mine[0])
        }
    except ValueError:
        return "a key is not written as bytes"
    lengths = {int(n): int(length) for n, length, _ in _KEY.findall(mine[0])}
    if keys.keys() != found.keys.keys() or any(
        len(keys[d]) != len(found.keys[d]) or lengths[d] != len(keys[d]) for d in keys
    ):
        return "a key is missing, or has another length"
    if not found.space.contains(keys):
        return "the keys do not make all packets meet that must"
    return None


def _without_comments(text: str) -> str:
    return re.sub(r"//[^\n]*|\s+", " ", text).strip()
