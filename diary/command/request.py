"""`contract request` and `contract answer`, and what the parties said for `contract show` (R8, R10, R62)."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from diary.command.desk import desk_of, tell, text_of
from diary.errors import UsageError
from diary.rules.json_form import iso
from diary.rules.terms_changes import changes
from diary.rules.week import starts_at_ms
from diary.when import week_of

if TYPE_CHECKING:
    from diary.contracts import Contract
    from diary.diary import Diary
    from diary.parties import RequestView
    from diary.rules.week import Week

VERSIONS_SHOWN_MAX = 12  # what a person reads; --json has all

Named = Annotated[str, typer.Argument(metavar="CONTRACT", help="Its title or id, or the start of one.")]
OfWeek = Annotated[
    str | None, typer.Option("--week", metavar="WEEK", help="One week: 2026-W47, this or last; else all.")
]


class WhichRequestError(UsageError):
    """Several requests are open, or none, and the command does not say which it means."""

    says = "“{title}” has {count} open requests that fit."
    mend = "See them: diary contract show. Name one by its week: --week 2026-W47."


def request(
    ctx: typer.Context,
    name: Named,
    reason: Annotated[str, typer.Argument(metavar='"REASON"', help="Why; the client reads it.")] = "",
    week: OfWeek = None,
    *,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take the open request back.")] = False,
) -> None:
    """Ask the client to allow manual time, for the contract or one week."""
    with desk_of(ctx).open_diary() as diary:
        found = diary.contract(name)
        of = None if week is None else week_of(week, now_ms=diary.now_ms())
        if withdraw:
            diary.take_request_back(found.id, _open(diary, found, of).name)
            tell("The request is taken back.")
            return
        diary.ask_manual_time(found.id, text_of(reason, "reason") or "", week=of)
    tell(f"Asked for manual time on {found.title}{f' in {of.name}' if of else ''}; the client decides.")


def answer(
    ctx: typer.Context,
    name: Named,
    word: Annotated[Literal["allow", "decline"], typer.Argument(metavar="allow|decline")],
    reason: Annotated[str, typer.Argument(metavar='["REASON"]', help="Why; the freelancer reads it.")] = "",
    week: OfWeek = None,
) -> None:
    """Answer a request for manual time, as the client, in a copy made by diary join."""
    with desk_of(ctx).open_diary() as diary:
        found = diary.contract(name)
        of = None if week is None else week_of(week, now_ms=diary.now_ms())
        asked = _open(diary, found, of)
        said = text_of(reason, "reason") or ""
        diary.answer_request(found.id, asked.name, allows=word == "allow", reason=said)
    where = f"in {asked.week}" if asked.week else "for the whole contract"
    tell(f"Manual time {where} is {'allowed' if word == 'allow' else 'declined'}.")


def _open(diary: "Diary", found: "Contract", week: "Week | None") -> "RequestView":
    """Return the one open request that is meant.

    Raises:
        WhichRequestError: None fits, or several do.
    """
    fitting = [
        one
        for one in diary.requests(found.id)
        if one.state == "open" and (week is None or one.week == week.name)
    ]
    if len(fitting) != 1:
        raise WhichRequestError(title=found.title, count=len(fitting) or "no")
    return fitting[0]


def said_lines(diary: "Diary", found: "Contract") -> Iterator[tuple[str, str]]:
    """Yield what the parties set and said, as names and texts, of each kind the newest first."""
    seats = diary.seats(found.id)
    history = changes(found.history)
    for version, changed in history[:VERSIONS_SHOWN_MAX]:
        who = "client" if version.name[0] in seats else "freelancer"
        points = "; ".join(
            f"{one.says}{'' if one.from_ms == version.received_at_ms else f' from {iso(one.from_ms)[:10]}'}"
            for one in changed
        )
        yield "terms", f"{iso(version.received_at_ms)} by the {who}: {points or 'set, or texts changed'}"
    if len(history) > VERSIONS_SHOWN_MAX:
        yield "terms", f"and {len(history) - VERSIONS_SHOWN_MAX} earlier"
    for asked in diary.requests(found.id):
        what = f"manual time{f' in {asked.week}' if asked.week else ''}"
        told = f", “{asked.answer_reason}”" if asked.answer_reason else ""
        yield "request", f"{iso(asked.asked_at_ms)} {what}: {asked.state}{told}. Why: {asked.reason}"
    for raised in diary.disputes(found.id):
        first = iso(starts_at_ms(raised.slots[0]))
        count = f"{len(raised.open_slots)} of {len(raised.slots)} segments from {first}"
        yield "dispute", f"{iso(raised.raised_at_ms)} {count}. Why: {raised.reason}"
        for at_ms, words in raised.replies:
            yield "reply", f"{iso(at_ms)} {words}"
