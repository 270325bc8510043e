"""A wished request, acceptance, dispute, redaction, bonus or payment: taken or refused (R10, R38, R54, R62).

Device, seat and server ask the same question, as `diary.rules.change` does for captures and entries. Whose
it is to write is asked first (`diary.rules.parties`). Pure.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from diary.rules.act_parts import AcceptanceInClear, DisputeInClear, RedactionInClear, RequestInClear
from diary.rules.acts import disputed_slots, requests
from diary.rules.change import Refused
from diary.rules.contract import TermsHistory
from diary.rules.ids import AccountId, Millis, Slot
from diary.rules.invoice_parts import Invoice, InvoicePart
from diary.rules.json_form import iso
from diary.rules.merge import Held, standing
from diary.rules.money_parts import BonusInClear, PaymentInClear
from diary.rules.payments import issuer_of, payments
from diary.rules.segment import Header
from diary.rules.week import DAY_MILLIS, Week, locks_at_ms

InvoiceName = tuple[AccountId, int]
"""An invoice by its issuer and number: two issuers count each for themselves (R61)."""

REVIEW_MILLIS = 9 * DAY_MILLIS // 2  # R62: Monday 12:00 to the end of Friday, UTC


@dataclass(frozen=True, slots=True)
class Said:
    """What an act is judged by: what was said before, what stands in a slot, the terms, the instant.

    `acts` are the contract's, in the log's order. A device passes as `slack_ms` how far its clock may be from
    the server's: it then refuses only what the server would refuse anywhere within (R39). `review_ms` is how
    long the server lets a week be in review, `reviews` how long those weeks whose invoices say it (R62).
    `invoices` are the contract's by issuer and number with their currency, None where it is not known which
    there are: then none is refused for its invoice.
    """

    acts: Sequence[Held]
    held_at: Callable[[Slot], Sequence[Held]]
    history: TermsHistory
    at_ms: Millis
    slack_ms: int = 0
    review_ms: int = REVIEW_MILLIS
    reviews: Mapping[str, int] = field(default_factory=dict)
    invoices: Mapping[InvoiceName, str] | None = None


def review_of(week: Week, review_ms: int = REVIEW_MILLIS) -> tuple[Millis, Millis]:
    """Return from when and until when a week is in review, the end not included (R62)."""
    return week.locked_at_ms, Millis(week.locked_at_ms + review_ms)


def reviews_of(billed: Iterable[Invoice | InvoicePart]) -> dict[str, int]:
    """Return how long weeks are in review by the first invoice of each: settings change later ones (R62)."""
    found: dict[str, int] = {}
    for invoice in sorted(billed, key=lambda invoice: invoice.number):
        found.setdefault(invoice.week, invoice.review_ends_at_ms - Week.parse(invoice.week).locked_at_ms)
    return found


def refused_act(header: Header, said: Said) -> Refused | None:
    """Return why the act may not enter at the instant, None where it may."""
    match header:
        case Header(request=RequestInClear() as part):
            refused = _refused_request(part, said)
        case Header(acceptance=AcceptanceInClear() as part):
            refused = _refused_acceptance(part, said)
        case Header(dispute=DisputeInClear() as part):
            refused = _refused_dispute(part, said)
        case Header(redaction=RedactionInClear() as part):
            refused = _refused_redaction(part, said)
        case Header(bonus=BonusInClear() as part):
            refused = _refused_bonus(part, said)
        case Header(payment=PaymentInClear()):
            refused = refused_payment(header, said.acts, said.invoices)
        case _:
            refused = None
    return refused


def _refused_request(part: RequestInClear, said: Said) -> Refused | None:
    if part.withdraws is not None:
        return _unknown_request(part.withdraws, said)
    if said.history.state_at(said.at_ms) == "closed":
        return Refused("contract_closed", "a closed contract takes no manual time")
    if part.week is not None and Week.parse(part.week).is_frozen(said.at_ms - said.slack_ms):
        return Refused("week_locked", f"{part.week} is frozen since Monday 12:00 UTC")
    return None


def _refused_acceptance(part: AcceptanceInClear, said: Said) -> Refused | None:
    if part.request is not None:
        return _unknown_request(part.request, said)
    for slot in part.slots or ():
        stands = standing(said.held_at(slot))
        if stands.deleted:
            return Refused("slot_deleted", "the freelancer deleted the late time before it was accepted")
        if stands.received_at_ms is None or stands.received_at_ms < locks_at_ms(slot):
            return Refused("not_late", "only time that came after its week's lock is accepted apart")
    return None


def _unknown_request(name: tuple[str, int], said: Said) -> Refused | None:
    """Refuse an answer to, or a withdrawal of, what is no request or was taken back (R10)."""
    if any(one.name == name and one.state != "withdrawn" for one in requests(said.acts)):
        return None
    return Refused("unknown_request", "there is no such request, or it was taken back")


def _refused_dispute(part: DisputeInClear, said: Said) -> Refused | None:
    """Refuse a dispute outside of the week's review; all that answers it has no end (R62)."""
    if part.act == "conceded" and not disputed_slots(said.acts).issuperset(part.slots):
        return Refused("not_disputed", "the client does not dispute all of these slots now")
    if part.act != "raised":
        return None
    weeks = {Week.of(slot) for slot in part.slots}
    return next((refused for week in weeks if (refused := _not_in_review(week, said)) is not None), None)


