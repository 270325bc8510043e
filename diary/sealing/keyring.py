"""Where a device's three secrets lie: keyring, passphrase, or a plain file when asked for by name (R49).

`choose_place` is for a new diary, `place_of` for one that is there; the file `key_place` in the diary's
folder tells which it was. It is written only after the secrets are safe in their new place, so it never names
an empty one. The passphrase's sealed file is in `diary.sealing.passphrase`.
"""

import base64
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol, assert_never

import msgspec

from diary.errors import DamageError, MachineError, NothingError, UsageError
from diary.sealing.derive import KEY_BYTES
from diary.sealing.key_tree import DeviceKeys
from diary.sealing.private_file import is_for_owner_alone, remove_private, write_private

PlaceKind = Literal["keyring", "passphrase", "file"]
Ask = Callable[[], str]

KEY_PLACE = "key_place"
SEALED_FILE = "keys.json"
PLAIN_FILE = "device.key"
SERVICE = "workdiary"
_MARK = "workdiary-keys-1:"
_KEEP_NOTHING = ("keyring.backends.null", "keyring.backends.fail", "keyrings.alt")
_OTHER_WAYS = (
    "There are two other ways: a passphrase (--passphrase), or a plain key file (--key-file), "
    "which opens the diary to whoever can read that file."
)


class NoUsableKeyringError(MachineError):
    """The operating system offers no keyring that keeps a secret (R49)."""

    says = "There is no keyring here that keeps a secret ({backend})."
    mend = _OTHER_WAYS


class KeyringFailedError(MachineError):
    """The keyring refused: locked, or its service is gone (R49)."""

    says = "The operating system's keyring did not answer: {because}."
    mend = "Unlock it and try again. " + _OTHER_WAYS


class NoKeyPlaceError(NothingError):
    """This folder says of no place where keys would lie."""

    says = "No diary was set up in {home}."
    mend = "Make one with `diary init`, or sign in with the recovery phrase: diary login URL."


class KeysMissingError(DamageError):
    """The place where the keys should lie is empty (R49)."""

    says = "The keys of this device are gone from their place: {place}."
    mend = "Sign in again with the recovery phrase: diary login URL."


class KeysDamagedError(DamageError):
    """What lies in the place is no set of keys (R49)."""

    says = "What lies in {place} are not the keys of a device."
    mend = "Restore it from a backup, or sign in again with the recovery phrase: diary login URL."


class ExposedKeyFileError(UsageError):
    """Others may read the plain key file (R49)."""

    says = "The key file {path} can be read by others on this machine."
    mend = "If nobody did, make it yours alone: chmod 600 {path}"


class KeyPlace(Protocol):
    """One place for one device's secrets."""

    @property
    def kind(self) -> PlaceKind:
        """Return which of the three ways this is."""
        ...

    def save(self, keys: DeviceKeys) -> None:
        """Keep the secrets here, replacing what was kept, durably; then name this place in `key_place`."""
        ...

    def load(self) -> DeviceKeys:
        """Return the secrets.

        Raises:
            KeysMissingError: There are none.
            KeysDamagedError: What lies there is something else.
            WrongPassphraseError: The passphrase does not open them.
        """
        ...

    def describes(self) -> str:
        """Return one sentence: where the secrets lie and what that means."""
        ...

    def forget(self) -> None:
        """Remove the secrets and the naming of this place; without the phrase the diary is lost."""
        ...


