"""`check`: will the week count, what can be mended, and how long (R4, R30)."""

from typing import TYPE_CHECKING

import typer

from diary.command.desk import AsJson, Utc, WeekName, desk_of, print_json, tell
from diary.rules.qualifies import Point
from diary.rules.timesheet import SegmentView
from diary.rules.week import starts_at_ms
from diary.when import week_of

if TYPE_CHECKING:
    from diary.checking import WeekCheck
    from diary.command.tables import Sheet
    from diary.rules.qualifies import ContractCheck

app = typer.Typer(rich_markup_mode=None)

TIMES_SHOWN = 6  # of one point; `diary show @1` has them all
# What is typed to mend a point of a line of the list; other points are mended elsewhere, or not at all.
_TYPED: dict[Point, str] = {"memo": 'diary edit @{line} --memo "…"', "label": "diary edit @{line} --label …"}


@app.command()
def check(ctx: typer.Context, name: WeekName = "this", *, as_json: AsJson = False, utc: Utc = False) -> None:
    """Say whether a week's segments qualify, what can still be mended, and for how long.

    It ends with status 1 when a point fails. To qualify is no promise of payment.
    """
    desk = desk_of(ctx)
    with desk.open_diary() as diary:
        from diary.checking import check_json
        from diary.command.look import deadline, sheet_of

        found = diary.check(week_of(name, now_ms=diary.now_ms()))
        sheet = sheet_of(diary, utc=utc)
    lines = [segments for one in found.contracts for segments in one.failing.values()]
    desk.list_places([[(each.contract, each.slot) for each in segments] for segments in lines])
    if as_json:
        print_json(check_json(found))
    else:
        _print(found, sheet)
        tell(deadline(found.view, sheet, found.at_ms))
    if any(one.failing or not one.activity_holds for one in found.contracts):
        raise typer.Exit(1)


def _print(found: "WeekCheck", sheet: "Sheet") -> None:
    from diary.command.tables import plain, plain_table

    if not found.contracts:
        under_way = ", but for the segment under way" if found.view.segments else ""
        tell(f"Nothing stands in {found.view.week.name}{under_way}.")
    line = 0
    for one in found.contracts:
        sheet.console.print(plain(_sum_of(one, found.thresholds.week)))
        table = plain_table("", "Segments", "What fails", "Mend it", "When")
        for finding, segments in one.failing.items():
            line += 1
            typed = _TYPED.get(finding.point, "").format(line=line)
            mend = " ".join(filter(None, (finding.mend, typed if finding.mend else "")))
            table.add_row(
                f"@{line}",
                str(len(segments)),
                plain(finding.says),
                plain(mend or "cannot be mended"),
                plain(_times_of(segments, sheet)),
            )
        if one.failing:
            sheet.console.print(table)


def _sum_of(one: "ContractCheck", least: int) -> str:
    says = f"{one.contract_title}: {one.qualifying} of {one.counted} segments qualify"
    if one.activity is None:
        return f"{says}; none was tracked."
    enough = "more than" if one.activity_holds else "not more than the"
    return f"{says}; {float(one.activity):.1f} of 10 minutes active on average, {enough} {least} asked for."


def _times_of(segments: tuple[SegmentView, ...], sheet: "Sheet") -> str:
    times = [sheet.moment(starts_at_ms(each.slot)) for each in segments[:TIMES_SHOWN]]
    return ", ".join([*times, *(["…"] if len(segments) > TIMES_SHOWN else [])])
