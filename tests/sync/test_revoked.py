"""A revoked device writes no more and reads nothing that is written after; all others go on (R50)."""

import pytest

from diary.diary import Diary
from diary.evidence.alarm import FeedFaultError
from diary.revoking import AlreadyRevokedError, OwnDeviceError
from diary.rules.ids import ReplicaId
from sync.protocol import Pull
from sync.revocation import revoke
from sync.transport import TurnedAwayError, UnreachableError
from tests.practice import record_slot, slot
from tests.rule import rule
from tests.sync.stage import Device, Stage, two_devices
from tests.sync.test_lists_in_contracts import as_a_client_reads, lists_shown

NINE = slot("2026-11-18T09:00Z")
TEN = slot("2026-11-18T10:00Z")
ELEVEN = slot("2026-11-18T11:00Z")


def revoked(stage: Stage) -> tuple[Device, Device, str]:
    """Return two devices, the second of them revoked by the first, and the phrase."""
    a, b, _ = two_devices(stage, [NINE])
    phrase = a.diary.phrase() or ""
    revoke(a.diary, a.line, phrase, b.diary.replica)
    return a, b, phrase


def shown_by_server(device: Device) -> dict[tuple[ReplicaId, int], int | None]:
    """Return the key epoch of each version that the server holds, by its name."""
    from diary.rules.segment import parse_header

    device.line.authorise(device.diary.account, device.diary.replica, device.diary.token)
    pages = device.line.pull(Pull(account=device.diary.account, cursors={})).pages
    headers = [parse_header(row.header.encode()) for page in pages for row in page.rows]
    return {header.name: header.epoch for header in headers}


@rule("R50")
def test_a_revoked_device_is_turned_away_and_nobody_else_notices(stage: Stage) -> None:
    a, b, _ = revoked(stage)
    record_slot(b.diary, b.diary.contract("Practice"), TEN)
    with pytest.raises(TurnedAwayError, match="device_revoked"):
        b.sync()
    place = record_slot(a.diary, a.diary.contract("Practice"), ELEVEN)
    a.sync()
    assert a.segment(place).state == "synced"
    assert [one.is_revoked for one in a.diary.devices_seen()] == [False, True]
    assert a.diary.alarms() == ()


@rule("R50")
def test_what_a_revoked_device_had_not_sent_stays_in_its_diary(stage: Stage) -> None:
    _, b, _ = revoked(stage)
    place = record_slot(b.diary, b.diary.contract("Practice"), TEN, memo="kept here")
    with pytest.raises(TurnedAwayError):
        b.sync()
    assert (b.segment(place).state, b.segment(place).memo) == ("unsynced", "kept here")


@rule("R50")
@rule("R49")
def test_what_is_written_after_a_revocation_is_sealed_under_keys_the_device_never_had(stage: Stage) -> None:
    a, b, _ = revoked(stage)
    contract = a.diary.contract("Practice")
    before = shown_by_server(a)
    record_slot(a.diary, contract, ELEVEN, memo="after")
    a.diary.change_terms(contract.id, title="Practice, renamed")
    a.sync()
    after = {epoch for name, epoch in shown_by_server(a).items() if name not in before}
    assert len(after) == 1
    known_to_b = {epoch for (_, epoch) in b.diary._state.epoch_keys}
    assert after.isdisjoint(known_to_b | set(before.values()))


@rule("R50")
def test_the_other_devices_and_recovery_get_the_new_keys(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [NINE])
    phrase = a.diary.phrase() or ""
    c = stage.another(phrase)
    revoke(a.diary, a.line, phrase, b.diary.replica)
    place = record_slot(a.diary, contract, ELEVEN, memo="for those who are left")
    a.sync()
    c.sync()
    assert c.segment(place).memo == "for those who are left"
    d = stage.another(phrase)
    assert d.segment(place).memo == "for those who are left"
    assert a.diary.alarms() == c.diary.alarms() == d.diary.alarms() == ()


@rule("R50")
def test_who_reads_one_contract_learns_of_the_revocation(stage: Stage) -> None:
    a, b, _ = revoked(stage)
    rows = as_a_client_reads(a, a.diary.contract("Practice").id)
    assert lists_shown(rows)[-1] == 3
    assert rows[-1].header.replica == a.diary.replica
    assert b.diary.replica in {row.header.replica for row in rows}


