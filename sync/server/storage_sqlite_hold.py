"""One account under the embedded storage's lock (R3, R25, R40, R43)."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial

import apsw
import msgspec

from diary.evidence.merkle import CompactRange
from diary.evidence.opening import FIRST_EPOCH, SignedOpening
from diary.evidence.receipt import SignedPush
from diary.evidence.seats import Seats
from diary.evidence.statement import SignedStatement
from diary.many_rows import joined, left_over
from diary.rules.contract import TermsVersion
from diary.rules.ids import AccountId, ContractId, Millis, ReplicaId, Slot
from diary.rules.merge import Held
from diary.rules.segment import stored_header
from sync.server import storage_rows
from sync.server import storage_sqlite_healing as healing_sql
from sync.server import storage_sqlite_invoices as invoice_sql
from sync.server import storage_sqlite_payments as payment_sql
from sync.server import storage_sqlite_statements as sql
from sync.server.kept_healing import NOTHING_HEALED
from sync.server.kept_invoices import NO_STEP
from sync.server.kept_log import Log, NewSeal
from sync.server.sqlite_dialect import SqliteHeldDatabase
from sync.server.storage import Basis, DeviceListRow, Name, NewLeaf, NewRefusal, Place, Question, Stored
from sync.server.stored_healing import StoredHealingBooks
from sync.server.stored_invoices import StoredInvoiceBooks
from sync.server.stored_payments import StoredPaymentBooks

_ALL = -1  # SQLite takes no limit from a negative one
_json = msgspec.json.Encoder()


class SqliteHold:
    """One account under `BEGIN IMMEDIATE` (see `AccountHold`)."""

    def __init__(
        self,
        connection: apsw.Connection,
        account: AccountId,
        received_at_ms: Millis,
        log_epoch: int,
        sealed_until_ms: Millis,
        ledger_due_ms: Millis,
        healing_from: int | None = None,
    ) -> None:
        self._connection = connection
        self._account = account
        self._received_at_ms = received_at_ms
        self._log_epoch = log_epoch
        self._sealed_until_ms = sealed_until_ms
        self._database = SqliteHeldDatabase(connection, account)
        self.invoices = StoredInvoiceBooks(self._database, invoice_sql, account, ledger_due_ms)
        self.healing = StoredHealingBooks(self._database, healing_sql, healing_from)
        self.destroyed_something = False

    @property
    def received_at_ms(self) -> Millis:
        """See `AccountHold.received_at_ms`."""
        return self._received_at_ms

    @property
    def payments(self) -> StoredPaymentBooks:
        """See `HoldsPayments.payments`."""
        return StoredPaymentBooks(self._database, payment_sql, self._account)

    @property
    def log_epoch(self) -> int:
        """See `AccountHold.log_epoch`."""
        return self._log_epoch

    def basis(self, question: Question) -> Basis:
        """See `AccountHold.basis`."""
        return Basis(
            device_list=self.device_list(),
            answers=self.answers(question.replica, question.ns),
            standing=self.standing(question.places),
            logs=self.logs(question.contracts),
            terms=self.terms(question.contracts),
            seats=self.seats(question.parties) if question.parties else {},
            acts=self.acts(question.parties) if question.parties else {},
        )

    def device_list(self) -> DeviceListRow | None:
        """See `AccountHold.device_list`."""
        return device_list(self._connection, self._account)

    def answers(self, replica: ReplicaId, ns: Collection[int]) -> dict[int, Stored]:
        """See `AccountHold.answers`."""
        asked = {"account": self._account, "replica": replica, "ns": _json.encode(sorted(ns)).decode()}
        refused = storage_rows.refused(replica, self._connection.execute(sql.REFUSED, asked))
        return refused | storage_rows.accepted(replica, self._connection.execute(sql.ACCEPTED, asked))

    def written_up_to(self, replica: ReplicaId) -> int:
        """See `AccountHold.written_up_to`."""
        asked = {"account": self._account, "replica": replica}
        row = self._connection.execute(sql.WRITTEN_UP_TO, asked).fetchone()
        return int(row[0]) if row else 0

    def standing(self, places: Collection[Place]) -> dict[Place, list[Held]]:
        """See `AccountHold.standing`."""
        return standing(self._connection, self._account, places)

    @property
    def sealed_until_ms(self) -> Millis:
        """See `AccountHold.sealed_until_ms`."""
        return self._sealed_until_ms

    def logs(self, contracts: Collection[ContractId]) -> dict[ContractId, Log]:
        """See `AccountHold.logs`."""
        asked = {"account": self._account, "contracts": _json.encode(sorted(contracts)).decode()}
        return self._logs(self._connection.execute(sql.LOGS, asked).fetchall())

    def all_logs(self) -> dict[ContractId, Log]:
        """See `AccountHold.all_logs`."""
        return self._logs(self._connection.execute(sql.ALL_LOGS, {"account": self._account}).fetchall())

    def _logs(self, rows: Sequence[storage_rows.Row]) -> dict[ContractId, Log]:
        return {
            contract: storage_rows.log(log, partial(leaves, self._connection, self._account, contract))
            for contract, *log in rows
        }

    def segments(self, first: Slot, end: Slot) -> dict[ContractId, list[Held]]:
        """See `AccountHold.segments`."""
        asked = {"account": self._account, "first": first, "end": end}
        return storage_rows.segments(self._connection.execute(sql.SEGMENTS, asked))

    def newest_seals(self, week: str) -> dict[ContractId, SignedStatement]:
        """See `AccountHold.newest_seals`."""
        asked = {"account": self._account, "week": week}
        return storage_rows.newest_seals(self._connection.execute(sql.NEWEST_SEALS, asked))

    def keep_seals(self, seals: Sequence[NewSeal]) -> None:
        """See `AccountHold.keep_seals`."""
        for new in seals:
            row = storage_rows.seal(self._account, new)
            self._connection.execute(sql.KEEP_SEAL, row)
            self._connection.execute(sql.COUNT_SEAL, row)

    def note_sealed(self, until_ms: Millis) -> None:
        """See `AccountHold.note_sealed`."""
        self._connection.execute(sql.NOTE_SEALED, {"account": self._account, "until_ms": until_ms})
        self._sealed_until_ms = until_ms

    def open_epoch(self, log_epoch: int, opening: SignedOpening) -> None:
        """See `AccountHold.open_epoch`."""
        asked = {"account": self._account, "log_epoch": log_epoch}
        self._connection.execute(sql.KEEP_OPENING, asked | msgspec.structs.asdict(opening))
        self._connection.execute(sql.ENTER_EPOCH, asked)
        self._connection.execute(sql.LOGS_ENTER_EPOCH, asked)
        self._log_epoch = log_epoch
        if self.healing.waits_from is None:
            self.healing.note(NOTHING_HEALED)

    def foreign(self, contracts: Collection[ContractId]) -> set[ContractId]:
        """See `AccountHold.foreign`."""
        asked = {"account": self._account, "contracts": _json.encode(sorted(contracts)).decode()}
        return {contract for (contract,) in self._connection.execute(sql.FOREIGN, asked)}

    def terms(self, contracts: Collection[ContractId]) -> dict[ContractId, tuple[TermsVersion, ...]]:
        """See `AccountHold.terms`."""
        return terms(self._connection, self._account, contracts)

    def seats(self, contracts: Collection[ContractId]) -> dict[ContractId, Seats]:
        """See `AccountHold.seats`."""
        asked = {"account": self._account, "contracts": _json.encode(sorted(contracts)).decode()}
        return storage_rows.seats(contracts, self._connection.execute(sql.SEATS, asked))

    def acts(self, contracts: Collection[ContractId]) -> dict[ContractId, list[Held]]:
        """See `AccountHold.acts`."""
        asked = {"account": self._account, "contracts": _json.encode(sorted(contracts)).decode()}
        return storage_rows.acts(contracts, self._connection.execute(sql.ACTS, asked))

    def memberships(self) -> list[Held]:
        """See `HoldsMembers.memberships`."""
        rows = self._connection.execute(sql.MEMBERSHIPS, {"account": self._account})
        return storage_rows.memberships(rows)

    def managed(self) -> set[ContractId]:
        """See `HoldsMembers.managed`."""
        rows = self._connection.execute(sql.MANAGED, {"account": self._account})
        return {ContractId(contract) for (contract,) in rows}

    def beside(self, account: AccountId) -> "SqliteHold":
        """See `HoldsMembers.beside`."""
        found = self._connection.execute(sql.BESIDE, {"account": account}).fetchone()
        epoch, sealed_until_ms = found or (FIRST_EPOCH, 0)
        until_ms, at_ms = Millis(sealed_until_ms), self._received_at_ms
        return SqliteHold(self._connection, account, at_ms, epoch, until_ms, NO_STEP)

    def open_account(self, root: str) -> None:
        """See `AccountHold.open_account`."""
        self._connection.execute(
            sql.OPEN_ACCOUNT, {"account": self._account, "root": root, "at_ms": self._received_at_ms}
        )

    def admit(self, replica: ReplicaId, token_hash: bytes, contract: ContractId | None = None) -> bytes:
        """See `AccountHold.admit`."""
        named = {"account": self._account, "replica": replica}
        self._connection.execute(sql.ADMIT, named | {"token_hash": token_hash, "contract": contract})
        ((kept,),) = self._connection.execute(sql.ADMITTED, named)
        return bytes(kept)

    def end_seats(self, replicas: Collection[ReplicaId]) -> None:
        """See `AccountHold.end_seats`."""
        asked = {"account": self._account, "replicas": _json.encode(sorted(replicas)).decode()}
        self._connection.execute(sql.END_SEATS, asked)

    def append(
        self,
        push: SignedPush,
        push_hash: bytes,
        leaves: Sequence[NewLeaf],
        grown: Mapping[ContractId, CompactRange],
    ) -> None:
        """See `AccountHold.append`."""
        account = self._account
        signed = {"account": account, "hash": push_hash, **msgspec.structs.asdict(push)}
        self._connection.execute(sql.KEEP_PUSH, signed)
        rows = [storage_rows.version(account, push_hash, leaf) for leaf in leaves]
        self._connection.executemany(sql.APPEND_MANY, joined(rows))
        self._connection.executemany(sql.APPEND, left_over(rows))
        for last in storage_rows.last_receipts(leaves):
            log = grown[last.contract]
            new = {"contract": last.contract, "log_epoch": last.log_epoch, "size": log.size}
            self._connection.execute(sql.GROW, new | {"account": account, "peaks": log.to_bytes()})
        self._connection.executemany(sql.EXPECT_PICTURE, storage_rows.expected_pictures(account, leaves))
        self._connection.execute(sql.NOTE_RECEIVED, {"account": account, "at_ms": self._received_at_ms})
        for leaf in leaves:
            revoked = storage_rows.revoked_by(leaf) if leaf.header.devices is not None else None
            if revoked is not None:
                asked = {"account": account, "revoked": _json.encode(revoked).decode()}
                self._connection.execute(sql.NOTE_REVOKED, asked)
                place = {"list_epoch": leaf.receipt.log_epoch, "list_index": leaf.receipt.index}
                self._connection.execute(sql.NOTE_LIST, {"account": account, **place})

    def refuse(self, refusals: Sequence[NewRefusal]) -> None:
        """See `AccountHold.refuse`."""
        hashes = ({"header_hash": item.header_hash, "body_hash": item.body_hash} for item in refusals)
        rows = (msgspec.structs.asdict(item.refusal) for item in refusals)
        account = {"account": self._account}
        self._connection.executemany(
            sql.REFUSE, [account | row | hashed for row, hashed in zip(rows, hashes, strict=True)]
        )

    def destroy(self, names: Collection[Name]) -> None:
        """See `AccountHold.destroy`."""
        numbers: dict[ReplicaId, list[int]] = {}
        for replica, n in names:
            numbers.setdefault(replica, []).append(n)
        forgotten: dict[str, tuple[int, int]] = {}
        for replica, ns in numbers.items():
            asked = {"account": self._account, "replica": replica, "ns": _json.encode(sorted(ns)).decode()}
            self._connection.execute(sql.DESTROY, asked)
            for name, size, counted in self._connection.execute(sql.FORGET_PICTURES, asked):
                forgotten[name] = size, counted
        # Each picture once, after the last row that named it is gone: its room is given back once.
        for name, (size, counted) in forgotten.items():
            gone = {"account": self._account, "name": name}
            self._connection.execute(sql.DOOM, gone)
            if counted:
                self._connection.execute(sql.FREE_BYTES, gone | {"size": size})
        self.destroyed_something = bool(numbers) or self.destroyed_something

    def doom(self, pictures: Collection[str]) -> None:
        """See `AccountHold.doom`."""
        asked = [{"account": self._account, "name": name} for name in pictures]
        self._connection.executemany(sql.DOOM, asked)


def leaves(
    connection: apsw.Connection, account: AccountId, contract: ContractId, size: int = _ALL
) -> list[bytes]:
    """Return the first leaves of one log, in its order, of all epochs (R43, R56)."""
    asked = {"account": account, "contract": contract, "size": size}
    return [leaf for (leaf,) in connection.execute(sql.LEAVES, asked)]


def device_list(connection: apsw.Connection, account: AccountId) -> DeviceListRow | None:
    """Return the account's newest device list (see `Storage.newest_device_list`)."""
    row = connection.execute(sql.DEVICE_LIST, {"account": account}).fetchone()
    return None if row is None else DeviceListRow(header=row[0], body=row[1])


def standing(
    connection: apsw.Connection, account: AccountId, places: Collection[Place]
) -> dict[Place, list[Held]]:
    """Return what stands at these places (see `AccountHold.standing`)."""
    found: dict[Place, list[Held]] = {place: [] for place in places}
    asked = {"account": account, "places": _json.encode(list(found)).decode()}
    for contract, slot, header, at_ms in connection.execute(sql.STANDING, asked):
        found[contract, slot].append(Held(stored_header(header), at_ms))
    return found


def terms(
    connection: apsw.Connection, account: AccountId, contracts: Collection[ContractId]
) -> dict[ContractId, tuple[TermsVersion, ...]]:
    """Return the contracts' terms (see `AccountHold.terms`)."""
    asked = {"account": account, "contracts": _json.encode(sorted(contracts)).decode()}
    return storage_rows.terms(connection.execute(sql.TERMS, asked))
