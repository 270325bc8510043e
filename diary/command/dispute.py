"""`dispute` and `redact`: what the parties say of single segments (R54, R62)."""

from typing import Annotated

import typer

from diary.command.chosen import places_of
from diary.command.correct import OfContract
from diary.command.desk import Slots, Utc, Yes, agree, desk_of, say, tell, text_of, zone_of
from diary.errors import UsageError
from diary.fetching import fetch_thinned
from diary.rules.counted import counted

app = typer.Typer(rich_markup_mode=None)

Why = Annotated[str, typer.Option("--reason", metavar="WHY", help="Why; the other party reads it.")]


class BothWaysError(UsageError):
    """A dispute that is taken back, replied to or conceded at once."""

    says = "A dispute is taken back, replied to or conceded: one at a time; a bundle goes with a reply."
    mend = "Use --withdraw, --reply, --reply --bundle or --concede."


@app.command()
def dispute(
    ctx: typer.Context,
    slots: Slots,
    reason: Why = "",
    contract: OfContract = None,
    *,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Dispute them no longer.")] = False,
    reply: Annotated[bool, typer.Option("--reply", help="Reply to the client's dispute.")] = False,
    concede: Annotated[
        bool, typer.Option("--concede", help="Agree with the client: it is credited for good.")
    ] = False,
    bundle: Annotated[
        bool, typer.Option("--bundle", help="With --reply: send the segments with their proofs, as a file.")
    ] = False,
    utc: Utc = False,
) -> None:
    """Dispute segments of a week in review, as the client; the freelancer replies or concedes."""
    if sum((withdraw, reply, concede)) > 1 or (bundle and not reply):
        raise BothWaysError
    desk = desk_of(ctx)
    with desk.open_diary() as diary:
        only = None if contract is None else diary.contract(contract).id
        places = places_of(diary, desk, slots, zone_of(diary, utc=utc), contract=only)
        said = text_of(reason, "reason") or ""
        if withdraw:
            count, word = diary.take_dispute_back(places, said), "disputed no longer"
        elif reply and bundle:
            zone = zone_of(diary, utc=utc)
            because = fetch_thinned(diary, (one for place in places if (one := diary.segment(place))))
            if because:
                say(because)
            count, name = diary.reply_with_bundle(places, said, zone)
            word = f"replied about, with {name} as a message"
        elif reply:
            count, word = diary.reply(places, said), "replied about"
        elif concede:
            count, word = diary.concede(places, said), "conceded and credited"
        else:
            count, word = diary.dispute(places, said), "disputed"
    tell(f"{counted(count, 'segment')} {word}.")


@app.command()
def redact(
    ctx: typer.Context,
    slots: Slots,
    reason: Why = "",
    contract: OfContract = None,
    *,
    yes: Yes = False,
    utc: Utc = False,
) -> None:
    """Have the content of frozen segments destroyed once both parties have said so; time and bill stay."""
    desk = desk_of(ctx)
    with desk.open_diary() as diary:
        only = None if contract is None else diary.contract(contract).id
        places = places_of(diary, desk, slots, zone_of(diary, utc=utc), contract=only)
        tell(
            f"Snapshots and texts of {counted(len(places), 'segment')} are destroyed on every copy once "
            "both have signed."
        )
        agree("Sign it? This cannot be undone.", yes=yes)
        agreed = diary.redact(places, text_of(reason, "reason") or "")
    waiting = len(places) - agreed
    if agreed:
        tell(f"Both have signed for {counted(agreed, 'segment')}: destroyed with the next sync.")
    if waiting:
        tell(f"{counted(waiting, 'segment')} wait for the other party to sign.")
