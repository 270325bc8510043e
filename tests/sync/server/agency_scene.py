"""A server, an agency and its members, whose weeks pass: the tests of agencies' bills begin with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec

from diary.evidence.invoice_statement import read_invoice, read_part
from diary.rules.ids import AccountId, ContractId
from diary.rules.invoice_parts import Invoice, InvoicePart
from diary.rules.week import Week, slot_at
from sync.protocol import Invoices, InvoicesAnswer
from sync.server import idle
from sync.server.clock_watch import ClockWatch
from sync.server.log import ServerKey
from sync.server.server import storage_of
from sync.server.settings import Settings
from sync.server.storage import Storage
from tests.sync.server.author import Author
from tests.sync.server.conftest import WEDNESDAY, Here
from tests.sync.server.process import reasons
from tests.sync.server.saying import membership
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
        return Member(author, joined(self.here.client, author, bytes([secret] * 32)))

    def grant(self, member: Member, secret: int) -> None:
        member.manager = joined(self.here.client, member.author, bytes([secret] * 32), self.agency.account)

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
