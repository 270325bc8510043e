"""Late time that the client accepted stands as it is (R37, R38)."""

import pytest

from diary.rules.change import Refused, decide
from diary.rules.segment import Header
from tests.diary.rules.made import DESKTOP, LAPTOP, LOCK, capture, entry, history, received
from tests.rule import rule

LATE = [received(capture(LAPTOP, 1), LOCK + 1), received(entry(LAPTOP, 2), LOCK + 1)]
DELETION = entry(LAPTOP, 9, covers={LAPTOP: 2}, life=1, commit=None, epoch=None)
EDIT = entry(LAPTOP, 9, covers={LAPTOP: 2})


@rule("R38")
@pytest.mark.parametrize("header", [DELETION, EDIT], ids=["deletion", "edit"])
def test_late_time_is_deleted_and_edited_until_the_client_accepts_it(header: Header) -> None:
    before = decide(header, LATE, history(), LOCK)
    after = decide(header, LATE, history(), LOCK, accepted=True)
    assert not isinstance(before, Refused)
    assert isinstance(after, Refused)
    assert (after.reason, "accepted" in after.because) == ("week_locked", True)


@rule("R36")
@rule("R38")
def test_another_devices_capture_of_the_same_ten_minutes_still_joins_it() -> None:
    assert not isinstance(decide(capture(DESKTOP, 1), LATE, history(), LOCK, accepted=True), Refused)
