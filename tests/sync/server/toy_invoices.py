"""Invoices and the ledger of one account in plain dictionaries (see `toy_storage`)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from diary.evidence.statement import SignedStatement
from diary.rules.ids import AccountId, ContractId, Millis
from diary.rules.invoice_parts import Invoice
from diary.rules.ledger import GatewayEvent
from diary.rules.ledger_entry import LedgerEntry
from sync.server.kept_invoices import NO_STEP, NewInvoice
from tests.sync.server.toy_payments import ToyPaymentBooks


@dataclass
class ToyInvoiceBooks:
    payments: ToyPaymentBooks
    kept: dict[int, NewInvoice] = field(default_factory=dict)
    steps: dict[int, Millis] = field(default_factory=dict)
    ledger: dict[tuple[ContractId, str], LedgerEntry] = field(default_factory=dict)
    issued: int = 0

    @property
    def due_ms(self) -> Millis:
        return min((at_ms for at_ms in self.steps.values() if at_ms), default=NO_STEP)

    def keep(self, invoices: Sequence[NewInvoice]) -> None:
        for new in invoices:
            assert new.invoice.number not in self.kept
            self.kept[new.invoice.number] = new
            self.steps[new.invoice.number] = new.invoice.review_ends_at_ms
            self.issued = max(self.issued, new.invoice.number)

    def note_issued(self, number: int) -> None:
        self.issued = max(self.issued, number)

    def held(self, numbers: Collection[int]) -> set[int]:
        return self.kept.keys() & set(numbers)

    def _all(self) -> list[Invoice]:
        return [new.invoice for _, new in sorted(self.kept.items())]

    def of(self, contracts: Collection[ContractId]) -> list[Invoice]:
        return [one for one in self._all() if any(line.contract in contracts for line in one.lines)]

    def of_weeks(self, weeks: Collection[str]) -> list[Invoice]:
        return [one for one in self._all() if one.week in weeks]

    def stepping(self, until_ms: Millis) -> list[Invoice]:
        return [one for one in self._all() if 0 < self.steps[one.number] <= until_ms]

    def note_steps(self, steps: Mapping[int, Millis]) -> None:
        self.steps.update(steps)

    def entries(self, contracts: Collection[ContractId], invoices: Collection[int]) -> list[LedgerEntry]:
        return [one for one in self.all_entries() if one.contract in contracts and one.invoice in invoices]

    def all_entries(self) -> list[LedgerEntry]:
        return sorted(self.ledger.values(), key=lambda entry: (entry.at_ms, entry.contract, entry.key))

    def post(self, entries: Sequence[LedgerEntry]) -> None:
        for entry in entries:
            assert (entry.contract, entry.key) not in self.ledger
            self.ledger[entry.contract, entry.key] = entry

    def gateway_events(self, contracts: Collection[ContractId]) -> list[GatewayEvent]:
        return [
            GatewayEvent(
                kept.event.key,
                kept.received_at_ms,
                kept.event.kind,
                kept.event.names.account,
                kept.event.names.contract,
                kept.event.names.invoice,
                kept.event.money.currency,
                kept.event.money.minor,
            )
            for kept in self.payments.events()
            if kept.event.names.contract in contracts
        ]


@dataclass
class ToyInvoiceReader:
    of_all: dict[AccountId, ToyInvoiceBooks]

    def invoices(
        self, account: AccountId, after: int, limit: int, *, only: ContractId | None = None
    ) -> list[SignedStatement]:
        books = self.of_all.get(account) or ToyInvoiceBooks(ToyPaymentBooks())
        kept = [new for number, new in sorted(books.kept.items()) if number > after]
        return [
            new.signed
            for new in kept
            if only is None or any(line.contract == only for line in new.invoice.lines)
        ][:limit]

    def last(self, account: AccountId, *, only: ContractId | None = None) -> int:
        books = self.of_all.get(account) or ToyInvoiceBooks(ToyPaymentBooks())
        kept = (
            books.of([only])
            if only is not None
            else books.of_weeks({one.invoice.week for one in books.kept.values()})
        )
        return max((one.number for one in kept), default=0)

    def entries(self, account: AccountId) -> list[LedgerEntry]:
        return self.of_all[account].all_entries() if account in self.of_all else []

    def due(self, until_ms: Millis, limit: int) -> list[AccountId]:
        return [name for name, books in self.of_all.items() if 0 < books.due_ms <= until_ms][:limit]
