"""A contract's log says who may write in it: who reads that log alone can check all of it (R50)."""

from diary.evidence.feed import CheckedRow, Reader
from diary.rules.ids import ContractId
from sync.enrolment import register
from sync.protocol import Pull
from tests.practice import record_slot, slot
from tests.rule import rule
from tests.sync.stage import Device, Stage, two_devices

TEN = slot("2026-11-18T10:00Z")
ELEVEN = slot("2026-11-18T11:00Z")


def as_a_client_reads(device: Device, contract: ContractId) -> list[CheckedRow]:
    """Return a contract's log, checked by who knows the account's id and nothing else."""
    device.line.authorise(device.diary.account, device.diary.replica, device.diary.token)
    pages = device.line.pull(Pull(account=device.diary.account, cursors={})).pages
    (page,) = [page for page in pages if page.contract == contract]
    return Reader(device.diary.account, None, {}, lists_from="contract").check(page, None)


def lists_shown(rows: list[CheckedRow]) -> list[int]:
    return [row.header.devices.number for row in rows if row.header.devices is not None]


@rule("R50")
def test_a_contracts_log_begins_with_the_list_of_devices(stage: Stage) -> None:
    a = stage.first(registered=False)
    contract = a.diary.new_contract(title="Practice")
    record_slot(a.diary, contract, TEN)
    register(a.diary, a.line)
    rows = as_a_client_reads(a, contract.id)
    assert [row.header.type for row in rows[:2]] == ["device_list", "terms"]
    assert lists_shown(rows) == [1]


@rule("R50")
def test_a_device_that_joins_writes_the_new_list_into_every_contract(stage: Stage) -> None:
    a = stage.first()
    open_one = a.diary.new_contract(title="Open")
    closed = a.diary.new_contract(title="Closed")
    a.diary.change_terms(closed.id, state="closed")
    a.sync()
    b = stage.another(a.diary.phrase() or "")
    record_slot(b.diary, b.diary.contract("Open"), ELEVEN)
    b.sync()
    a.sync()
    rows = as_a_client_reads(b, open_one.id)
    assert lists_shown(rows) == [1, 2]
    assert rows[-1].header.replica == b.diary.replica
    # The new device wrote keys there too, and may delete until the lock.
    assert lists_shown(as_a_client_reads(b, closed.id)) == [1, 2]
    assert a.diary.alarms() == b.diary.alarms() == ()


@rule("R50")
@rule("R42")
def test_a_successor_is_shown_to_who_reads_one_contract(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    b.diary.renew()
    record_slot(b.diary, b.diary.contract("Practice"), ELEVEN)
    b.sync()
    a.sync()
    rows = as_a_client_reads(a, contract.id)
    assert lists_shown(rows) == [1, 2, 3]
    assert rows[-1].header.replica == b.diary.replica
    assert a.diary.alarms() == b.diary.alarms() == ()


@rule("R50")
def test_a_list_that_another_was_quicker_than_is_never_shown(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    b.diary.renew()  # list 3, by what it knows
    a.diary.renew()
    a.sync()  # list 3 as it is
    b.sync()
    a.sync()
    assert lists_shown(as_a_client_reads(a, contract.id)) == [1, 2, 3, 4]
    assert a.diary.alarms() == b.diary.alarms() == ()
    assert b.diary.queue().versions == 0


@rule("R50")
def test_two_devices_that_write_the_same_list_disturb_nobody(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    c = stage.another(a.diary.phrase() or "")
    b.sync()
    a.sync()
    record_slot(c.diary, c.diary.contract("Practice"), ELEVEN)
    c.sync()
    rows = as_a_client_reads(a, contract.id)
    assert lists_shown(rows)[-1] == 3
    assert rows[-1].header.replica == c.diary.replica
    assert a.diary.alarms() == b.diary.alarms() == c.diary.alarms() == ()


@rule("R50")
@rule("R42")
def test_a_list_that_was_never_sent_is_no_part_of_a_proof(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    b.diary.renew()
    b.diary.renew()  # copied twice before it synced: the list between is nobody's
    record_slot(b.diary, b.diary.contract("Practice"), ELEVEN)
    assert b.sync().refused == ()
    a.sync()
    assert as_a_client_reads(a, contract.id)[-1].header.replica == b.diary.replica
    assert a.diary.alarms() == b.diary.alarms() == ()
