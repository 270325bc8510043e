"""Invoices, positions and ledgers made short, for the tests of money."""

from typing import Any

import msgspec

from diary.rules.ids import Millis, Slot
from diary.rules.invoice import Issue, Life
from diary.rules.invoice_parts import Invoice, InvoiceLine
from diary.rules.ledger import Facts, Position, entries
from diary.rules.ledger_entry import LedgerAccount, balances
from diary.rules.week import DAY_MILLIS
from tests.diary.rules.made import ACCOUNT, CONTRACT, LOCK, WEEK

PAYER = "b" * 32
CLOSED = Millis(LOCK + 1000)
REVIEW_ENDS, AVAILABLE = Life().dates(WEEK)
FOREVER = AVAILABLE + 400 * DAY_MILLIS


def line(amount_minor: int = 6000, **fields: Any) -> InvoiceLine:
    made = InvoiceLine(
        contract=CONTRACT,
        what="hours",
        week=WEEK.name,
        segments=6,
        rate_minor=6000,
        amount_minor=amount_minor,
    )
    return msgspec.structs.replace(made, **fields)


def invoice(*lines: InvoiceLine, **fields: Any) -> Invoice:
    of_it = lines or (line(),)
    made = Invoice(
        account=ACCOUNT,
        payer=PAYER,
        currency="USD",
        week=WEEK.name,
        number=1,
        lines=of_it,
        total_minor=sum(one.amount_minor for one in of_it),
        closed_at_ms=CLOSED,
        review_ends_at_ms=REVIEW_ENDS,
        available_at_ms=AVAILABLE,
    )
    return msgspec.structs.replace(made, **fields)


def issue(first_number: int = 1, life: Life | None = None) -> Issue:
    return Issue(ACCOUNT, WEEK, CLOSED, life or Life(), first_number)


def position(amount_minor: int = 6000, *, segments: int = 6, **fields: Any) -> Position:
    """Return an hour of the week at 60 dollars, in its first slots, or as many segments as are said."""
    known: dict[str, Any] = {
        "issuer": ACCOUNT,
        "contract": CONTRACT,
        "invoice": 1,
        "currency": "USD",
        "amount_minor": amount_minor,
        "closed_at_ms": CLOSED,
        "review_ends_at_ms": REVIEW_ENDS,
        "available_at_ms": AVAILABLE,
        "billing": frozenset(map(Slot, WEEK.slots[:segments])),
        "rate_minor": 6000,
    }
    return Position(**(known | fields))


def standing_at(of: Position, facts: Facts, at_ms: int) -> dict[LedgerAccount, int]:
    return balances(entries(of, facts, at_ms))
