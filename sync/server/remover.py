"""Making unreadable what a commit destroyed, tried again until it is done (R25).

The commit stands, so its answer must not fail with this; and a place for pictures that does not answer delays
it by a moment and no more. What failed is tried again by itself, at first soon and then once a minute.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial

import structlog

from diary.rules.ids import AccountId
from sync.server.faults import FaultError

WAIT_SECONDS = 2.0  # a deletion's answer waits so long for the bytes to be gone
AGAIN_FIRST_SECONDS = 1.0
AGAIN_MAX_SECONDS = 60.0  # a place that is back is soon asked; one that is away for a day, a thousand times
_DOUBLINGS_MAX = 10  # beyond it the pause is at its greatest anyway

_log = structlog.get_logger("workdiary.server")


def pause_seconds(failures: int) -> float:
    """Return how long to wait after so many failures one after the other."""
    return float(min(AGAIN_MAX_SECONDS, AGAIN_FIRST_SECONDS * 2 ** min(failures - 1, _DOUBLINGS_MAX)))


class Remover:
    """Sweeps the storage and removes doomed pictures, in a thread of its own.

    `sweep` returns False where it is to be tried again; `remove` takes the account whose pictures may be
    doomed, None for what anybody's may be. Both raise what the machine or the place failed at.
    """

    def __init__(
        self,
        sweep: Callable[[], bool],
        remove: Callable[[AccountId | None], None],
        pause: Callable[[int], float] = pause_seconds,
    ) -> None:
        self._sweep = sweep
        self._remove = remove
        self._pause = pause
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="remover")
        self._lock = threading.Lock()
        self._wanted: set[AccountId | None] = set()
        self._run: Future[None] | None = None
        self._again: threading.Timer | None = None
        self._failures = 0
        self._closed = False

    def finish(self, account: AccountId | None) -> None:
        """Do what follows a commit of the account's; what fails now is done later.

        Returns when all is done, or after a moment.
        """
        # In the caller's thread: storage is quick, and what it destroyed is then gone before the answer.
        self._did(self._sweep)
        run = self._begin({account})
        if run is not None:
            wait([run], timeout=WAIT_SECONDS)

    def close(self) -> None:
        """End; what is left is done at the next start."""
        with self._lock:
            self._closed = True
            if self._again is not None:
                self._again.cancel()
        self._thread.shutdown(cancel_futures=True)

    def _begin(self, accounts: set[AccountId | None]) -> Future[None] | None:
        with self._lock:
            if self._closed:
                return None
            self._wanted |= accounts
            # One that has not begun yet will see what was committed until now.
            if self._run is None or self._run.running() or self._run.done():
                self._run = self._thread.submit(self._work)
            return self._run

    def _work(self) -> None:
        with self._lock:
            wanted, self._wanted = self._wanted, set()
        left = set(wanted)
        for account in wanted:
            if not self._did(partial(self._remove, account)):
                break  # the others would wait as long for the same place
            left.discard(account)
        self._ended(left, done=self._did(self._sweep) and not left)

    def _ended(self, left: set[AccountId | None], *, done: bool) -> None:
        """Note what is left, and come again for it after a pause."""
        with self._lock:
            self._wanted |= left
            self._failures = 0 if done else self._failures + 1
            if self._again is not None:
                self._again.cancel()
                self._again = None
            if not done and not self._closed:
                self._again = threading.Timer(self._pause(self._failures), self._begin, [set()])
                self._again.daemon = True
                self._again.start()

    @staticmethod
    def _did(work: Callable[[], bool | None]) -> bool:
        """Return whether it was done; that it was not is no fault of whoever waits."""
        try:
            return work() is not False
        except (FaultError, OSError) as fault:
            _log.warning("destroying failed", fault=type(fault).__name__)
            return False
