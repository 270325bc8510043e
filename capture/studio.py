"""The studio: each snapshot is taken and encoded by a process of its own, which then ends (R13, R16, R19).

A picture takes a tenth of a second to half a second of a core and up to a hundred megabytes. In a process of
its own it holds up neither the counting of input nor the tracker's loop, its memory is given back whole, and
whatever an encoder or a display does to it costs one picture and never the tracker. Nothing touches the
disk: the wish goes in by one pipe and the snapshot comes back by another.

The tracker's side is `ProcessStudio`; `python -m capture.studio` is the other.
"""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from typing import BinaryIO, Protocol

import msgspec

from capture.draft import Snapshot
from capture.edges import Monitors
from diary.clock import Clock
from diary.rules.private import PrivateRule
from diary.rules.sealed_content import Moment

SECONDS_MAX = 540  # a display that answers nobody: before the next slot is over
NICENESS = 10  # the encoder gives way to whatever the freelancer works with


class Sitting(msgspec.Struct, frozen=True):
    """What a snapshot is to show, and what it must not (see `Privacy`; R22).

    `camera` names the camera whose frame goes with it, "" the first one, None for none (R13).
    """

    monitors: Monitors
    private: tuple[PrivateRule, ...] | None = ()
    may_mask: bool = True
    camera: str | None = None


class Studio(Protocol):
    """Where snapshots are taken."""

    def prepare(self) -> None:
        """Get ready: a snapshot is to be taken within seconds."""
        ...

    async def take(self, sitting: Sitting) -> Snapshot | None:
        """Return what this moment shows, or the reason why there is no picture. Never raises.

        None where something private is shown and may not be masked (R22).
        """
        ...

    async def close(self) -> None:
        """Let go of what was prepared in vain."""
        ...


class ProcessStudio:
    """Takes each snapshot in a process of its own, started a little ahead where it can be."""

    def __init__(self, clock: Clock, *, seconds_max: float = SECONDS_MAX) -> None:
        self._clock = clock
        self._seconds_max = seconds_max
        self._starting: asyncio.Task[Process] | None = None

    def prepare(self) -> None:
        """Let a process start, so that the picture is taken at its moment and not a start-up later.

        See `Studio`.
        """
        if self._starting is None:
            self._starting = asyncio.create_task(_start())

    async def take(self, sitting: Sitting) -> Snapshot | None:
        """Have the process take the snapshot, and see it end (see `Studio`)."""
        self.prepare()
        starting, self._starting = self._starting, None
        moment = Moment(
            wall_ms=self._clock.now_ms(), monotonic_ms=self._clock.monotonic_ms(), boot=self._clock.boot()
        )
        assert starting is not None  # prepared just now
        try:
            process = await starting
            try:
                async with asyncio.timeout(self._seconds_max):
                    answer, _ = await process.communicate(msgspec.msgpack.encode(sitting))
            finally:
                await _end(process)
            return msgspec.msgpack.decode(answer, type=Snapshot | None)
        except (OSError, TimeoutError, msgspec.DecodeError):
            # Not started, no answer, or dead: the segment counts and says that its picture failed.
            return Snapshot(moment, no_picture="failed")

    async def close(self) -> None:
        """End the process that was prepared in vain."""
        starting, self._starting = self._starting, None
        if starting is not None:
            try:
                await _end(await starting)
            except OSError:
                return


async def _start() -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "capture.studio", stdin=PIPE, stdout=PIPE
    )


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.wait()


def _serve(wishes: BinaryIO, snapshots: BinaryIO) -> None:
    """Take one snapshot as asked; the imports are the slow part, and are done before it is asked."""
    from capture.edges import edges_of
    from capture.photograph import photograph
    from capture.privacy import Privacy
    from diary.clock import SystemClock

    edges = edges_of()
    wish = wishes.read()
    if not wish:
        return  # the tracker ended, or has no use for it
    sitting = msgspec.msgpack.decode(wish, type=Sitting)
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    privacy = Privacy(sitting.private, sitting.may_mask)
    snapshot = photograph(edges, sitting.monitors, SystemClock(), privacy)
    if sitting.camera is not None:
        from capture.camera import with_frame

        snapshot = with_frame(snapshot, sitting.camera)
    edges.close()
    snapshots.write(msgspec.msgpack.encode(snapshot))
    snapshots.flush()


if __name__ == "__main__":
    try:
        _serve(sys.stdin.buffer, sys.stdout.buffer)
    except BrokenPipeError:
        # The tracker was killed meanwhile: nobody waits for the picture, nor shall the log tell of a fault.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
