"""`refused`: what was refused, why, and what can still be done; put away or forgotten by hand (R25, R37d)."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from diary.command.desk import AsJson, Utc, Yes, agree, desk_of, print_json, tell
from diary.errors import UsageError
from diary.json_lists import refusal_json
from diary.rules.counted import counted
from diary.rules.refused_runs import numbers_meant, numbers_said
from diary.rules.week import ends_at_ms, starts_at_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diary.command.tables import Sheet
    from diary.diary import Diary, RefusalView

app = typer.Typer(rich_markup_mode=None)

What = Annotated[
    Literal["dismiss", "forget"] | None,
    typer.Argument(
        metavar="[dismiss|forget]",
        help="dismiss puts refusals away; forget destroys what they keep; alone it lists them",
    ),
]
Numbers = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NUMBER]...", help="the numbers that stand in the list: 3, 5-9, or all"),
]


class NoNumberError(UsageError):
    """Which of the refusals is meant was not said."""

    says = "Which of them? Say the numbers that stand in the list."
    mend = "List them: diary refused. Then for example: diary refused {act} 3"


class BadNumberError(UsageError):
    """A word names none of the refusals."""

    says = "“{word}” names none of the refused changes."
    mend = "Name them as the list does, 3 or 5-9, or all of them: all"


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
        listed = diary.refusals()
        if act is not None:
            meant = numbers_meant(numbers or (), [one.number for one in listed])
            if isinstance(meant, str):
                raise BadNumberError(word=meant)
            _put_away_or_forget(diary, act, meant, yes=yes)
            return
        found = [one for one in listed if every or as_json or one.dismissed_at_ms is None]
        if as_json:
            print_json([refusal_json(one) for one in found])
            return
        away = len(listed) - len(found)
        if not found:
            tell(f"Nothing was refused{_put_away(away)}.")
            return
        from diary.command.look import sheet_of
        from diary.refused import told_at_once

        sheet = sheet_of(diary, utc=utc)
    for run in told_at_once(found):
        _print(run, sheet)
    if away:
        tell(f"And {away} that were put away: diary refused --all")
    tell("Once you have looked: diary refused dismiss NUMBER, or dismiss all")


def _put_away_or_forget(
    diary: "Diary", act: Literal["dismiss", "forget"], numbers: "Sequence[int]", *, yes: bool
) -> None:
    if act == "dismiss":
        tell(f"{counted(diary.dismiss_refusals(numbers), 'refused change')} put away.")
        return
    agree("Destroys what was typed or recorded; place, time and reason stay. Go on?", yes=yes)
    tell(f"{counted(diary.forget_refusals(numbers), 'refused change')} forgotten.")


def _put_away(count: int) -> str:
    return f" but {count} that were put away (diary refused --all)" if count else ""


def _print(run: "Sequence[RefusalView]", sheet: "Sheet") -> None:
    """Print what was refused alike, and below it why, what can still be done, and what was typed."""
    from diary.command.tables import plain

    one = run[0]
    what = "DELETION" if one.what == "deletion" else one.what
    numbers = numbers_said(each.number for each in run)
    head = "  ".join(
        filter(None, (numbers, _slots(run, sheet), plain(one.contract_title).plain, what, one.reason))
    )
    tell(head)
    memo = plain(one.memo).plain
    days = list(dict.fromkeys(sheet.moment(at_ms) for at_ms in sorted(each.refused_at_ms for each in run)))
    lines = (
        f"{one.words.happened} ({plain(one.because).plain})" if one.because else one.words.happened,
        one.mend,
        f"Memo: {memo}" if memo else "",
        f"Refused {' to '.join(dict.fromkeys((days[0], days[-1])))}"
        + (", put away" if one.dismissed_at_ms else ""),
    )
    for line in filter(None, lines):
        tell(f"    {line}")


def _slots(run: "Sequence[RefusalView]", sheet: "Sheet") -> str:
    """Return when it was: where a slot begins, or from where to where slots that follow each other go."""
    first, last = run[0].slot, run[-1].slot
    if first is None or last is None:
        return ""
    if first == last:
        return sheet.moment(starts_at_ms(first))
    end_ms = ends_at_ms(last)
    is_one_day = sheet.day(starts_at_ms(first)) == sheet.day(end_ms)
    end = sheet.time(end_ms) if is_one_day else sheet.moment(end_ms)
    return f"{sheet.moment(starts_at_ms(first))} to {end}, {len(run)} segments"
