"""An invitation: the link, what its secret makes, and the keys that the secret opens (R51, R64).

    link     https://HOST[:PORT]/join#1.<account>.<contract>.<server's key>.<secret>
    auth     HKDF(secret, "workdiary/1/invitation/auth"): an Ed25519 seed; whoever joins signs by it
    wrap     HKDF(secret, "workdiary/1/invitation/wrap"): an AES-256-GCM key
    grant    nonce ‖ AES-256-GCM(wrap, nonce, epoch key, AAD = SHA-256(header)); it has no wrap of its own
    joining  Ed25519 signature by auth over the header's bytes, in the domain "workdiary/1/joining"

All that names anything stands behind the `#`, which no browser sends. This file draws no randomness: secrets
and nonces are arguments.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from diary.errors import DamageError, UsageError
from diary.evidence.signature import JOINING, public_of, sign
from diary.rules.ids import AccountId, ContractId
from diary.rules.segment import Header, Sealed
from diary.sealing.derive import KEY_BYTES, derive

LINK_FORMAT = "1"
LINK_PATH = "/join"
LINK_CHARACTERS_MAX = 2000
NONCE_BYTES = 12
GRANT_BYTES = NONCE_BYTES + KEY_BYTES + 16
_PARTS = 5
_AUTH = b"workdiary/1/invitation/auth"
_WRAP = b"workdiary/1/invitation/wrap"
_ID = re.compile(r"[0-9a-f]{32}")
_KEY = re.compile(r"[0-9a-f]{64}")


class BadLinkError(UsageError):
    """A text is no invitation link (R51)."""

    says = "This is no invitation link: {because}."
    mend = "Copy the whole link as it was sent to you, with all that stands behind the #."


class WrongInvitationError(DamageError):
    """What was sealed to an invitation does not open: another secret, another header, or altered (R51)."""

    says = "The key that invitation {auth} should give does not open: {because}."
    mend = "Ask whoever invited you for a new link."


@dataclass(frozen=True, slots=True)
class InvitationKeys:
    """What the secret of a link makes (R51)."""

    auth_seed: bytes = field(repr=False)
    wrap: bytes = field(repr=False)

    @classmethod
    def of(cls, secret: bytes) -> "InvitationKeys":
        """Return the keys of a link's 32 bytes."""
        assert len(secret) == KEY_BYTES, "a link's secret has 32 bytes"
        return cls(auth_seed=derive(secret, _AUTH), wrap=derive(secret, _WRAP))

    @property
    def auth(self) -> str:
        """Return the public key that names the invitation, in hexadecimal."""
        return public_of(self.auth_seed).hex()


@dataclass(frozen=True, slots=True)
class Link:
    """An invitation as it is handed over; `server_url` is where the server answers, without a path."""

    server_url: str
    account: AccountId
    contract: ContractId
    server_key: str
    secret: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """Return the link as it is sent."""
        secret = base64.urlsafe_b64encode(self.secret).rstrip(b"=").decode()
        behind = f"{LINK_FORMAT}.{self.account}.{self.contract}.{self.server_key}.{secret}"
        return f"{self.server_url.rstrip('/')}{LINK_PATH}#{behind}"

    @property
    def leads_here(self) -> bool:
        """Return whether it leads each computer to itself, so that it opens nothing elsewhere."""
        host = urlsplit(self.server_url).hostname or ""
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return host == "localhost" or host.endswith(".localhost")  # RFC 6761, section 6.3

    @property
    def keys(self) -> InvitationKeys:
        """Return what its secret makes."""
        return InvitationKeys.of(self.secret)


def parse_link(text: str) -> Link:
    """Return the link that a text is; spaces around it do not matter (R51).

    Raises:
        BadLinkError: It is none; the error says where it differs, and never repeats the secret.
    """
    text = text.strip()
    if len(text) > LINK_CHARACTERS_MAX:
        raise BadLinkError(because="it is too long")
    try:
        place = urlsplit(text)
        host, _ = place.hostname, place.port
    except ValueError as error:
        raise BadLinkError(because="its address is none") from error
    if place.scheme not in {"http", "https"} or not host or place.username or place.query:
        raise BadLinkError(because="it does not begin with https:// and the name of a server")
    if not place.path.endswith(LINK_PATH):
        raise BadLinkError(because=f"it does not lead to {LINK_PATH}")
    account, contract, server_key, secret = _parts_behind(place.fragment)
    prefix = place.path.removesuffix(LINK_PATH)
    return Link(f"{place.scheme}://{place.netloc}{prefix}", account, contract, server_key, secret)


def _parts_behind(fragment: str) -> tuple[AccountId, ContractId, str, bytes]:
    parts = fragment.split(".")
    if parts[0] != LINK_FORMAT and parts[0].isdigit():
        raise BadLinkError(because=f"it has format {parts[0]}, which this program is too old for")
    if len(parts) != _PARTS or parts[0] != LINK_FORMAT:
        raise BadLinkError(because="what stands behind the # is not whole")
    _, account, contract, server_key, coded = parts
    if not (_ID.fullmatch(account) and _ID.fullmatch(contract) and _KEY.fullmatch(server_key)):
        raise BadLinkError(because="account, contract or server's key behind the # is none")
    secret = _secret_of(coded)
    if secret is None:
        raise BadLinkError(because="the secret at its end is not whole")
    return AccountId(account), ContractId(contract), server_key, secret


def _secret_of(coded: str) -> bytes | None:
    """Return the 32 bytes that a text codes in base64url without padding, in its one form; else None."""
    try:
        secret = base64.b64decode(coded + "=", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    canonical = base64.urlsafe_b64encode(secret).rstrip(b"=").decode() == coded
    return secret if canonical and len(secret) == KEY_BYTES else None


def seal_to_invitation(header: Header, key: bytes, wrap: bytes, nonce: bytes) -> Sealed:
    """Return the grant of an epoch key to whoever holds the link's secret (R51)."""
    assert len(nonce) == NONCE_BYTES, "a nonce has 12 bytes"
    raw = header.to_bytes()
    return Sealed(header=raw, body=nonce + AESGCM(wrap).encrypt(nonce, key, _bound(raw)), wrap=None)


def open_by_invitation(sealed: Sealed, keys: InvitationKeys) -> bytes:
    """Return the epoch key that was granted to the invitation (R51).

    Raises:
        WrongInvitationError: Granted to another one, put under another header, or altered.
    """
    body = sealed.body or b""
    if len(body) != GRANT_BYTES:
        raise WrongInvitationError(auth=keys.auth[:8], because=f"it has {len(body)} bytes, not {GRANT_BYTES}")
    try:
        return AESGCM(keys.wrap).decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], _bound(sealed.header))
    except InvalidTag as error:
        because = "it was sealed to another secret, or altered"
        raise WrongInvitationError(auth=keys.auth[:8], because=because) from error


def sign_joining(header: Header, auth_seed: bytes) -> Sealed:
    """Return a seat's joining, signed by the invitation (R51)."""
    raw = header.to_bytes()
    return Sealed(header=raw, body=sign(auth_seed, JOINING, raw), wrap=None)


def _bound(raw: bytes) -> bytes:
    return hashlib.sha256(raw).digest()
