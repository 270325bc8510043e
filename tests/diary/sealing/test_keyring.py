"""Where a device's secrets lie, and what each place says of itself."""

import os
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import chainer, fail, null
from keyring.errors import KeyringLocked, PasswordDeleteError

from diary.errors import DiaryError
from diary.sealing.key_tree import DeviceKeys
from diary.sealing.keyring import (
    KEY_PLACE,
    PLAIN_FILE,
    SEALED_FILE,
    ExposedKeyFileError,
    KeyPlace,
    KeyringFailedError,
    KeysDamagedError,
    KeysMissingError,
    NoKeyPlaceError,
    NoUsableKeyringError,
    PlaceKind,
    choose_place,
    has_keyring,
    place_of,
)
from diary.sealing.passphrase import PassphraseNeededError, SealedFileDamagedError, WrongPassphraseError
from diary.sealing.private_file import NotWrittenError, write_private
from tests.rule import rule

KEYS = DeviceKeys(account_key=b"a" * 32, sign_seed=b"s" * 32, box_private=b"b" * 32)
OTHER_KEYS = DeviceKeys(account_key=b"A" * 32, sign_seed=b"S" * 32, box_private=b"B" * 32)
EVERY_KIND: tuple[PlaceKind, ...] = ("keyring", "passphrase", "file")


