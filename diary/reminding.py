"""Reminders: what is due is worked out here and told by whoever can: state, pages, tracker (R23, R31)."""

from dataclasses import dataclass
from datetime import datetime, time
from typing import get_args
from zoneinfo import ZoneInfo

from diary import settings, tracking
from diary.attention import low_disk
from diary.checking import check
from diary.rules.ids import Millis
from diary.rules.reminder import Occasion, WeekReminder, Wishes, occasions, week_in_question
from diary.state import SERVER, OpenDiary
from diary.store import meta, outbox
from diary.zone import machine_zone

_TOLD = "reminded of "


@dataclass(frozen=True, slots=True)
class Reminder:
    """One thing to be told now: a heading, what there is to say, and the occasion to note it under."""

    occasion: Occasion
    heading: str
    says: str


def week_reminder(diary: OpenDiary) -> WeekReminder | None:
    """Return what a week still lacks, on Sunday evening and Monday morning, None for nothing (R31)."""
    if diary.is_seat or not settings.setting(diary, "remind_week"):
        return None
    with diary.reading():
        now_ms = diary.now_ms()
        which = week_in_question(now_ms, _local(diary, now_ms))
        if which is None:
            return None
        has_server = meta.get(diary.connection, SERVER) is not None
        unsent = outbox.unsent_segments(diary.connection, which.slots, now_ms) if has_server else ()
    failing = [
        (finding.point, one.contract, segment.slot)
        for one in check(diary, which).contracts
        for finding, segments in one.failing.items()
        if finding.mend and (finding.until_ms is None or finding.until_ms > now_ms)
        for segment in segments
    ]
    found = WeekReminder(
        week=which,
        unsynced=len(tuple(unsent)),
        without_memo=sum(point == "memo" for point, *_ in failing),
        failing=len({tuple(place) for point, *place in failing if point != "memo"}),
    )
    return None if found.is_empty else found


def reminders(diary: OpenDiary) -> tuple[Reminder, ...]:
    """Return what is due and was not told yet; whoever tells it notes it with `note_told` (R23, R31)."""
    with diary.reading():
        now_ms = diary.now_ms()
        wish = tracking.tracking(diary)
        kept = meta.numbers(diary.connection, _TOLD)
        told = {word: Millis(kept[_TOLD + word]) for word in get_args(Occasion) if _TOLD + word in kept}
        since_ms, disk = None, low_disk(diary.home)
        if wish.on:
            since_ms = Millis(max(wish.since_ms, wish.memo.stamp[0] if wish.memo else 0))
        due = occasions(
            _wishes(diary),
            now_ms,
            _local(diary, now_ms),
            told,
            memo_since_ms=since_ms,
            disk_is_low=bool(disk),
        )
    found: list[Reminder] = []
    for occasion in due:
        match occasion:
            case "week":
                week = week_reminder(diary)
                if week is not None:
                    mend = f"See what to do: diary check {week.week.name}."
                    found.append(Reminder(occasion, "Before the week locks", f"{week.says(now_ms)} {mend}"))
            case "work":
                says = "Nothing is tracked. Begin with diary start, or diary continue."
                found.append(Reminder(occasion, "Your work hours have begun", says))
            case "memo":
                memo = wish.memo.text if wish.memo and wish.memo.text else "no memo"
                says = f"“{memo}”. Another one: diary memo “…”."
                found.append(Reminder(occasion, "Are you still working on this?", says))
            case "disk":
                found.append(Reminder(occasion, "Little room is left", disk))
    return tuple(found)


def note_told(diary: OpenDiary, occasion: Occasion) -> None:
    """Note that something was told now: it is not told again before its next occasion."""
    with diary.writing():
        meta.put(diary.connection, _TOLD + occasion, diary.now_ms())


def _wishes(diary: OpenDiary) -> Wishes:
    at = str(settings.setting(diary, "remind_work_at"))
    return Wishes(
        week=bool(settings.setting(diary, "remind_week")),
        work_at=time.fromisoformat(at.zfill(5)) if at else None,
        memo_minutes=int(settings.setting(diary, "remind_memo_after")),
    )


def _local(diary: OpenDiary, now_ms: Millis) -> datetime:
    """Return the moment in the zone of the setting, else of this machine (R5)."""
    named = str(settings.setting(diary, "zone"))
    return datetime.fromtimestamp(now_ms / 1000, tz=ZoneInfo(named) if named else machine_zone())
