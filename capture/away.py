"""Nobody is there: pausing, asking once, and what becomes of the slots meanwhile (R18).

A slot at whose end nobody was there waits for somebody: for input, or, once tracking has paused, for an
answer. This file decides; it never asks the time, the desktop or the diary.
"""

from capture.absence import (
    ANSWER_MS_AFTER_RETURN,
    ANSWER_MS_MAX,
    MINUTE_MS,
    Absence,
    Answer,
    answered,
    last_tracked_ms,
    quiet_since,
)
from capture.draft import Draft
from capture.effects import Effects
from capture.presence import Presence
from capture.slots import Slots
from capture.steps import Ask, DropDraft, FinishCapture, Settle, Tick, Word
from diary.rules.ids import Millis

_SAID: dict[str, Word] = {"keep": "kept_away", "drop": "dropped_away", "move": "moved_away"}


class Away:
    """Who is there, and the one question that may be open."""

    def __init__(self, slots: Slots, effects: Effects, *, idle_ms_max: int) -> None:
        self._slots = slots
        self._do = effects
        self._idle_ms_max = idle_ms_max
        self._presence = Presence(idle_ms_max)
        self._absence: Absence | None = None  # asked about, and not answered yet
        self._returned_ms: Millis | None = None  # when somebody was there again after it
        self.is_away = False

    def begin(self, at_ms: Millis, absence: Absence | None, *, typed_ms: Millis) -> None:
        """Begin with the drafts that were found, and with what was asked before (R19)."""
        found = self._slots.waiting
        self._absence = absence
        since_ms = at_ms if absence else quiet_since(found, at_ms)
        self._presence.begin(at_ms, since_ms, typed_ms)
        if last_tracked_ms(found) - since_ms >= self._idle_ms_max:
            self._ask(at_ms)  # the process ended between the pause and the question

    def look(self, tick: Tick, *, since_ms: int) -> None:
        """Take what a tick tells of the person."""
        if self._presence.note(tick.at_ms, tick.sample, since_ms=since_ms):
            self._return(tick.at_ms)

    def typed(self, at_ms: Millis) -> None:
        """Take an act of the freelancer's: what is typed into the diary is activity too."""
        self._presence.typed(at_ms)
        self._return(at_ms)

    def pause_over(self, at_ms: Millis) -> None:
        """Let the idle time count anew: a pause ended, perhaps by itself."""
        self._presence.wait_anew(at_ms)

    def set_back(self, before_ms: Millis, at_ms: Millis) -> None:
        """Take a clock that was set back (R20)."""
        self._presence.set_back(before_ms, at_ms)

    def jump(self, before_ms: Millis, at_ms: Millis) -> None:
        """Take sleep or a clock that was set ahead: before it was an absence, said as sleep alone (R18)."""
        self._presence.jump(before_ms, at_ms)
        self.advance(at_ms, is_on=False)

    def _return(self, at_ms: Millis) -> None:
        """Somebody is there: what waited for input is recorded; what waits for an answer waits no longer."""
        asked = self._absence
        for draft in self._slots.take_held(lambda draft: asked is None or not asked.is_about(draft)):
            self.record(draft)
        if asked is not None and self._returned_ms is None and at_ms >= asked.until_ms:
            self._returned_ms = at_ms

    def advance(self, at_ms: Millis, *, is_on: bool) -> None:
        """Pause after the idle time and ask about it; go on at the next input; drop what nobody answers."""
        was_away, self.is_away = self.is_away, self._presence.is_away(at_ms)
        if self.is_away and not was_away:
            if is_on:
                self._do.say("idle", minutes=self._idle_ms_max // MINUTE_MS)
                if self._slots.draft:
                    self._do.keep(self._slots.draft)
            self._ask(at_ms)
        elif was_away and not self.is_away and is_on:
            self._do.say("active_again")
        absence, returned_ms = self._absence, self._returned_ms
        if absence is not None and (
            at_ms >= absence.until_ms + ANSWER_MS_MAX
            or (returned_ms is not None and at_ms >= returned_ms + ANSWER_MS_AFTER_RETURN)
        ):
            self.settle(at_ms, Answer("drop"), "unanswered")

    def _ask(self, at_ms: Millis) -> None:
        """Ask once what becomes of the minutes in which nobody was there; of none nothing is asked."""
        absence = Absence(self._presence.active_ms, at_ms)
        older = self._absence
        if older is not None and not self._presence.was_seen_since(older.until_ms):
            # Nobody came back: the process was started anew within one absence (R19).
            absence = Absence(older.since_ms, at_ms)
            if self._slots.idle_minutes(absence) == self._slots.idle_minutes(older):
                return
        elif self._slots.about(absence) and older is not None:
            self.settle(
                at_ms, Answer("drop"), "unanswered"
            )  # one question at a time: the older one had its time
        about = self._slots.about(absence)
        if about:
            self._absence, self._returned_ms = absence, None
            self._do.add(Ask(absence, about[-1].contract, self._slots.idle_minutes(absence)))

    def waits_for_somebody(self, draft: Draft, at_ms: Millis) -> bool:
        """Return whether nobody was there at the slot's end, or an answer is to decide about it."""
        if draft.snapshot is None:
            return False
        if self._absence is not None and self._absence.is_about(draft):
            return True
        return Absence(self._presence.active_ms, at_ms).is_about(draft)

    def settle_if_nothing_is_left(self, closed: Draft | None = None) -> None:
        """Ask no more where everything it was about was removed, or came to nothing."""
        left = () if self._absence is None else self._slots.about(self._absence)
        if self._absence is not None and all(draft is closed for draft in left):
            self._absence = None
            self._do.add(Settle())

    def settle(self, at_ms: Millis, answer: Answer, word: Word | None = None) -> None:
        """Let everything that waited for an answer become what it says."""
        absence, self._absence, self._returned_ms = self._absence, None, None
        if absence is not None:
            self._do.say(word or _SAID[answer.word])
            self._apply(at_ms, absence, answer)
        self._do.add(Settle())

    def _apply(self, at_ms: Millis, absence: Absence, answer: Answer) -> None:
        slots = self._slots
        for draft in slots.take_held(absence.is_about):
            after = self._rekeep(draft, answered(draft, absence, answer))
            if after is not None:
                self._finish(at_ms, after)
        for draft in [*filter(absence.is_about, slots.unpictured.values())]:
            after = self._rekeep(draft, answered(draft, absence, answer))
            if after is None or after.missed:
                del slots.unpictured[draft.slot]
            else:
                slots.unpictured[draft.slot] = after
        anew = [self._rekeep(draft, answered(draft, absence, answer)) for draft in slots.waiting]
        slots.waiting = [after for after in anew if after is not None]
        if slots.draft:
            slots.draft = self._rekeep(slots.draft, answered(slots.draft, absence, answer))
            slots.asked = slots.asked and slots.draft is not None and not slots.draft.missed

    def _rekeep(self, draft: Draft, after: Draft) -> Draft | None:
        """Return what an answer made of a draft and have it sealed; None where that place was removed."""
        if after == draft:
            return draft
        if (after.contract, after.slot) in self._slots.removed:
            self._do.add(DropDraft(draft.contract, draft.slot))
            return None
        self._do.keep(after, draft.contract if draft.contract != after.contract else None)
        return after

    def _finish(self, at_ms: Millis, draft: Draft) -> None:
        if draft.missed:
            self._do.add(DropDraft(draft.contract, draft.slot))
        elif self.waits_for_somebody(draft, at_ms):
            self._slots.held.append(draft)  # it ended in a later absence, which has a question of its own
        else:
            self.record(draft)

    def record(self, draft: Draft) -> None:
        """Have a slot that is over recorded."""
        self._slots.end(draft.slot)
        self._do.add(FinishCapture(draft))
