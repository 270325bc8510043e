"""Captures that never left are brought to their true slots once the clock is known (R20).

A capture keeps the wall clock and the boot it was taken in. Before its first push its slot is derived anew
from the best known difference to the server's clock in that boot.
"""

from collections import defaultdict
from dataclasses import dataclass

import msgspec

from diary import contracts, envelope, noticing, recording
from diary.deciding import opened_entries
from diary.resealing import Anew, forget, reseal
from diary.rules.change import CLOCK_TRUSTED_MS, is_deletion, move_needs_a_yes, true_slot
from diary.rules.content import merged
from diary.rules.ids import Millis, Slot
from diary.rules.merge import standing
from diary.rules.sealed_content import CaptureContent, StampedText
from diary.rules.timesheet import Place
from diary.state import CLOCK_DIFFERENCE, OpenDiary
from diary.store import meta, outbox, refusals, versions
from diary.store.refusals import KeptRefusal
from diary.store.versions import StoredVersion, held_of

_TAKEN = "this device's clock was wrong, and in the slot to which this belongs it has recorded already"


@dataclass(frozen=True, slots=True)
class Move:
    """A capture that never left, the place it was recorded in and the slot it truly belongs to.

    `at_ms` is its moment by the server's clock, `difference_ms` how far that was ahead of its own clock.
    """

    stored: StoredVersion
    place: Place
    true: Slot
    at_ms: int
    difference_ms: int

    @property
    def target(self) -> Place:
        """Return the place to which it belongs."""
        return self.place[0], self.true

    @property
    def needs_a_yes(self) -> bool:
        """Return whether its freelancer is asked first (R20)."""
        return move_needs_a_yes(self.place[1], self.true)


def correct_slots(diary: OpenDiary) -> None:
    """Move what is off by one slot; hold what moves further until its freelancer agrees (R20)."""
    with diary.reading():
        if not _any_clock_was_wrong(diary):
            return
    with diary.writing():
        near = []
        for move in _looked_at(diary):
            is_far = move.true != move.place[1] and move.needs_a_yes
            if is_far != (move.stored.held_for == "move"):
                for stored in (move.stored, *_entries_with(diary, move)):
                    outbox.hold_for_move(diary.connection, stored.header.name, hold=is_far)
            if move.true != move.place[1] and not is_far:
                near.append(move)
        carry_out(diary, near)


def moves_held(diary: OpenDiary) -> list[Move]:
    """Return the captures whose move waits for a yes, within the caller's snapshot (R20)."""
    if not _any_clock_was_wrong(diary):
        return []
    return [
        move for move in _looked_at(diary) if move.stored.held_for == "move" and move.true != move.place[1]
    ]


def _any_clock_was_wrong(diary: OpenDiary) -> bool:
    differences = meta.numbers(diary.connection, CLOCK_DIFFERENCE)
    return any(abs(difference_ms) >= CLOCK_TRUSTED_MS for difference_ms in differences.values())


def _looked_at(diary: OpenDiary) -> list[Move]:
    """Return every capture that never left, with the slot it belongs to, which may be its own."""
    found = []
    for name in outbox.unsent_captures(diary.connection, diary.replica):
        stored = versions.find(diary.connection, name)
        move = None if stored is None else _move_of(diary, stored)
        if move is not None:
            found.append(move)
    return found


def _move_of(diary: OpenDiary, stored: StoredVersion) -> Move | None:
    if stored.sealed.body is None or stored.header.slot is None:
        return None
    content = envelope.content_of(diary, stored)
    if not isinstance(content, CaptureContent):
        return None
    slot, moment = stored.header.slot, content.moment
    difference_ms = diary.difference_ms(moment.boot)
    true = true_slot(slot, moment.wall_ms, difference_ms)
    place = stored.header.contract, slot
    return Move(stored, place, true, moment.wall_ms + difference_ms, difference_ms)


