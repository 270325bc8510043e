"""How a diary begins, and how it joins an account that is there (R33, R49, R50)."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path

import msgspec

from diary import envelope, listing
from diary.clock import Clock
from diary.errors import UsageError
from diary.evidence import device_list
from diary.opening import ACCOUNT, ROOT_ENTROPY, open_diary
from diary.rules.devices import DeviceListInClear, ListedDevice
from diary.rules.ids import AccountId, Millis, ReplicaId
from diary.rules.segment import MalformedHeaderError, Sealed, parse_header
from diary.sealing.key_tree import ENTROPY_BYTES, DeviceKeys, Root, entropy_of, new_phrase
from diary.sealing.keyring import KeyPlace
from diary.state import DEVICE_NAME, OpenDiary, mark_destroying
from diary.store import connection as files
from diary.store import meta, renewal, replica, versions

JOINING = "joining"
DEVICE_NAME_CHARACTERS_MAX = 100
WORDS_ASKED_MIN = 3


class WrongAccountError(UsageError):
    """The phrase makes another account's root (R50)."""

    says = "This phrase belongs to another account."
    mend = "Compare it with what you wrote down for this account."


class WrongWordsError(UsageError):
    """The words given to confirm the phrase are not those of the phrase (R50)."""

    says = "{wrong}"
    mend = "Look at the phrase again with `diary key phrase`, write it down, then confirm."


class BadDeviceNameError(UsageError):
    """A device needs a name its owner will know it by."""

    says = "A device's name has 1 to {most} characters."
    mend = "Give it a short name, such as “laptop”."


def create(
    home: Path, *, clock: Clock, place: KeyPlace, device_name: str, phrase: str | None = None
) -> OpenDiary:
    """Begin an account on this device, without a server (R50).

    A phrase of None draws a new one, kept sealed until its writing down is confirmed; a given one is known
    to the user already and is not kept.

    Raises:
        DiaryExistsError: There is one already.
        BadDeviceNameError: The device's name is empty or too long.
        WrongPhraseError: The phrase is none.
    """
    name = checked_name(device_name)
    entropy = entropy_of(phrase) if phrase else secrets.token_bytes(ENTROPY_BYTES)
    root = Root.from_phrase(new_phrase(entropy))
    diary = begin_file(home, clock, place, root.account)
    try:
        with diary.writing():
            at_ms = enlist(diary, name)
            if not phrase:
                diary.keep(ROOT_ENTROPY, entropy.hex())
            first = DeviceListInClear(
                number=1,
                root=root.sign_public.hex(),
                recovery=root.recovery_public.hex(),
                signer=device_list.ROOT,
                devices=(_this_device(diary),),
            )
            listing.write_by_root(diary, first, root, at_ms=at_ms)
            key = diary.keys.account_key
            envelope.grant_to_all(
                diary, diary.contract_of_account, envelope.ACCOUNT_KEY_EPOCH, key, at_ms=at_ms
            )
    except BaseException:
        diary.connection.close()
        raise
    return diary


def join_account(
    home: Path, *, clock: Clock, place: KeyPlace, device_name: str, phrase: str, lists: Sequence[Sealed]
) -> OpenDiary:
    """Make this device one of an account's, by its phrase and the server's newest device lists (R50).

    They are checked against the phrase's root (see `device_list.check_chain`), and followed by one that the
    root signs with this device on it: version 1 of its replica. Keys come later, by `open_recovery_grants`.

    Raises:
        WrongPhraseError: The phrase is none.
        WrongAccountError: It is another account's.
        DeviceListError: The list is not signed by the root, or is none.
    """
    name = checked_name(device_name)
    root = Root.from_phrase(phrase)
    if any(_account_of(each) not in {None, root.account} for each in lists):
        raise WrongAccountError
    devices = device_list.check_chain(lists, root.sign_public)
    diary = begin_file(home, clock, place, root.account)
    try:
        with diary.writing():
            at_ms = enlist(diary, name)
            meta.put(diary.connection, JOINING, 1)
            write_following(diary, devices, root, at_ms)
    except BaseException:
        diary.connection.close()
        raise
    return diary


def resume_joining(
    home: Path,
    *,
    clock: Clock,
    ask_passphrase: Callable[[], str] | None,
    phrase: str,
    lists: Sequence[Sealed],
) -> OpenDiary | None:
    """Open a diary whose joining of the phrase's account was cut short, to be finished (R50).

    Its device list is written anew where another device was enrolled meanwhile. None where there is no such
    diary in the folder: none at all, a finished one, or another account's.

    Raises: as `join_account`.
    """
    root = Root.from_phrase(phrase)
    devices = device_list.check_chain(lists, root.sign_public)
    if not (home / files.FILE_NAME).exists():
        return None
    connection = files.connect(home)
    with closing(connection), files.told(home / files.FILE_NAME):
        is_joining = meta.get(connection, JOINING) is not None
        if not is_joining or meta.word(connection, ACCOUNT) != root.account:
            return None
    diary = open_diary(home, clock=clock, ask_passphrase=ask_passphrase)
    try:
        with diary.writing():
            waits = [
                stored.header
                for stored in versions.slotless(diary.connection, "device_list", diary.contract_of_account)
                if stored.header.replica == diary.replica and stored.received_at_ms is None
            ]
            follows = any(header.devices and header.devices.number > devices.number for header in waits)
            if device_list.device(devices, diary.replica) is None and not follows:
                for header in waits:
                    versions.drop(diary.connection, header.name)
                write_following(diary, devices, root, diary.now_ms())
    except BaseException:
        diary.connection.close()
        raise
    return diary


