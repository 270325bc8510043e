"""One account of the toy storage, under its lock (see `toy_storage`)."""

import copy
import hashlib
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from msgspec import UNSET

from diary.evidence.merkle import CompactRange
from diary.evidence.opening import FIRST_EPOCH, SignedOpening
from diary.evidence.receipt import Receipt, SignedPush
from diary.evidence.seats import JoiningError, Seats
from diary.evidence.statement import SignedStatement
from diary.rules.acts import ACT_TYPES
from diary.rules.contract import TermsVersion, versions_of
from diary.rules.ids import AccountId, ContractId, Millis, ReplicaId, Slot
from diary.rules.merge import Held
from sync.server.kept_healing import NOTHING_HEALED
from sync.server.kept_log import Log, NewSeal
from sync.server.storage import (
    Basis,
    DeviceListRow,
    Name,
    NewLeaf,
    NewRefusal,
    Place,
    Question,
    Stored,
    pictures_of,
)
from tests.sync.server.toy_healing import ToyHealingBooks
from tests.sync.server.toy_invoices import ToyInvoiceBooks
from tests.sync.server.toy_payments import ToyPaymentBooks

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
    seals: dict[ContractId, list[NewSeal]] = field(default_factory=dict)
    sealed_until_ms: Millis = BEGINNING
    payments: ToyPaymentBooks = field(default_factory=ToyPaymentBooks)
    invoices: ToyInvoiceBooks = field(init=False)
    healing: ToyHealingBooks = field(default_factory=ToyHealingBooks)

    def __post_init__(self) -> None:
        self.invoices = ToyInvoiceBooks(self.payments)


def is_receipt(item: Stored) -> bool:
    return isinstance(item.answer, Receipt)


class ToyHold:
    def __init__(self, everyone: dict[AccountId, Books], account: AccountId, now_ms: Millis) -> None:
        self.everyone = everyone
        self.account = account
        self.books = copy.deepcopy(everyone.get(account, Books()))
        self.opened = account in everyone
        self.doomed: set[str] = set()
        self.received_at_ms = max(now_ms, self.books.received_at_ms, self.books.sealed_until_ms)

    @property
    def payments(self) -> ToyPaymentBooks:
        return self.books.payments

    @property
    def invoices(self) -> ToyInvoiceBooks:
        return self.books.invoices

    @property
    def healing(self) -> ToyHealingBooks:
        return self.books.healing

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

    def logs(self, contracts: Collection[ContractId]) -> dict[ContractId, Log]:
        return {name: head for name, head in self.all_logs().items() if name in contracts}

    def all_logs(self) -> dict[ContractId, Log]:
        return {name: log_of(self.books, name) for name in self.books.logs}

    @property
    def sealed_until_ms(self) -> Millis:
        return self.books.sealed_until_ms

    def segments(self, first: Slot, end: Slot) -> dict[ContractId, list[Held]]:
        found = {
            name: [
                Held(leaf.header, Millis(leaf.receipt.received_at_ms), bytes.fromhex(leaf.receipt.leaf))
                for leaf, _ in log
                if leaf.header.slot is not None and first <= leaf.header.slot < end
            ]
            for name, log in self.books.logs.items()
        }
        return {name: held for name, held in found.items() if held}

    def newest_seals(self, week: str) -> dict[ContractId, SignedStatement]:
        return {
            name: [seal.signed for seal in seals if seal.week == week][-1]
            for name, seals in self.books.seals.items()
            if any(seal.week == week for seal in seals)
        }

    def keep_seals(self, seals: Sequence[NewSeal]) -> None:
        for seal in seals:
            kept = self.books.seals.setdefault(seal.contract, [])
            kept.append(seal)
            assert seal.number == len(kept)

    def note_sealed(self, until_ms: Millis) -> None:
        self.books.sealed_until_ms = until_ms

    def open_epoch(self, log_epoch: int, opening: SignedOpening) -> None:
        self.books.log_epoch = log_epoch
        self.books.openings[log_epoch] = opening
        if self.healing.waits_from is None:
            self.healing.note(NOTHING_HEALED)

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

    def memberships(self) -> list[Held]:
        own = self.books.logs.get(ContractId(self.account), [])
        return [
            Held(leaf.header, Millis(leaf.receipt.received_at_ms))
            for leaf, _ in own
            if leaf.header.type == "membership"
        ]

    def managed(self) -> set[ContractId]:
        return {
            contract
            for contract, leaves in self.books.logs.items()
            for leaf, _ in leaves
            if (grant := leaf.header.grant) is not None
            and grant.invitation is not None
            and grant.invitation.agency is not UNSET
        }

    def beside(self, account: AccountId) -> "ToyHold":
        return ToyHold(self.everyone, account, self.received_at_ms)

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

    def append(
        self,
        push: SignedPush,
        push_hash: bytes,
        leaves: Sequence[NewLeaf],
        grown: Mapping[ContractId, CompactRange],
    ) -> None:
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


def log_of(books: Books, contract: ContractId) -> Log:
    leaves = [bytes.fromhex(leaf.receipt.leaf) for leaf, _ in books.logs.get(contract, [])]
    return Log(books.log_epoch, CompactRange().extended(leaves), len(books.seals.get(contract, [])))


def _emptied(leaf: NewLeaf) -> NewLeaf:
    return NewLeaf(leaf.header, leaf.header_text, leaf.body_hash, None, None, leaf.receipt)
