"""Invoices as their pages show them: a list, and one by itself (R61, R62, R63). Pure: views in, words out."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from datasette_work_diary.reading import Reading, money, sentence
from diary.rules.invoice_view import (
    PAYMENT_WORDS,
    STATE_WORDS,
    WHAT_WORDS,
    InvoiceView,
    Letterhead,
    LineView,
    PaymentView,
    Step,
    hours_of,
    payee_of,
    state_says,
)
from diary.rules.money import money as bare_money
from diary.rules.week import Week

PATH = "/-/diary/invoices"


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """An invoice as a line of the list."""

    number: int
    href: str
    week: str
    week_href: str
    client: str
    total: str
    due: str
    state: str
    says: str
    corrects: int | None
    differs: bool


@dataclass(frozen=True, slots=True)
class InvoicesPage:
    """The list, the newest first, and what is due of it in each currency."""

    rows: tuple[InvoiceRow, ...]
    due: tuple[str, ...]
    for_client: bool


@dataclass(frozen=True, slots=True)
class LineShown:
    """A line of an invoice; empty where a bonus has no such thing."""

    title: str
    what: str
    week: str
    hours: str
    rate: str
    amount: str
    apart: str
    note: str


@dataclass(frozen=True, slots=True)
class StepShown:
    """One state of the invoice's life: when it began or begins, and whether it is the one of now."""

    word: str
    when: str
    here: str
    is_now: bool


@dataclass(frozen=True, slots=True)
class PaymentShown:
    """A payment as a line; `may_confirm` and `may_refund` say what its forms offer."""

    id: str
    word: str
    amount: str
    when: str
    reference: str
    file: str
    file_href: str
    may_confirm: bool
    may_take_back: bool
    may_refund: bool


@dataclass(frozen=True, slots=True)
class InvoicePage:
    """One invoice: who owes whom, its lines, where it stands, what was paid."""

    number: int
    title: str
    week: str
    week_href: str
    dates: str
    closed: str
    issuer: tuple[str, ...]
    client: str
    corrects: int | None
    part: str
    lines: tuple[LineShown, ...]
    total: str
    sums: tuple[tuple[str, str], ...]
    says: str
    differs: str
    steps: tuple[StepShown, ...]
    payments: tuple[PaymentShown, ...]
    how_to_pay: str
    currency: str
    query: str
    payee: str
    due_written: str
    may_pay: bool
    may_record: bool
    may_dispute: str


def invoices_page(views: Sequence[InvoiceView], reading: Reading) -> InvoicesPage:
    """Return the list of the invoices as they come, and the sums of what is due."""
    due: dict[str, int] = defaultdict(int)
    for view in views if reading.for_client else [view for view in views if view.agency is None]:
        due[view.currency] += view.due_minor or 0
    return InvoicesPage(
        rows=tuple(map(_row, views)),
        due=tuple(money(minor, currency) for currency, minor in sorted(due.items()) if minor),
        for_client=reading.for_client,
    )


def _query(view: InvoiceView) -> str:
    """Return what tells an agency's invoice from the own one of that number in an address."""
    return f"?agency={view.agency}" if view.agency else ""


def _row(view: InvoiceView) -> InvoiceRow:
    return InvoiceRow(
        number=view.number,
        href=f"{PATH}/{view.number}{_query(view)}",
        week=view.week,
        week_href=f"/-/diary/week/{view.week}",
        client=view.client + (f" (billed by agency {view.agency[:8]})" if view.agency else ""),
        total=money(view.total_minor, view.currency),
        due="" if view.due_minor is None else money(view.due_minor, view.currency),
        state=view.state,
        says=state_says(view),
        corrects=view.corrects,
        differs=view.agrees is False,
    )


