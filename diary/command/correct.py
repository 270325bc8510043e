"""`edit`, `add`, `remove`, `undo`: changes, each refused by name where a rule forbids it (R4, R9, R21)."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from diary.command.chosen import places_of
from diary.command.desk import Slots, Utc, Yes, agree, desk_of, tell, text_of, zone_of
from diary.errors import RefusedError, UsageError
from diary.rules.counted import counted
from diary.rules.ids import SLOT_MILLIS
from diary.rules.json_form import at
from diary.rules.week import Week, starts_at_ms
from diary.when import Span, span_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from diary.correcting import Acts
    from diary.removing import Loss
    from diary.rules.timesheet import Place

app = typer.Typer(rich_markup_mode=None)

REFUSED_LISTED_MAX = 12  # what a person reads; `diary refused` and the pages have all

OfContract = Annotated[
    str | None, typer.Option("--contract", metavar="C", help="Only segments of this contract.")
]


class NothingToChangeError(UsageError):
    """An edit that says neither memo nor label."""

    says = "Neither a memo nor a label was given, so there is nothing to change."
    mend = 'For example: diary edit 9-10:30 --memo "Invoice page".'


class NotWholeError(UsageError):
    """Manual time is whole slots (R21)."""

    says = "Manual time is whole ten minutes; {text} is not."
    mend = "The nearest is {first}-{last}."


class RefusedActError(RefusedError):
    """A rule refused part of an act or all of it; each place is listed after it."""

    mend = "{others}"


@app.command()
def edit(
    ctx: typer.Context,
    slots: Slots,
    memo: Annotated[str | None, typer.Option(help="The new memo; an empty one takes it away.")] = None,
    label: Annotated[str | None, typer.Option(help="The new label; an empty one takes it away.")] = None,
    contract: OfContract = None,
    *,
    utc: Utc = False,
) -> None:
    """Change the memo or label of segments; `diary undo` takes it back until their week freezes."""
    memo, label = text_of(memo, "memo"), text_of(label, "label")
    if memo is None and label is None:
        raise NothingToChangeError
    desk = desk_of(ctx)
    with desk.open_diary() as diary:
        zone = zone_of(diary, utc=utc)
        only = None if contract is None else diary.contract(contract).id
        places = places_of(diary, desk, slots, zone, contract=only)
        acts = diary.edit(places, memo=memo, label=label)
    _tell(acts, "changed", zone)


@app.command()
def add(
    ctx: typer.Context,
    span: Annotated[str, typer.Argument(metavar="SPAN", help="9-10:30, 'yesterday 14-15', 2h")],
    contract: Annotated[
        str, typer.Argument(metavar="CONTRACT", help="Its title or id, or the start of one.")
    ],
    memo: Annotated[str, typer.Argument(metavar='"MEMO"', help="What was done.")],
    label: Annotated[str | None, typer.Option(help="An activity label of the contract.")] = None,
    *,
    utc: Utc = False,
) -> None:
    """Add manual time, whole ten minutes, where the contract allows it."""
    desk = desk_of(ctx)
    with desk.open_diary() as diary:
        zone = zone_of(diary, utc=utc)
        claimed = _whole(span_of(span, now_ms=diary.now_ms(), zone=zone), span, zone)
        found = diary.contract(contract)
        acts = diary.add_manual(found.id, claimed.slots, text_of(memo, "memo") or "", text_of(label, "label"))
    _tell(acts, "added as manual time", zone)


@app.command()
def remove(
    ctx: typer.Context,
    slots: Slots,
    contract: OfContract = None,
    *,
    yes: Yes = False,
    utc: Utc = False,
) -> None:
    """Remove snapshots and their time; says first what is lost, and destroys it for good."""
    desk = desk_of(ctx)
    with desk.open_diary() as diary:
        zone = zone_of(diary, utc=utc)
        only = None if contract is None else diary.contract(contract).id
        places = places_of(diary, desk, slots, zone, contract=only)
        # On stdout: should it be refused, the reason's word comes first on stderr (CLI.md).
        week_is_over = Week.of(places[0][1]).ends_at_ms <= diary.now_ms()
        tell(_loss(diary.loss_of(places), _when(places, zone), week_is_over=week_is_over))
        agree("Remove it?", yes=yes)
        acts = diary.remove(places)
    _tell(acts, "removed", zone)


@app.command()
def undo(ctx: typer.Context, *, utc: Utc = False) -> None:
    """Take back the last edit or addition; a removal cannot be undone."""
    with desk_of(ctx).open_diary() as diary:
        zone = zone_of(diary, utc=utc)
        acts = diary.undo()
    _tell(acts, "put back", zone)


def _whole(span: Span, text: str, zone: "ZoneInfo") -> Span:
    """Return the span if it is whole slots; a duration such as "2h" is rounded back to whole ones (R21)."""
    if span.is_whole or not any(mark in text for mark in ":-/"):
        starts_ms = -(-span.starts_at_ms // SLOT_MILLIS) * SLOT_MILLIS
        ends_ms = span.ends_at_ms // SLOT_MILLIS * SLOT_MILLIS
        if ends_ms > starts_ms:
            return Span(type(span.starts_at_ms)(starts_ms), type(span.ends_at_ms)(ends_ms))
    slots = span.slots
    first, last = (
        f"{at(at_ms).astimezone(zone):%H:%M}"
        for at_ms in (starts_at_ms(slots[0]), starts_at_ms(slots[-1]) + SLOT_MILLIS)
    )
    raise NotWholeError(text=text, first=first, last=last)


def _when(places: "Sequence[Place]", zone: "ZoneInfo") -> str:
    """Return when the segments of a selection began: "@last" and "@3" do not say it (R5)."""
    first, last = (
        f"{at(starts_at_ms(slot)).astimezone(zone):%a %d %b %H:%M}"
        for slot in (min(slot for _, slot in places), max(slot for _, slot in places))
    )
    return first if first == last else f"from {first} to {last}"


def _loss(loss: "Loss", when: str, *, week_is_over: bool) -> str:
    """Return what removing would destroy; its words change when the week is over (R4)."""
    act = "Deletes the time and its snapshots" if week_is_over else "Removes the snapshots and their time"
    counts = [
        counted(count, word)
        for count, word in (
            (loss.segments, "segment"),
            (loss.minutes, "tracked minute"),
            (loss.pictures, "picture"),
            (loss.memos, "memo"),
        )
        if count
    ]
    return f"{act}: {', '.join(counts)} of {', '.join(loss.contracts)}, {when}. This cannot be undone."


def _tell(acts: "Acts", word: str, zone: "ZoneInfo") -> None:
    """Say what was done; what was refused ends the command with its reason and exit status 3.

    Raises:
        RefusedActError: Something was refused.
    """
    if acts.done or not acts.refused:
        tell(f"{counted(len(acts.done), 'segment')} {word}.")
    if not acts.refused:
        return
    reasons = Counter((refusal.reason, refusal.because) for _, refusal in acts.refused)
    (reason, because), _ = reasons.most_common(1)[0]
    lines = [
        f"  {at(starts_at_ms(slot)).astimezone(zone):%a %d %b %H:%M}  {refusal.reason}"
        for (_, slot), refusal in acts.refused[:REFUSED_LISTED_MAX]
    ]
    if len(acts.refused) > REFUSED_LISTED_MAX:
        lines.append(f"  and {len(acts.refused) - REFUSED_LISTED_MAX} more")
    raise RefusedActError(reason=reason, because=because, others="\n".join(["Refused:", *lines]))
