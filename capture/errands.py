"""What runs beside the tracker and may fail without it: asking the desktop, noting in the diary (R19)."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Iterator

from diary.errors import DiaryError

ENDING_SECONDS_MAX = 10.0  # a desktop that answers nobody holds up the end of the tracker no longer


class Errands:
    """Tasks that are held on to until they are done; what the diary cannot do now is said, and survived."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self, work: Coroutine[object, object, object]) -> None:
        """Let it run from now on: the loop itself holds on to no task."""
        task = asyncio.get_running_loop().create_task(self._survived(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def end(self, last: Callable[[], Awaitable[object]]) -> None:
        """Wait until all that runs is done, then for the last of it.

        It comes last since what is just being shown has no handle yet by which it could be taken away.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ENDING_SECONDS_MAX):
                await asyncio.gather(*self._tasks)
                await last()

    @contextlib.contextmanager
    def surviving(self) -> Iterator[None]:
        """Say what the diary cannot do now, and go on."""
        try:
            yield
        except DiaryError as fault:
            self._say(fault.in_full)

    async def _survived(self, work: Coroutine[object, object, object]) -> None:
        with self.surviving():
            await work
