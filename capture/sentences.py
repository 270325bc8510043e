"""What the tracker says, in sentences: times only, never a title, memo or contract (R46)."""

from datetime import datetime
from zoneinfo import ZoneInfo

from capture.steps import Say, Word
from diary.rules.week import starts_at_ms

SENTENCES: dict[Word, str] = {
    "begun": "{slot}: recording.",
    "stopped_before_snapshot": (
        "{slot}: stopped before this slot's snapshot. Nothing is recorded unless tracking goes on before it."
    ),
    "stopped_after_snapshot": "{slot}: stopped. {minutes} of 10 tracked minutes are kept.",
    "not_recorded": "{slot}: not recorded, since tracking was off at the snapshot's moment.",
    "idle": "Paused after {minutes} minutes without input; tracking goes on at the next input.",
    "active_again": "Input again: tracking goes on.",
    "kept_away": "The time without you is kept.",
    "dropped_away": "The time without you is dropped.",
    "moved_away": "The time without you goes to the other contract.",
    "unanswered": "Nobody said what becomes of the time away: it is dropped.",
    "locked": "The screen is locked: no minutes count until it is unlocked.",
    "unlocked": "The screen is unlocked: tracking goes on.",
    "asleep": (
        "The computer slept, or its clock was set ahead: nothing is recorded of the last {minutes} minutes."
    ),
    "private_shown": (
        "A private window is on the screen, and this contract allows no masking: paused until it is gone."
    ),
    "private_gone": "No private window is on the screen any more: tracking goes on.",
    "withheld": (
        "{slot}: not recorded. A private window was on the screen at its snapshot's moment, "
        "and this contract allows no masking."
    ),
    "pause_over": "The pause is over: tracking goes on.",
    "removed": "{slot}: removed. Nothing more is recorded in this slot.",
    "taken_up": "{slot}: taken up again after a restart; {minutes} minutes were kept.",
    "finished_after_restart": (
        "{slot}: recorded now. The tracker had ended before the slot did; {minutes} of 10 minutes were kept."
    ),
    "held_after_restart": (
        "{slot}: kept as a draft, {minutes} of 10 minutes. Nobody was there at its end; "
        "it is recorded once somebody is."
    ),
    "lost_without_snapshot": (
        "{slot}: not recorded. The tracker ended before this slot's snapshot ({minutes} minutes tracked)."
    ),
    "clock_set_back": "{slot}: the clock was set back to a slot already recorded; nothing is recorded twice.",
}


def sentence(say: Say, zone: ZoneInfo) -> str:
    """Return the sentence, the slot by its local start (R5)."""
    slot = ""
    if say.slot is not None:
        slot = f"{datetime.fromtimestamp(starts_at_ms(say.slot) / 1000, zone):%H:%M}"
    return SENTENCES[say.word].format(slot=slot, minutes=say.minutes)
