"""From what is known of an invoice to what is shown of it: the ledger's fold, in a person's words (R61-R63).

Both parties' replicas make it by the same functions, from the signed invoice, their rows and the gateway's
events. Pure.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from diary.rules import ledger, ledger_entry
from diary.rules.act_parts import VersionName
from diary.rules.ids import ContractId, Millis, Slot
from diary.rules.invoice_borne import Borne
from diary.rules.invoice_parts import Invoice, InvoiceLine, InvoicePart
from diary.rules.invoice_view import InvoiceView, LineState, LineView, PaymentView, Step
from diary.rules.ledger import Facts, GatewayEvent, position_of
from diary.rules.ledger_entry import LedgerAccount, LedgerEntry
from diary.rules.merge import Held
from diary.rules.payments import Payment, payments

_PAID: tuple[LedgerAccount, ...] = ("paid_by_hand", "gateway", "paid_out", "fees", "refunded")


@dataclass(frozen=True, slots=True)
class Known:
    """What a replica knows of one contract: its names, the rows about it, and which slots bill in a week.

    `words` are what was sealed in rows, by the row's name, where it opens here.
    """

    title: str
    client: str
    acts: Sequence[Held] = ()
    billing: Mapping[str, frozenset[Slot]] = field(default_factory=dict)
    words: Mapping[VersionName, str] = field(default_factory=dict)
    gateway: Collection[GatewayEvent] = ()


def entries_of(
    invoice: Invoice | InvoicePart, known: Mapping[ContractId, Known], now_ms: int
) -> dict[ContractId, tuple[LedgerEntry, ...]]:
    """Return the ledger of each contract's part of an invoice, up to now (R62)."""
    found = {}
    for contract in dict.fromkeys(line.contract for line in invoice.lines):
        one = known.get(contract, _unknown(contract))
        position = position_of(invoice, contract, one.billing.get(invoice.week, frozenset()))
        found[contract] = ledger.entries(position, Facts(one.acts, one.gateway), now_ms)
    return found


def shown(
    invoice: Invoice | InvoicePart, known: Mapping[ContractId, Known], borne: Borne, now_ms: Millis
) -> InvoiceView:
    """Return an invoice as it is shown at an instant (R61, R62, R63)."""
    made = entries_of(invoice, known, now_ms)
    sums = ledger_entry.balances(entry for of_contract in made.values() for entry in of_contract)
    return InvoiceView(
        number=invoice.number,
        week=invoice.week,
        currency=invoice.currency,
        client=next((known[contract].client for contract in made if contract in known), ""),
        closed_at_ms=invoice.closed_at_ms,
        lines=tuple(_line(line, known, made) for line in invoice.lines),
        steps=_steps(invoice),
        state=_state(invoice, sums, now_ms),
        owed_minor=sums.get("client_owes", 0),
        paid_minor=sum(sums.get(name, 0) for name in _PAID),
        corrects=invoice.corrects,
        is_part=isinstance(invoice, InvoicePart),
        agrees=borne.agrees,
        own_total_minor=borne.own_total_minor,
        payments=tuple(_payments(invoice, known)),
        due_by_contract=tuple((contract, _due(found)) for contract, found in made.items()),
    )


def _unknown(contract: ContractId) -> Known:
    return Known(title=contract[:8], client="")


def _line(
    line: InvoiceLine, known: Mapping[ContractId, Known], made: Mapping[ContractId, Sequence[LedgerEntry]]
) -> LineView:
    one = known.get(line.contract, _unknown(line.contract))
    # What is disputed and conceded are slots, and those of the line of hours alone.
    is_hours = line.what == "hours"
    found = made[line.contract]
    return LineView(
        contract=line.contract,
        title=one.title,
        what=line.what,
        week=line.week,
        segments=line.segments,
        rate_minor=line.rate_minor,
        amount_minor=line.amount_minor,
        disputed_minor=-ledger_entry.balances(found).get("disputed", 0) if is_hours else 0,
        credited_minor=_credited(found) if is_hours else 0,
        note=one.words.get(line.act, "") if line.act is not None and line.what == "bonus" else "",
    )


def _due(found: Iterable[LedgerEntry]) -> int:
    """Return what the client owes of a contract's part and does not dispute."""
    sums = ledger_entry.balances(found)
    return sums.get("client_owes", 0) + sums.get("disputed", 0)


def _credited(found: Iterable[LedgerEntry]) -> int:
    return -sum(
        posting.amount_minor
        for entry in found
        if entry.what == "conceded"
        for posting in entry.postings
        if posting.account == "client_owes"
    )


def _steps(invoice: Invoice | InvoicePart) -> tuple[Step, ...]:
    ends_ms = max(invoice.closed_at_ms, invoice.review_ends_at_ms)
    return (
        Step("in_review", invoice.closed_at_ms),
        Step("security_period", Millis(ends_ms)),
        Step("available", Millis(max(ends_ms, invoice.available_at_ms))),
    )


def _state(invoice: Invoice | InvoicePart, sums: Mapping[LedgerAccount, int], now_ms: Millis) -> LineState:
    if sums.get("withdrawn") and not sums.get("available") and not sums.get("disputed"):
        return "withdrawn"
    steps = _steps(invoice)
    return next((step.state for step in reversed(steps) if step.from_ms <= now_ms), steps[0].state)


def _payments(invoice: Invoice | InvoicePart, known: Mapping[ContractId, Known]) -> Iterable[PaymentView]:
    for contract in dict.fromkeys(line.contract for line in invoice.lines):
        one = known.get(contract)
        for payment in payments(one.acts) if one else ():
            if one and (payment.issuer, payment.invoice) == (invoice.account, invoice.number):
                yield _payment(contract, payment, one)


def _payment(contract: ContractId, payment: Payment, one: Known) -> PaymentView:
    names = [name for name in (payment.claim, payment.settled) if name is not None]
    words = dict.fromkeys(filter(None, (one.words.get(name, "") for name in names)))
    amount = payment.claimed_minor if payment.settled_minor is None else payment.settled_minor
    at_ms = payment.claimed_at_ms if payment.settled is None else payment.settled_at_ms
    return PaymentView(
        contract=contract,
        id=payment.id,
        state=payment.state,
        amount_minor=amount or 0,
        at_ms=at_ms,
        reference=" · ".join(words),
    )
