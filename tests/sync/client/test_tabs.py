"""Several contracts and tabs in one browser: nothing written is lost, no number is used twice (R33)."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from diary.rules.ids import ContractId, Slot
from tests.practice import slot
from tests.rule import rule
from tests.sync.client.conftest import Client, Room, work
from tests.sync.client.test_page_audits import summary
from tests.sync.stage import Device

pytestmark = pytest.mark.browser
# What somebody in a hurry does in one tab: it is begun, and goes on beside what another tab does.
BEGIN = """([contract, words, acts]) => {
  const done = import("/client/asking.js").then(async ({ Asking }) => {
    const asking = new Asking(() => undefined);
    const writes = words.map((text) => asking.ask("write", { contract, kind: "text", text, files: [] }));
    await Promise.all([...writes, ...(acts.length ? [asking.ask("act", { contract, acts })] : [])]);
    await asking.ask("sync", { contract });
  });
  globalThis.done = done;
}"""
FINISH = "() => globalThis.done"
PAUSE = {"type": "terms", "part": {"state": "paused"}, "content": None}


def numbers_of_the_seat(device: Device, contract: ContractId) -> list[int]:
    """Return the numbers that the client's seat used in the contract's log, in its order."""
    rows = device.diary._state.connection.execute(
        "SELECT n FROM version WHERE contract = ? AND replica = "
        "(SELECT replica FROM version WHERE contract = ? AND type = 'joining') ORDER BY leaf_index",
        (contract, contract),
    )
    return [n for (n,) in rows]


@rule("R33")
@rule("R68")
def test_two_tabs_on_one_contract_lose_nothing_and_use_no_number_twice(
    room: Room, client: Callable[..., Client]
) -> None:
    one = client()
    one.join(room.invite())
    room.device.sync()
    other = Client(room, one.page.context.new_page())
    other.go("messages")
    expect(other.page.get_by_role("heading", name="Messages")).to_be_visible()
    first, second = ([f"{tab} {number}" for number in range(4)] for tab in ("first", "second"))
    one.page.evaluate(BEGIN, [room.contract.id, first, [PAUSE]])
    other.page.evaluate(BEGIN, [room.contract.id, second, []])
    for tab in (one, other):
        tab.page.evaluate(FINISH)
    room.device.sync()
    said = [each.text for each in room.device.diary.conversation(room.contract.id).messages]
    assert sorted(said) == sorted(first + second)
    for words in (first, second):
        assert [text for text in said if text in words] == words  # as its tab wrote them
    numbers = numbers_of_the_seat(room.device, room.contract.id)
    assert sorted(numbers) == list(range(1, 2 + len(said) + 1))  # the joining, the messages, the pause
    assert summary(one)["waits"] == summary(other)["waits"] == 0
    assert summary(one)["alarms"] == []
    assert room.device.diary.alarms() == ()
    (known,) = (each for each in room.device.diary.contracts() if each.id == room.contract.id)
    assert known.terms.state == "paused"
    assert one.week() == other.week() == room.week()


@rule("R51")
@rule("R64")
def test_two_contracts_in_one_browser_stand_apart(room: Room, client: Callable[..., Client]) -> None:
    second = room.device.diary.new_contract(title="Vineyard", client="Ada", rate_minor=4500, currency="EUR")
    room.stage.put_clocks("2026-11-18T12:40Z")
    work(room.device, second, Slot(slot("2026-11-18T12:00Z")), "xy")
    one = client()
    one.join(room.invite())
    there = replace(room, contract=second)
    other = Client(there, one.page)
    other.join(there.invite())
    one.go("")
    expect(one.page.get_by_role("link", name="All contracts")).to_be_visible()
    assert one.week() == room.week()
    assert other.week() == there.week()
    assert [each["slot"] for each in other.week()["segments"]] == [
        slot("2026-11-18T12:00Z"),
        slot("2026-11-18T12:10Z"),
    ]
    one.page.goto(f"{room.stage.url}/join#/")
    for title in ("Orchard booking site", "Vineyard"):
        expect(one.page.get_by_role("link", name=title)).to_be_visible()
    other.go("terms")
    one.page.get_by_role("button", name="Pause").click()
    one.page.get_by_role("button", name="Pause this contract").click()
    expect(one.page.locator("#status")).to_contain_text("paused")
    room.device.sync()
    states = {each.id: each.terms.state for each in room.device.diary.contracts()}
    assert (states[room.contract.id], states[second.id]) == ("active", "paused")
    assert (summary(one)["alarms"], summary(other)["alarms"]) == ([], [])
