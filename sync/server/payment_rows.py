"""Rows of the databases as payments, events and billing methods, the same for every one of them (R63)."""

from typing import Any

from diary.rules.ids import AccountId, Millis
from sync.server.kept_payments import KeptEvent, KeptMethod, KeptPayment
from sync.server.payment import Money, MoneyEvent, PaymentNames
from sync.server.storage_rows import Row

Columns = dict[str, Any]


def payment_columns(payment: KeptPayment) -> Columns:
    """Return a payment as the row of `gateway_payment`."""
    return {
        **_named(payment.names),
        "gateway": payment.gateway,
        **_priced(payment.money),
        "state": payment.state,
        "started_at_ms": payment.started_at_ms,
        "looked_at_ms": payment.looked_at_ms,
        "reference": payment.reference,
        "url": payment.url,
    }


def payment_of(row: Row) -> KeptPayment:
    """Return a payment of a row: the columns in the order of the statements."""
    account, contract, invoice, key, gateway, minor, currency, state, started, looked, reference, url = row
    names = PaymentNames(account, contract, invoice, key)
    money = Money(minor, currency)
    return KeptPayment(names, gateway, money, state, Millis(started), Millis(looked), reference, url)


def event_columns(event: MoneyEvent, received_at_ms: Millis) -> Columns:
    """Return an event as the row of `gateway_event`."""
    names = event.names
    return {
        "account": names.account,
        "key": event.key,
        "kind": event.kind,
        "contract": names.contract,
        "invoice": names.invoice,
        "payment": names.key,
        **_priced(event.money),
        "at_ms": event.at_ms,
        "received_at_ms": received_at_ms,
    }


def event_of(row: Row) -> KeptEvent:
    """Return an event of a row: the columns in the order of the statements."""
    account, key, kind, contract, invoice, payment, minor, currency, at_ms, received_at_ms = row
    names = PaymentNames(account, contract, invoice, payment)
    event = MoneyEvent(key, kind, names, Money(minor, currency), Millis(at_ms))
    return KeptEvent(event, Millis(received_at_ms))


def method_columns(account: AccountId, method: KeptMethod) -> Columns:
    """Return a billing method as the row of `billing_method`."""
    return {
        "account": account,
        "payer": method.payer,
        "gateway": method.gateway,
        "customer": method.customer,
        "verified": method.verified,
        "asked_at_ms": method.asked_at_ms,
        "stated_at_ms": method.stated_at_ms,
    }


def method_of(row: Row) -> KeptMethod:
    """Return a billing method of a row: the columns in the order of the statements."""
    payer, gateway, customer, verified, asked_at_ms, stated_at_ms = row
    return KeptMethod(
        payer,
        gateway,
        customer,
        None if verified is None else bool(verified),
        None if asked_at_ms is None else Millis(asked_at_ms),
        None if stated_at_ms is None else Millis(stated_at_ms),
    )


def _named(names: PaymentNames) -> Columns:
    return {
        "account": names.account,
        "contract": names.contract,
        "invoice": names.invoice,
        "key": names.key,
    }


def _priced(money: Money) -> Columns:
    return {"minor": money.minor, "currency": money.currency}
