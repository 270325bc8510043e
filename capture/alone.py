"""One tracker a diary: a lock that ends with its holder, and who that is (R11)."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from diary.errors import UsageError

LOCK = "tracker.lock"
HOLDER = "tracker.pid"


class TrackerRunsError(UsageError):
    """A second tracker would record every slot twice."""

    says = "A tracker already runs for this diary{holder}."
    mend = "Use it, or end it first."


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """Hold the tracker's place in this diary.

    Raises:
        TrackerRunsError: Another process holds it.
    """
    lock = FileLock(home / LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        pid = holder(home)
        raise TrackerRunsError(holder=f" (process {pid})" if pid else "") from None
    try:
        (home / HOLDER).write_text(f"{os.getpid()}\n", encoding="ascii")
        yield
    finally:
        (home / HOLDER).unlink(missing_ok=True)
        lock.release()


def is_tracked(home: Path) -> bool:
    """Return whether a tracker runs for this diary."""
    lock = FileLock(home / LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return True
    lock.release()
    return False


def holder(home: Path) -> int | None:
    """Return the process that runs the tracker, as it wrote it down; None where it did not."""
    try:
        return int((home / HOLDER).read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return None
