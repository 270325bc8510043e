"""Sums of time by label, day, application or contract (R31). Pure: segments in, sums out.

One function for the command, the page, its CSV and its JSON: they cannot differ.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from diary.rules.ids import MINUTES_PER_SLOT
from diary.rules.timesheet import NOT_COUNTED, SegmentView
from diary.rules.week import local_date

Key = Literal["label", "day", "app", "contract"]
KEYS: tuple[Key, ...] = get_args(Key)


@dataclass(slots=True)
class Sum:
    """Segments of one key: all that stand as time, and those of them that bill."""

    key: tuple[str, ...]
    segments: int = field(default=0)
    billable: int = field(default=0)

    @property
    def not_billable(self) -> int:
        """Return the segments that do not bill: they are in no total, and never left unsaid (R31)."""
        return self.segments - self.billable


def sums_by(keys: Sequence[Key], segments: Iterable[SegmentView], zone: ZoneInfo) -> list[Sum]:
    """Return the sums in the order of their keys; only what stands as time counts (R31).

    A day is the one of `zone` in which the slot starts (R5). A segment without a label or an application
    counts under "".
    """
    found: dict[tuple[str, ...], Sum] = {}
    for segment in segments:
        if segment.state in NOT_COUNTED:
            continue
        key = tuple(_key(name, segment, zone) for name in keys)
        each = found.setdefault(key, Sum(key))
        each.segments += 1
        each.billable += segment.bills
    return [found[key] for key in sorted(found)]


def together(sums: Iterable[Sum]) -> Sum:
    """Return the sum of sums."""
    all_of_it = Sum(())
    for one in sums:
        all_of_it.segments += one.segments
        all_of_it.billable += one.billable
    return all_of_it


def columns(keys: Sequence[Key]) -> tuple[str, ...]:
    """Return the names of a row's values, in their order."""
    return *keys, "minutes", "billable_minutes", "not_billable_minutes"


def row(one: Sum) -> tuple[str | int, ...]:
    """Return a sum as the values of `columns`."""
    counts = (one.segments, one.billable, one.not_billable)
    return *one.key, *(count * MINUTES_PER_SLOT for count in counts)


def rows_json(keys: Sequence[Key], sums: Iterable[Sum]) -> list[dict[str, str | int]]:
    """Return the sums for programs: an object a line, in the words of the CSV."""
    return [dict(zip(columns(keys), row(one), strict=True)) for one in sums]


def _key(name: Key, segment: SegmentView, zone: ZoneInfo) -> str:
    match name:
        case "label":
            return segment.label
        case "day":
            return local_date(segment.slot, zone).isoformat()
        case "app":
            return " | ".join(segment.applications)
        case "contract":
            return segment.contract_title
