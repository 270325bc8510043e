"""A storage in plain dictionaries: it must keep the promises that the databases keep."""

import copy
import dataclasses
import hashlib
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from diary.clock import Clock
from diary.evidence.opening import FIRST_EPOCH, SignedOpening
from diary.evidence.receipt import Cursor, LogRow, Page, Receipt, SignedPush
from diary.evidence.seats import JoiningError, Seats
from diary.rules.acts import ACT_TYPES
from diary.rules.contract import TermsVersion, versions_of
from diary.rules.ids import AccountId, ContractId, Millis, ReplicaId, Slot
from diary.rules.merge import Held
from sync.server.operating import AccountLine
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
    Rivals,
    Stored,
    pictures_of,
)
from tests.sync.server.toy_operator import ToyOperatorBooks

BEGINNING = Millis(0)


@dataclass
class Books:
    root: str = ""
    received_at_ms: Millis = BEGINNING
    tokens: dict[ReplicaId, bytes] = field(default_factory=dict)
    revoked: set[ReplicaId] = field(default_factory=set)
    seats: dict[ReplicaId, ContractId] = field(default_factory=dict)
    ended: set[ReplicaId] = field(default_factory=set)
    logs: dict[ContractId, list[tuple[NewLeaf, str]]] = field(default_factory=dict)
    pushes: dict[str, SignedPush] = field(default_factory=dict)
    answers: dict[Name, Stored] = field(default_factory=dict)
    pictures: dict[str, dict[Name, int]] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)
    counted: set[str] = field(default_factory=set)
    device_list: DeviceListRow | None = None
    log_epoch: int = FIRST_EPOCH
    openings: dict[int, SignedOpening] = field(default_factory=dict)


def is_receipt(item: Stored) -> bool:
    return isinstance(item.answer, Receipt)


