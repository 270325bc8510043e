"""A freelancer's devices and a client's replica: what each says reaches the other (R8-R10, R38, R54, R62)."""

import pytest

from diary.contracts import Contract
from diary.parties import RefusedSayingError
from diary.rules.ids import Slot
from diary.rules.timesheet import marks
from diary.rules.week import Week
from tests.practice import SCREEN, record_slot, slot
from tests.rule import rule
from tests.sync.clients import invited, join_in, shown
from tests.sync.stage import AFTER_THE_LOCK, Device, Stage, two_devices

FIRST, SECOND, THIRD = (slot(f"2026-11-18T09:{minute}0Z") for minute in range(3))
WEEK = Week.of(FIRST)


def parties(
    stage: Stage, slots: tuple[Slot, ...] = (), *, manual: bool = True
) -> tuple[Device, Device, Device, Contract]:
    """Return two devices, the client's replica and their contract."""
    a, b, _ = two_devices(stage, ())
    contract = a.diary.new_contract(title="Garden", manual_allowed=manual)
    for at in slots:
        record_slot(a.diary, contract, at, picture=SCREEN + str(at).encode())
    client = join_in(stage, invited(a, contract))
    all_sync(a, b)
    return a, b, client, contract


def all_sync(*devices: Device) -> None:
    for device in devices * 2:
        device.sync()
        assert device.diary.alarms() == ()


@rule("R8")
@rule("R66")
def test_the_client_sets_the_terms_and_every_device_follows(stage: Stage) -> None:
    a, b, client, contract = parties(stage, (FIRST, SECOND, THIRD))
    client.diary.change_terms(contract.id, limit_minutes=20)
    all_sync(client, a, b)
    for device in (a, b, client):
        history = device.diary.contract("Garden").history
        assert (history.limit_minutes(WEEK), history.limit_minutes(WEEK.next())) == (None, 20)
    client.diary.change_terms(contract.id, limit_minutes=600, title="Orchard")
    all_sync(client, a, b)
    assert [device.diary.contract("Orchard").terms.limit_minutes for device in (a, b, client)] == [600] * 3
    assert shown(a, contract, WEEK) == shown(b, contract, WEEK) == shown(client, contract, WEEK)


@rule("R8")
def test_a_freelancer_sets_no_terms_any_more_whatever_the_device_knew(stage: Stage) -> None:
    a, b, client, contract = parties(stage)
    with pytest.raises(RefusedSayingError, match="not_yours"):
        a.diary.change_terms(contract.id, limit_minutes=6000)
    with pytest.raises(RefusedSayingError, match="not_yours"):
        b.diary.change_terms(contract.id, manual_allowed=True)
    all_sync(a, b, client)
    assert client.diary.contract("Garden").terms.limit_minutes is None


@rule("R8")
@rule("R37d")
def test_terms_written_before_the_joining_was_known_are_refused_and_listed(stage: Stage) -> None:
    a, b, contract = two_devices(stage, ())
    link = invited(a, contract)
    b.sync()
    b.diary.change_terms(contract.id, limit_minutes=6000)
    client = join_in(stage, link)
    report = b.sync()
    assert [kept.reason for kept in report.refused] == ["not_yours"]
    assert [view.reason for view in b.diary.refusals()] == ["not_yours"]
    all_sync(b, a, client)
    assert [device.diary.contract("Practice").terms.limit_minutes for device in (a, b, client)] == [None] * 3


@rule("R9")
def test_closing_while_the_laptop_is_offline_takes_what_ended_before(stage: Stage) -> None:
    a, _, client, contract = parties(stage)
    record_slot(a.diary, contract, FIRST, memo="before the end", picture=SCREEN)
    stage.put_clocks("2026-11-18T12:30Z")
    client.diary.change_terms(contract.id, state="closed")
    client.sync()
    stage.put_clocks("2026-11-18T14:00Z")
    after = slot("2026-11-18T13:00Z")
    record_slot(a.diary, contract, after, memo="too late", picture=SCREEN + b"2")
    a.diary.add_manual(contract.id, [SECOND], "a call")
    refused = {kept.reason for kept in a.sync().refused}
    assert refused == {"contract_closed"}
    all_sync(client, a)
    (segment,) = shown(client, contract, WEEK)[0]
    assert (segment.slot, segment.memo, segment.bills) == (FIRST, "before the end", True)
    a.diary.remove([(contract.id, FIRST)])
    all_sync(a, client)
    assert shown(client, contract, WEEK)[0] == [], "the freelancer may delete until the lock"