class MemoryKeyring(KeyringBackend):
    """A keyring that keeps its secrets for as long as a test runs."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # keyring's base class has no types here
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        self._check()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._check()
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._check()
        if (service, username) not in self.kept:
            raise PasswordDeleteError(username)
        del self.kept[service, username]

    def _check(self) -> None:
        if self.locked:
            raise KeyringLocked("locked")


class PlaintextKeyring(MemoryKeyring):
    """Stands for the backends that write secrets in clear."""


class PlaintextChain(chainer.ChainerBackend):
    """A chain that would fall through to a backend that writes in clear."""

    backends = (MemoryKeyring(), PlaintextKeyring())


@pytest.fixture
def memory() -> Iterator[MemoryKeyring]:
    before = keyring.get_keyring()
    backend = MemoryKeyring()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


def passphrase() -> str:
    return "correct horse"


@rule("R49")
@pytest.mark.parametrize("kind", EVERY_KIND)
def test_secrets_come_back_from_the_place_that_the_folder_names(
    tmp_path: Path, memory: MemoryKeyring, kind: PlaceKind
) -> None:
    choose_place(tmp_path, kind, passphrase).save(KEYS)
    found = place_of(tmp_path, passphrase)
    assert found.load() == KEYS
    assert found.kind == kind


@rule("R49")
@pytest.mark.parametrize("kind", EVERY_KIND)
def test_saving_again_replaces_the_secrets(tmp_path: Path, memory: MemoryKeyring, kind: PlaceKind) -> None:
    place = choose_place(tmp_path, kind, passphrase)
    place.save(KEYS)
    place.save(OTHER_KEYS)
    assert place_of(tmp_path, passphrase).load() == OTHER_KEYS
    assert len(memory.kept) == (1 if kind == "keyring" else 0)


@rule("R49")
@pytest.mark.parametrize("kind", EVERY_KIND)
def test_what_is_forgotten_is_gone(tmp_path: Path, memory: MemoryKeyring, kind: PlaceKind) -> None:
    place = choose_place(tmp_path, kind, passphrase)
    place.save(KEYS)
    place.forget()
    assert list(tmp_path.iterdir()) == []
    assert memory.kept == {}
    with pytest.raises(NoKeyPlaceError, match=str(tmp_path)):
        place_of(tmp_path, passphrase)


@rule("R49")
@pytest.mark.parametrize("kind", EVERY_KIND)
def test_secrets_that_are_gone_are_said_to_be_gone(
    tmp_path: Path, memory: MemoryKeyring, kind: PlaceKind
) -> None:
    place = choose_place(tmp_path, kind, passphrase)
    place.save(KEYS)
    memory.kept.clear()
    for name in (SEALED_FILE, PLAIN_FILE):
        (tmp_path / name).unlink(missing_ok=True)
    with pytest.raises(KeysMissingError):
        place_of(tmp_path, passphrase).load()


@rule("R49")
@pytest.mark.parametrize(
    ("kind", "meaning"),
    [
        ("keyring", "whoever can sign in here as you"),
        ("passphrase", "sealed under your passphrase"),
        ("file", "whoever can read this file can read the diary"),
    ],
)
def test_each_place_says_what_it_means(
    tmp_path: Path, memory: MemoryKeyring, kind: PlaceKind, meaning: str
) -> None:
    assert meaning in choose_place(tmp_path, kind, passphrase).describes()


@rule("R49")
@pytest.mark.parametrize("kind", ["passphrase", "file"])
def test_every_file_is_for_its_owner_alone_and_nothing_else_is_left(tmp_path: Path, kind: PlaceKind) -> None:
    place = choose_place(tmp_path, kind, passphrase)
    place.save(KEYS)
    place.save(OTHER_KEYS)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {KEY_PLACE: 0o600, SEALED_FILE if kind == "passphrase" else PLAIN_FILE: 0o600}


@rule("R49")
@pytest.mark.parametrize(
    "backend",
    [null.Keyring, fail.Keyring, PlaintextKeyring, PlaintextChain],
    ids=["null", "fail", "plaintext", "chain"],
)
def test_a_keyring_that_keeps_no_secret_is_refused_and_the_two_other_ways_are_named(
    tmp_path: Path, memory: MemoryKeyring, backend: Callable[[], KeyringBackend]
) -> None:
    keyring.set_keyring(backend())
    assert not has_keyring()
    with pytest.raises(NoUsableKeyringError) as fault:
        choose_place(tmp_path, "keyring")
    assert "passphrase" in fault.value.how_to_mend
    assert "plain key file" in fault.value.how_to_mend


@rule("R49")
def test_a_locked_keyring_says_so_on_every_way_in(tmp_path: Path, memory: MemoryKeyring) -> None:
    place = choose_place(tmp_path, "keyring")
    place.save(KEYS)
    memory.locked = True
    for act in (lambda: place.save(KEYS), place.load, place.forget):
        with pytest.raises(KeyringFailedError, match="locked"):
            act()
    memory.locked = False
    assert place.load() == KEYS


@rule("R49")
def test_a_copied_folder_that_saves_new_keys_leaves_the_originals(
    tmp_path: Path, memory: MemoryKeyring
) -> None:
    original, copy = tmp_path / "original", tmp_path / "copy"
    choose_place(original, "keyring").save(KEYS)
    copy.mkdir()
    (copy / KEY_PLACE).write_bytes((original / KEY_PLACE).read_bytes())
    place_of(copy).save(OTHER_KEYS)
    assert place_of(original).load() == KEYS
    assert place_of(copy).load() == OTHER_KEYS


@rule("R49")
def test_a_wrong_passphrase_is_the_callers_to_mend_and_can_be_tried_again(tmp_path: Path) -> None:
    choose_place(tmp_path, "passphrase", passphrase).save(KEYS)
    answers = iter(["incorrect horse", "correct horse"])
    place = place_of(tmp_path, lambda: next(answers))
    with pytest.raises(WrongPassphraseError, match=r"keys\.json") as fault:
        place.load()
    assert fault.value.exit_code == 2
    assert place.load() == KEYS


@pytest.mark.timeout(60)
@rule("R49")
def test_several_threads_open_under_one_passphrase_at_once(tmp_path: Path) -> None:
    choose_place(tmp_path, "passphrase", lambda: "open sesame").save(KEYS)
    words = ["open sesame", "open barley"] * 3
    found: list[DeviceKeys | type[Exception]] = []

    def load(word: str) -> None:
        try:
            found.append(place_of(tmp_path, lambda: word).load())
        except WrongPassphraseError as error:
            found.append(type(error))

    threads = [threading.Thread(target=load, args=(word,), daemon=True) for word in words]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(50)
    assert not any(thread.is_alive() for thread in threads)
    assert (found.count(KEYS), found.count(WrongPassphraseError)) == (3, 3)


@rule("R49")
def test_a_passphrase_is_asked_for_once(tmp_path: Path) -> None:
    choose_place(tmp_path, "passphrase", passphrase).save(KEYS)
    answers = iter(["correct horse"])
    place = place_of(tmp_path, lambda: next(answers))
    place.load()
    place.save(OTHER_KEYS)
    assert place.load() == OTHER_KEYS


@rule("R49")
def test_a_passphrase_opens_however_its_letters_are_composed(tmp_path: Path) -> None:
    choose_place(tmp_path, "passphrase", lambda: "Schl\u00fcssel").save(KEYS)
    assert place_of(tmp_path, lambda: "Schlu\u0308ssel").load() == KEYS


@rule("R49")
@pytest.mark.parametrize("ask", [None, str], ids=["nobody to ask", "an empty answer"])
def test_nothing_is_sealed_under_no_passphrase(tmp_path: Path, ask: type[str] | None) -> None:
    with pytest.raises(PassphraseNeededError):
        choose_place(tmp_path, "passphrase", ask).save(KEYS)
    assert list(tmp_path.iterdir()) == []


@rule("R49")
def test_no_secret_lies_in_the_sealed_file(tmp_path: Path) -> None:
    choose_place(tmp_path, "passphrase", passphrase).save(KEYS)
    text = (tmp_path / SEALED_FILE).read_bytes()
    assert not any(secret in text for secret in (b"correct", b"aaaa", b"YWFh", b"c3Nz"))
    assert b'"passes":3,"memory_kib":65536,"lanes":4' in text  # RFC 9106's second recommended option


def plain(home: Path) -> KeyPlace:
    place = choose_place(home, "file")
    place.save(KEYS)
    return place


@rule("R49")
@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's")
def test_a_plain_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    place = plain(tmp_path)
    (tmp_path / PLAIN_FILE).chmod(0o640)
    with pytest.raises(ExposedKeyFileError) as fault:
        place.load()
    assert f"chmod 600 {tmp_path / PLAIN_FILE}" in fault.value.how_to_mend


@rule("R49")
@pytest.mark.parametrize("content", [b"", b"hello", b"workdiary-keys-1:YWJj", b"workdiary-keys-1:\xff"])
def test_a_damaged_key_file_is_called_damaged(tmp_path: Path, content: bytes) -> None:
    place = plain(tmp_path)
    (tmp_path / PLAIN_FILE).write_bytes(content)
    with pytest.raises(KeysDamagedError) as fault:
        place.load()
    assert fault.value.exit_code == 4


@rule("R49")
@pytest.mark.parametrize("content", [b"", b"{}", b'{"kind":"pocket"}'])
def test_a_damaged_key_place_is_called_damaged(tmp_path: Path, content: bytes) -> None:
    plain(tmp_path)
    (tmp_path / KEY_PLACE).write_bytes(content)
    with pytest.raises(KeysDamagedError, match=KEY_PLACE):
        place_of(tmp_path)


@rule("R49")
def test_a_sealed_file_that_was_altered_never_opens(tmp_path: Path) -> None:
    choose_place(tmp_path, "passphrase", passphrase).save(KEYS)
    path = tmp_path / SEALED_FILE
    whole = path.read_bytes()
    faults: list[type[DiaryError]] = []
    for old, new in ((b'"lanes":4', b'"lanes":99'), (b'"sealed":"', b'"sealed":"AA=='), (b"{", b"[")):
        path.write_bytes(whole.replace(old, new, 1))
        with pytest.raises(DiaryError) as fault:
            place_of(tmp_path, passphrase).load()
        faults.append(fault.type)
    assert set(faults) == {SealedFileDamagedError}


@rule("R49")
def test_a_disk_that_takes_nothing_leaves_what_was_there(tmp_path: Path) -> None:
    blocked = tmp_path / "a file, no folder"
    blocked.write_text("kept", encoding="utf-8")
    with pytest.raises(NotWrittenError, match="could not be written"):
        write_private(blocked / "device.key", b"secret")
    assert blocked.read_text(encoding="utf-8") == "kept"
