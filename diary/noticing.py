"""Which snapshots were shown in a notification, and since when: from then the notice period runs (R17).

Kept in the file, so that neither the hold nor the way from a notification's button to its segment ends with
the process that showed it. It is places, times and the desktop's numbers, nothing that anybody wrote or that
the screen showed; so it is written over in place, and not sealed, where each change would leave room that
nothing uses again (see `diary.store.sealed`).
"""

import msgspec

from diary import settings
from diary.rules.ids import ContractId, Millis, Slot
from diary.rules.sealed_content import Moment
from diary.rules.timesheet import Place
from diary.rules.week import Week
from diary.state import OpenDiary
from diary.store import meta, outbox, versions

LOCK_MARGIN_MILLIS = 60_000  # R17: the notice period ends at the latest a minute before the lock
NOTICES_MAX = 8  # the longest hold is an hour, of six slots, and one begins; the oldest go first
_NOTICES = "notices"


class SnapshotNotice(msgspec.Struct, frozen=True, kw_only=True):
    """One snapshot's notification: whose it is, when it was shown, and the desktop's handle of it.

    `handle` is "" while the desktop was asked to show it and has not answered.
    """

    contract: ContractId
    slot: Slot
    shown: Moment
    handle: str

    @property
    def place(self) -> Place:
        """Return the segment's place."""
        return self.contract, self.slot


_decoder = msgspec.json.Decoder(tuple[SnapshotNotice, ...])


def notices(diary: OpenDiary) -> tuple[SnapshotNotice, ...]:
    """Return the notifications of snapshots, the oldest first."""
    with diary.reading():
        found = meta.word(diary.connection, _NOTICES)
    return () if found is None else _decoder.decode(found)


def note(diary: OpenDiary, place: Place, handle: str) -> None:
    """Note that a snapshot's notification is shown from now on (R17).

    What waits to be sent of it waits until the notice period that begins now ends.
    """
    clock = diary.clock
    shown = Moment(wall_ms=clock.now_ms(), monotonic_ms=clock.monotonic_ms(), boot=clock.boot())
    with diary.writing():
        others = [each for each in notices(diary) if each.place != place]
        new = SnapshotNotice(contract=place[0], slot=place[1], shown=shown, handle=handle)
        _keep(diary, [*others, new])
        until_ms = held_until_ms(diary, place, place[1], 0)
        for stored in versions.at_place(diary.connection, *place):
            if stored.waits and stored.is_ours_alone:
                outbox.hold(diary.connection, stored.header.name, until_ms)


def forget(diary: OpenDiary, place: Place) -> None:
    """Forget a segment's notification, within a transaction: it was removed."""
    known = notices(diary)
    left = [each for each in known if each.place != place]
    if len(left) < len(known):
        _keep(diary, left)


def move(diary: OpenDiary, place: Place, target: Place) -> None:
    """Let a notification follow its segment to another slot, within a transaction (R20)."""
    known = notices(diary)
    if place != target and any(each.place == place for each in known):
        _keep(
            diary,
            [
                msgspec.structs.replace(each, contract=target[0], slot=target[1])
                if each.place == place
                else each
                for each in known
                if each.place != target
            ],
        )


def is_held(diary: OpenDiary, notice: SnapshotNotice) -> bool:
    """Return whether the notice period that began with a notification still runs (R17)."""
    with diary.reading():
        return diary.now_ms() < held_until_ms(diary, notice.place, notice.slot, 0)


def held_until_ms(diary: OpenDiary, place: Place, slot: Slot, taken_ms: int) -> Millis:
    """Return when the notice period ends: a while after the notification, before the lock (R17).

    `taken_ms` is the snapshot's moment by the server's clock, as far as it is known: from it the period runs
    where no notification was shown. `place` is where the notification was noted, `slot` where the capture
    belongs.
    """
    hold_seconds = settings.setting(diary, "hold_seconds")
    assert isinstance(hold_seconds, int), "the setting is a number"
    shown = [
        each.shown.wall_ms + diary.difference_ms(each.shown.boot)
        for each in notices(diary)
        if each.place == place
    ]
    from_ms = max([taken_ms, *shown])
    return Millis(min(from_ms + hold_seconds * 1000, Week.of(slot).locked_at_ms - LOCK_MARGIN_MILLIS))


def _keep(diary: OpenDiary, known: list[SnapshotNotice]) -> None:
    meta.put(diary.connection, _NOTICES, msgspec.json.encode(known[-NOTICES_MAX:]).decode())