def finish_joining(diary: OpenDiary) -> None:
    """Note that this device has all that a new one needs (R50)."""
    with diary.writing():
        meta.remove(diary.connection, JOINING)


def write_following(
    diary: OpenDiary,
    known: DeviceListInClear,
    root: Root,
    at_ms: Millis,
    *,
    successor_of: ReplicaId | None = None,
) -> None:
    """Write the list that follows the known one, with this device on it, signed by the root (R50).

    `successor_of` is the replica whose place it takes, where that was revoked.
    """
    following = DeviceListInClear(
        number=known.number + 1,
        root=known.root,
        recovery=known.recovery,
        signer=device_list.ROOT,
        devices=(*known.devices, msgspec.structs.replace(_this_device(diary), successor_of=successor_of)),
    )
    listing.write_by_root(diary, following, root, at_ms=at_ms)


def _account_of(known: Sealed) -> AccountId | None:
    """Return the account a list says it is of; None for what is no list: its check says what it is."""
    try:
        return parse_header(known.header).account
    except MalformedHeaderError:
        return None


def check_none_in(home: Path) -> None:
    """Check that no diary is in the folder; one whose making was cut short is none yet (R50).

    Raises:
        DiaryExistsError: There is one.
    """
    if (home / files.FILE_NAME).exists():
        with closing(files.connect(home)) as connection, files.told(home / files.FILE_NAME):
            if replica.newest(connection) is not None:
                raise files.DiaryExistsError(home=home)


def begin_file(home: Path, clock: Clock, place: KeyPlace, account: AccountId) -> OpenDiary:
    """Make the file and the device's secrets; what an interrupted making left is taken over."""
    check_none_in(home)
    with suppress(files.DiaryExistsError):
        files.create_file(home)
    keys = DeviceKeys(secrets.token_bytes(32), secrets.token_bytes(32), secrets.token_bytes(32))
    place.save(keys)
    return OpenDiary(
        home=home,
        connection=files.connect(home),
        place=place,
        keys=keys,
        clock=clock,
        account=account,
        replica=ReplicaId(secrets.token_hex(16)),
    )


def checked_name(device_name: str) -> str:
    """Return a device's name without the spaces around it.

    Raises:
        BadDeviceNameError: It is empty or too long.
    """
    name = device_name.strip()
    if not 1 <= len(name) <= DEVICE_NAME_CHARACTERS_MAX:
        raise BadDeviceNameError(most=DEVICE_NAME_CHARACTERS_MAX)
    return name


def enlist(diary: OpenDiary, name: str) -> Millis:
    """Write down who this file is; return the instant."""
    at_ms = diary.now_ms()
    replica.begin(diary.connection, diary.replica, at_ms)
    meta.put(diary.connection, ACCOUNT, diary.account)
    meta.put(diary.connection, renewal.LIES_AT, renewal.lies_at(diary.path))
    diary.keep(DEVICE_NAME, name)
    return at_ms


def _this_device(diary: OpenDiary) -> ListedDevice:
    return ListedDevice(
        replica=diary.replica,
        sign=diary.keys.sign_public.hex(),
        box=diary.keys.box_public.hex(),
    )


def phrase(diary: OpenDiary) -> str | None:
    """Return the recovery phrase, or None once its writing down was confirmed (R50)."""
    entropy = diary.kept(ROOT_ENTROPY)
    return None if entropy is None else new_phrase(bytes.fromhex(str(entropy)))


def confirm_phrase(diary: OpenDiary, words: Mapping[int, str]) -> None:
    """Destroy the phrase here, once its owner has shown some of its words by their place from 1 (R50).

    Raises:
        WrongWordsError: Fewer than three words, or a wrong one.
    """
    known = phrase(diary)
    if known is None:
        return
    right = dict(enumerate(known.split(), start=1))
    if len(words) < WORDS_ASKED_MIN:
        raise WrongWordsError(wrong=f"{WORDS_ASKED_MIN} words are asked for, and {len(words)} were given.")
    for place, word in words.items():
        if right.get(place) != word.strip().lower():
            raise WrongWordsError(wrong=f"Word {place} is not “{word.strip()}”.")
    with diary.writing():
        meta.remove(diary.connection, ROOT_ENTROPY)
        mark_destroying(diary)


def listed_devices(diary: OpenDiary) -> tuple[ListedDevice, ...]:
    """Return the devices of the account, as the newest list has them (R50)."""
    with diary.reading():
        return envelope.device_list(diary).devices
