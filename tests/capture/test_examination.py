"""What doctor looks at on a real desktop (R70)."""

import threading
from pathlib import Path

import pytest

from capture.examination import checks
from tests.desktop import Desktop
from tests.practice import practice_diary
from tests.rule import rule

pytestmark = pytest.mark.screen


@rule("R70")
def test_a_desktop_that_can_be_recorded_passes_and_shows_no_text(desktop: Desktop, tmp_path: Path) -> None:
    diary, _, _ = practice_diary(tmp_path)
    typing = threading.Thread(
        target=desktop.type_text, args=("planted words\n" * 8,), kwargs={"delay_ms": 40}
    )
    typing.start()
    with diary:
        found = {check.name: check for check in checks(diary)}
    typing.join()
    assert {name: check.outcome for name, check in found.items()} == dict.fromkeys(
        ("tracker", "screen", "titles", "input", "presence"), "fine"
    )
    assert "1280 by 800" in found["screen"].says
    assert "something came just now" in found["input"].says
    assert "Ledger" not in " ".join(check.says for check in found.values())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Xlib's, of a failed connect
@rule("R16")
@rule("R70")
def test_a_display_that_is_gone_is_a_fault_with_its_remedy(desktop: Desktop, tmp_path: Path) -> None:
    diary, _, _ = practice_diary(tmp_path)
    desktop.kill_server()
    with diary:
        found = {check.name: check for check in checks(diary)}
    assert [found[name].outcome for name in ("screen", "input")] == ["fault", "fault"]
    assert all(check.mend for check in found.values() if check.outcome != "fine")
