"""From preprocessed C to what tree-sitter-c parses as C means it. Takes a text; gives it with a few rewritings,
and the way back.

The grammar knows no typedef names, so it reads `(T) * p` as a product and `(T)(x)` as a call. Wherever a typedef
name stands alone in parentheses before an operand, `const` is added, which forces the reading as a type.
`typeof (expression)` becomes a tag that stands for the operand, `unsigned : 3` becomes `unsigned int : 3`,
`case a ... b:` a call, and the attributes of `union __attribute__((packed)) u { ... }` move behind the brace.
Attributes that change no layout go.
"""

from __future__ import annotations

import re
from functools import lru_cache

from tree_sitter import Language, Node, Parser
from tree_sitter_c import language

from maestro_lsp.source.ctypes import STANDARD_TYPES

LANGUAGE = Language(language())

_TYPEDEF = re.compile(r"\btypedef\b")
_ROUND, _CURLY = re.compile("[()]"), re.compile("[{}]")
_MARK = re.compile(r"[;{}]")
_NAME = re.compile(r"[A-Za-z_]\w*")
_FUNCTION_NAME = re.compile(r"\(\s*\*+\s*(?:const\s+)?([A-Za-z_]\w*)")
_TYPEOF = re.compile(r"\btypeof(?:_unqual)?\s*\(")
_UNNAMED_BITS = re.compile(r"\b(?:unsigned|signed|short|long)(?=\s*:)")
_EARLY_ATTRIBUTE = re.compile(r"\b(?:union|enum)\s+(__attribute__\s*\(\()")
_ATTRIBUTE = re.compile(r"__attribute__\s*(?=\(\s*\()")
_ATTRIBUTES = re.compile(r"__attribute__\s*\(\(.*?\)\)", re.DOTALL)
_RECORD = re.compile(r"\b(?:struct|union)\b")
_ALIAS = re.compile(r"\b_*alias_*\s*\(")
_CASE_RANGE = re.compile(r"\bcase\b\s*([^:;{}?]*?\S)\s*(\.\.\.)\s*([^:;{}?]*?)(?=\s*:)")
_OPERAND_START = re.compile(r"\s*(?!->)[\w\"'(*&~!+.\-]")
_BEFORE_TYPE = frozenset(("return", "case", "sizeof", "else", "do", "_Alignof", "alignof", "goto"))

CASE_RANGE = "__case_range"  # what GNU C's `case first ... last:` becomes a call of

Edit = tuple[int, int, str]


def adapt(text: str) -> list[Edit]:
    """The rewritings (start, end, replacement) that a preprocessed text needs, in order, not overlapping."""
    edits = _typeofs(text) if "typeof" in text else []
    names = typedef_names(text) if "typedef" in text else frozenset()
    if names:
        edits.extend(_casts(text, names))
    edits.extend((match.end(), match.end(), " int") for match in _UNNAMED_BITS.finditer(text))
    if "..." in text:
        edits.extend(_case_ranges(text))
    if "__attribute__" in text:
        for match in _EARLY_ATTRIBUTE.finditer(text):
            edits.extend(_moved_attribute(text, match.start(1)))
        edits.extend(_idle_attributes(text))
    edits.sort()
    kept: list[Edit] = []
    for edit in edits:
        if not kept or edit[0] >= kept[-1][1]:
            kept.append(edit)
    return kept


def typedef_names(text: str) -> frozenset[str]:
    """Names that typedefs of a text introduce, those that the grammar knows left out."""
    names = set()
    for match in _TYPEDEF.finditer(text):
        end = _declaration_end(text, match.end())
        tail_start = text.rfind("}", match.end(), end)
        tail = text[tail_start + 1 if tail_start >= 0 else match.end() : end]
        pointed = _FUNCTION_NAME.search(tail)
        if pointed is not None:
            names.add(pointed[1])
            continue
        tail = _ATTRIBUTES.sub("", tail)
        for part in tail.split("("):
            for declarator in part.split(","):
                found = _NAME.findall(declarator.split("[")[0])
                if found:
                    names.add(found[-1])
            break
    return frozenset(names - STANDARD_TYPES.keys())


def _declaration_end(text: str, start: int) -> int:
    """Where the `;` of a declaration stands, members of a struct skipped."""
    depth = 0
    for match in _MARK.finditer(text, start, start + 100_000):
        if match[0] == "{":
            depth += 1
        elif match[0] == "}":
            depth -= 1
        elif depth <= 0:
            return match.start()
    return min(len(text), start + 100_000)


