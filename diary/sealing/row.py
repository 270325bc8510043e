"""One sealed version: its content under a key of its own, bound to its header (R46, R47).

    body     AES-256-GCM(HKDF(K, "workdiary/1/row/enc"), nonce 0, padded content, AAD = SHA-256(header))
    wrap     nonce ‖ AES-256-GCM(HKDF(epoch key, "workdiary/1/wrap"), nonce, K, AAD = SHA-256(header))
    commit   HKDF(K, "workdiary/1/row/commit"), in the header
    picture  AES-256-GCM(HKDF(K, "workdiary/1/picture/" + index), nonce 0, padded picture, AAD = its place)

K is 32 fresh random bytes a version, so the nonce of zeros is used once a key. This file draws no randomness:
K and the wrap's nonce are arguments. A fault is named by its class; nothing is ever returned that was not
authentic in all its parts.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVarTuple

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from diary.errors import DamageError, NothingError
from diary.rules.ids import AccountId, ContractId, ReplicaId, Slot
from diary.rules.segment import Header, Sealed
from diary.rules.unreadable import UNREADABLE
from diary.sealing.derive import KEY_BYTES, derive, expand, extract
from diary.sealing.padding import CONTENT_BLOCK_BYTES, PICTURE_BLOCK_BYTES, pad, unpad

Rest = TypeVarTuple("Rest")

NONCE_BYTES = 12
TAG_BYTES = 16
WRAP_BYTES = NONCE_BYTES + KEY_BYTES + TAG_BYTES

_ONCE = bytes(NONCE_BYTES)  # each key that it is used with encrypts one text only
_ENC = b"workdiary/1/row/enc"
_COMMIT = b"workdiary/1/row/commit"
_WRAP = b"workdiary/1/wrap"
_PICTURE = "workdiary/1/picture/"
_EPOCH_KEYS_AT_HAND = 256  # a key a (contract, epoch): the wrap's key is derived once, not for each row
_GCM_FIRST_COUNTER = (2).to_bytes(4, "big")  # NIST SP 800-38D, section 7.1: counter 1 masks the tag


class UnreadableHeaderError(DamageError):
    """The header is no header, so nothing can be opened under it (R47)."""

    says = "The header of a version cannot be read: {because}."
    mend = "Sync again to receive an unaltered copy."


class WrongKeyError(DamageError):
    """The epoch key does not open the wrap, and nothing shows that it ever did (R47)."""

    says = "The key of epoch {epoch} does not open version {replica}:{n}: another key, or an altered wrap."
    mend = "Sync again to receive the right key or an unaltered copy."


class WrongPlaceError(DamageError):
    """The header is not the one that the content was sealed with: altered, or another version's (R47)."""

    says = "The content of version {replica}:{n} was sealed under another header."
    mend = "Sync again to receive an unaltered copy; if it comes again, keep it as evidence."


class AlteredWrapError(DamageError):
    """The wrapped key was altered (R47)."""

    says = "The wrapped key of version {replica}:{n} was altered."
    mend = "Sync again to receive an unaltered copy."


class AlteredBodyError(DamageError):
    """Header and key are authentic, the body is not (R47)."""

    says = "The sealed content of version {replica}:{n} was altered."
    mend = "Sync again to receive an unaltered copy."


class WrongCommitmentError(DamageError):
    """The key is not the one that the header commits to: its writer could show two contents (R47)."""

    says = "The key of version {replica}:{n} is not the one that its header commits to."
    mend = "The device that wrote it broke the format; keep it as evidence."


class BadPaddingError(DamageError):
    """The content is authentic and ends in no padding of this format (R46)."""

    says = "The content of version {replica}:{n} is not padded as this format asks."
    mend = "The device that wrote it broke the format; keep it as evidence."


class AlteredPictureError(DamageError):
    """A picture does not open: its bytes, its key or its place differ (R47)."""

    says = "Picture {index} of version {replica}:{n} does not open: altered, or sealed for another place."
    mend = "Sync again to receive an unaltered copy."


