"""A storage in plain dictionaries: it must keep the promises that the databases keep."""

import dataclasses
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from diary.clock import Clock
from diary.evidence.opening import FIRST_EPOCH, SignedOpening
from diary.evidence.receipt import Cursor, LogRow, Page, Receipt
from diary.rules.ids import AccountId, ContractId, Millis, ReplicaId
from diary.rules.week import Week
from sync.server.kept_log import SEALS_PAGE_MAX
from sync.server.operating import AccountLine
from sync.server.storage import (
    NO_ROOTS,
    Credential,
    DeviceListRow,
    Feed,
    NewLeaf,
    PictureRow,
)
from sync.server.week_books import Rivals, WeeksPart
from tests.sync.server.toy_hold import BEGINNING, Books, ToyHold, log_of
from tests.sync.server.toy_invoices import ToyInvoiceReader
from tests.sync.server.toy_operator import ToyOperatorBooks
from tests.sync.server.toy_payments import ToyPaymentReader


class ToyStorage:
    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.everyone: dict[AccountId, Books] = {}
        self.doomed_pictures: set[tuple[AccountId, str]] = set()
        self.lock = threading.Lock()
        self.books = ToyOperatorBooks()

    @property
    def operator(self) -> ToyOperatorBooks:
        self.books.open = {
            account: AccountLine(
                account, books.received_at_ms, self.picture_bytes(account), self.books.rule(account)
            )
            for account, books in self.everyone.items()
        }
        return self.books

    @property
    def payments(self) -> ToyPaymentReader:
        return ToyPaymentReader({account: books.payments for account, books in self.everyone.items()})

    @property
    def invoices(self) -> ToyInvoiceReader:
        return ToyInvoiceReader({account: books.invoices for account, books in self.everyone.items()})

    @property
    def has_one_lock(self) -> bool:
        return True

    @contextmanager
    def together(self) -> Iterator[None]:
        yield

    @contextmanager
    def hold(self, account: AccountId) -> Iterator[ToyHold]:
        with self.lock:
            hold = ToyHold(self.everyone, account, self.clock.now_ms())
            yield hold
            if hold.opened:
                self.everyone[account] = hold.books
            self.doomed_pictures |= {(account, name) for name in hold.doomed}

    def credential(self, account: AccountId, replica: ReplicaId) -> Credential | None:
        books = self.everyone.get(account, Books())
        known = books.tokens.get(replica)
        contract = books.seats.get(replica)
        is_out = replica in (books.revoked if contract is None else books.ended)
        return None if known is None else Credential(known, is_out, contract)

    def newest_device_list(self, account: AccountId) -> DeviceListRow | None:
        return self.everyone[account].device_list if account in self.everyone else None

    def last_received_ms(self) -> Millis | None:
        return max((books.received_at_ms for books in self.everyone.values()), default=None)

    def highest_n(self, account: AccountId, replica: ReplicaId) -> int:
        answers = self.everyone[account].answers if account in self.everyone else {}
        return max((n for who, n in answers if who == replica), default=0)

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
        books = self.everyone.get(account, Books())
        if only is not None:
            logs = {name: log for name, log in books.logs.items() if name == only}
            books = dataclasses.replace(books, logs=logs)
            cursors = {name: cursor for name, cursor in cursors.items() if name == only}
        pages = [
            Page(contract=contract, rows=[], pushes={}, head=Cursor(books.log_epoch, 0))
            for contract, cursor in cursors.items()
            if contract not in books.logs and cursor.size
        ]
        for contract in sorted(books.logs, key=lambda name: (name != ContractId(account), name)):
            log = books.logs[contract]
            head = log_of(books, contract).cursor
            read = cursors.get(contract, Cursor(books.log_epoch, 0))
            root = log_of(books, contract).leaves.root.hex()
            if read == head and roots.get(contract, root) == root:
                continue
            if rows_max <= 0 or bytes_max <= 0:
                return _with_leaves(pages, books, more=True)
            first, known = (read.size, read.seals) if read.log_epoch == books.log_epoch else (0, 0)
            rows: list[LogRow] = []
            for leaf, push in log[first : first + rows_max]:
                rows.append(_log_row(leaf, push))
                bytes_max -= len(leaf.header_text) + len(leaf.body or b"")
                if bytes_max <= 0:
                    break
            rows_max -= len(rows)
            pushes = {row.push: books.pushes[row.push] for row in rows}
            before = log[first - 1][0].receipt.leaf if 0 < first <= len(log) and rows else None
            kept = [seal.signed for seal in books.seals.get(contract, [])]
            seals = kept[known : known + SEALS_PAGE_MAX]
            pages.append(
                Page(contract=contract, rows=rows, pushes=pushes, head=head, before=before, seals=seals)
            )
            if first + len(rows) < len(log) or known + len(seals) < len(kept):
                return _with_leaves(pages, books, more=True)
        return _with_leaves(pages, books, more=False)

    def leaves(self, account: AccountId, contract: ContractId, size: int) -> list[bytes]:
        log = self.everyone.get(account, Books()).logs.get(contract, [])
        return [bytes.fromhex(leaf.receipt.leaf) for leaf, _ in log[:size]]

    def openings(self, account: AccountId, after_epoch: int) -> list[SignedOpening]:
        books = self.everyone.get(account, Books())
        return [opening for epoch, opening in sorted(books.openings.items()) if epoch > after_epoch]

    def last_opened(self) -> int:
        return max((books.log_epoch for books in self.everyone.values()), default=FIRST_EPOCH)

    def unsealed(self, lock_ms: Millis, limit: int) -> list[AccountId]:
        return [
            name
            for name, books in self.everyone.items()
            if books.sealed_until_ms < lock_ms and books.healing.waits_from is None
        ][:limit]

    def accounts(self, after: AccountId | None, limit: int) -> list[AccountId]:
        return sorted(account for account in self.everyone if after is None or account > after)[:limit]

    def picture(self, account: AccountId, name: str) -> PictureRow | None:
        return self.pictures(account, {name}).get(name)

    def pictures(self, account: AccountId, names: Collection[str]) -> dict[str, PictureRow]:
        books = self.everyone.get(account, Books())
        return {
            name: PictureRow(max(sizes.values()), name in books.whole, name in books.counted)
            for name, sizes in books.pictures.items()
            if name in names
        }

    def is_picture_of(self, account: AccountId, contract: ContractId, name: str) -> bool:
        books = self.everyone.get(account, Books())
        rows = books.pictures.get(name, {})
        return any(leaf.header.name in rows for leaf, _ in books.logs.get(contract, []))

    def rivals(self, account: AccountId, contract: ContractId, slots: range) -> Rivals:
        hold = ToyHold(self.everyone, account, BEGINNING)
        contracts = [name for name in hold.books.logs if name != ContractId(account)]
        held = {name: {leaf.header.slot for leaf, _ in hold.books.logs[name]} - {None} for name in contracts}
        others = set().union(*(there for name, there in held.items() if name != contract))
        shared = [slot for slot in held.get(contract, set()) & others if slot in slots]
        places = [(name, slot) for name in contracts for slot in shared if slot is not None]
        return Rivals(hold.standing(places), hold.terms(contracts) if shared else {})

    def weeks(
        self, account: AccountId, contract: ContractId, wanted: Sequence[Week], rows_max: int
    ) -> WeeksPart | None:
        books = self.everyone.get(account, Books())
        if contract not in books.logs:
            return None
        log = books.logs[contract]
        known = sorted({Week.of(leaf.header.slot) for leaf, _ in log if leaf.header.slot is not None})
        shown = tuple(wanted) or tuple(known[-1:])
        rows = [
            _log_row(leaf, push)
            for leaf, push in log
            if ((slot := leaf.header.slot) is None and leaf.header.type != "message")
            or (slot is not None and Week.of(slot) in shown)
        ]
        state = log_of(books, contract)
        pushes = {row.push: books.pushes[row.push] for row in rows}
        page = Page(contract=contract, rows=rows, pushes=pushes, head=state.cursor)
        first_slots = [week.first_slot for week in known]
        return WeeksPart(page if len(rows) <= rows_max else None, state.leaves.root, first_slots, shown)

    def make_room(self, account: AccountId, name: str, quota_bytes: int) -> bool:
        with self.lock:
            row = self.pictures(account, {name}).get(name)
            if row is None or row.counted:
                return True
            if self.picture_bytes(account) + row.size > quota_bytes:
                return False
            self.everyone[account].counted.add(name)
            return True

    def picture_arrived(self, account: AccountId, name: str) -> bool:
        if self.picture(account, name) is None:
            return False
        self.everyone[account].whole.add(name)
        self.everyone[account].counted.add(name)
        return True

    def picture_bytes(self, account: AccountId) -> int:
        books = self.everyone.get(account, Books())
        return sum(max(books.pictures[name].values()) for name in books.counted)

    def doomed(self, limit: int, account: AccountId | None = None) -> list[tuple[AccountId, str]]:
        return sorted(one for one in self.doomed_pictures if account in {None, one[0]})[:limit]

    def pictures_removed(self, pictures: Sequence[tuple[AccountId, str]]) -> None:
        self.doomed_pictures -= set(pictures)

    def sweep(self) -> bool:
        return True

    def close(self) -> None:
        self.everyone = {}


def _with_leaves(pages: list[Page], books: Books, *, more: bool) -> Feed:
    def leaf(contract: ContractId, index: int) -> bytes:
        return bytes.fromhex(books.logs[contract][index][0].receipt.leaf)

    leaves = [b"".join(leaf(page.contract, row.index) for row in page.rows) for page in pages]
    roots = [log_of(books, page.contract).leaves.root for page in pages]
    return Feed(pages, more, leaves, roots)


def _log_row(leaf: NewLeaf, push: str) -> LogRow:
    receipt: Receipt = leaf.receipt
    return LogRow(
        log_epoch=receipt.log_epoch,
        index=receipt.index,
        received_at_ms=receipt.received_at_ms,
        push=push,
        header=leaf.header_text,
        body_hash=leaf.body_hash.hex(),
        body=leaf.body,
        wrap=leaf.wrap,
    )
