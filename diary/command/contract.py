"""`contract`: making, showing and changing contracts (R7, R8, R9)."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from diary.command.desk import AsJson, desk_of, print_json, say, tell, text_of
from diary.command.request import answer, request, said_lines
from diary.errors import UsageError
from diary.json_lists import contract_in_full_json, contract_json
from diary.rules.json_form import iso
from diary.rules.money import minor_of, money
from diary.rules.terms_changes import limit_words
from diary.when import duration_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diary.contracts import Contract, TermsFields
    from diary.evidence.seats import Seat

app = typer.Typer(rich_markup_mode=None)
contract = typer.Typer(rich_markup_mode=None, help="Contracts and their terms.", no_args_is_help=True)
app.add_typer(contract, name="contract")

Named = Annotated[str, typer.Argument(metavar="CONTRACT", help="Its title or id, or the start of one.")]
Client = Annotated[str | None, typer.Option(metavar="NAME", help="Who hires.")]
Rate = Annotated[str | None, typer.Option(metavar="AMOUNT", help="An hour's rate, such as 60 or 60.50.")]
Currency = Annotated[str | None, typer.Option(metavar="CODE", help="Three capital letters; USD at first.")]
Limit = Annotated[str | None, typer.Option(metavar="TIME", help="Weekly limit such as 40h, or none.")]
Labels = Annotated[
    list[str] | None, typer.Option("--label", metavar="L", help="An activity label; repeat it.")
]
Manual = Annotated[
    bool | None, typer.Option("--manual-allowed/--no-manual", help="Whether manual time may be added.")
]
Masking = Annotated[
    bool | None,
    typer.Option("--masking-allowed/--no-masking", help="Whether private windows are blacked out."),
]
Required = Annotated[
    bool | None, typer.Option("--label-required/--label-optional", help="Whether each segment needs a label.")
]


class BadAmountError(UsageError):
    """A rate is no amount of its currency."""

    says = "{because}"
    mend = "For example: --rate 60.50 --currency EUR."


@contract.command()
def new(
    ctx: typer.Context,
    title: Annotated[str, typer.Argument(metavar="TITLE", help="What to call it.")],
    client: Client = None,
    rate: Rate = None,
    currency: Currency = None,
    limit: Limit = None,
    labels: Labels = None,
    *,
    manual_allowed: Manual = None,
    masking_allowed: Masking = None,
    label_required: Required = None,
    fixed_price: Annotated[
        bool, typer.Option("--fixed-price", help="Recorded, never billed by time.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a contract; until a client has joined, its terms are yours to set."""
    fields = _fields(client, rate, currency, limit, labels, manual_allowed, masking_allowed, label_required)
    fields["title"] = text_of(title, "title") or ""
    if fixed_price:
        fields["kind"] = "fixed_price"
    with desk_of(ctx).open_diary() as diary:
        made = diary.new_contract(**fields)
        alike = [one for one in diary.contracts() if one.title.casefold() == made.title.casefold()]
    _tell(made, as_json=as_json)
    if len(alike) > 1:
        say(f"{len(alike)} contracts are called so now. In commands name this one {made.id[:8]},")
        say("or close the other: diary contract close ID")
    if made.terms.kind == "hourly" and rate is None:
        say(f"It has no rate yet, so that it bills nothing: diary contract terms {made.id[:8]} --rate 60")


@contract.command()
def terms(
    ctx: typer.Context,
    name: Named,
    title: Annotated[str | None, typer.Option(metavar="TITLE", help="A new title.")] = None,
    client: Client = None,
    rate: Rate = None,
    currency: Currency = None,
    limit: Limit = None,
    labels: Labels = None,
    *,
    manual_allowed: Manual = None,
    masking_allowed: Masking = None,
    label_required: Required = None,
    as_json: AsJson = False,
) -> None:
    """Change a contract's terms; a raised limit holds at once, a lowered one from Monday."""
    with desk_of(ctx).open_diary() as diary:
        known = diary.contract(name)
        code = currency or known.terms.currency
        fields = _fields(
            client, rate, currency, limit, labels, manual_allowed, masking_allowed, label_required, code
        )
        if title is not None:
            fields["title"] = text_of(title, "title") or ""
        changed = diary.change_terms(known.id, **fields)
    _tell(changed, as_json=as_json)


@contract.command("list")
def list_(ctx: typer.Context, *, as_json: AsJson = False) -> None:
    """List the contracts."""
    with desk_of(ctx).open_diary() as diary:
        show_fixed = bool(diary.setting("show_fixed_price"))
        found = [one for one in diary.contracts() if show_fixed or one.terms.kind == "hourly"]
    if as_json:
        print_json([contract_json(one) for one in found])
        return
    if not found:
        tell('No contract yet. Make one: diary contract new "Orchard website" --rate 60')
        return
    from diary.command.tables import plain, plain_console, plain_table

    table = plain_table("Id", "Contract", "Client", "Rate", "Limit", "State")
    for one in found:
        table.add_row(
            one.id[:8], plain(one.title), plain(one.client), _rate(one), _limit(one), one.terms.state
        )
    plain_console().print(table)


