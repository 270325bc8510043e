"""What the parties' bonuses and payments amount to (R62, R63).

Each is a function of the rows of one contract's log in the log's order, as `diary.rules.acts` is. Pure.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from math import inf
from typing import Literal

from diary.rules.act_parts import VersionName
from diary.rules.ids import AccountId, ContractId, Millis
from diary.rules.merge import Held
from diary.rules.money_parts import PaymentInClear
from diary.rules.segment import Header

PaymentState = Literal["claimed", "received", "disagrees", "refunded", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Bonus:
    """A bonus as its client gave it; `given_at_ms` is its receipt, None until the server has it (R62)."""

    name: VersionName
    week: str
    minor: int
    currency: str
    given_at_ms: Millis | None


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment by hand: what the client claims of it, what the invoice's issuer settles (R63).

    `issuer` is whose invoice it is of, and of one issuer's payments an `id` is one (R61). `claim` and
    `settled` name the rows, and are None where that party has said nothing. `invoice` and
    `currency` are those of what settles, else of the claim. It `disagrees` where the two differ: then what
    settles counts. Times are those of receipt, None where the server has not received the row.
    """

    issuer: AccountId
    id: str
    invoice: int
    currency: str
    state: PaymentState
    claim: VersionName | None = None
    claimed_minor: int | None = None
    claimed_at_ms: Millis | None = None
    settled: VersionName | None = None
    settled_minor: int | None = None
    settled_at_ms: Millis | None = None


def bonuses(acts: Iterable[Held]) -> tuple[Bonus, ...]:
    """Return the bonuses in the order in which they were given (R62)."""
    return tuple(
        Bonus(act.header.name, part.week, part.minor, part.currency, act.received_at_ms)
        for act in acts
        if (part := act.header.bonus) is not None
    )


def payments(acts: Iterable[Held]) -> tuple[Payment, ...]:
    """Return the payments in the order in which they were first spoken of (R63).

    An id counts once with one issuer: the first claim of it, and the first row that settles it. A claim that
    comes after that is kept beside it; one that was taken back is settled by nothing. Rows count in the order
    of receipt, whatever the log's is: a healed one stands behind those that came after it (R43).
    """
    found: dict[tuple[AccountId, str], Payment] = {}
    for act in in_order(acts):
        if act.header.payment is not None:
            name = issuer_of(act.header, act.header.payment), act.header.payment.id
            said = _said(found.get(name), act.header.payment, act)
            if said is not None:
                found[name] = said
    return tuple(found.values())


def issuer_of(header: Header, part: PaymentInClear) -> AccountId:
    """Return whose invoice a row pays: where it names none, that of the account in whose log it stands."""
    return header.account if part.issuer is None else part.issuer


def contract_of(header: Header) -> ContractId:
    """Return the contract that a row is about: that of its log, but where an agency speaks in its own."""
    part = header.payment
    return header.contract if part is None or part.contract is None else part.contract


def of_contract(said_elsewhere: Iterable[Held], contract: ContractId) -> Iterator[Held]:
    """Yield what an agency says in its own log of payments of one contract (R61, R63)."""
    for act in said_elsewhere:
        if act.header.payment is not None and act.header.payment.contract == contract:
            yield act


def in_order(acts: Iterable[Held]) -> list[Held]:
    """Return rows of several logs, or of one that was healed, in the order of receipt (R43, R63).

    What the server has not received stays last; of one instant the order stays as it was.
    """
    return sorted(acts, key=lambda act: inf if act.received_at_ms is None else act.received_at_ms)


def _said(known: Payment | None, part: PaymentInClear, act: Held) -> Payment | None:
    """Return the payment with one more row about it, None where that says nothing about it."""
    if part.act == "withdrawn_claim":
        is_claim = known is not None and known.state == "claimed"
        return replace(known, state="withdrawn") if known is not None and is_claim else None
    if known is None:
        return _claimed(part, act) if part.act == "paid" else _settled(part, act)
    if part.act == "paid":
        if known.claim is not None or known.state == "refunded":
            return None
        claim = _claimed(part, act)
        return replace(
            known,
            state=_agreeing(known, claim),
            claim=claim.claim,
            claimed_minor=claim.claimed_minor,
            claimed_at_ms=claim.claimed_at_ms,
        )
    if known.state != "claimed" or part.act == "refunded":
        return None
    settled = _settled(part, act)
    return replace(
        settled,
        state=_agreeing(settled, known),
        claim=known.claim,
        claimed_minor=known.claimed_minor,
        claimed_at_ms=known.claimed_at_ms,
    )


def _claimed(part: PaymentInClear, act: Held) -> Payment:
    return Payment(
        issuer=issuer_of(act.header, part),
        id=part.id,
        invoice=part.invoice,
        currency=part.currency,
        state="claimed",
        claim=act.header.name,
        claimed_minor=part.minor,
        claimed_at_ms=act.received_at_ms,
    )


def _settled(part: PaymentInClear, act: Held) -> Payment:
    return Payment(
        issuer=issuer_of(act.header, part),
        id=part.id,
        invoice=part.invoice,
        currency=part.currency,
        state="refunded" if part.act == "refunded" else "received",
        settled=act.header.name,
        settled_minor=part.minor,
        settled_at_ms=act.received_at_ms,
    )


def _agreeing(settled: Payment, claim: Payment) -> PaymentState:
    says = (settled.invoice, settled.currency, settled.settled_minor)
    return "received" if says == (claim.invoice, claim.currency, claim.claimed_minor) else "disagrees"
