"""Invoices and the ledger in a database of either dialect (R61, R62, R69)."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from diary.evidence.statement import SignedStatement
from diary.rules.ids import AccountId, ContractId, Millis
from diary.rules.invoice_parts import Invoice
from diary.rules.ledger import GatewayEvent
from diary.rules.ledger_entry import LedgerEntry
from sync.server import invoice_rows
from sync.server.dialect import AskedDatabase, HeldDatabase
from sync.server.kept_invoices import NewInvoice


class InvoiceStatements(Protocol):
    """What the books ask, in one dialect: the module of its statements."""

    STATE: str
    KEEP: str
    KEEP_CONTRACT: str
    NOTE_ISSUED: str
    HELD: str
    OF: str
    OF_WEEKS: str
    STEPPING: str
    NOTE_STEP: str
    NOTE_DUE: str
    ENTRIES: str
    ALL_ENTRIES: str
    POST_ENTRY: str
    POST: str
    GATEWAY_EVENTS: str
    INVOICES: str
    INVOICES_OF: str
    LAST: str
    LAST_OF: str
    DUE: str


class StoredInvoiceBooks:
    """`InvoiceBooks` within the transaction of a hold."""

    def __init__(
        self, database: HeldDatabase, sql: InvoiceStatements, account: AccountId, due_ms: Millis
    ) -> None:
        self._database = database
        self._sql = sql
        self._account = account
        self._due_ms = due_ms

    @property
    def issued(self) -> int:
        """See `InvoiceBooks.issued`."""
        rows = self._database.ask(self._sql.STATE)
        return rows[0][0] if rows else 0

    @property
    def due_ms(self) -> Millis:
        """See `InvoiceBooks.due_ms`."""
        return self._due_ms

    def keep(self, invoices: Sequence[NewInvoice]) -> None:
        """See `InvoiceBooks.keep`."""
        if not invoices:
            return
        rows = [invoice_rows.invoice_row(new) for new in invoices]
        self._database.enter(self._sql.KEEP, invoice_rows.INVOICE, rows)
        contracts = invoice_rows.contract_rows(invoices)
        self._database.enter(self._sql.KEEP_CONTRACT, invoice_rows.INVOICE_CONTRACT, contracts)
        self.note_issued(max(new.invoice.number for new in invoices))
        self._database.run(self._sql.NOTE_DUE)

    def note_issued(self, number: int) -> None:
        """See `InvoiceBooks.note_issued`."""
        self._database.run(self._sql.NOTE_ISSUED, number=number)

    def held(self, numbers: Collection[int]) -> set[int]:
        """See `InvoiceBooks.held`."""
        rows = self._database.ask(self._sql.HELD, numbers=self._database.numbers(numbers))
        return {number for (number,) in rows}

    def of(self, contracts: Collection[ContractId]) -> list[Invoice]:
        """See `InvoiceBooks.of`."""
        rows = self._database.ask(self._sql.OF, contracts=self._database.texts(contracts))
        return invoice_rows.invoices_of(rows)

    def of_weeks(self, weeks: Collection[str]) -> list[Invoice]:
        """See `InvoiceBooks.of_weeks`."""
        rows = self._database.ask(self._sql.OF_WEEKS, weeks=self._database.texts(weeks))
        return invoice_rows.invoices_of(rows)

    def stepping(self, until_ms: Millis) -> list[Invoice]:
        """See `InvoiceBooks.stepping`."""
        return invoice_rows.invoices_of(self._database.ask(self._sql.STEPPING, until_ms=until_ms))

    def note_steps(self, steps: Mapping[int, Millis]) -> None:
        """See `InvoiceBooks.note_steps`."""
        for number, at_ms in steps.items():
            self._database.run(self._sql.NOTE_STEP, number=number, at_ms=at_ms)
        self._database.run(self._sql.NOTE_DUE)

    def entries(self, contracts: Collection[ContractId], invoices: Collection[int]) -> list[LedgerEntry]:
        """See `InvoiceBooks.entries`."""
        asked = {"contracts": self._database.texts(contracts), "invoices": self._database.numbers(invoices)}
        return invoice_rows.entries_of(self._database.ask(self._sql.ENTRIES, **asked))

    def post(self, entries: Sequence[LedgerEntry]) -> None:
        """See `InvoiceBooks.post`."""
        rows = invoice_rows.entry_rows(entries)
        self._database.enter(self._sql.POST_ENTRY, invoice_rows.LEDGER_ENTRY, rows)
        self._database.enter(self._sql.POST, invoice_rows.POSTING, invoice_rows.posting_rows(entries))

    def gateway_events(self, contracts: Collection[ContractId]) -> list[GatewayEvent]:
        """See `InvoiceBooks.gateway_events`."""
        rows = self._database.ask(self._sql.GATEWAY_EVENTS, contracts=self._database.texts(contracts))
        return [invoice_rows.gateway_event_of(self._account, row) for row in rows]


class StoredInvoiceReader:
    """`InvoiceReader` in the database."""

    def __init__(self, database: AskedDatabase, sql: InvoiceStatements) -> None:
        self._database = database
        self._sql = sql

    def invoices(
        self, account: AccountId, after: int, limit: int, *, only: ContractId | None = None
    ) -> list[SignedStatement]:
        """See `InvoiceReader.invoices`."""
        asked: dict[str, Any] = {"account": account, "after": after, "limit": limit}
        if only is None:
            return invoice_rows.signed_of(self._database.ask(self._sql.INVOICES, **asked))
        return invoice_rows.signed_of(self._database.ask(self._sql.INVOICES_OF, **asked, only=only))

    def last(self, account: AccountId, *, only: ContractId | None = None) -> int:
        """See `InvoiceReader.last`."""
        if only is None:
            ((last,),) = self._database.ask(self._sql.LAST, account=account)
        else:
            ((last,),) = self._database.ask(self._sql.LAST_OF, account=account, only=only)
        return int(last)

    def entries(self, account: AccountId) -> list[LedgerEntry]:
        """See `InvoiceReader.entries`."""
        return invoice_rows.entries_of(self._database.ask(self._sql.ALL_ENTRIES, account=account))

    def due(self, until_ms: Millis, limit: int) -> list[AccountId]:
        """See `InvoiceReader.due`."""
        rows = self._database.ask(self._sql.DUE, until_ms=until_ms, limit=limit)
        return [account for (account,) in rows]
