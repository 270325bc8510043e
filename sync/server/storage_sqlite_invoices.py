"""Invoices and the ledger in the embedded database (R61, R62)."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import apsw
import msgspec

from diary.evidence.statement import SignedStatement
from diary.rules.ids import AccountId, ContractId, Millis
from diary.rules.invoice_parts import Invoice
from diary.rules.ledger import GatewayEvent
from diary.rules.ledger_entry import LedgerEntry
from sync.server import invoice_rows
from sync.server.kept_invoices import NewInvoice
from sync.server.sqlite_transactions import SqliteTransactions

STATE = "SELECT invoices FROM account WHERE account = :account"

KEEP = """
    INSERT INTO invoice (account, number, payer, currency, week, corrects, next_step_ms, text, signature,
                         healed)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

KEEP_CONTRACT = "INSERT INTO invoice_contract (account, contract, number) VALUES (?, ?, ?)"

NOTE_ISSUED = "UPDATE account SET invoices = max(invoices, :number) WHERE account = :account"

HELD = """
    SELECT number
      FROM invoice
     WHERE account = :account AND number IN (SELECT value FROM json_each(:numbers))
"""

OF = """
    SELECT text
      FROM invoice
     WHERE account = :account
       AND number IN (SELECT number
                        FROM invoice_contract
                       WHERE account = :account
                         AND contract IN (SELECT value FROM json_each(:contracts)))
     ORDER BY number
"""

OF_WEEKS = """
    SELECT text
      FROM invoice
     WHERE account = :account AND week IN (SELECT value FROM json_each(:weeks))
     ORDER BY number
"""

STEPPING = """
    SELECT text
      FROM invoice
     WHERE account = :account AND next_step_ms > 0 AND next_step_ms <= :until_ms
     ORDER BY number
"""

NOTE_STEP = "UPDATE invoice SET next_step_ms = :at_ms WHERE account = :account AND number = :number"

NOTE_DUE = """
    UPDATE account
       SET ledger_due_ms = coalesce((SELECT min(next_step_ms)
                                       FROM invoice
                                      WHERE account = :account AND next_step_ms > 0), 0)
     WHERE account = :account
"""

ENTRIES = """
    SELECT e.contract, e.key, e.invoice, e.currency, e.at_ms, e.what, p.ledger_account, p.amount_minor
      FROM ledger_entry AS e
      JOIN posting AS p
        ON p.account = e.account AND p.contract = e.contract AND p.key = e.key
     WHERE e.account = :account
       AND e.contract IN (SELECT value FROM json_each(:contracts))
       AND e.invoice IN (SELECT value FROM json_each(:invoices))
     ORDER BY e.at_ms, e.contract, e.key, p.ledger_account
"""

ALL_ENTRIES = """
    SELECT e.contract, e.key, e.invoice, e.currency, e.at_ms, e.what, p.ledger_account, p.amount_minor
      FROM ledger_entry AS e
      JOIN posting AS p
        ON p.account = e.account AND p.contract = e.contract AND p.key = e.key
     WHERE e.account = :account
     ORDER BY e.at_ms, e.contract, e.key, p.ledger_account
"""

POST_ENTRY = """
    INSERT INTO ledger_entry (account, contract, key, invoice, currency, at_ms, what)
    VALUES (?, ?, ?, ?, ?, ?, ?)
"""

POST = """
    INSERT INTO posting (account, contract, key, ledger_account, amount_minor)
    VALUES (?, ?, ?, ?, ?)
"""

GATEWAY_EVENTS = """
    SELECT key, kind, contract, invoice, minor, currency, received_at_ms
      FROM gateway_event
     WHERE account = :account AND contract IN (SELECT value FROM json_each(:contracts))
     ORDER BY key
"""

INVOICES = """
    SELECT text, signature
      FROM invoice
     WHERE account = :account AND number > :after
     ORDER BY number
     LIMIT :limit
"""

INVOICES_OF = """
    SELECT i.text, i.signature
      FROM invoice_contract AS c
      JOIN invoice AS i
        ON i.account = c.account AND i.number = c.number
     WHERE c.account = :account AND c.contract = :only AND c.number > :after
     ORDER BY c.number
     LIMIT :limit
"""

