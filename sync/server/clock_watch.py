"""Looks at the server's clock, and hears when its operator confirms it (R6).

The word of the operator is a file in the server's folder: the instant, in milliseconds, at which it was
given. Every process of the folder hears it, whether it runs already or starts later.
"""

import math
import os
import threading
from pathlib import Path

import structlog

from diary.clock import Clock
from diary.rules.ids import Millis
from sync.server.clock_sure import ClockSure, Look, Why, at_start, confirmed, looked, quiet_in_ms
from sync.server.faults import ClockUnsureError

LOOK_SECONDS = 30  # a jump is seen though nobody asks anything
_MILLIS_DIGITS_MAX = 15

_SENTENCES: dict[Why, str] = {
    "jumped": "it jumped by more than two minutes",
    "silent": "more than eight days passed since it last received anything",
}

_log = structlog.get_logger("workdiary.server")


class ClockWatch:
    """One process's opinion of its clock; may be asked from several threads.

    `last_received_ms` is the newest `received_at` of all accounts, None when there is none.
    """

    def __init__(self, clock: Clock, last_received_ms: Millis | None, confirmation: Path) -> None:
        self._clock = clock
        self._confirmation = confirmation
        self._lock = threading.Lock()
        known = [at_ms for at_ms in (last_received_ms, confirmed_at(confirmation)) if at_ms is not None]
        self._known = at_start(self._look(), max(known, default=None))
        self._tell(was_sure=True)

    def is_sure(self) -> bool:
        """Look at the clock and return whether it may decide."""
        return self._looked().is_sure

    def require_sure(self) -> None:
        """Look at the clock.

        Raises:
            ClockUnsureError: It may not decide now.
        """
        known = self._looked()
        if known.doubt is not None:
            wait_seconds = math.ceil(quiet_in_ms(known) / 1000)
            raise ClockUnsureError(why=_SENTENCES[known.doubt.why], wait_seconds=wait_seconds)

    def _looked(self) -> ClockSure:
        with self._lock:
            was_sure = self._known.is_sure
            self._known = looked(self._known, self._look())
            if not self._known.is_sure:
                said_ms = confirmed_at(self._confirmation)
                if said_ms is not None:
                    self._known = confirmed(self._known, said_ms)
            self._tell(was_sure=was_sure)
            return self._known

    def _look(self) -> Look:
        return Look(self._clock.now_ms(), self._clock.steady_ms())

    def _tell(self, *, was_sure: bool) -> None:
        """Say once in the log that the clock is doubted, and once that it is trusted again."""
        doubt = self._known.doubt
        if was_sure and doubt is not None:
            mend = "check it, then: diary server confirm-clock; or wait five minutes"
            _log.warning("clock unsure", why=_SENTENCES[doubt.why], mend=mend)
        elif doubt is None and not was_sure:
            _log.info("clock sure again")


def confirm(confirmation: Path, at_ms: Millis) -> None:
    """Keep the operator's word that the clock is right at this instant, in one step (R6)."""
    fresh = confirmation.with_name(f"{confirmation.name}.{os.getpid()}")
    fresh.write_text(f"{at_ms}\n", encoding="ascii")
    fresh.replace(confirmation)


def confirmed_at(confirmation: Path) -> Millis | None:
    """Return when the clock was last confirmed; None when it never was, or the file holds no instant."""
    try:
        text = confirmation.read_bytes().strip()
    except FileNotFoundError:
        return None
    return Millis(int(text)) if text.isdigit() and len(text) <= _MILLIS_DIGITS_MAX else None
