"""`check` and what a start foresees: will it count, what to mend, how long (R11, R30)."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from diary.rules.sealed_content import MinuteCounts
from diary.rules.week import Week
from tests.diary.typed import Typist, typist_with_a_morning
from tests.practice import BUSY_MINUTE, draft_of, instant, practice_diary, record_slot, slot
from tests.rule import rule

WEEK = Week(2026, 47)


@pytest.fixture
def typist(tmp_path: Path) -> Typist:
    return typist_with_a_morning(tmp_path)


@rule("R30")
def test_a_week_without_fault_is_said_to_qualify_with_the_time_that_is_left(typist: Typist) -> None:
    typist.clock.put(instant("2026-11-16T09:40Z"))
    said = typist.types("check").out
    assert "Orchard website: 3 of 3 segments qualify; 10.0 of 10 minutes active" in said
    assert "can be changed until Mon 23 Nov 12:00" in said


@rule("R30")
def test_a_failing_point_is_listed_and_mended_from_its_line(typist: Typist) -> None:
    typist.types("edit", "9:00", "9:20", "--memo", "")
    said = typist.types("check", says=1).out
    assert "1 of 3 segments qualify" in said
    assert "It has no memo. " in said
    assert 'diary edit @1 --memo "…"' in said
    typist.types("edit", "@1", "--memo", "Invoice page")
    assert "3 of 3 segments qualify" in typist.types("check").out


@rule("R30")
def test_what_cannot_be_mended_any_more_says_so(typist: Typist) -> None:
    typist.types("edit", "9:00", "--memo", "")
    typist.clock.put(instant("2026-11-23T12:00Z"))
    said = typist.types("check", "2026-W47", says=1).out
    assert "It missed the lock." in said
    assert "diary edit" not in said
    assert "is frozen since" in said


@rule("R30")
def test_as_json_each_failing_segment_has_its_point_and_its_mending(typist: Typist) -> None:
    typist.types("edit", "9:10", "--memo", "")
    told = typist.types("check", "--json", says=1).out
    assert '"point": "memo"' in told
    found = typist.json("week")
    assert found["week"] == "2026-W47"
    assert '"until": "2026-11-23T12:00:00Z"' in told


@rule("R30")
def test_a_week_of_nothing_has_nothing_to_check(typist: Typist) -> None:
    assert "Nothing stands in 2026-W46." in typist.types("check", "2026-W46").out


@rule("R30")
def test_the_thresholds_are_settings(tmp_path: Path) -> None:
    diary, clock, contract = practice_diary(tmp_path, "2026-11-16T08:50Z")
    at = slot("2026-11-16T09:00Z")
    half = (BUSY_MINUTE,) * 5 + (MinuteCounts(0, 0, 0, os_active=False),) * 5
    with diary:
        clock.put(instant("2026-11-16T09:10Z"))
        diary.record(replace(draft_of(contract, at, replica=diary.replica), minutes=half))
        (as_it_is,) = diary.check(WEEK).contracts
        diary.set_setting("week_activity_over", 4)
        (lower,) = diary.check(WEEK).contracts
        diary.set_setting("activity_over", 5)
        (higher,) = diary.check(WEEK).contracts
    assert [one.activity_holds for one in (as_it_is, lower, higher)] == [False, True, True]
    assert [[finding.point for finding in one.failing] for one in (as_it_is, lower, higher)] == [
        [],
        [],
        ["activity"],
    ]


@rule("R11")
@rule("R30")
def test_a_start_foresees_a_used_up_limit(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path, "2026-11-16T08:50Z", limit_minutes=20)
    with diary:
        record_slot(diary, contract, slot("2026-11-16T09:00Z"))
        assert diary.foresee(contract, "memo", "") == ()
        record_slot(diary, contract, slot("2026-11-16T09:10Z"))
        (finding,) = diary.foresee(contract, "memo", "")
    assert finding.point == "within_limit"
    assert finding.until_ms == WEEK.ends_at_ms