@rule("R50")
def test_what_the_device_wrote_between_the_look_and_the_list_still_counts(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [NINE])
    a.sync()
    place = record_slot(b.diary, b.diary.contract("Practice"), TEN)
    a.diary.revoke_device(a.diary.phrase() or "", b.diary.replica)  # by what it knows
    b.sync()
    a.diary.take_back_revocation()
    revoke(a.diary, a.line, a.diary.phrase() or "", b.diary.replica)
    assert a.segment(place).state == "synced"
    assert a.diary.alarms() == ()
    assert contract.id == a.diary.contract("Practice").id


@rule("R50")
def test_a_list_that_would_take_back_what_was_believed_is_made_anew(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b, _ = two_devices(stage, [NINE])
    place = record_slot(b.diary, b.diary.contract("Practice"), TEN)
    write_list = Diary.revoke_device
    waits = [b]

    def b_writes_first(diary: Diary, phrase: str, replica: ReplicaId) -> None:
        write_list(diary, phrase, replica)
        if waits:
            waits.pop().sync()

    monkeypatch.setattr(Diary, "revoke_device", b_writes_first)
    revoke(a.diary, a.line, a.diary.phrase() or "", b.diary.replica)
    assert a.segment(place).state == "synced"
    assert [one.is_revoked for one in a.diary.devices_seen()] == [False, True]
    assert a.diary.alarms() == ()


@rule("R50")
@rule("R40")
@pytest.mark.parametrize("fate", ["refuse", "lose"])
@pytest.mark.parametrize("broken", range(6))
def test_a_revocation_that_broke_off_is_gone_on_with(stage: Stage, broken: int, fate: str) -> None:
    a, b, _ = two_devices(stage, [NINE])
    phrase = a.diary.phrase() or ""
    a.failing.fates = ["pass"] * broken + [fate]
    try:
        revoke(a.diary, a.line, phrase, b.diary.replica)
    except UnreachableError:
        try:
            revoke(a.diary, a.line, phrase, b.diary.replica)
        except AlreadyRevokedError:
            a.sync()
    a.failing.fates = []
    place = record_slot(a.diary, a.diary.contract("Practice"), ELEVEN)
    a.sync()
    with pytest.raises(TurnedAwayError, match="device_revoked"):
        b.sync()
    assert a.segment(place).state == "synced"
    assert a.diary.alarms() == ()
    assert a.diary.queue().versions == 0


@rule("R50")
def test_a_contract_that_another_device_made_meanwhile_gets_a_new_key_too(stage: Stage) -> None:
    a, b, _ = two_devices(stage, [NINE])
    phrase = a.diary.phrase() or ""
    c = stage.another(phrase)
    made = c.diary.new_contract(title="Made offline")  # its key is granted to b
    revoke(a.diary, a.line, phrase, b.diary.replica)
    c.sync()
    place = record_slot(c.diary, made, ELEVEN)
    before = shown_by_server(c)
    c.sync()
    a.sync()
    new = {name: epoch for name, epoch in shown_by_server(c).items() if name not in before}
    assert all((epoch or 0) > 1 for name, epoch in new.items() if epoch is not None)
    assert a.segment(place).state == "synced"


@rule("R50")
def test_two_devices_that_begin_new_keys_at_once_read_each_other(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [NINE])
    phrase = a.diary.phrase() or ""
    c = stage.another(phrase)
    a.sync()
    revoke(a.diary, a.line, phrase, b.diary.replica)
    stage.clock.put(stage.clock.now_ms() + 1)
    c.sync()
    first = record_slot(a.diary, contract, TEN, memo="by the first")
    second = record_slot(c.diary, c.diary.contract("Practice"), ELEVEN, memo="by the third")
    for device in (a, c, a):
        device.sync()
    assert [a.segment(place).memo for place in (first, second)] == ["by the first", "by the third"]
    assert [c.segment(place).memo for place in (first, second)] == ["by the first", "by the third"]


@rule("R50")
def test_a_device_does_not_end_itself_and_none_is_ended_twice(stage: Stage) -> None:
    a, b, phrase = revoked(stage)
    with pytest.raises(OwnDeviceError):
        revoke(a.diary, a.line, phrase, a.diary.replica)
    with pytest.raises(AlreadyRevokedError):
        revoke(a.diary, a.line, phrase, b.diary.replica)


@rule("R50")
def test_old_rows_of_a_revoked_device_are_no_alarm_to_a_device_that_joins_later(stage: Stage) -> None:
    a, _, phrase = revoked(stage)
    try:
        d = stage.another(phrase)
    except FeedFaultError as fault:  # pragma: no cover — what this is about
        raise AssertionError(fault.kind) from fault
    assert len(d.diary.devices_seen()) == len(a.diary.devices_seen()) + 1
