"""A client joins by a link and reads what the freelancer's devices show, and nothing else (R51, R67)."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from diary.clock import GivenClock
from diary.diary import Diary
from diary.doctor import own_checks
from diary.errors import NothingError
from diary.joining import ClientReplicaError
from diary.rules.ids import ContractId
from diary.rules.week import Week
from diary.sealing.invitation import Link
from diary.sealing.keyring import choose_place
from diary.seating import SECRET
from diary.store import meta
from diary.store.connection import DiaryExistsError
from sync.join import NotLetInError, OtherServerKeyError, join
from sync.transport import TurnedAwayError, UnreachableError
from tests.practice import SCREEN, record_slot, slot
from tests.rule import rule
from tests.sync.clients import invited, join_in, shown
from tests.sync.stage import AFTER_THE_LOCK, Stage, two_devices

FIRST, SECOND, THIRD = (slot(f"2026-11-18T09:{minute}0Z") for minute in range(3))
WEEK = Week.of(FIRST)


def attempt(stage: Stage, link: Link, home: Path) -> None:
    line, _ = stage.line()
    with line:
        place = choose_place(home, "file")
        clock = GivenClock(stage.clock.now_ms())
        diary, _ = join(home, link, line, clock=clock, place=place, name="client")
        diary.close()


@rule("R67")
def test_a_client_sees_what_both_devices_see(stage: Stage) -> None:
    a, b, _ = two_devices(stage, ())
    contract = a.diary.new_contract(title="Orchard", manual_allowed=True, limit_minutes=20)
    for at in (FIRST, SECOND, THIRD):
        record_slot(a.diary, contract, at, memo=str(at), picture=SCREEN + str(at).encode())
    a.diary.add_manual(contract.id, [slot("2026-11-18T10:00Z")], "a call")
    client = join_in(stage, invited(a, contract))
    assert [one.why_not for one in shown(client, contract, WEEK)[0]] == [
        None,
        None,
        "over_limit",
        "over_limit",
    ]
    b.sync()
    assert shown(client, contract, WEEK) == shown(a, contract, WEEK) == shown(b, contract, WEEK)
    assert client.diary.picture(shown(client, contract, WEEK)[0][0].snapshots[0].screen).startswith(SCREEN)
    assert client.diary.contract("Orchard").terms == a.diary.contract("Orchard").terms
    assert client.diary.alarms() == ()


@rule("R25")
@rule("R65")
def test_a_deletion_destroys_on_the_clients_replica_too(stage: Stage) -> None:
    a, _, contract = two_devices(stage, (FIRST, SECOND))
    a.diary.edit([(contract.id, FIRST)], memo="the secret memo")
    client = join_in(stage, invited(a, contract))
    gone = shown(client, contract, WEEK)[0][0]
    assert gone.memo == "the secret memo"
    a.diary.remove([(contract.id, FIRST)])
    a.sync()
    client.sync()
    assert [one.slot for one in client.diary.week(WEEK).segments] == [SECOND]
    assert client.diary.segment((contract.id, FIRST)) is None
    with pytest.raises(NothingError):
        client.diary.picture(gone.snapshots[0].screen)


@rule("R26")
def test_a_memo_that_was_changed_is_not_kept_with_the_client(stage: Stage) -> None:
    a, _, contract = two_devices(stage, (FIRST,))
    client = join_in(stage, invited(a, contract))
    a.diary.edit([(contract.id, FIRST)], memo="second")
    a.sync()
    client.sync()
    assert shown(client, contract, WEEK)[0][0].memo == "second"
    assert client.diary.memo_history((contract.id, FIRST)) == ()
    assert [said.text for said in a.diary.memo_history((contract.id, FIRST))] == ["first"]


@rule("R28")
def test_time_that_bills_for_another_contract_does_not_bill_and_no_more_is_said(stage: Stage) -> None:
    a, _, contract = two_devices(stage, ())
    other = a.diary.new_contract(title="Another client's work")
    record_slot(a.diary, other, FIRST, picture=SCREEN)
    a.sync()
    stage.put_clocks("2026-11-18T12:01Z")
    record_slot(a.diary, contract, FIRST, picture=SCREEN + b"2")
    record_slot(a.diary, contract, SECOND, picture=SCREEN + b"3")
    client = join_in(stage, invited(a, contract))
    assert [one.why_not for one in shown(client, contract, WEEK)[0]] == ["overlapping", None]
    assert shown(client, contract, WEEK) == shown(a, contract, WEEK)
    assert [one.id for one in client.diary.contracts()] == [contract.id]
    a.diary.remove([(other.id, FIRST)])
    a.sync()
    client.sync()
    assert [one.why_not for one in shown(client, contract, WEEK)[0]] == [None, None]


@rule("R28")
def test_what_overlapped_when_the_week_froze_is_told_after_it_too(stage: Stage) -> None:
    a, _, contract = two_devices(stage, ())
    other = a.diary.new_contract(title="Another client's work")
    record_slot(a.diary, other, FIRST, picture=SCREEN)
    a.sync()
    stage.put_clocks("2026-11-18T12:01Z")
    record_slot(a.diary, contract, FIRST, picture=SCREEN + b"2")
    client = join_in(stage, invited(a, contract))
    a.diary.remove([(other.id, FIRST)])
    a.sync()
    stage.put_clocks(AFTER_THE_LOCK)
    client.sync()
    assert [one.why_not for one in shown(client, contract, WEEK)[0]] == [None]
    client.sync()
    assert shown(client, contract, WEEK) == shown(a, contract, WEEK)
    assert client.diary.alarms() == a.diary.alarms() == ()


@rule("R28")
@rule("R57")
def test_a_week_with_overlapping_time_freezes_without_a_false_alarm(stage: Stage) -> None:
    a, b, contract = two_devices(stage, ())
    other = a.diary.new_contract(title="Another client's work")
    record_slot(a.diary, other, FIRST, picture=SCREEN)
    a.sync()
    stage.put_clocks("2026-11-18T12:01Z")
    for at in (FIRST, SECOND):
        record_slot(a.diary, contract, at, picture=SCREEN + str(at).encode())
    client = join_in(stage, invited(a, contract))
    stage.put_clocks(AFTER_THE_LOCK)
    for device in (a, b, client, a, client):
        device.sync()
    assert [one.why_not for one in shown(client, contract, WEEK)[0]] == ["overlapping", None]
    assert shown(client, contract, WEEK) == shown(a, contract, WEEK)
    assert [device.diary.alarms() for device in (a, b, client)] == [(), (), ()]


@rule("R51")
def test_the_clients_own_grants_open_what_came_after_the_link(stage: Stage) -> None:
    a, b, contract = two_devices(stage, (FIRST,))
    client = join_in(stage, invited(a, contract))
    b.sync()  # the other device grants: whichever sees the joining first does
    client.sync()
    state = client.diary._state
    with state.writing():
        state.epoch_keys.clear()
        meta.remove(state.connection, SECRET)
    record_slot(a.diary, contract, SECOND, memo="later")
    a.sync()
    client.sync()
    assert [one.memo for one in shown(client, contract, WEEK)[0]] == ["first", "later"]
    assert set(state.epoch_keys) == {(contract.id, 1)}


@rule("R67")
def test_what_only_the_freelancer_does_is_refused_on_a_clients_replica(stage: Stage) -> None:
    a, _, contract = two_devices(stage, (FIRST,))
    diary = join_in(stage, invited(a, contract)).diary
    place = (contract.id, FIRST)
    for act in (
        lambda: diary.start(contract.id),
        lambda: diary.set_memo("mine"),
        lambda: diary.edit([place], memo="mine"),
        lambda: diary.remove([place]),
        lambda: diary.add_manual(contract.id, [SECOND], "mine"),
        lambda: diary.new_contract(title="mine"),
        lambda: diary.invite(contract.id),
        diary.undo,
        diary.phrase,
    ):
        with pytest.raises(ClientReplicaError, match="freelancer alone"):
            act()
    assert diary.due() == ()
    said = {check.name: (check.outcome, check.says) for check in own_checks(diary)}
    assert said["phrase"][0] == "fine"
    assert "new invitation" in said["phrase"][1]


@rule("R51")
def test_a_used_link_lets_nobody_in_and_leaves_nothing(stage: Stage, tmp_path: Path) -> None:
    a, _, contract = two_devices(stage, (FIRST,))
    link = invited(a, contract)
    client = join_in(stage, link)
    home = tmp_path / "late"
    with pytest.raises(NotLetInError) as refused:
        attempt(stage, link, home)
    assert (refused.value.reason, refused.value.exit_code) == ("invitation_used", 3)
    assert not home.exists()
    client.sync()
    with pytest.raises(DiaryExistsError):
        attempt(stage, link, client.diary.home)
    assert shown(client, contract, WEEK) == shown(a, contract, WEEK)


@rule("R51")
def test_an_expired_a_withdrawn_and_a_wrong_link_are_refused_by_name(stage: Stage, tmp_path: Path) -> None:
    a, _, contract = two_devices(stage, (FIRST,))
    expired, withdrawn = invited(a, contract), invited(a, contract)
    a.diary.withdraw_invitation(withdrawn.keys.auth[:12])
    a.sync()
    stage.clock.put(stage.clock.now_ms() + 15 * 86_400_000)
    wrong_secret = replace(expired, secret=bytes(32))
    wrong_contract = replace(expired, contract=ContractId("0" * 32))
    for link, reason in (
        (expired, "invitation_expired"),
        (withdrawn, "invitation_expired"),
        (wrong_secret, "invitation_unknown"),
        (wrong_contract, "invitation_unknown"),
    ):
        home = tmp_path / "refused"
        with pytest.raises(NotLetInError) as refused:
            attempt(stage, link, home)
        assert refused.value.reason == reason
        assert not home.exists()


@rule("R51")
def test_another_servers_key_is_no_server_of_the_link(stage: Stage, tmp_path: Path) -> None:
    a, _, contract = two_devices(stage, ())
    link = replace(invited(a, contract), server_key="0" * 64)
    with pytest.raises(OtherServerKeyError, match="not the one that the link names"):
        attempt(stage, link, tmp_path / "none")
    assert not (tmp_path / "none").exists()


@rule("R40")
def test_a_joining_whose_answer_was_lost_goes_on_where_it_stopped(stage: Stage, tmp_path: Path) -> None:
    a, _, contract = two_devices(stage, (FIRST,))
    link = invited(a, contract)
    home, clock = tmp_path / "client", GivenClock(stage.clock.now_ms())
    line, failing = stage.line()
    failing.fates = ["pass", "lose"]
    with line, pytest.raises(UnreachableError):
        join(home, link, line, clock=clock, place=choose_place(home, "file"), name="client")
    with stage.line()[0] as again:
        diary, _ = join(home, link, again, clock=clock, place=choose_place(home, "file"), name="client")
    with diary:
        assert [one.memo for one in diary.week(WEEK).segments] == ["first"]


@rule("R51")
def test_a_client_who_lost_their_key_is_invited_in_its_place(stage: Stage) -> None:
    a, b, contract = two_devices(stage, (FIRST,))
    lost = join_in(stage, invited(a, contract))
    a.sync()
    again = join_in(stage, invited(a, contract, instead=True), "again")
    assert shown(again, contract, WEEK) == shown(a, contract, WEEK)
    with pytest.raises(TurnedAwayError, match="device_revoked"):
        lost.sync()
    for device in (a, b, again):
        device.sync()
    assert [seat.ended for seat in b.diary.joined(contract.id)] == [True, False]
    assert [view.state for view in b.diary.invitations()] == ["used", "used"]
    assert b.diary.alarms() == a.diary.alarms() == again.diary.alarms() == ()


@rule("R42")
def test_a_copied_replica_reads_on(stage: Stage, tmp_path: Path) -> None:
    a, _, contract = two_devices(stage, (FIRST,))
    client = join_in(stage, invited(a, contract))
    copy = tmp_path / "copy"
    client.diary.close()
    shutil.copytree(client.diary.home, copy)
    client.diary = Diary.open(copy, clock=client.clock)
    record_slot(a.diary, contract, SECOND, memo="later")
    a.sync()
    client.sync()
    assert [one.memo for one in shown(client, contract, WEEK)[0]] == ["first", "later"]
