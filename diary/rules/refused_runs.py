"""Refused changes told at once: what was refused alike, slot after slot, is one line to a person (R37d)."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from itertools import pairwise
from typing import TypeVar

from diary.rules.consecutive import consecutive
from diary.rules.ids import Slot

Refused = TypeVar("Refused")

_ALL = "all"
_RANGE = re.compile(r"(\d{1,18})(?:-(\d{1,18}))?", re.ASCII)


def runs_of(
    listed: Sequence[Refused],
    *,
    slot_of: Callable[[Refused], Slot | None],
    alike: Callable[[Refused], Hashable],
) -> list[tuple[Refused, ...]]:
    """Return runs of refused changes: those that are `alike`, of slots that follow each other, in time.

    Runs stand in the order in which one of theirs is listed first. What has no slot is a run by itself; a
    second change of the same slot is in another run than the first.
    """
    kinds: dict[Hashable, list[tuple[Slot, int]]] = {}
    earlier: Counter[Hashable] = Counter()
    runs: list[list[int]] = []
    for place, one in enumerate(listed):
        slot, kind = slot_of(one), alike(one)
        if slot is None:
            runs.append([place])
            continue
        kinds.setdefault((kind, earlier[kind, slot]), []).append((slot, place))
        earlier[kind, slot] += 1
    for places in kinds.values():
        places.sort()
        runs.append([places[0][1]])
        for (before, _), (slot, place) in pairwise(places):
            if slot == before + 1:
                runs[-1].append(place)
            else:
                runs.append([place])
    return [tuple(listed[place] for place in run) for run in sorted(runs, key=min)]


def numbers_said(numbers: Iterable[int]) -> str:
    """Return numbers as they are typed, runs of them short: `3-9 12`."""
    ends = consecutive(numbers)
    return " ".join(str(first) if first == last else f"{first}-{last}" for first, last in ends)


def numbers_meant(words: Iterable[str], known: Collection[int]) -> list[int] | str:
    """Return the numbers that words name, written as by `numbers_said` or `all`; or the word that names none.

    A range means those of it that are known, a single number itself.
    """
    meant: list[int] = []
    for word in words:
        read = _RANGE.fullmatch(word)
        if word == _ALL:
            found = sorted(known)
        elif read is None:
            return word
        elif read[2] is None:
            found = [int(read[1])]
        else:
            found = sorted(number for number in known if int(read[1]) <= number <= int(read[2]))
        if not found and word != _ALL:
            return word
        meant += found
    return meant