class ToyHold:
    def __init__(self, everyone: dict[AccountId, Books], account: AccountId, now_ms: Millis) -> None:
        self.everyone = everyone
        self.account = account
        self.books = copy.deepcopy(everyone.get(account, Books()))
        self.opened = account in everyone
        self.doomed: set[str] = set()
        self.received_at_ms = max(now_ms, self.books.received_at_ms)

    @property
    def log_epoch(self) -> int:
        return self.books.log_epoch

    def basis(self, question: Question) -> Basis:
        return Basis(
            device_list=self.device_list(),
            answers=self.answers(question.replica, question.ns),
            standing=self.standing(question.places),
            logs=self.logs(question.contracts),
            terms=self.terms(question.contracts),
            seats=self.seats(question.parties),
            acts=self.acts(question.parties),
        )

    def device_list(self) -> DeviceListRow | None:
        return self.books.device_list

    def answers(self, replica: ReplicaId, ns: Collection[int]) -> dict[int, Stored]:
        return {n: self.books.answers[replica, n] for n in ns if (replica, n) in self.books.answers}

    def written_up_to(self, replica: ReplicaId) -> int:
        ns = (n for (by, n), item in self.books.answers.items() if by == replica and is_receipt(item))
        return max(ns, default=0)

    def standing(self, places: Collection[Place]) -> dict[Place, list[Held]]:
        return {
            place: [
                Held(leaf.header, Millis(leaf.receipt.received_at_ms))
                for leaf, _ in self.books.logs.get(place[0], [])
                if leaf.header.slot == place[1]
            ]
            for place in places
        }

    def logs(self, contracts: Collection[ContractId]) -> dict[ContractId, Cursor]:
        return {name: head for name, head in self.all_logs().items() if name in contracts}

    def all_logs(self) -> dict[ContractId, Cursor]:
        return {name: Cursor(self.log_epoch, len(log)) for name, log in self.books.logs.items()}

    def leaves(self, contract: ContractId) -> list[bytes]:
        return [bytes.fromhex(leaf.receipt.leaf) for leaf, _ in self.books.logs.get(contract, [])]

    def open_epoch(self, log_epoch: int, opening: SignedOpening) -> None:
        self.books.log_epoch = log_epoch
        self.books.openings[log_epoch] = opening

    def foreign(self, contracts: Collection[ContractId]) -> set[ContractId]:
        others = [books for account, books in self.everyone.items() if account != self.account]
        return {name for name in contracts if any(name in books.logs for books in others)}

    def terms(self, contracts: Collection[ContractId]) -> dict[ContractId, tuple[TermsVersion, ...]]:
        found = {
            name: versions_of((leaf.header, Millis(leaf.receipt.received_at_ms)) for leaf, _ in leaves)
            for name in contracts
            for leaves in [self.books.logs.get(name, [])]
        }
        return {name: versions for name, versions in found.items() if versions}

    def seats(self, contracts: Collection[ContractId]) -> dict[ContractId, Seats]:
        found = {name: Seats() for name in contracts}
        for name, seats in found.items():
            for leaf, _ in self.books.logs.get(name, []):
                raw, at_ms = leaf.header_text.encode(), Millis(leaf.receipt.received_at_ms)
                with suppress(JoiningError):
                    seats.learn(leaf.header, raw, leaf.body or b"", at_ms)
        return found

    def acts(self, contracts: Collection[ContractId]) -> dict[ContractId, list[Held]]:
        return {
            name: [
                Held(leaf.header, Millis(leaf.receipt.received_at_ms))
                for leaf, _ in self.books.logs.get(name, [])
                if leaf.header.type in ACT_TYPES
            ]
            for name in contracts
        }

    def open_account(self, root: str) -> None:
        if not self.opened:
            self.books.root = root
            self.books.received_at_ms = self.received_at_ms
            self.opened = True

    def admit(self, replica: ReplicaId, token_hash: bytes, contract: ContractId | None = None) -> bytes:
        if contract is not None and replica not in self.books.tokens:
            self.books.seats[replica] = contract
        return self.books.tokens.setdefault(replica, token_hash)

    def end_seats(self, replicas: Collection[ReplicaId]) -> None:
        self.books.ended |= self.books.seats.keys() & set(replicas)

    def append(self, push: SignedPush, push_hash: bytes, leaves: Sequence[NewLeaf]) -> None:
        assert self.opened
        self.books.received_at_ms = self.received_at_ms
        self.books.pushes[push_hash.hex()] = push
        for leaf in leaves:
            log = self.books.logs.setdefault(leaf.receipt.contract, [])
            assert leaf.receipt.index == len(log)
            log.append((leaf, push_hash.hex()))
            header_hash = hashlib.sha256(leaf.header_text.encode()).digest()
            self.books.answers[leaf.header.name] = Stored(header_hash, leaf.body_hash, leaf.receipt)
            for name, size in pictures_of(leaf):
                rows = self.books.pictures.setdefault(name, {})
                rows[leaf.header.name] = next(iter(rows.values()), size)
            if leaf.header.devices is not None:
                self.books.device_list = DeviceListRow(leaf.header_text, leaf.body or b"")
                self.books.revoked = {
                    item.replica for item in leaf.header.devices.devices if item.revoked_from is not None
                }

    def refuse(self, refusals: Sequence[NewRefusal]) -> None:
        for item in refusals:
            name = item.refusal.replica, item.refusal.n
            self.books.answers[name] = Stored(item.header_hash, item.body_hash, item.refusal)

    def destroy(self, names: Collection[Name]) -> None:
        for log in self.books.logs.values():
            for index, (leaf, push) in enumerate(log):
                if leaf.header.name in names:
                    log[index] = (_emptied(leaf), push)
                    for picture, _ in leaf.header.pictures or ():
                        rows = self.books.pictures.get(picture, {})
                        rows.pop(leaf.header.name, None)
                        if not rows:
                            self.books.pictures.pop(picture, None)
                            self.books.whole.discard(picture)
                            self.books.counted.discard(picture)
                            self.doomed.add(picture)

    def doom(self, pictures: Collection[str]) -> None:
        self.doomed |= {name for name in pictures if name not in self.books.pictures}


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
            head = Cursor(books.log_epoch, len(log))
            read = cursors.get(contract, Cursor(books.log_epoch, 0))
            if read == head:
                continue
            if rows_max <= 0 or bytes_max <= 0:
                return _with_leaves(pages, books, more=True)
            first = read.size if read.log_epoch == books.log_epoch else 0
            rows: list[LogRow] = []
            for leaf, push in log[first : first + rows_max]:
                rows.append(_log_row(leaf, push))
                bytes_max -= len(leaf.header_text) + len(leaf.body or b"")
                if bytes_max <= 0:
                    break
            rows_max -= len(rows)
            pushes = {row.push: books.pushes[row.push] for row in rows}
            before = log[first - 1][0].receipt.leaf if 0 < first <= len(log) and rows else None
            pages.append(Page(contract=contract, rows=rows, pushes=pushes, head=head, before=before))
            if first + len(rows) < len(log):
                return _with_leaves(pages, books, more=True)
        return _with_leaves(pages, books, more=False)

    def openings(self, account: AccountId, after_epoch: int) -> list[SignedOpening]:
        books = self.everyone.get(account, Books())
        return [opening for epoch, opening in sorted(books.openings.items()) if epoch > after_epoch]

    def last_opened(self) -> int:
        return max((books.log_epoch for books in self.everyone.values()), default=FIRST_EPOCH)

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

    def rivals(self, account: AccountId, contract: ContractId, first: Slot) -> Rivals:
        hold = ToyHold(self.everyone, account, BEGINNING)
        contracts = [name for name in hold.books.logs if name != ContractId(account)]
        slots = {name: {leaf.header.slot for leaf, _ in hold.books.logs[name]} - {None} for name in contracts}
        others = set().union(*(held for name, held in slots.items() if name != contract))
        shared = [slot for slot in slots.get(contract, set()) & others if slot is not None and slot >= first]
        places = [(name, slot) for name in contracts for slot in shared]
        return Rivals(hold.standing(places), hold.terms(contracts) if shared else {})

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
    return Feed(pages, more, leaves)


def _emptied(leaf: NewLeaf) -> NewLeaf:
    return NewLeaf(leaf.header, leaf.header_text, leaf.body_hash, None, None, leaf.receipt)


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
