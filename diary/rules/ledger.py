"""The ledger: what an invoice's amount goes through, as double entry (R62, R63).

An entry that does not balance cannot be built. The ledger of one contract's part of one invoice is a fold
over what is known of it: closing, the steps of its life at their instants, disputes, payments, the gateway's
events. Each bears a key and counts once; the order in which they came to whoever asks changes nothing. The
server and both parties' replicas come to the same entries. Pure: instants are arguments.

Amounts are whole minor units of one currency, a debit above nothing and a credit below. The client's side:
`client_owes`, then `paid_by_hand` or `gateway` and, once the gateway has passed it on, `paid_out`, less its
`fees`. The freelancer's side: `in_review`, `security_period`, `available`, and `withdrawn` once that is free
and has reached them; `disputed` stands apart. `refunded` is what they gave back though it was owed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from diary.rules.ids import AccountId, ContractId, Millis, Slot
from diary.rules.invoice_parts import Invoice, InvoicePart
from diary.rules.ledger_entry import EntryWhat, LedgerAccount, LedgerEntry, Posting, postings_of, summed
from diary.rules.merge import Held
from diary.rules.payments import in_order, payments
from diary.rules.timesheet import amount_minor

Stage = Literal["in_review", "security_period", "available"]
GatewayWord = Literal[
    "paid",
    "refunded",
    "refund_failed",
    "charged_back",
    "charge_back_returned",
    "paid_out",
    "paid_out_returned",
    "fee",
]


@dataclass(frozen=True, slots=True)
class Position:
    """One contract's part of one invoice, as it was closed (R61, R62).

    `billing` are the slots behind its line of hours, by which disputes count, and `rate_minor` that line's;
    none where the invoice corrects another, or has no such line.
    """

    issuer: AccountId
    contract: ContractId
    invoice: int
    currency: str
    amount_minor: int
    closed_at_ms: Millis
    review_ends_at_ms: Millis
    available_at_ms: Millis
    billing: frozenset[Slot] = frozenset()
    rate_minor: int = 0


@dataclass(frozen=True, slots=True)
class GatewayEvent:
    """What the payment gateway says happened to one contract's part of an invoice (R63).

    `id` is the gateway's own, once for ever; `at_ms` when the server took it. `minor` is above nothing. One
    that takes back another (a refund that failed, say) bears that one's id behind a word of its own, and
    counts where that one is known, whichever of them came first.
    """

    id: str
    at_ms: Millis
    what: GatewayWord
    issuer: AccountId
    contract: ContractId
    invoice: int
    currency: str
    minor: int

    @property
    def takes_back(self) -> str | None:
        """Return the id of the event that this one takes back, None for one that stands alone."""
        before = _TAKEN_BACK.get(self.what)
        return None if before is None else f"{before}/{self.id.partition('/')[2]}"


_TAKEN_BACK: Mapping[GatewayWord, GatewayWord] = {
    "refund_failed": "refunded",
    "charge_back_returned": "charged_back",
    "paid_out_returned": "paid_out",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about a contract's invoices beside closing and time.

    `acts` are its rows in the log's order, with what an agency says of it in its own; those that the server
    has not received count for nothing. `gateway` are the gateway's events in any order, each perhaps several
    times.
    """

    acts: Sequence[Held] = ()
    gateway: Iterable[GatewayEvent] = ()


def position_of(invoice: Invoice | InvoicePart, contract: ContractId, billing: frozenset[Slot]) -> Position:
    """Return a contract's part of an invoice as the ledger begins with it (R61, R62).

    `billing` are the slots that bill of the contract's week, which disputes are counted by.
    """
    lines = [line for line in invoice.lines if line.contract == contract]
    hours = next((line for line in lines if line.what == "hours" and invoice.corrects is None), None)
    return Position(
        issuer=invoice.account,
        contract=contract,
        invoice=invoice.number,
        currency=invoice.currency,
        amount_minor=sum(line.amount_minor for line in lines),
        closed_at_ms=invoice.closed_at_ms,
        review_ends_at_ms=invoice.review_ends_at_ms,
        available_at_ms=invoice.available_at_ms,
        billing=billing if hours else frozenset(),
        rate_minor=hours.rate_minor if hours else 0,
    )


