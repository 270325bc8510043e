"""A freelancer with a contract and its client at the server, and what is billed between them."""

from dataclasses import dataclass

import msgspec

from diary.evidence.invoice_statement import read_invoice, read_part
from diary.rules.invoice_parts import Invoice, InvoicePart
from diary.rules.ledger_entry import LedgerAccount, LedgerEntry, balances
from diary.rules.week import Week, slot_at
from sync.protocol import Invoices, InvoicesAnswer, WireVersion
from sync.server.server import storage_of
from sync.server.settings import Settings
from tests.sync.server.author import Author
from tests.sync.server.conftest import WEDNESDAY, Here
from tests.sync.server.process import Client, reasons
from tests.sync.server.seat import Seat, joined

PAYER = "b" * 32
WEEK = Week.at(WEDNESDAY)
LOCK = WEEK.locked_at_ms
FIRST = slot_at(WEDNESDAY) - 60  # ten hours that have passed, in the middle of the week


@dataclass
class Parties:
    """Who stands at the server; the freelancer's contract is 60 dollars an hour, manual time allowed."""

    here: Here
    author: Author
    seat: Seat

    def push(self, by: Author, *versions: WireVersion) -> list[str]:
        return reasons(self.here.client.push(by, *versions))

    def work(self, first: int, segments: int) -> None:
        rows = [self.author.capture(slot) for slot in range(first, first + segments)]
        assert set(self.push(self.author, *rows)) == {"received"}

    def at(self, at_ms: int) -> None:
        """Let it be then, and something be asked which finds what is due: a capture that is refused."""
        self.here.clock.put(at_ms)
        self.push(self.author, self.author.capture(slot_at(at_ms) + 500))

    def whole(self) -> list[Invoice]:
        key = self.here.client.key()
        return [read_invoice(signed, key) for signed in fetched(self.here, self.author).invoices]

    def parts(self, seat: Author | None = None) -> list[InvoicePart]:
        key = self.here.client.key()
        return [read_part(signed, key) for signed in fetched(self.here, seat or self.seat).invoices]

    def ledger(self) -> list[LedgerEntry]:
        settings = Settings(folder=self.here.folder, database_url=self.here.database_url)
        storage = storage_of(settings, self.here.clock)
        try:
            return storage.invoices.entries(self.author.account)
        finally:
            storage.close()

    def balances(self) -> dict[LedgerAccount, int]:
        return balances(self.ledger())


def fetched(here: Here, by: Author, after: int = 0) -> InvoicesAnswer:
    asked = Invoices(account=by.account, after=after)
    answer = here.client.post("/v1/invoices", asked, by)
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=InvoicesAnswer)


def parties(here: Here) -> Parties:
    author = Author()
    here.client.enrol(author, author.enrol(paid_by_the_hour(author)))
    return Parties(here, author, joined(here.client, author))


def an_hour_worked(client: Client) -> tuple[Author, Seat]:
    """Return a freelancer whose hour in the week has arrived, and the client who will be billed for it."""
    author = Author()
    work = [author.capture(FIRST + at) for at in range(6)]
    arrived = client.enrol(author, author.enrol(paid_by_the_hour(author), *work))
    assert set(reasons(arrived)) == {"received"}
    return author, joined(client, author)


def paid_by_the_hour(author: Author) -> WireVersion:
    """Return the first terms: 60 dollars an hour, manual time allowed, no limit."""
    return author.terms(manual_allowed=True, limit_minutes=None, rate_minor=6000, currency="USD", payer=PAYER)
