"""Before a lock: said once at each distance, and only of what will not arrive by itself."""

from diary.rules.deadline import UnsentWeek
from diary.rules.ids import Millis
from diary.rules.week import Week
from sync.lock_warning import WARN_BEFORE_MS, LockWarnings, next_in_ms
from tests.practice import instant
from tests.rule import rule

WEEK = Week(2026, 47)
THREE = (UnsentWeek(WEEK, segments=3, changes=0, held=0, asked=0),)


def said_at(*times: str, unsent: tuple[UnsentWeek, ...] = THREE, is_away: bool = True) -> list[str]:
    """Return at which of the instants something is said."""
    warnings, said = LockWarnings(), []
    for time in times:
        warnings, sentences = warnings.after(unsent, instant(time), is_away=is_away)
        said += [time] * len(sentences)
    return said


@rule("R3")
@rule("R31")
def test_it_is_said_a_day_six_hours_and_an_hour_before() -> None:
    times = ("2026-11-22T11:59Z", "2026-11-22T12:00Z", "2026-11-22T20:00Z", "2026-11-23T06:00Z")
    late = ("2026-11-23T06:01Z", "2026-11-23T11:00Z", "2026-11-23T11:59Z")
    assert said_at(*times, *late) == [times[1], times[3], late[1]]


def test_who_comes_late_hears_it_once() -> None:
    assert said_at("2026-11-23T10:00Z", "2026-11-23T10:01Z") == ["2026-11-23T10:00Z"]
    assert said_at("2026-11-23T11:30Z", "2026-11-23T11:31Z") == ["2026-11-23T11:30Z"]


@rule("R17")
def test_what_is_in_its_notice_period_is_no_matter_while_the_server_answers() -> None:
    held = (UnsentWeek(WEEK, segments=1, changes=0, held=1, asked=0),)
    assert said_at("2026-11-23T10:00Z", unsent=held, is_away=False) == []
    assert said_at("2026-11-23T10:00Z", unsent=held) == ["2026-11-23T10:00Z"]
    asked = (UnsentWeek(WEEK, segments=2, changes=0, held=1, asked=1),)
    assert said_at("2026-11-23T10:00Z", unsent=asked, is_away=False) == ["2026-11-23T10:00Z"]


def test_nothing_is_said_of_nothing_and_a_later_week_is_another_matter() -> None:
    assert said_at("2026-11-23T10:00Z", unsent=()) == []
    warnings, _ = LockWarnings().after(THREE, instant("2026-11-23T10:00Z"), is_away=True)
    after = (UnsentWeek(Week(2026, 48), segments=1, changes=0, held=0, asked=0),)
    assert len(warnings.after(after, instant("2026-11-30T10:00Z"), is_away=True)[1]) == 1


def test_the_next_look_is_at_the_next_distance() -> None:
    at = instant("2026-11-18T12:00Z")
    found = []
    while at < instant("2026-11-30T12:00Z"):
        at = Millis(at + next_in_ms(at))
        found.append(at)
    lock = WEEK.locked_at_ms
    assert found[:3] == [lock - before for before in WARN_BEFORE_MS]
    assert found[3:6] == [WEEK.next().locked_at_ms - before for before in WARN_BEFORE_MS]
