"""What wants its freelancer's attention, wherever they look: pages, state, sync (R31, R37d).

Small questions to the file, none of which opens a row: every page asks them.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from diary import idling, last_sync
from diary.good_standing import suspension
from diary.idling import IdleQuestion
from diary.rules.deadline import MissedWeek, UnsentWeek, missed_weeks, unsent_weeks, weeks_about_to_lock
from diary.rules.ids import Millis
from diary.state import SERVER, OpenDiary
from diary.store import epochs, feed, message_rows, meta, outbox, refusals
from diary.unanswered import unanswered

if TYPE_CHECKING:
    from diary.refused import RefusalView


FREE_BYTES_LOW = 1_000_000_000  # about ten weeks of pictures


@dataclass(frozen=True, slots=True)
class Attention:
    """What is to be said until somebody has seen to it.

    `refused` counts refusals that were not put away, `deletions` are those of deletions (R37d). `asked`
    counts segments that wait for an answer (R20, R38). `before_lock` is what has not reached the server of
    weeks that lock within a day. `alarms` counts what the server showed that cannot be right (R56),
    `lost_by_server` what a restored server lost and does not show again yet (R43). `low_disk` says
    that little room is left, "" while there is enough (R31). `suspended` says that the account is not in good
    standing at its server, "" while it is (R30). `idle` asks what becomes of time away (R18).
    `unread` counts messages that nobody here has read (R68). `unanswered` says that the server does not
    answer for its log, "" while it does (R43). `sync_stopped` says what keeps syncs from going through until
    somebody mends it, "" while none does: without a network nothing needs to be mended.
    `missed_lock` is what was typed and was not at the server when its week locked (R37).
    """

    refused: int
    deletions: tuple["RefusalView", ...]
    asked: int
    before_lock: tuple[UnsentWeek, ...]
    alarms: int
    lost_by_server: int = 0
    low_disk: str = ""
    suspended: str = ""
    idle: IdleQuestion | None = None
    unread: int = 0
    unanswered: str = ""
    sync_stopped: str = ""
    missed_lock: tuple[MissedWeek, ...] = ()


def lost_says(count: int) -> str:
    """Return what is said of what a restored server lost; empty for nothing (R43)."""
    if not count:
        return ""
    versions = "1 version" if count == 1 else f"{count} versions"
    return f"The server was restored from a backup and lacks {versions} that it had received: diary audit."


def suspended_says(diary: OpenDiary) -> str:
    """Return that the account is suspended at its server, "" while it is in good standing (R30)."""
    found = suspension(diary)
    return "" if found is None else found.says


def sync_stopped(diary: OpenDiary) -> str:
    """Return what keeps syncs from going through until somebody mends it, "" while none does."""
    found = last_sync.fault(diary)
    return "" if found is None or found.passes else found.in_full


def unread_messages(diary: OpenDiary) -> int:
    """Return how many messages are unread; it opens what came behind the last mark, and only that (R68)."""
    if not message_rows.contracts(diary.connection):  # most diaries, and prompts wait for each import
        return 0
    from diary.conversations import unread

    return sum(unread(diary).values())


def low_disk(home: Path) -> str:
    """Return that the disk will be full before long, "" while there is room (R31)."""
    free = free_bytes(home)
    if free >= FREE_BYTES_LOW:
        return ""
    return f"Only {free / 1_000_000:,.0f} MB are free where the diary lies; without room nothing is recorded."


def free_bytes(home: Path) -> int:
    """Return how much room is left where a diary lies."""
    if hasattr(os, "statvfs"):  # shutil has it for every system, and takes longer to load than this to ask
        there = os.statvfs(home)
        return there.f_bavail * there.f_frsize
    from shutil import disk_usage

    return disk_usage(home).free


def attention(diary: OpenDiary) -> Attention:
    """Return what wants attention now."""
    from diary import refused

    deletions = refused.deletions(diary)
    with diary.reading():
        now_ms = diary.now_ms()
        silent = unanswered(diary)
        return Attention(
            refused=refusals.counts(diary.connection)[0],
            deletions=deletions,
            asked=_asked(diary, now_ms),
            before_lock=before_lock(diary, now_ms),
            alarms=len(feed.alarms(diary.connection)),
            lost_by_server=epochs.count_lost(diary.connection),
            low_disk=low_disk(diary.home),
            suspended=suspended_says(diary),
            idle=idling.open_question(diary),
            unread=unread_messages(diary),
            unanswered="" if silent is None else silent.says,
            sync_stopped=sync_stopped(diary),
            missed_lock=missed_lock(diary, now_ms),
        )


def _asked(diary: OpenDiary, now_ms: Millis) -> int:
    """Return how many segments wait for an answer: none while there is no server to be late for (R20, R38).

    Then all of the diary is in the outbox, and counting it costs each page of a long one a quarter second.
    """
    if meta.get(diary.connection, SERVER) is None:
        return 0
    waiting = outbox.waiting(diary.connection, now_ms, diary.late_before(now_ms))
    return waiting.late_held + waiting.moves_held


def before_lock(diary: OpenDiary, now_ms: Millis) -> tuple[UnsentWeek, ...]:
    """Return what has not reached the server of weeks that lock soon, within the caller's snapshot (R3).

    Nothing where there is no server: then no lock decides about anything that is here (R50).
    """
    slots = weeks_about_to_lock(now_ms)
    if not slots or meta.get(diary.connection, SERVER) is None:
        return ()
    return unsent_weeks(outbox.unsent_segments(diary.connection, slots, now_ms))


def missed_lock(diary: OpenDiary, now_ms: Millis) -> tuple[MissedWeek, ...]:
    """Return what was typed and was not at the server when its week locked, until it is answered (R37).

    Within the caller's snapshot; nothing where there is no server (R50).
    """
    before = diary.late_before(now_ms)
    return missed_weeks(outbox.typed_before(diary.connection, before)) if before else ()
