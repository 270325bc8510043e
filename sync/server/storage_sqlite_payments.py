"""Payments and billing methods in the embedded database (R63)."""

from typing import Any

import apsw

from diary.rules.ids import AccountId, ContractId, Millis
from sync.server.kept_payments import KeptEvent, KeptMethod, KeptPayment
from sync.server.payment import MoneyEvent
from sync.server.payment_rows import (
    event_columns,
    event_of,
    method_columns,
    method_of,
    payment_columns,
    payment_of,
)
from sync.server.sqlite_transactions import SqliteTransactions

UNDER_WAY = """
    SELECT account, contract, invoice, key, gateway, minor, currency, state, started_at_ms, looked_at_ms,
           reference, url
      FROM gateway_payment
     WHERE account = :account AND contract = :contract AND invoice = :invoice AND state = 'started'
"""

PAYMENT = """
    SELECT account, contract, invoice, key, gateway, minor, currency, state, started_at_ms, looked_at_ms,
           reference, url
      FROM gateway_payment
     WHERE account = :account AND key = :key
"""

UNFINISHED = """
    SELECT account, contract, invoice, key, gateway, minor, currency, state, started_at_ms, looked_at_ms,
           reference, url
      FROM gateway_payment
     WHERE state = 'started' AND looked_at_ms < :before_ms
     ORDER BY looked_at_ms
     LIMIT :limit
"""

KEEP_PAYMENT = """
    INSERT INTO gateway_payment (account, key, contract, invoice, gateway, minor, currency, state,
                                 started_at_ms, looked_at_ms, reference, url)
    VALUES (:account, :key, :contract, :invoice, :gateway, :minor, :currency, :state, :started_at_ms,
            :looked_at_ms, :reference, :url)
        ON CONFLICT (account, key) DO UPDATE
       SET state = excluded.state,
           looked_at_ms = excluded.looked_at_ms,
           reference = excluded.reference,
           url = excluded.url
"""

KEEP_EVENT = """
    INSERT INTO gateway_event (account, key, kind, contract, invoice, payment, minor, currency, at_ms,
                               received_at_ms)
    VALUES (:account, :key, :kind, :contract, :invoice, :payment, :minor, :currency, :at_ms,
            :received_at_ms)
        ON CONFLICT (account, key) DO NOTHING
 RETURNING key
"""

EVENTS = """
    SELECT account, key, kind, contract, invoice, payment, minor, currency, at_ms, received_at_ms
      FROM gateway_event
     WHERE account = :account AND (:contract IS NULL OR contract = :contract)
     ORDER BY key
"""

METHOD = """
    SELECT payer, gateway, customer, verified, asked_at_ms, stated_at_ms
      FROM billing_method
     WHERE account = :account AND payer = :payer
"""

METHODS = """
    SELECT payer, gateway, customer, verified, asked_at_ms, stated_at_ms
      FROM billing_method
     WHERE account = :account
     ORDER BY payer
"""

OUTDATED = """
    SELECT account, payer, gateway, customer, verified, asked_at_ms, stated_at_ms
      FROM billing_method
     WHERE customer IS NOT NULL AND (asked_at_ms IS NULL OR asked_at_ms < :before_ms)
     ORDER BY asked_at_ms
     LIMIT :limit
"""

KEEP_METHOD = """
    INSERT INTO billing_method (account, payer, gateway, customer, verified, asked_at_ms, stated_at_ms)
    VALUES (:account, :payer, :gateway, :customer, :verified, :asked_at_ms, :stated_at_ms)
        ON CONFLICT (account, payer) DO UPDATE
       SET gateway = excluded.gateway,
           customer = excluded.customer,
           verified = excluded.verified,
           asked_at_ms = excluded.asked_at_ms,
           stated_at_ms = excluded.stated_at_ms
"""


class SqlitePaymentBooks:
    """`PaymentBooks` within the transaction of a hold."""

    def __init__(self, connection: apsw.Connection, account: AccountId) -> None:
        self._connection = connection
        self._account = account

    def under_way(self, contract: ContractId, invoice: int) -> KeptPayment | None:
        """See `PaymentBooks.under_way`."""
        rows = self._ask(UNDER_WAY, contract=contract, invoice=invoice)
        return payment_of(rows[0]) if rows else None

    def payment(self, key: str) -> KeptPayment | None:
        """See `PaymentBooks.payment`."""
        rows = self._ask(PAYMENT, key=key)
        return payment_of(rows[0]) if rows else None

    def keep(self, payment: KeptPayment) -> None:
        """See `PaymentBooks.keep`."""
        self._ask(KEEP_PAYMENT, **payment_columns(payment))

    def keep_event(self, event: MoneyEvent, received_at_ms: Millis) -> bool:
        """See `PaymentBooks.keep_event`."""
        return bool(self._ask(KEEP_EVENT, **event_columns(event, received_at_ms)))

    def events(self, contract: ContractId | None = None) -> list[KeptEvent]:
        """See `PaymentBooks.events`."""
        return [event_of(row) for row in self._ask(EVENTS, contract=contract)]

    def method(self, payer: str) -> KeptMethod | None:
        """See `PaymentBooks.method`."""
        rows = self._ask(METHOD, payer=payer)
        return method_of(rows[0]) if rows else None

    def keep_method(self, method: KeptMethod) -> None:
        """See `PaymentBooks.keep_method`."""
        self._ask(KEEP_METHOD, **method_columns(self._account, method))

    def _ask(self, statement: str, **asked: Any) -> list[Any]:
        return list(self._connection.execute(statement, {"account": self._account, **asked}))


class SqlitePaymentReader:
    """`PaymentReader` in the server's file."""

    def __init__(self, connection: apsw.Connection, transactions: SqliteTransactions) -> None:
        self._connection = connection
        self._transactions = transactions

    def methods(self, account: AccountId) -> list[KeptMethod]:
        """See `PaymentReader.methods`."""
        return [method_of(row) for row in self._read(METHODS, account=account)]

    def events(self, account: AccountId, contract: ContractId | None = None) -> list[KeptEvent]:
        """See `PaymentReader.events`."""
        return [event_of(row) for row in self._read(EVENTS, account=account, contract=contract)]

    def unfinished(self, looked_before_ms: Millis, limit: int) -> list[KeptPayment]:
        """See `PaymentReader.unfinished`."""
        rows = self._read(UNFINISHED, before_ms=looked_before_ms, limit=limit)
        return [payment_of(row) for row in rows]

    def outdated(self, asked_before_ms: Millis, limit: int) -> list[tuple[AccountId, KeptMethod]]:
        """See `PaymentReader.outdated`."""
        rows = self._read(OUTDATED, before_ms=asked_before_ms, limit=limit)
        return [(AccountId(account), method_of(row)) for account, *row in rows]

    def _read(self, statement: str, **asked: str | int | None) -> list[Any]:
        with self._transactions.transaction("BEGIN"):
            return list(self._connection.execute(statement, asked))
