"""The freelancer was away: what becomes of the minutes in which nobody was there (R18).

This file decides; it never asks the time, the disk or chance. An answer means what the freelancer would have
done had they thought of it when they left: "keep" is having done nothing, "drop" is having stopped at the
last activity, "move" is having switched to the other contract then (R12).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from capture.draft import Draft
from diary.rules.ids import ContractId, Millis
from diary.rules.sealed_content import StampedText
from diary.rules.week import starts_at_ms

MINUTE_MS = 60_000
ANSWER_MS_AFTER_RETURN = 30 * MINUTE_MS  # long enough to take a coat off and read; then nothing is left open
ANSWER_MS_MAX = 8 * 60 * MINUTE_MS  # a night answers itself, and hours before the lock of Monday noon (R3)

AnswerWord = Literal["keep", "drop", "move"]


@dataclass(frozen=True, slots=True)
class Absence:
    """From the last activity until tracking paused: what is asked about."""

    since_ms: Millis
    until_ms: Millis

    def idle_minutes(self, draft: Draft) -> tuple[int, ...]:
        """Return which of the draft's minutes were tracked though nobody was there from their start."""
        start_ms = starts_at_ms(draft.slot)
        return tuple(
            index
            for index, counted in enumerate(draft.minutes)
            if counted is not None
            and not counted.is_active
            and self.since_ms < start_ms + index * MINUTE_MS < self.until_ms
        )

    def is_about(self, draft: Draft) -> bool:
        """Return whether the answer decides about this draft."""
        return bool(self.idle_minutes(draft))

    def has_moment_of(self, draft: Draft) -> bool:
        """Return whether the draft's snapshot was due while nobody was there."""
        return self.since_ms < draft.drawn_ms < self.until_ms


@dataclass(frozen=True, slots=True)
class Answer:
    """What the freelancer says about an absence; `contract` and what follows belong to "move" alone.

    `masking_allowed` says whether the other contract takes a masked picture (R22).
    """

    word: AnswerWord
    contract: ContractId | None = None
    memo: StampedText | None = None
    label: StampedText | None = None
    masking_allowed: bool = True


def answered(draft: Draft, absence: Absence, answer: Answer) -> Draft:
    """Return what becomes of a draft; `missed` where tracking was off at its moment (R12).

    To answer the same twice changes nothing more: a crash may come in between (R19).
    """
    if not absence.is_about(draft):
        return draft
    match answer.word:
        case "keep":
            return draft
        case "drop":
            return _dropped(draft, absence)
        case "move":
            return _moved(draft, absence, answer)


def _dropped(draft: Draft, absence: Absence) -> Draft:
    gone = set(absence.idle_minutes(draft))
    minutes = tuple(None if index in gone else counted for index, counted in enumerate(draft.minutes))
    kept = replace(draft, minutes=minutes)
    return replace(kept, snapshot=None, missed=True) if absence.has_moment_of(draft) else kept


def _moved(draft: Draft, absence: Absence, answer: Answer) -> Draft:
    """Return the draft as a switch at the last activity would have made it."""
    assert answer.contract is not None, "a move names its contract"
    if not absence.has_moment_of(draft) or draft.contract == answer.contract:
        return draft
    # What is still being encoded may turn out to be masked.
    if not answer.masking_allowed and (draft.snapshot is None or draft.snapshot.masked):
        return _dropped(draft, absence)
    # What was typed for one client is not shown to another: the memo does not go along.
    return replace(draft, contract=answer.contract, memo=answer.memo, label=answer.label)


def quiet_since(drafts: Iterable[Draft], otherwise: Millis) -> Millis:
    """Return since when nobody was there, as drafts tell that were found at a start (R19).

    It is the end of the last minute with activity, or where tracking began if there was none; `otherwise`
    where the last minute that was tracked had activity, or nothing was tracked.
    """
    tracked = sorted(
        (starts_at_ms(draft.slot) + index * MINUTE_MS, counted.is_active)
        for draft in drafts
        for index, counted in enumerate(draft.minutes)
        if counted is not None
    )
    if not tracked or tracked[-1][1]:
        return otherwise
    active = [start_ms for start_ms, is_active in tracked if is_active]
    # A millisecond before the next minute: the minute of the last activity is not one of absence.
    return Millis(active[-1] + MINUTE_MS - 1 if active else tracked[0][0] - 1)


def last_tracked_ms(drafts: Iterable[Draft]) -> int:
    """Return when the last minute that was tracked ended; 0 where none was."""
    return max(
        (
            starts_at_ms(draft.slot) + (index + 1) * MINUTE_MS
            for draft in drafts
            for index, counted in enumerate(draft.minutes)
            if counted is not None
        ),
        default=0,
    )
