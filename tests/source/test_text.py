from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from maestro_lsp.source.text import Encoding, SourceText, decode

ENCODINGS: list[Encoding] = ["utf-8", "utf-16", "utf-32"]
TEXTS = st.text(alphabet="ab \n\r\té€😀", max_size=40)


@given(TEXTS, st.sampled_from(ENCODINGS), st.data())
def test_positions_and_offsets_are_inverse(text: str, encoding: Encoding, data: st.DataObject) -> None:
    source = SourceText("f.c", text)
    offset = data.draw(st.integers(0, len(text)))
    line, character = source.position(offset, encoding)
    back = source.offset(line, character, encoding)
    # Within a CRLF there is no position of its own: LSP puts it at the end of the line.
    assert back == offset or text[back:offset].strip("\r\n") == ""


@given(TEXTS, st.sampled_from(ENCODINGS), st.data())
def test_characters_count_code_units(text: str, encoding: Encoding, data: st.DataObject) -> None:
    source = SourceText("f.c", text)
    offset = data.draw(st.integers(0, len(text)))
    line, character = source.position(offset, encoding)
    before = text[source.line_starts[line] : offset]
    width = {"utf-8": 1, "utf-16": 2, "utf-32": 4}[encoding]
    assert character == len(before.encode(encoding + ("-le" if width > 1 else ""))) // width


def test_positions_outside_are_clamped() -> None:
    source = SourceText("f.c", "ab\r\ncd")
    assert source.position(99) == (1, 2)
    assert source.offset(0, 99) == 2
    assert source.offset(7, 0) == 6
    assert source.offset(-1, 5) == 0
    assert (source.line_text(0), source.line_text(1), source.line_text(2)) == ("ab", "cd", "")


def test_a_character_within_a_surrogate_pair_means_its_start() -> None:
    source = SourceText("f.c", "a😀b")
    assert [source.offset(0, n) for n in range(5)] == [0, 1, 1, 2, 3]


def test_files_that_are_not_utf8_lose_no_byte() -> None:
    assert decode("é".encode()) == "é"
    assert decode(b"\xef\xbb\xbfint x;") == "int x;"
    assert decode(bytes(range(256))).encode("latin-1") == bytes(range(256))
