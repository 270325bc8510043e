"""`report`: sums by label, day, application or contract (R31)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from diary.command.desk import AsJson, Utc, desk_of, print_json, zone_of
from diary.errors import UsageError
from diary.rules.ids import MINUTES_PER_SLOT
from diary.rules.timesheet import NOT_COUNTED, SegmentView
from diary.rules.week import local_date
from diary.when import week_of

if TYPE_CHECKING:
    from diary.diary import Diary

app = typer.Typer(rich_markup_mode=None)

KEYS = ("label", "day", "app", "contract")


class BadKeyError(UsageError):
    """Sums go by what a segment has."""

    says = "There are no sums by “{key}”."
    mend = "Sums go by label, day, app or contract, or several: --by day,label."


@dataclass(slots=True)
class Sum:
    """Segments of one key: all that count, and those that bill."""

    key: tuple[str, ...]
    segments: int = field(default=0)
    billable: int = field(default=0)


@app.command()
def report(
    ctx: typer.Context,
    weeks: Annotated[
        list[str] | None, typer.Argument(metavar="[WEEK]...", help="2026-W47, this, last; else this week.")
    ] = None,
    by: Annotated[str, typer.Option(metavar="KEYS", help="label, day, app, contract, or several.")] = "day",
    contract: Annotated[str | None, typer.Option(metavar="C", help="Only this contract.")] = None,
    *,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    as_json: AsJson = False,
    utc: Utc = False,
) -> None:
    """Sum up weeks by label, day, application or contract; what does not bill stands apart."""
    keys = tuple(by.replace(",", " ").split())
    for key in keys:
        if key not in KEYS:
            raise BadKeyError(key=key)
    desk = desk_of(ctx)
    with desk.open_diary() as diary:
        zone = zone_of(diary, utc=utc)
        segments = _segments(diary, weeks or ["this"], contract)
    sums = sums_by(keys, segments, zone)
    if as_json:
        print_json([_row(keys, one) for one in sums])
    elif csv:
        typer.echo(_csv(keys, sums), nl=False)
    else:
        _print(keys, sums)


def sums_by(keys: Sequence[str], segments: Sequence[SegmentView], zone: ZoneInfo) -> list[Sum]:
    """Return the sums in the order of their keys; only what stands as time counts (R31)."""
    found: dict[tuple[str, ...], Sum] = {}
    for segment in segments:
        if segment.state in NOT_COUNTED:
            continue
        key = tuple(_key(name, segment, zone) for name in keys)
        each = found.setdefault(key, Sum(key))
        each.segments += 1
        each.billable += segment.bills
    return [found[key] for key in sorted(found)]


def _segments(diary: "Diary", weeks: Sequence[str], contract: str | None) -> list[SegmentView]:
    only = None if contract is None else diary.contract(contract).id
    named = dict.fromkeys(week_of(week, now_ms=diary.now_ms()) for week in weeks)
    return [one for week in named for one in diary.week(week).segments if only in {None, one.contract}]


def _key(name: str, segment: SegmentView, zone: ZoneInfo) -> str:
    match name:
        case "label":
            return segment.label
        case "day":
            return local_date(segment.slot, zone).isoformat()
        case "app":
            return " | ".join(segment.applications)
        case _:
            return segment.contract_title


def _row(keys: Sequence[str], one: Sum) -> dict[str, str | int]:
    return {
        **dict(zip(keys, one.key, strict=True)),
        "minutes": one.segments * MINUTES_PER_SLOT,
        "billable_minutes": one.billable * MINUTES_PER_SLOT,
        "not_billable_minutes": (one.segments - one.billable) * MINUTES_PER_SLOT,
    }


def _csv(keys: Sequence[str], sums: Sequence[Sum]) -> str:
    from diary.evidence.week_csv import table

    columns = [*keys, "minutes", "billable_minutes", "not_billable_minutes"]
    return table(columns, [list(_row(keys, one).values()) for one in sums])


def _print(keys: Sequence[str], sums: Sequence[Sum]) -> None:
    from diary.command.tables import hours, plain, plain_console, plain_table

    if not sums:
        typer.echo("Nothing was recorded.")
        return
    printed = plain_table(*(key.capitalize() for key in keys), "Bills")
    for one in sums:
        printed.add_row(*(plain(part or "–") for part in one.key), hours(one.billable))
    console = plain_console()
    console.print(printed)
    # What does not bill is no part of any sum, and is never left unsaid (R31).
    total, billable = sum(one.segments for one in sums), sum(one.billable for one in sums)
    typer.echo(f"Together {hours(billable)}. Does not bill: {hours(total - billable)}.")
