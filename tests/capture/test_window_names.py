"""Titles in the encoding of programs without a toolkit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.x11.window_names import decode_compound_text
from tests.rule import rule


@rule("R13")
@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"plain", "plain"),
        (b"Gr\xf6\xdfe", "Größe"),
        (b"Ledger \x1b%G\xe2\x80\x94\x1b%@ draft", "Ledger — draft"),
        (b"\x1b%G\xe5\xaf\xb8", "寸"),
        (b"\x1b-L\xbf\xe0\xd8", "При"),
        (b"\x1b-b\xa4", "€"),
        (b"\x1b%/1\x80\x8diso8859-2\x02\xb1\xe6\xea!", "ąćę!"),
        (b"\x1b(B\x1b$)Aascii", "ascii"),
        (b"", ""),
    ],
)
def test_compound_text_is_decoded(raw: bytes, text: str) -> None:
    assert decode_compound_text(raw) == text


@rule("R13")
@given(st.binary())
def test_no_bytes_of_a_title_can_stop_a_segment(raw: bytes) -> None:
    assert isinstance(decode_compound_text(raw), str)
