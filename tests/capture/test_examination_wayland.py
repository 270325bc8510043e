"""What doctor says of a Wayland desktop, which gives less (R14, R70)."""

from pathlib import Path

import pytest

from capture.examination import checks
from tests.practice import practice_diary
from tests.rule import rule
from tests.sway import Sway

pytestmark = pytest.mark.screen


@rule("R14")
@rule("R70")
def test_what_sway_does_not_give_is_named_and_the_rest_is_fine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    diary, _, _ = practice_diary(tmp_path)
    diary.set_setting("notify", False)  # whether they are shown is the session bus's matter, not sway's
    with Sway.start(title="Ledger — draft") as sway, diary:
        for name, value in sway.environment().items():
            monkeypatch.setenv(name, value)
        found = {check.name: check for check in checks(diary)}
    assert {name: check.outcome for name, check in found.items()} == {
        "tracker": "fine",
        "notification": "fine",
        "screen": "fine",
        "titles": "fine",
        "input": "warning",
        "presence": "fine",
    }
    assert "lets no program count" in found["input"].says
    assert "1280 by 720" in found["screen"].says
