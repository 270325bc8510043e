"""How far a sync is, told to whoever waits for it (see `diary.command.progress`)."""

from diary.clock import Clock
from diary.command.progress import Teller
from sync.report import Progress

SILENT_AFTER_MS = 10_000  # who waits for longer should know whether the line or the work is slow


class SyncTeller(Teller):
    """Tells how far a sync is; given to the engine as `progress`."""

    def __init__(self, clock: Clock) -> None:
        self._progress: Progress | None = None
        self._answered_ms = clock.monotonic_ms()
        super().__init__(clock, self._sentence)

    def __call__(self, progress: Progress) -> None:
        """Hear how far it is, after an answer came; what is shown follows by itself."""
        self._progress, self._answered_ms = progress, self._clock.monotonic_ms()

    def _sentence(self, waited_ms: int) -> str:
        done, seconds = self._progress, waited_ms // 1000
        if done is None:  # how much waits is not the question yet
            return f"Waiting for the server's answer for {seconds} s. Ctrl-C ends it; nothing is lost."
        silent_ms = self._clock.monotonic_ms() - self._answered_ms
        silent = f" Last answer {silent_ms // 1000} s ago." if silent_ms >= SILENT_AFTER_MS else ""
        return (
            f"Syncing for {seconds} s: {done.pushed} sent, {done.pulled} received, "
            f"{done.pictures} pictures, {done.waiting} to go.{silent}"
        )
