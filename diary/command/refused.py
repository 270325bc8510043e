"""`refused`: what was refused, why, and what can still be done; put away or forgotten by hand (R25, R37d)."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from diary.command.desk import AsJson, Utc, Yes, agree, desk_of, print_json, tell
from diary.errors import UsageError
from diary.json_lists import refusal_json
from diary.rules.week import starts_at_ms

if TYPE_CHECKING:
    from diary.command.tables import Sheet
    from diary.diary import RefusalView

app = typer.Typer(rich_markup_mode=None)

What = Annotated[
    Literal["dismiss", "forget"] | None,
    typer.Argument(
        metavar="[dismiss|forget]",
        help="dismiss puts refusals away; forget destroys what they keep; alone it lists them",
    ),
]
Numbers = Annotated[
    list[int] | None, typer.Argument(metavar="[NUMBER]...", help="the numbers that stand in the list")
]


class NoNumberError(UsageError):
    """Which of the refusals is meant was not said."""

    says = "Which of them? Say the numbers that stand in the list."
    mend = "List them: diary refused. Then for example: diary refused {act} 3"


@app.command()
def refused(
    ctx: typer.Context,
    act: What = None,
    numbers: Numbers = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Also those that were put away.")] = False,
    as_json: AsJson = False,
    yes: Yes = False,
    utc: Utc = False,
) -> None:
    """List what was refused, why, and what can still be done; put it away, or forget what it keeps."""
    with desk_of(ctx).open_diary() as diary:
        if act is not None and not numbers:
            raise NoNumberError(act=act)
        if act == "dismiss":
            tell(f"{_changes(diary.dismiss_refusals(numbers or ()))} put away.")
            return
        if act == "forget":
            agree("Destroys what was typed or recorded; place, time and reason stay. Go on?", yes=yes)
            tell(f"{_changes(diary.forget_refusals(numbers or ()))} forgotten.")
            return
        listed = diary.refusals()
        found = [one for one in listed if every or as_json or one.dismissed_at_ms is None]
        if as_json:
            print_json([refusal_json(one) for one in found])
            return
        away = len(listed) - len(found)
        if not found:
            tell(f"Nothing was refused{_put_away(away)}.")
            return
        from diary.command.look import sheet_of

        sheet = sheet_of(diary, utc=utc)
    for one in found:
        _print(one, sheet)
    if away:
        tell(f"And {away} that were put away: diary refused --all")
    tell("Once you have looked: diary refused dismiss NUMBER")


def _put_away(count: int) -> str:
    return f" but {count} that were put away (diary refused --all)" if count else ""


def _changes(count: int) -> str:
    return f"{count} refused change{'' if count == 1 else 's'}"


def _print(one: "RefusalView", sheet: "Sheet") -> None:
    """Print a refusal: what it was, and below it why, what can still be done, and what was typed."""
    from diary.command.tables import plain

    slot = "" if one.slot is None else sheet.moment(starts_at_ms(one.slot))
    what = "DELETION" if one.what == "deletion" else one.what
    head = "  ".join(filter(None, (str(one.number), slot, plain(one.contract_title).plain, what, one.reason)))
    tell(head)
    memo = plain(one.memo).plain
    lines = (
        f"{one.words.happened} ({plain(one.because).plain})" if one.because else one.words.happened,
        one.mend,
        f"Memo: {memo}" if memo else "",
        f"Refused {sheet.moment(one.refused_at_ms)}" + (", put away" if one.dismissed_at_ms else ""),
    )
    for line in filter(None, lines):
        tell(f"    {line}")
