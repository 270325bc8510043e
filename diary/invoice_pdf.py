"""An invoice as a PDF to be sent (R61): the same invoice makes the same bytes. Needs `workdiary[print]`."""

from diary.errors import MachineError
from diary.pdf.document import Column, Document, can_print
from diary.rules.invoice_view import WHAT_WORDS, InvoiceView, Letterhead, LineView, hours_of
from diary.rules.json_form import at
from diary.rules.money import money
from diary.rules.week import Week

_COLUMNS = (
    Column("Contract", 3),
    Column("What", 2.4),
    Column("Hours", 1, right=True),
    Column("Rate an hour", 1.5, right=True),
    Column("Amount", 1.7, right=True),
)


class CannotPrintError(MachineError):
    """What a PDF is made with is not installed."""

    says = "This installation makes no PDF: the fonts and the library for it are missing."
    mend = "Install workdiary[print]; or print the invoice's page from the browser."


class NotBorneOutError(MachineError):
    """An invoice that this diary does not come to is not sent to anybody."""

    says = "Invoice {number} is not what this diary comes to, so no PDF of it is made."
    mend = "Sync, and look at the alarm: diary audit."


def invoice_pdf(view: InvoiceView, head: Letterhead) -> bytes:
    """Return the invoice as it is sent to the client.

    Raises:
        CannotPrintError: The libraries for it are not installed.
        NotBorneOutError: It is not what this replica's own rows come to.
    """
    if view.agrees is not True:
        raise NotBorneOutError(number=view.number)
    if not can_print():
        raise CannotPrintError
    corrects = f", correcting invoice {view.corrects}" if view.corrects else ""
    made = Document(
        f"Invoice {view.number}{corrects}", made_at_ms=view.closed_at_ms, foot=f"Invoice {view.number}"
    )
    for name, texts in (("From", head.lines), ("To", (view.client,))):
        made.facts((name if place == 0 else "", text) for place, text in enumerate(texts))
    week = Week.parse(view.week)
    made.facts(
        [
            ("Date", f"{at(view.closed_at_ms):%Y-%m-%d}"),
            (
                "Week",
                f"{view.week}, {at(week.starts_at_ms):%Y-%m-%d} to {at(week.ends_at_ms - 1):%Y-%m-%d} (UTC)",
            ),
            ("Currency", view.currency),
        ]
    )
    total = money(view.total_minor, view.currency)
    made.table(
        _COLUMNS,
        [_row(line, view) for line in view.lines],
        last=["Total", "", "", "", f"{total} {view.currency}"],
    )
    apart = [
        ("Credited", -view.credited_minor),
        ("Disputed, set apart", -view.disputed_minor),
        ("Paid", -view.paid_minor),
    ]
    sums = [(word, f"{money(minor, view.currency)} {view.currency}") for word, minor in apart if minor]
    if sums:
        made.facts([*sums, ("Due", f"{money(view.due_minor or 0, view.currency)} {view.currency}")])
    if head.how_to_pay:
        made.facts([("How to pay", head.how_to_pay)])
    made.paragraph(
        "Hours are whole segments of ten minutes. Each line is segments × rate ÷ 6, rounded once, half up. "
        "The server that received the time signed the sealed week that this follows from.",
        quiet=True,
    )
    return made.pdf()


def _row(line: LineView, view: InvoiceView) -> list[str]:
    is_time = line.what != "bonus"
    of_week = f" of {line.week}" if line.week != view.week else ""
    return [
        line.title,
        WHAT_WORDS[line.what] + of_week + (f": {line.note}" if line.note else ""),
        hours_of(line.segments) if is_time else "",
        money(line.rate_minor, view.currency) if is_time else "",
        money(line.amount_minor, view.currency),
    ]
