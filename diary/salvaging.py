"""A diary made of what can still be read of a damaged one, and what was lost, named (R19, R42, R47, R70).

The damaged file is only read. What holds of it is written into a file of its own, checked with this device's
keys, and takes its place once its owner has agreed; the damaged one is put aside. The new file takes a new
replica id before it writes (R42) and reads the server's logs anew, so that what was synced comes back.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree

from diary import contracts, drafting, envelope, sparing
from diary.backup import put_aside, sync_file
from diary.clock import Clock
from diary.errors import DamageError
from diary.opening import ACCOUNT
from diary.rules.ids import AccountId, ContractId, ReplicaId
from diary.rules.segment import Header
from diary.sealing.key_tree import DeviceKeys
from diary.sealing.keyring import place_of
from diary.sealing.private_file import sync_folder
from diary.showing import HISTORY
from diary.state import META_PURPOSE, PENDING_ACCOUNT_KEY, SERVER, SPARE, OpenDiary
from diary.store import connection as files
from diary.store import drafts, history, meta, renewal, replica, salvage, versions
from diary.store.migrations import MIGRATIONS, SCHEMA
from diary.store.pages import Pages, pages_of, require_alone
from diary.store.salvage import Lost
from diary.store.shapes import shapes
from diary.store.tree import tree_of

WORKSHOP = ".salvage"  # where the new file is written, in the diary's folder: it is sealed as the old one is
_SCHEMA_AT = 60  # where the file's header says how many migrations it has seen
_ELSEWHERE = "salvaged"  # what no file is: so the next opening takes a new replica id (R42)


class BeyondSalvageError(DamageError):
    """Too little is left to make a diary of (R70)."""

    says = "{path} cannot be salvaged: {because}."
    mend = "Restore a backup (diary restore FILE), or fetch what was synced: diary --home DIR login URL."


@dataclass(slots=True)
class Salvaged:
    """What a salvage comes to, before anything was changed.

    `lost` names versions, contents and pictures, `settings_lost` settings and the like; `drafts_lost`
    counts segments under way, `texts_lost` old memos, `receipts_lost` proofs of receipt. `comes_back` says
    that a server has what it received. `wal_lost` counts what was committed last and does not hold.
    """

    home: Path
    segments: int
    pictures: int
    lost: list[Lost] = field(default_factory=list)
    titles: dict[ContractId, str] = field(default_factory=dict)
    settings_lost: list[str] = field(default_factory=list)
    drafts_lost: int = 0
    texts_lost: int = 0
    receipts_lost: int = 0
    unreadable_pages: int = 0
    wal_lost: int = 0
    comes_back: bool = False
    is_whole: bool = False


def try_salvage(home: Path, *, clock: Clock, ask_passphrase: Callable[[], str] | None = None) -> Salvaged:
    """Write what can be read of the diary in `home` into a new file beside it; change nothing else.

    Raises:
        NoDiaryError: There is none.
        BeyondSalvageError: Nothing of the account, or none of its keys, can be read.
        DiaryInUseError: Another process has it open.
    """
    path = home / files.FILE_NAME
    if not path.is_file():
        raise files.NoDiaryError(home=home)
    with files.told(path):
        require_alone(path)
        workshop = home / WORKSHOP
        rmtree(workshop, ignore_errors=True)
        try:
            return _written(home, clock, ask_passphrase)
        except BaseException:
            rmtree(workshop, ignore_errors=True)
            raise


def _written(home: Path, clock: Clock, ask_passphrase: Callable[[], str] | None) -> Salvaged:
    path, workshop = home / files.FILE_NAME, home / WORKSHOP
    with closing(pages_of(path)) as pages, closing(_empty_diary(workshop, pages)) as connection:
        tree = tree_of(pages, shapes(connection))
        taken = salvage.salvage(tree, connection)
        diary = _with_keys(home, workshop, connection, clock, ask_passphrase)
        meta.put(connection, renewal.LIES_AT, _ELSEWHERE)
        found = Salvaged(
            home, segments=0, pictures=0, lost=[one for one in taken.lost if _is_gone(connection, one)]
        )
        found.unreadable_pages, found.wal_lost = len(tree.unreadable), pages.wal_lost
        found.receipts_lost = sum(taken.rows_lost.get(name, 0) for name in ("receipt", "answer", "push"))
        _check_contents(diary, found)
        _check_own(diary, found)
        found.is_whole = taken.is_whole and not (found.lost or found.wal_lost or _lacks(found))
        found.segments, found.pictures = salvage.counts(connection)
        found.comes_back = meta.get(connection, SERVER) is not None
        with suppress(DamageError):
            found.titles = {name: one.title for name, one in contracts.known(diary).items()}
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    return found


def _is_gone(connection: sqlite3.Connection, lost: Lost) -> bool:
    """Return whether what was lost did not come back from the spare."""
    return lost.kind == "picture" or lost.name is None or versions.find(connection, lost.name) is None


def accept(found: Salvaged, *, now_ms: int) -> Path:
    """Let the salvaged diary take the damaged one's place; return where that was put aside."""
    target, fresh = found.home / files.FILE_NAME, found.home / WORKSHOP / files.FILE_NAME
    with files.told(target):
        require_alone(target)
        sync_file(fresh)
        aside = put_aside(target, now_ms, as_what="damaged")
        fresh.replace(target)
        sync_folder(found.home)
        rmtree(found.home / WORKSHOP)
    return aside


