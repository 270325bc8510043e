"""Writes that wait for one lock take a turn together, and with it one commit (R40, R69).

Where all accounts share a lock, each commit's wait for the disk would hold up everybody behind it: whoever
comes while a turn is under way is taken in the next one, and all of a turn wait once. What a turn stored is
answered after its commit and never before. Where accounts have locks of their own nobody waits for a turn.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from sync.server.faults import BusyError
from sync.server.storage import Storage

TURN_MAX = 64  # pushes of 500 versions each would keep the lock for about two seconds
UNDER_WAY_MAX = 1000  # of one process: a second or two of work, and as many bodies of a megabyte at worst

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[_Result]):
    work: Callable[[], _Result]
    after: Callable[[_Result], _Result]
    answer: asyncio.Future[_Result]


class Turns(Generic[_Result]):
    """Gives every piece of work its turn on the storage, in the order in which they came.

    All of it is asked from one event loop; the work itself runs in a thread.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._under_way = 0
        self._waiting: list[_Waiting[_Result]] = []
        self._turn: asyncio.Task[None] | None = None

    async def take(
        self, work: Callable[[], _Result], after: Callable[[_Result], _Result] = lambda result: result
    ) -> _Result:
        """Return what `work` returned, once what it stored is committed; what it raises is raised here.

        `after` is what follows the commit and must be done before the answer: it is given the result and
        returns it. In its own turn it waits for nobody; behind it the next turn would hold the lock.

        Raises:
            BusyError: More wait already than can be done soon, or the commit that it shared with others
                failed; nothing of it was stored.
        """
        if self._under_way >= UNDER_WAY_MAX:
            raise BusyError(what="too many requests wait")
        self._under_way += 1
        try:
            return await self._taken(work, after)
        finally:
            self._under_way -= 1

    async def _taken(self, work: Callable[[], _Result], after: Callable[[_Result], _Result]) -> _Result:
        if not self._storage.has_one_lock:
            return await asyncio.to_thread(lambda: after(work()))
        answer: asyncio.Future[_Result] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(work, after, answer))
        if self._turn is None:
            self._turn = asyncio.create_task(self._take_turns())
        return await answer

    async def _take_turns(self) -> None:
        try:
            while self._waiting:
                turn, self._waiting = self._waiting[:TURN_MAX], self._waiting[TURN_MAX:]
                outcomes = await asyncio.to_thread(_done_together, self._storage, turn)
                for one, outcome in zip(turn, outcomes, strict=True):
                    if one.answer.cancelled():
                        continue  # nobody waits any more; what was stored is answered by its name (R40)
                    if isinstance(outcome, BaseException):
                        one.answer.set_exception(outcome)
                    else:
                        one.answer.set_result(outcome)
        finally:
            self._turn = None


def _done_together(storage: Storage, turn: Sequence[_Waiting[_Result]]) -> Sequence[_Result | BaseException]:
    """Return what each work returned or raised, after the commit that they share and what follows it."""
    try:
        with storage.together():
            outcomes = [_outcome(one.work) for one in turn]
        return [
            outcome if isinstance(outcome, Exception) else _outcome(partial(one.after, outcome))
            for one, outcome in zip(turn, outcomes, strict=True)
        ]
    except BaseException as fault:  # noqa: BLE001 - whatever it is, each of those who wait is told
        return [fault] * len(turn)


def _outcome(work: Callable[[], _Result]) -> _Result | Exception:
    try:
        return work()
    except Exception as fault:  # noqa: BLE001 - it is its asker's, and no neighbour's
        return fault
