"""Tracking as a machine: ticks and wishes in, effects out (R11-R20, R22).

This file decides; it never asks the time, the disk, the screen or chance: every event carries its instant,
and the draw of the snapshot's moment (R12) is a function given at the start. `capture.tracker` feeds the
events and runs the effects.

One slot is under way at a time. It belongs to the contract that is tracked at the snapshot's moment; until
then a switch moves it (R12). The moment is drawn once a slot and kept with the draft, so that neither a
restart nor switching off and on draws a second one.

Tracking pauses while nobody is there (see `capture.away`; R18), while the screen is locked, and while a
private window is shown that this contract lets nobody mask (R22).
"""

from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

from capture.absence import MINUTE_MS
from capture.away import Away
from capture.draft import Draft, Sample, Wish
from capture.effects import Effects
from capture.slots import Slots
from capture.steps import (
    Answered,
    Begun,
    DropDraft,
    Effect,
    Ended,
    Event,
    PictureTaken,
    PictureWithheld,
    Removed,
    TakePicture,
    Tick,
    Wished,
)
from diary.rules.ids import Millis, Slot
from diary.rules.week import ends_at_ms, slot_at, starts_at_ms

GAP_MS_MAX = 90_000  # a longer silence between two ticks is sleep: its minutes are not filled in (R20)
IDLE_MINUTES = 10  # R18's default


