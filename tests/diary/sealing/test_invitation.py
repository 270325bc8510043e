"""Invitations: the link, and what its secret opens (R51, R64)."""

import hashlib

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from diary.rules.ids import AccountId, ContractId
from diary.rules.segment import MalformedHeaderError, Sealed, parse_header
from diary.sealing.invitation import (
    BadLinkError,
    InvitationKeys,
    Link,
    WrongInvitationError,
    open_by_invitation,
    parse_link,
    seal_to_invitation,
)
from tests.rule import rule
from tests.vector_file import SealedText, raw, vectors


class LinkCase(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    text: str
    expect: str
    server_url: str = ""
    account: str = ""
    contract: str = ""
    server_key: str = ""
    secret: str = ""


class KeysCase(msgspec.Struct, frozen=True):
    secret: str
    auth_seed: str
    auth: str
    wrap: str


class GrantCase(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    secret: str
    sealed: SealedText
    expect: str
    key: str = ""
    nonce: str = ""


class BadHeader(msgspec.Struct, frozen=True):
    name: str
    header: str


class InvitationFile(msgspec.Struct, frozen=True):
    links: list[LinkCase]
    keys: list[KeysCase]
    grants: list[GrantCase]
    headers: list[BadHeader]


FILE = vectors("invitation", InvitationFile)
GOOD = next(case for case in FILE.links if case.expect == "link")
GRANT = next(case for case in FILE.grants if case.expect == "opens")


def sealed(text: SealedText) -> Sealed:
    return Sealed(header=text.header.encode(), body=raw(text.body), wrap=None)


@rule("R51")
@pytest.mark.parametrize("case", FILE.links, ids=lambda case: case.name)
def test_a_link_is_read_or_refused_without_repeating_its_secret(case: LinkCase) -> None:
    if case.expect == "link":
        found = parse_link(case.text)
        assert msgspec.to_builtins(found) == msgspec.to_builtins(
            Link(
                case.server_url,
                AccountId(case.account),
                ContractId(case.contract),
                case.server_key,
                bytes.fromhex(case.secret),
            )
        )
        assert found.text == case.text.strip()
        return
    with pytest.raises(BadLinkError) as fault:
        parse_link(case.text)
    assert GOOD.text[-40:-4] not in fault.value.in_full


@rule("R64")
@given(secret=st.binary(min_size=32, max_size=32))
def test_all_that_names_anything_in_a_link_stands_behind_the_hash(secret: bytes) -> None:
    link = Link("https://diary.example", AccountId("a" * 32), ContractId("c" * 32), "5" * 64, secret)
    assert link.text.split("#")[0] == "https://diary.example/join"
    assert parse_link(link.text) == link


@rule("R51")
@given(at=st.integers(0, len(GOOD.text) - 1), instead=st.characters(codec="ascii"))
def test_a_link_with_another_letter_is_another_link_or_none(at: int, instead: str) -> None:
    text = GOOD.text[:at] + instead + GOOD.text[at + 1 :]
    try:
        found = parse_link(text)
    except BadLinkError:
        return
    scheme, rest = text.strip().split(":", 1)
    # Nobody minds how a scheme is written (RFC 3986, section 3.1).
    assert (found.text == GOOD.text) == (f"{scheme.lower()}:{rest}" == GOOD.text)


@rule("R51")
@pytest.mark.parametrize("case", FILE.keys, ids=lambda case: case.auth[:8])
def test_a_secret_makes_the_keys_that_the_rfc_gives(case: KeysCase) -> None:
    def by_library(purpose: str) -> str:
        info = f"workdiary/1/invitation/{purpose}".encode()
        return HKDF(hashes.SHA256(), 32, None, info).derive(bytes.fromhex(case.secret)).hex()

    keys = InvitationKeys.of(bytes.fromhex(case.secret))
    assert (keys.auth_seed.hex(), keys.wrap.hex(), keys.auth) == (case.auth_seed, case.wrap, case.auth)
    assert (by_library("auth"), by_library("wrap")) == (case.auth_seed, case.wrap)


@rule("R51")
@pytest.mark.parametrize("case", FILE.grants, ids=lambda case: case.name)
def test_an_epoch_key_opens_by_the_links_secret_under_its_header_and_else_never(case: GrantCase) -> None:
    keys = InvitationKeys.of(bytes.fromhex(case.secret))
    if case.expect == "opens":
        key, nonce = bytes.fromhex(case.key), bytes.fromhex(case.nonce)
        header = case.sealed.header.encode()
        assert open_by_invitation(sealed(case.sealed), keys) == key
        assert seal_to_invitation(parse_header(header), key, keys.wrap, nonce) == sealed(case.sealed)
        by_hand = AESGCM(keys.wrap).encrypt(nonce, key, hashlib.sha256(header).digest())
        assert sealed(case.sealed).body == nonce + by_hand
        return
    with pytest.raises(WrongInvitationError, match="does not open"):
        open_by_invitation(sealed(case.sealed), keys)


@rule("R51")
@given(part=st.sampled_from(["header", "body"]), at=st.integers(0, 2**20))
def test_any_flipped_bit_of_an_invitations_grant_is_found(part: str, at: int) -> None:
    version = sealed(GRANT.sealed)
    whole = bytearray(getattr(version, part))
    at %= len(whole) * 8
    whole[at // 8] ^= 1 << at % 8
    with pytest.raises(WrongInvitationError):
        open_by_invitation(
            msgspec.structs.replace(version, **{part: bytes(whole)}),
            InvitationKeys.of(bytes.fromhex(GRANT.secret)),
        )


@rule("R51")
@pytest.mark.parametrize("case", FILE.headers, ids=lambda case: case.name)
def test_a_header_that_says_half_an_invitation_is_none(case: BadHeader) -> None:
    with pytest.raises(MalformedHeaderError):
        parse_header(case.header.encode())