class _Note(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `key_place` holds: the kind and, for the keyring, the secret's name and whose home it is."""

    kind: PlaceKind
    name: str = ""
    home: str = ""


def has_keyring() -> bool:
    """Return whether the operating system offers a keyring that keeps secrets (R49)."""
    return _refused_backend() is None


def choose_place(home: Path, kind: PlaceKind, ask: Ask | None = None) -> KeyPlace:
    """Return the place that was chosen for a new diary in `home`; nothing is written before `save` (R49).

    `ask` returns the passphrase; the other two ways need none.

    Raises:
        NoUsableKeyringError: A keyring was chosen and there is none that keeps a secret.
    """
    match kind:
        case "keyring":
            refused = _refused_backend()
            if refused is not None:
                raise NoUsableKeyringError(backend=refused)
            return KeyringPlace(home)
        case "passphrase":
            return PassphrasePlace(home, ask)
        case "file":
            return FilePlace(home)
        case _:
            assert_never(kind)


def place_of(home: Path, ask: Ask | None = None) -> KeyPlace:
    """Return the place where the keys of the diary in `home` lie (R49).

    Raises:
        NoKeyPlaceError: No diary was set up there.
        KeysDamagedError: Its `key_place` names none.
        NoUsableKeyringError: The keyring is the place and there is none now.
    """
    return choose_place(home, _note_of(home).kind, ask)


class KeyringPlace:
    """The operating system's keyring, under a name that is new with each save (R49)."""

    kind: PlaceKind = "keyring"

    def __init__(self, home: Path) -> None:
        self._home = home

    def save(self, keys: DeviceKeys) -> None:
        """Keep the secrets under a new name, note it, then drop the old ones (see `KeyPlace`)."""
        import keyring
        from keyring.errors import KeyringError

        old = _note_of(self._home) if (self._home / KEY_PLACE).exists() else None
        name = f"device {secrets.token_hex(8)}"
        try:
            keyring.set_password(SERVICE, name, _text_of(keys))
        except KeyringError as error:
            raise KeyringFailedError(because=error) from error
        _write_note(self._home, _Note(kind="keyring", name=name, home=str(self._home.resolve())))
        # A folder that was copied shares its note with the original, whose keys must stay (R42).
        if old is not None and old.name and old.home == str(self._home.resolve()):
            _drop_password(old.name)

    def load(self) -> DeviceKeys:
        """Return the secrets (see `KeyPlace`)."""
        import keyring
        from keyring.errors import KeyringError

        try:
            text = keyring.get_password(SERVICE, _note_of(self._home).name)
        except KeyringError as error:
            raise KeyringFailedError(because=error) from error
        if text is None:
            raise KeysMissingError(place="the operating system's keyring")
        return _keys_of(text, "the operating system's keyring")

    def describes(self) -> str:
        """Return where the secrets lie (see `KeyPlace`)."""
        return (
            "The keys of this device lie in the operating system's keyring: "
            "whoever can sign in here as you can read the diary."
        )

    def forget(self) -> None:
        """Remove the secrets (see `KeyPlace`)."""
        _drop_password(_note_of(self._home).name)
        remove_private(self._home / KEY_PLACE)


class PassphrasePlace:
    """A file in the diary's folder, sealed under a passphrase by Argon2id (R49)."""

    kind: PlaceKind = "passphrase"

    def __init__(self, home: Path, ask: Ask | None) -> None:
        from diary.sealing.passphrase import SealedFile

        self._home = home
        self._file = SealedFile(home / SEALED_FILE, ask)

    def save(self, keys: DeviceKeys) -> None:
        """Seal the secrets into the file (see `KeyPlace`)."""
        self._file.write(_text_of(keys).encode())
        _write_note(self._home, _Note(kind="passphrase"))

    def load(self) -> DeviceKeys:
        """Ask for the passphrase and return the secrets (see `KeyPlace`)."""
        if not self._file.path.exists():
            raise KeysMissingError(place=self._file.path)
        return _keys_of(self._file.read().decode("ascii", "replace"), str(self._file.path))

    def describes(self) -> str:
        """Return where the secrets lie (see `KeyPlace`)."""
        return (
            f"The keys of this device lie in {self._file.path}, sealed under your passphrase: "
            "who has the file can still try passphrases, so a long one is worth it."
        )

    def forget(self) -> None:
        """Remove the file (see `KeyPlace`)."""
        remove_private(self._file.path)
        remove_private(self._home / KEY_PLACE)


class FilePlace:
    """A plain file in the diary's folder that its owner alone can read; only when asked for by name (R49)."""

    kind: PlaceKind = "file"

    def __init__(self, home: Path) -> None:
        self._home = home
        self._path = home / PLAIN_FILE

    def save(self, keys: DeviceKeys) -> None:
        """Write the secrets (see `KeyPlace`)."""
        write_private(self._path, _text_of(keys).encode() + b"\n")
        _write_note(self._home, _Note(kind="file"))

    def load(self) -> DeviceKeys:
        """Return the secrets (see `KeyPlace`).

        Raises:
            ExposedKeyFileError: Others may read the file.
        """
        if not self._path.exists():
            raise KeysMissingError(place=self._path)
        if not is_for_owner_alone(self._path):
            raise ExposedKeyFileError(path=self._path)
        return _keys_of(self._path.read_bytes().decode("ascii", "replace").strip(), str(self._path))

    def describes(self) -> str:
        """Return where the secrets lie (see `KeyPlace`)."""
        return (
            f"The keys of this device lie unsealed in {self._path}: "
            "whoever can read this file can read the diary."
        )

    def forget(self) -> None:
        """Remove the file (see `KeyPlace`)."""
        remove_private(self._path)
        remove_private(self._home / KEY_PLACE)


def _refused_backend() -> str | None:
    """Return the name of the keyring backend that keeps no secret, or None when all of them do."""
    import keyring

    backend = keyring.get_keyring()
    # A chain of backends writes to the first that takes it: each must be one that keeps a secret.
    for each in [backend, *getattr(backend, "backends", [])]:
        name = f"{type(each).__module__}.{type(each).__name__}"
        if name.startswith(_KEEP_NOTHING) or "plaintext" in name.lower():
            return name
    return None


def _drop_password(name: str) -> None:
    import keyring
    from keyring.errors import KeyringError, PasswordDeleteError

    try:
        keyring.delete_password(SERVICE, name)
    except PasswordDeleteError:
        return  # it is not there: that was wanted
    except KeyringError as error:
        raise KeyringFailedError(because=error) from error


def _note_of(home: Path) -> _Note:
    path = home / KEY_PLACE
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Note)
    except FileNotFoundError as error:
        raise NoKeyPlaceError(home=home) from error
    except msgspec.DecodeError as error:
        raise KeysDamagedError(place=path) from error


def _write_note(home: Path, note: _Note) -> None:
    write_private(home / KEY_PLACE, msgspec.json.encode(note) + b"\n")


def _text_of(keys: DeviceKeys) -> str:
    """Return the secrets as one line of text: account key, signing seed, box key."""
    return _MARK + base64.b64encode(keys.account_key + keys.sign_seed + keys.box_private).decode()


def _keys_of(text: str, place: str) -> DeviceKeys:
    """Return the secrets that `_text_of` wrote.

    Raises:
        KeysDamagedError: It is something else.
    """
    try:
        blob = base64.b64decode(text.removeprefix(_MARK), validate=True)
    except ValueError as error:
        raise KeysDamagedError(place=place) from error
    if not text.startswith(_MARK) or len(blob) != 3 * KEY_BYTES:
        raise KeysDamagedError(place=place)
    return DeviceKeys(blob[:32], blob[32:64], blob[64:])
