"""The segment under way, kept and found again."""

import pytest

from capture.draft import Draft, Snapshot
from capture.kept import found_again, to_keep
from diary.rules.ids import ContractId, Millis, ReplicaId, Slot
from diary.rules.sealed_content import MinuteCounts, Moment, StampedText
from diary.store.drafts import CaptureDraft
from tests.rule import rule

MILL = ContractId("a" * 32)
MINUTES = (MinuteCounts(3, 1, 0, os_active=True), *(None,) * 9)
MEMO = StampedText("page seven", (Millis(5), ReplicaId("e" * 32)))
MOMENT = Moment(wall_ms=Millis(7), monotonic_ms=8, boot="b")


@rule("R19")
@pytest.mark.parametrize(
    "draft",
    [
        Draft(MILL, Slot(3), Millis(9)),
        Draft(MILL, Slot(3), Millis(9), MINUTES, MEMO, MEMO),
        Draft(MILL, Slot(3), Millis(9), MINUTES, missed=True),
        Draft(
            MILL,
            Slot(3),
            Millis(9),
            MINUTES,
            snapshot=Snapshot(MOMENT, "Editor", "t", None, (("screen", b"x"),)),
        ),
        Draft(MILL, Slot(3), Millis(9), MINUTES, snapshot=Snapshot(MOMENT, "Editor", "t", "black")),
        Draft(MILL, Slot(3), Millis(9), MINUTES, snapshot=Snapshot(MOMENT, masked=True)),
    ],
)
def test_what_is_kept_is_found_again(draft: Draft) -> None:
    assert found_again(to_keep(draft)) == draft


@rule("R12")
def test_the_mark_of_a_removed_segment_is_found_as_one() -> None:
    assert found_again(CaptureDraft(contract=MILL, slot=Slot(3), removed=True)).removed