def entries(position: Position, facts: Facts, at_ms: int) -> tuple[LedgerEntry, ...]:
    """Return the ledger of a position up to the instant, that included, in the order of time (R62)."""
    events = [*_life(position), *_said(position, facts.acts), *_done(position, facts.gateway)]
    fold = _Fold(position)
    found: list[LedgerEntry] = []
    seen: set[str] = set()
    for event in sorted(events, key=lambda event: event.at_ms):
        if event.at_ms > at_ms or event.key in seen:
            continue
        seen.add(event.key)
        moved = fold.moved_by(event)
        if moved:
            found.append(
                LedgerEntry(
                    key=f"{position.invoice}/{event.key}",
                    contract=position.contract,
                    invoice=position.invoice,
                    currency=position.currency,
                    at_ms=Millis(event.at_ms),
                    what=event.what,
                    postings=moved,
                )
            )
    return tuple(found)


def next_step_ms(position: Position, at_ms: int) -> Millis | None:
    """Return the instant of the position's next step by time alone, None where there is none (R62)."""
    steps = (event.at_ms for event in _life(position) if event.at_ms > at_ms)
    return Millis(min(steps, default=0)) or None


@dataclass(frozen=True, slots=True)
class _Event:
    key: str
    at_ms: int
    what: EntryWhat
    minor: int = 0
    slots: frozenset[Slot] = frozenset()


def _life(position: Position) -> Iterable[_Event]:
    """Yield the steps by time; an invoice that was closed late takes those it missed at its closing."""
    yield _Event("closed", position.closed_at_ms, "closed")
    ends_ms = max(position.closed_at_ms, position.review_ends_at_ms)
    yield _Event("review_ended", ends_ms, "review_ended")
    yield _Event("available", max(ends_ms, position.available_at_ms), "available")


_DISPUTE_WORDS: Mapping[str, EntryWhat] = {
    "raised": "disputed",
    "withdrawn": "dispute_withdrawn",
    "conceded": "conceded",
}


def _said(position: Position, acts: Sequence[Held]) -> Iterable[_Event]:
    """Yield what the parties' rows do to the position, in the order of receipt (R43)."""
    settled = {payment.settled: payment for payment in payments(acts) if payment.settled is not None}
    for act in in_order(acts):
        if act.received_at_ms is None:
            continue
        at_ms = max(act.received_at_ms, position.closed_at_ms)
        replica, n = act.header.name
        dispute = act.header.dispute
        if dispute is not None and dispute.act in _DISPUTE_WORDS:
            slots = position.billing.intersection(dispute.slots)
            yield _Event(f"{replica}/{n}", at_ms, _DISPUTE_WORDS[dispute.act], slots=slots)
        payment = settled.get(act.header.name)
        if payment is not None and (payment.issuer, payment.invoice, payment.currency) == (
            position.issuer,
            position.invoice,
            position.currency,
        ):
            what: EntryWhat = "refunded" if payment.state == "refunded" else "received"
            yield _Event(f"payment/{payment.id}", at_ms, what, minor=payment.settled_minor or 0)


_GATEWAY_WORDS: Mapping[GatewayWord, EntryWhat] = {
    "paid": "gateway_paid",
    "refunded": "gateway_refunded",
    "refund_failed": "gateway_refund_failed",
    "charged_back": "gateway_charged_back",
    "charge_back_returned": "gateway_charge_back_returned",
    "paid_out": "gateway_paid_out",
    "paid_out_returned": "gateway_paid_out_returned",
    "fee": "gateway_fee",
}


