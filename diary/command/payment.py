"""`bonus`, `paid`, `received`: what the parties say of money; none of them moves any (R62, R63)."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diary.command.desk import desk_of, say, tell, text_of
from diary.command.message import read_file
from diary.errors import UsageError
from diary.rules.money import minor_of, money

if TYPE_CHECKING:
    from diary.rules.invoice_view import InvoiceView

app = typer.Typer(rich_markup_mode=None)

Number = Annotated[int, typer.Argument(metavar="INVOICE", min=1, help="Its number: diary invoice.")]
Amount = Annotated[str | None, typer.Argument(metavar="[AMOUNT]", help="60 or 60.50; else all that is due.")]
Reference = Annotated[
    str, typer.Option("--reference", metavar="TEXT", help="What the transfer says; the other party reads it.")
]
Receipt = Annotated[
    list[Path] | None,
    typer.Option("--file", metavar="FILE", help="A receipt: sent sealed, as the file of a message."),
]
Agency = Annotated[
    str | None,
    typer.Option("--agency", metavar="ID", help="An agency's invoice of that number; the start is enough."),
]
NOT_MOVED = "No money is moved by this; the other party reads it after the next sync."


class BadAmountError(UsageError):
    """An amount that is none of its currency."""

    says = "{because}"
    mend = "Write it with the currency's own decimals."


class NothingDueError(UsageError):
    """Nothing of an invoice is due, or this diary does not bear it out."""

    says = "Nothing is due of invoice {number}."
    mend = "See where it stands: diary invoice {number}. An amount can be given."


@app.command()
def bonus(
    ctx: typer.Context,
    contract: Annotated[str, typer.Argument(metavar="CONTRACT", help="Its title or id, or the start.")],
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="60 or 60.50, in the contract's currency.")],
    reason: Annotated[str, typer.Argument(metavar="REASON", help="Why; the freelancer reads it.")],
    week: Annotated[
        str, typer.Option("--week", metavar="WEEK", help="For which week; it must be in review.")
    ] = "last",
) -> None:
    """Add a bonus for a week in review, as the client: the next invoice has a line for it."""
    from diary.when import week_of

    with desk_of(ctx).open_diary() as diary:
        found = diary.contract(contract)
        which = week_of(week, now_ms=diary.now_ms())
        currency = found.history.rate_of(which)[1]
        minor = typed_minor(amount, currency)
        diary.give_bonus(found.id, which, minor, text_of(reason, "reason") or "")
    tell(f"A bonus of {money(minor, currency)} {currency} for {which.name} of {found.title}.")


@app.command()
def paid(
    ctx: typer.Context,
    number: Number,
    amount: Amount = None,
    reference: Reference = "",
    file: Receipt = None,
    withdraw: Annotated[
        str | None, typer.Option("--withdraw", metavar="ID", help="Take back that this was paid.")
    ] = None,
    agency: Agency = None,
) -> None:
    """Say that you paid an invoice, as the client; the freelancer, or the agency, confirms it."""
    receipts = [read_file(path) for path in file or ()]
    with desk_of(ctx).open_diary() as diary:
        view = diary.invoice(number, agency)
        if withdraw is not None:
            diary.take_payment_back(number, withdraw, agency=agency)
            tell("Taken back.")
            return
        minor = _due(view, amount)
        diary.mark_paid(number, minor, text_of(reference, "reference") or "", receipts, agency=agency)
    tell(f"{named(view)}: {money(minor, view.currency)} {view.currency} marked as paid.")
    say(NOT_MOVED)


@app.command()
def received(
    ctx: typer.Context,
    number: Number,
    amount: Amount = None,
    reference: Reference = "",
    file: Receipt = None,
    payment: Annotated[
        str | None, typer.Option("--payment", metavar="ID", help="Confirm this one of the client's.")
    ] = None,
) -> None:
    """Say that money for an invoice came in: what the client marked as paid, or an amount of its own."""
    receipts = [read_file(path) for path in file or ()]
    with desk_of(ctx).open_diary() as diary:
        view = diary.invoice(number)
        said = text_of(reference, "reference") or ""
        if payment is None and amount is None and not receipts:
            claimed = [one for one in view.payments if one.state == "claimed"]
            for one in claimed:
                diary.confirm_payment(number, one.id, reference=said)
            if claimed:
                minor = sum(one.amount_minor for one in claimed)
                tell(f"{named(view)}: {money(minor, view.currency)} {view.currency} confirmed.")
                return
        if payment is not None:
            given = None if amount is None else typed_minor(amount, view.currency)
            minor = diary.confirm_payment(number, payment, given, said)
        else:
            minor = _due(view, amount)
            diary.note_received(number, minor, said, receipts)
    tell(f"{named(view)}: {money(minor, view.currency)} {view.currency} came in.")
    say(NOT_MOVED)


def named(view: "InvoiceView") -> str:
    """Return an invoice by its number, and whose it is where that is not the account's own (R61)."""
    return f"Invoice {view.number}" + (f" of agency {view.agency[:8]}" if view.agency else "")


def _due(view: "InvoiceView", amount: str | None) -> int:
    """Return the amount that was typed, else all that is due."""
    if amount is not None:
        return typed_minor(amount, view.currency)
    if (view.due_minor or 0) <= 0:
        raise NothingDueError(number=view.number)
    return view.due_minor or 0


def typed_minor(amount: str, currency: str) -> int:
    """Return a typed amount in minor units of its currency; one that is none is a usage error (R61)."""
    try:
        return minor_of(amount, currency)
    except ValueError as error:
        raise BadAmountError(because=error) from error
