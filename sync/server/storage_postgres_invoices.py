"""Invoices and the ledger in PostgreSQL (R61, R62, R69)."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from diary.evidence.statement import SignedStatement
from diary.rules.ids import AccountId, ContractId, Millis
from diary.rules.invoice_parts import Invoice
from diary.rules.ledger import GatewayEvent
from diary.rules.ledger_entry import LedgerEntry
from sync.server import invoice_rows
from sync.server.faults import again
from sync.server.kept_invoices import NewInvoice
from sync.server.postgres_lines import Line, Lines, all_rows, bigints

STATE = "SELECT invoices FROM account WHERE account = %(account)s"

KEEP = """
    INSERT INTO invoice (account, number, payer, currency, week, corrects, next_step_ms, text, signature,
                         healed)
    SELECT %(account)s, new.*
      FROM unnest(%(number)s::bigint[], %(payer)s::text[], %(currency)s::text[], %(week)s::text[],
                  %(corrects)s::bigint[], %(next_step_ms)s::bigint[], %(text)s::text[],
                  %(signature)s::bytea[], %(healed)s::boolean[]) AS new
"""

KEEP_CONTRACT = """
    INSERT INTO invoice_contract (account, contract, number)
    SELECT %(account)s, new.*
      FROM unnest(%(contract)s::text[], %(number)s::bigint[]) AS new
"""

NOTE_ISSUED = "UPDATE account SET invoices = greatest(invoices, %(number)s) WHERE account = %(account)s"

HELD = """
    SELECT number
      FROM invoice
     WHERE account = %(account)s AND number = ANY(%(numbers)s::bigint[])
"""

OF = """
    SELECT text
      FROM invoice
     WHERE account = %(account)s
       AND number IN (SELECT number
                        FROM invoice_contract
                       WHERE account = %(account)s
                         AND contract = ANY(%(contracts)s))
     ORDER BY number
"""

OF_WEEKS = """
    SELECT text
      FROM invoice
     WHERE account = %(account)s AND week = ANY(%(weeks)s)
     ORDER BY number
"""

STEPPING = """
    SELECT text
      FROM invoice
     WHERE account = %(account)s AND next_step_ms > 0 AND next_step_ms <= %(until_ms)s
     ORDER BY number
"""

NOTE_STEP = "UPDATE invoice SET next_step_ms = %(at_ms)s WHERE account = %(account)s AND number = %(number)s"

NOTE_DUE = """
    UPDATE account
       SET ledger_due_ms = coalesce((SELECT min(next_step_ms)
                                       FROM invoice
                                      WHERE account = %(account)s AND next_step_ms > 0), 0)
     WHERE account = %(account)s
"""

ENTRIES = """
    SELECT e.contract, e.key, e.invoice, e.currency, e.at_ms, e.what, p.ledger_account, p.amount_minor
      FROM ledger_entry AS e
      JOIN posting AS p
        ON p.account = e.account AND p.contract = e.contract AND p.key = e.key
     WHERE e.account = %(account)s
       AND e.contract = ANY(%(contracts)s)
       AND e.invoice = ANY(%(invoices)s::bigint[])
     ORDER BY e.at_ms, e.contract, e.key, p.ledger_account
"""

ALL_ENTRIES = """
    SELECT e.contract, e.key, e.invoice, e.currency, e.at_ms, e.what, p.ledger_account, p.amount_minor
      FROM ledger_entry AS e
      JOIN posting AS p
        ON p.account = e.account AND p.contract = e.contract AND p.key = e.key
     WHERE e.account = %(account)s
     ORDER BY e.at_ms, e.contract, e.key, p.ledger_account
"""

POST_ENTRY = """
    INSERT INTO ledger_entry (account, contract, key, invoice, currency, at_ms, what)
    SELECT %(account)s, new.*
      FROM unnest(%(contract)s::text[], %(key)s::text[], %(invoice)s::bigint[], %(currency)s::text[],
                  %(at_ms)s::bigint[], %(what)s::text[]) AS new
"""

POST = """
    INSERT INTO posting (account, contract, key, ledger_account, amount_minor)
    SELECT %(account)s, new.*
      FROM unnest(%(contract)s::text[], %(key)s::text[], %(ledger_account)s::text[],
                  %(amount_minor)s::bigint[]) AS new
"""

GATEWAY_EVENTS = """
    SELECT key, kind, contract, invoice, minor, currency, received_at_ms
      FROM gateway_event
     WHERE account = %(account)s AND contract = ANY(%(contracts)s)
     ORDER BY key
"""

INVOICES = """
    SELECT text, signature
      FROM invoice
     WHERE account = %(account)s AND number > %(after)s
     ORDER BY number
     LIMIT %(limit)s
"""

INVOICES_OF = """
    SELECT i.text, i.signature
      FROM invoice_contract AS c
      JOIN invoice AS i
        ON i.account = c.account AND i.number = c.number
     WHERE c.account = %(account)s AND c.contract = %(only)s AND c.number > %(after)s
     ORDER BY c.number
     LIMIT %(limit)s
"""

LAST = "SELECT coalesce(max(number), 0) FROM invoice WHERE account = %(account)s"

LAST_OF = """
    SELECT coalesce(max(number), 0)
      FROM invoice_contract
     WHERE account = %(account)s AND contract = %(only)s
"""

DUE = """
    SELECT account
      FROM account
     WHERE ledger_due_ms > 0 AND ledger_due_ms <= %(until_ms)s
     LIMIT %(limit)s
