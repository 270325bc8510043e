"""A small file sealed under a passphrase: Argon2id, then AES-256-GCM (R49).

RFC 9106, section 4, second recommended option: 3 passes over 64 MiB in 4 lanes, a salt of 16 bytes. The
figures stand in the file, within bounds, so that a later version can raise them.
"""

import secrets
import threading
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from msgspec import Meta

from diary.errors import DamageError, UsageError
from diary.sealing.private_file import write_private

PASSES = 3
MEMORY_KIB = 64 * 1024
LANES = 4
SALT_BYTES = 16
_KEY_BYTES = 32
_NONCE_BYTES = 12
_BOUND = b"workdiary/1/keys"
# With several lanes OpenSSL's Argon2id waits for threads of its own: two derivations at once wait for ever,
# or say that memory is short (seen with OpenSSL 4.0 in cryptography 50).
_one_at_a_time = threading.Lock()
_FORMAT: Final = "workdiary sealed file 1"


class WrongPassphraseError(UsageError):
    """The passphrase does not open the file (R49)."""

    says = "This passphrase does not open {path}."
    mend = "Try again, or sign in again with the recovery phrase: diary login URL."


class PassphraseNeededError(UsageError):
    """A passphrase is needed and there is nobody to ask, or the answer was empty (R49)."""

    says = "{path} opens with a passphrase, and none was given."
    mend = "Start it where you can type the passphrase."


class SealedFileDamagedError(DamageError):
    """The file is no sealed file (R49)."""

    says = "{path} is no sealed file of keys, or was altered."
    mend = "Restore it from a backup, or sign in again with the recovery phrase: diary login URL."


class _Argon2id(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the passphrase was stretched; the bounds keep a planted file from eating the machine."""

    name: Literal["argon2id"]
    salt: Annotated[bytes, Meta(min_length=SALT_BYTES, max_length=64)]
    passes: Annotated[int, Meta(ge=1, le=64)]
    memory_kib: Annotated[int, Meta(ge=8 * 1024, le=1024 * 1024)]
    lanes: Annotated[int, Meta(ge=1, le=16)]


class _Sealed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file: how to make the key, and nonce ‖ ciphertext."""

    format: Literal["workdiary sealed file 1"]
    kdf: _Argon2id
    sealed: bytes


class SealedFile:
    """A file whose content opens with a passphrase, asked for once in a lifetime of this object."""

    def __init__(self, path: Path, ask: Callable[[], str] | None) -> None:
        self.path = path
        self._ask = ask
        self._stretched: tuple[_Argon2id, bytes] | None = None

    def write(self, content: bytes) -> None:
        """Seal `content` into the file, replacing what it held.

        Raises:
            PassphraseNeededError: There is nobody to ask, or the answer was empty.
            NotWrittenError: The disk did not take it.
        """
        if self._stretched is None:
            kdf = _Argon2id(
                name="argon2id",
                salt=secrets.token_bytes(SALT_BYTES),
                passes=PASSES,
                memory_kib=MEMORY_KIB,
                lanes=LANES,
            )
            self._stretched = kdf, _stretch(self._passphrase(), kdf)
        kdf, key = self._stretched
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + AESGCM(key).encrypt(nonce, content, _BOUND)
        file = _Sealed(format=_FORMAT, kdf=kdf, sealed=sealed)
        write_private(self.path, msgspec.json.encode(file) + b"\n")

    def read(self) -> bytes:
        """Return the content.

        Raises:
            PassphraseNeededError: There is nobody to ask, or the answer was empty.
            WrongPassphraseError: It does not open the file.
            SealedFileDamagedError: It is no such file.
        """
        try:
            file = msgspec.json.decode(self.path.read_bytes(), type=_Sealed)
        except msgspec.DecodeError as error:
            raise SealedFileDamagedError(path=self.path) from error
        if len(file.sealed) < _NONCE_BYTES:
            raise SealedFileDamagedError(path=self.path)
        if self._stretched is None or self._stretched[0] != file.kdf:
            self._stretched = file.kdf, _stretch(self._passphrase(), file.kdf)
        nonce, ciphertext = file.sealed[:_NONCE_BYTES], file.sealed[_NONCE_BYTES:]
        try:
            return AESGCM(self._stretched[1]).decrypt(nonce, ciphertext, _BOUND)
        except InvalidTag as error:
            self._stretched = None
            raise WrongPassphraseError(path=self.path) from error

    def _passphrase(self) -> str:
        passphrase = self._ask() if self._ask is not None else ""
        if not passphrase:
            raise PassphraseNeededError(path=self.path)
        return passphrase


def _stretch(passphrase: str, kdf: _Argon2id) -> bytes:
    """Return the key that a passphrase gives; threads that ask for the same wait for one of them."""
    # The same letters typed on another keyboard may be composed otherwise.
    typed = unicodedata.normalize("NFC", passphrase).encode()
    with _one_at_a_time:
        return _derived(typed, kdf.salt, kdf.passes, kdf.memory_kib, kdf.lanes)


@lru_cache(maxsize=2)  # several threads of one process open the same diary; a wrong try before the right one
def _derived(typed: bytes, salt: bytes, passes: int, memory_kib: int, lanes: int) -> bytes:
    argon = Argon2id(salt=salt, length=_KEY_BYTES, iterations=passes, lanes=lanes, memory_cost=memory_kib)
    return argon.derive(typed)
