"""Twelve words, the root they make, and a device's own three secrets."""

import hashlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diary.evidence.signature import PUSH, ROOT_PROOF, signed_message, verify
from diary.rules.ids import AccountId, ContractId, ReplicaId
from diary.rules.segment import GrantInClear, Header
from diary.sealing.grant import seal_grant
from diary.sealing.key_tree import DeviceKeys, Root, WrongPhraseError, entropy_of, new_phrase
from tests.rule import rule
from tests.vector_file import vectors


class Phrase(msgspec.Struct, frozen=True):
    entropy: str
    words: str
    account: str
    root: str
    recovery: str


class Device(msgspec.Struct, frozen=True):
    sign_seed: str
    token: str


class TreeFile(msgspec.Struct, frozen=True):
    phrase: Phrase
    published_phrases: list[tuple[str, str]]
    device: Device


FILE = vectors("device_list", TreeFile)
PHRASE = FILE.phrase.words
KEYS = DeviceKeys(account_key=b"a" * 32, sign_seed=b"s" * 32, box_private=b"b" * 32)

GRANT = Header(
    v=1,
    type="grant",
    account=AccountId("a" * 32),
    contract=ContractId("c" * 32),
    replica=ReplicaId("d" * 32),
    n=1,
    head=None,
    grant=GrantInClear(to="recovery", epoch=1),
)


@rule("R50")
@pytest.mark.parametrize(("entropy", "words"), FILE.published_phrases)
def test_the_published_phrases_hold_in_both_directions(entropy: str, words: str) -> None:
    assert new_phrase(bytes.fromhex(entropy)) == words
    assert entropy_of(words).hex() == entropy


@rule("R50")
@given(st.binary(min_size=16, max_size=16))
def test_a_phrase_gives_its_entropy_back_however_it_is_typed(entropy: bytes) -> None:
    words = new_phrase(entropy)
    assert len(words.split()) == 12
    assert entropy_of(f"  {words.upper().replace(' ', '   ')}\n") == entropy


@rule("R50")
@pytest.mark.parametrize(
    ("words", "because"),
    [
        (PHRASE.replace("wave", "wawe"), "word 5, “wawe”, is not on the list"),
        (PHRASE.replace("yellow", "zoo"), "checksum fails"),
        (PHRASE.rsplit(" ", 1)[0], "it has 11 words, not 12"),
        (f"{PHRASE} zoo", "it has 13 words, not 12"),
        ("", "it has 0 words, not 12"),
    ],
)
def test_wrong_words_are_refused_and_the_sentence_says_why(words: str, because: str) -> None:
    with pytest.raises(WrongPhraseError, match=because) as fault:
        Root.from_phrase(words)
    assert fault.value.exit_code == 2


@rule("R50")
def test_the_phrase_makes_the_account_and_its_root_keys() -> None:
    root = Root.from_phrase(PHRASE)
    assert root.account == FILE.phrase.account
    assert root.account == hashlib.sha256(root.sign_public).hexdigest()[:32]
    assert root.sign_public.hex() == FILE.phrase.root
    assert root.recovery_public.hex() == FILE.phrase.recovery


@rule("R50")
def test_the_root_signs_whole_messages() -> None:
    root = Root.from_phrase(PHRASE)
    signature = root.sign(signed_message(ROOT_PROOF, b"nonce"))
    assert verify(root.sign_public, ROOT_PROOF, b"nonce", signature)


@rule("R50")
def test_what_is_granted_to_recovery_opens_with_the_phrase() -> None:
    root = Root.from_phrase(PHRASE)
    granted = seal_grant(GRANT, b"k" * 32, root.recovery_public)
    assert Root.from_phrase(PHRASE).open_grant(granted) == b"k" * 32


@rule("R49")
def test_what_is_granted_to_a_device_opens_with_its_keys() -> None:
    granted = seal_grant(GRANT, b"k" * 32, KEYS.box_public)
    assert KEYS.open_grant(granted) == b"k" * 32


@rule("R48")
def test_a_device_signs_in_the_domain_that_it_names() -> None:
    signature = KEYS.sign(PUSH, b"hashes")
    assert verify(KEYS.sign_public, PUSH, b"hashes", signature)


@rule("R49")
def test_a_devices_token_comes_from_its_signing_key() -> None:
    keys = DeviceKeys(b"a" * 32, bytes.fromhex(FILE.device.sign_seed), b"b" * 32)
    assert keys.token == FILE.device.token


@rule("R49")
def test_no_secret_shows_when_keys_are_printed() -> None:
    shown = f"{KEYS!r} {KEYS} {Root.from_phrase(PHRASE)!r}"
    assert shown == "DeviceKeys() DeviceKeys() Root()"


@rule("R49")
def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        DeviceKeys(b"a" * 32, b"s" * 31, b"b" * 32)
