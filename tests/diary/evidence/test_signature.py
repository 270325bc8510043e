"""A signature counts for one payload, by one key, to one end."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diary.evidence import signature
from diary.evidence.merkle import push_hash
from diary.evidence.receipt import SignedPush
from diary.rules.ids import ReplicaId
from diary.rules.segment import Sealed
from diary.sealing.row import body_hash, header_hash
from tests.rule import rule
from tests.vector_file import SealedText, raw, vectors

SEED = bytes(range(32))
PUBLIC = signature.public_of(SEED)


class PushCase(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    public: str
    hashes: str
    signature: str
    expect: str
    seed: str = ""
    replica: ReplicaId = ReplicaId("")
    versions: list[SealedText] = []
    push_hash: str = ""


class PushFile(msgspec.Struct, frozen=True):
    cases: list[PushCase]


CASES = vectors("push", PushFile).cases
GOOD = [case for case in CASES if case.expect == "verifies"]


@rule("R48")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_push_verifies_as_it_was_signed_and_else_not(case: PushCase) -> None:
    holds = signature.verify(
        bytes.fromhex(case.public), signature.PUSH, bytes.fromhex(case.hashes), bytes.fromhex(case.signature)
    )
    assert holds == (case.expect == "verifies")


@rule("R48")
@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.name)
def test_a_push_is_signed_over_the_hashes_of_its_versions(case: PushCase) -> None:
    versions = [Sealed(header=it.header.encode(), body=raw(it.body), wrap=None) for it in case.versions]
    hashes = b"".join(header_hash(version) + body_hash(version) for version in versions)
    assert hashes.hex() == case.hashes
    assert signature.sign(bytes.fromhex(case.seed), signature.PUSH, hashes).hex() == case.signature
    assert signature.public_of(bytes.fromhex(case.seed)).hex() == case.public


@rule("R56")
@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.name)
def test_a_push_is_named_by_the_hash_of_all_that_was_signed(case: PushCase) -> None:
    signed = SignedPush(
        replica=case.replica, hashes=bytes.fromhex(case.hashes), signature=bytes.fromhex(case.signature)
    )
    assert push_hash(signed).hex() == case.push_hash


@rule("R48")
@given(st.sampled_from(signature.DOMAINS), st.sampled_from(signature.DOMAINS), st.binary(max_size=80))
def test_a_signature_counts_in_its_own_domain_alone(
    given_for: signature.Domain, shown_for: signature.Domain, payload: bytes
) -> None:
    signed = signature.sign(SEED, given_for, payload)
    assert signature.verify(PUBLIC, shown_for, payload, signed) == (given_for == shown_for)


@rule("R48")
@given(payload=st.binary(min_size=1, max_size=80), at=st.integers(0, 2**12))
def test_any_flipped_bit_of_payload_or_signature_is_found(payload: bytes, at: int) -> None:
    whole = bytearray(payload + signature.sign(SEED, signature.PUSH, payload))
    at %= len(whole) * 8
    whole[at // 8] ^= 1 << at % 8
    shown, signed = bytes(whole[: len(payload)]), bytes(whole[len(payload) :])
    assert not signature.verify(PUBLIC, signature.PUSH, shown, signed)


@rule("R48")
@pytest.mark.parametrize("public", [b"", bytes(31), b"\xff" * 32, PUBLIC + b"\x00"])
def test_what_is_no_key_verifies_nothing(public: bytes) -> None:
    assert not signature.verify(public, signature.PUSH, b"", signature.sign(SEED, signature.PUSH, b""))
