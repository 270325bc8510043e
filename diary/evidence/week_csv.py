"""A week as CSV: what is laid on the table in a dispute (R58).

Pure: views in, text out. The columns and words are those of CLI.md. Values of one cell are joined by ` | `;
what was not counted is empty, not 0; a deleted segment has no line. `table_text` makes it safe to open in a
spreadsheet. Instants are written as spreadsheets read them everywhere, "2026-11-23 09:10"; the column's name
says in which zone.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from diary.evidence.table_text import Cell, table
from diary.rules.json_form import JOINT, at
from diary.rules.money import money
from diary.rules.sealed_content import MinuteCounts
from diary.rules.timesheet import Place, SegmentView, Totals
from diary.rules.week import Week, ends_at_ms, starts_at_ms

SEGMENT_COLUMNS = (
    "week", "start_utc", "start_local", "utc_offset", "contract", "client", "kind", "state", "bills",
    "why_not", "memo", "label", "activity_minutes", "tracked_minutes", "keystrokes", "clicks", "scrolls",
    "applications", "titles", "pictures", "masked", "no_picture_reason", "devices", "received_at_utc",
    "delay_seconds", "leaf_index",
)  # fmt: skip
TOTALS_COLUMNS = (
    "week", "contract", "segments", "automatic", "manual", "over_limit", "late", "overlapping", "billable",
    "rate", "currency", "amount",
)  # fmt: skip
MISSING = "missing"  # named by the row, and not at the server when it was due (R41)

Writer = Callable[[Sequence[str], Iterable[Sequence[Cell]]], str]


def segments_csv(
    segments: Iterable[SegmentView],
    *,
    zone: ZoneInfo,
    picture_files: Mapping[Place, Sequence[str]] | None,
    write: Writer = table,
) -> str:
    """Return one line a segment that is not deleted, in order of time, then contract (R58).

    `picture_files` names the files that were written beside the table; None where none were asked for:
    then the pictures' names in the evidence stand there (SHA-256 of the ciphertext). `write` makes the text.
    """
    live = [segment for segment in segments if segment.state != "deleted"]
    ordered = sorted(live, key=lambda segment: (segment.slot, segment.contract))
    return write(SEGMENT_COLUMNS, [_segment_line(segment, zone, picture_files) for segment in ordered])


def totals_csv(weeks: Iterable[tuple[Week, Sequence[Totals]]], *, write: Writer = table) -> str:
    """Return one line a week and contract; rate and amount in the currency's main unit (R58, R61)."""
    lines = [_totals_line(week, total) for week, totals in weeks for total in totals]
    return write(TOTALS_COLUMNS, lines)


def _segment_line(
    segment: SegmentView, zone: ZoneInfo, picture_files: Mapping[Place, Sequence[str]] | None
) -> tuple[Cell, ...]:
    starts_ms = starts_at_ms(segment.slot)
    local = at(starts_ms).astimezone(zone)
    received_ms = segment.received_at_ms
    tracked = segment.tracked_minutes
    delay = None if received_ms is None else (received_ms - ends_at_ms(segment.slot)) // 1000
    return (
        Week.of(segment.slot).name,
        f"{at(starts_ms):%Y-%m-%d %H:%M}",
        f"{local:%Y-%m-%d %H:%M}",
        _offset(local),
        segment.contract_title,
        segment.client,
        segment.kind,
        segment.state,
        _yes(segment.bills),
        segment.why_not or "",
        segment.memo,
        segment.label,
        segment.activity if tracked else None,
        tracked,
        _sum(segment.minutes, "keystrokes"),
        _sum(segment.minutes, "clicks"),
        _sum(segment.minutes, "scrolls"),
        JOINT.join(segment.applications),
        JOINT.join(segment.titles),
        JOINT.join(_pictures(segment, picture_files)),
        _yes(segment.masked),
        JOINT.join([*segment.no_picture, *([MISSING] if segment.misses_picture else [])]),
        JOINT.join(segment.devices),
        "" if received_ms is None else f"{at(received_ms):%Y-%m-%d %H:%M:%S}",
        delay,
        segment.leaf_index,
    )


def _totals_line(week: Week, total: Totals) -> tuple[Cell, ...]:
    return (
        week.name,
        total.contract_title,
        total.segments,
        total.automatic,
        total.manual,
        total.over_limit,
        total.late,
        total.overlapping,
        total.billable,
        money(total.rate_minor, total.currency),
        total.currency,
        money(total.amount_minor, total.currency),
    )


def _pictures(segment: SegmentView, files: Mapping[Place, Sequence[str]] | None) -> Sequence[str]:
    if files is not None:
        return files.get((segment.contract, segment.slot), ())
    return [name for snapshot in segment.snapshots for name in (snapshot.screen, snapshot.camera) if name]


def _sum(minutes: Iterable[MinuteCounts | None], what: str) -> int | None:
    """Return the sum of what was counted; None where no minute was (R14)."""
    counted = [getattr(minute, what) for minute in minutes if minute is not None]
    known = [count for count in counted if count is not None]
    return sum(known) if known else None


def _offset(local: datetime) -> str:
    """Return "UTC+05:45": with the letters before it no spreadsheet reads it as a number."""
    minutes = (local.utcoffset() or timedelta()) // timedelta(minutes=1)
    return f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def _yes(claim: bool) -> str:  # noqa: FBT001  # a claim is what it says
    return "yes" if claim else "no"
