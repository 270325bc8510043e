"""How a service is asked to end: SIGTERM or Ctrl-C, on every system (R19)."""

import asyncio
import signal
from collections.abc import Callable

ENDINGS = (signal.SIGTERM, signal.SIGINT)


def end_when_asked(loop: asyncio.AbstractEventLoop, end: Callable[[], object]) -> None:
    """Have `end` called in the loop when this process is asked to end. Call it from the main thread."""
    for ending in ENDINGS:
        try:
            loop.add_signal_handler(ending, end)
        except RuntimeError:
            # Windows' loops take no handlers and say so; there the signal's own wakes the loop.
            signal.signal(ending, lambda *_: loop.call_soon_threadsafe(end))