class Session:
    """The machine. `below(n)` returns a uniformly random whole number from 0 to n - 1 (R12)."""

    def __init__(self, below: Callable[[int], int], *, idle_minutes: int = IDLE_MINUTES) -> None:
        self._below = below
        self._do = Effects()
        self._slots = Slots()
        self._away = Away(self._slots, self._do, idle_ms_max=idle_minutes * MINUTE_MS)
        self._wish = Wish(contract=None)
        self._at_ms = Millis(0)
        self._sampled_at_ms = Millis(0)
        self._was_tracking = self._was_met = False  # met: a moment that had come would have been
        self._is_locked = False
        self._is_private = False
        self._was_paused = False
        self._told_set_back = False

    def step(self, event: Event) -> tuple[Effect, ...]:
        """Take one event and return what to do about it, in this order."""
        match event:
            case Begun():
                self._begin(event)
            case Tick():
                self._look(event)
                self._advance(event.at_ms, event.sample)
                self._sampled_at_ms = event.at_ms
            case Wished():
                self._advance(event.at_ms, None)
                self._change_wish(event)
                self._advance(event.at_ms, None)
            case PictureTaken():
                self._take_in(event)
            case PictureWithheld():
                self._withhold(event)
            case Answered():
                self._away.typed(event.at_ms)
                self._away.settle(event.at_ms, event.answer)
                self._advance(event.at_ms, None)
            case Removed():
                self._forget(event)
            case Ended():
                self._advance(event.at_ms, None)
                self._keep()
            case _:
                assert_never(event)
        return self._do.take()

    @property
    def is_on(self) -> bool:
        """Return whether tracking is wanted and the screen is not locked."""
        return self._wish.is_on(self._at_ms) and not self._is_locked

    @property
    def listens(self) -> bool:
        """Return whether input is to be counted now (R15).

        Never while tracking is off or paused, nor what unlocks the screen or goes into a private window.
        Where nobody is there it is counted: that is how they are seen to come back.
        """
        return self.is_on and not self._is_private

    @property
    def draft(self) -> Draft | None:
        """Return the segment under way."""
        return self._slots.draft

    @property
    def awaits_picture(self) -> bool:
        """Return whether a picture that was asked for has not come yet."""
        return self._slots.asked or bool(self._slots.unpictured)

    @property
    def wakes_at_ms(self) -> Millis:
        """Return the next instant at which something is due: the snapshot's moment, or the slot's end."""
        end = ends_at_ms(slot_at(self._at_ms))
        draft = self._slots.draft
        if draft and self._slots.awaits_moment(draft) and draft.drawn_ms > self._at_ms:
            return min(draft.drawn_ms, end)
        return end

    def _begin(self, event: Begun) -> None:
        self._wish = event.wish
        self._at_ms = self._sampled_at_ms = event.at_ms
        self._was_paused = not event.wish.is_on(event.at_ms) and event.wish.contract is not None
        for draft in event.drafts:
            if draft.removed:
                # Its moment was destroyed with it and is taken as passed: no second one is drawn (R12).
                self._slots.removed.add((draft.contract, draft.slot))
                self._slots.drawn.setdefault(draft.slot, Millis(0))
            else:
                self._slots.waiting.append(draft)
                self._slots.drawn[draft.slot] = draft.drawn_ms
        self._away.begin(event.at_ms, event.absence, typed_ms=event.wish.since_ms)
        if event.absence is None:  # else perhaps nobody came back from it: the first look tells
            self._advance(event.at_ms, None)
        self._close_waiting(slot_at(event.at_ms))

    def _look(self, tick: Tick) -> None:
        """Take what the tick tells of the person and the screen."""
        gap_ms = tick.at_ms - self._at_ms
        if gap_ms < 0:
            self._away.set_back(self._at_ms, tick.at_ms)
        elif gap_ms > GAP_MS_MAX:
            if self._was_tracking:
                self._do.say("asleep", minutes=gap_ms // MINUTE_MS)
            self._away.jump(self._at_ms, tick.at_ms)  # before the look: whoever wakes the computer is there
        self._away.look(tick, since_ms=min(tick.at_ms - self._sampled_at_ms, GAP_MS_MAX))
        if self._wish.is_on(tick.at_ms):
            if tick.locked != self._is_locked:
                self._do.say("locked" if tick.locked else "unlocked")
            if tick.private != self._is_private:
                self._do.say("private_shown" if tick.private else "private_gone")
        self._is_locked, self._is_private = tick.locked, tick.private

    def _advance(self, at_ms: Millis, sample: Sample | None) -> None:
        """Bring the machine to `at_ms` under the present wish."""
        gap_ms = at_ms - self._at_ms
        before_ms = self._at_ms
        self._at_ms = at_ms
        slot = slot_at(at_ms)
        self._end_pause(at_ms)
        self._away.advance(at_ms, is_on=self._wish.is_on(at_ms))
        wanted = self._wish.is_on(at_ms) and not self._away.is_away
        tracking = wanted and not self._is_locked and not self._is_private
        # A locked screen at the moment leaves a segment that says so (R16); its minutes do not count.
        met = tracking or (wanted and self._is_locked)
        went_on = 0 <= gap_ms <= GAP_MS_MAX
        self._leave_slot(slot, met=self._was_met and went_on)
        self._close_waiting(slot)
        if tracking:
            self._enter_slot(slot)
            self._follow_switch()
        draft = self._slots.draft
        if draft and tracking and not draft.missed:
            self._count(draft, before_ms if went_on and self._was_tracking else at_ms, sample)
        self._meet_moment(met=met)
        self._was_tracking, self._was_met = tracking, met

    def _end_pause(self, at_ms: Millis) -> None:
        paused = self._wish.contract is not None and not self._wish.is_on(at_ms)
        if self._was_paused and not paused and self._wish.contract is not None:
            self._away.pause_over(at_ms)
            self._do.say("pause_over")
        self._was_paused = paused

    def _leave_slot(self, slot: Slot, *, met: bool) -> None:
        """Close the segment under way when its slot is not this one; `met`: its end was seen, tracking on."""
        draft = self._slots.draft
        if draft is None or draft.slot == slot:
            return
        if slot < draft.slot:
            # Its slot is not over by this clock; it is taken up again when its time comes (R20).
            self._slots.waiting.append(draft)
            if self._slots.asked:
                self._slots.awaited.add(draft.slot)
        elif self._slots.asked or (self._slots.awaits_moment(draft) and met):
            if not self._slots.asked:  # the moment was so near the end that this tick comes just after it
                self._do.add(TakePicture(draft.slot, draft.contract))
                draft = self._said_at_moment(draft)
            self._slots.unpictured[draft.slot] = draft
        else:
            self._close(draft)
        self._slots.draft = None
        self._slots.asked = False

    def _close_waiting(self, slot: Slot) -> None:
        """Finish or drop what was found at the start and is over now (R19)."""
        over = [draft for draft in self._slots.waiting if draft.slot < slot]
        self._slots.waiting = [draft for draft in self._slots.waiting if draft.slot >= slot]
        for draft in over:
            if draft.slot in self._slots.awaited:
                self._slots.awaited.discard(draft.slot)
                self._slots.unpictured[draft.slot] = draft
                continue
            if self._away.waits_for_somebody(draft, self._at_ms):
                self._do.say("held_after_restart", draft.slot, draft.tracked_minutes)
            elif draft.snapshot:
                self._do.say("finished_after_restart", draft.slot, draft.tracked_minutes)
            else:
                self._do.say("lost_without_snapshot", draft.slot, draft.tracked_minutes)
            self._close(draft, silently=True)
        for contract, gone in [place for place in self._slots.removed if place[1] < slot]:
            self._slots.removed.discard((contract, gone))
            self._slots.drawn.pop(gone, None)
            self._do.add(DropDraft(contract, gone))

    def _close(self, draft: Draft, *, silently: bool = False) -> None:
        """Record a slot that is over, drop it, or let it wait for somebody (R18)."""
        self._slots.drawn.pop(draft.slot, None)
        if self._away.waits_for_somebody(draft, self._at_ms):
            self._slots.held.append(draft)
            self._do.keep(draft)
        elif draft.snapshot:
            self._away.record(draft)
        else:
            self._do.add(DropDraft(draft.contract, draft.slot))
            if not silently:
                self._do.say("not_recorded", draft.slot)
            self._away.settle_if_nothing_is_left(closed=draft)

    def _enter_slot(self, slot: Slot) -> None:
        """Begin or take up the segment of this slot."""
        slots = self._slots
        if slots.draft:
            return
        if slots.is_done(slot):
            if not self._told_set_back:
                self._told_set_back = True
                self._do.say("clock_set_back", slot)
            return
        self._told_set_back = False
        if found := next((draft for draft in slots.waiting if draft.slot == slot), None):
            slots.waiting.remove(found)
            self._take_up(found)
            return
        contract = self._wish.contract
        assert contract is not None  # tracking
        if (contract, slot) in slots.removed:
            return
        drawn_ms = slots.drawn.get(slot)
        if drawn_ms is None:
            drawn_ms = Millis(self._at_ms + self._below(ends_at_ms(slot) - self._at_ms))
            slots.drawn[slot] = drawn_ms
        elif drawn_ms < self._at_ms:
            return  # the slot's one moment has passed under a segment that was removed
        slots.draft = Draft(
            contract=contract,
            slot=slot,
            drawn_ms=drawn_ms,
            memo=self._wish.memo,
            label=self._wish.label,
        )
        self._do.say("begun", slot)
        self._keep()

    def _take_up(self, found: Draft) -> None:
        # Where tracking began after the drawn moment, it was off when that came (R12). Otherwise the process
        # was away while the freelancer was tracked: the picture is taken now, late but in its slot (R19).
        missed = found.missed or (found.snapshot is None and found.drawn_ms < self._wish.since_ms)
        self._slots.draft = replace(found, missed=missed)
        self._slots.asked = found.slot in self._slots.awaited
        self._slots.awaited.discard(found.slot)
        self._do.say("taken_up", found.slot, found.tracked_minutes)

    def _follow_switch(self) -> None:
        """Give the slot to the contract tracked now, until its snapshot decides (R12)."""
        draft, contract = self._slots.draft, self._wish.contract
        if draft is None or contract is None or not self._slots.awaits_moment(draft):
            return
        if draft.contract == contract:
            if (draft.memo, draft.label) != (self._wish.memo, self._wish.label):
                self._slots.draft = replace(draft, memo=self._wish.memo, label=self._wish.label)
                self._keep()
            return
        if (contract, draft.slot) in self._slots.removed:
            self._do.add(DropDraft(draft.contract, draft.slot))
            self._slots.draft = None
            return
        # Keeping it takes the slot from the other contract: dropped before, a crash would lose the moment.
        self._slots.draft = replace(draft, contract=contract, memo=self._wish.memo, label=self._wish.label)
        self._keep()

    def _count(self, draft: Draft, from_ms: Millis, sample: Sample | None) -> None:
        """Add the sample to the minute under way and mark the minutes since the last tick as tracked."""
        start_ms = starts_at_ms(draft.slot)
        now = (self._at_ms - start_ms) // MINUTE_MS
        first = max(0, (from_ms - start_ms) // MINUTE_MS)
        counted = draft.with_minutes(range(first, now + 1), sample, self._active_minute(start_ms, sample))
        self._slots.draft = counted
        if counted.tracked_minutes != draft.tracked_minutes:
            self._keep()

    def _active_minute(self, start_ms: int, sample: Sample | None) -> int | None:
        """Return in which minute of the slot the operating system last saw the user, since the last tick."""
        if sample is None or sample.idle_ms is None:
            return None
        if sample.idle_ms > min(self._at_ms - self._sampled_at_ms, GAP_MS_MAX):
            return None
        return (self._at_ms - sample.idle_ms - start_ms) // MINUTE_MS

    def _meet_moment(self, *, met: bool) -> None:
        draft = self._slots.draft
        if draft is None or not self._slots.awaits_moment(draft) or self._at_ms < draft.drawn_ms:
            return
        if met:
            self._slots.draft = self._said_at_moment(draft)
            self._slots.asked = True
            self._do.add(TakePicture(draft.slot, draft.contract))
        else:
            self._miss(draft)

    def _miss(self, draft: Draft) -> None:
        """Take it that tracking was off at the moment: nothing is recorded in this slot (R12)."""
        self._slots.draft = replace(draft, missed=True)
        self._slots.asked = False
        self._keep()

    def _take_in(self, event: PictureTaken) -> None:
        draft = self._slots.draft
        if (late := self._slots.unpictured.pop(event.slot, None)) is not None:
            self._close(replace(late, snapshot=event.snapshot))
        elif draft and draft.slot == event.slot and self._slots.asked:
            self._slots.asked = False
            self._slots.draft = replace(draft, snapshot=event.snapshot)
            self._keep()
        elif put_aside := self._slots.put_aside(event.slot):
            # The clock was set back while the picture was encoded: it was taken at its moment all the same.
            self._put_aside(replace(put_aside, snapshot=event.snapshot))

    def _put_aside(self, draft: Draft) -> None:
        self._slots.waiting.append(draft)
        self._do.keep(draft)

    def _withhold(self, event: PictureWithheld) -> None:
        """Record nothing of a slot whose moment may neither be shown nor masked (R22)."""
        draft = self._slots.draft
        if (late := self._slots.unpictured.pop(event.slot, None)) is not None:
            self._do.add(DropDraft(late.contract, late.slot))
        elif draft and draft.slot == event.slot and self._slots.asked:
            self._miss(draft)
        elif put_aside := self._slots.put_aside(event.slot):
            self._put_aside(replace(put_aside, missed=True))
        else:
            return
        self._do.say("withheld", event.slot)

    def _change_wish(self, event: Wished) -> None:
        before, self._wish = self._wish, event.wish
        if before.paused_until_ms is not None and replace(before, paused_until_ms=None) == event.wish:
            self._away.pause_over(event.at_ms)  # perhaps by itself
        elif before != event.wish:
            self._away.typed(event.at_ms)
        if not before.is_on(event.at_ms) or event.wish.is_on(event.at_ms):
            return
        draft = self._slots.draft
        if draft is None or draft.missed:
            return
        if draft.snapshot or self._slots.asked:
            self._do.say("stopped_after_snapshot", draft.slot, draft.tracked_minutes)
        else:
            self._do.say("stopped_before_snapshot", draft.slot)
        self._keep()

    def _forget(self, event: Removed) -> None:
        self._slots.remove(event.contract, event.slot)
        self._away.settle_if_nothing_is_left()
        self._do.say("removed", event.slot)

    def _said_at_moment(self, draft: Draft) -> Draft:
        """Return the draft with the memo and label set at its snapshot's moment (R36)."""
        return replace(draft, memo=self._wish.memo, label=self._wish.label)

    def _keep(self) -> None:
        """Have the segment under way sealed."""
        if self._slots.draft is not None:
            self._do.keep(self._slots.draft)
