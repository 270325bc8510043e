"""What doctor looks at of the server (R70)."""

from diary.doctor import Check
from sync.examination import checks
from tests.rule import rule
from tests.sync.stage import Device, Stage


def found(device: Device) -> dict[str, Check]:
    return {check.name: check for check in checks(device.diary)}


@rule("R70")
def test_a_server_that_answers_and_a_sync_of_just_now_are_fine(stage: Stage) -> None:
    device = stage.first()
    assert {name: check.outcome for name, check in found(device).items()} == {
        "server": "fine",
        "sync": "fine",
    }
    assert stage.url in found(device)["server"].says


@rule("R70")
def test_an_unregistered_diary_lacks_nothing(stage: Stage) -> None:
    assert [check.outcome for check in found(stage.first(registered=False)).values()] == ["fine"]


@rule("R70")
def test_a_clock_that_is_off_is_said_by_how_much(stage: Stage) -> None:
    device = stage.first()
    device.clock.put(device.clock.now_ms() - 10 * 60_000)
    server = found(device)["server"]
    assert server.outcome == "warning"
    assert "differs by 600" in server.says
    assert "NTP" in server.mend


@rule("R70")
def test_another_server_at_the_same_address_is_a_fault(stage: Stage) -> None:
    device = stage.first()
    device.diary.link_server(stage.url, "00" * 32)
    assert found(device)["server"].outcome == "fault"


@rule("R70")
def test_a_server_that_is_away_is_a_warning_with_its_remedy(stage: Stage) -> None:
    device = stage.first()
    device.diary.link_server("http://127.0.0.1:9", "00" * 32)
    away = found(device)["server"]
    assert away.outcome == "warning"
    assert away.mend
