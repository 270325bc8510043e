"""An open diary: its connection, keys and clock, and what every act needs of them (R3, R20, R25, R46).

The modules beside `diary.diary` are functions over `OpenDiary`. It belongs to one thread, as its connection
does; several processes and threads each open their own.
"""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from diary.clock import Clock
from diary.errors import MachineError
from diary.rules.ids import AccountId, ContractId, Millis, ReplicaId, Slot
from diary.rules.sealed_content import Content
from diary.rules.week import Week
from diary.sealing.key_tree import DeviceKeys
from diary.sealing.keyring import KeyPlace
from diary.sealing.local import NONCE_BYTES, LocalDamageError, open_local, seal_local
from diary.store import connection as files
from diary.store import meta, replica

if TYPE_CHECKING:
    from diary.rules.timesheet import WeekView

Name = tuple[ReplicaId, int]

WEEKS_AT_HAND_MAX = 60  # a year of weeks as they were shown last, about half a megabyte each
CONTENTS_AT_HAND_MAX = 20_000  # opened contents in memory, about 2 KB each; then the oldest go
CHECKPOINT_BUSY_MILLIS = 100  # a reader may hold the WAL for long; the next write tries again

CLOCK_DIFFERENCE = "clock difference of boot "
DESTROYING = "destroying"
# Where what is being destroyed may lie yet: in this file's WAL, or in the copy from before an upgrade too.
_HERE, _BESIDE = 1, 2
PENDING_ACCOUNT_KEY = "account key to come"
SPARE = "spare"
SPARE_OF = "spare of"  # what the spare holds; without it the spare is written anew
DEVICE_NAME = "device name"
KEYS_OF = "keys of replica "
SERVER = "server"
SEAT = "seat"  # the one contract of which this file is a client's replica
CLOCK_SLACK_KNOWN_MS = 2_000  # half a slow round trip to the server whose clock was read
CLOCK_SLACK_UNKNOWN_MS = 120_000  # R20: a difference under two minutes is not looked at
META_PURPOSE = "meta"


@dataclass(frozen=True, slots=True)
class WeekAtHand:
    """A week as it was worked out, for one state of the file and from one instant until another."""

    file_state: tuple[int, int]
    from_ms: Millis
    until_ms: int
    view: "WeekView"


