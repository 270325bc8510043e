"""Invoices and the ledger as they are kept: verbs and their promises (R61, R62).

An invoice is kept once by its number and never changed, an entry once by its contract and key.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from diary.evidence.statement import SignedStatement
from diary.rules.ids import AccountId, ContractId, Millis
from diary.rules.invoice_parts import Invoice
from diary.rules.ledger import GatewayEvent
from diary.rules.ledger_entry import LedgerEntry

NO_STEP = Millis(0)


@dataclass(frozen=True, slots=True)
class NewInvoice:
    """An invoice on its way into storage: what it says, and what was signed of it."""

    invoice: Invoice
    signed: SignedStatement
    healed: bool = False
    """Shown again after the server had lost it (R43)."""


class InvoiceBooks(Protocol):
    """One account's invoices and ledger under its lock: verbs of one transaction."""

    @property
    def issued(self) -> int:
        """Return the number of the last invoice, 0 before there was one (R61)."""
        ...

    @property
    def due_ms(self) -> Millis:
        """Return the instant of the next step by time, 0 for none, as it was when the hold began (R62)."""
        ...

    def keep(self, invoices: Sequence[NewInvoice]) -> None:
        """Keep invoices; the greatest number is the last one from now on."""
        ...

    def note_issued(self, number: int) -> None:
        """Note that a number was given out: what is issued next has a greater one (R43, R61)."""
        ...

    def held(self, numbers: Collection[int]) -> set[int]:
        """Return those of the numbers under which an invoice is kept."""
        ...

    def of(self, contracts: Collection[ContractId]) -> list[Invoice]:
        """Return the invoices that have a line of any of the contracts, by number."""
        ...

    def of_weeks(self, weeks: Collection[str]) -> list[Invoice]:
        """Return the invoices of some weeks, corrections among them, by number."""
        ...

    def stepping(self, until_ms: Millis) -> list[Invoice]:
        """Return the invoices whose next step was due by then, by number (R62)."""
        ...

    def note_steps(self, steps: Mapping[int, Millis]) -> None:
        """Note when the next step of each of these invoices is due, 0 for no more."""
        ...

    def entries(self, contracts: Collection[ContractId], invoices: Collection[int]) -> list[LedgerEntry]:
        """Return the ledger's entries of these contracts in these invoices, in the order of time and key."""
        ...

    def post(self, entries: Sequence[LedgerEntry]) -> None:
        """Enter entries into the ledger."""
        ...

    def gateway_events(self, contracts: Collection[ContractId]) -> list[GatewayEvent]:
        """Return what the gateway told about these contracts, with the times of receipt (R63)."""
        ...


class InvoiceReader(Protocol):
    """What is asked of invoices without a lock: each question sees one committed state."""

    def invoices(
        self, account: AccountId, after: int, limit: int, *, only: ContractId | None = None
    ) -> list[SignedStatement]:
        """Return invoices with greater numbers, as signed; with `only` those with a line of that contract."""
        ...

    def last(self, account: AccountId, *, only: ContractId | None = None) -> int:
        """Return the greatest number of an invoice, with `only` of that contract's; 0 for none."""
        ...

    def entries(self, account: AccountId) -> list[LedgerEntry]:
        """Return the account's whole ledger, in the order of time, contract and key."""
        ...

    def due(self, until_ms: Millis, limit: int) -> list[AccountId]:
        """Return accounts of which a step was due by then (R62)."""
        ...


class HoldsInvoices(Protocol):
    """An account's hold, as far as invoices go."""

    @property
    def invoices(self) -> InvoiceBooks:
        """Return the account's invoices and its ledger (R61, R62)."""
        ...


class ReadsInvoices(Protocol):
    """A storage, as far as invoices go."""

    @property
    def invoices(self) -> InvoiceReader:
        """Return what may be asked of invoices without a lock (R61)."""
        ...
