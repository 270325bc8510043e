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

from diary.clock import Clock
from diary.errors import DamageError
from diary.evidence.opening import FIRST_EPOCH, SignedOpening
from diary.evidence.receipt import Cursor
from diary.rules.ids import AccountId, ContractId, Millis, ReplicaId
from diary.rules.week import Week
from sync.server import storage_postgres_invoices as invoice_sql
from sync.server import storage_postgres_payments as payment_sql
from sync.server import storage_postgres_schema as schema
from sync.server import storage_postgres_seals as seals_sql
from sync.server import storage_postgres_statements as sql
from sync.server import storage_postgres_weeks
from sync.server.faults import again
from sync.server.feeding import Room
from sync.server.postgres_dialect import PostgresAskedDatabase
from sync.server.postgres_feed import feed
from sync.server.postgres_lines import Line, Lines, all_rows
from sync.server.storage import NO_ROOTS, Credential, DeviceListRow, Feed, PictureRow
from sync.server.storage_postgres_hold import (
    PostgresHold,
    device_list_row,
)
from sync.server.storage_postgres_operator import PostgresOperatorBooks
from sync.server.stored_invoices import StoredInvoiceReader
from sync.server.stored_payments import StoredPaymentReader
from sync.server.week_books import Rivals, WeeksPart

WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED"
READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
SWEEP_PAUSE_MILLIS = 600_000  # a VACUUM reads what changed in the whole table: not after every deletion


class UnknownTablesError(DamageError):
    """The database was made by another version of the server."""

    says = "The database's tables have format {found}; this server knows {known}."
    mend = "Start the server that made them, or a newer one."


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
    def operator(self) -> PostgresOperatorBooks:
        """See `Storage.operator`."""
        return PostgresOperatorBooks(self._lines)

    @property
    def payments(self) -> StoredPaymentReader:
        """See `ReadsPayments.payments`."""
        return StoredPaymentReader(PostgresAskedDatabase(self._lines), payment_sql)

    @property
    def invoices(self) -> StoredInvoiceReader:
        """See `ReadsInvoices.invoices`."""
        return StoredInvoiceReader(PostgresAskedDatabase(self._lines), invoice_sql)

    @property
    def has_one_lock(self) -> bool:
        """See `Storage.has_one_lock`."""
        return False

    @contextmanager
    def together(self) -> Iterator[None]:
        """See `Storage.together`: each hold commits by itself, since accounts may lie on several machines."""
        yield

    @contextmanager
    def hold(self, account: AccountId) -> Iterator[PostgresHold]:
        """See `Storage.hold`."""
        with self._lines.transaction(WRITE) as line:
            rows = all_rows(line, sql.LOCK, account=account)
            last_ms, epoch, sealed_until_ms, due_ms, waits_from = (
                rows[0] if rows else (0, FIRST_EPOCH, 0, 0, None)
            )
            # The clock is read here and nowhere else in a write: after the lock is held (R3).
            received_at_ms = max(self._clock.now_ms(), last_ms, sealed_until_ms)
            at_ms, until_ms, next_ms = Millis(received_at_ms), Millis(sealed_until_ms), Millis(due_ms)
            hold = PostgresHold(line, account, at_ms, epoch, until_ms, next_ms, waits_from)
            yield hold
        self._unswept = self._unswept or hold.destroyed_something

    def credential(self, account: AccountId, replica: ReplicaId) -> Credential | None:
        """See `Storage.credential`."""
        rows = self._read(sql.CREDENTIAL, account=account, replica=replica)
        return Credential(*rows[0]) if rows else None

    def newest_device_list(self, account: AccountId) -> DeviceListRow | None:
        """See `Storage.newest_device_list`."""
        return device_list_row(self._read(sql.DEVICE_LIST, account=account))

    def last_received_ms(self) -> Millis | None:
        """See `Storage.last_received_ms`."""
        ((newest,),) = self._read(sql.LAST_RECEIVED_OF_ALL)
        return newest if newest is None else Millis(newest)

    def highest_n(self, account: AccountId, replica: ReplicaId) -> int:
        """See `Storage.highest_n`."""
        ((highest,),) = self._read(sql.HIGHEST_N, account=account, replica=replica)
        return int(highest)

    def feed(
        self,
        account: AccountId,
        cursors: Mapping[ContractId, Cursor],
        rows_max: int,
        bytes_max: int,
        *,
        only: ContractId | None = None,
        roots: Mapping[ContractId, str] = NO_ROOTS,
    ) -> Feed:
        """See `Storage.feed`."""
        return self._lines.asked(
            READ, lambda line: feed(line, account, cursors, Room(rows_max, bytes_max), only, roots)
        )

    def openings(self, account: AccountId, after_epoch: int) -> list[SignedOpening]:
        """See `Storage.openings`."""
        rows = self._read(sql.OPENINGS, account=account, after_epoch=after_epoch)
        return [SignedOpening(text=text, signature=signature) for text, signature in rows]

    def leaves(self, account: AccountId, contract: ContractId, size: int) -> list[bytes]:
        """See `Storage.leaves`."""
        return [leaf for (leaf,) in self._read(sql.LEAVES, account=account, contract=contract, size=size)]

    def last_opened(self) -> int:
        """See `Storage.last_opened`."""
        ((newest,),) = self._read(sql.LAST_OPENED)
        return newest or FIRST_EPOCH

    def unsealed(self, lock_ms: Millis, limit: int) -> list[AccountId]:
        """See `Storage.unsealed`."""
        return [account for (account,) in self._read(seals_sql.UNSEALED, lock_ms=lock_ms, limit=limit)]

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

    def is_picture_of(self, account: AccountId, contract: ContractId, name: str) -> bool:
        """See `Storage.is_picture_of`."""
        ((found,),) = self._read(sql.PICTURE_OF, account=account, contract=contract, name=name)
        return bool(found)

    def rivals(self, account: AccountId, contract: ContractId, slots: range) -> Rivals:
        """See `WeekBooks.rivals`."""
        return self._lines.asked(
            READ, lambda line: storage_postgres_weeks.rivals(line, account, contract, slots)
        )

    def weeks(
        self, account: AccountId, contract: ContractId, wanted: Sequence[Week], rows_max: int
    ) -> WeeksPart | None:
        """See `WeekBooks.weeks`."""
        return self._lines.asked(
            READ, lambda line: storage_postgres_weeks.weeks(line, account, contract, wanted, rows_max)
        )

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
