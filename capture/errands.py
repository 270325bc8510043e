"""What runs beside the tracker and may fail without it: asking the desktop, noting in the diary (R19)."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterator

from diary.errors import DiaryError


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

    async def done(self) -> None:
        """Wait until all that runs is done."""
        await asyncio.gather(*self._tasks)

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