def _not_in_review(week: Week, said: Said) -> Refused | None:
    begins_ms, ends_ms = review_of(week, said.reviews.get(week.name, said.review_ms))
    if begins_ms - said.slack_ms <= said.at_ms < ends_ms + said.slack_ms:
        return None
    because = f"{week.name} is in review from {iso(begins_ms)} to {iso(ends_ms)}"
    return Refused("not_in_review", because)


def _refused_bonus(part: BonusInClear, said: Said) -> Refused | None:
    """Refuse a bonus outside of its week's review, or in a currency that its contract had not (R62)."""
    week = Week.parse(part.week)
    if part.currency != said.history.rate_of(week)[1]:
        return Refused("wrong_currency", f"the contract's rate of {week.name} is not in {part.currency}")
    return _not_in_review(week, said)


def refused_payment(
    header: Header, acts: Sequence[Held], invoices: Mapping[InvoiceName, str] | None
) -> Refused | None:
    """Return why what is said of a payment may not enter, None where it may (R63).

    `acts` are what was said of the contract, by whom and in which log ever; `invoices` are as in `Said`.
    """
    part = header.payment
    if part is None:
        return None
    issuer = issuer_of(header, part)
    return _unknown_invoice(part, issuer, invoices) or _refused_payment(part, issuer, acts)


def _unknown_invoice(
    part: PaymentInClear, issuer: AccountId, invoices: Mapping[InvoiceName, str] | None
) -> Refused | None:
    """Refuse what pays no invoice of the contract, where it is known which there are (R63)."""
    if invoices is None:
        return None
    if (issuer, part.invoice) not in invoices:
        return Refused("unknown_invoice", f"invoice {part.invoice} has no line of this contract")
    if invoices[issuer, part.invoice] != part.currency:
        return Refused("wrong_currency", f"invoice {part.invoice} is not in {part.currency}")
    return None


def _refused_payment(part: PaymentInClear, issuer: AccountId, acts: Sequence[Held]) -> Refused | None:
    """Refuse what was said of a payment before, or what contradicts it (R63)."""
    known = next((one for one in payments(acts) if (one.issuer, one.id) == (issuer, part.id)), None)
    if part.act == "withdrawn_claim":
        stands = known is not None and known.state == "claimed"
        return None if stands else Refused("unknown_payment", "there is no such claim to take back")
    if known is None:
        return None
    if part.act == "received" and known.state == "withdrawn":
        return Refused("unknown_payment", "the client took back that they paid")
    is_said = known.claim is not None if part.act == "paid" else known.settled is not None
    if is_said or "refunded" in {part.act, known.state}:
        return Refused("payment_known", "that payment was recorded before")
    return None


def _refused_redaction(part: RedactionInClear, said: Said) -> Refused | None:
    """Refuse to redact what can still be deleted by its freelancer alone (R54)."""
    for slot in part.slots:
        if said.at_ms + said.slack_ms < locks_at_ms(slot):
            return Refused("week_open", f"{Week.of(slot).name} is not frozen: what it holds can be deleted")
    return None
