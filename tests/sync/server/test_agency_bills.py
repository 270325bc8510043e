"""What an agency bills for its members, and what each bills by themselves (R38, R51, R61, R62)."""

import pytest

from diary.rules.ids import AccountId, ContractId
from diary.rules.ledger_entry import balances
from tests.rule import rule
from tests.sync.server.agency_scene import (
    DAY,
    FIRST_WEEK,
    NEXT,
    OTHER_PAYER,
    PAYER,
    WEEK,
    Scene,
    lines,
    settled,
)
from tests.sync.server.author import Author
from tests.sync.server.conftest import Here
from tests.sync.server.saying import acceptance, bonus, dispute, membership


@pytest.fixture
def scene(here: Here) -> Scene:
    agency = Author()
    here.client.enrol(agency, agency.enrol())
    return Scene(here, agency)


@rule("R61")
def test_two_members_stand_on_one_bill_of_their_client_and_bill_nothing_themselves(scene: Scene) -> None:
    ada, ben = settled(scene)
    scene.work(ada, WEEK, 6)
    scene.work(ben, WEEK, 3)
    scene.lock(WEEK)
    (bill,) = scene.bills(scene.agency)
    assert (bill.number, bill.payer, bill.week, bill.total_minor) == (1, PAYER, WEEK.name, 9000)
    assert lines(bill) == [
        (ada.contract, "hours", 6000, ada.author.account),
        (ben.contract, "hours", 3000, ben.author.account),
    ]
    assert scene.bills(ada.author) == scene.bills(ben.author) == []
    scene.work(ben, NEXT, 1)
    scene.lock(NEXT)
    assert [(one.number, one.total_minor) for one in scene.bills(scene.agency)] == [(1, 9000), (2, 1000)]


@rule("R61")
@rule("R8")
def test_who_bills_is_what_both_had_said_when_the_week_began(scene: Scene) -> None:
    ada = scene.member(10)
    scene.lock(FIRST_WEEK)
    scene.here.clock.put(WEEK.starts_at_ms + DAY)
    scene.grant(ada, 40)
    scene.bill(ada)
    scene.work(ada, WEEK, 6, first=300)
    scene.lock(WEEK)
    assert ([one.total_minor for one in scene.bills(ada.author)], scene.bills(scene.agency)) == ([6000], [])
    scene.work(ada, NEXT, 3, first=300)
    scene.leave(ada, 40)
    scene.lock(NEXT)
    assert [one.total_minor for one in scene.bills(scene.agency)] == [3000], "the week in which they left"
    scene.work(ada, NEXT.next(), 2, first=300)
    scene.lock(NEXT.next())
    assert [(one.number, one.total_minor) for one in scene.bills(ada.author)] == [(1, 6000), (2, 2000)]
    assert len(scene.bills(scene.agency)) == 1


@rule("R61")
def test_in_a_contracts_first_week_the_agency_bills_it_whole(scene: Scene) -> None:
    ada = scene.member(10)
    scene.work(ada, FIRST_WEEK, 2, first=450)
    scene.grant(ada, 40)
    scene.bill(ada, None)
    scene.lock(FIRST_WEEK)
    (bill,) = scene.bills(scene.agency)
    assert (bill.payer, bill.total_minor) == (ada.contract, 2000), "without a payer alone"
    assert scene.bills(ada.author) == []


@rule("R61")
@rule("R51")
@pytest.mark.parametrize("who", ["member", "agency", "neither any more"])
def test_one_side_alone_puts_nothing_on_the_agencys_bill(scene: Scene, who: str) -> None:
    ada = scene.member(10)
    if who != "agency":
        scene.grant(ada, 40)
    if who != "member":
        scene.bill(ada)
    if who == "neither any more":
        scene.leave(ada, 40)
        scene.bill(ada, None, ends=True)
    scene.lock(FIRST_WEEK)
    scene.work(ada, WEEK, 6)
    scene.lock(WEEK)
    assert ([one.total_minor for one in scene.bills(ada.author)], scene.bills(scene.agency)) == ([6000], [])


@rule("R61")
def test_a_bill_waits_for_the_members_weeks_and_is_made_once(scene: Scene) -> None:
    ada, ben = settled(scene)
    for member in (ada, ben):
        scene.work(member, WEEK, 6)
    scene.here.clock.put(WEEK.locked_at_ms)
    scene.touch(scene.agency)
    assert scene.bills(scene.agency) == [], "neither member's week is sealed"
    scene.touch(ada.author)
    scene.touch(scene.agency)
    assert scene.bills(scene.agency) == []
    scene.touch(ben.author)
    scene.touch(scene.agency)
    (bill,) = scene.bills(scene.agency)
    assert bill.total_minor == 12000
    scene.sweep()
    scene.touch(scene.agency)
    assert scene.bills(scene.agency) == [bill]


