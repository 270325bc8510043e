"""How far something is, told to whoever waits for it: one line that changes, or a line now and then (CLI.md).

Told on stderr, so that what programs read is not touched; nothing for what is over within a second.
"""

import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from diary.clock import Clock

TERMINAL_AFTER_MS = 1_000  # a shorter wait needs no words
TERMINAL_EVERY_SECONDS = 0.5
LOG_AFTER_MS = 3_000  # what is no terminal keeps its lines: few of them
LOG_EVERY_MS = 15_000


class Teller:
    """Tells how far something is from the start of its block until the end.

    `says` returns the line after so many milliseconds; it is called in a thread of the teller's.
    """

    def __init__(self, clock: Clock, says: Callable[[int], str]) -> None:
        self._clock = clock
        self._says = says
        self._began_ms = clock.monotonic_ms()
        self._is_terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._told_ms: int | None = None
        self._thread = threading.Thread(target=self._run, name="teller", daemon=True)

    def __enter__(self) -> Self:
        """Begin to count the time."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the changing line away: what follows stands alone."""
        self._over.set()
        self._thread.join()
        self._wipe()

    def silent(self, ask: Callable[[], str]) -> Callable[[], str]:
        """Return a question that is asked without words of ours in between."""

        def asked() -> str:
            with self._lock:
                self._wipe()
                return ask()

        return asked

    def _run(self) -> None:
        while not self._over.wait(TERMINAL_EVERY_SECONDS):
            with self._lock:
                self._tell(self._clock.monotonic_ms())

    def _tell(self, now_ms: int) -> None:
        waited_ms = now_ms - self._began_ms
        if self._is_terminal:
            if waited_ms >= TERMINAL_AFTER_MS:
                width = shutil.get_terminal_size().columns - 1
                sys.stderr.write(f"\r\x1b[K{self._says(waited_ms)[:width]}")
                sys.stderr.flush()
                self._told_ms = now_ms
        elif waited_ms >= LOG_AFTER_MS and (self._told_ms is None or now_ms - self._told_ms >= LOG_EVERY_MS):
            sys.stderr.write(f"{self._says(waited_ms)}\n")
            sys.stderr.flush()
            self._told_ms = now_ms

    def _wipe(self) -> None:
        if self._is_terminal and self._told_ms is not None:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


@contextmanager
def shown(what: str, clock: Clock) -> Iterator[Callable[[int, int], None]]:
    """Show how far `what` is within the block, given how many of how many are done."""
    far = (0, 0)

    def told(done: int, total: int) -> None:
        nonlocal far
        far = (done, total)

    def says(waited_ms: int) -> str:
        done, total = far
        share = f", {100 * done // total} % done" if total else ""
        return f"{what} for {waited_ms // 1000} s{share}."

    with Teller(clock, says):
        yield told