@contract.command()
def show(ctx: typer.Context, name: Named, *, as_json: AsJson = False) -> None:
    """Show a contract's terms, and how they changed."""
    with desk_of(ctx).open_diary() as diary:
        found = diary.contract(name)
        seats = diary.joined(found.id)
        if as_json:
            print_json(contract_in_full_json(diary, found))
            return
        said = list(said_lines(diary, found))
    _tell(found, as_json=False, seats=seats)
    from diary.command.tables import plain

    for what, words in said:
        tell(f"{what + ':':<14}{plain(words)}")


@contract.command()
def pause(ctx: typer.Context, name: Named) -> None:
    """Pause a contract: no new time until it is resumed."""
    _set_state(ctx, name, "paused")


@contract.command()
def resume(ctx: typer.Context, name: Named) -> None:
    """Resume a paused or closed contract."""
    _set_state(ctx, name, "active")


@contract.command()
def close(ctx: typer.Context, name: Named) -> None:
    """Close a contract: no new time; it stays readable for ever."""
    _set_state(ctx, name, "closed")


contract.command()(request)
contract.command()(answer)


def _set_state(ctx: typer.Context, name: str, state: Literal["active", "paused", "closed"]) -> None:
    with desk_of(ctx).open_diary() as diary:
        changed = diary.change_terms(diary.contract(name).id, state=state)
    tell(f"{changed.title} is {changed.terms.state}.")


def _fields(
    client: str | None,
    rate: str | None,
    currency: str | None,
    limit: str | None,
    labels: list[str] | None,
    manual_allowed: bool | None,  # noqa: FBT001  # passed on as the options came
    masking_allowed: bool | None,  # noqa: FBT001  # as above
    label_required: bool | None,  # noqa: FBT001  # as above
    currency_now: str = "USD",
) -> "TermsFields":
    """Return the terms that were given; what was left out is left out.

    Raises:
        BadAmountError: The rate is none.
        BadTimeError: The limit is none.
    """
    fields: TermsFields = {}
    if client is not None:
        fields["client"] = text_of(client, "client's name") or ""
    if currency is not None:
        fields["currency"] = currency
    if rate is not None:
        try:
            fields["rate_minor"] = minor_of(rate, currency or currency_now)
        except ValueError as error:
            raise BadAmountError(because=error) from error
    if limit is not None:
        fields["limit_minutes"] = None if limit.lower() == "none" else duration_of(limit)
    if labels is not None:
        fields["labels"] = tuple(text_of(label, "label") or "" for label in labels if label)
    if manual_allowed is not None:
        fields["manual_allowed"] = manual_allowed
    if masking_allowed is not None:
        fields["masking_allowed"] = masking_allowed
    if label_required is not None:
        fields["label_required"] = label_required
    return fields


def _tell(found: "Contract", *, as_json: bool, seats: "Sequence[Seat]" = ()) -> None:
    if as_json:
        print_json(contract_json(found))
        return
    from diary.command.tables import plain

    facts = (
        ("contract", f"{found.title} ({found.id[:8]})"),
        ("client", found.client or "–"),
        ("rate", _rate(found)),
        ("weekly limit", _limit(found)),
        ("labels", ", ".join(found.labels) or "none"),
        ("a label is", "required" if found.terms.label_required else "optional"),
        ("manual time", _manual(found)),
        ("masking", "allowed" if found.terms.masking_allowed else "not allowed"),
        ("state", found.terms.state),
        ("terms so far", str(len(found.history.versions))),
    )
    for name, value in facts:
        tell(f"{name + ':':<14}{plain(value)}")
    for seat in seats:
        until = ", and reads no more" if seat.ended else ""
        who = f"the {seat.role} ({seat.replica[:8]})"
        tell(f"{'reads along:':<14}{who}, joined {iso(seat.joined_at_ms)}{until}")


def _manual(found: "Contract") -> str:
    if found.terms.manual_allowed:
        return "allowed"
    weeks = ", ".join(found.terms.manual_weeks)
    return f"allowed for {weeks}" if weeks else "not allowed"


def _rate(found: "Contract") -> str:
    if found.terms.kind == "fixed_price":
        return "fixed price"
    return f"{money(found.terms.rate_minor, found.terms.currency)} {found.terms.currency}/h"


def _limit(found: "Contract") -> str:
    minutes = found.terms.limit_minutes
    return "none" if minutes is None else limit_words(minutes)
