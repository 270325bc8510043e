"""Honest random runs raise no alarm, however many (R43, R55, R56, R57).

A failure prints the history's seed, and the same environment plays it again:
`HONEST_SEED=… pytest tests/sync/test_honest_runs.py`. HONEST_RUNS says for how many weeks: 10,000 take two
and a half hours of one core.
"""

import os
import random
from collections import Counter
from pathlib import Path

import pytest

from tests.rule import rule
from tests.seed import SEED_BITS, seed_of_commit
from tests.sync.honest import WEEKS_A_HISTORY, play_history

# Every act is drawn in this many weeks, else the histories would be empty of what they are for.
SAMPLE_RUNS = 2 * WEEKS_A_HISTORY
SOAK_RUNS = 2_000  # half an hour of one core


def play(folder: Path, runs: int, chance: random.Random) -> Counter[str]:
    """Play so many weeks, each history under a seed drawn by `chance`; return how often each act was done."""
    given = os.environ.get("HONEST_SEED")
    done: Counter[str] = Counter()
    for number in range(1 if given else -(-int(os.environ.get("HONEST_RUNS", runs)) // WEEKS_A_HISTORY)):
        seed = int(given) if given else chance.getrandbits(SEED_BITS)
        print(f"HONEST_SEED={seed}", flush=True)
        done += Counter(play_history(folder / f"history-{number}", seed).done)
    return done


@pytest.mark.timeout(900)
@rule("R43")
@rule("R56")
@rule("R57")
def test_honest_people_on_bad_lines_are_blamed_for_nothing(tmp_path: Path) -> None:
    done = play(tmp_path, SAMPLE_RUNS, random.Random(seed_of_commit()))
    assert {"record", "sync"} <= done.keys()


# A picture followed its row by days, past a backup, and the server received more before that was noticed.
# What was removed before its receipt came was read whole by another device, lost by the server, taken bare.
# A log lost a row, and another device's made it as long again: who had read that row saw nothing new.
# A server sealed a week before it knew of its loss, and gave that seal the name of the lost one.
FOUND = (3427585328, 3228891762, 3419355494, 3719954840)


@pytest.mark.parametrize("seed", FOUND)
@rule("R41")
@rule("R43")
def test_histories_in_which_something_was_found_end_well(seed: int, tmp_path: Path) -> None:
    assert play_history(tmp_path, seed).done


@pytest.mark.soak
@pytest.mark.timeout(0)
@rule("R56")
def test_thousands_of_honest_weeks_raise_no_alarm(tmp_path: Path) -> None:
    done = play(tmp_path, SOAK_RUNS, random.Random())
    assert {"restore", "accept_late", "dispute", "reply", "redact", "remove", "send_late"} <= done.keys()
