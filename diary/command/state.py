"""The state in one look: what is tracked, today, this week, what waits (CLI.md).

Asked by prompts and status bars, so it loads nothing that it does not need.
"""

from datetime import timedelta
from typing import TYPE_CHECKING

from diary.attention import lost_says, low_disk
from diary.command.home import Desk, print_json, tell, zone_of
from diary.last_sync import fault_json
from diary.rules.json_form import at, iso

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from diary.idling import IdleQuestion
    from diary.status import Status


def show_state(desk: Desk, *, as_json: bool, utc: bool, brief: bool) -> None:
    """Print the state: one line where `brief`, a line a fact otherwise."""
    with desk.open_state() as diary:
        zone = zone_of(diary, utc=utc)
        now_ms = diary.now_ms()
        found = diary.status()
    if as_json:
        print_json(_json(found))
        return
    since = "" if found.since_ms is None else f"{at(found.since_ms).astimezone(zone):%H:%M}"
    tracking = f"Tracking {found.contract_title} since {since}" if found.tracking else "Not tracking"
    if found.paused_until_ms is not None and found.paused_until_ms > now_ms:
        tracking += f", paused for {timedelta(seconds=(found.paused_until_ms - now_ms) // 1000)}"
    waiting = ", ".join(
        filter(
            None,
            (
                _waiting(found),
                _not_synced_since(found, at(now_ms).astimezone(zone)) if brief else "",
                "ALARM (diary audit)" if found.alarms and brief else "",
                f"{found.unread} unread messages (diary messages)" if found.unread and brief else "",
                "account suspended (diary status)" if found.suspended and brief else "",
                "the server does not answer for its log (diary status)" if found.unanswered and brief else "",
            ),
        )
    )
    away = "" if found.idle is None else _idle_says(found.idle, zone)
    times = f"today {_hours(found.today_minutes)}, this week {_hours(found.week_minutes)}"
    before_lock = [week.says(now_ms) for week in found.before_lock]
    reminder = _week_reminder(desk, at(now_ms).astimezone(zone))
    if brief:
        loud = _deletions_refused(found.refused_deletions)
        lock = " ".join((*before_lock, reminder)).rstrip(" .")
        tell("; ".join(filter(None, (loud, tracking, away, times, waiting, lock))) + ".")
        return
    memo = f"Memo: {found.memo}" if found.tracking and found.memo else ""
    label = f"Label: {found.label}" if found.tracking and found.label else ""
    lines = [
        tracking,
        memo,
        label,
        f"{times[0].upper()}{times[1:]}",
        f"Waiting: {waiting or 'nothing'}",
        _synced(found, at(now_ms).astimezone(zone)),
        away,
        *before_lock,
        *(week.says for week in found.missed_lock),
        reminder,
        low_disk(desk.home),
        found.suspended,
        f"Unread messages: {found.unread} (diary messages)." if found.unread else "",
    ]
    if found.refused_deletions:
        loud = _deletions_refused(found.refused_deletions)
        lines.append(f"{loud}: what was to go stands as before. Why, and what can be done: diary refused.")
    if found.destroying:
        lines.append("Destroying what was removed: another program holds the file; it is tried again.")
    if found.alarms:
        lines.append(f"ALARM: the server showed what cannot be right ({found.alarms}): diary audit.")
    lines.append("" if found.unanswered is None else found.unanswered.says)
    lines.append(lost_says(found.lost_by_server))
    if found.phrase_waits:
        lines.append("The recovery phrase is not confirmed yet: diary key phrase.")
    tell("\n".join(filter(None, lines)))


def _week_reminder(desk: Desk, local: "datetime") -> str:
    """Return what the week still lacks, on Sunday evening and Monday morning; "" at all other times (R31)."""
    from diary.rules.reminder import window_began

    if window_began(local) is None:
        return ""
    with desk.open_diary() as diary:
        found = diary.week_reminder()
        return (
            ""
            if found is None
            else f"{found.says(diary.now_ms())} What to do: diary check {found.week.name}."
        )


def _json(found: "Status") -> dict[str, object]:
    return {
        "tracking": found.tracking,
        "contract": found.contract_title if found.contract else None,
        "memo": found.memo,
        "since": None if found.since_ms is None else iso(found.since_ms),
        "today_minutes": found.today_minutes,
        "week_minutes": found.week_minutes,
        "unsynced": found.unsynced,
        "held": found.held,
        "late_held": found.late_held,
        "refused": found.refused,
        "refused_deletions": found.refused_deletions,
        "synced_at": None if found.synced_at_ms is None else iso(found.synced_at_ms),
        "sync_fault": fault_json(found.sync_fault),
        "idle_minutes": 0 if found.idle is None else found.idle.minutes,
        "before_lock": [
            {
                "week": unsent.week.name,
                "locks_at": iso(unsent.week.locked_at_ms),
                "segments": unsent.segments,
                "changes": unsent.changes,
                "held": unsent.held,
            }
            for unsent in found.before_lock
        ],
        "unanswered_since": None if found.unanswered is None else iso(found.unanswered.since_ms),
    }


def _idle_says(asked: "IdleQuestion", zone: "ZoneInfo") -> str:
    since, until = (at(each).astimezone(zone) for each in (asked.since_ms, asked.until_ms))
    return f"{asked.says} ({since:%H:%M}–{until:%H:%M}): diary idle keep, drop or move CONTRACT"


def _waiting(found: "Status") -> str:
    counts = (
        (found.unsynced, "not synced"),
        (found.held, "held"),
        (found.late_held, "late and held (diary late)"),
        (found.moves_held, "held because the clock was wrong (diary late)"),
        (found.refused, "refused"),
        (found.pictures_left, "pictures to send"),
    )
    return ", ".join(f"{count} {word}" for count, word in counts if count)


def _synced(found: "Status", now: "datetime") -> str:
    """Return when a sync last went through, and what keeps it from that since then; "" before the first."""
    last = "" if found.synced_at_ms is None else f"Last synced {_moment(found.synced_at_ms, now)}."
    if found.sync_fault is None:
        return last
    return f"{last} Tried {_moment(found.sync_fault.at_ms, now)}: {found.sync_fault.in_full}".lstrip()


def _not_synced_since(found: "Status", now: "datetime") -> str:
    """Return since when no sync went through, "" where one did or nothing waits for it."""
    fault = found.sync_fault
    if fault is None or (fault.passes and not (found.unsynced or found.pictures_left)):
        return ""
    return f"no sync since {_moment(found.synced_at_ms or fault.since_ms, now)} (diary status)"


def _moment(instant_ms: int, now: "datetime") -> str:
    """Return an instant in the zone of `now`: the time of day, and before today the day."""
    there = at(instant_ms).astimezone(now.tzinfo)
    return f"{there:%H:%M}" if there.date() == now.date() else f"{there:%a} {there.day} {there:%b %H:%M}"


def _deletions_refused(count: int) -> str:
    """Return loud words for refused deletions, "" for none (R37d)."""
    return f"{count} DELETION{'' if count == 1 else 'S'} REFUSED (diary refused)" if count else ""


def _hours(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02}"