class ContentDestroyedError(NothingError):
    """The content was destroyed or superseded: only the header is left (R25, R45)."""

    says = "The content of version {replica}:{n} is gone: only its header is kept."
    mend = "Nothing can bring it back."


@dataclass(frozen=True, slots=True)
class PicturePlace:
    """Where a picture belongs; it opens nowhere else (R47). `index` counts from 0 within its version.

    A message's file has no slot: "-" stands in its place.
    """

    account: AccountId
    contract: ContractId
    slot: Slot | None
    replica: ReplicaId
    n: int
    index: int

    def to_bytes(self) -> bytes:
        """Return the place as it is bound to the ciphertext: "account/contract/slot/replica/n/index"."""
        slot = "-" if self.slot is None else self.slot
        parts = (self.account, self.contract, slot, self.replica, self.n, self.index)
        return "/".join(map(str, parts)).encode()


class _Epoch(msgspec.Struct, gc=False):
    """The part of a header that says which key opens it."""

    epoch: int


class _Commitment(msgspec.Struct):
    """The only fields of a header that opening needs; reading no others halves the cost."""

    replica: str
    n: int
    commit: str = ""
    epoch: int = 0


_commitment_decoder = msgspec.json.Decoder(_Commitment)
_epoch_decoder = msgspec.json.Decoder(_Epoch)


def seal(
    header: Header, content: bytes, *, epoch: int, epoch_key: bytes, row_key: bytes, wrap_nonce: bytes
) -> Sealed:
    """Return the version that holds `content`, sealed under `row_key`, wrapped under the epoch key (R47).

    The header's `epoch` and `commit` are set here, and its bytes are made once. `row_key` is 32 random bytes
    that seal nothing else but this version's pictures; `wrap_nonce` is 12 random bytes.
    """
    assert len(row_key) == KEY_BYTES, "a row key has 32 bytes"
    assert len(wrap_nonce) == NONCE_BYTES, "a nonce has 12 bytes"
    root = extract(row_key)
    raw = msgspec.structs.replace(header, epoch=epoch, commit=expand(root, _COMMIT).hex()).to_bytes()
    bound = hashlib.sha256(raw).digest()
    body = AESGCM(expand(root, _ENC)).encrypt(_ONCE, pad(content, CONTENT_BLOCK_BYTES), bound)
    wrap = wrap_nonce + _wrapping(epoch_key).encrypt(wrap_nonce, row_key, bound)
    return Sealed(header=raw, body=body, wrap=wrap)


def open_row(sealed: Sealed, epoch_key: bytes) -> bytes:
    """Return the content of a version, all of whose parts were found authentic (R47).

    Raises:
        UnreadableHeaderError: The header was altered until it is none.
        ContentDestroyedError: There is no content any more.
        WrongKeyError: The epoch key does not open it, or the wrap was altered.
        WrongPlaceError: The header was altered, or is another version's.
        AlteredWrapError: The wrap was altered.
        WrongCommitmentError: The key is not the one the header commits to.
        AlteredBodyError: The body was altered.
        BadPaddingError: Its writer did not pad it.
    """
    names = _names_of(sealed)
    if sealed.body is None:
        raise ContentDestroyedError(replica=names.replica, n=names.n)
    bound = hashlib.sha256(sealed.header).digest()
    root = _unwrap(sealed, names, bound, epoch_key)[1]
    try:
        padded = AESGCM(expand(root, _ENC)).decrypt(_ONCE, sealed.body, bound)
    except InvalidTag as error:
        raise AlteredBodyError(replica=names.replica, n=names.n) from error
    content = unpad(padded, CONTENT_BLOCK_BYTES)
    if content is None:
        raise BadPaddingError(replica=names.replica, n=names.n)
    return content


