"""What the parties' bonuses and payments amount to (R62, R63).

Each is a function of the rows of one contract's log in the log's order, as `diary.rules.acts` is. Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from diary.rules.act_parts import VersionName
from diary.rules.ids import Millis
from diary.rules.merge import Held
from diary.rules.money_parts import PaymentInClear

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
    """A payment by hand: what the client claims of it, what the freelancer settles (R63).

    `claim` and `settled` name the rows, and are None where that party has said nothing. `invoice` and
    `currency` are those of what settles, else of the claim. It `disagrees` where the two differ: then what
    settles counts. Times are those of receipt, None where the server has not received the row.
    """

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

    An id counts once: the first claim of it, and the first row that settles it. A claim that comes after
    that is kept beside it; one that was taken back is settled by nothing.
    """
    found: dict[str, Payment] = {}
    for act in acts:
        if act.header.payment is not None:
            said = _said(found.get(act.header.payment.id), act.header.payment, act)
            if said is not None:
                found[said.id] = said
    return tuple(found.values())


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
