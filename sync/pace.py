"""How much one request carries, by what the line has shown (R41, R44). Pure: no clock, disk or network.

What breaks off is sent again as a whole, so on a slow line a request must be small enough to get through;
on a fast one many small ones would be slower than a few large ones. The first thing that a line shows is how
long the first question took, then each push and each part of a picture.
"""

from dataclasses import dataclass, replace

from sync.exchange import (
    FIRST_PUSH_VERSIONS,
    REQUEST_FAST_MS,
    REQUEST_ITEMS_MIN,
    REQUEST_SLOW_MS,
    next_size,
)
from sync.protocol import PICTURE_PART_BYTES_MAX, PULL_ROWS_MAX, PUSH_VERSIONS_MAX

PUSH_VERSIONS_SLOW_LINE = 20  # about 20 KB: some seconds at 64 kbit/s
PART_BYTES_FIRST = 256 * 1024  # most pictures whole
PART_BYTES_MIN = 16 * 1024  # below it the questions cost more than the bytes
BYTES_THAT_TELL = 4 * 1024  # how long less took says nothing about a line's speed


@dataclass(frozen=True, slots=True)
class Pace:
    """How many versions a push carries, rows a pull asks for, and bytes a part of a picture has.

    `is_fast`: the last push was answered so soon that another may be under way beside the next (R41). On a
    slow line that would only halve the speed of the one that counts first.
    """

    push_versions: int = FIRST_PUSH_VERSIONS
    pull_rows: int = PULL_ROWS_MAX
    part_bytes: int = PART_BYTES_FIRST
    is_fast: bool = False

    def after_pull(self, took_ms: int) -> "Pace":
        """Return the pace after rows were asked for: where that was slow, a push begins small."""
        most = self.push_versions if took_ms < REQUEST_FAST_MS else PUSH_VERSIONS_SLOW_LINE
        return replace(
            self,
            pull_rows=next_size(self.pull_rows, took_ms, items_max=PULL_ROWS_MAX),
            push_versions=min(self.push_versions, most),
            is_fast=self.is_fast and took_ms < REQUEST_FAST_MS,
        )

    def after_push(self, versions: int, size: int, took_ms: int) -> "Pace":
        """Return the pace after a push of so many versions and bytes."""
        # A push that was smaller because there was no more to send says nothing against a larger one.
        items = max(versions, self.push_versions)
        push_versions = next_size(items, took_ms, items_max=PUSH_VERSIONS_MAX)
        is_fast = took_ms < REQUEST_FAST_MS
        if is_fast:
            # As many as this line has just shown that it carries in a second: no need to feel the way there.
            shown = versions * REQUEST_FAST_MS // max(took_ms, 1)
            push_versions = max(push_versions, min(PUSH_VERSIONS_MAX, shown))
        return replace(self.after_part(size, took_ms), push_versions=push_versions, is_fast=is_fast)

    def after_part(self, size: int, took_ms: int) -> "Pace":
        """Return the pace after so many bytes: the next part takes some seconds at the speed they had."""
        if size < BYTES_THAT_TELL:
            return self
        wanted = self.part_bytes * 2
        if took_ms >= REQUEST_FAST_MS:
            wanted = min(wanted, size * (REQUEST_SLOW_MS // 2) // took_ms)
        return replace(self, part_bytes=min(PICTURE_PART_BYTES_MAX, max(PART_BYTES_MIN, wanted)))

    def after_break(self) -> "Pace":
        """Return the pace after the line broke off: what was on it is sent again, in smaller pieces."""
        return Pace(
            push_versions=max(REQUEST_ITEMS_MIN, self.push_versions // 2),
            pull_rows=max(REQUEST_ITEMS_MIN, self.pull_rows // 2),
            part_bytes=max(PART_BYTES_MIN, self.part_bytes // 2),
        )
