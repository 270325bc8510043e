"""`invoice` and `statement`: what was billed, where it stands, what is due (R61, R62, R63)."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diary.command.desk import AsJson, Yes, agree, desk_of, print_json, say, tell
from diary.errors import UsageError
from diary.rules.invoice_view import (
    PAYMENT_WORDS,
    WHAT_WORDS,
    InvoiceView,
    hours_of,
    invoice_json,
    state_says,
)
from diary.rules.json_form import iso
from diary.rules.money import money

if TYPE_CHECKING:
    from diary.diary import Diary
    from diary.rules.statement import Statement

app = typer.Typer(rich_markup_mode=None)

Which = Annotated[
    str | None,
    typer.Argument(metavar="[WEEK|NUMBER]", help="2026-W47, this, last, or an invoice's number."),
]


class WhichInvoiceError(UsageError):
    """A PDF shows one invoice."""

    says = "A PDF shows one invoice, and these words name none or several."
    mend = "Name it by its number: diary invoice 7 --pdf invoice-7.pdf"


@app.command()
def invoice(
    ctx: typer.Context,
    which: Which = None,
    pdf: Annotated[Path | None, typer.Option("--pdf", metavar="FILE", help="Write it as a PDF.")] = None,
    *,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV, a line a line.")] = False,
    as_json: AsJson = False,
    yes: Yes = False,
) -> None:
    """List the invoices, or show those of a week, or one by its number."""
    with desk_of(ctx).open_diary() as diary:
        views = _chosen(diary, which)
        if pdf is not None:
            _print(diary, views, pdf, yes=yes)
            return
    if as_json:
        print_json([invoice_json(view) for view in views])
    elif csv:
        from diary.evidence.invoice_csv import invoices_csv

        typer.echo(invoices_csv(views), nl=False)
    elif not views:
        tell("No invoice yet: one is made when a week locks, Monday 12:00 UTC, for time that bills.")
    elif which is None:
        _list(views)
    else:
        for view in views:
            _show(view)


def _chosen(diary: "Diary", which: str | None) -> Sequence[InvoiceView]:
    """Return the invoices that a word names: all of them, one by number, or a week's."""
    if which is None:
        return diary.invoices()
    if which.isascii() and which.isdecimal() and len(which) < 10:
        return (diary.invoice(int(which)),)
    from diary.when import week_of

    week = week_of(which, now_ms=diary.now_ms())
    return tuple(view for view in diary.invoices() if view.week == week.name)


def _print(diary: "Diary", views: Sequence[InvoiceView], file: Path, *, yes: bool) -> None:
    """Write one invoice as a PDF.

    Raises:
        WhichInvoiceError: None was named, or several were.
    """
    from diary.command.whole_file import write_whole
    from diary.invoice_pdf import invoice_pdf

    if len(views) != 1:
        raise WhichInvoiceError
    whole = invoice_pdf(views[0], diary.letterhead(views[0]))
    if file.exists():
        agree(f"{file} is there already. Replace it?", yes=yes)
    write_whole(file, whole)
    tell(f"{file}: invoice {views[0].number}, {len(whole) / 1000:.0f} KB")


def _list(views: Sequence[InvoiceView]) -> None:
    from diary.command.tables import plain, plain_console, plain_table

    table = plain_table("Invoice", "Week", "Client", "Total", "Due", "Stands")
    for view in views:
        corrects = f" corrects {view.corrects}" if view.corrects else ""
        issuer = f" of agency {view.agency[:8]}" if view.agency else ""
        table.add_row(
            f"{view.number}{issuer}{corrects}",
            view.week,
            plain(view.client),
            _amount(view.total_minor, view.currency),
            "–" if view.due_minor is None else _amount(view.due_minor, view.currency),
            state_says(view),
        )
    plain_console().print(table)


def _show(view: InvoiceView) -> None:
    from diary.command.tables import plain, plain_console, plain_table

    corrects = f", correcting invoice {view.corrects}" if view.corrects else ""
    client = f", to {view.client}" if view.client else ""
    tell(f"Invoice {view.number}{corrects}{client}: {view.week}, closed {iso(view.closed_at_ms)}")
    table = plain_table("Contract", "What", "Hours", "Rate", "Amount", "Marks")
    for line in view.lines:
        is_time = line.what != "bonus"
        apart = ((line.disputed_minor, "disputed"), (line.credited_minor, "credited"))
        marks = [f"{_amount(minor, view.currency)} {word}" for minor, word in apart if minor]
        table.add_row(
            plain(line.title),
            WHAT_WORDS[line.what] + (f" of {line.week}" if line.week != view.week else ""),
            hours_of(line.segments) if is_time else "",
            money(line.rate_minor, view.currency) if is_time else "",
            _amount(line.amount_minor, view.currency),
            plain(", ".join([*marks, *filter(None, [line.note])])),
        )
    plain_console().print(table)
    tell(f"Total {_amount(view.total_minor, view.currency)}. {state_says(view)}.")
    for one in view.payments:
        reference = f", {one.reference}" if one.reference else ""
        tell(
            f"{_amount(one.amount_minor, view.currency)} {PAYMENT_WORDS[one.state]}{reference} ({one.id[:8]})"
        )
    if view.due_minor is not None:
        tell(f"Due: {_amount(view.due_minor, view.currency)}")
    if view.is_part:
        say("You see the lines of your own contract; the same invoice may have others.")


def _amount(minor: int, currency: str) -> str:
    return f"{money(minor, currency)} {currency}"


@app.command()
def statement(
    ctx: typer.Context,
    client: Annotated[
        str | None, typer.Argument(metavar="[CLIENT]", help="Only this client; the start is enough.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show what each client and you have between you: every entry of the ledger, and what stands where."""
    from diary.rules.statement import statement_json

    with desk_of(ctx).open_diary() as diary:
        wanted = (client or "").casefold()
        found = [one for one in diary.statements() if one.client.casefold().startswith(wanted)]
    if as_json:
        print_json([statement_json(one) for one in found])
        return
    if not found:
        tell("Nothing was invoiced yet.")
    for one in found:
        _tell_statement(one)


def _tell_statement(one: "Statement") -> None:
    from diary.command.tables import plain, plain_console, plain_table
    from diary.rules.statement import ACCOUNT_WORDS, ENTRY_WORDS, shown_minor

    tell(f"{one.client or 'Without a client’s name'}, {one.currency}")
    table = plain_table("At", "Invoice", "Contract", "What", "Amount", "Owed after")
    for line in one.lines:
        table.add_row(
            iso(line.at_ms),
            str(line.invoice),
            plain(line.title),
            ENTRY_WORDS[line.what],
            money(line.amount_minor, one.currency),
            money(line.owed_minor, one.currency),
        )
    plain_console().print(table)
    for account, word in ACCOUNT_WORDS.items():
        if account in one.balances:
            tell(f"{word}: {_amount(shown_minor(account, one.balances[account]), one.currency)}")