LAST = "SELECT coalesce(max(number), 0) FROM invoice WHERE account = :account"

LAST_OF = """
    SELECT coalesce(max(number), 0)
      FROM invoice_contract
     WHERE account = :account AND contract = :only
"""

DUE = """
    SELECT account
      FROM account
     WHERE ledger_due_ms > 0 AND ledger_due_ms <= :until_ms
     LIMIT :limit
"""

_json = msgspec.json.Encoder()


def _listed(values: Collection[Any]) -> str:
    return _json.encode(sorted(values)).decode()


class SqliteInvoiceBooks:
    """`InvoiceBooks` within the transaction of a hold."""

    def __init__(self, connection: apsw.Connection, account: AccountId, due_ms: Millis) -> None:
        self._connection = connection
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
        rows = [invoice_rows.invoice_row(self._account, new) for new in invoices]
        self._connection.executemany(KEEP, rows)
        self._connection.executemany(KEEP_CONTRACT, invoice_rows.contract_rows(self._account, invoices))
        if invoices:
            self._ask(NOTE_ISSUED, number=max(new.invoice.number for new in invoices))
            self._ask(NOTE_DUE)

    def note_issued(self, number: int) -> None:
        """See `InvoiceBooks.note_issued`."""
        self._ask(NOTE_ISSUED, number=number)

    def held(self, numbers: Collection[int]) -> set[int]:
        """See `InvoiceBooks.held`."""
        return {number for (number,) in self._ask(HELD, numbers=_listed(numbers))}

    def of(self, contracts: Collection[ContractId]) -> list[Invoice]:
        """See `InvoiceBooks.of`."""
        return invoice_rows.invoices_of(self._ask(OF, contracts=_listed(contracts)))

    def of_weeks(self, weeks: Collection[str]) -> list[Invoice]:
        """See `InvoiceBooks.of_weeks`."""
        return invoice_rows.invoices_of(self._ask(OF_WEEKS, weeks=_listed(weeks)))

    def stepping(self, until_ms: Millis) -> list[Invoice]:
        """See `InvoiceBooks.stepping`."""
        return invoice_rows.invoices_of(self._ask(STEPPING, until_ms=until_ms))

    def note_steps(self, steps: Mapping[int, Millis]) -> None:
        """See `InvoiceBooks.note_steps`."""
        for number, at_ms in steps.items():
            self._ask(NOTE_STEP, number=number, at_ms=at_ms)
        self._ask(NOTE_DUE)

    def entries(self, contracts: Collection[ContractId], invoices: Collection[int]) -> list[LedgerEntry]:
        """See `InvoiceBooks.entries`."""
        asked = {"contracts": _listed(contracts), "invoices": _listed(invoices)}
        return invoice_rows.entries_of(self._ask(ENTRIES, **asked))

    def post(self, entries: Sequence[LedgerEntry]) -> None:
        """See `InvoiceBooks.post`."""
        self._connection.executemany(POST_ENTRY, invoice_rows.entry_rows(self._account, entries))
        self._connection.executemany(POST, invoice_rows.posting_rows(self._account, entries))

    def gateway_events(self, contracts: Collection[ContractId]) -> list[GatewayEvent]:
        """See `InvoiceBooks.gateway_events`."""
        rows = self._ask(GATEWAY_EVENTS, contracts=_listed(contracts))
        return [invoice_rows.gateway_event_of(self._account, row) for row in rows]

    def _ask(self, statement: str, **asked: Any) -> list[Any]:
        return list(self._connection.execute(statement, {"account": self._account, **asked}))


class SqliteInvoiceReader:
    """`InvoiceReader` in the server's file."""

    def __init__(self, connection: apsw.Connection, transactions: SqliteTransactions) -> None:
        self._connection = connection
        self._transactions = transactions

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

    def _read(self, statement: str, **asked: Any) -> list[Any]:
        with self._transactions.transaction("BEGIN"):
            return list(self._connection.execute(statement, asked))
