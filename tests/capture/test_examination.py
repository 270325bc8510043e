"""What doctor looks at on a real desktop (R70)."""

import threading
from pathlib import Path

import pytest

from capture.examination import checks
from diary.doctor import Check
from tests.desktop import Desktop
from tests.notification_desktop import NotificationDesktop
from tests.plain_service import plain_service
from tests.practice import practice_diary
from tests.rule import rule

pytestmark = pytest.mark.screen


@pytest.fixture(autouse=True)
def _no_bus(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)


@rule("R17")
@rule("R70")
def test_a_notification_is_shown_and_what_it_can_have_is_said(
    desktop: Desktop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    diary, _, _ = practice_diary(tmp_path)

    def said() -> Check:
        return next(check for check in checks(diary) if check.name == "notification")

    with diary, NotificationDesktop.on(desktop, tmp_path / "bus") as screen:
        for name, value in screen.environment().items():
            monkeypatch.setenv(name, value)
        assert said() == Check("notification", "fine", "A notification was shown by dunst, with a button.")
        assert screen.shown() == 0
        screen.be_quiet(quiet=True)
        assert "told not to disturb" in said().says
        screen.stop_daemon()
        with plain_service(screen.environment()["DBUS_SESSION_BUS_ADDRESS"], "body"):
            assert said().says == "A notification was shown, but plain offers no buttons and no pictures."
        assert said().says == "This desktop shows no notifications."
        diary.set_setting("notify", False)
        assert said().outcome == "fine"


@rule("R13")
@rule("R70")
def test_the_camera_is_looked_at_only_when_it_is_on(desktop: Desktop, tmp_path: Path) -> None:
    diary, _, _ = practice_diary(tmp_path)
    with diary:
        assert "camera" not in {check.name for check in checks(diary)}
        diary.set_setting("camera", True)
        diary.set_setting("camera_source", str(tmp_path / "none"))
        camera = next(check for check in checks(diary) if check.name == "camera")
        assert (camera.outcome, camera.mend) == ("fault", "Or turn it off: diary config camera off.")


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
    ) | {"notification": "warning"}  # this desktop has no session bus
    assert found["notification"].mend == "Remove a snapshot with diary remove @last, or on the pages."
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
