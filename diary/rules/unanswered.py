"""A server that shows another log than it had signed, and does not answer for it (R43, R56).

An honest one that was restored from a backup says so as soon as it is shown what it had signed, or once its
clock is sure. One that never answers is not believed, and nothing is taken from it: that ends as an alarm.
This file decides when; it never asks the time, the disk or the network.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from diary.rules.ids import Millis

_DAY_MS = 24 * 3_600_000
PATIENCE_MS = 7 * _DAY_MS  # R56; a server that is down, or being mended, is back by then
# R6: such a server may wait for its operator's word; nobody leaves a clock in doubt for a month.
PATIENCE_WITH_ITS_CLOCK_MS = 28 * _DAY_MS
# A device that was off heard no silence, and a clock that jumps makes none: a week is five syncs at least.
GAP_MAX_MS = 2 * _DAY_MS


@dataclass(frozen=True, slots=True)
class Unanswered:
    """That a server does not answer for its log, and what is known of it.

    `since_ms` is the first sync that ended so and `last_ms` the last one; `waited_ms` is what of the time
    between them counts. `is_clock_unsure`: what it said last was that it doubts its clock (R6). `what` says
    what it shows, as a part of a sentence.
    """

    since_ms: Millis
    last_ms: Millis
    waited_ms: int
    is_clock_unsure: bool
    what: str

    @property
    def is_alarm(self) -> bool:
        """Return whether no honest server stays silent for so long (R56)."""
        return self.waited_ms >= (PATIENCE_WITH_ITS_CLOCK_MS if self.is_clock_unsure else PATIENCE_MS)

    @property
    def alarm_says(self) -> str:
        """Return what its alarm says: always the same, so that it is raised once."""
        return f"since {self._since} it has not answered for its log: {self.what}"

    @property
    def says(self) -> str:
        """Return what is said of it from the first day on, wherever attention is asked for."""
        waits = (
            "It doubts its clock until its operator confirms it (diary server confirm-clock): ask them."
            if self.is_clock_unsure
            else "Ask whoever runs it."
        )
        return (
            f"Since {self._since} the server does not answer for its log: {self.what}. Nothing is "
            f"sent to it or taken from it meanwhile; what is here stays here. {waits}"
        )

    @property
    def _since(self) -> str:
        return f"{datetime.fromtimestamp(self.since_ms / 1000, tz=UTC):%Y-%m-%d %H:%M} UTC"


def unanswered_again(
    known: Unanswered | None, at_ms: Millis, what: str, *, is_clock_unsure: bool
) -> Unanswered:
    """Return what is known after one more sync that ended without the server's answer (R43).

    `known` is what was known before; None: it had answered for everything. What it showed first stays said.
    """
    if known is None:
        return Unanswered(at_ms, at_ms, 0, is_clock_unsure, what)
    gap_ms = min(max(at_ms - known.last_ms, 0), GAP_MAX_MS)
    return Unanswered(known.since_ms, at_ms, known.waited_ms + gap_ms, is_clock_unsure, known.what)