def glances(
    rows: Iterable[tuple[bytes, bytes, bytes, ContractId, *Rest]],
    key_of: Callable[[ContractId, int], bytes],
) -> Iterator[tuple[bytes | None, tuple[bytes, bytes, bytes, ContractId, *Rest]]]:
    """Yield the content of each of very many versions with its row; None where it does not open (R31).

    A row is header, body, wrap, contract and whatever the caller wants beside them. `key_of` has the key of
    each epoch of a contract. The commitment is not compared, which saves a quarter: it keeps two readers from
    opening one version to two contents, and what a search found is opened in full to be shown.
    """
    unwrap: dict[tuple[ContractId, int], Callable[[bytes, bytes, bytes], bytes]] = {}
    for each in rows:
        header, wrap, contract = each[0], each[2], each[3]
        bound = hashlib.sha256(header).digest()
        content: bytes | None
        try:
            epoch = _epoch_decoder.decode(header).epoch
            if (contract, epoch) not in unwrap:
                unwrap[contract, epoch] = _wrapping(key_of(contract, epoch)).decrypt
            key = unwrap[contract, epoch](wrap[:NONCE_BYTES], wrap[NONCE_BYTES:], bound)
            padded = AESGCM(expand(extract(key), _ENC)).decrypt(_ONCE, each[1], bound)
            content = unpad(padded, CONTENT_BLOCK_BYTES)
        except (InvalidTag, ValueError, DamageError, *UNREADABLE):
            content = None
        yield content, each


def row_key(sealed: Sealed, epoch_key: bytes) -> bytes:
    """Return the key of one version, by which its pictures open or it alone is disclosed (R47).

    Raises: as `open_row`, but for what only the body can show.
    """
    names = _names_of(sealed)
    return _unwrap(sealed, names, hashlib.sha256(sealed.header).digest(), epoch_key)[0]


def open_disclosed(header: bytes, body: bytes, row_key: bytes) -> bytes:
    """Return the content that a version's own key opens, which its owner disclosed (R47, R59).

    Raises:
        UnreadableHeaderError: The header is none.
        WrongCommitmentError: The key is not the one that the header commits to.
        AlteredBodyError: Header or body is not what was sealed.
        BadPaddingError: Its writer did not pad it.
    """
    names = _names_of(Sealed(header=header, body=body, wrap=None))
    root = extract(row_key)
    if not _commits_to(names, root):
        raise WrongCommitmentError(replica=names.replica, n=names.n)
    try:
        padded = AESGCM(expand(root, _ENC)).decrypt(_ONCE, body, hashlib.sha256(header).digest())
    except InvalidTag as error:
        raise AlteredBodyError(replica=names.replica, n=names.n) from error
    content = unpad(padded, CONTENT_BLOCK_BYTES)
    if content is None:
        raise BadPaddingError(replica=names.replica, n=names.n)
    return content


def seal_picture(picture: bytes, *, row_key: bytes, place: PicturePlace) -> bytes:
    """Return a picture's ciphertext, sealed under its version's key for its place (R47).

    Pictures are sealed first, since the header names them; version and pictures are given the same key.
    """
    padded = pad(picture, PICTURE_BLOCK_BYTES)
    return _picture_cipher(row_key, place.index).encrypt(_ONCE, padded, place.to_bytes())


def open_picture(ciphertext: bytes, *, row_key: bytes, place: PicturePlace) -> bytes:
    """Return the picture that was sealed for `place` (R47).

    Raises:
        AlteredPictureError: Bytes, key or place are not those of the sealing.
    """
    try:
        padded = _picture_cipher(row_key, place.index).decrypt(_ONCE, ciphertext, place.to_bytes())
    except InvalidTag as error:
        raise AlteredPictureError(index=place.index, replica=place.replica, n=place.n) from error
    picture = unpad(padded, PICTURE_BLOCK_BYTES)
    if picture is None:
        raise BadPaddingError(replica=place.replica, n=place.n)
    return picture


