"""Storage on PostgreSQL: stateless server processes share one database (R3, R25, R45, R69).

An account's lock is its row, taken by SELECT … FOR UPDATE; the clock is read after it. Each statement of a
hold sees what was committed before it (READ COMMITTED), and nobody else commits for the account meanwhile.
Reads see one committed state each (REPEATABLE READ).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec

from diary.clock import Clock
from diary.errors import DamageError
from diary.evidence.opening import FIRST_EPOCH, SignedOpening
from diary.evidence.receipt import Cursor, SignedPush
from diary.rules.contract import TermsVersion
from diary.rules.ids import AccountId, ContractId, Millis, ReplicaId
from diary.rules.merge import Held
from diary.rules.segment import stored_header
from sync.server import storage_postgres_schema as schema
from sync.server import storage_postgres_statements as sql
from sync.server import storage_rows
from sync.server.faults import again
from sync.server.postgres_feed import feed
from sync.server.postgres_lines import Answer, Line, Lines, all_rows, bigints
from sync.server.storage import (
    Basis,
    Credential,
    DeviceListRow,
    Feed,
    Name,
    NewLeaf,
    NewRefusal,
    PictureRow,
    Place,
    Question,
    Stored,
)

WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED"
READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
SWEEP_PAUSE_MILLIS = 600_000  # a VACUUM reads what changed in the whole table: not after every deletion


class UnknownTablesError(DamageError):
    """The database was made by another version of the server."""

    says = "The database's tables have format {found}; this server knows {known}."
    mend = "Start the server that made them, or a newer one."


class _PostgresHold:
    """One account under its row's lock (see `AccountHold`)."""

    def __init__(self, line: Line, account: AccountId, received_at_ms: Millis, log_epoch: int) -> None:
        self._line = line
        self._account = account
        self._received_at_ms = received_at_ms
        self._log_epoch = log_epoch
        self.destroyed_something = False

    @property
    def received_at_ms(self) -> Millis:
        return self._received_at_ms

    @property
    def log_epoch(self) -> int:
        return self._log_epoch

    def _ask(self, statement: Any, **asked: object) -> Answer:
        return self._line.execute(statement, {"account": self._account, **asked}, binary=True)

    def _all(self, statement: Any, **asked: object) -> list[Any]:
        return self._ask(statement, **asked).fetchall()

    def _run(self, statement: Any, **asked: object) -> None:
        self._line.execute(statement, {"account": self._account, **asked})

    def basis(self, question: Question) -> Basis:
        replica, ns, contracts = question.replica, bigints(question.ns), list(question.contracts)
        # Asked one after the other; only the first answer is waited for, and the rest have come with it.
        devices = self._ask(sql.DEVICE_LIST)
        accepted = self._ask(sql.ACCEPTED, replica=replica, ns=ns)
        refused = self._ask(sql.REFUSED, replica=replica, ns=ns)
        standing = self._ask_standing(question.places)
        logs = self._ask(sql.LOGS, contracts=contracts)
        terms = self._ask(sql.TERMS, contracts=contracts)
        return Basis(
            device_list=_device_list(devices.fetchall()),
            answers=_answers(replica, accepted, refused),
            standing=_standing(question.places, standing),
            logs=_heads(logs),
            terms=storage_rows.terms(terms.fetchall()),
        )

    def device_list(self) -> DeviceListRow | None:
        return _device_list(self._all(sql.DEVICE_LIST))

    def answers(self, replica: ReplicaId, ns: Collection[int]) -> dict[int, Stored]:
        accepted = self._ask(sql.ACCEPTED, replica=replica, ns=bigints(ns))
        return _answers(replica, accepted, self._ask(sql.REFUSED, replica=replica, ns=bigints(ns)))

    def standing(self, places: Collection[Place]) -> dict[Place, list[Held]]:
        return _standing(places, self._ask_standing(places))

    def _ask_standing(self, places: Collection[Place]) -> Answer:
        contracts, slots = [contract for contract, _ in places], bigints(slot for _, slot in places)
        return self._ask(sql.STANDING, contracts=contracts, slots=slots)

    def logs(self, contracts: Collection[ContractId]) -> dict[ContractId, Cursor]:
        return _heads(self._ask(sql.LOGS, contracts=list(contracts)))

    def all_logs(self) -> dict[ContractId, Cursor]:
        return _heads(self._ask(sql.ALL_LOGS))

    def leaves(self, contract: ContractId) -> list[bytes]:
        return [leaf for (leaf,) in self._all(sql.LEAVES, contract=contract)]

    def open_epoch(self, log_epoch: int, opening: SignedOpening) -> None:
        self._run(sql.KEEP_OPENING, log_epoch=log_epoch, **msgspec.structs.asdict(opening))
        self._run(sql.ENTER_EPOCH, log_epoch=log_epoch)
        self._run(sql.LOGS_ENTER_EPOCH, log_epoch=log_epoch)
        self._log_epoch = log_epoch

    def foreign(self, contracts: Collection[ContractId]) -> set[ContractId]:
        return {contract for (contract,) in self._all(sql.FOREIGN, contracts=list(contracts))}

    def terms(self, contracts: Collection[ContractId]) -> dict[ContractId, tuple[TermsVersion, ...]]:
        return storage_rows.terms(self._all(sql.TERMS, contracts=list(contracts)))

    def open_account(self, root: str) -> None:
        self._run(sql.OPEN_ACCOUNT, root=root, at_ms=self._received_at_ms)

    def admit(self, replica: ReplicaId, token_hash: bytes) -> bytes:
        self._run(sql.ADMIT, replica=replica, token_hash=token_hash)
        ((kept,),) = self._all(sql.ADMITTED, replica=replica)
        return bytes(kept)

    def append(self, push: SignedPush, push_hash: bytes, leaves: Sequence[NewLeaf]) -> None:
        account = self._account
        rows = [storage_rows.version(account, push_hash, leaf) for leaf in leaves]
        columns = (list(column) for column in zip(*rows, strict=True))
        new: dict[str, Any] = dict(zip(sql.APPEND_COLUMNS, columns, strict=True))
        new |= {name: bigints(new[name]) for name in sql.APPEND_NUMBERS}
        new |= {"account": account, "push": push_hash}
        pictures = storage_rows.expected_pictures(account, leaves)
        # Nothing here waits for an answer: all of it is on its way when the commit is asked for.
        self._run(sql.KEEP_PUSH, hash=push_hash, **msgspec.structs.asdict(push))
        self._line.execute(sql.APPEND, new)
        for last in storage_rows.last_receipts(leaves):
            self._run(sql.GROW, contract=last.contract, log_epoch=last.log_epoch, size=last.index + 1)
        if pictures:
            _, names, replicas, ns, sizes = (list(column) for column in zip(*pictures, strict=True))
            self._run(
                sql.EXPECT_PICTURE, names=names, replicas=replicas, ns=bigints(ns), sizes=bigints(sizes)
            )
        self._run(sql.NOTE_RECEIVED, at_ms=self._received_at_ms)
        for leaf in leaves:
            revoked = storage_rows.revoked_by(leaf)
            if revoked is not None:
                self._run(sql.NOTE_REVOKED, revoked=revoked)
                place = leaf.receipt
                self._run(sql.NOTE_LIST, list_epoch=place.log_epoch, list_index=place.index)

    def refuse(self, refusals: Sequence[NewRefusal]) -> None:
        for item in refusals:
            hashed = {"header_hash": item.header_hash, "body_hash": item.body_hash}
            self._run(sql.REFUSE, **(msgspec.structs.asdict(item.refusal) | hashed))

    def destroy(self, names: Collection[Name]) -> None:
        replicas, ns = [replica for replica, _ in names], bigints(n for _, n in names)
        self._run(sql.DESTROY, replicas=replicas, ns=ns)
        forgotten = self._all(sql.FORGET_PICTURES, replicas=replicas, ns=ns)
        # Each picture once, after the last row that named it is gone: its room is given back once.
        for name, (size, counted) in {name: of_it for name, *of_it in forgotten}.items():
            self._run(sql.DOOM, name=name)
            if counted:
                self._run(sql.FREE_BYTES, name=name, size=size)
        self.destroyed_something = bool(names) or self.destroyed_something

    def doom(self, pictures: Collection[str]) -> None:
        for name in pictures:
            self._run(sql.DOOM, name=name)