def carry_out(diary: OpenDiary, moves: list[Move]) -> None:
    """Move each capture, within the caller's transaction; of two in one slot the later is refused (R20)."""
    moving = {move.stored.header.name for move in moves}
    wanted: dict[Place, list[Move]] = defaultdict(list)
    for move in moves:
        wanted[move.target].append(move)
    for target, coming in wanted.items():
        there = [
            stored
            for stored in versions.at_place(diary.connection, *target)
            if stored.header.type == "capture"
            and stored.header.replica == diary.replica
            and stored.header.name not in moving
        ]
        alone = [_move_of(diary, stored) for stored in there if stored.is_ours_alone]
        ours = [found for found in alone if found is not None]
        # What has left stays where it is.
        stays = None if len(there) > len(ours) else min([*coming, *ours], key=lambda move: move.at_ms)
        for move in (*coming, *ours):
            if move is not stays:
                _refuse(diary, move)
    staying = [move for move in moves if versions.find(diary.connection, move.stored.header.name) is not None]
    # All words are lifted before any is put down: captures of one clock move into each other's places.
    said = [_lift_words(diary, move) for move in staying]
    for move, words in zip(staying, said, strict=True):
        # The wrong clock also said when the notice period ends: hours ahead, perhaps after the lock (R17).
        not_before_ms = noticing.held_until_ms(diary, move.place, move.true, move.at_ms)
        noticing.move(diary, move.place, move.target)
        reseal(diary, move.stored, Anew(slot=move.true, not_before_ms=not_before_ms))
        contract = contracts.by_id(diary, move.place[0])
        at_ms = diary.now_ms()
        memo, label = (_stamped_rightly(text, move.difference_ms, at_ms) for text in words)
        recording.say(diary, contract, move.target, memo, label, at_ms=at_ms, not_before_ms=not_before_ms)


def _stamped_rightly(text: StampedText | None, difference_ms: int, at_ms: Millis) -> StampedText | None:
    """Return a text that was stamped ahead of now as a right clock would have stamped it (R36, R44)."""
    if text is None or text.stamp[0] <= at_ms:
        return text
    stamped_ms = Millis(min(at_ms, text.stamp[0] + difference_ms))
    return msgspec.structs.replace(text, stamp=(stamped_ms, text.stamp[1]))


def _refuse(diary: OpenDiary, move: Move) -> None:
    """Keep a capture that finds its slot taken, and what was said with it, as refused (R37d)."""
    said = _entries_with(diary, move) if move.true != move.place[1] else []
    for stored in (move.stored, *said):
        refusals.keep(
            diary.connection,
            KeptRefusal(
                name=stored.header.name,
                contract=stored.header.contract,
                slot=stored.header.slot,
                what="capture" if stored is move.stored else "entry",
                reason="capture_exists",
                because=_TAKEN,
                refused_at_ms=diary.now_ms(),
                sealed=stored.sealed,
            ),
        )
        versions.move_out(diary.connection, stored.header.name)
        diary.contents.pop(stored.header.name, None)


def _lift_words(diary: OpenDiary, move: Move) -> tuple[StampedText | None, StampedText | None]:
    """Take memo and label that were written with a capture away from its old place, and return them."""
    held = versions.at_place(diary.connection, *move.place)
    said_with = {stored.header.name for stored in _entries_with(diary, move)}
    entries = [
        (header, content)
        for header, content in opened_entries(diary, held, standing(map(held_of, held)))
        if header.name in said_with
    ]
    said = merged((), entries)
    for name in said_with:
        forget(diary, name)
    return said.memo, said.label


def _entries_with(diary: OpenDiary, move: Move) -> list[StoredVersion]:
    """Return the entries of this replica at a capture's place that never left and claim nothing."""
    return [
        stored
        for stored in versions.at_place(diary.connection, *move.place)
        if stored.header.type == "entry"
        and stored.header.replica == diary.replica
        and stored.is_ours_alone
        and not stored.header.manual
        and not is_deletion(stored.header)
    ]