def picture_name(ciphertext: bytes) -> str:
    """Return a picture's name: SHA-256 of its ciphertext in hexadecimal (R41)."""
    return hashlib.sha256(ciphertext).hexdigest()


def padded_picture_bytes(ciphertext: bytes) -> int:
    """Return the padded size that the header states: the ciphertext without its tag (R46)."""
    return len(ciphertext) - TAG_BYTES


def header_hash(sealed: Sealed) -> bytes:
    """Return SHA-256 of the header's exact bytes (R48)."""
    return hashlib.sha256(sealed.header).digest()


def body_hash(sealed: Sealed) -> bytes:
    """Return SHA-256 of the body; of no bytes where there is none (R48)."""
    return hashlib.sha256(sealed.body or b"").digest()


def _names_of(sealed: Sealed) -> _Commitment:
    try:
        return _commitment_decoder.decode(sealed.header)
    except UNREADABLE as error:
        raise UnreadableHeaderError(because=error) from error


def _commits_to(names: _Commitment, root: bytes) -> bool:
    return hmac.compare_digest(expand(root, _COMMIT).hex().encode(), names.commit.encode())


@lru_cache(maxsize=_EPOCH_KEYS_AT_HAND)
def _wrapping(epoch_key: bytes) -> AESGCM:
    return AESGCM(derive(epoch_key, _WRAP))


def _picture_cipher(row_key: bytes, index: int) -> AESGCM:
    return AESGCM(derive(row_key, f"{_PICTURE}{index}".encode()))


def _unwrap(sealed: Sealed, names: _Commitment, bound: bytes, epoch_key: bytes) -> tuple[bytes, bytes]:
    """Return the row key and what its keys are expanded from, after comparing the commitment."""
    wrap = sealed.wrap
    if wrap is None:
        raise ContentDestroyedError(replica=names.replica, n=names.n)
    if len(wrap) != WRAP_BYTES:
        raise AlteredWrapError(replica=names.replica, n=names.n)
    try:
        key = _wrapping(epoch_key).decrypt(wrap[:NONCE_BYTES], wrap[NONCE_BYTES:], bound)
    except InvalidTag as error:
        raise _fault_of_wrap(sealed, names, bound, epoch_key) from error
    root = extract(key)
    if not _commits_to(names, root):
        raise WrongCommitmentError(replica=names.replica, n=names.n)
    return key, root


def _fault_of_wrap(sealed: Sealed, names: _Commitment, bound: bytes, epoch_key: bytes) -> DamageError:
    """Return the error that says which part keeps a wrap from opening.

    The wrap's tag covers key, header and wrap together. So the key is deciphered without its tag, to see what
    it still fits; it is used for nothing but the choice of the sentence.
    """
    assert sealed.wrap is not None, "asked only about a wrap that is there"
    wrap, body = sealed.wrap, sealed.body or b""
    key = _deciphered(derive(epoch_key, _WRAP), wrap[:NONCE_BYTES], wrap[NONCE_BYTES:-TAG_BYTES])
    root = extract(key)
    if _commits_to(names, root):
        try:
            AESGCM(expand(root, _ENC)).decrypt(_ONCE, body, bound)
        except InvalidTag:
            return WrongPlaceError(replica=names.replica, n=names.n)
        return AlteredWrapError(replica=names.replica, n=names.n)
    padded = _deciphered(expand(root, _ENC), _ONCE, body[:-TAG_BYTES])
    if padded and unpad(padded, CONTENT_BLOCK_BYTES) is not None:
        return WrongPlaceError(replica=names.replica, n=names.n)
    return WrongKeyError(epoch=names.epoch, replica=names.replica, n=names.n)


def _deciphered(key: bytes, nonce: bytes, ciphertext: bytes) -> bytes:
    """Return what AES-GCM would decipher, its tag not asked: AES-CTR from the second counter."""
    cipher = Cipher(algorithms.AES(key), modes.CTR(nonce + _GCM_FIRST_COUNTER))
    return cipher.decryptor().update(ciphertext)
