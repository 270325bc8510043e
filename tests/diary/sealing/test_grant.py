"""A key sealed to one device or to the recovery key: HPKE as RFC 9180 has it."""

import hashlib

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from hypothesis import given
from hypothesis import strategies as st

from diary.rules.segment import Sealed, parse_header
from diary.sealing.grant import WrongGrantError, open_grant, seal_grant
from tests.diary.sealing import hpke_by_rfc
from tests.rule import rule
from tests.vector_file import SealedText, raw, vectors

LIBRARY = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class Sealing(msgspec.Struct, frozen=True):
    to_public: str
    key: str
    ephemeral: str


class GrantCase(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    private: str
    sealed: SealedText
    expect: str
    sealing: Sealing | None = None
    key: str = ""


class Steps(msgspec.Struct, frozen=True, rename={"sender": "skEm", "to": "pkRm"}):
    sender: str
    to: str
    enc: str
    shared_secret: str


class GrantFile(msgspec.Struct, frozen=True):
    cases: list[GrantCase]
    rfc9180_a_1_1: Steps


FILE = vectors("grant", GrantFile)
GOOD = [case for case in FILE.cases if case.sealing is not None]


def sealed(case: GrantCase) -> Sealed:
    return Sealed(header=case.sealed.header.encode(), body=raw(case.sealed.body), wrap=None)


@rule("R49")
@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.name)
def test_the_rfc_followed_by_hand_gives_the_same_bytes(case: GrantCase) -> None:
    assert case.sealing is not None
    key, to = bytes.fromhex(case.sealing.key), bytes.fromhex(case.sealing.to_public)
    purpose = b"workdiary/1/grant\x00" + hashlib.sha256(case.sealed.header.encode()).digest()
    ephemeral = bytes.fromhex(case.sealing.ephemeral)
    assert hpke_by_rfc.seal_to(to, key, purpose=purpose, ephemeral=ephemeral) == sealed(case).body


@rule("R49")
@pytest.mark.parametrize("case", FILE.cases, ids=lambda case: case.name)
def test_a_grant_opens_for_its_device_under_its_header_and_else_never(case: GrantCase) -> None:
    if case.expect == "opens":
        assert open_grant(sealed(case), bytes.fromhex(case.private)).hex() == case.key
        return
    with pytest.raises(WrongGrantError, match=r"version .*:\d"):
        open_grant(sealed(case), bytes.fromhex(case.private))


@rule("R49")
@given(st.sampled_from(GOOD), st.sampled_from(["header", "body"]), st.integers(0, 2**20))
def test_any_flipped_bit_of_a_grant_is_found(case: GrantCase, part: str, at: int) -> None:
    version = sealed(case)
    whole = bytearray(getattr(version, part))
    at %= len(whole) * 8
    whole[at // 8] ^= 1 << at % 8
    damaged = msgspec.structs.replace(version, **{part: bytes(whole)})
    with pytest.raises(WrongGrantError):
        open_grant(damaged, bytes.fromhex(case.private))


@rule("R49")
def test_the_bit_that_x25519_ignores_is_bound_too() -> None:
    # RFC 7748 masks the topmost bit of a public key, so the shared point alone would not show the change.
    version = sealed(GOOD[0])
    assert version.body is not None
    whole = bytearray(version.body)
    whole[31] ^= 0x80
    with pytest.raises(WrongGrantError):
        open_grant(
            Sealed(header=version.header, body=bytes(whole), wrap=None), bytes.fromhex(GOOD[0].private)
        )


@rule("R49")
def test_a_grant_that_draws_its_own_randomness_opens_and_never_repeats() -> None:
    case = GOOD[0]
    assert case.sealing is not None
    header = parse_header(case.sealed.header.encode())
    key, to = bytes.fromhex(case.sealing.key), bytes.fromhex(case.sealing.to_public)
    one, other = seal_grant(header, key, to), seal_grant(header, key, to)
    assert one != other
    assert open_grant(one, bytes.fromhex(case.private)) == key


@rule("R49")
def test_the_shared_secret_is_the_one_the_rfc_publishes() -> None:
    steps = FILE.rfc9180_a_1_1
    enc, to = bytes.fromhex(steps.enc), bytes.fromhex(steps.to)
    exchanged = X25519PrivateKey.from_private_bytes(bytes.fromhex(steps.sender)).exchange(
        X25519PublicKey.from_public_bytes(to)
    )
    assert hpke_by_rfc.shared_secret(exchanged, enc, to).hex() == steps.shared_secret


@rule("R49")
@given(plain=st.binary(max_size=100), purpose=st.binary(max_size=40), seed=st.binary(min_size=1, max_size=9))
def test_the_library_opens_what_the_rfc_followed_by_hand_seals(
    plain: bytes, purpose: bytes, seed: bytes
) -> None:
    receiver = X25519PrivateKey.from_private_bytes(hashlib.sha256(seed).digest())
    ours = hpke_by_rfc.seal_to(
        receiver.public_key().public_bytes_raw(),
        plain,
        purpose=purpose,
        ephemeral=hashlib.sha256(plain).digest(),
    )
    assert LIBRARY.decrypt(ours, receiver, purpose) == plain