@rule("R8")
@rule("R9")
def test_a_pause_written_offline_takes_back_nothing_that_was_set_meanwhile(stage: Stage) -> None:
    a, b, client, contract = parties(stage)
    a.diary.change_terms(contract.id, state="paused")
    client.diary.change_terms(contract.id, manual_allowed=False, rate_minor=7000)
    client.sync()
    a.sync()
    all_sync(a, b, client)
    for device in (a, b, client):
        terms = device.diary.contract("Garden").terms
        assert (terms.state, terms.manual_allowed, terms.rate_minor) == ("paused", False, 7000)
    b.diary.change_terms(contract.id, state="active")
    all_sync(b, a, client)
    assert client.diary.contract("Garden").is_active


@rule("R10")
@rule("R66")
def test_manual_time_is_asked_for_allowed_for_a_week_and_added(stage: Stage) -> None:
    a, b, client, contract = parties(stage, manual=False)
    assert [no.reason for _, no in a.diary.add_manual(contract.id, [SECOND], "a call").refused] == [
        "manual_not_allowed"
    ]
    a.diary.ask_manual_time(contract.id, "The workshop had no screen", week=WEEK)
    all_sync(a, client)
    (asked,) = client.diary.requests(contract.id)
    assert (asked.reason, asked.week, asked.state) == ("The workshop had no screen", WEEK.name, "open")
    client.diary.answer_request(contract.id, asked.name, allows=True, reason="This once")
    all_sync(client, a, b)
    (seen,) = b.diary.requests(contract.id)
    assert (seen.state, seen.answer_reason) == ("allowed", "This once")
    assert a.diary.add_manual(contract.id, [SECOND], "a call").done
    assert a.sync().refused == ()
    all_sync(a, b, client)
    assert [one.bills for one in shown(client, contract, WEEK)[0]] == [True]
    assert shown(a, contract, WEEK) == shown(b, contract, WEEK) == shown(client, contract, WEEK)


@rule("R10")
def test_a_request_taken_back_meanwhile_is_not_answered(stage: Stage) -> None:
    a, _, client, contract = parties(stage)
    asked = a.diary.ask_manual_time(contract.id, "Please")
    all_sync(a, client)
    a.diary.take_request_back(contract.id, asked)
    a.sync()
    client.diary.answer_request(contract.id, asked, allows=False)
    assert [kept.reason for kept in client.sync().refused] == ["unknown_request"]
    all_sync(client, a)
    assert [one.state for one in client.diary.requests(contract.id)] == ["withdrawn"]


@rule("R38")
@rule("R66")
def test_late_time_bills_as_a_bonus_once_the_client_accepts_it_and_stands(stage: Stage) -> None:
    a, b, client, contract = parties(stage, (FIRST,))
    record_slot(a.diary, contract, SECOND, picture=SCREEN + b"2")
    record_slot(a.diary, contract, THIRD, picture=SCREEN + b"3")
    stage.put_clocks(AFTER_THE_LOCK)
    a.sync()
    a.diary.send_asked()
    all_sync(a, b, client)
    late = (contract.id, SECOND)
    assert [one.why_not for one in shown(client, contract, WEEK)[0]] == [None, "late", "late"]
    with pytest.raises(RefusedSayingError, match="not_late"):
        client.diary.accept_late([(contract.id, FIRST)])
    assert client.diary.accept_late([late], "Fine") == 1
    all_sync(client, a, b)
    for device in (a, b, client):
        segment = device.segment(late)
        assert (segment.state, segment.bills, segment.is_bonus) == ("late", True, True)
        assert marks(segment) == ("late", "accepted")
        (totals,) = shown(device, contract, WEEK)[1]
        assert (totals.billable, totals.bonus, totals.late) == (2, 1, 1)
    assert [no.reason for _, no in b.diary.remove([late]).refused] == ["week_locked"]
    assert b.diary.remove([(contract.id, THIRD)]).done
    all_sync(b, a, client)
    assert [one.slot for one in shown(client, contract, WEEK)[0]] == [FIRST, SECOND]


