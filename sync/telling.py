"""How far a sync is, told to whoever waits for it: one line that changes, or a line now and then (CLI.md).

Told on stderr, so that what programs read is not touched; nothing for what is over within a second.
"""

import os
import shutil
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from diary.clock import Clock
from sync.report import Progress

TERMINAL_AFTER_MS = 1_000  # a shorter wait needs no words
TERMINAL_EVERY_SECONDS = 0.5
LOG_AFTER_MS = 3_000  # what is no terminal keeps its lines: few of them
LOG_EVERY_MS = 15_000


class Teller:
    """Tells how far a sync is from its start until its block ends; given to the engine as `progress`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began_ms = clock.monotonic_ms()
        self._is_terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._progress = Progress(0, 0, 0, 0)
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

    def __call__(self, progress: Progress) -> None:
        """Hear how far it is; what is shown follows by itself."""
        self._progress = progress

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

    def _says(self, waited_ms: int) -> str:
        done = self._progress
        return (
            f"Syncing for {waited_ms // 1000} s: {done.pushed} sent, {done.pulled} received, "
            f"{done.pictures} pictures, {done.waiting} to go."
        )

    def _wipe(self) -> None:
        if self._is_terminal and self._told_ms is not None:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
