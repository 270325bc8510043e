"""How much one request carries: small where the line is slow, large where it is not (R41, R44)."""

from hypothesis import given
from hypothesis import strategies as st

from sync.exchange import FIRST_PUSH_VERSIONS, REQUEST_ITEMS_MIN
from sync.pace import PART_BYTES_FIRST, PART_BYTES_MIN, PUSH_VERSIONS_SLOW_LINE, Pace
from sync.protocol import PICTURE_PART_BYTES_MAX, PULL_ROWS_MAX, PUSH_VERSIONS_MAX
from tests.rule import rule

MILLIS = st.integers(min_value=0, max_value=1_000_000)
ACTS = st.one_of(
    st.tuples(st.just("pull"), MILLIS),
    st.tuples(st.just("push"), st.integers(1, 500), st.integers(1, 2**20), MILLIS),
    st.tuples(st.just("part"), st.integers(1, PICTURE_PART_BYTES_MAX), MILLIS),
    st.tuples(st.just("break")),
)


@rule("R41")
def test_on_a_slow_line_a_push_begins_small_and_a_part_takes_seconds() -> None:
    slow = Pace().after_pull(took_ms=2_500)
    assert slow.push_versions == PUSH_VERSIONS_SLOW_LINE
    after = slow.after_push(versions=20, size=20_000, took_ms=5_000)
    # Four kilobytes a second: five seconds' worth.
    assert after.part_bytes == 20_000
    assert after.push_versions == PUSH_VERSIONS_SLOW_LINE


@rule("R44")
def test_on_a_fast_line_it_grows_to_the_limits_within_a_few_requests() -> None:
    pace = Pace().after_pull(took_ms=20)
    assert pace.push_versions == FIRST_PUSH_VERSIONS
    for _ in range(3):
        pace = pace.after_push(versions=pace.push_versions, size=100_000, took_ms=50)
    assert pace.push_versions == PUSH_VERSIONS_MAX
    assert pace.part_bytes == 8 * PART_BYTES_FIRST


@rule("R41")
@rule("R44")
def test_a_push_is_as_large_as_the_line_has_shown_that_it_carries_in_a_second() -> None:
    assert Pace().after_push(versions=120, size=100_000, took_ms=20).push_versions == PUSH_VERSIONS_MAX
    assert Pace(push_versions=20).after_push(versions=10, size=9_000, took_ms=100).push_versions == 100
    assert Pace(push_versions=20).after_push(versions=1, size=900, took_ms=100).push_versions == 40


@rule("R41")
def test_another_push_joins_one_that_is_under_way_only_while_the_line_is_fast() -> None:
    fast = Pace().after_push(versions=120, size=100_000, took_ms=20)
    assert fast.is_fast
    assert fast.after_pull(took_ms=20).is_fast
    assert not Pace().is_fast
    assert not fast.after_pull(took_ms=2_500).is_fast
    assert not fast.after_push(versions=500, size=400_000, took_ms=1_000).is_fast
    assert not fast.after_break().is_fast


def test_a_small_request_says_nothing_about_the_line() -> None:
    assert Pace().after_part(100, took_ms=3_000) == Pace()


@rule("R41")
def test_a_line_that_broke_off_gets_smaller_requests() -> None:
    broken = Pace().after_break()
    assert broken.push_versions == FIRST_PUSH_VERSIONS // 2
    assert broken.part_bytes == PART_BYTES_FIRST // 2


@rule("R44")
@given(st.lists(ACTS, max_size=30))
def test_whatever_happens_it_stays_within_its_limits(acts: list[tuple[object, ...]]) -> None:
    pace = Pace()
    for kind, *words in acts:
        numbers = [int(str(word)) for word in words]
        match kind:
            case "pull":
                pace = pace.after_pull(*numbers)
            case "push":
                pace = pace.after_push(*numbers)
            case "part":
                pace = pace.after_part(*numbers)
            case _:
                pace = pace.after_break()
        assert REQUEST_ITEMS_MIN <= pace.push_versions <= PUSH_VERSIONS_MAX
        assert REQUEST_ITEMS_MIN <= pace.pull_rows <= PULL_ROWS_MAX
        assert PART_BYTES_MIN <= pace.part_bytes <= PICTURE_PART_BYTES_MAX
