"""May the server's clock be trusted? What decides deadlines must not jump (R6).

This file decides; it never asks the time, the disk or the network. A `Look` is the wall clock beside a
steady one that counts sleep too: a machine that slept has not jumped. Each look is compared with the one
before, so a clock that is slewed slowly stays trusted and one that is set does not.
"""

from dataclasses import dataclass, replace
from typing import Literal

from diary.rules.ids import Millis

JUMP_MILLIS = 120_000  # R6; what network time slews between two looks is far less
QUIET_MILLIS = 300_000  # R6; a machine that has just started has found the network's time by then
SILENCE_MILLIS = 8 * 24 * 3_600_000  # R6; a server that was off for longer may come back with any clock

Why = Literal["jumped", "silent"]


@dataclass(frozen=True, slots=True)
class Look:
    """Both clocks at one moment: the wall's, and one that only goes on, from any start."""

    wall_ms: Millis
    steady_ms: int


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why the clock is not trusted, and since which look."""

    why: Why
    since: Look


@dataclass(frozen=True, slots=True)
class ClockSure:
    """What is known of the clock: the last look at it, and the doubt if there is one."""

    last: Look
    doubt: Doubt | None = None

    @property
    def is_sure(self) -> bool:
        """Return whether the clock may decide (R6)."""
        return self.doubt is None


def at_start(look: Look, last_known_ms: Millis | None) -> ClockSure:
    """Return what a starting server may think of its clock (R6).

    `last_known_ms` is the last instant at which the clock was trusted: the newest `received_at` or the
    operator's last word. None: this server has never taken anything, and there is nothing to compare.
    """
    if last_known_ms is None:
        return ClockSure(look)
    passed_ms = look.wall_ms - last_known_ms
    if passed_ms > SILENCE_MILLIS:
        return ClockSure(look, Doubt("silent", look))
    # A wall clock that stands before what it already gave out was set back while nobody looked.
    return ClockSure(look, Doubt("jumped", look)) if passed_ms < -JUMP_MILLIS else ClockSure(look)


def looked(known: ClockSure, look: Look) -> ClockSure:
    """Return what is known after another look: doubt begins with a jump and ends after quiet minutes (R6)."""
    drift_ms = (look.wall_ms - known.last.wall_ms) - (look.steady_ms - known.last.steady_ms)
    if abs(drift_ms) > JUMP_MILLIS:
        return ClockSure(look, Doubt("jumped", look))
    doubt = known.doubt
    if doubt is not None and look.steady_ms - doubt.since.steady_ms >= QUIET_MILLIS:
        doubt = None
    return ClockSure(look, doubt)


def quiet_in_ms(known: ClockSure) -> int:
    """Return how long the clock must stay quiet from the last look on until it is trusted again (R6)."""
    if known.doubt is None:
        return 0
    return max(0, QUIET_MILLIS - (known.last.steady_ms - known.doubt.since.steady_ms))


def confirmed(known: ClockSure, confirmed_at_ms: Millis) -> ClockSure:
    """Return what is known once the operator said, at that wall time, that the clock is right (R6).

    A word that was given before the doubt began, or by a clock that is not this one, changes nothing.
    """
    doubt = known.doubt
    if doubt is None:
        return known
    given_since = doubt.since.wall_ms <= confirmed_at_ms <= known.last.wall_ms + JUMP_MILLIS
    return replace(known, doubt=None) if given_since else known