@dataclass(slots=True)
class OpenDiary:
    """What the acts on one diary share.

    `epoch_keys` and `contents` are caches of what was opened, in memory only: a content never changes under
    its name, and one whose row is gone is not asked for any more. `draft_pictures` says by hash which
    pictures of the segment under way this process has sealed already. `newest_epochs` were looked up in the
    transaction under way, within which nobody else grants any. `seat_in` is the contract of which this is a
    client's replica (R67), None for a freelancer's device. `weeks` are worked out anew whenever
    the file changed or an instant passed at which they may look otherwise. `destroys_later` while a sync
    sweeps out by itself what its transactions destroy (`destroying_later`).
    """

    home: Path
    connection: sqlite3.Connection
    place: KeyPlace
    keys: DeviceKeys = field(repr=False)
    clock: Clock
    account: AccountId
    replica: ReplicaId
    epoch_keys: dict[tuple[ContractId, int], bytes] = field(default_factory=dict, repr=False)
    contents: dict[Name, Content] = field(default_factory=dict, repr=False)
    draft_pictures: dict[tuple[ContractId, Slot, int], bytes] = field(default_factory=dict, repr=False)

    newest_epochs: dict[ContractId, int] = field(default_factory=dict, repr=False)
    weeks: dict[Week, WeekAtHand] = field(default_factory=dict, repr=False)
    seat_in: ContractId | None = None
    destroys_later: bool = False
    path: Path = field(init=False)

    def __post_init__(self) -> None:
        """Name the file once: every snapshot and every transaction asks for it."""
        self.path = self.home / files.FILE_NAME

    @property
    def is_seat(self) -> bool:
        """Return whether this is a client's read-only replica of one contract (R67)."""
        return self.seat_in is not None

    @property
    def log_of_lists(self) -> ContractId:
        """Return the log in which this diary finds the account's device lists (R50)."""
        return self.seat_in or self.contract_of_account

    @property
    def contract_of_account(self) -> ContractId:
        """Return the name of the account's own log, where device lists and its key's grants lie."""
        return ContractId(self.account)

    def now_ms(self) -> Millis:
        """Return the clock corrected by the known difference to the server's, per boot (R20, R39)."""
        return Millis(self.clock.now_ms() + self.difference_ms(self.clock.boot()))

    def open_from(self, now_ms: Millis) -> Slot:
        """Return the first slot of the earliest week that is not locked (R3)."""
        week = Week.at(now_ms)
        before = week.previous()
        return week.first_slot if before.is_frozen(now_ms) else before.first_slot

    def late_before(self, now_ms: Millis) -> Slot:
        """Return the slot before which what was never sent is late; 0 while there is no server (R38)."""
        return self.open_from(now_ms) if meta.get(self.connection, SERVER) is not None else Slot(0)

    def difference_ms(self, boot: str) -> int:
        """Return how far the server's clock was ahead of this machine's in a boot; 0 when unknown (R20)."""
        return meta.number(self.connection, CLOCK_DIFFERENCE + boot) or 0

    def slack_ms(self) -> int:
        """Return how far the corrected clock may be from the server's; 0 where there is no server (R39).

        Local refusal must never forbid what the server would take; without a server the device decides.
        """
        if meta.get(self.connection, CLOCK_DIFFERENCE + self.clock.boot()) is not None:
            return CLOCK_SLACK_KNOWN_MS
        return CLOCK_SLACK_UNKNOWN_MS if meta.get(self.connection, SERVER) is not None else 0

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Run the block as one transaction that holds the write lock from its start (R25).

        What it destroyed, or an earlier one could not finish destroying, leaves the WAL after the commit.
        """
        self.newest_epochs.clear()
        changes = self.connection.total_changes
        try:
            with files.writing(self.connection, self.path):
                self.follow_renewal()
                yield
        except BaseException:
            if self.connection.total_changes != changes:
                self._forget_what_was_at_hand()
            raise
        if not self.destroys_later:
            finish_destroying(self)

    @contextmanager
    def destroying_later(self) -> Iterator[None]:
        """Truncate the WAL once, at the block's end, for all that its transactions destroyed (R25).

        Each truncation waits for the disk, and a sync may destroy with every answer. The mark in the file
        outlives a crash; where the block waits for somebody it calls `finish_destroying` before.
        """
        self.destroys_later = True
        try:
            yield
        finally:
            self.destroys_later = False
            finish_destroying(self)

    def _forget_what_was_at_hand(self) -> None:
        """Empty the caches: they may hold what a transaction wrote that was rolled back.

        Its numbers are given back, so that the next version of that name, perhaps another process's, is
        another one.
        """
        self.newest_epochs.clear()
        self.epoch_keys.clear()
        self.contents.clear()
        self.draft_pictures.clear()
        self.weeks.clear()

    def follow_renewal(self) -> None:
        """Write as the file's newest replica: another process may have renewed it (R42)."""
        newest = replica.newest(self.connection)
        if newest is not None and newest != self.replica:
            self.replica, self.keys = newest, self.keys_of(newest)

    def keys_of(self, which: ReplicaId) -> DeviceKeys:
        """Return the keys of a replica of this file; those of a renewed one lie sealed in it (R42, R49)."""
        kept = self.kept(KEYS_OF + which)
        if not isinstance(kept, list):
            return self.keys
        sign_seed, box_private = (bytes.fromhex(str(key)) for key in kept)
        return replace(self.keys, sign_seed=sign_seed, box_private=box_private)

    def keep_keys(self, which: ReplicaId, keys: DeviceKeys) -> None:
        """Keep a replica's own keys sealed under the account's (R42, R49)."""
        self.keep(KEYS_OF + which, [keys.sign_seed.hex(), keys.box_private.hex()])

    def reading(self) -> AbstractContextManager[None]:
        """Return one snapshot of the diary."""
        return files.reading(self.connection, self.path)

    def sealed(self, plain: bytes, purpose: str) -> bytes:
        """Return `plain` sealed under the account's key, as it may be written here (R46)."""
        return seal_local(
            plain, key=self.keys.account_key, purpose=purpose, nonce=secrets.token_bytes(NONCE_BYTES)
        )

    def opened(self, sealed: bytes, purpose: str) -> bytes:
        """Return what `sealed` hid.

        Raises:
            LocalDamageError: It was altered, or sealed under another key.
        """
        return open_local(sealed, key=self.keys.account_key, purpose=purpose)

    def keep(self, key: str, value: object) -> None:
        """Set a value of `meta` that a person wrote, sealed, within a transaction."""
        meta.put(self.connection, key, self.sealed(msgspec.json.encode(value), META_PURPOSE))

    def kept(self, key: str) -> object:
        """Return a value of `meta` that a person wrote, as JSON gives it; None where there is none."""
        found = meta.blob(self.connection, key)
        return None if found is None else msgspec.json.decode(self.opened(found, META_PURPOSE))

    @property
    def device_name(self) -> str:
        """Return this device's name as its owner gave it."""
        return str(self.kept(DEVICE_NAME) or "")

    def file_state(self) -> tuple[int, int]:
        """Return what changes whenever the file does, by this connection or another, within a snapshot."""
        version = self.connection.execute("PRAGMA data_version").fetchone()[0]
        return int(version), self.connection.total_changes

    def remember_week(self, at_hand: WeekAtHand) -> None:
        """Keep a week that was worked out in memory."""
        self.weeks.pop(at_hand.view.week, None)
        while len(self.weeks) >= WEEKS_AT_HAND_MAX:
            del self.weeks[next(iter(self.weeks))]
        self.weeks[at_hand.view.week] = at_hand

    def remember(self, name: Name, content: Content) -> None:
        """Keep an opened content at hand in memory."""
        while len(self.contents) >= CONTENTS_AT_HAND_MAX:
            del self.contents[next(iter(self.contents))]
        self.contents[name] = content


