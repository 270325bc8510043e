"""A page of a server that was restored from an older copy works on and raises no alarm (R43)."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.seen_by_server import ASKED
from tests.practice import slot
from tests.rule import rule
from tests.sync.client.conftest import Client, Room, clients_of, work
from tests.sync.client.test_answers import reread, says
from tests.sync.client.test_page_audits import summary
from tests.sync.restoring import RestoringStage, restoring_stage, sync_in_turn
from tests.sync.stage import Device

pytestmark = pytest.mark.browser


@dataclass
class Restoring:
    """A room whose server can be restored."""

    stage: RestoringStage
    room: Room

    def work_at(self, device: Device, at: str, memos: str) -> None:
        """Record so much on the Wednesday from then on, and sync it when nothing of it is held back."""
        self.stage.put_clocks(f"2026-11-18T{at[:2]}:50Z")
        work(device, self.room.contract, slot(f"2026-11-18T{at}Z"), memos)
        device.sync()


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
        restoring.work_at(room.device, "13:00", "de")
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


LAST_TURN = 2
SAYS_LOST = "The server was restored from an older copy; {} entries of its log were lost."


def until(one: Client, holds: Callable[[], bool]) -> None:
    """Open the page again and wait until what it read shows; other machines' work may take long."""
    one.page.reload()
    for _ in range(300):
        if holds():
            return
        one.page.wait_for_timeout(200)
    pytest.fail("the page never came to it")


@rule("R43")
@rule("R56")
def test_a_page_that_is_the_first_to_come_to_a_restored_server_blames_nobody_and_has_it_state_its_loss(
    restoring: Restoring, chromium: Browser
) -> None:
    stage, room = restoring.stage, restoring.room
    other = stage.another(room.device.diary.phrase() or "")
    with clients_of(room, chromium) as opened:
        one: Client = opened()
        shown: list[dict[str, Any]] = []
        one.page.context.on(
            "request",
            lambda asked: (
                shown.append(json.loads(asked.post_data or "")) if "/v1/heal" in asked.url else None
            ),
        )
        one.join(room.invite())
        # Nothing, as much, and more was received in the places of what was lost.
        for turn, (lost, regrown) in enumerate([("a", ""), ("bc", "de"), ("fgh", "ijkl")]):
            sync_in_turn(room.device, other)
            backup = stage.back_up()
            restoring.work_at(room.device, f"{13 + 2 * turn}:00", lost)
            until(one, lambda: one.week() == room.week())
            whole = len(one.week()["segments"])
            stage.restore(backup)
            if regrown:
                restoring.work_at(other, f"{14 + 2 * turn}:00", regrown)
            if turn == LAST_TURN:
                # What is written first names no log that the server lost.
                one.go("terms")
                one.page.get_by_role("button", name="Pause").click()
                one.page.get_by_role("button", name="Pause this contract").click()
                says(one, "paused")
                one.go("")
            one.page.reload()
            expect(one.page.locator("main")).to_contain_text(SAYS_LOST.format(2 * len(lost)), timeout=60_000)
            assert len(one.week()["segments"]) == whole - len(lost) + len(regrown)
            assert summary(one)["alarms"] == []
            assert len(shown) == turn + 1, "it is asked once"

            sync_in_turn(room.device, other, room.device)
            until(one, lambda: one.week() == room.week())
            assert len(one.week()["segments"]) == whole + len(regrown)
            assert summary(one)["alarms"] == []
            assert room.device.diary.alarms() == other.diary.alarms() == ()
        said = [each["what"] for each in summary(one)["notices"]]
        assert said == [SAYS_LOST.format(count) for count in (2, 4, 6)]
        expect(one.page.get_by_role("alert")).to_have_count(0)
    assert all(each["heads"] and not each["rows"] and "is_all" not in each for each in shown)
    assert all(each.keys() <= ASKED["/v1/heal"] for each in shown)


WAITED = """async ([id, waited_ms]) => {
  const store = await (await import("/client/store.js")).openStore();
  const contract = await store.contract(id);
  await store.keep(Object.assign(contract, { unanswered: { ...contract.unanswered, waited_ms } }));
}"""


@rule("R43")
@rule("R56")
def test_a_server_that_never_answers_for_its_log_is_told_of_at_once_and_an_alarm_after_a_week(
    restoring: Restoring, chromium: Browser
) -> None:
    stage, room = restoring.stage, restoring.room
    with clients_of(room, chromium) as opened:
        one: Client = opened()
        one.join(room.invite())
        room.device.sync()
        backup = stage.back_up()
        restoring.work_at(room.device, "13:00", "de")
        until(one, lambda: one.week() == room.week())
        whole = one.week()
        stage.restore(backup)
        one.page.context.route("**/v1/heal", lambda route: route.fulfill(status=503))
        one.page.reload()
        expect(one.page.locator("#alarms")).to_contain_text("does not answer for its record", timeout=60_000)
        assert (summary(one)["alarms"], one.week()) == ([], whole), "nothing is taken, nobody blamed yet"

        one.page.evaluate(WAITED, [room.contract.id, 7 * 24 * 3_600_000 - 1])
        one.page.reload()
        expect(one.page.get_by_role("alert").first).to_contain_text("Alarm (unanswered)", timeout=60_000)
        (alarm,) = summary(one)["alarms"]
        assert {each["domain"] for each in alarm["evidence"]} == {"workdiary/1/head"}
        assert len(alarm["evidence"]) >= 2

        one.page.context.unroute("**/v1/heal")
        one.page.reload()
        expect(one.page.locator("main")).to_contain_text(SAYS_LOST.format(4), timeout=60_000)
        assert summary(one)["unanswered"] is None
        assert [each["kind"] for each in summary(one)["alarms"]] == ["unanswered"], "it stays"


@rule("R43")
@rule("R51")
def test_a_browser_that_joined_after_the_backup_is_let_in_again_once_a_device_has_synced(
    restoring: Restoring, chromium: Browser
) -> None:
    stage, room = restoring.stage, restoring.room
    with clients_of(room, chromium) as opened:
        one: Client = opened()
        link = room.invite()
        backup = stage.back_up()
        one.join(link)
        room.device.sync()
        reread(one)
        whole = one.week()
        stage.restore(backup)
        one.page.reload()
        says(one, "The server does not know this browser's access.")
        assert (summary(one)["alarms"], one.week()) == ([], whole)

        sync_in_turn(room.device, room.device)
        one.page.reload()
        expect(one.page.locator("main")).to_contain_text("The server was restored", timeout=60_000)
        until(one, lambda: one.week() == room.week())
        assert one.week() == whole
        assert summary(one)["alarms"] == []
        one.go("terms")
        one.page.get_by_role("button", name="Pause").click()
        one.page.get_by_role("button", name="Pause this contract").click()
        says(one, "paused")
