"""Waiting for what a real desktop does in its own time."""

import time
from collections.abc import Callable

SECONDS_MAX = 20  # a loaded machine of two cores needs some


def until(holds: Callable[[], bool]) -> bool:
    """Return whether this comes to hold in good time."""
    for _ in range(SECONDS_MAX * 20):
        if holds():
            return True
        time.sleep(0.05)
    return False
