"""What waits for the freelancer's word, and stamps and slots that a wrong clock made (R20, R38, R40)."""

import pytest

from diary.diary import Diary
from diary.rules.ids import Millis, Slot
from diary.rules.week import slot_at, starts_at_ms
from sync.enrolment import register
from sync.transport import UnreachableError
from tests.practice import SCREEN, draft_of, instant, record_slot, slot
from tests.rule import rule
from tests.sync.stage import AFTER_THE_LOCK, Device, Stage, two_devices

TEN = slot("2026-11-18T10:00Z")
AFTER_TEN = Slot(TEN + 1)
HOUR_MS = 3_600_000


def captured(device: Device, at: Slot) -> list[str]:
    """Return the memos of what stands in a slot."""
    return [one.memo for one in device.segments(at) if one.state != "refused"]


@rule("R38")
def test_late_time_is_held_until_its_freelancer_answers_and_then_sent_once(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [])
    place = record_slot(a.diary, contract, TEN, memo="was offline")
    stage.put_clocks(AFTER_THE_LOCK)
    a.sync()
    b.sync()
    assert a.segment(place).state == "held"
    assert a.diary.status().late_held == 1
    assert b.segments(TEN) == []
    assert [(one.slot, one.why, one.memo) for one in a.diary.asked()] == [(TEN, "late", "was offline")]
    assert a.diary.send_asked() == (place,)
    assert a.diary.asked() == ()
    a.sync()
    b.sync()
    assert {a.segment(place).state, b.segment(place).state} == {"late"}
    assert b.segment(place).memo == "was offline"
    assert a.diary.status().late_held == 0


@rule("R38")
@rule("R25")
def test_late_time_that_is_dropped_is_destroyed_and_never_sent(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [])
    place = record_slot(a.diary, contract, TEN, memo="better forgotten", picture=SCREEN)
    name = a.segment(place).snapshots[0].screen
    stage.put_clocks(AFTER_THE_LOCK)
    assert a.diary.drop_asked() == (place,)
    assert a.diary.sealed_picture(name) is None
    assert a.sync().pushed == 0
    assert b.sync().pulled == 0
    assert a.diary.segment(place) is None


@rule("R25")
@rule("R38")
def test_time_that_was_removed_added_again_and_refused_keeps_no_words_once_it_is_removed(
    stage: Stage,
) -> None:
    a, _, contract = two_devices(stage, [])
    place = record_slot(a.diary, contract, TEN, memo="recorded")
    a.diary.remove([place])
    a.diary.add_manual(contract.id, [TEN], "typed afterwards")
    a.failing.fates = ["pass", "refuse"]
    with pytest.raises(UnreachableError):
        a.sync()
    stage.put_clocks(AFTER_THE_LOCK)
    assert {one.what for one in a.sync().refused} == {"deletion", "manual"}
    assert a.segment(place).memo == "typed afterwards"
    assert a.diary.remove([place]).done == (place,)
    assert [one.memo for one in a.segments(TEN)] in ([], [""])
    assert "typed afterwards" not in str(a.diary.refusals())


@rule("R38")
@rule("R40")
def test_what_left_before_the_lock_is_not_asked_of_when_its_reply_was_lost(stage: Stage) -> None:
    a, _, contract = two_devices(stage, [])
    place = record_slot(a.diary, contract, TEN)
    a.failing.fates = ["pass", "lose"]
    with pytest.raises(UnreachableError):
        a.sync()
    stage.put_clocks(AFTER_THE_LOCK)
    assert a.diary.asked() == ()
    a.sync()
    assert a.segment(place).state == "synced"


@rule("R38")
@rule("R50")
def test_a_diary_that_registers_late_asks_of_the_weeks_that_are_locked_and_sends_the_rest(
    stage: Stage,
) -> None:
    a = stage.first(registered=False)
    contract = a.diary.new_contract(title="Practice")
    old = record_slot(a.diary, contract, slot("2026-11-04T10:00Z"))
    new = record_slot(a.diary, contract, TEN)
    register(a.diary, a.line)
    assert (a.segment(old).state, a.segment(new).state) == ("held", "synced")
    a.diary.send_asked()
    a.sync()
    assert a.segment(old).state == "late"


@rule("R20")
def test_captures_of_a_clock_that_was_slow_move_by_one_slot_with_memo_and_picture(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [])
    a.clock.put(stage.clock.now_ms() - 600_000)
    for at, memo in ((TEN, "first"), (AFTER_TEN, "second")):
        record_slot(a.diary, contract, at, memo=memo, picture=SCREEN + memo.encode())
    a.sync()
    a.diary.correct_slots()
    b.sync()
    assert [captured(b, Slot(TEN + ahead)) for ahead in range(3)] == [[], ["first"], ["second"]]
    moved = b.segment((contract.id, AFTER_TEN))
    assert b.diary.picture(moved.snapshots[0].screen) == SCREEN + b"first"
    assert a.diary.refusals() == ()
    assert not moved.defective


