"""One figure: the median, least and greatest of several runs, as a line of JSON."""

import json
import statistics
import time
from collections.abc import Callable, Sequence


def print_figure(figure: str, values: Sequence[float], unit: str, **more: object) -> None:
    """Print one line; `values` are of single runs in `unit`."""
    print(
        json.dumps(
            {
                "figure": figure,
                "unit": unit,
                "runs": len(values),
                "median": round(statistics.median(values), 4),
                "min": round(min(values), 4),
                "max": round(max(values), 4),
                **more,
            }
        ),
        flush=True,
    )


def print_paired(
    figure: str, ours: Callable[[], object], peer: str, theirs: Callable[[], object], *, runs: int = 7
) -> None:
    """Time `ours` and `theirs` in turn, and print both with the ratio pair by pair."""
    ours(), theirs()  # one warm-up each: the disk's cache is the same for both
    pairs = [(_seconds(ours), _seconds(theirs)) for _ in range(runs)]
    print_figure(figure, [mine for mine, _ in pairs], "s", by="workdiary")
    print_figure(figure, [other for _, other in pairs], "s", by=peer)
    print_figure(f"{figure}_ratio", [mine / other for mine, other in pairs], "times", by=f"workdiary/{peer}")


def _seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began