@rule("R38")
def test_of_a_deletion_and_an_acceptance_that_meet_the_first_received_stands(stage: Stage) -> None:
    a, _, client, contract = parties(stage)
    for at in (FIRST, SECOND):
        record_slot(a.diary, contract, at, picture=SCREEN + str(at).encode())
    stage.put_clocks(AFTER_THE_LOCK)
    a.sync()
    a.diary.send_asked()
    all_sync(a, client)
    client.diary.accept_late([(contract.id, FIRST)])
    client.sync()
    assert a.diary.remove([(contract.id, FIRST), (contract.id, SECOND)]).refused == ()
    assert [kept.reason for kept in a.sync().refused] == ["week_locked"]
    client.diary.accept_late([(contract.id, SECOND)])
    assert [kept.reason for kept in client.sync().refused] == ["slot_deleted"]
    all_sync(client, a)
    assert shown(client, contract, WEEK) == shown(a, contract, WEEK)
    (segment,) = shown(a, contract, WEEK)[0]
    assert (segment.slot, segment.is_bonus, len(segment.snapshots)) == (FIRST, True, 1)


@rule("R62")
@rule("R66")
def test_a_dispute_is_raised_replied_to_and_taken_back(stage: Stage) -> None:
    a, b, client, contract = parties(stage, (FIRST, SECOND))
    with pytest.raises(RefusedSayingError, match="not_in_review"):
        client.diary.dispute([(contract.id, FIRST)], "Idle")
    stage.put_clocks(AFTER_THE_LOCK)
    assert client.diary.dispute([(contract.id, FIRST), (contract.id, SECOND)], "Idle") == 2
    all_sync(client, a, b)
    assert [one.disputed for one in b.diary.week(WEEK).segments] == [True, True]
    assert a.diary.reply([(contract.id, FIRST)], "I was reading the contract") == 1
    all_sync(a, client)
    client.diary.take_dispute_back([(contract.id, FIRST)])
    all_sync(client, a, b)
    for device in (a, b, client):
        (found,) = device.diary.disputes(contract.id)
        assert (found.reason, found.open_slots) == ("Idle", (SECOND,))
        assert [words for _, words in found.replies] == ["I was reading the contract"]
        assert [one.disputed for one in shown(device, contract, WEEK)[0]] == [False, True]
        assert [one.bills for one in shown(device, contract, WEEK)[0]] == [True, True], "R29"


@rule("R54")
def test_what_both_redact_is_destroyed_on_every_copy_and_bills_as_before(stage: Stage) -> None:
    a, b, client, contract = parties(stage, (FIRST, SECOND))
    stage.put_clocks(AFTER_THE_LOCK)
    all_sync(a, b, client)
    before, stored = shown(client, contract, WEEK)[1], len(stage.stored_pictures())
    place = (contract.id, FIRST)
    shot = client.segment(place).snapshots[0].screen
    assert a.diary.redact([place], "A bystander") == 0
    all_sync(a, client)
    assert client.diary.redact([place]) == 1
    all_sync(client, a, b)
    for device in (a, b, client):
        segment = device.segment(place)
        assert (segment.redacted, segment.memo, segment.snapshots, segment.bills) == (True, "", (), True)
        assert (marks(segment)[-1], segment.kind) == ("redacted", "automatic")
        assert device.diary.sealed_picture(shot) is None
        assert shown(device, contract, WEEK)[1] == before
        assert device.segment((contract.id, SECOND)).snapshots
    assert len(stage.stored_pictures()) == stored // 2


@rule("R67")
def test_who_joins_later_learns_what_was_said_before(stage: Stage) -> None:
    a, _, client, contract = parties(stage, (FIRST,))
    a.diary.ask_manual_time(contract.id, "Please")
    stage.put_clocks(AFTER_THE_LOCK)
    client.diary.dispute([(contract.id, FIRST)], "Idle")
    all_sync(a, client)
    another = join_in(stage, invited(a, contract), name="another")
    all_sync(another)
    assert another.diary.requests(contract.id)[0].reason == "Please"
    assert another.diary.disputes(contract.id)[0].reason == "Idle"
    assert shown(another, contract, WEEK) == shown(client, contract, WEEK)


@rule("R31")
@rule("R62")
def test_pictures_of_a_disputed_week_stay_whole_until_nothing_of_it_is_disputed(stage: Stage) -> None:
    a, _, client, contract = parties(stage, (FIRST, SECOND))
    stage.put_clocks(AFTER_THE_LOCK)
    client.diary.dispute([(contract.id, FIRST)], "Idle")
    all_sync(client, a)
    stage.put_clocks("2027-05-01T12:00Z")
    a.diary.set_setting("picture_gigabytes", 0)
    assert a.diary.thin_pictures(at_once=True) == 0
    client.diary.take_dispute_back([(contract.id, FIRST)])
    all_sync(client, a)
    assert a.diary.thin_pictures(at_once=True) == 2
