"""How far a sync is, told to whoever waits for it (see `diary.command.progress`)."""

from diary.clock import Clock
from diary.command.progress import Teller
from sync.report import Progress


class SyncTeller(Teller):
    """Tells how far a sync is; given to the engine as `progress`."""

    def __init__(self, clock: Clock) -> None:
        self._progress = Progress(0, 0, 0, 0)
        super().__init__(clock, self._sentence)

    def __call__(self, progress: Progress) -> None:
        """Hear how far it is; what is shown follows by itself."""
        self._progress = progress

    def _sentence(self, waited_ms: int) -> str:
        done = self._progress
        return (
            f"Syncing for {waited_ms // 1000} s: {done.pushed} sent, {done.pulled} received, "
            f"{done.pictures} pictures, {done.waiting} to go."
        )