class PostgresStorage:
    """`Storage` on a PostgreSQL database; its tables are made when there are none.

    Raises:
        UnknownTablesError: The tables are another version's.
        BusyError: The database cannot be reached.
    """

    def __init__(self, url: str, clock: Clock) -> None:
        self._clock = clock
        self._lines = Lines(url)
        self._unswept = True  # what a process that is gone destroyed may not be vacuumed yet
        self._swept_at_ms: int | None = None
        try:
            self._lines.asked(WRITE, _make_tables, piped=False)
        except UnknownTablesError:
            self._lines.close()
            raise

    @property
    def has_one_lock(self) -> bool:
        """See `Storage.has_one_lock`."""
        return False

    @contextmanager
    def together(self) -> Iterator[None]:
        """See `Storage.together`: each hold commits by itself, since accounts may lie on several machines."""
        yield

    @contextmanager
    def hold(self, account: AccountId) -> Iterator[_PostgresHold]:
        """See `Storage.hold`."""
        with self._lines.transaction(WRITE) as line:
            rows = all_rows(line, sql.LOCK, account=account)
            # The clock is read here and nowhere else in a write: after the lock is held (R3).
            received_at_ms = max(self._clock.now_ms(), rows[0][0] if rows else 0)
            epoch = rows[0][1] if rows else FIRST_EPOCH
            hold = _PostgresHold(line, account, Millis(received_at_ms), epoch)
            yield hold
        self._unswept = self._unswept or hold.destroyed_something

    def credential(self, account: AccountId, replica: ReplicaId) -> Credential | None:
        """See `Storage.credential`."""
        rows = self._read(sql.CREDENTIAL, account=account, replica=replica)
        return Credential(token_hash=rows[0][0], revoked=rows[0][1]) if rows else None

    def newest_device_list(self, account: AccountId) -> DeviceListRow | None:
        """See `Storage.newest_device_list`."""
        return _device_list(self._read(sql.DEVICE_LIST, account=account))

    def last_received_ms(self) -> Millis | None:
        """See `Storage.last_received_ms`."""
        ((newest,),) = self._read(sql.LAST_RECEIVED_OF_ALL)
        return newest if newest is None else Millis(newest)

    def highest_n(self, account: AccountId, replica: ReplicaId) -> int:
        """See `Storage.highest_n`."""
        ((highest,),) = self._read(sql.HIGHEST_N, account=account, replica=replica)
        return int(highest)

    def feed(
        self, account: AccountId, cursors: Mapping[ContractId, Cursor], rows_max: int, bytes_max: int
    ) -> Feed:
        """See `Storage.feed`."""
        return self._lines.asked(READ, lambda line: feed(line, account, cursors, rows_max, bytes_max))

    def openings(self, account: AccountId, after_epoch: int) -> list[SignedOpening]:
        """See `Storage.openings`."""
        rows = self._read(sql.OPENINGS, account=account, after_epoch=after_epoch)
        return [SignedOpening(text=text, signature=signature) for text, signature in rows]

    def last_opened(self) -> int:
        """See `Storage.last_opened`."""
        ((newest,),) = self._read(sql.LAST_OPENED)
        return newest or FIRST_EPOCH

    def accounts(self, after: AccountId | None, limit: int) -> list[AccountId]:
        """See `Storage.accounts`."""
        return [account for (account,) in self._read(sql.ACCOUNTS, after=after or "", limit=limit)]

    def picture(self, account: AccountId, name: str) -> PictureRow | None:
        """See `Storage.picture`."""
        return self.pictures(account, (name,)).get(name)

    def pictures(self, account: AccountId, names: Collection[str]) -> dict[str, PictureRow]:
        """See `Storage.pictures`."""
        rows = self._read(sql.PICTURES, account=account, names=list(names))
        return {name: PictureRow(size, whole, counted) for name, size, whole, counted in rows}

    def make_room(self, account: AccountId, name: str, quota_bytes: int) -> bool:
        """See `Storage.make_room`."""

        def note(line: Line) -> bool:
            all_rows(line, sql.LOCK, account=account)
            _count(line, account, name, quota_bytes)
            ((counted,),) = all_rows(line, sql.IS_COUNTED, account=account, name=name)
            return bool(counted)

        return self._lines.asked(WRITE, note)

    def picture_arrived(self, account: AccountId, name: str) -> bool:
        """See `Storage.picture_arrived`."""

        def note(line: Line) -> bool:
            all_rows(line, sql.LOCK, account=account)  # as every write: a deletion comes before it or after
            _count(line, account, name, None)
            line.execute(sql.PICTURE_ARRIVED, {"account": account, "name": name})
            ((exists,),) = all_rows(line, sql.PICTURE_EXISTS, account=account, name=name)
            return bool(exists)

        return self._lines.asked(WRITE, note)

    def picture_bytes(self, account: AccountId) -> int:
        """See `Storage.picture_bytes`."""
        rows = self._read(sql.PICTURE_BYTES, account=account)
        return int(rows[0][0]) if rows else 0

    def doomed(self, limit: int, account: AccountId | None = None) -> list[tuple[AccountId, str]]:
        """See `Storage.doomed`."""
        if account is not None:
            return self._read(sql.DOOMED_OF, account=account, limit=limit)
        return self._read(sql.DOOMED, limit=limit)

    def pictures_removed(self, pictures: Sequence[tuple[AccountId, str]]) -> None:
        """See `Storage.pictures_removed`."""
        for account, removed in groupby(sorted(pictures), key=itemgetter(0)):
            self._note_removed(account, [name for _, name in removed])

    def _note_removed(self, account: AccountId, names: list[str]) -> None:
        asked = {"account": account, "names": names}
        again(lambda: self._lines.alone(lambda line: line.execute(sql.PICTURES_REMOVED, asked)))

    def sweep(self) -> bool:
        """Vacuum after deletions, though not after each one (see `Storage.sweep`).

        What PostgreSQL's own log and backups still hold is beyond it: docs/operate.md.
        """
        if not self._unswept:
            return True
        now_ms = self._clock.steady_ms()
        if self._swept_at_ms is not None and now_ms - self._swept_at_ms < SWEEP_PAUSE_MILLIS:
            return False
        self._unswept, self._swept_at_ms = False, now_ms
        try:
            self._lines.alone(lambda line: line.execute(sql.SWEEP))
        except BaseException:
            self._unswept = True
            raise
        return True

    def close(self) -> None:
        """See `Storage.close`."""
        self._lines.close()

    def _read(self, statement: Any, **asked: object) -> list[Any]:
        # One statement sees one committed state by itself, and takes one round trip instead of three.
        return again(lambda: self._lines.alone(lambda line: all_rows(line, statement, **asked)))


