"""Payments and billing methods in PostgreSQL (R63, R69)."""

from typing import Any

from diary.rules.ids import AccountId, ContractId, Millis
from sync.server.faults import again
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
from sync.server.postgres_lines import Line, Lines, all_rows

UNDER_WAY = """
    SELECT account, contract, invoice, key, gateway, minor, currency, state, started_at_ms, looked_at_ms,
           reference, url
      FROM gateway_payment
     WHERE account = %(account)s AND contract = %(contract)s AND invoice = %(invoice)s AND state = 'started'
"""

PAYMENT = """
    SELECT account, contract, invoice, key, gateway, minor, currency, state, started_at_ms, looked_at_ms,
           reference, url
      FROM gateway_payment
     WHERE account = %(account)s AND key = %(key)s
"""

UNFINISHED = """
    SELECT account, contract, invoice, key, gateway, minor, currency, state, started_at_ms, looked_at_ms,
           reference, url
      FROM gateway_payment
     WHERE state = 'started' AND looked_at_ms < %(before_ms)s
     ORDER BY looked_at_ms
     LIMIT %(limit)s
"""

KEEP_PAYMENT = """
    INSERT INTO gateway_payment (account, key, contract, invoice, gateway, minor, currency, state,
                                 started_at_ms, looked_at_ms, reference, url)
    VALUES (%(account)s, %(key)s, %(contract)s, %(invoice)s, %(gateway)s, %(minor)s, %(currency)s,
            %(state)s, %(started_at_ms)s, %(looked_at_ms)s, %(reference)s, %(url)s)
        ON CONFLICT (account, key) DO UPDATE
       SET state = excluded.state,
           looked_at_ms = excluded.looked_at_ms,
           reference = excluded.reference,
           url = excluded.url
"""

KEEP_EVENT = """
    INSERT INTO gateway_event (account, key, kind, contract, invoice, payment, minor, currency, at_ms,
                               received_at_ms)
    SELECT %(account)s, %(key)s, %(kind)s, %(contract)s, %(invoice)s, %(payment)s, %(minor)s, %(currency)s,
           %(at_ms)s, %(received_at_ms)s
     WHERE NOT EXISTS (SELECT 1 FROM gateway_event WHERE account = %(account)s AND key = %(key)s)
 RETURNING key
"""

EVENTS = """
    SELECT account, key, kind, contract, invoice, payment, minor, currency, at_ms, received_at_ms
      FROM gateway_event
     WHERE account = %(account)s AND (%(contract)s::text IS NULL OR contract = %(contract)s)
     ORDER BY key
"""

METHOD = """
    SELECT payer, gateway, customer, verified, asked_at_ms, stated_at_ms
      FROM billing_method
     WHERE account = %(account)s AND payer = %(payer)s
"""

METHODS = """
    SELECT payer, gateway, customer, verified, asked_at_ms, stated_at_ms
      FROM billing_method
     WHERE account = %(account)s
     ORDER BY payer
"""

OUTDATED = """
    SELECT account, payer, gateway, customer, verified, asked_at_ms, stated_at_ms
      FROM billing_method
     WHERE customer IS NOT NULL AND (asked_at_ms IS NULL OR asked_at_ms < %(before_ms)s)
     ORDER BY asked_at_ms
     LIMIT %(limit)s
"""

KEEP_METHOD = """
    INSERT INTO billing_method (account, payer, gateway, customer, verified, asked_at_ms, stated_at_ms)
    VALUES (%(account)s, %(payer)s, %(gateway)s, %(customer)s, %(verified)s, %(asked_at_ms)s,
            %(stated_at_ms)s)
        ON CONFLICT (account, payer) DO UPDATE
       SET gateway = excluded.gateway,
           customer = excluded.customer,
           verified = excluded.verified,
           asked_at_ms = excluded.asked_at_ms,
           stated_at_ms = excluded.stated_at_ms
"""


class PostgresPaymentBooks:
    """`PaymentBooks` within the transaction of a hold."""

    def __init__(self, line: Line, account: AccountId) -> None:
        self._line = line
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
        self._line.execute(KEEP_PAYMENT, payment_columns(payment))

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
        self._line.execute(KEEP_METHOD, method_columns(self._account, method))

    def _ask(self, statement: Any, **asked: Any) -> list[Any]:
        return all_rows(self._line, statement, **{"account": self._account, **asked})


class PostgresPaymentReader:
    """`PaymentReader` in the database that the server's processes share."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

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

    def _read(self, statement: Any, **asked: object) -> list[Any]:
        return again(lambda: self._lines.alone(lambda line: all_rows(line, statement, **asked)))