def invoice_page(view: InvoiceView, head: Letterhead, reading: Reading) -> InvoicePage:
    """Return one invoice's page."""
    week = Week.parse(view.week)
    client = reading.for_client
    is_due = (view.due_minor or 0) > 0
    return InvoicePage(
        number=view.number,
        title=f"Invoice {view.number}"
        + (f" of agency {view.agency[:8]}" if view.agency else "")
        + (f", correcting {view.corrects}" if view.corrects else ""),
        week=view.week,
        week_href=f"/-/diary/week/{view.week}",
        dates=f"{reading.utc(week.starts_at_ms)} to {reading.utc(week.ends_at_ms)}",
        closed=reading.both(view.closed_at_ms),
        issuer=head.lines,
        client=view.client,
        corrects=view.corrects,
        part="You see the lines of your own contract; the same invoice may have others."
        if view.is_part
        else "",
        lines=tuple(_line(line, view.currency) for line in view.lines),
        total=money(view.total_minor, view.currency),
        sums=tuple(_sums(view)),
        says=sentence(state_says(view)),
        differs=_differs(view),
        steps=tuple(_steps(view, reading)),
        payments=tuple(_payment(one, view, reading) for one in view.payments),
        how_to_pay=head.how_to_pay,
        currency=view.currency,
        query=_query(view),
        payee=payee_of(view),
        due_written=bare_money(max(0, view.due_minor or 0), view.currency),
        may_pay=client and is_due,
        may_record=not client and is_due and view.agency is None,
        may_dispute=f"/-/diary/week/{view.week}" if client and view.state == "in_review" else "",
    )


def _line(line: LineView, currency: str) -> LineShown:
    is_time = line.what != "bonus"
    apart = [
        f"{money(minor, currency)} {word}"
        for minor, word in ((line.disputed_minor, "disputed"), (line.credited_minor, "credited"))
        if minor
    ]
    return LineShown(
        title=line.title,
        what=WHAT_WORDS[line.what],
        week=line.week,
        hours=hours_of(line.segments) if is_time else "",
        rate=money(line.rate_minor, currency) if is_time else "",
        amount=money(line.amount_minor, currency),
        apart=", ".join(apart),
        note=line.note,
    )


def _sums(view: InvoiceView) -> Iterable[tuple[str, str]]:
    """Yield what stands below the total; only what is not nothing."""
    for word, minor in (
        ("Credited", -view.credited_minor),
        ("Disputed, set apart", -view.disputed_minor),
        ("Paid", -view.paid_minor),
    ):
        if minor:
            yield word, money(minor, view.currency)
    if view.due_minor is not None:
        yield "Due", money(view.due_minor, view.currency)


def _differs(view: InvoiceView) -> str:
    if view.agrees is not False:
        return ""
    own = "no such invoice" if view.own_total_minor is None else money(view.own_total_minor, view.currency)
    said = money(view.total_minor, view.currency)
    return f"The server signed {said}; this diary's own rows and seal come to {own}. Pay nothing by it."


def _steps(view: InvoiceView, reading: Reading) -> Iterable[StepShown]:
    now = next((step for step in reversed(view.steps) if step.from_ms <= reading.now_ms), None)
    for step in view.steps:
        yield _step(step, reading, is_now=step is now)


def _step(step: Step, reading: Reading, *, is_now: bool) -> StepShown:
    return StepShown(STATE_WORDS[step.state], reading.utc(step.from_ms), reading.here(step.from_ms), is_now)


def _payment(one: PaymentView, view: InvoiceView, reading: Reading) -> PaymentShown:
    issuer = not reading.for_client and view.agency is None
    return PaymentShown(
        id=one.id,
        word=PAYMENT_WORDS[one.state],
        amount=money(one.amount_minor, view.currency),
        when="not sent yet" if one.at_ms is None else reading.instant(one.at_ms),
        reference=one.reference,
        file=one.file,
        file_href=f"{PATH}/receipt/{one.id}" if one.file else "",
        may_confirm=issuer and one.state == "claimed",
        may_take_back=reading.for_client and one.state == "claimed",
        may_refund=issuer and one.state in {"received", "disagrees"},
    )
