"""Weeks that a real server bills: what each replica then holds, and what it asks for (R61, R62, R63)."""

from diary.contracts import Contract
from diary.rules.week import Week
from tests.diary.typed import Typist
from tests.practice import SCREEN, record_slot, slot
from tests.rule import rule
from tests.sync.clients import invited, join_in
from tests.sync.liar import kinds
from tests.sync.stage import Device, Stage

NINE = slot("2026-11-18T09:00Z")
WEEK = Week.of(NINE)
TUESDAY = "2026-11-24T09:00Z"
WEDNESDAY_AFTER = "2026-12-02T00:00Z"
PATH = "POST /v1/invoices"


def work(device: Device, contract: Contract, first: str, segments: int) -> None:
    for number in range(segments):
        at = type(NINE)(slot(first) + number)
        record_slot(device.diary, contract, at, picture=SCREEN + str(at).encode())


def synced(*devices: Device) -> None:
    for device in devices:
        device.sync()


def locked(stage: Stage, device: Device, at: str = TUESDAY) -> None:
    """Let a lock pass, and have the server close the week: with the first row that comes after it."""
    stage.put_clocks(at)
    device.diary.new_contract(title=f"After {at}")
    synced(device, device)


@rule("R61")
@rule("R62")
@rule("R66")
def test_two_contracts_of_one_client_go_on_one_bill_and_each_party_comes_to_the_same(stage: Stage) -> None:
    device = stage.first()
    orchard = device.diary.new_contract(title="Orchard", client="Ada", rate_minor=6001, currency="EUR")
    mill = device.diary.new_contract(title="Mill", client="Ada", rate_minor=777, currency="EUR")
    yen = device.diary.new_contract(title="Garden", client="Bo", rate_minor=4321, currency="JPY")
    for first, contract, segments in (("08:00", orchard, 7), ("10:00", mill, 1), ("11:00", yen, 2)):
        work(device, contract, f"2026-11-18T{first}Z", segments)
    client = join_in(stage, invited(device, orchard))
    synced(device, client)
    locked(stage, device)
    synced(client, client)
    views = {view.client: view for view in device.diary.invoices()}
    assert [view.agrees for view in views.values()] == [True, True]
    assert sorted(view.number for view in views.values()) == [1, 2]
    ada = {line.title: line.amount_minor for line in views["Ada"].lines}
    assert ada == {"Orchard": 7001, "Mill": 130}, "7 x 60.01 / 6 = 70.01(16), 1 x 7.77 / 6 = 1.29(5), half up"
    assert (views["Ada"].due_minor, views["Bo"].due_minor, views["Bo"].currency) == (7131, 1440, "JPY")
    (mine,) = client.diary.invoices()
    assert (mine.number, mine.is_part, mine.due_minor) == (views["Ada"].number, True, 7001)
    assert kinds(device) == kinds(client) == []
    typist = Typist(device.diary.home, device.clock)
    listed = typist.types("invoice").out
    assert "71.31 EUR" in listed
    assert "1440 JPY" in listed
    shown = typist.types("invoice", str(views["Ada"].number)).out
    assert "Orchard" in shown
    assert "Total 71.31 EUR. in review; security period from Sat 28 Nov 2026, 00:00 UTC." in shown
    assert typist.types("invoice", "2026-W46").out.startswith("No invoice yet")
    assert typist.types("invoice", "9", says=1).err.startswith("There is no invoice 9 here.")


@rule("R61")
def test_nothing_extra_is_asked_where_there_is_nothing_to_do(stage: Stage) -> None:
    device = stage.first()
    contract = device.diary.new_contract(title="Orchard", client="Ada", rate_minor=6000)
    work(device, contract, "2026-11-18T09:00Z", 1)
    synced(device, device)
    assert PATH not in device.failing.paths
    locked(stage, device)
    assert device.failing.paths.count(PATH) == 1
    device.failing.paths.clear()
    synced(device, device)
    assert device.failing.paths.count(PATH) <= 1
    device.failing.paths.clear()
    stage.put_clocks("2026-11-26T09:00Z")
    synced(device, device)
    assert PATH not in device.failing.paths


@rule("R38")
@rule("R62")
@rule("R63")
def test_disputes_late_time_a_bonus_and_payments_come_to_the_same_on_both_sides(stage: Stage) -> None:
    device = stage.first()
    contract = device.diary.new_contract(title="Orchard", client="Ada", rate_minor=6000)
    work(device, contract, "2026-11-18T09:00Z", 6)
    client = join_in(stage, invited(device, contract))
    synced(device)
    record_slot(device.diary, contract, slot("2026-11-20T09:00Z"), picture=SCREEN + b"late")
    stage.put_clocks(TUESDAY)
    freelancer, theirs = Typist(device.diary.home, device.clock), Typist(client.diary.home, client.clock)
    freelancer.types("late", "send")
    synced(device, client, device, client)
    theirs.types("late", "accept")
    theirs.types("bonus", "Orchard", "12.50", "For the launch")
    theirs.types("dispute", "2026-11-18 9:00", "2026-11-18 9:10", "--reason", "Nothing moves")
    synced(client, device)
    freelancer.types("dispute", "2026-11-18 9:00", "--concede")
    synced(device, client)
    for each in (device, client):
        (first,) = each.diary.invoices()
        assert (first.total_minor, first.credited_minor, first.disputed_minor) == (6000, 1000, 1000)
        assert (first.due_minor, first.owed_minor) == (4000, 5000)
    slip = client.diary.home / "slip.txt"
    slip.write_text("Transferred.", encoding="utf-8")
    theirs.types("paid", "1", "--reference", "SEPA 4711", "--file", str(slip))
    synced(client, device, device)
    (message,) = device.diary.conversation(contract.id).messages
    assert (message.text, message.files[0].name) == ("Receipt for invoice 1: SEPA 4711", "slip.txt")
    assert device.diary.message_file(contract.id, message.files[0].sealed_name)[1] == b"Transferred."
    assert freelancer.types("received", "1").out == "Invoice 1: 40.00 USD confirmed.\n"
    theirs.types("dispute", "2026-11-18 9:10", "--withdraw")
    synced(client, device, client)
    locked(stage, device, "2026-12-01T09:00Z")
    synced(client, client)
    for each in (device, client):
        second, first = each.diary.invoices()
        assert (first.due_minor, first.paid_minor, first.state) == (1000, 4000, "security_period")
        assert {line.what: line.amount_minor for line in second.lines} == {"late": 1000, "bonus": 1250}
        assert (second.agrees, second.due_minor) == (True, 2250)
    assert second.lines[-1].note == "For the launch"
    freelancer.types("refund", "1", "5", "--reference", "agreed")
    synced(device, client)
    stage.put_clocks(WEDNESDAY_AFTER)
    mine, other = (one.diary.statements() for one in (device, client))
    assert [line.what for line in mine[0].lines] == [line.what for line in other[0].lines]
    assert dict(mine[0].balances) == dict(other[0].balances)
    assert sum(mine[0].balances.values()) == 0
    assert freelancer.json("statement")[0]["balances"]["client_owes"] == mine[0].balances["client_owes"]
    assert kinds(device) == kinds(client) == []
    assert "Conceded, credited" in freelancer.types("statement", "ada").out