def give_up(found: Salvaged) -> None:
    """Throw away what was written beside the diary."""
    rmtree(found.home / WORKSHOP, ignore_errors=True)


def _lacks(found: Salvaged) -> bool:
    return bool(found.settings_lost or found.drafts_lost or found.texts_lost or found.receipts_lost)


def _empty_diary(workshop: Path, pages: Pages) -> sqlite3.Connection:
    """Return an empty diary of the damaged one's schema; one that cannot be read is taken to be today's."""
    path = files.create_file(workshop)
    first = pages.page(1)
    found = int.from_bytes(first[_SCHEMA_AT : _SCHEMA_AT + 4], "big") if first else SCHEMA
    connection = sqlite3.connect(path, isolation_level=None)
    files.prepare(connection)
    connection.execute(f"PRAGMA page_size = {files.PAGE_BYTES}")
    connection.execute("PRAGMA journal_mode = WAL")
    files.migrate(connection, path, MIGRATIONS[: found if 0 < found <= SCHEMA else SCHEMA])
    return connection


def _with_keys(
    home: Path,
    workshop: Path,
    connection: sqlite3.Connection,
    clock: Clock,
    ask_passphrase: Callable[[], str] | None,
) -> OpenDiary:
    """Return the salvaged diary open under this device's keys, its account and replica found again."""
    path = home / files.FILE_NAME
    account = meta.word(connection, ACCOUNT) or versions.an_account(connection)
    if account is None:
        raise BeyondSalvageError(path=path, because="nothing is left that says whose it is")
    place = place_of(home, ask_passphrase)
    keys = place.load()
    own = replica.newest(connection)
    diary = OpenDiary(workshop, connection, place, keys, clock, AccountId(account), own or ReplicaId(""))
    sparing.put_back(diary)
    own_log = diary.contract_of_account
    lists = [stored.header for stored in versions.slotless(connection, "device_list", own_log)]
    diary.replica = own or _replica_of(lists, keys) or ReplicaId("")
    if not lists or not diary.replica:
        raise BeyondSalvageError(path=path, because="nothing is left that says which devices are its own")
    if own is None:
        replica.begin(connection, diary.replica, clock.now_ms())
        salvage.count_on(connection)
    salvage.wait_again(connection)  # not before it is known which versions are this device's
    meta.put(connection, ACCOUNT, account)
    with suppress(DamageError):
        diary.keys = diary.keys_of(diary.replica)
    return diary


def _replica_of(lists: list[Header], keys: DeviceKeys) -> ReplicaId | None:
    """Return the listed device whose keys these are."""
    sign = keys.sign_public.hex()
    listed = (device for header in lists if header.devices for device in header.devices.devices)
    return next((device.replica for device in listed if device.sign == sign), None)


def _check_contents(diary: OpenDiary, found: Salvaged) -> None:
    """Drop each version that does not open; what this device has no key for stays (R47)."""
    for stored in _sealed_versions(diary.connection):
        try:
            if stored.header.type == "grant":
                _open_grant(diary, stored)
            else:
                envelope.open_content(diary, stored.header, stored.sealed)
        except envelope.NoKeyError:
            continue
        except DamageError:
            versions.drop(diary.connection, stored.header.name)
            header, at_server = stored.header, stored.received_at_ms is not None
            found.lost.append(Lost("content", header.name, header.contract, header.slot, at_server))


def _sealed_versions(connection: sqlite3.Connection) -> Iterator[versions.StoredVersion]:
    # Grants first: by them the others open.
    for kind in ("grant", "terms"):
        yield from versions.slotless(connection, kind)
    for slot in versions.slots_held(connection):
        held = versions.in_slots(connection, range(slot, slot + 1))
        yield from (stored for stored in held if stored.sealed.body is not None)


def _open_grant(diary: OpenDiary, stored: versions.StoredVersion) -> None:
    grant = stored.header.grant
    if grant is not None and grant.to == diary.replica and stored.sealed.body is not None:
        diary.keys.open_grant(stored.sealed)


def _check_own(diary: OpenDiary, found: Salvaged) -> None:
    """Drop what is sealed under the account's key and does not open: settings, drafts, old texts (R46)."""
    for key, sealed in meta.sealed(diary.connection).items():
        purpose = key if key in {PENDING_ACCOUNT_KEY, SPARE} else META_PURPOSE
        if not _opens(diary, sealed, purpose):
            meta.remove(diary.connection, key)
            found.settings_lost.append(key)
    for kept in drafts.everything(diary.connection):
        if not kept.removed and not _draft_opens(diary, kept):
            drafts.drop(diary.connection, kept.contract, kept.slot)
            found.drafts_lost += 1
    for contract, slot in history.places(diary.connection):
        texts = history.at_place(diary.connection, contract, slot)
        if not all(_opens(diary, text, HISTORY) for text in texts):
            found.texts_lost += history.forget_place(diary.connection, contract, slot)


def _draft_opens(diary: OpenDiary, kept: drafts.KeptDraft) -> bool:
    if kept.sealed is None:
        return False
    try:
        text = drafting.draft_text(diary, kept)
    except DamageError:
        return False
    pictures = drafts.pictures(diary.connection, kept.contract, kept.slot)
    opened = [_opens(diary, each, drafting.PICTURE_PURPOSE) for each in pictures]
    return len(opened) == len(text.roles) and all(opened)


def _opens(diary: OpenDiary, sealed: bytes, purpose: str) -> bool:
    try:
        diary.opened(sealed, purpose)
    except DamageError:
        return False
    return True
