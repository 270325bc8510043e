"""Is it chance? Tests of moments drawn between 0 and 1, each with a false alarm in under a million runs.

Kolmogorov and Smirnov's, chi-square over twenty bins, and whether the last ones say anything about the next.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import log, sqrt

ALARM = 1e-6
BINS = 20
CHI_SQUARE_MAX = 66.0  # 19 degrees of freedom: one in a million lies over 64.4 (Wilson and Hilferty)
SIGMAS_MAX = 5.3  # one in eight million lies further out, and nine questions are asked
LAGS = 5


def doubts(draws: Sequence[float]) -> list[str]:
    """Return what speaks against chance; nothing where all of it may well be chance."""
    found = []
    if (distance := _distance(draws)) > sqrt(-log(ALARM / 2) / (2 * len(draws))):
        found.append(f"uneven: the distribution is off by {distance:.3f}")
    if (square := _chi_square(draws)) > CHI_SQUARE_MAX:
        found.append(f"uneven: chi-square {square:.1f}")
    found += [
        f"predictable: {sigmas:.1f} sigmas from the one {lag} before"
        for lag in range(1, LAGS + 1)
        if abs(sigmas := _correlation(draws, lag) * sqrt(len(draws) - lag)) > SIGMAS_MAX
    ]
    steps = [(after - before) % 1 for before, after in pairwise(draws)]
    if (square := _chi_square(steps)) > CHI_SQUARE_MAX:
        found.append(f"predictable: steps with chi-square {square:.1f}")
    if len(set(draws)) < len(draws) * 0.99:
        found.append("repeated")
    return found


def _distance(draws: Sequence[float]) -> float:
    count = len(draws)
    return max(max((at + 1) / count - draw, draw - at / count) for at, draw in enumerate(sorted(draws)))


def _chi_square(draws: Sequence[float]) -> float:
    counts = Counter(min(BINS - 1, int(draw * BINS)) for draw in draws)
    expected = len(draws) / BINS
    return sum((counts[each] - expected) ** 2 / expected for each in range(BINS))


def _correlation(draws: Sequence[float], lag: int) -> float:
    mean = sum(draws) / len(draws)
    spread = sum((draw - mean) ** 2 for draw in draws)
    pairs = zip(draws, draws[lag:], strict=False)
    return sum((before - mean) * (after - mean) for before, after in pairs) / spread if spread else 1.0