def mark_destroying(diary: OpenDiary, *, beside: bool = True) -> None:
    """Note, within the transaction that destroys, that the WAL still holds what was destroyed (R25).

    So does the copy from before an upgrade, which goes with it; without `beside` that may stay until the
    next good start.
    """
    if beside or not is_destroying(diary):
        meta.put(diary.connection, DESTROYING, _BESIDE if beside else _HERE)


def is_destroying(diary: OpenDiary) -> bool:
    """Return whether destroyed content may still lie in the WAL (R25)."""
    return meta.get(diary.connection, DESTROYING) is not None


def finish_destroying(diary: OpenDiary) -> bool:
    """Truncate the WAL if destroyed content may lie in it; return whether none does any more (R25).

    Runs after each transaction and at opening. Where another connection is reading, or the disk is full, the
    mark stays and the next write tries again: what was asked for is done, and the pages say "destroying".
    """
    if not is_destroying(diary):
        return True
    with suppress(MachineError):
        if meta.number(diary.connection, DESTROYING) == _BESIDE:
            files.remove_copies(diary.path)
        if _truncate_wal(diary):
            with files.writing(diary.connection, diary.path):
                meta.remove(diary.connection, DESTROYING)
            return True
    return False


def _truncate_wal(diary: OpenDiary) -> bool:
    with files.told(diary.path):
        diary.connection.execute(f"PRAGMA busy_timeout = {CHECKPOINT_BUSY_MILLIS}")
        try:
            blocked = diary.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        finally:
            diary.connection.execute(f"PRAGMA busy_timeout = {files.BUSY_MILLIS}")
    return not blocked


def adopt_account_key(diary: OpenDiary, account_key: bytes) -> None:
    """Take the account's key on a device that has just learned it, all that was sealed before included (R49).

    A device that joins seals its own name under a key of its own until the first grants arrive. The new key
    is kept sealed under the old one until its place holds it, so that a crash in between loses neither.
    """
    old = diary.keys
    new = replace(old, account_key=account_key)
    try:
        with diary.writing():
            values = {
                key: diary.opened(sealed, META_PURPOSE)
                for key, sealed in meta.sealed(diary.connection).items()
                if key not in {PENDING_ACCOUNT_KEY, SPARE}
            }
            meta.put(diary.connection, PENDING_ACCOUNT_KEY, diary.sealed(account_key, PENDING_ACCOUNT_KEY))
            diary.keys = new
            # The spare is sealed for an end of its own, under the old key: it is written anew when next due.
            for gone in (SPARE, SPARE_OF):
                meta.remove(diary.connection, gone)
            for key, value in values.items():
                meta.put(diary.connection, key, diary.sealed(value, META_PURPOSE))
    except BaseException:
        diary.keys = old
        raise
    diary.place.save(new)
    with diary.writing():
        meta.remove(diary.connection, PENDING_ACCOUNT_KEY)


def finish_adopting(diary: OpenDiary) -> None:
    """Finish at opening what a crash cut short in `adopt_account_key` (R49)."""
    pending = meta.blob(diary.connection, PENDING_ACCOUNT_KEY)
    if pending is None:
        return
    # Where the key's place already holds the new key, it does not open what the old one sealed.
    with suppress(LocalDamageError):
        account_key = diary.opened(pending, PENDING_ACCOUNT_KEY)
        diary.keys = replace(diary.keys, account_key=account_key)
        diary.place.save(diary.keys)
    with diary.writing():
        meta.remove(diary.connection, PENDING_ACCOUNT_KEY)
