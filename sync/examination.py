"""What `diary doctor` looks at of the server: is it there, is it the one, when was the last sync (R70)."""

from collections.abc import Iterator

from diary.diary import Diary
from diary.doctor import CLOCK_OFF_MS, Check
from diary.errors import DiaryError
from diary.rules.counted import counted
from sync.transport import Transport

SYNC_LATE_MS = 24 * 3_600_000


def checks(diary: Diary) -> Iterator[Check]:
    """Yield the checks of the server and of the last sync."""
    link = diary.server()
    if link is None:
        says = "The diary is registered with no server; everything stays on this device."
        yield Check("server", "fine", says)
        return
    before_ms = diary.clock.now_ms()
    try:
        with Transport(link.url, attempts=1) as line:
            facts = line.server()
    except DiaryError as error:
        yield Check("server", "warning", error.what_happened, error.how_to_mend)
    else:
        after_ms = diary.clock.now_ms()
        if facts.key != link.key:
            says = (
                f"Somebody else answers at {link.url}: the key is not the one this diary was registered with."
            )
            yield Check("server", "fault", says, "Do not sync until its operator has explained it.")
        else:
            off_ms = facts.server_ms - (before_ms + after_ms) // 2
            answered = f"{link.url} answers in {after_ms - before_ms} ms"
            says = f"{answered}; its clock differs by {off_ms / 1000:,.1f} s."
            is_off = abs(off_ms) > CLOCK_OFF_MS
            mend = "Set this computer's clock, best by NTP." if is_off else ""
            yield Check("server", "warning" if is_off else "fine", says, mend)
    yield _last_sync(diary)


def _last_sync(diary: Diary) -> Check:
    status, at_ms = diary.status(), diary.synced_at_ms()
    waits = f"To be sent: {counted(status.unsynced, 'segment')}, {counted(status.pictures_left, 'picture')}."
    fault = status.sync_fault
    if fault is not None and (not fault.passes or status.unsynced):
        return Check("sync", "warning", f"The last sync failed. {fault.says} {waits}", fault.mend)
    ago_ms = None if at_ms is None else diary.now_ms() - at_ms
    if ago_ms is not None and (ago_ms < SYNC_LATE_MS or not status.unsynced):
        return Check("sync", "fine", f"The last sync was {ago_ms // 60_000} min ago. {waits}")
    says = (
        "It has not synced yet." if ago_ms is None else f"The last sync was {ago_ms // 3_600_000} hours ago."
    )
    return Check("sync", "warning", f"{says} {waits}", "Sync: diary sync. By itself: diary sync --watch.")
