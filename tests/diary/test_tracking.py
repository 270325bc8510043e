"""What the tracker is asked to do, and the settings."""

from pathlib import Path

import pytest

from diary import settings, tracking
from diary.contracts import UnknownLabelError
from diary.diary import Diary
from diary.errors import RefusedError
from diary.rules.ids import Millis
from tests.practice import practice_diary
from tests.rule import rule


@rule("R11")
def test_the_wish_is_read_by_every_process_that_opens_the_diary(tmp_path: Path) -> None:
    diary, clock, contract = practice_diary(tmp_path, labels=["code"])
    with diary, Diary.open(diary.home, clock=clock) as other:
        assert other.tracking().contract is None
        diary.start(contract.id, "first", "code")
        wish = other.tracking()
        assert (wish.on, wish.contract, wish.since_ms) == (True, contract.id, clock.now_ms())
        assert wish.memo is not None
        assert wish.label is not None
        assert (wish.memo.text, wish.label.text) == ("first", "code")
        other.stop()
        assert (diary.tracking().on, diary.tracking().contract) == (False, None)
        assert diary.tracking().last_contract == contract.id


@rule("R36")
def test_a_memo_is_stamped_when_it_is_typed_and_later_than_the_one_before(tmp_path: Path) -> None:
    diary, clock, contract = practice_diary(tmp_path)
    with diary:
        diary.start(contract.id, "first")
        typed_at = clock.now_ms()
        clock.put(typed_at - 5000)
        diary.set_memo("second")
        memo = diary.tracking().memo
        assert memo is not None
        assert (memo.text, memo.stamp) == ("second", (typed_at + 1, diary.replica))


@rule("R23")
def test_a_pause_ends_by_itself(tmp_path: Path) -> None:
    diary, clock, contract = practice_diary(tmp_path)
    with diary:
        diary.start(contract.id)
        until = Millis(clock.now_ms() + 1_800_000)
        diary.pause_until(until)
        assert (diary.tracking().on, diary.tracking().paused_until_ms) == (False, until)
        clock.put(until)
        assert (diary.tracking().on, diary.tracking().paused_until_ms) == (True, None)


def test_a_memo_needs_something_that_is_tracked(tmp_path: Path) -> None:
    diary, _, _ = practice_diary(tmp_path)
    with diary:
        with pytest.raises(tracking.NotTrackingError) as fault:
            diary.set_memo("x")
        assert fault.value.exit_code == 1
        with pytest.raises(tracking.NotTrackingError):
            diary.pause_until(Millis(0))


@rule("R9")
def test_tracking_does_not_start_on_a_contract_that_is_not_active(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path)
    with diary:
        diary.change_terms(contract.id, state="closed")
        with pytest.raises(RefusedError) as fault:
            diary.start(contract.id)
        assert (fault.value.reason, fault.value.exit_code) == ("contract_closed", 3)


@rule("R7")
def test_a_label_is_one_of_the_contracts(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path, labels=["code"])
    with diary:
        with pytest.raises(UnknownLabelError):
            diary.start(contract.id, label="sleep")
        diary.start(contract.id)
        with pytest.raises(UnknownLabelError):
            diary.set_label("sleep")
        diary.set_label("code")
        label = diary.tracking().label
        assert label is not None
        assert label.text == "code"


def test_a_text_has_a_bound(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path)
    with diary, pytest.raises(tracking.TooLongTextError):
        diary.start(contract.id, "x" * 10_001)


@rule("R17")
def test_a_setting_has_a_default_and_takes_only_its_own_kind_of_value(tmp_path: Path) -> None:
    diary, clock, _ = practice_diary(tmp_path)
    with diary:
        assert diary.setting("hold_seconds") == 60
        diary.set_setting("hold_seconds", "5")
        diary.set_setting("clock_24h", "off")
        diary.set_setting("zone", "Asia/Kathmandu")
        for name, value in (
            ("hold_seconds", "soon"),
            ("hold_seconds", -1),
            ("clock_24h", "perhaps"),
            ("zone", "Mars"),
        ):
            with pytest.raises(settings.BadSettingError):
                diary.set_setting(name, value)
        with pytest.raises(settings.UnknownSettingError, match="no setting"):
            diary.setting("colour")
    with Diary.open(diary.home, clock=clock) as again:
        kept = [again.setting(name) for name in ("hold_seconds", "clock_24h", "zone")]
        assert kept == [5, False, "Asia/Kathmandu"]


@rule("R46")
def test_a_memo_of_bytes_that_are_no_text_is_refused_before_anything_is_kept(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path)
    with diary:
        with pytest.raises(tracking.UnreadableTextError):
            diary.start(contract.id, "bad \udcff byte")
        assert diary.tracking().contract is None
        diary.start(contract.id, "first")
        with pytest.raises(tracking.UnreadableTextError):
            diary.set_memo("bad \ud800")
        memo = diary.tracking().memo
        assert memo is not None
        assert memo.text == "first"
