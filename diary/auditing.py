"""What the diary's own records say: what is stored, what was sent, when, to whom, what gave alarm (R55)."""

from dataclasses import dataclass

from diary.state import OpenDiary
from diary.store import epochs, feed, sending
from diary.store.epochs import Restoring
from diary.store.feed import Alarm
from diary.store.sending import Kept, SentNote


@dataclass(frozen=True, slots=True)
class Audit:
    """The whole account: alarms, restorings of the server and what was sent with the oldest first.

    `lost_by_server` counts what it had received before and does not show again yet (R43).
    """

    alarms: tuple[Alarm, ...]
    restorings: tuple[Restoring, ...]
    lost_by_server: int
    stored: tuple[Kept, ...]
    sent: tuple[SentNote, ...]


def audit(diary: OpenDiary) -> Audit:
    """Return the account (R55)."""
    with diary.reading():
        return Audit(
            alarms=feed.alarms(diary.connection),
            restorings=epochs.restorings(diary.connection),
            lost_by_server=epochs.count_lost(diary.connection),
            stored=sending.stored(diary.connection),
            sent=sending.sent(diary.connection),
        )
