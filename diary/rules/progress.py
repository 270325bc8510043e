"""How whoever waits is told how far something is (CLI.md)."""

from collections.abc import Callable, Collection, Iterator
from typing import TypeVar

T = TypeVar("T")
Progress = Callable[[int, int], None]
"""Told how many of how many are done."""


def told_of(things: Collection[T], progress: Progress | None) -> Iterator[T]:
    """Yield each thing, and say before it how many are done."""
    for done, thing in enumerate(things):
        if progress is not None:
            progress(done, len(things))
        yield thing