@rule("R61")
def test_each_payer_has_a_bill_and_numbers_have_no_gap(scene: Scene) -> None:
    ada, ben, cem = settled(scene, 3)
    scene.bill(cem, OTHER_PAYER)
    for member in (ada, ben, cem):
        scene.work(member, WEEK, 6)
    scene.lock(WEEK)
    assert [(one.number, one.payer, one.total_minor) for one in scene.bills(scene.agency)] == [
        (1, PAYER, 18000)
    ], "another payer holds from the next week on"
    for member in (ada, ben, cem):
        scene.work(member, NEXT, 6)
    scene.lock(NEXT)
    assert [(one.number, one.payer, one.total_minor) for one in scene.bills(scene.agency)][1:] == [
        (2, PAYER, 12000),
        (3, OTHER_PAYER, 6000),
    ]


@rule("R38")
@rule("R62")
def test_late_time_and_bonuses_are_billed_once_by_whoever_bills_the_week_that_closes(scene: Scene) -> None:
    ada = scene.member(10)
    scene.work(ada, FIRST_WEEK, 2, first=450)
    scene.lock(FIRST_WEEK)
    scene.work(ada, FIRST_WEEK, 2, first=460)
    late = FIRST_WEEK.first_slot + 460
    assert scene.push(ada.client, acceptance(ada.client, late)) == ["received"]
    assert scene.push(ada.client, bonus(ada.client, 77, FIRST_WEEK.name)) == ["received"]
    scene.grant(ada, 40)
    scene.bill(ada)
    scene.lock(WEEK)
    assert [one.total_minor for one in scene.bills(ada.author)] == [2000, 1077]
    assert scene.push(ada.client, acceptance(ada.client, late + 1)) == ["received"]
    scene.lock(NEXT)
    (bill,) = scene.bills(scene.agency)
    assert lines(bill) == [(ada.contract, "late", 1000, ada.author.account)], "not what was billed before"
    assert len(scene.bills(ada.author)) == 2


@rule("R62")
def test_a_dispute_of_a_members_time_stands_in_the_agencys_ledger(scene: Scene) -> None:
    ada, ben = settled(scene)
    for member in (ada, ben):
        scene.work(member, WEEK, 6)
    scene.lock(WEEK)
    assert scene.push(ada.client, dispute(ada.client, "raised", WEEK.first_slot + 100)) == ["received"]
    with scene.storage() as storage:
        entries = storage.invoices.entries(scene.agency.account)
        assert storage.invoices.entries(ada.author.account) == []
    assert balances(entries) == {"client_owes": 12000, "in_review": -11000, "disputed": -1000}
    assert {entry.contract for entry in entries} == {ada.contract, ben.contract}


@rule("R51")
@rule("R61")
def test_member_and_client_see_their_own_lines_of_the_agencys_bill(scene: Scene) -> None:
    ada, ben = settled(scene)
    for member in (ada, ben):
        scene.work(member, WEEK, 6)
    scene.lock(WEEK)
    stranger = scene.member(90)
    for member in (ada, ben):
        for who in (member.author, member.client, member.manager):
            assert who is not None
            (part,) = scene.parts(who)
            assert (part.account, part.number) == (scene.agency.account, 1)
            assert lines(part) == [(member.contract, "hours", 6000, member.author.account)]
    assert scene.parts(stranger.author) == scene.parts(stranger.client) == []


@rule("R61")
def test_agencies_that_name_each_other_or_nobody_hold_nobody_up(scene: Scene) -> None:
    ada = scene.member(10)
    other = Author()
    scene.here.client.enrol(other, other.enrol())
    away = membership(scene.agency, AccountId("9" * 32), ContractId("8" * 32))
    cross = membership(scene.agency, other.account, ContractId("7" * 32))
    back = membership(other, scene.agency.account, ContractId("6" * 32))
    assert scene.push(scene.agency, away, cross) == ["received"] * 2
    assert scene.push(other, back) == ["received"]
    scene.work(ada, FIRST_WEEK, 2, first=450)
    scene.lock(FIRST_WEEK)
    scene.work(ada, WEEK, 1)
    scene.lock(WEEK)
    with scene.storage() as storage:
        assert storage.unsealed(WEEK.locked_at_ms, 10) == []
    assert [one.total_minor for one in scene.bills(ada.author)] == [2000, 1000]
