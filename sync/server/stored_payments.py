"""Payments and billing methods in a database of either dialect (R63, R69)."""

from typing import Protocol

from diary.rules.ids import AccountId, ContractId, Millis
from sync.server.dialect import AskedDatabase, HeldDatabase
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


class PaymentStatements(Protocol):
    """What the books ask, in one dialect: the module of its statements."""

    UNDER_WAY: str
    PAYMENT: str
    UNFINISHED: str
    KEEP_PAYMENT: str
    KEEP_EVENT: str
    EVENTS: str
    METHOD: str
    METHODS: str
    OUTDATED: str
    KEEP_METHOD: str


class StoredPaymentBooks:
    """`PaymentBooks` within the transaction of a hold."""

    def __init__(self, database: HeldDatabase, sql: PaymentStatements, account: AccountId) -> None:
        self._database = database
        self._sql = sql
        self._account = account

    def under_way(self, contract: ContractId, invoice: int) -> KeptPayment | None:
        """See `PaymentBooks.under_way`."""
        rows = self._database.ask(self._sql.UNDER_WAY, contract=contract, invoice=invoice)
        return payment_of(rows[0]) if rows else None

    def payment(self, key: str) -> KeptPayment | None:
        """See `PaymentBooks.payment`."""
        rows = self._database.ask(self._sql.PAYMENT, key=key)
        return payment_of(rows[0]) if rows else None

    def keep(self, payment: KeptPayment) -> None:
        """See `PaymentBooks.keep`."""
        self._database.run(self._sql.KEEP_PAYMENT, **payment_columns(payment))

    def keep_event(self, event: MoneyEvent, received_at_ms: Millis) -> bool:
        """See `PaymentBooks.keep_event`."""
        return bool(self._database.ask(self._sql.KEEP_EVENT, **event_columns(event, received_at_ms)))

    def events(self, contract: ContractId | None = None) -> list[KeptEvent]:
        """See `PaymentBooks.events`."""
        return [event_of(row) for row in self._database.ask(self._sql.EVENTS, contract=contract)]

    def method(self, payer: str) -> KeptMethod | None:
        """See `PaymentBooks.method`."""
        rows = self._database.ask(self._sql.METHOD, payer=payer)
        return method_of(rows[0]) if rows else None

    def keep_method(self, method: KeptMethod) -> None:
        """See `PaymentBooks.keep_method`."""
        self._database.run(self._sql.KEEP_METHOD, **method_columns(self._account, method))


class StoredPaymentReader:
    """`PaymentReader` in the database."""

    def __init__(self, database: AskedDatabase, sql: PaymentStatements) -> None:
        self._database = database
        self._sql = sql

    def methods(self, account: AccountId) -> list[KeptMethod]:
        """See `PaymentReader.methods`."""
        return [method_of(row) for row in self._database.ask(self._sql.METHODS, account=account)]

    def events(self, account: AccountId, contract: ContractId | None = None) -> list[KeptEvent]:
        """See `PaymentReader.events`."""
        return [
            event_of(row) for row in self._database.ask(self._sql.EVENTS, account=account, contract=contract)
        ]

    def unfinished(self, looked_before_ms: Millis, limit: int) -> list[KeptPayment]:
        """See `PaymentReader.unfinished`."""
        rows = self._database.ask(self._sql.UNFINISHED, before_ms=looked_before_ms, limit=limit)
        return [payment_of(row) for row in rows]

    def outdated(self, asked_before_ms: Millis, limit: int) -> list[tuple[AccountId, KeptMethod]]:
        """See `PaymentReader.outdated`."""
        rows = self._database.ask(self._sql.OUTDATED, before_ms=asked_before_ms, limit=limit)
        return [(AccountId(account), method_of(row)) for account, *row in rows]