@rule("R20")
def test_a_difference_under_two_minutes_moves_nothing(stage: Stage) -> None:
    a, _, contract = two_devices(stage, [])
    a.clock.put(stage.clock.now_ms() - 119_000)
    record_slot(a.diary, contract, TEN)
    a.sync()
    assert len(a.segments(TEN)) == 1


@rule("R20")
def test_a_move_onto_a_slot_that_is_held_sends_the_later_one_to_the_refusals(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [])
    record_slot(a.diary, contract, AFTER_TEN, memo="sent by a clock that was right")
    a.sync()
    a.clock.boot_id = "another boot"
    draft = draft_of(contract, TEN, memo="by a slow clock", replica=a.diary.replica)
    assert draft.moment is not None
    slow = type(draft.moment)(wall_ms=draft.moment.wall_ms, monotonic_ms=0, boot="another boot")
    a.clock.put(stage.clock.now_ms() - 600_000)
    a.diary.record(type(draft)(**{**{f: getattr(draft, f) for f in draft.__struct_fields__}, "moment": slow}))
    a.sync()
    b.sync()
    assert [(one.what, one.reason) for one in a.diary.refusals()] == [
        ("entry", "capture_exists"),
        ("capture", "capture_exists"),
    ]
    assert captured(b, AFTER_TEN) == ["sent by a clock that was right"]
    assert captured(a, TEN) == []


@rule("R20")
def test_a_move_of_more_than_one_slot_waits_for_a_yes(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [])
    a.clock.put(stage.clock.now_ms() - HOUR_MS)
    place = record_slot(a.diary, contract, TEN, memo="an hour slow")
    a.sync()
    assert a.segment(place).state == "held"
    assert a.diary.status().moves_held == 1
    (one,) = a.diary.asked()
    assert (one.why, one.slot, one.true) == ("move", TEN, TEN + 6)
    assert a.diary.send_asked() == ((contract.id, Slot(TEN + 6)),)
    a.sync()
    b.sync()
    assert captured(b, Slot(TEN + 6)) == ["an hour slow"]
    assert b.segments(TEN) == []
    assert a.diary.queue().versions == 0


@rule("R17")
@rule("R20")
def test_a_notification_follows_its_segment_to_the_true_slot(stage: Stage) -> None:
    a = stage.first(registered=False)
    contract = a.diary.new_contract(title="Practice")
    a.diary.set_setting("hold_seconds", 60)
    a.clock.put(stage.clock.now_ms() + 15 * 60_000)
    wrong = Slot(slot_at(a.clock.now_ms()) - 1)
    place = record_slot(a.diary, contract, wrong)
    a.diary.note_notice(place, "bus :1.7 3")
    register(a.diary, a.line)
    a.diary.send_asked()
    a.sync()
    ((segment,),) = [a.diary.week(week).segments for week in a.diary.weeks()]
    (notice,) = a.diary.notices()
    assert notice.place == (contract.id, segment.slot) != place
    assert segment.state == "held"
    a.diary.remove([notice.place])
    assert a.diary.notices() == ()


@rule("R40")
@rule("R44")
def test_a_text_stamped_ahead_of_the_servers_clock_is_sent_anew_with_a_corrected_stamp(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    place = (contract.id, TEN)
    a.clock.put(stage.clock.now_ms() + HOUR_MS)
    with Diary.open(a.diary.home, clock=a.clock) as elsewhere:
        elsewhere.edit([place], memo="typed by a clock an hour ahead")
    a.clock.put(stage.clock.now_ms())
    report = a.sync()
    assert (report.refused, report.postponed) == ((), ())
    b.sync()
    assert b.segment(place).memo == "typed by a clock an hour ahead"
    b.clock.put(instant("2026-11-18T12:01Z"))
    stage.clock.put(b.clock.now_ms())
    b.diary.edit([place], memo="typed a minute later")
    b.sync()
    a.sync()
    assert a.segment(place).memo == b.segment(place).memo == "typed a minute later"


@rule("R17")
@rule("R20")
@pytest.mark.parametrize("ahead_ms", [15 * 60_000, 3 * HOUR_MS, 5 * 365 * 24 * HOUR_MS])
def test_a_clock_that_was_ahead_holds_nothing_back_and_takes_no_memo(stage: Stage, ahead_ms: int) -> None:
    """The end of the notice period and the memo's stamp were by the wrong clock too: hours or years away."""
    a = stage.first(registered=False)
    contract = a.diary.new_contract(title="Practice")
    a.clock.put(stage.clock.now_ms() + ahead_ms)
    wrong = Slot(slot_at(a.clock.now_ms()) - 1)
    record_slot(a.diary, contract, wrong, memo="by a clock that was ahead")
    register(a.diary, a.line)
    a.diary.send_asked()
    a.sync()
    ((segment,),) = [a.diary.week(week).segments for week in a.diary.weeks()]
    true = slot_at(Millis(starts_at_ms(wrong) + 300_000 - ahead_ms))
    assert (segment.slot, segment.state, segment.memo) == (true, "synced", "by a clock that was ahead")
