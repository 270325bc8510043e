"""When a device syncs."""

from hypothesis import given
from hypothesis import strategies as st

from sync.schedule import (
    BACKOFF_GATED_MAX_MS,
    BACKOFF_MAX_MS,
    BACKOFF_NEAR_LOCK_MAX_MS,
    LOCK_NEAR_MS,
    POLL_MS,
    SETTLE_MS,
    SPREAD_MS,
    Schedule,
    after_change,
    after_failure,
    after_network_return,
    after_success,
    spread_ms,
)
from tests.rule import rule

NOW = 1_800_000_000_000
CHANCES = st.floats(min_value=0, max_value=1, exclude_max=True)


@given(CHANCES)
def test_after_a_run_the_next_one_is_a_minute_away_give_or_take(chance: float) -> None:
    wait = after_success(NOW, chance, next_release_ms=None).wait_ms(NOW)
    assert 0.8 * POLL_MS <= wait <= 1.2 * POLL_MS


@rule("R17")
def test_the_end_of_a_hold_wakes_a_run() -> None:
    assert after_success(NOW, 0.5, next_release_ms=NOW + 7_000).wait_ms(NOW) == 7_000
    assert after_success(NOW, 0.5, next_release_ms=NOW - 7_000).wait_ms(NOW) == 0


@rule("R41")
def test_each_failure_doubles_the_pause_up_to_its_greatest() -> None:
    schedule, waits = Schedule(), []
    for _ in range(14):
        schedule = after_failure(schedule, NOW, 0.999999, lock_in_ms=None)
        waits.append(schedule.wait_ms(NOW))
    assert waits[:4] == [2_000, 4_000, 8_000, 16_000]
    assert waits[-1] == BACKOFF_MAX_MS


@given(CHANCES, st.integers(min_value=0, max_value=10_000))
def test_a_pause_is_never_shorter_than_half_of_what_it_may_be(chance: float, failures: int) -> None:
    full = after_failure(Schedule(failures=failures), NOW, 1.0, lock_in_ms=None).wait_ms(NOW)
    drawn = after_failure(Schedule(failures=failures), NOW, chance, lock_in_ms=None).wait_ms(NOW)
    assert full / 2 - 1 <= drawn <= full


@rule("R41")
def test_behind_a_log_in_page_it_asks_every_minute_and_near_a_lock_sooner() -> None:
    long_away = Schedule(failures=9)
    gated = after_failure(long_away, NOW, 1.0, lock_in_ms=None, gated=True)
    assert gated.wait_ms(NOW) == BACKOFF_GATED_MAX_MS
    near = after_failure(long_away, NOW, 1.0, lock_in_ms=LOCK_NEAR_MS, gated=True)
    assert near.wait_ms(NOW) == BACKOFF_NEAR_LOCK_MAX_MS


@rule("R3")
def test_near_a_lock_a_device_with_unsent_rows_asks_every_half_minute() -> None:
    long_away = Schedule(failures=12)
    near = after_failure(long_away, NOW, 1.0, lock_in_ms=LOCK_NEAR_MS)
    assert near.wait_ms(NOW) == BACKOFF_NEAR_LOCK_MAX_MS
    far = after_failure(long_away, NOW, 1.0, lock_in_ms=LOCK_NEAR_MS + 1)
    assert far.wait_ms(NOW) == BACKOFF_MAX_MS


@given(CHANCES)
def test_a_server_that_asks_for_time_gets_it_and_a_little_more(chance: float) -> None:
    wait = after_failure(Schedule(), NOW, chance, lock_in_ms=None, retry_after_ms=60_000).wait_ms(NOW)
    assert 60_000 <= wait <= 72_000


@rule("R3")
def test_no_server_keeps_a_device_away_longer_than_a_pause_may_be() -> None:
    far = after_failure(Schedule(), NOW, 0.5, lock_in_ms=None, retry_after_ms=10**9)
    assert far.wait_ms(NOW) == BACKOFF_MAX_MS
    near = after_failure(Schedule(), NOW, 0.5, lock_in_ms=60_000, retry_after_ms=10**9)
    assert near.wait_ms(NOW) == BACKOFF_NEAR_LOCK_MAX_MS


def test_a_change_that_can_be_sent_is_sent_at_once() -> None:
    resting = after_success(NOW, 0.5, next_release_ms=None)
    assert after_change(resting, NOW, sendable=True, next_release_ms=None).wait_ms(NOW) == SETTLE_MS


def test_the_runs_own_writing_wakes_nothing() -> None:
    resting = after_success(NOW, 0.5, next_release_ms=None)
    assert after_change(resting, NOW + 50, sendable=False, next_release_ms=None) == resting


def test_a_change_does_not_shorten_the_pause_after_a_failure() -> None:
    failed = after_failure(Schedule(), NOW, 0.5, lock_in_ms=None)
    assert after_change(failed, NOW, sendable=True, next_release_ms=NOW) == failed


@given(CHANCES, CHANCES, st.none() | st.integers(min_value=LOCK_NEAR_MS + 1, max_value=10**12))
def test_the_networks_return_ends_the_pause_after_a_failure_and_not_for_all_at_one_instant(
    chance: float, jitter: float, lock_in_ms: int | None
) -> None:
    failed = after_failure(Schedule(failures=9), NOW, jitter, lock_in_ms=lock_in_ms)
    later_ms = spread_ms(chance, by_hand=False, lock_in_ms=lock_in_ms, shared=True)
    back = after_network_return(failed, NOW, later_ms=later_ms)
    assert back.wait_ms(NOW) == SETTLE_MS + round(SPREAD_MS * chance)
    assert after_change(back, NOW, sendable=True, next_release_ms=None).wait_ms(NOW) == SETTLE_MS


@rule("R3")
@given(CHANCES, st.integers(min_value=0, max_value=LOCK_NEAR_MS))
def test_near_a_lock_the_networks_return_is_used_at_once(chance: float, lock_in_ms: int) -> None:
    failed = after_failure(Schedule(failures=9), NOW, 1.0, lock_in_ms=lock_in_ms)
    later_ms = spread_ms(chance, by_hand=False, lock_in_ms=lock_in_ms, shared=True)
    assert after_network_return(failed, NOW, later_ms=later_ms).wait_ms(NOW) == SETTLE_MS


def test_a_try_that_is_due_is_not_put_off_by_the_networks_return() -> None:
    failed = after_failure(Schedule(), NOW, 0.0, lock_in_ms=None)
    assert after_network_return(failed, NOW, later_ms=SPREAD_MS).wait_ms(NOW) == failed.wait_ms(NOW)
