"""A sealed text's length says only how many blocks it fills."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diary.sealing.padding import pad, unpad
from tests.rule import rule


@rule("R46")
@given(st.binary(max_size=600), st.sampled_from([16, 256, 4096]))
def test_what_was_padded_comes_back_and_fills_whole_blocks(plain: bytes, block_bytes: int) -> None:
    padded = pad(plain, block_bytes)
    assert unpad(padded, block_bytes) == plain
    assert len(padded) == (len(plain) // block_bytes + 1) * block_bytes


@rule("R46")
@pytest.mark.parametrize(
    "padded",
    [
        b"",
        bytes(16),
        b"text without a mark at the end!!",
        b"text\x80" + bytes(10),
        b"text\x80" + bytes(11 + 16),
        b"text\x80" + bytes(10) + b"\x01",
    ],
    ids=["nothing", "zeros", "no mark", "no whole block", "a block too many", "something after the mark"],
)
def test_there_is_one_padding_for_each_text(padded: bytes) -> None:
    assert unpad(padded, 16) is None
