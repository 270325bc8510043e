"""The embedded storage: one SQLite file, opened by apsw alone (R3, R25, R45, R69).

One connection a process, guarded by a lock; processes meet at `BEGIN IMMEDIATE`, which is every account's
lock here. WAL with `synchronous=FULL`: a commit is on the disk before it is answered. Holds that are joined
(`Storage.together`) are savepoints of one transaction: they wait for the disk once.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import apsw

from diary.clock import Clock
from diary.evidence.opening import FIRST_EPOCH, SignedOpening
from diary.evidence.receipt import Cursor, LogRow, Page, SignedPush
from diary.evidence.statement import SignedStatement
from diary.rules.ids import AccountId, ContractId, Millis, ReplicaId
from diary.rules.week import Week
from sync.server import storage_rows, storage_sqlite_weeks
from sync.server import storage_sqlite_invoices as invoice_sql
from sync.server import storage_sqlite_payments as payment_sql
from sync.server import storage_sqlite_statements as sql
from sync.server.feeding import ReadPage, Room, feed_of
from sync.server.kept_log import SEALS_PAGE_MAX
from sync.server.sqlite_dialect import SqliteAskedDatabase
from sync.server.sqlite_file import MACHINE_FAULTS, opened
from sync.server.sqlite_transactions import SqliteTransactions
from sync.server.storage import NO_ROOTS, Credential, DeviceListRow, Feed, PictureRow
from sync.server.storage_sqlite_hold import SqliteHold, device_list, leaves
from sync.server.storage_sqlite_operator import SqliteOperatorBooks
from sync.server.stored_invoices import StoredInvoiceReader
from sync.server.stored_payments import StoredPaymentReader
from sync.server.week_books import Rivals, WeeksPart


class SqliteStorage:
    """`Storage` on one SQLite file."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._clock = clock
        self._unswept = True  # what a killed process destroyed may still lie in the WAL
        self._connection = opened(path)
        self._transactions = SqliteTransactions(self._connection)
        self.sweep()

    @property
    def operator(self) -> SqliteOperatorBooks:
        """See `Storage.operator`."""
        return SqliteOperatorBooks(self._connection, self._transactions)

    @property
    def payments(self) -> StoredPaymentReader:
        """See `ReadsPayments.payments`."""
        return StoredPaymentReader(SqliteAskedDatabase(self._connection, self._transactions), payment_sql)

    @property
    def invoices(self) -> StoredInvoiceReader:
        """See `ReadsInvoices.invoices`."""
        return StoredInvoiceReader(SqliteAskedDatabase(self._connection, self._transactions), invoice_sql)

    @property
    def has_one_lock(self) -> bool:
        """See `Storage.has_one_lock`."""
        return True

    def together(self) -> AbstractContextManager[None]:
        """See `Storage.together`."""
        return self._transactions.joined()

    @contextmanager
    def hold(self, account: AccountId) -> Iterator[SqliteHold]:
        """See `Storage.hold`."""
        with self._transactions.transaction("BEGIN IMMEDIATE"):
            row = self._connection.execute(sql.LAST_RECEIVED, {"account": account}).fetchone()
            last_ms, epoch, sealed_until_ms, due_ms, waits_from = row or (0, FIRST_EPOCH, 0, 0, None)
            # The clock is read here and nowhere else in a write: after the lock is held (R3).
            received_at_ms = max(self._clock.now_ms(), last_ms, sealed_until_ms)
            at_ms, until_ms, next_ms = Millis(received_at_ms), Millis(sealed_until_ms), Millis(due_ms)
            hold = SqliteHold(self._connection, account, at_ms, epoch, until_ms, next_ms, waits_from)
            yield hold
            self._unswept = self._unswept or hold.destroyed_something

    def credential(self, account: AccountId, replica: ReplicaId) -> Credential | None:
        """See `Storage.credential`."""
        asked = {"account": account, "replica": replica}
        with self._transactions.transaction("BEGIN"):
            row = self._connection.execute(sql.CREDENTIAL, asked).fetchone()
        return None if row is None else Credential(row[0], bool(row[1]), row[2])

    def newest_device_list(self, account: AccountId) -> DeviceListRow | None:
        """See `Storage.newest_device_list`."""
        with self._transactions.transaction("BEGIN"):
            return device_list(self._connection, account)

    def last_received_ms(self) -> Millis | None:
        """See `Storage.last_received_ms`."""
        with self._transactions.transaction("BEGIN"):
            ((newest,),) = self._connection.execute(sql.LAST_RECEIVED_OF_ALL)
        return newest if newest is None else Millis(newest)

    def highest_n(self, account: AccountId, replica: ReplicaId) -> int:
        """See `Storage.highest_n`."""
        with self._transactions.transaction("BEGIN"):
            ((highest,),) = self._connection.execute(sql.HIGHEST_N, {"account": account, "replica": replica})
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
        with self._transactions.transaction("BEGIN"):
            return feed_of(
                _all(self._connection, sql.ALL_LOGS, {"account": account}),
                cursors,
                Room(rows_max, bytes_max),
                log_epoch=lambda: self._log_epoch(account),
                leaves=partial(leaves, self._connection, account),
                read_from=partial(self._page, account),
                seals=partial(self._seals, account),
                only=only,
                roots_read=roots,
            )

    def _page(
        self, account: AccountId, contract: ContractId, head: Cursor, first: int, room: Room
    ) -> ReadPage:
        """Return the feed's rows from `first`."""
        rows: list[LogRow] = []
        found: list[bytes] = []
        before: str | None = None
        pushes: dict[str, SignedPush] = {}
        cost = 0
        for epoch in self._epochs(account, head):
            asked: dict[str, str | int] = {"account": account, "contract": contract, "log_epoch": epoch}
            asked |= {"first": max(first - 1, 0), "rows_max": room.rows - len(rows) + 1}
            cursor = self._connection.execute(sql.FEED, asked)
            for row in cursor:
                if row[0] < first:
                    before = row[-1].hex()
                    continue
                read = storage_rows.log_row(epoch, row)
                if read.push not in pushes:
                    ((replica, hashes, signature),) = self._connection.execute(
                        sql.PUSH, {"account": account, "hash": row[2]}
                    )
                    pushes[read.push] = SignedPush(replica=replica, hashes=hashes, signature=signature)
                    cost += len(hashes)
                rows.append(read)
                found.append(row[-1])
                cost += storage_rows.cost(row)
                if cost >= room.size or len(rows) == room.rows:
                    cursor.close()
                    break
            if cost >= room.size or len(rows) >= room.rows:
                break
        page = Page(contract=contract, rows=rows, pushes=pushes, head=head, before=before)
        return ReadPage(page, b"".join(found), cost)

    def _seals(self, account: AccountId, contract: ContractId, after: int) -> list[SignedStatement]:
        asked = {"account": account, "contract": contract, "after": after, "seals_max": SEALS_PAGE_MAX}
        rows = self._connection.execute(sql.SEALS, asked)
        return [SignedStatement(text=text, signature=signature) for text, signature in rows]

    def _epochs(self, account: AccountId, head: Cursor) -> list[int]:
        """Return the epochs in which the log may have rows, in the rows' order (R43)."""
        if head.log_epoch == FIRST_EPOCH:
            return [FIRST_EPOCH]
        later = self._connection.execute(sql.EPOCHS, {"account": account})
        return [FIRST_EPOCH, *(epoch for (epoch,) in later)]

    def _log_epoch(self, account: AccountId) -> int:
        row = self._connection.execute(sql.LOG_EPOCH, {"account": account}).fetchone()
        return row[0] if row else FIRST_EPOCH

    def openings(self, account: AccountId, after_epoch: int) -> list[SignedOpening]:
        """See `Storage.openings`."""
        with self._transactions.transaction("BEGIN"):
            rows = _all(self._connection, sql.OPENINGS, {"account": account, "after_epoch": after_epoch})
        return [SignedOpening(text=text, signature=signature) for text, signature in rows]

    def leaves(self, account: AccountId, contract: ContractId, size: int) -> list[bytes]:
        """See `Storage.leaves`."""
        with self._transactions.transaction("BEGIN"):
            return leaves(self._connection, account, contract, size)

    def last_opened(self) -> int:
        """See `Storage.last_opened`."""
        with self._transactions.transaction("BEGIN"):
            ((newest,),) = self._connection.execute(sql.LAST_OPENED)
        return newest or FIRST_EPOCH

    def unsealed(self, lock_ms: Millis, limit: int) -> list[AccountId]:
        """See `Storage.unsealed`."""
        with self._transactions.transaction("BEGIN"):
            rows = _all(self._connection, sql.UNSEALED, {"lock_ms": lock_ms, "limit": limit})
        return [account for (account,) in rows]

    def accounts(self, after: AccountId | None, limit: int) -> list[AccountId]:
        """See `Storage.accounts`."""
        with self._transactions.transaction("BEGIN"):
            rows = _all(self._connection, sql.ACCOUNTS, {"after": after or "", "limit": limit})
        return [account for (account,) in rows]

    def picture(self, account: AccountId, name: str) -> PictureRow | None:
        """See `Storage.picture`."""
        return self.pictures(account, (name,)).get(name)

    def pictures(self, account: AccountId, names: Collection[str]) -> dict[str, PictureRow]:
        """See `Storage.pictures`."""
        found = {}
        with self._transactions.transaction("BEGIN"):
            for name in names:
                asked = {"account": account, "name": name}
                ((size, whole, counted),) = self._connection.execute(sql.PICTURE, asked)
                if size is not None:
                    found[name] = PictureRow(size, bool(whole), bool(counted))
        return found

    def is_picture_of(self, account: AccountId, contract: ContractId, name: str) -> bool:
        """See `Storage.is_picture_of`."""
        asked = {"account": account, "contract": contract, "name": name}
        with self._transactions.transaction("BEGIN"):
            ((found,),) = self._connection.execute(sql.PICTURE_OF, asked)
        return bool(found)

    def rivals(self, account: AccountId, contract: ContractId, slots: range) -> Rivals:
        """See `WeekBooks.rivals`."""
        with self._transactions.transaction("BEGIN"):
            return storage_sqlite_weeks.rivals(self._connection, account, contract, slots)

    def weeks(
        self, account: AccountId, contract: ContractId, wanted: Sequence[Week], rows_max: int
    ) -> WeeksPart | None:
        """See `WeekBooks.weeks`."""
        with self._transactions.transaction("BEGIN"):
            return storage_sqlite_weeks.weeks(self._connection, account, contract, wanted, rows_max)

    def make_room(self, account: AccountId, name: str, quota_bytes: int) -> bool:
        """See `Storage.make_room`."""
        named = {"account": account, "name": name}
        with self._transactions.transaction("BEGIN IMMEDIATE"):
            self._count(account, name, quota_bytes)
            ((counted,),) = self._connection.execute(sql.IS_COUNTED, named)
        return bool(counted)

    def _count(self, account: AccountId, name: str, quota_bytes: int | None) -> None:
        """Count a picture against the account's room, once, however many rows name it."""
        asked = {"account": account, "name": name, "quota_bytes": quota_bytes}
        sizes = self._connection.execute(sql.COUNT_PICTURE, asked).fetchall()
        if sizes:
            self._connection.execute(sql.USE_BYTES, {"account": account, "size": sizes[0][0]})

    def picture_arrived(self, account: AccountId, name: str) -> bool:
        """See `Storage.picture_arrived`."""
        with self._transactions.transaction("BEGIN IMMEDIATE"):
            named = {"account": account, "name": name}
            self._count(account, name, None)
            self._connection.execute(sql.PICTURE_ARRIVED, named)
            ((exists,),) = self._connection.execute(sql.PICTURE_EXISTS, named)
        return bool(exists)

    def picture_bytes(self, account: AccountId) -> int:
        """See `Storage.picture_bytes`."""
        with self._transactions.transaction("BEGIN"):
            row = self._connection.execute(sql.PICTURE_BYTES, {"account": account}).fetchone()
        return row[0] if row else 0

    def doomed(self, limit: int, account: AccountId | None = None) -> list[tuple[AccountId, str]]:
        """See `Storage.doomed`."""
        with self._transactions.transaction("BEGIN"):
            if account is not None:
                return _all(self._connection, sql.DOOMED_OF, {"account": account, "limit": limit})
            return _all(self._connection, sql.DOOMED, {"limit": limit})

    def pictures_removed(self, pictures: Sequence[tuple[AccountId, str]]) -> None:
        """See `Storage.pictures_removed`."""
        with self._transactions.transaction("BEGIN IMMEDIATE"):
            self._connection.executemany(sql.PICTURE_REMOVED, pictures)

    def sweep(self) -> bool:
        """See `Storage.sweep`."""
        with self._transactions.lock:
            if self._unswept:
                try:
                    self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
                except MACHINE_FAULTS:
                    return False  # a reader is in the way, or the disk is
                self._unswept = False
            return True

    def close(self) -> None:
        """See `Storage.close`."""
        with self._transactions.lock:
            self._connection.close()


def _all(connection: apsw.Connection, statement: str, asked: Mapping[str, str | int]) -> list[Any]:
    """Return all rows; STRICT tables answer for the types of their columns."""
    return list(connection.execute(statement, asked))
