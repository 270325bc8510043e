"""Pictures on their way to the server, part by part, each from where it stopped (R41).

It keeps the line's pace between pictures and runs: what one part has shown decides how long the next is.
"""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from diary.clock import Clock
from sync.pace import Pace
from sync.protocol import PicturePart
from sync.transport import Transport, TurnedAwayError

SLICE_MS = 10_000  # so long at most do rows that were written meanwhile wait for a picture (R41)

Upload: TypeAlias = Literal["whole", "unfinished", "gone", "no_room"]


@dataclass(slots=True)
class Uploads:
    """Sends pictures over one line, at the pace that it allows."""

    line: Transport
    clock: Clock
    pace: Pace = field(default_factory=Pace)
    _paused: str = ""

    def send(self, name: str, ciphertext: bytes | None) -> Upload:
        """Send a picture from where its upload stopped, for some seconds at most (R41).

        "unfinished": more of it is to be sent. "gone": no live row names it there, or it was destroyed here
        meanwhile, since a deletion wins (R25). "no_room": pictures wait until the account has room, or is in
        good standing again (R44).
        """
        if ciphertext is None:
            return "gone"
        began_ms = self.clock.monotonic_ms()
        # What goes in one piece needs no question before it, unless parts of it went in this run.
        in_one_piece = len(ciphertext) <= self.pace.part_bytes and name != self._paused
        held = PicturePart(size=0, whole=False) if in_one_piece else self.line.picture_held(name)
        while held is not None and not held.whole:
            part = ciphertext[held.size : held.size + self.pace.part_bytes]
            part_began_ms = self.clock.monotonic_ms()
            try:
                now = self.line.send_part(name, held.size, part)
            except TurnedAwayError as error:
                if error.reason in {"not_found", "wrong_hash"}:
                    return "gone"
                if error.reason in {"quota", "account_suspended"}:
                    return "no_room"
                raise
            now_ms = self.clock.monotonic_ms()
            self.pace = self.pace.after_part(len(part), now_ms - part_began_ms)
            if now.size <= held.size and not now.whole:
                # Somebody else's upload of the same picture is under way, or it does not get on: next run.
                return "gone"
            held = now
            if not held.whole and now_ms - began_ms >= SLICE_MS:
                self._paused = name
                return "unfinished"
        return "gone" if held is None else "whole"