def _casts(text: str, names: frozenset[str]) -> list[Edit]:
    edits: list[Edit] = []
    for match in re.finditer(r"\(\s*([A-Za-z_]\w*)\s*\)", text):
        if match[1] not in names:
            continue
        before = match.start()
        while before > 0 and text[before - 1].isspace():
            before -= 1
        previous = text[before - 1 : before]
        word = ""
        if previous.isalnum() or previous == "_":
            start = before
            while start > 0 and (text[start - 1].isalnum() or text[start - 1] == "_"):
                start -= 1
            word = text[start:before]
            if word not in _BEFORE_TYPE:
                continue
        if previous == "]":
            continue
        if word in ("sizeof", "_Alignof", "alignof") or _OPERAND_START.match(text, match.end()):
            edits.append((match.end(1), match.end(1), " const"))
    return edits


def _case_ranges(text: str) -> list[Edit]:
    edits: list[Edit] = []
    for match in _CASE_RANGE.finditer(text):
        edits.append((match.start(1), match.start(1), f"{CASE_RANGE}("))
        edits.append((match.start(2), match.end(2), ","))
        edits.append((match.end(3), match.end(3), ")"))
    return edits


def _typeofs(text: str) -> list[Edit]:
    edits: list[Edit] = []
    for match in _TYPEOF.finditer(text):
        if edits and match.start() < edits[-1][1]:
            continue
        end = _closing(text, match.end() - 1, "()")
        if end is not None:
            operand = text[match.end() : end - 1]
            edits.append((match.start(), end, f"struct __typeof_{operand.encode().hex()}"))
    return edits


def _idle_attributes(text: str) -> list[Edit]:
    """The edits that drop attributes without a say in layouts, and those of initialised variables, and that make `alias` a label."""
    edits: list[Edit] = []
    for match in _ATTRIBUTE.finditer(text):
        end = _closing(text, match.end(), "()")
        if end is not None:
            following = text[end : end + 100].lstrip()[:1]
            inside = text[match.end() : end]
            if _ALIAS.search(inside):  # the grammar has a place for this one
                edits.append((match.start(), end, 'asm("alias")'))
                continue
            is_idle = following in ("=", ",") or not ("packed" in inside or "aligned" in inside)
            if is_idle or (following == ";" and "packed" not in inside and _is_of_variable(text, match.start())):
                edits.append((match.start(), end, ""))
    return edits


def _is_of_variable(text: str, at: int) -> bool:
    """Whether an attribute that ends a declaration, at an offset, is a variable's: not a member's, a typedef's or a record's."""
    before = text[max(0, at - 100) : at].rstrip()[-1:]
    if not (before.isalnum() or before in ("_", "]")):
        return False
    depth, start, opening = 0, None, -1
    for match in reversed(list(_MARK.finditer(text, max(0, at - 100_000), at))):
        if match[0] == "}":
            depth += 1
        elif match[0] == "{":
            if depth == 0:
                opening = match.start()
                break
            depth -= 1
        elif depth == 0 and start is None:
            start = match.end()
    if _TYPEDEF.search(text, opening + 1 if start is None else start, at) or (opening < 0 and at > 100_000):
        return False
    head = _ATTRIBUTES.sub("", re.split(_MARK, text[max(0, opening - 1000) : max(opening, 0)])[-1])
    return "(" in head or not _RECORD.search(head)


def _moved_attribute(text: str, start: int) -> list[Edit]:
    """The edits that move the attribute at an offset behind the next braces, unless a `;` comes before them."""
    end = _closing(text, text.index("(", start), "()")
    brace = None if end is None else re.compile(r"\s*\w*\s*\{").match(text, end)
    close = None if brace is None else _closing(text, brace.end() - 1, "{}")
    if end is None or close is None:
        return []
    return [(start, end, ""), (close, close, " " + text[start:end])]


def _closing(text: str, opening: int, brackets: str) -> int | None:
    """The offset behind the bracket that closes the one at an offset, within reason."""
    depth = 0
    pattern = _ROUND if brackets == "()" else _CURLY
    for match in pattern.finditer(text, opening, opening + 100_000):
        depth += 1 if match[0] == brackets[0] else -1
        if depth == 0:
            return match.end()
    return None


@lru_cache(maxsize=256)
def typeof_operand(tag: str) -> Node | None:
    """The type name or expression that a tag made for `typeof (...)` stands for."""
    try:
        text = bytes.fromhex(tag.removeprefix("__typeof_")).decode()
    except ValueError:
        return None
    for start, end, replacement in reversed(_typeofs(text)):  # macros nest
        text = text[:start] + replacement + text[end:]
    operand = text.encode()
    prefix = b"int x = sizeof("
    tree = Parser(LANGUAGE).parse(prefix + operand + b");")
    return tree.root_node.named_descendant_for_byte_range(len(prefix), len(prefix) + len(operand))
