"""Whether somebody is there, as far as the desktop tells (R14, R18).

This file decides; it never asks the time or the desktop.
"""

from capture.draft import Sample
from diary.rules.ids import Millis

MINUTE_MS = 60_000


class Presence:
    """Since when nobody was seen, and whether that is long enough to pause.

    A desktop that tells nothing at all, neither counts nor idle time, can call nobody absent: where that was
    so from the start, tracking never pauses by itself; where it came later (the display died), it pauses
    after the idle time, and nothing is asked about minutes that nobody could see.
    """

    def __init__(self, idle_ms_max: int) -> None:
        self._idle_ms_max = idle_ms_max
        self._was_ever_seen = False
        self._typed_ms = self._begun_ms = Millis(0)
        self._idle_ms: int | None = None  # as the desktop said at the last tick
        self._waits_from_ms = Millis(0)  # from here the idle time counts
        self._seen_ms = Millis(0)  # when somebody was last seen
        self._there_before_ms = Millis(0)  # until here somebody was there, by a clock that was set back since
        self.active_ms = Millis(0)  # until here nobody is known to have been away

    def begin(self, at_ms: Millis, active_ms: Millis, typed_ms: Millis) -> None:
        """Begin at an instant; `active_ms` is when somebody was last there, to a minute (see `quiet_since`).

        `typed_ms` is when tracking was asked for: where the tracker was started anew by nobody, the desktop's
        idle time at the first look says more than the start does.
        """
        self._waits_from_ms = at_ms
        self.active_ms = active_ms
        self._typed_ms = typed_ms
        self._begun_ms = at_ms

    def note(self, at_ms: Millis, sample: Sample, *, since_ms: int) -> bool:
        """Take what a tick saw, `since_ms` after the one before it; return whether it saw somebody.

        The desktop's idle time alone is no instant of activity: read a moment late, it would seem to move.
        Somebody was there where it fell, or is shorter than the time since the last tick.
        """
        before_ms, self._idle_ms = self._idle_ms, sample.idle_ms
        if not self._was_ever_seen and sample.idle_ms is not None and sample.idle_ms > since_ms:
            self._was_ever_seen = True
            return self._look_back(Millis(at_ms - sample.idle_ms))
        if sample.keystrokes is None and sample.idle_ms is None:
            self.active_ms = at_ms
            if not self._was_ever_seen:
                self._waits_from_ms = at_ms
            return False
        self._was_ever_seen = True
        if sample.has_input:
            self.typed(at_ms)
        elif sample.idle_ms is not None and (
            sample.idle_ms <= since_ms or (before_ms is not None and sample.idle_ms < before_ms)
        ):
            self.typed(Millis(at_ms - sample.idle_ms))
        else:
            return False
        return True

    def _look_back(self, seen_ms: Millis) -> bool:
        """Take what the first look tells of the time before it; return whether it saw somebody since."""
        self._seen_ms = seen_ms
        last_ms = max(seen_ms, self._typed_ms)
        if self.active_ms < self._begun_ms and last_ms > self.active_ms:
            self.typed(last_ms)
            return True
        # The minutes that were found end within a minute of what somebody did.
        least_ms = self.active_ms - MINUTE_MS + 1 if self.active_ms < self._begun_ms else last_ms
        self.active_ms = Millis(min(self.active_ms, max(last_ms, least_ms)))
        self._waits_from_ms = self.active_ms
        return False

    def typed(self, at_ms: Millis) -> None:
        """Take an act of the freelancer's: what is typed into the diary is activity too."""
        self.active_ms = Millis(max(self.active_ms, at_ms))
        self._seen_ms = Millis(max(self._seen_ms, at_ms))
        self._waits_from_ms = Millis(max(self._waits_from_ms, at_ms))

    def wait_anew(self, at_ms: Millis) -> None:
        """Let the idle time count from here: a pause is over."""
        self._waits_from_ms = at_ms

    def set_back(self, before_ms: Millis, at_ms: Millis) -> None:
        """Take a clock that was set back: the quiet time is as long as it was, and ends now (R20)."""
        self._there_before_ms = max(self._there_before_ms, self._there_until(before_ms))
        shift_ms = before_ms - at_ms
        self.active_ms = Millis(self.active_ms - shift_ms)
        self._waits_from_ms = Millis(self._waits_from_ms - shift_ms)
        self._seen_ms = Millis(self._seen_ms - shift_ms)

    def jump(self, before_ms: Millis, at_ms: Millis) -> None:
        """Take sleep, or a clock that was set ahead; nobody is known to have been away in a part of a minute.

        Set back before and ahead now, the clock shows again what it showed while somebody was there.
        """
        self.active_ms = self._there_until(before_ms)
        if self._there_before_ms <= at_ms:
            self.active_ms = max(self.active_ms, self._there_before_ms)
            self._waits_from_ms = max(self._waits_from_ms, self._there_before_ms)
            self._there_before_ms = Millis(0)

    def was_seen_since(self, at_ms: Millis) -> bool:
        """Return whether somebody was seen at that instant or later."""
        return self._seen_ms >= at_ms

    def _there_until(self, at_ms: Millis) -> Millis:
        """Return until when nobody is known to have been away by then: only a whole minute tells (R18)."""
        return at_ms if at_ms - self.active_ms < MINUTE_MS else self.active_ms

    def is_away(self, at_ms: Millis) -> bool:
        """Return whether nobody was there for so long that tracking pauses."""
        return at_ms - self._waits_from_ms >= self._idle_ms_max
