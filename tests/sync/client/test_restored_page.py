"""A page of a server that was restored from an older copy works on and raises no alarm (R43)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.practice import slot
from tests.rule import rule
from tests.sync.client.conftest import Client, Room, clients_of, work
from tests.sync.client.test_answers import reread, says
from tests.sync.client.test_page_audits import summary
from tests.sync.restoring import RestoringStage, restoring_stage

pytestmark = pytest.mark.browser


@dataclass
class Restoring:
    """A room whose server can be restored."""

    stage: RestoringStage
    room: Room


@pytest.fixture
def restoring(tmp_path: Path) -> Iterator[Restoring]:
    with restoring_stage(tmp_path, None, None) as stage:
        device = stage.first()
        contract = device.diary.new_contract(
            title="Orchard booking site", client="Ada", rate_minor=6000, currency="USD"
        )
        work(device, contract, slot("2026-11-18T09:00Z"), "aab")
        device.sync()
        yield Restoring(stage, Room(stage, device, contract))


@rule("R43")
def test_a_page_of_a_restored_server_says_what_was_lost_works_on_and_is_whole_again_once_it_is_healed(
    restoring: Restoring, chromium: Browser
) -> None:
    stage, room = restoring.stage, restoring.room
    with clients_of(room, chromium) as opened:
        one: Client = opened()
        one.join(room.invite())
        room.device.sync()
        backup = stage.back_up()
        stage.put_clocks("2026-11-18T13:30Z")
        work(room.device, room.contract, slot("2026-11-18T13:00Z"), "de")
        room.device.sync()
        reread(one)
        whole = one.week()
        assert whole == room.week()
        assert len(whole["segments"]) == 5

        stage.restore(backup)
        stage.say_restored()
        reread(one)
        says_lost = "The server was restored from an older copy; 4 entries of its log were lost."
        expect(one.page.locator("main")).to_contain_text(says_lost)
        assert [each["slot"] for each in one.week()["segments"]] == [
            each["slot"] for each in whole["segments"] if each["slot"] < slot("2026-11-18T13:00Z")
        ]
        one.go("terms")
        one.page.get_by_role("button", name="Pause").click()
        one.page.get_by_role("button", name="Pause this contract").click()
        says(one, "paused")

        room.device.sync()
        room.device.sync()
        reread(one)
        assert one.week() == room.week()
        assert len(one.week()["segments"]) == 5
        assert summary(one)["alarms"] == []
        expect(one.page.get_by_role("alert")).to_have_count(0)
        assert room.device.diary.alarms() == ()
        (known,) = (each for each in room.device.diary.contracts() if each.id == room.contract.id)
        assert known.terms.state == "paused"
