"""A server that shows another log and never answers for it is told of at once, and blamed in the end."""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from diary.evidence.alarm import FeedFaultError
from diary.evidence.head import LogHead, read_head
from diary.evidence.statement import SignedStatement
from diary.rules.ids import Millis
from diary.rules.week import Week
from sync.line_faults import ServerFailedError
from sync.server.log import ServerKey
from sync.unanswered import UnansweredError
from tests.practice import record_slot, slot
from tests.rule import rule
from tests.sync.liar import kinds, liar_before
from tests.sync.restoring import RestoringStage, lost, restoring_stage, sync_in_turn
from tests.sync.silent import Ends, silence_before
from tests.sync.stage import Device, Stage, two_devices

NINE, TEN, ELEVEN = (slot(f"2026-11-18T{hour}:00Z") for hour in ("09", "10", "11"))
DAY_MS = Millis(24 * 3_600_000)
WEEK = Week.of(TEN)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[RestoringStage]:
    with restoring_stage(tmp_path, None, None) as stage:
        yield stage


def gone_back(stage: RestoringStage, regrown: int = 0) -> tuple[Device, Device]:
    """Return two devices whose server went back behind what `a` knows, and took so many rows of `b` since."""
    a, b, contract = two_devices(stage, [TEN])
    b.sync()
    stage.lose(a, contract, ELEVEN)
    for later in range(regrown):
        record_slot(b.diary, contract, slot(f"2026-11-18T09:{later}0Z"))
        b.sync()
    return a, b


def fails_for_days(
    stage: Stage, device: Device, days: int, before: Callable[[int], None] = lambda _: None
) -> list[int]:
    """Sync in vain today and on so many days more; return how many alarms there are after each time."""
    alarms = []
    for day in range(days + 1):
        if day:
            for clock in (stage.clock, *(each.clock for each in stage.devices)):
                clock.put(Millis(clock.now_ms() + DAY_MS))
        before(day)
        with pytest.raises(UnansweredError):
            device.sync()
        alarms.append(device.diary.status().alarms)
    return alarms


@rule("R43")
@rule("R56")
def test_a_server_that_never_answers_for_its_log_is_told_of_at_once_and_an_alarm_after_a_week(
    stage: RestoringStage,
) -> None:
    a, b = gone_back(stage)
    began_ms = a.diary.now_ms()
    silent = silence_before(a, "failed")
    record_slot(a.diary, next(iter(a.diary.contracts())), NINE)
    had = a.diary.cursors()
    each_day: tuple[Ends, ...] = ("failed", "hangs", "no such door", "nonsense", "unknown", "hangs", "failed")
    assert fails_for_days(stage, a, 6, lambda day: setattr(silent, "ends", each_day[day])) == [0] * 7
    found = a.diary.status().unanswered
    assert found is not None
    assert (found.since_ms, found.waited_ms) == (began_ms, 6 * DAY_MS)
    assert found.says == a.diary.attention().unanswered
    assert fails_for_days(stage, a, 1)[-1] == 1
    assert silent.asked >= 9
    assert "POST /v1/push" not in a.failing.paths[-4:]
    assert (a.diary.cursors(), a.diary.queue().versions) == (had, 2), "nothing was taken, nothing sent"

    (alarm,) = a.diary.alarms()
    assert alarm.kind == "unanswered"
    assert alarm.says == found.alarm_says
    silent.ends = "answers"
    sync_in_turn(a, b, a)
    assert a.diary.status().unanswered is None
    assert lost(a) == 0
    assert a.diary.alarms() == (alarm,), "it stays, and it is raised once"


@rule("R56")
def test_what_shows_it_is_kept_from_the_first_day_on_both_heads_as_the_server_signed_them(
    stage: RestoringStage,
) -> None:
    a, b = gone_back(stage)
    contract = next(iter(a.diary.contracts())).id
    silent = silence_before(a, "failed")
    fails_for_days(stage, a, 0)
    silent.ends = "answers"
    b.sync()
    record_slot(b.diary, next(iter(b.diary.contracts())), NINE)
    b.sync()
    silent.ends = "failed"
    fails_for_days(stage, a, 7)
    (alarm,) = a.diary.alarms()
    key = ServerKey.at(stage.folder / "server" / "server.key").public
    signed = [SignedStatement(text=one.text, signature=one.signature) for one in alarm.evidence]
    longest, shown, *_ = (read_head(one, key) for one in signed)
    assert {longest.contract, shown.contract} == {contract}
    assert longest.size - shown.size == 2, "the one that it had signed, and the one that it showed first"


@rule("R6")
@rule("R43")
def test_a_server_that_waits_for_its_operator_to_confirm_its_clock_is_blamed_after_four_weeks_only(
    stage: RestoringStage,
) -> None:
    a, _ = gone_back(stage)
    silent = silence_before(a, "unsure")
    assert fails_for_days(stage, a, 27) == [0] * 28
    found = a.diary.attention().unanswered
    assert "confirm-clock" in found
    silent.ends = "answers"
    a.sync()
    assert (a.diary.status().unanswered, a.diary.alarms()) == (None, ())
    assert lost(a) == 0


@rule("R43")
@rule("R56")
def test_a_server_that_says_it_was_restored_and_takes_nothing_back_is_an_alarm_as_well(
    stage: RestoringStage,
) -> None:
    a, _ = gone_back(stage)
    silence_before(a, "failed", rows_only=True)
    assert fails_for_days(stage, a, 7) == [0] * 7 + [1]
    assert len(a.diary.restorings()) == 1, "it did state that"
    (alarm,) = a.diary.alarms()
    assert "does not take back" in alarm.says
    assert [one.domain for one in alarm.evidence if "opened_at_ms" in one.text] == ["workdiary/1/epoch"]


@rule("R43")
@rule("R56")
def test_another_log_of_the_same_length_that_is_not_answered_for_is_one_too(stage: RestoringStage) -> None:
    a, b = gone_back(stage, regrown=2)
    silence_before(a, "failed")
    assert fails_for_days(stage, a, 7) == [0] * 7 + [1]
    (alarm,) = a.diary.alarms()
    told = [
        msgspec.json.decode(one.text, type=LogHead).root for one in alarm.evidence if '"root"' in one.text
    ]
    assert len(set(told)) >= 2, "two logs, each under the server's signature"
    assert shown_slots(a) == [TEN, ELEVEN]
    assert b.diary.alarms() == ()


def shown_slots(device: Device) -> list[int]:
    return [one.slot for one in device.diary.week(WEEK).segments]


@rule("R43")
def test_who_wants_to_be_left_alone_says_so_to_the_schedule_as_well(stage: RestoringStage) -> None:
    a, _ = gone_back(stage)
    silence_before(a, "failed")
    with pytest.raises(ServerFailedError) as caught:
        a.sync()
    assert "is not the one that it had signed" in caught.value.in_full
    assert "failed (status 503" in caught.value.in_full


@rule("R43")
@rule("R56")
def test_one_place_that_is_given_to_two_versions_and_not_explained_is_two_logs(stage: RestoringStage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    sync_in_turn(b, a)
    liar = liar_before(stage, a)
    liar.receipts = lambda receipt: msgspec.structs.replace(receipt, index=1)
    record_slot(a.diary, contract, ELEVEN)
    with pytest.raises(FeedFaultError):
        a.sync()
    assert kinds(a) == ["log_forked"]
    (alarm,) = a.diary.alarms()
    assert "was given twice" in alarm.says
    assert [one.domain for one in alarm.evidence] == ["workdiary/1/answer", "workdiary/1/head"]
    assert b.diary.alarms() == ()
