"""Pictures on their way to the server, part by part, each from where it stopped (R41).

It keeps the line's pace between pictures and runs: what one part has shown decides how long the next is.
"""

from dataclasses import dataclass, field

from diary.clock import Clock
from sync.pace import Pace
from sync.transport import Transport, TurnedAwayError


@dataclass(slots=True)
class Uploads:
    """Sends pictures over one line, at the pace that it allows."""

    line: Transport
    clock: Clock
    pace: Pace = field(default_factory=Pace)

    def send(self, name: str, ciphertext: bytes | None) -> bool | None:
        """Send a picture from where its upload stopped; return whether the server has it whole (R41).

        None when the account has no room there for pictures: they wait until it has (R44).
        False when no live row names it there, or it was destroyed here meanwhile: a deletion wins (R25).
        """
        if ciphertext is None:
            return False
        held = self.line.picture_held(name)
        while held is not None and not held.whole:
            part = ciphertext[held.size : held.size + self.pace.part_bytes]
            began_ms = self.clock.monotonic_ms()
            try:
                now = self.line.send_part(name, held.size, part)
            except TurnedAwayError as error:
                if error.reason in {"not_found", "wrong_hash"}:
                    return False
                if error.reason == "quota":
                    return None
                raise
            self.pace = self.pace.after_part(len(part), self.clock.monotonic_ms() - began_ms)
            if now.size <= held.size and not now.whole:
                # Somebody else's upload of the same picture is under way, or it does not get on: next run.
                return False
            held = now
        return held is not None
