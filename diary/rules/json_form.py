"""Weeks and segments as JSON gives them, in the fields of CLI.md that others build on."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from diary.rules.week import starts_at_ms

if TYPE_CHECKING:
    from diary.rules.sealed_content import MinuteCounts
    from diary.rules.timesheet import SealView, SegmentView, Totals, WeekView

JOINT = " | "
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def at(at_ms: int) -> datetime:
    """Return an instant as a datetime in UTC."""
    return _EPOCH + timedelta(milliseconds=at_ms)


def iso(at_ms: int) -> str:
    """Return an instant as "2026-11-23T09:10:00Z", its milliseconds only where there are any."""
    return f"{at(at_ms):%Y-%m-%dT%H:%M:%S}{f'.{at_ms % 1000:03}' if at_ms % 1000 else ''}Z"


def week_json(view: "WeekView") -> dict[str, object]:
    """Return a week, deleted segments included, as `diary week --json` and the week's page give it."""
    return {
        "week": view.week.name,
        "locked_at": iso(view.locked_at_ms),
        "frozen": view.frozen,
        "totals": [totals_json(totals) for totals in view.totals],
        "segments": [segment_json(segment) for segment in view.segments],
    }


def seal_json(seal: "SealView") -> dict[str, object]:
    """Return what the server sealed of a contract's week (R57)."""
    return {
        field.name: getattr(seal, field.name) for field in fields(seal) if field.name != "sealed_at_ms"
    } | {"sealed_at": iso(seal.sealed_at_ms)}


def totals_json(totals: "Totals") -> dict[str, object]:
    """Return one contract's sums of a week."""
    return {field.name: getattr(totals, field.name) for field in fields(totals)}


def segment_json(segment: "SegmentView") -> dict[str, object]:
    """Return one segment; `pictures` are names, SHA-256 of ciphertext, of its screens and camera frames.

    `minutes` has ten items: null where nothing was tracked, else keystrokes, clicks, scrolls (each null
    where uncounted) and whether the operating system saw activity (R14).
    """
    names = [name for snapshot in segment.snapshots for name in (snapshot.screen, snapshot.camera) if name]
    return {
        "contract": segment.contract,
        "slot": segment.slot,
        "start": iso(starts_at_ms(segment.slot)),
        "kind": segment.kind,
        "state": segment.state,
        "memo": segment.memo,
        "label": segment.label,
        "activity": segment.activity,
        "minutes": [_minute_json(minute) for minute in segment.minutes],
        "application": JOINT.join(segment.applications),
        "title": JOINT.join(segment.titles),
        "pictures": names,
        "received_at": None if segment.received_at_ms is None else iso(segment.received_at_ms),
        "synced": segment.synced,
        "bills": segment.bills,
        "why_not": segment.why_not,
        "picture_missing": segment.misses_picture,
        "accepted": segment.accepted,
        "disputed": segment.disputed,
        "redacted": segment.redacted,
    }


def _minute_json(minute: "MinuteCounts | None") -> Mapping[str, object] | list[object] | None:
    if minute is None:
        return None
    return [minute.keystrokes, minute.clicks, minute.scrolls, minute.os_active]
