"""Keys below keys: HKDF as RFC 5869 has it."""

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from diary.sealing.derive import derive, expand, extract
from tests.rule import rule


@rule("R47")
def test_the_published_vector_without_salt_and_info_holds() -> None:
    # RFC 5869, appendix A.3; its output is longer than the one block that is used here.
    pseudorandom = extract(b"\x0b" * 22)
    assert pseudorandom.hex() == "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04"
    assert expand(pseudorandom, b"").hex() == (
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
    )


@rule("R47")
@given(st.binary(min_size=1, max_size=80), st.binary(max_size=80))
def test_every_key_is_the_one_that_the_library_derives(key: bytes, info: bytes) -> None:
    library = HKDF(algorithm=SHA256(), length=32, salt=None, info=info)
    assert derive(key, info) == library.derive(key)
