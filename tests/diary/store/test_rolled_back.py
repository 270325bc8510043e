"""What a transaction had in memory goes with it when it is rolled back (R19, R33)."""

from pathlib import Path

import msgspec
import pytest

from diary.diary import Diary
from diary.rules.ids import Slot
from diary.store.connection import DiskFullError
from tests.practice import draft_of, practice_diary, record_slot, slot
from tests.rule import rule
from tests.small_disk import fill, small_disk

NINE = slot("2026-11-16T09:00Z")
LONG = "of a full disk " * 600


@rule("R33")
def test_a_number_that_was_given_back_names_what_another_process_wrote_under_it(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", kibibytes=4096) as disk:
        diary, clock, contract = practice_diary(disk)
        with diary, Diary.open(diary.home, clock=clock) as other:
            first, second = (record_slot(diary, contract, Slot(NINE + at)) for at in range(2))
            filler = fill(disk)
            with pytest.raises(DiskFullError):
                diary.edit([first], memo=LONG)
            filler.unlink()
            assert other.edit([second], memo="of the other process").done == (second,)
            shown = [diary.segment(place) for place in (first, second)]
            assert [one and one.memo for one in shown] == ["practising", "of the other process"]


@rule("R19")
def test_a_picture_that_found_no_room_is_sealed_at_the_next_minute(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", kibibytes=4096) as disk:
        diary, _, contract = practice_diary(disk)
        with diary:
            draft = draft_of(contract, NINE)
            diary.keep_draft(draft)
            masked = msgspec.structs.replace(draft, pictures=(("screen", b"masked " * 9000),))
            filler = fill(disk)
            with pytest.raises(DiskFullError):
                diary.keep_draft(masked)
            filler.unlink()
            assert diary.drafts() == (draft,)
            assert diary.keep_draft(masked)
            assert diary.drafts() == (masked,)
