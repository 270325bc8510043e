"""The embedded storage: one SQLite file, opened by apsw alone (R3, R25, R45, R69).

One connection a process, guarded by a lock; processes meet at `BEGIN IMMEDIATE`, which is every account's
lock here. WAL with `synchronous=FULL`: a commit is on the disk before it is answered. Holds that are joined
(`Storage.together`) are savepoints of one transaction: they wait for the disk once.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import apsw
import msgspec

from diary.clock import Clock
from diary.evidence.receipt import Cursor, LogRow, Page, SignedPush
from diary.rules.contract import TermsVersion
from diary.rules.ids import AccountId, ContractId, Millis, ReplicaId
from diary.rules.merge import Held
from diary.rules.segment import parse_header
from sync.server import storage_rows
from sync.server import storage_sqlite_statements as sql
from sync.server.sqlite_file import MACHINE_FAULTS, opened
from sync.server.sqlite_transactions import SqliteTransactions
from sync.server.storage import (
    Credential,
    DeviceListRow,
    Feed,
    Name,
    NewLeaf,
    NewRefusal,
    PictureRow,
    Place,
    Stored,
)

_json = msgspec.json.Encoder()


class _SqliteHold:
    """One account under `BEGIN IMMEDIATE` (see `AccountHold`)."""

    def __init__(self, connection: apsw.Connection, account: AccountId, received_at_ms: Millis) -> None:
        self._connection = connection
        self._account = account
        self._received_at_ms = received_at_ms
        self.destroyed_something = False

    @property
    def received_at_ms(self) -> Millis:
        return self._received_at_ms

    def device_list(self) -> DeviceListRow | None:
        return _device_list(self._connection, self._account)

    def answers(self, replica: ReplicaId, ns: Collection[int]) -> dict[int, Stored]:
        asked = {"account": self._account, "replica": replica, "ns": _json.encode(sorted(ns)).decode()}
        known = storage_rows.accepted(replica, self._connection.execute(sql.ACCEPTED, asked))
        return known | storage_rows.refused(replica, self._connection.execute(sql.REFUSED, asked))

    def standing(self, places: Collection[Place]) -> dict[Place, list[Held]]:
        found: dict[Place, list[Held]] = {place: [] for place in places}
        asked = {"account": self._account, "places": _json.encode(list(found)).decode()}
        for contract, slot, header, at_ms in self._connection.execute(sql.STANDING, asked):
            found[contract, slot].append(Held(parse_header(header.encode()), at_ms))
        return found

    def logs(self, contracts: Collection[ContractId]) -> dict[ContractId, Cursor]:
        asked = {"account": self._account, "contracts": _json.encode(sorted(contracts)).decode()}
        return {
            contract: Cursor(epoch, size)
            for contract, epoch, size in self._connection.execute(sql.LOGS, asked)
        }

    def foreign(self, contracts: Collection[ContractId]) -> set[ContractId]:
        asked = {"account": self._account, "contracts": _json.encode(sorted(contracts)).decode()}
        return {contract for (contract,) in self._connection.execute(sql.FOREIGN, asked)}

    def terms(self, contracts: Collection[ContractId]) -> dict[ContractId, tuple[TermsVersion, ...]]:
        asked = {"account": self._account, "contracts": _json.encode(sorted(contracts)).decode()}
        return storage_rows.terms(self._connection.execute(sql.TERMS, asked))

    def open_account(self, root: str) -> None:
        self._connection.execute(
            sql.OPEN_ACCOUNT, {"account": self._account, "root": root, "at_ms": self._received_at_ms}
        )

    def admit(self, replica: ReplicaId, token_hash: bytes) -> bytes:
        asked = {"account": self._account, "replica": replica, "token_hash": token_hash}
        self._connection.execute(sql.ADMIT, asked)
        ((kept,),) = self._connection.execute(sql.ADMITTED, asked)
        return bytes(kept)

    def append(self, push: SignedPush, push_hash: bytes, leaves: Sequence[NewLeaf]) -> None:
        account = self._account
        signed = {"account": account, "hash": push_hash, **msgspec.structs.asdict(push)}
        self._connection.execute(sql.KEEP_PUSH, signed)
        rows = (storage_rows.version(account, push_hash, leaf) for leaf in leaves)
        self._connection.executemany(sql.APPEND, rows)
        for last in storage_rows.last_receipts(leaves):
            grown = {
                "account": account,
                "contract": last.contract,
                "log_epoch": last.log_epoch,
                "size": last.index + 1,
            }
            self._connection.execute(sql.GROW, grown)
        self._connection.executemany(sql.EXPECT_PICTURE, storage_rows.expected_pictures(account, leaves))
        self._connection.execute(sql.NOTE_RECEIVED, {"account": account, "at_ms": self._received_at_ms})
        for leaf in leaves:
            revoked = storage_rows.revoked_by(leaf)
            if revoked is not None:
                asked = {"account": account, "revoked": _json.encode(revoked).decode()}
                self._connection.execute(sql.NOTE_REVOKED, asked)
                listed = {"account": account, "list_index": leaf.receipt.index}
                self._connection.execute(sql.NOTE_LIST, listed)

    def refuse(self, refusals: Sequence[NewRefusal]) -> None:
        hashes = ({"header_hash": item.header_hash, "body_hash": item.body_hash} for item in refusals)
        rows = (msgspec.structs.asdict(item.refusal) for item in refusals)
        account = {"account": self._account}
        self._connection.executemany(
            sql.REFUSE, [account | row | hashed for row, hashed in zip(rows, hashes, strict=True)]
        )

    def destroy(self, names: Collection[Name]) -> None:
        for replica, n in names:
            asked = {"account": self._account, "replica": replica, "n": n}
            self._connection.execute(sql.DESTROY, asked)
            for name, size, whole in self._connection.execute(sql.FORGET_PICTURES, asked).fetchall():
                gone = {"account": self._account, "name": name}
                self._connection.execute(sql.DOOM, gone)
                if whole:
                    self._connection.execute(sql.FREE_BYTES, gone | {"size": size})
            self.destroyed_something = True


class SqliteStorage:
    """`Storage` on one SQLite file."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._clock = clock
        self._unswept = True  # what a killed process destroyed may still lie in the WAL
        self._connection = opened(path)
        self._transactions = SqliteTransactions(self._connection)
        self.sweep()

    @property
    def has_one_lock(self) -> bool:
        """See `Storage.has_one_lock`."""
        return True

    def together(self) -> AbstractContextManager[None]:
        """See `Storage.together`."""
        return self._transactions.joined()

    @contextmanager
    def hold(self, account: AccountId) -> Iterator[_SqliteHold]:
        """See `Storage.hold`."""
        with self._transactions.transaction("BEGIN IMMEDIATE"):
            row = self._connection.execute(sql.LAST_RECEIVED, {"account": account}).fetchone()
            # The clock is read here and nowhere else in a write: after the lock is held (R3).
            received_at_ms = max(self._clock.now_ms(), row[0] if row else 0)
            hold = _SqliteHold(self._connection, account, Millis(received_at_ms))
            yield hold
            self._unswept = self._unswept or hold.destroyed_something

    def credential(self, account: AccountId, replica: ReplicaId) -> Credential | None:
        """See `Storage.credential`."""
        asked = {"account": account, "replica": replica}
        with self._transactions.transaction("BEGIN"):
            row = self._connection.execute(sql.CREDENTIAL, asked).fetchone()
        return None if row is None else Credential(token_hash=row[0], revoked=bool(row[1]))

    def newest_device_list(self, account: AccountId) -> DeviceListRow | None:
        """See `Storage.newest_device_list`."""
        with self._transactions.transaction("BEGIN"):
            return _device_list(self._connection, account)

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
        self, account: AccountId, cursors: Mapping[ContractId, Cursor], rows_max: int, bytes_max: int
    ) -> Feed:
        """See `Storage.feed`."""
        pages: list[Page] = []
        with self._transactions.transaction("BEGIN"):
            logs = _all(self._connection, sql.ALL_LOGS, {"account": account})
            for contract, epoch, size in logs:
                head = Cursor(epoch, size)
                read = cursors.get(contract, Cursor(epoch, 0))
                first = read.size if read.log_epoch == epoch else 0
                if read == head:
                    continue
                if rows_max <= 0 or bytes_max <= 0:
                    return Feed(pages, more=True)
                page, cost = self._page(account, contract, head, first, rows_max, bytes_max)
                pages.append(page)
                if first + len(page.rows) < size:
                    return Feed(pages, more=True)
                rows_max -= len(page.rows)
                bytes_max -= cost
        return Feed(pages, more=False)

    def _page(
        self,
        account: AccountId,
        contract: ContractId,
        head: Cursor,
        first: int,
        rows_max: int,
        bytes_max: int,
    ) -> tuple[Page, int]:
        """Return the feed's rows from `first`, and about how many bytes they are on the wire."""
        asked = {
            "account": account,
            "contract": contract,
            "log_epoch": head.log_epoch,
            "first": first,
            "rows_max": rows_max,
        }
        rows: list[LogRow] = []
        pushes: dict[str, SignedPush] = {}
        cost = 0
        cursor = self._connection.execute(sql.FEED, asked)
        for row in cursor:
            read = storage_rows.log_row(head.log_epoch, row)
            if read.push not in pushes:
                ((replica, hashes, signature),) = self._connection.execute(
                    sql.PUSH, {"account": account, "hash": row[2]}
                )
                pushes[read.push] = SignedPush(replica=replica, hashes=hashes, signature=signature)
                cost += len(hashes)
            rows.append(read)
            cost += storage_rows.cost(row)
            if cost >= bytes_max:
                cursor.close()
                break
        return Page(contract=contract, rows=rows, pushes=pushes, head=head), cost

    def picture(self, account: AccountId, name: str) -> PictureRow | None:
        """See `Storage.picture`."""
        with self._transactions.transaction("BEGIN"):
            ((size, whole),) = self._connection.execute(sql.PICTURE, {"account": account, "name": name})
        return None if size is None else PictureRow(size, bool(whole))

    def picture_arrived(self, account: AccountId, name: str) -> bool:
        """See `Storage.picture_arrived`."""
        with self._transactions.transaction("BEGIN IMMEDIATE"):
            named = {"account": account, "name": name}
            for (size,) in self._connection.execute(sql.PICTURE_ARRIVED, named).fetchall():
                self._connection.execute(sql.USE_BYTES, named | {"size": size})
                break  # once, however many rows name it
            ((exists,),) = self._connection.execute(sql.PICTURE_EXISTS, named)
        return bool(exists)

    def picture_bytes(self, account: AccountId) -> int:
        """See `Storage.picture_bytes`."""
        with self._transactions.transaction("BEGIN"):
            row = self._connection.execute(sql.PICTURE_BYTES, {"account": account}).fetchone()
        return row[0] if row else 0

    def doomed(self, limit: int) -> list[tuple[AccountId, str]]:
        """See `Storage.doomed`."""
        with self._transactions.transaction("BEGIN"):
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
                    return (
                        False  # a reader is in the way, or the disk is: at the next deletion, or in an hour
                    )
                self._unswept = False
            return True

    def close(self) -> None:
        """See `Storage.close`."""
        with self._transactions.lock:
            self._connection.close()


def _all(connection: apsw.Connection, statement: str, asked: Mapping[str, str | int]) -> list[Any]:
    """Return all rows; STRICT tables answer for the types of their columns."""
    return list(connection.execute(statement, asked))


def _device_list(connection: apsw.Connection, account: AccountId) -> DeviceListRow | None:
    row = connection.execute(sql.DEVICE_LIST, {"account": account}).fetchone()
    return None if row is None else DeviceListRow(header=row[0], body=row[1])
