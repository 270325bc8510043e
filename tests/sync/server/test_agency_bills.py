"""What an agency bills for its members, and what each bills by themselves (R38, R51, R61, R62)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec
import pytest

from diary.evidence.invoice_statement import read_invoice, read_part
from diary.rules.ids import AccountId, ContractId
from diary.rules.invoice_parts import Invoice, InvoicePart
from diary.rules.ledger_entry import balances
from diary.rules.week import Week, slot_at
from sync.protocol import Invoices, InvoicesAnswer
from sync.server import idle
from sync.server.clock_watch import ClockWatch
from sync.server.log import ServerKey
from sync.server.server import storage_of
from sync.server.settings import Settings
from sync.server.storage import Storage
from tests.rule import rule
from tests.sync.server.author import Author
from tests.sync.server.conftest import WEDNESDAY, Here
from tests.sync.server.process import reasons
from tests.sync.server.saying import acceptance, bonus, dispute, membership
from tests.sync.server.seat import Seat, invitation, joined

PAYER, OTHER_PAYER = "b" * 32, "c" * 32
FIRST_WEEK = Week.at(WEDNESDAY)
WEEK = FIRST_WEEK.next()
NEXT = WEEK.next()
DAY = 86_400_000


@dataclass
class Member:
    """A freelancer whose contract began a week before, at 60 dollars an hour; their client has joined."""

    author: Author
    client: Seat
    manager: Seat | None = None

    @property
    def contract(self) -> ContractId:
        return self.author.contract


@dataclass
class Scene:
    here: Here
    agency: Author

    def push(self, by: Author, *rows: object) -> list[str]:
        return reasons(self.here.client.push(by, *rows))  # type: ignore[arg-type]

    def member(self, secret: int) -> Member:
        author = Author()
        terms = author.terms(manual_allowed=True, limit_minutes=None, rate_minor=6000, currency="USD")
        self.here.client.enrol(author, author.enrol(terms))
        return Member(author, joined(self.here, author, bytes([secret] * 32)))

    def grant(self, member: Member, secret: int) -> None:
        member.manager = joined(self.here, member.author, bytes([secret] * 32), self.agency.account)

    def leave(self, member: Member, secret: int) -> None:
        ends = invitation(member.author, bytes([secret] * 32), withdrawn=True, agency=self.agency.account)
        assert self.push(member.author, ends) == ["received"]

    def bill(self, member: Member, payer: str | None = PAYER, *, ends: bool = False) -> None:
        row = membership(self.agency, member.author.account, member.contract, payer, ends=ends)
        assert self.push(self.agency, row) == ["received"]

    def work(self, member: Member, week: Week, segments: int, first: int = 100) -> None:
        at = week.first_slot + first
        self.here.clock.put(max(self.here.clock.now_ms(), (at + segments) * 600_000))
        rows = [member.author.capture(slot) for slot in range(at, at + segments)]
        assert set(self.push(member.author, *rows)) == {"received"}

    def touch(self, by: Author) -> None:
        """Ask something of the account that finds what is due: a capture that is refused."""
        self.push(by, by.capture(slot_at(self.here.clock.now_ms()) + 500))

    @contextmanager
    def storage(self) -> Iterator[Storage]:
        settings = Settings(folder=self.here.folder, database_url=self.here.database_url)
        storage = storage_of(settings, self.here.clock)
        try:
            yield storage
        finally:
            storage.close()

    def sweep(self) -> None:
        """Do what is due for everybody."""
        settings = Settings(folder=self.here.folder)
        with self.storage() as storage:
            watch = ClockWatch(self.here.clock, storage.last_received_ms(), settings.clock_confirmation)
            key = ServerKey.at(settings.key)
            idle.do_what_is_due(storage, key, watch, settings.life, self.here.clock.now_ms())

    def lock(self, week: Week) -> None:
        self.here.clock.put(week.locked_at_ms)
        self.sweep()

    def asked(self, by: Author, issuer: AccountId | None = None) -> InvoicesAnswer:
        answer = self.here.client.post("/v1/invoices", Invoices(account=by.account, issuer=issuer), by)
        assert answer.status_code == 200, answer.text
        return msgspec.json.decode(answer.content, type=InvoicesAnswer)

    def bills(self, by: Author) -> list[Invoice]:
        return [read_invoice(signed, self.here.client.key()) for signed in self.asked(by).invoices]

    def parts(self, by: Author) -> list[InvoicePart]:
        found = self.asked(by, self.agency.account).invoices
        return [read_part(signed, self.here.client.key()) for signed in found]


@pytest.fixture
def scene(here: Here) -> Scene:
    agency = Author()
    here.client.enrol(agency, agency.enrol())
    return Scene(here, agency)


def lines(invoice: Invoice | InvoicePart) -> list[tuple[str, str, int, str | None]]:
    return [(line.contract, line.what, line.amount_minor, line.member) for line in invoice.lines]


def settled(scene: Scene, count: int = 2) -> list[Member]:
    """Return members who granted and are on the bill since the contracts' first week, which is closed."""
    found = [scene.member(10 + number) for number in range(count)]
    for number, member in enumerate(found):
        scene.grant(member, 40 + number)
        scene.bill(member)
    scene.lock(FIRST_WEEK)
    return sorted(found, key=lambda member: member.contract)


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
