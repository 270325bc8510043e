"""The freelancer's zone reaches who may read their captures (R5)."""

from pathlib import Path

import msgspec

from diary.rules.sealed_content import CaptureContent, content_bytes
from tests.diary.rules.made import capture_content
from tests.practice import practice_diary, record_slot, slot
from tests.rule import rule

TEN, ELEVEN = slot("2026-11-18T10:00Z"), slot("2026-11-18T11:00Z")


@rule("R5")
def test_the_newest_capture_tells_the_zone_of_the_setting(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path, at="2026-11-18T10:00Z")
    with diary:
        assert diary.freelancers_zone() is None
        diary.set_setting("zone", "Asia/Kathmandu")
        record_slot(diary, contract, TEN)
        assert diary.freelancers_zone() == "Asia/Kathmandu"
        diary.set_setting("zone", "America/New_York")
        assert diary.freelancers_zone() == "Asia/Kathmandu"
        record_slot(diary, contract, ELEVEN)
        assert diary.freelancers_zone() == "America/New_York"


@rule("R5")
def test_what_was_recorded_before_zones_were_told_opens_and_tells_none() -> None:
    before, now = capture_content(), capture_content(zone="Asia/Kathmandu")
    assert b"zone" not in content_bytes(before)
    assert [msgspec.json.decode(content_bytes(one), type=CaptureContent).zone for one in (before, now)] == [
        "",
        "Asia/Kathmandu",
    ]
