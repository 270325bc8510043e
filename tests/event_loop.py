"""An event loop for a test, also where a browser's driver keeps one running in the test's own thread."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")
SECONDS_MAX = 30


def run(work: Coroutine[Any, Any, T]) -> T:
    """Return what a coroutine returns, run in a thread of its own."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, work).result()


async def check_soon(holds: Callable[[], object]) -> None:
    """Wait until something holds, while the loop goes on; fail where it never does."""
    end = time.monotonic() + SECONDS_MAX
    while not holds():
        assert time.monotonic() < end, "it never came to that"
        await asyncio.sleep(0.02)
