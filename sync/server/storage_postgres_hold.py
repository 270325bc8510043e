"""One account under its row's lock in PostgreSQL (R3, R25, R40, R43)."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from diary.evidence.merkle import CompactRange
from diary.evidence.opening import FIRST_EPOCH, SignedOpening
from diary.evidence.receipt import SignedPush
from diary.evidence.seats import Seats
from diary.evidence.statement import SignedStatement
from diary.rules.contract import TermsVersion
from diary.rules.ids import AccountId, ContractId, Millis, ReplicaId, Slot
from diary.rules.merge import Held
from diary.rules.segment import stored_header
from sync.server import storage_postgres_healing as healing_sql
from sync.server import storage_postgres_invoices as invoice_sql
from sync.server import storage_postgres_payments as payment_sql
from sync.server import storage_postgres_seals as seals_sql
from sync.server import storage_postgres_statements as sql
from sync.server import storage_rows
from sync.server.kept_healing import NOTHING_HEALED
from sync.server.kept_invoices import NO_STEP
from sync.server.kept_log import Log, NewSeal
from sync.server.postgres_dialect import PostgresHeldDatabase
from sync.server.postgres_lines import Answer, Line, all_rows, bigints
from sync.server.storage import Basis, DeviceListRow, Name, NewLeaf, NewRefusal, Place, Question, Stored
from sync.server.stored_healing import StoredHealingBooks
from sync.server.stored_invoices import StoredInvoiceBooks
from sync.server.stored_payments import StoredPaymentBooks


class PostgresHold:
    """One account under its row's lock (see `AccountHold`)."""

    def __init__(
        self,
        line: Line,
        account: AccountId,
        received_at_ms: Millis,
        log_epoch: int,
        sealed_until_ms: Millis,
        ledger_due_ms: Millis,
        healing_from: int | None = None,
    ) -> None:
        self._line = line
        self._account = account
        self._received_at_ms = received_at_ms
        self._log_epoch = log_epoch
        self._sealed_until_ms = sealed_until_ms
        self._database = PostgresHeldDatabase(line, account)
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

    def _ask(self, statement: Any, **asked: object) -> Answer:
        return self._line.execute(statement, {"account": self._account, **asked}, binary=True)

    def _all(self, statement: Any, **asked: object) -> list[Any]:
        return self._ask(statement, **asked).fetchall()

    def _run(self, statement: Any, **asked: object) -> None:
        self._line.execute(statement, {"account": self._account, **asked})

    def basis(self, question: Question) -> Basis:
        """See `AccountHold.basis`."""
        replica, ns, contracts = question.replica, bigints(question.ns), list(question.contracts)
        # Asked one after the other; only the first answer is waited for, and the rest have come with it.
        devices = self._ask(sql.DEVICE_LIST)
        accepted = self._ask(sql.ACCEPTED, replica=replica, ns=ns)
        refused = self._ask(sql.REFUSED, replica=replica, ns=ns)
        standing = self._ask_standing(question.places)
        logs = self._ask(sql.LOGS, contracts=contracts)
        terms = self._ask(sql.TERMS, contracts=contracts)
        parties = list(question.parties)
        seats = self._ask(sql.SEATS, contracts=parties) if parties else None
        acts = self._ask(sql.ACTS, contracts=parties) if parties else None
        return Basis(
            device_list=device_list_row(devices.fetchall()),
            answers=_answers(replica, accepted, refused),
            standing=standing_by_place(question.places, standing),
            logs=self._logs(logs.fetchall()),
            terms=storage_rows.terms(terms.fetchall()),
            seats=storage_rows.seats(parties, seats.fetchall()) if seats else {},
            acts=storage_rows.acts(parties, acts.fetchall()) if acts else {},
        )

    def device_list(self) -> DeviceListRow | None:
        """See `AccountHold.device_list`."""
        return device_list_row(self._all(sql.DEVICE_LIST))

    def answers(self, replica: ReplicaId, ns: Collection[int]) -> dict[int, Stored]:
        """See `AccountHold.answers`."""
        accepted = self._ask(sql.ACCEPTED, replica=replica, ns=bigints(ns))
        return _answers(replica, accepted, self._ask(sql.REFUSED, replica=replica, ns=bigints(ns)))

    def written_up_to(self, replica: ReplicaId) -> int:
        """See `AccountHold.written_up_to`."""
        return int(self._all(sql.WRITTEN_UP_TO, replica=replica)[0][0])

    def standing(self, places: Collection[Place]) -> dict[Place, list[Held]]:
        """See `AccountHold.standing`."""
        return standing_by_place(places, self._ask_standing(places))

    def _ask_standing(self, places: Collection[Place]) -> Answer:
        return self._ask(sql.STANDING, **columns_of(places))

    @property
    def sealed_until_ms(self) -> Millis:
        """See `AccountHold.sealed_until_ms`."""
        return self._sealed_until_ms

    def logs(self, contracts: Collection[ContractId]) -> dict[ContractId, Log]:
        """See `AccountHold.logs`."""
        return self._logs(self._all(sql.LOGS, contracts=list(contracts)))

    def all_logs(self) -> dict[ContractId, Log]:
        """See `AccountHold.all_logs`."""
        return self._logs(self._all(sql.ALL_LOGS))

    def _logs(self, rows: Sequence[storage_rows.Row]) -> dict[ContractId, Log]:
        return {
            contract: storage_rows.log(log, partial(leaves, self._line, self._account, contract))
            for contract, *log in rows
        }

    def segments(self, first: Slot, end: Slot) -> dict[ContractId, list[Held]]:
        """See `AccountHold.segments`."""
        return storage_rows.segments(self._all(seals_sql.SEGMENTS, first=first, end=end))

    def newest_seals(self, week: str) -> dict[ContractId, SignedStatement]:
        """See `AccountHold.newest_seals`."""
        return storage_rows.newest_seals(self._all(seals_sql.NEWEST_SEALS, week=week))

    def keep_seals(self, seals: Sequence[NewSeal]) -> None:
        """See `AccountHold.keep_seals`."""
        if not seals:
            return
        places = {
            "contracts": [new.contract for new in seals],
            "numbers": bigints(new.number for new in seals),
        }
        # All of a lock by two statements: an account may have a hundred contracts.
        self._run(
            seals_sql.KEEP_SEALS,
            **places,
            weeks=[new.week for new in seals],
            texts=[new.signed.text for new in seals],
            signatures=[new.signed.signature for new in seals],
        )
        self._run(seals_sql.COUNT_SEALS, **places)

    def note_sealed(self, until_ms: Millis) -> None:
        """See `AccountHold.note_sealed`."""
        self._run(seals_sql.NOTE_SEALED, until_ms=until_ms)
        self._sealed_until_ms = until_ms

    def open_epoch(self, log_epoch: int, opening: SignedOpening) -> None:
        """See `AccountHold.open_epoch`."""
        self._run(sql.KEEP_OPENING, log_epoch=log_epoch, **msgspec.structs.asdict(opening))
        self._run(sql.ENTER_EPOCH, log_epoch=log_epoch)
        self._run(sql.LOGS_ENTER_EPOCH, log_epoch=log_epoch)
        self._log_epoch = log_epoch
        if self.healing.waits_from is None:
            self.healing.note(NOTHING_HEALED)

    def foreign(self, contracts: Collection[ContractId]) -> set[ContractId]:
        """See `AccountHold.foreign`."""
        return {contract for (contract,) in self._all(sql.FOREIGN, contracts=list(contracts))}

    def terms(self, contracts: Collection[ContractId]) -> dict[ContractId, tuple[TermsVersion, ...]]:
        """See `AccountHold.terms`."""
        return storage_rows.terms(self._all(sql.TERMS, contracts=list(contracts)))

    def seats(self, contracts: Collection[ContractId]) -> dict[ContractId, Seats]:
        """See `AccountHold.seats`."""
        return storage_rows.seats(contracts, self._all(sql.SEATS, contracts=list(contracts)))

    def acts(self, contracts: Collection[ContractId]) -> dict[ContractId, list[Held]]:
        """See `AccountHold.acts`."""
        return storage_rows.acts(contracts, self._all(sql.ACTS, contracts=list(contracts)))

    def memberships(self) -> list[Held]:
        """See `HoldsMembers.memberships`."""
        return storage_rows.memberships(self._all(sql.MEMBERSHIPS))

    def managed(self) -> set[ContractId]:
        """See `HoldsMembers.managed`."""
        return {ContractId(contract) for (contract,) in self._all(sql.MANAGED)}

    def beside(self, account: AccountId) -> "PostgresHold":
        """See `HoldsMembers.beside`."""
        rows: list[Any] = self._line.execute(sql.BESIDE, {"account": account}, binary=True).fetchall()
        epoch, sealed_until_ms = rows[0] if rows else (FIRST_EPOCH, 0)
        until_ms, at_ms = Millis(sealed_until_ms), self._received_at_ms
        return PostgresHold(self._line, account, at_ms, epoch, until_ms, NO_STEP)

    def open_account(self, root: str) -> None:
        """See `AccountHold.open_account`."""
        self._run(sql.OPEN_ACCOUNT, root=root, at_ms=self._received_at_ms)

    def admit(self, replica: ReplicaId, token_hash: bytes, contract: ContractId | None = None) -> bytes:
        """See `AccountHold.admit`."""
        self._run(sql.ADMIT, replica=replica, token_hash=token_hash, contract=contract)
        ((kept,),) = self._all(sql.ADMITTED, replica=replica)
        return bytes(kept)

    def end_seats(self, replicas: Collection[ReplicaId]) -> None:
        """See `AccountHold.end_seats`."""
        self._run(sql.END_SEATS, replicas=sorted(replicas))

    def append(
        self,
        push: SignedPush,
        push_hash: bytes,
        leaves: Sequence[NewLeaf],
        grown: Mapping[ContractId, CompactRange],
    ) -> None:
        """See `AccountHold.append`."""
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
            log = grown[last.contract]
            new_head = {"contract": last.contract, "log_epoch": last.log_epoch, "size": log.size}
            self._run(sql.GROW, **new_head, peaks=log.to_bytes())
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
        """See `AccountHold.refuse`."""
        for item in refusals:
            hashed = {"header_hash": item.header_hash, "body_hash": item.body_hash}
            self._run(sql.REFUSE, **(msgspec.structs.asdict(item.refusal) | hashed))

    def destroy(self, names: Collection[Name]) -> None:
        """See `AccountHold.destroy`."""
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
        """See `AccountHold.doom`."""
        for name in pictures:
            self._run(sql.DOOM, name=name)


