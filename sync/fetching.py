"""Pictures on their way from the server, part by part, each from where it stopped (R41).

What came of a picture before the line broke off stays in memory for the next try; a picture is a few hundred
kilobytes. It keeps a pace of its own: many lines are faster down than up.
"""

from dataclasses import dataclass, field

from diary.clock import Clock
from sync.line_faults import BrokenProtocolError
from sync.pace import Pace
from sync.protocol import PICTURE_BYTES_MAX
from sync.transport import Transport
from sync.uploading import SLICE_MS


@dataclass(slots=True)
class Fetches:
    """Fetches pictures over one line; `name` is the one of which `held` came so far."""

    line: Transport
    clock: Clock
    pace: Pace = field(default_factory=Pace)
    name: str = ""
    held: bytearray = field(default_factory=bytearray)

    def fetch(self, name: str) -> bytes | bool:
        """Fetch a picture from where it stopped, for some seconds at most; return it once it is whole (R41).

        True while more of it is to come; False where the server has it no more, or not yet.
        """
        if name != self.name:
            self.name, self.held = name, bytearray()
        began_ms = self.clock.monotonic_ms()
        while True:
            part_began_ms = self.clock.monotonic_ms()
            part = self.line.picture_part(name, len(self.held), self.pace.part_bytes)
            now_ms = self.clock.monotonic_ms()
            if part is None:
                self.name = ""
                return False
            if part.size > PICTURE_BYTES_MAX or not part.content:
                raise BrokenProtocolError(
                    url=self.line.url, why="a picture over the limit, or one without an end"
                )
            self.pace = self.pace.after_part(len(part.content), now_ms - part_began_ms)
            self.held += part.content
            if len(self.held) >= part.size:
                self.name = ""
                return bytes(self.held)
            if now_ms - began_ms >= SLICE_MS:
                return True
