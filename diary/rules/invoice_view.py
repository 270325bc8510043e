"""An invoice as it is shown: its lines and where they stand, what comes next, what is due (R61, R62, R63).

The same values for page, terminal, PDF, CSV and JSON: they cannot differ. Of an invoice that this replica
does not come to by itself, nothing is due here: it shows what the server says, and what it should be. Pure.
"""

from dataclasses import dataclass
from typing import Literal

from diary.rules.ids import MINUTES_PER_SLOT, AccountId, ContractId, Millis
from diary.rules.invoice_parts import LineWhat
from diary.rules.json_form import at, iso
from diary.rules.money import money
from diary.rules.payments import PaymentState

LineState = Literal["in_review", "security_period", "available", "withdrawn"]

STATE_WORDS: dict[LineState, str] = {
    "in_review": "in review",
    "security_period": "security period",
    "available": "available",
    "withdrawn": "withdrawn",
}
WHAT_WORDS: dict[LineWhat, str] = {"hours": "hours", "late": "late time, accepted", "bonus": "bonus"}
PAYMENT_WORDS: dict[PaymentState, str] = {
    "claimed": "marked as paid by the client, not confirmed",
    "received": "received",
    "disagrees": "received, though the client says another amount",
    "refunded": "given back",
    "withdrawn": "the client took it back",
}


@dataclass(frozen=True, slots=True)
class Step:
    """From when a line is in a state of R62; the last one has no end."""

    state: LineState
    from_ms: Millis


@dataclass(frozen=True, slots=True)
class LineView:
    """One line: a contract's time of a week, or a bonus; `segments` and `rate_minor` are 0 for a bonus.

    `note` are a bonus's words, where they open here. `disputed_minor` and `credited_minor` are the parts of
    the amount that the client disputes now, and that the freelancer conceded.
    """

    contract: ContractId
    title: str
    what: LineWhat
    week: str
    segments: int
    rate_minor: int
    amount_minor: int
    disputed_minor: int = 0
    credited_minor: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class PaymentView:
    """A payment of a contract's part of an invoice, as its parties tell it (R63).

    `amount_minor` is what was settled, else what is claimed. `at_ms` is None until the server has received
    it. `reference` and `file` were sealed.
    """

    contract: ContractId
    id: str
    state: PaymentState
    amount_minor: int
    at_ms: Millis | None
    reference: str = ""
    file: str = ""

    @property
    def counted_minor(self) -> int:
        """Return what it lessens what is owed by: a refund is below nothing, a mere claim nothing."""
        if self.state == "refunded":
            return -self.amount_minor
        return self.amount_minor if self.state in {"received", "disagrees"} else 0


@dataclass(frozen=True, slots=True)
class InvoiceView:
    """One invoice with all that is shown of it.

    `is_part`: whoever looks sees their own contract's lines and no others; sums are then of these. `agrees`
    is None until this replica could come to it by itself, False where it comes to `own_total_minor`.
    `steps` are R62's, in their order; `state` is the one of now. `owed_minor` is what the client owes still,
    what they dispute of it included; `paid_minor` what came in, less what was given back. `agency` is the
    account that bills it where that is not the diary's own: numbers count by issuer.
    """

    number: int
    week: str
    currency: str
    client: str
    closed_at_ms: Millis
    lines: tuple[LineView, ...]
    steps: tuple[Step, ...]
    state: LineState
    owed_minor: int
    paid_minor: int = 0
    corrects: int | None = None
    is_part: bool = False
    agrees: bool | None = True
    own_total_minor: int | None = None
    payments: tuple[PaymentView, ...] = ()
    due_by_contract: tuple[tuple[ContractId, int], ...] = ()
    agency: AccountId | None = None

    @property
    def total_minor(self) -> int:
        """Return the sum of the lines that are shown."""
        return sum(line.amount_minor for line in self.lines)

    @property
    def disputed_minor(self) -> int:
        """Return what of it the client disputes now."""
        return sum(line.disputed_minor for line in self.lines)

    @property
    def credited_minor(self) -> int:
        """Return what of it the freelancer conceded."""
        return sum(line.credited_minor for line in self.lines)

    @property
    def due_minor(self) -> int | None:
        """Return what is still to be paid, disputed amounts apart; None where it is not borne out here."""
        if self.agrees is not True:
            return None
        return self.owed_minor - self.disputed_minor

    def next_step(self) -> Step | None:
        """Return the step after the one of now, None after the last."""
        later = [step.state for step in self.steps]
        if self.state not in later or self.state == later[-1]:
            return None
        return self.steps[later.index(self.state) + 1]