def device_list_row(rows: list[Any]) -> DeviceListRow | None:
    """Return the newest device list as `DEVICE_LIST` gives it."""
    return DeviceListRow(header=rows[0][0], body=rows[0][1]) if rows else None


def _answers(replica: ReplicaId, accepted: Answer, refused: Answer) -> dict[int, Stored]:
    known = storage_rows.accepted(replica, accepted.fetchall())
    return storage_rows.refused(replica, refused.fetchall()) | known


def columns_of(places: Collection[Place]) -> dict[str, Any]:
    """Return places as `STANDING` asks for them."""
    return {
        "contracts": [contract for contract, _ in places],
        "slots": bigints(slot for _, slot in places),
    }


def standing_by_place(places: Collection[Place], answer: Answer) -> dict[Place, list[Held]]:
    """Return what `STANDING` gives by its places, all of which are keys."""
    found: dict[Place, list[Held]] = {place: [] for place in places}
    rows: list[Any] = answer.fetchall()
    for contract, slot, header, at_ms in rows:
        found[contract, slot].append(Held(stored_header(header), Millis(at_ms)))
    return found


def leaves(line: Line, account: AccountId, contract: ContractId, size: int | None = None) -> list[bytes]:
    """Return the first leaves of one log, in its order, of all epochs; all of them for None (R43, R56)."""
    return [leaf for (leaf,) in all_rows(line, sql.LEAVES, account=account, contract=contract, size=size)]
