"""What the parties say about payments of invoices; no money is moved by it (R63, R66).

A row stands in one contract's log. What is said of an invoice with lines of several contracts is a row in
each: what is due of the first line's contract first. `agency` tells an agency's invoice from the own one of
that number (R61).
"""

import secrets
from collections import defaultdict
from collections.abc import Iterator, Sequence

from diary import agency as agencies_side
from diary import billing, contracts, messaging, saying
from diary.errors import NothingError, UsageError
from diary.messaging import NewFile
from diary.rules.ids import ContractId
from diary.rules.invoice_view import InvoiceView, PaymentView
from diary.rules.money_parts import BonusInClear, PaymentAct, PaymentInClear
from diary.rules.week import Week
from diary.state import OpenDiary


class NoSuchPaymentError(NothingError):
    """An invoice has no payment that these words name."""

    says = "Invoice {number} has no payment “{name}” that waits to be confirmed."
    mend = "See its payments: diary invoice {number}."


class NoReceiptError(UsageError):
    """A receipt goes as the file of a message, and an agency's account has no conversation with a client."""

    says = "A receipt cannot be sent from the agency's own diary."
    mend = "Send it as a message from the copy of the contract: diary --home DIR message CONTRACT --file."


def give_bonus(diary: OpenDiary, contract: ContractId, week: Week, minor: int, reason: str) -> None:
    """Add a bonus for a week in review, as the client (R62).

    Raises:
        NoReasonError: The reason is empty.
        RefusedSayingError: The week is not in review, or it is not for this party to give.
    """
    with diary.reading():
        currency = contracts.by_id(diary, contract).history.rate_of(week)[1]
    saying.give_bonus(diary, contract, BonusInClear(week=week.name, minor=minor, currency=currency), reason)


def mark_paid(
    diary: OpenDiary,
    number: int,
    minor: int,
    reference: str,
    receipts: Sequence[NewFile] = (),
    *,
    agency: str | None = None,
) -> None:
    """Say that an invoice was paid, as the client; receipts go with it as files of a message (R63, R68).

    Raises:
        NoSuchInvoiceError: There is none.
        RefusedSayingError: It is not for this party to say.
    """
    _say(diary, billing.one(diary, number, agency), "paid", minor, reference, receipts)


def note_received(
    diary: OpenDiary,
    number: int,
    minor: int,
    reference: str,
    receipts: Sequence[NewFile] = (),
    *,
    agency: str | None = None,
) -> None:
    """Say that money came in which the client did not claim, as the freelancer (R63, R68).

    Raises:
        NoSuchInvoiceError: There is none.
        RefusedSayingError: It is not for this party to say.
    """
    _say(diary, billing.one(diary, number, agency), "received", minor, reference, receipts)


def refund(diary: OpenDiary, number: int, minor: int, reference: str, *, agency: str | None = None) -> None:
    """Say that money was given back, as the freelancer (R63).

    Raises:
        NoSuchInvoiceError: There is none.
        RefusedSayingError: It is not for this party to say.
    """
    _say(diary, billing.one(diary, number, agency), "refunded", minor, reference)


def confirm_payment(
    diary: OpenDiary,
    number: int,
    payment: str,
    minor: int | None = None,
    reference: str = "",
    *,
    agency: str | None = None,
) -> int:
    """Confirm what the client claims, with another amount where another came in; return the amount (R63).

    Raises:
        NoSuchPaymentError: Nothing that waits is named so.
        RefusedSayingError: It is not for this party to say.
    """
    view = billing.one(diary, number, agency)
    claim = _claimed(view, payment)
    amount = claim.amount_minor if minor is None else minor
    part = _part(view, claim.id, "received", amount)
    with diary.writing():
        _say_of(diary, claim.contract, part, reference)
    return amount


def take_payment_back(diary: OpenDiary, number: int, payment: str, *, agency: str | None = None) -> None:
    """Say that a claimed payment was not made, as the client (R63).

    Raises:
        NoSuchPaymentError: Nothing that waits is named so.
        RefusedSayingError: It is not for this party to say.
    """
    view = billing.one(diary, number, agency)
    claim = _claimed(view, payment)
    part = _part(view, claim.id, "withdrawn_claim", claim.amount_minor)
    with diary.writing():
        saying.say_payment(diary, claim.contract, part)


def _say(
    diary: OpenDiary,
    view: InvoiceView,
    act: PaymentAct,
    minor: int,
    reference: str,
    receipts: Sequence[NewFile] = (),
) -> None:
    with diary.writing():
        parts = list(_split(view, act, minor))
        for contract, amount in parts:
            _say_of(diary, contract, _part(view, secrets.token_hex(16), act, amount), reference)
        if receipts and parts[0][0] not in contracts.known(diary):
            raise NoReceiptError
        if receipts:
            words = f"Receipt for invoice {view.number}" + (f": {reference}" if reference else "")
            messaging.send_within(diary, parts[0][0], words, receipts)


def _say_of(diary: OpenDiary, contract: ContractId, part: PaymentInClear, reference: str) -> None:
    """Say it in the contract's log, or of a member's contract in the agency's own (R61)."""
    if contract in contracts.known(diary):
        saying.say_payment(diary, contract, part, reference)
    else:
        agencies_side.note_payment(diary, contract, part, reference)


def _split(view: InvoiceView, act: PaymentAct, minor: int) -> Iterator[tuple[ContractId, int]]:
    """Yield which part of an amount goes to which contract; what is over goes to the last one."""
    room: dict[ContractId, int] = defaultdict(int)
    if act == "refunded":
        for one in view.payments:
            room[one.contract] += one.counted_minor
    else:
        room.update(view.due_by_contract)
    left = minor
    for contract, most in list(room.items())[:-1]:
        amount = min(left, max(0, most))
        if amount:
            left -= amount
            yield contract, amount
    if left:
        yield (list(room) or [view.lines[-1].contract])[-1], left


def _claimed(view: InvoiceView, payment: str) -> PaymentView:
    found = [one for one in view.payments if one.state == "claimed" and one.id.startswith(payment)]
    if len(found) != 1:
        raise NoSuchPaymentError(number=view.number, name=payment)
    return found[0]


def _part(view: InvoiceView, payment: str, act: PaymentAct, minor: int) -> PaymentInClear:
    return PaymentInClear(
        id=payment,
        act=act,
        invoice=view.number,
        minor=minor,
        currency=view.currency,
        issuer=view.agency,
    )