"""


class PostgresInvoiceBooks:
    """`InvoiceBooks` within the transaction of a hold."""

    def __init__(self, line: Line, account: AccountId, due_ms: Millis) -> None:
        self._line = line
        self._account = account
        self._due_ms = due_ms

    @property
    def issued(self) -> int:
        """See `InvoiceBooks.issued`."""
        rows = self._ask(STATE)
        return rows[0][0] if rows else 0

    @property
    def due_ms(self) -> Millis:
        """See `InvoiceBooks.due_ms`."""
        return self._due_ms

    def keep(self, invoices: Sequence[NewInvoice]) -> None:
        """See `InvoiceBooks.keep`."""
        if not invoices:
            return
        rows = [invoice_rows.invoice_row(self._account, new) for new in invoices]
        self._insert(KEEP, rows, invoice_rows.INVOICE_COLUMNS, ("number", "corrects", "next_step_ms"))
        contracts = invoice_rows.contract_rows(self._account, invoices)
        self._insert(KEEP_CONTRACT, contracts, ("account", "contract", "number"), ("number",))
        self._run(NOTE_ISSUED, number=max(new.invoice.number for new in invoices))
        self._run(NOTE_DUE)

    def note_issued(self, number: int) -> None:
        """See `InvoiceBooks.note_issued`."""
        self._run(NOTE_ISSUED, number=number)

    def held(self, numbers: Collection[int]) -> set[int]:
        """See `InvoiceBooks.held`."""
        return {number for (number,) in self._ask(HELD, numbers=bigints(numbers))}

    def of(self, contracts: Collection[ContractId]) -> list[Invoice]:
        """See `InvoiceBooks.of`."""
        return invoice_rows.invoices_of(self._ask(OF, contracts=list(contracts)))

    def of_weeks(self, weeks: Collection[str]) -> list[Invoice]:
        """See `InvoiceBooks.of_weeks`."""
        return invoice_rows.invoices_of(self._ask(OF_WEEKS, weeks=list(weeks)))

    def stepping(self, until_ms: Millis) -> list[Invoice]:
        """See `InvoiceBooks.stepping`."""
        return invoice_rows.invoices_of(self._ask(STEPPING, until_ms=until_ms))

    def note_steps(self, steps: Mapping[int, Millis]) -> None:
        """See `InvoiceBooks.note_steps`."""
        for number, at_ms in steps.items():
            self._run(NOTE_STEP, number=number, at_ms=at_ms)
        self._run(NOTE_DUE)

    def entries(self, contracts: Collection[ContractId], invoices: Collection[int]) -> list[LedgerEntry]:
        """See `InvoiceBooks.entries`."""
        rows = self._ask(ENTRIES, contracts=list(contracts), invoices=bigints(invoices))
        return invoice_rows.entries_of(rows)

    def post(self, entries: Sequence[LedgerEntry]) -> None:
        """See `InvoiceBooks.post`."""
        if not entries:
            return
        rows = invoice_rows.entry_rows(self._account, entries)
        self._insert(POST_ENTRY, rows, invoice_rows.ENTRY_COLUMNS, ("invoice", "at_ms"))
        postings = invoice_rows.posting_rows(self._account, entries)
        self._insert(POST, postings, invoice_rows.POSTING_COLUMNS, ("amount_minor",))

    def gateway_events(self, contracts: Collection[ContractId]) -> list[GatewayEvent]:
        """See `InvoiceBooks.gateway_events`."""
        rows = self._ask(GATEWAY_EVENTS, contracts=list(contracts))
        return [invoice_rows.gateway_event_of(self._account, row) for row in rows]

    def _insert(
        self, statement: Any, rows: Sequence[tuple[Any, ...]], columns: Sequence[str], numbers: Sequence[str]
    ) -> None:
        """Enter rows by one statement, a column a list."""
        lists = (list(column) for column in zip(*rows, strict=True))
        asked: dict[str, Any] = dict(zip(columns, lists, strict=True))
        asked |= {name: bigints(asked[name]) for name in numbers}
        self._line.execute(statement, asked | {"account": self._account})

    def _run(self, statement: Any, **asked: Any) -> None:
        self._line.execute(statement, {"account": self._account, **asked})

    def _ask(self, statement: Any, **asked: Any) -> list[Any]:
        return all_rows(self._line, statement, **{"account": self._account, **asked})


class PostgresInvoiceReader:
    """`InvoiceReader` in the database that the server's processes share."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def invoices(
        self, account: AccountId, after: int, limit: int, *, only: ContractId | None = None
    ) -> list[SignedStatement]:
        """See `InvoiceReader.invoices`."""
        asked: dict[str, Any] = {"account": account, "after": after, "limit": limit}
        rows = self._read(INVOICES, **asked) if only is None else self._read(INVOICES_OF, **asked, only=only)
        return invoice_rows.signed_of(rows)

    def last(self, account: AccountId, *, only: ContractId | None = None) -> int:
        """See `InvoiceReader.last`."""
        asked: dict[str, Any] = {"account": account}
        ((last,),) = self._read(LAST, **asked) if only is None else self._read(LAST_OF, **asked, only=only)
        return int(last)

    def entries(self, account: AccountId) -> list[LedgerEntry]:
        """See `InvoiceReader.entries`."""
        return invoice_rows.entries_of(self._read(ALL_ENTRIES, account=account))

    def due(self, until_ms: Millis, limit: int) -> list[AccountId]:
        """See `InvoiceReader.due`."""
        return [account for (account,) in self._read(DUE, until_ms=until_ms, limit=limit)]

    def _read(self, statement: Any, **asked: object) -> list[Any]:
        return again(lambda: self._lines.alone(lambda line: all_rows(line, statement, **asked)))
