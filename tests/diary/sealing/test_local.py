"""What stays on this device is sealed for one purpose under the account's key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diary.sealing.local import LocalDamageError, open_local, seal_local
from tests.rule import rule

KEY = bytes(range(32))
NONCE = bytes(range(12))


@rule("R46")
@given(st.binary(max_size=300))
def test_what_was_sealed_comes_back(plain: bytes) -> None:
    sealed = seal_local(plain, key=KEY, purpose="draft", nonce=NONCE)
    assert open_local(sealed, key=KEY, purpose="draft") == plain


@rule("R46")
@given(st.integers(0, 8 * 40 - 1))
def test_any_flipped_bit_is_found(at: int) -> None:
    sealed = bytearray(seal_local(b"twelve bytes", key=KEY, purpose="draft", nonce=NONCE))
    sealed[at // 8] ^= 1 << at % 8
    with pytest.raises(LocalDamageError, match="draft"):
        open_local(bytes(sealed), key=KEY, purpose="draft")


@rule("R49")
@pytest.mark.parametrize(
    ("key", "purpose", "kept_bytes"),
    [(bytes(32), "draft", 99), (KEY, "history", 99), (KEY, "draft", 27), (KEY, "draft", 0)],
    ids=["another key", "another purpose", "cut short", "nothing"],
)
def test_a_draft_opens_only_as_what_it_was_sealed_for(key: bytes, purpose: str, kept_bytes: int) -> None:
    sealed = seal_local(b"a draft", key=KEY, purpose="draft", nonce=NONCE)
    with pytest.raises(LocalDamageError):
        open_local(sealed[:kept_bytes], key=key, purpose=purpose)
