"""What the diary's own records say: what is stored, what was sent, when, to whom, what gave alarm (R55)."""

from dataclasses import dataclass

from diary.state import OpenDiary
from diary.store import feed, sending
from diary.store.feed import Alarm
from diary.store.sending import Kept, SentNote


@dataclass(frozen=True, slots=True)
class Audit:
    """The whole account: alarms and what was sent with the oldest first."""

    alarms: tuple[Alarm, ...]
    stored: tuple[Kept, ...]
    sent: tuple[SentNote, ...]


def audit(diary: OpenDiary) -> Audit:
    """Return the account (R55)."""
    with diary.reading():
        return Audit(
            alarms=feed.alarms(diary.connection),
            stored=sending.stored(diary.connection),
            sent=sending.sent(diary.connection),
        )