def _make_tables(line: Line) -> None:
    line.execute(schema.SCHEMA_LOCK)
    ((exists,),) = all_rows(line, schema.SCHEMA_FOUND)
    if not exists:
        line.execute(schema.SCHEMA)
    ((found,),) = all_rows(line, schema.SCHEMA_VERSION_FOUND)
    while found in schema.MIGRATIONS:
        line.execute(schema.MIGRATIONS[found])
        found += 1
    if found != schema.SCHEMA_VERSION:
        raise UnknownTablesError(found=found, known=schema.SCHEMA_VERSION)


def _count(line: Line, account: AccountId, name: str, quota_bytes: int | None) -> None:
    """Count a picture against the account's room, once, however many rows name it."""
    sizes = all_rows(line, sql.COUNT_PICTURE, account=account, name=name, quota_bytes=quota_bytes)
    if sizes:
        line.execute(sql.USE_BYTES, {"account": account, "size": sizes[0][0]})


def _device_list(rows: list[Any]) -> DeviceListRow | None:
    return DeviceListRow(header=rows[0][0], body=rows[0][1]) if rows else None


def _answers(replica: ReplicaId, accepted: Answer, refused: Answer) -> dict[int, Stored]:
    known = storage_rows.accepted(replica, accepted.fetchall())
    return storage_rows.refused(replica, refused.fetchall()) | known


def _standing(places: Collection[Place], answer: Answer) -> dict[Place, list[Held]]:
    found: dict[Place, list[Held]] = {place: [] for place in places}
    rows: list[Any] = answer.fetchall()
    for contract, slot, header, at_ms in rows:
        found[contract, slot].append(Held(stored_header(header), Millis(at_ms)))
    return found


def _heads(answer: Answer) -> dict[ContractId, Cursor]:
    rows: list[Any] = answer.fetchall()
    return {contract: Cursor(epoch, size) for contract, epoch, size in rows}