def _done(position: Position, gateway: Iterable[GatewayEvent]) -> Iterable[_Event]:
    """Yield what the gateway says of the position, in an order that does not hang on that of delivery."""
    ours = (position.issuer, position.contract, position.invoice, position.currency)
    known = {event.id: event for event in gateway}
    for event in sorted(known.values(), key=lambda event: (event.at_ms, event.id)):
        before = known.get(event.takes_back or event.id)
        if before is None or (event.issuer, event.contract, event.invoice, event.currency) != ours:
            continue
        at_ms = max(event.at_ms, before.at_ms, position.closed_at_ms)
        yield _Event(f"gateway/{event.id}", at_ms, _GATEWAY_WORDS[event.what], minor=event.minor)


# Where an amount goes: from the second to the first.
_MOVES: Mapping[EntryWhat, tuple[LedgerAccount, LedgerAccount]] = {
    "received": ("paid_by_hand", "client_owes"),
    "refunded": ("refunded", "paid_by_hand"),
    "gateway_paid": ("gateway", "client_owes"),
    "gateway_refunded": ("refunded", "gateway"),
    "gateway_refund_failed": ("gateway", "refunded"),
    "gateway_charged_back": ("client_owes", "gateway"),
    "gateway_charge_back_returned": ("gateway", "client_owes"),
    "gateway_paid_out": ("paid_out", "gateway"),
    "gateway_paid_out_returned": ("gateway", "paid_out"),
    "gateway_fee": ("fees", "gateway"),
}


@dataclass(slots=True)
class _Fold:
    """A position as it stands; `moved_by` brings it on and returns what moved."""

    position: Position
    stage: Stage = "in_review"
    sums: dict[LedgerAccount, int] = field(default_factory=dict)
    disputed: frozenset[Slot] = frozenset()
    conceded: frozenset[Slot] = frozenset()

    def moved_by(self, event: _Event) -> tuple[Posting, ...]:
        before = dict(self.sums)
        match event.what:
            case "closed":
                self._move("client_owes", "in_review", self.position.amount_minor)
            case "review_ended":
                self._enter("security_period")
            case "available":
                self._enter("available")
            case "disputed" | "dispute_withdrawn" | "conceded":
                self._dispute(event)
            case _:
                to, of = _MOVES[event.what]
                self._move(to, of, event.minor)
        self._settle()
        return postings_of(summed(self.sums, {name: -amount for name, amount in before.items()}))

    def _move(self, to: LedgerAccount, of: LedgerAccount, amount: int) -> None:
        self.sums[to] = self.sums.get(to, 0) + amount
        self.sums[of] = self.sums.get(of, 0) - amount

    def _enter(self, stage: Stage) -> None:
        self._move(self.stage, stage, -self.sums.get(self.stage, 0))
        self.stage = stage

    def _dispute(self, event: _Event) -> None:
        """Let slots stand apart, join the stage that is due now, or be credited (R62)."""
        credited, apart = self._shares()
        if event.what == "disputed":
            self.disputed |= event.slots - self.conceded
        else:
            if event.what == "conceded":
                self.conceded |= event.slots & self.disputed
            self.disputed -= event.slots
        credited_now, apart_now = self._shares()
        self._move(self.stage, "disputed", apart_now - apart)
        self._move(self.stage, "client_owes", credited_now - credited)

    def _shares(self) -> tuple[int, int]:
        """Return what the conceded and the disputed slots are of the line's amount, which is rounded once."""
        left = len(self.position.billing) - len(self.conceded)
        whole, rate = len(self.position.billing), self.position.rate_minor
        kept = amount_minor(left, rate)
        return amount_minor(whole, rate) - kept, kept - amount_minor(left - len(self.disputed), rate)

    def _settle(self) -> None:
        """Let what was given back settle what was paid too much; what is free and has come is withdrawn."""
        owed_back, given_back = -self.sums.get("client_owes", 0), self.sums.get("refunded", 0)
        if owed_back > 0 and given_back > 0:
            self._move("client_owes", "refunded", min(owed_back, given_back))
        reached = sum(self.sums.get(name, 0) for name in ("paid_by_hand", "paid_out", "fees", "refunded"))
        withdrawn = -self.sums.get("withdrawn", 0)
        free = withdrawn - self.sums.get("available", 0)
        least, most = min(0, free), max(0, free)
        self._move("available", "withdrawn", min(max(reached, least), most) - withdrawn)
