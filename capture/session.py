"""Tracking as a machine: ticks and wishes in, effects out (R11-R19).

This file decides; it never asks the time, the disk, the screen or chance: every event carries its instant,
and the draw of the snapshot's moment (R12) is a function given at the start. `capture.tracker` feeds the
events and runs the effects.

One slot is under way at a time. It belongs to the contract that is tracked at the snapshot's moment; until
then a switch moves it (R12). The moment is drawn once a slot and kept with the draft, so that neither a
restart nor switching off and on draws a second one.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

from capture.draft import Draft, Sample, Wish
from capture.steps import (
    Begun,
    DropDraft,
    Effect,
    Ended,
    Event,
    FinishCapture,
    KeepDraft,
    PictureTaken,
    Removed,
    Say,
    TakePicture,
    Tick,
    Wished,
    Word,
)
from diary.rules.ids import ContractId, Millis, Slot
from diary.rules.week import ends_at_ms, slot_at, starts_at_ms

MINUTE_MS = 60_000
GAP_MS_MAX = 90_000  # a longer silence between two ticks is sleep: its minutes are not filled in (R20)
IDLE_MINUTES = 10  # R18's default
ENDED_SLOTS_MAX = 1008  # a week: further back than any clock is set without a restart


class Session:
    """The machine. `below(n)` returns a uniformly random whole number from 0 to n - 1 (R12)."""

    def __init__(self, below: Callable[[int], int], *, idle_minutes: int = IDLE_MINUTES) -> None:
        self._below = below
        self._idle_ms_max = idle_minutes * MINUTE_MS
        self._wish = Wish(contract=None)
        self._at_ms = Millis(0)
        self._last_active_ms = Millis(0)
        self._sampled_at_ms = Millis(0)
        self._draft: Draft | None = None
        self._asked = False  # the picture of `_draft` was asked for and has not come
        self._pending: dict[Slot, Draft] = {}  # slots that are over, their picture still being encoded
        self._waiting: list[Draft] = []  # found at the start, or put aside when the clock was set back
        self._removed: set[tuple[ContractId, Slot]] = set()
        self._drawn: dict[Slot, Millis] = {}
        self._ended: set[Slot] = set()
        self._was_tracking = False
        self._is_idle = False
        self._was_paused = False
        self._told_set_back = False
        self._effects: list[Effect] = []

    def step(self, event: Event) -> tuple[Effect, ...]:
        """Take one event and return what to do about it, in this order."""
        self._effects = []
        match event:
            case Begun():
                self._begin(event)
            case Tick():
                self._note_activity(event)
                self._advance(event.at_ms, event.sample)
                self._sampled_at_ms = event.at_ms
            case Wished():
                self._advance(event.at_ms, None)
                self._change_wish(event)
                self._advance(event.at_ms, None)
            case PictureTaken():
                self._take_in(event)
            case Removed():
                self._forget(event)
            case Ended():
                self._advance(event.at_ms, None)
                self._keep()
            case _:
                assert_never(event)
        return tuple(self._effects)

    @property
    def listens(self) -> bool:
        """Return whether input is to be counted now: never while tracking is off or paused (R15)."""
        return self._wish.is_on(self._at_ms)

    @property
    def draft(self) -> Draft | None:
        """Return the segment under way."""
        return self._draft

    @property
    def wakes_at_ms(self) -> Millis:
        """Return the next instant at which something is due: the snapshot's moment, or the slot's end."""
        end = ends_at_ms(slot_at(self._at_ms))
        draft = self._draft
        if draft and self._awaits_moment(draft) and draft.drawn_ms > self._at_ms:
            return min(draft.drawn_ms, end)
        return end

    def _begin(self, event: Begun) -> None:
        self._wish = event.wish
        self._at_ms = event.at_ms
        self._last_active_ms = event.at_ms
        self._was_paused = not event.wish.is_on(event.at_ms) and event.wish.contract is not None
        for draft in event.drafts:
            if draft.removed:
                # Its moment was destroyed with it and is taken as passed: no second one is drawn (R12).
                self._removed.add((draft.contract, draft.slot))
                self._drawn.setdefault(draft.slot, Millis(0))
            else:
                self._waiting.append(draft)
                self._drawn[draft.slot] = draft.drawn_ms
        self._advance(event.at_ms, None)

    def _advance(self, at_ms: Millis, sample: Sample | None) -> None:
        """Bring the machine to `at_ms` under the present wish."""
        gap_ms = at_ms - self._at_ms
        before_ms = self._at_ms
        self._at_ms = at_ms
        slot = slot_at(at_ms)
        self._end_pause(at_ms)
        self._pause_when_idle(at_ms)
        tracking = self._wish.is_on(at_ms) and not self._is_idle
        went_on = self._was_tracking and 0 <= gap_ms <= GAP_MS_MAX
        self._leave_slot(slot, went_on=went_on)
        self._close_waiting(slot)
        if tracking:
            self._enter_slot(slot)
            self._follow_switch()
        if self._draft and tracking and not self._draft.missed:
            self._count(self._draft, before_ms if went_on else at_ms, sample)
        self._meet_moment(tracking=tracking)
        self._was_tracking = tracking

    def _note_activity(self, tick: Tick) -> None:
        if tick.sample.has_input:
            self._last_active_ms = tick.at_ms
        elif tick.sample.idle_ms is not None:
            self._last_active_ms = Millis(max(self._last_active_ms, tick.at_ms - tick.sample.idle_ms))

    def _pause_when_idle(self, at_ms: Millis) -> None:
        """Pause after the idle time, and go on at the next input (R18)."""
        idle = self._wish.is_on(at_ms) and at_ms - self._last_active_ms >= self._idle_ms_max
        if idle and not self._is_idle:
            self._say("idle", minutes=self._idle_ms_max // MINUTE_MS)
            self._keep()
        elif self._is_idle and not idle and self._wish.is_on(at_ms):
            self._say("active_again")
        self._is_idle = idle

    def _end_pause(self, at_ms: Millis) -> None:
        paused = self._wish.contract is not None and not self._wish.is_on(at_ms)
        if self._was_paused and not paused and self._wish.contract is not None:
            self._last_active_ms = at_ms
            self._say("pause_over")
        self._was_paused = paused

    def _leave_slot(self, slot: Slot, *, went_on: bool) -> None:
        """Close the segment under way when its slot is not this one."""
        draft = self._draft
        if draft is None or draft.slot == slot:
            return
        if slot < draft.slot:
            # Its slot is not over by this clock; it is taken up again when its time comes (R20).
            self._waiting.append(draft)
        elif self._asked or (self._awaits_moment(draft) and went_on):
            if not self._asked:  # the moment was so near the end that this tick comes just after it
                self._effects.append(TakePicture(draft.slot))
                draft = self._said_at_moment(draft)
            self._pending[draft.slot] = draft
        else:
            self._close(draft)
        self._draft = None
        self._asked = False

    def _close_waiting(self, slot: Slot) -> None:
        """Finish or drop what was found at the start and is over now (R19)."""
        over = [draft for draft in self._waiting if draft.slot < slot]
        self._waiting = [draft for draft in self._waiting if draft.slot >= slot]
        for draft in over:
            self._say(
                "finished_after_restart" if draft.snapshot else "lost_without_snapshot",
                draft.slot,
                draft.tracked_minutes,
            )
            self._close(draft, silently=True)
        for contract, gone in [place for place in self._removed if place[1] < slot]:
            self._removed.discard((contract, gone))
            self._drawn.pop(gone, None)
            self._effects.append(DropDraft(contract, gone))

    def _close(self, draft: Draft, *, silently: bool = False) -> None:
        self._drawn.pop(draft.slot, None)
        if draft.snapshot:
            self._remember_ended(draft.slot)
            self._effects.append(FinishCapture(draft))
            return
        self._effects.append(DropDraft(draft.contract, draft.slot))
        if not silently:
            self._say("not_recorded", draft.slot)

    def _enter_slot(self, slot: Slot) -> None:
        """Begin or take up the segment of this slot."""
        if self._draft:
            return
        if slot in self._ended or slot in self._pending:
            if not self._told_set_back:
                self._told_set_back = True
                self._say("clock_set_back", slot)
            return
        self._told_set_back = False
        if found := next((draft for draft in self._waiting if draft.slot == slot), None):
            self._waiting.remove(found)
            self._take_up(found)
            return
        contract = self._wish.contract
        assert contract is not None  # tracking
        if (contract, slot) in self._removed:
            return
        drawn_ms = self._drawn.get(slot)
        if drawn_ms is None:
            drawn_ms = Millis(self._at_ms + self._below(ends_at_ms(slot) - self._at_ms))
            self._drawn[slot] = drawn_ms
        elif drawn_ms < self._at_ms:
            return  # the slot's one moment has passed under a segment that was removed
        self._draft = Draft(
            contract=contract,
            slot=slot,
            drawn_ms=drawn_ms,
            memo=self._wish.memo,
            label=self._wish.label,
        )
        self._say("begun", slot)
        self._keep()

    def _take_up(self, found: Draft) -> None:
        # Where tracking began after the drawn moment, it was off when that came (R12). Otherwise the process
        # was away while the freelancer was tracked: the picture is taken now, late but in its slot (R19).
        missed = found.missed or (found.snapshot is None and found.drawn_ms < self._wish.since_ms)
        self._draft = replace(found, missed=missed)
        self._say("taken_up", found.slot, found.tracked_minutes)

    def _follow_switch(self) -> None:
        """Give the slot to the contract tracked now, until its snapshot decides (R12)."""
        draft, contract = self._draft, self._wish.contract
        if draft is None or contract is None or not self._awaits_moment(draft):
            return
        if draft.contract == contract:
            if (draft.memo, draft.label) != (self._wish.memo, self._wish.label):
                self._draft = replace(draft, memo=self._wish.memo, label=self._wish.label)
                self._keep()
            return
        if (contract, draft.slot) in self._removed:
            self._effects.append(DropDraft(draft.contract, draft.slot))
            self._draft = None
            return
        # Keeping it takes the slot from the other contract: dropped before, a crash would lose the moment.
        self._draft = replace(draft, contract=contract, memo=self._wish.memo, label=self._wish.label)
        self._keep()

    def _count(self, draft: Draft, from_ms: Millis, sample: Sample | None) -> None:
        """Add the sample to the minute under way and mark the minutes since the last tick as tracked."""
        start_ms = starts_at_ms(draft.slot)
        now = (self._at_ms - start_ms) // MINUTE_MS
        first = max(0, (from_ms - start_ms) // MINUTE_MS)
        since_sample_ms = self._at_ms - self._sampled_at_ms
        counted = draft.with_minutes(range(first, now + 1), sample, since_ms=since_sample_ms)
        new_minute = counted.tracked_minutes != draft.tracked_minutes
        self._draft = counted
        if new_minute:
            self._keep()

    def _meet_moment(self, *, tracking: bool) -> None:
        draft = self._draft
        if draft is None or not self._awaits_moment(draft) or self._at_ms < draft.drawn_ms:
            return
        if tracking:
            self._draft = self._said_at_moment(draft)
            self._asked = True
            self._effects.append(TakePicture(draft.slot))
        else:
            self._draft = replace(draft, missed=True)
            self._keep()

    def _take_in(self, event: PictureTaken) -> None:
        if (late := self._pending.pop(event.slot, None)) is not None:
            self._close(replace(late, snapshot=event.snapshot))
        elif self._draft and self._draft.slot == event.slot and self._asked:
            self._asked = False
            self._draft = replace(self._draft, snapshot=event.snapshot)
            self._keep()

    def _change_wish(self, event: Wished) -> None:
        before, self._wish = self._wish, event.wish
        if event.wish.contract is not None and before != event.wish:
            self._last_active_ms = event.at_ms  # what was typed into the diary is activity too
        if not before.is_on(event.at_ms) or event.wish.is_on(event.at_ms):
            return
        draft = self._draft
        if draft is None or draft.missed:
            return
        if draft.snapshot or self._asked:
            self._say("stopped_after_snapshot", draft.slot, draft.tracked_minutes)
        else:
            self._say("stopped_before_snapshot", draft.slot)
        self._keep()

    def _forget(self, event: Removed) -> None:
        self._removed.add((event.contract, event.slot))
        self._waiting = [
            draft for draft in self._waiting if (draft.contract, draft.slot) != (event.contract, event.slot)
        ]
        late = self._pending.get(event.slot)
        if late and late.contract == event.contract:
            del self._pending[event.slot]
        draft = self._draft
        if draft and (draft.contract, draft.slot) == (event.contract, event.slot):
            self._draft = None
            self._asked = False
        self._say("removed", event.slot)

    def _awaits_moment(self, draft: Draft) -> bool:
        return draft.snapshot is None and not draft.missed and not self._asked

    def _said_at_moment(self, draft: Draft) -> Draft:
        """Return the draft with the memo and label set at its snapshot's moment (R36)."""
        return replace(draft, memo=self._wish.memo, label=self._wish.label)

    def _keep(self) -> None:
        """Have the draft sealed, once a step: the last state of it."""
        if self._draft is None:
            return
        self._effects = [effect for effect in self._effects if not isinstance(effect, KeepDraft)]
        self._effects.append(KeepDraft(self._draft))

    def _remember_ended(self, slot: Slot) -> None:
        self._ended.add(slot)
        self._ended.difference_update(sorted(self._ended)[:-ENDED_SLOTS_MAX])

    def _say(self, word: Word, slot: Slot | None = None, minutes: int = 0) -> None:
        self._effects.append(Say(word, slot, minutes))
