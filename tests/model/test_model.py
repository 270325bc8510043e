"""Whatever people, lines, clocks and crashes do, the promises of ARCHITECTURE.md hold (R6, R25, R33-R45).

A failure prints it with the fewest steps that were found, and the same environment
plays them again: `MODEL_SEED=… pytest tests/model -k sqlite`. MODEL_EXAMPLES says for how long; MODEL_RAW=1
leaves the steps as they came. A long run draws a seed of its own, but for the one after a failure; that
of all tests has its commit's.
"""

import os
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.ground import Ground, ground, seed_of_run
from tests.model.machine import Model
from tests.rule import rule as holds
from tests.seed import seed_of_commit

DATABASES = pytest.mark.parametrize("database", ["sqlite", "postgres"])


def seeded(laid: Ground, number: int) -> type[Model]:
    """Return the model on its ground, under a seed."""
    Model.ground = laid
    return seed(number)(Model)


def bounds(*, examples: int, steps: int) -> settings:
    return settings(
        max_examples=int(os.environ.get("MODEL_EXAMPLES", examples)),
        stateful_step_count=steps,
        deadline=None,
        derandomize=False,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        phases=[Phase.generate, *([] if os.environ.get("MODEL_RAW") else [Phase.shrink])],
    )


def holds_all(test: Callable[..., None]) -> Callable[..., None]:
    """Mark a test with the rules that the model holds."""
    for number in ("R6", "R25", "R29", "R33", "R34", "R35", "R36", "R37", "R40", "R42", "R43", "R45", "R70"):
        test = holds(number)(test)
    return test


@pytest.mark.parametrize(("database", "examples"), [("sqlite", 16), ("postgres", 8)])
@pytest.mark.timeout(900)  # it takes some twenty seconds; a failure is then made small
@holds_all
def test_whatever_happens_all_devices_come_to_show_what_the_log_holds(
    request: pytest.FixtureRequest, database: str, examples: int
) -> None:
    with seed_of_run(request, seed_of_commit()) as number, ground(database) as laid:
        run_state_machine_as_test(seeded(laid, number), settings=bounds(examples=examples, steps=40))


@DATABASES
@pytest.mark.soak
@pytest.mark.timeout(4 * 3600)
@holds_all
def test_whatever_happens_for_long_all_devices_come_to_show_what_the_log_holds(
    request: pytest.FixtureRequest, database: str
) -> None:
    with seed_of_run(request) as number, ground(database) as laid:
        run_state_machine_as_test(seeded(laid, number), settings=bounds(examples=400, steps=60))


def test_a_run_that_failed_is_run_again_by_its_seed(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MODEL_SEED", raising=False)
    with pytest.raises(AssertionError), seed_of_run(request) as failed:
        raise AssertionError
    with seed_of_run(request) as again:
        assert again == failed
    with seed_of_run(request) as anew:
        assert anew != failed
