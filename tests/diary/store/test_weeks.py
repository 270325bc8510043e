"""The weeks that hold anything are those of all that is held (R2)."""

from pathlib import Path

from diary.rules.ids import Slot
from diary.rules.week import Week
from diary.store import versions
from diary.store.weeks import weeks_held
from tests.practice import draft_of, practice_diary, record_slot, slot
from tests.rule import rule


@rule("R2")
def test_each_week_that_holds_a_slot_is_named_once_the_newest_first(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path, "2026-08-01T00:00Z")
    with diary:
        assert list(weeks_held(diary._state.connection)) == []
        # The last slot of a week, the first of the next, weeks left out, and several of one.
        for time in ("2026-08-16T23:50Z", "2026-08-17T00:00Z", "2026-10-05T09:00Z", "2026-10-08T09:00Z"):
            record_slot(diary, contract, slot(time))
        diary.keep_draft(draft_of(contract, slot("2026-11-02T09:00Z"), replica=diary.replica))
        diary.keep_draft(draft_of(contract, Slot(slot("2026-10-08T09:00Z") + 1), replica=diary.replica))
        held = versions.slots_held(diary._state.connection)
        expected = list(dict.fromkeys(map(Week.of, held)))
        assert list(weeks_held(diary._state.connection)) == expected
        assert diary.weeks() == tuple(expected)
    assert [week.name for week in expected] == ["2026-W45", "2026-W41", "2026-W34", "2026-W33"]
