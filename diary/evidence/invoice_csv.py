"""Invoices as CSV: a line for each line of theirs, as a bookkeeper's program reads it (R61). Pure."""

from collections.abc import Iterable, Sequence

from diary.evidence.table_text import Cell, table
from diary.rules.invoice_view import InvoiceView, LineView, hours_of
from diary.rules.json_form import at
from diary.rules.money import money

CSV_COLUMNS = (
    "invoice", "corrects", "week", "closed_at_utc", "client", "contract", "what", "of_week", "segments",
    "hours", "rate", "amount", "currency", "state", "disputed", "credited", "agrees",
)  # fmt: skip


def invoices_csv(views: Iterable[InvoiceView]) -> str:
    """Return a line for each line of each invoice, safe in a spreadsheet (R58, R61)."""
    return table(CSV_COLUMNS, (_csv_line(view, line) for view in views for line in view.lines))


def _csv_line(view: InvoiceView, line: LineView) -> Sequence[Cell]:
    is_time = line.what != "bonus"
    return (
        view.number,
        view.corrects,
        view.week,
        f"{at(view.closed_at_ms):%Y-%m-%d %H:%M:%S}",
        view.client,
        line.title,
        line.what,
        line.week,
        line.segments if is_time else None,
        hours_of(line.segments) if is_time else "",
        money(line.rate_minor, view.currency) if is_time else "",
        money(line.amount_minor, view.currency),
        view.currency,
        view.state,
        money(line.disputed_minor, view.currency),
        money(line.credited_minor, view.currency),
        {True: "yes", False: "no", None: "not yet"}[view.agrees],
    )
