"""What the server says of slots that bill for another contract, which a client cannot see (R28)."""

from collections.abc import Collection

from diary.rules.act_parts import SLOT_END
from diary.rules.ids import Millis, Slot
from diary.state import CLOCK_SLACK_UNKNOWN_MS, OpenDiary
from diary.store import meta, overlaps

TOLD_UNTIL = "told of overlaps until"


def asks_from(diary: OpenDiary) -> Slot | None:
    """Return from which slot on a client's replica asks what overlaps; None elsewhere (R28)."""
    if not diary.is_seat:
        return None
    with diary.reading():
        return Slot(meta.number(diary.connection, TOLD_UNTIL) or 0)


def note(diary: OpenDiary, first: Slot, slots: Collection[Slot]) -> None:
    """Note which slots from `first` on the server says another contract has (R28).

    What was open when it was told is asked for again next time: it may have changed before its lock.
    """
    if diary.seat_in is None:
        return
    ask_from = diary.open_from(Millis(diary.now_ms() - CLOCK_SLACK_UNKNOWN_MS))
    with diary.reading():
        is_known = overlaps.stated(diary.connection, diary.seat_in, range(first, SLOT_END)) == set(slots)
        if is_known and meta.number(diary.connection, TOLD_UNTIL) == ask_from:
            return
    with diary.writing():
        overlaps.state(diary.connection, diary.seat_in, first, slots)
        meta.put(diary.connection, TOLD_UNTIL, ask_from)