@dataclass(frozen=True, slots=True)
class Letterhead:
    """What the freelancer writes of themselves on their invoices, and how they are to be paid (R61)."""

    name: str
    address: str
    how_to_pay: str

    @property
    def lines(self) -> tuple[str, ...]:
        """Return name and address, line by line."""
        return tuple(filter(None, (self.name, *map(str.strip, self.address.split(";")))))


def hours_of(segments: int) -> str:
    """Return so many segments as hours and minutes, 7 as "1:10"."""
    minutes = segments * MINUTES_PER_SLOT
    return f"{minutes // 60}:{minutes % 60:02}"


def payee_of(view: InvoiceView) -> str:
    """Return who says of an invoice's payments that they came in: its issuer (R61, R63)."""
    return "freelancer" if view.agency is None else f"agency {view.agency[:8]}"


def state_says(view: InvoiceView) -> str:
    """Return where an invoice stands, and what comes next and when (R62)."""
    said = STATE_WORDS[view.state]
    if view.agrees is False:
        return f"{said}; not what this diary comes to, so nothing of it is shown as due"
    if view.agrees is None:
        return f"{said}; not checked here yet"
    coming = view.next_step()
    if coming is None:
        return said
    return f"{said}; {STATE_WORDS[coming.state]} from {at(coming.from_ms):%a %d %b %Y, %H:%M} UTC"


def invoice_json(view: InvoiceView) -> dict[str, object]:
    """Return an invoice for programs; amounts as written, and as minor units to reckon with."""
    coming = view.next_step()
    return {
        "number": view.number,
        "week": view.week,
        "client": view.client,
        "currency": view.currency,
        "closed_at": iso(view.closed_at_ms),
        "corrects": view.corrects,
        "part": view.is_part,
        "agency": view.agency,
        "state": view.state,
        "next": None if coming is None else {"state": coming.state, "at": iso(coming.from_ms)},
        "steps": [{"state": step.state, "from": iso(step.from_ms)} for step in view.steps],
        "agrees": view.agrees,
        "total": money(view.total_minor, view.currency),
        "total_minor": view.total_minor,
        "disputed_minor": view.disputed_minor,
        "credited_minor": view.credited_minor,
        "paid_minor": view.paid_minor,
        "due_minor": view.due_minor,
        "lines": [_line_json(line, view.currency) for line in view.lines],
        "payments": [payment_json(one, view.currency) for one in view.payments],
    }


def payment_json(one: PaymentView, currency: str) -> dict[str, object]:
    """Return a payment for programs."""
    return {
        "id": one.id,
        "state": one.state,
        "amount": money(one.amount_minor, currency),
        "amount_minor": one.amount_minor,
        "at": None if one.at_ms is None else iso(one.at_ms),
        "reference": one.reference,
        "file": one.file,
    }


def _line_json(line: LineView, currency: str) -> dict[str, object]:
    return {
        "contract": line.contract,
        "title": line.title,
        "what": line.what,
        "week": line.week,
        "segments": line.segments,
        "hours": hours_of(line.segments),
        "rate_minor": line.rate_minor,
        "amount": money(line.amount_minor, currency),
        "amount_minor": line.amount_minor,
        "disputed_minor": line.disputed_minor,
        "credited_minor": line.credited_minor,
        "note": line.note,
    }
