"""A server dies while it bills a week and posts what is said: one invoice, one payment (R61, R62, R63)."""

from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from diary.clock import GivenClock
from diary.evidence.invoice_statement import own_invoice
from diary.rules.ids import Millis
from diary.rules.invoice import LIFE
from diary.rules.ledger_entry import balances
from diary.rules.week import Week
from sync.protocol import Push
from sync.server.server import storage_of
from sync.server.settings import Settings
from tests.kills.edges import Point
from tests.kills.mortal_server import MortalServer, points_to_die_at
from tests.kills.nursery import Ended, Nursery
from tests.rule import rule
from tests.sync.server.author import Author
from tests.sync.server.billed import FIRST, an_hour_worked
from tests.sync.server.conftest import WEDNESDAY
from tests.sync.server.postgres import Postgres
from tests.sync.server.process import Client, reasons
from tests.sync.server.saying import dispute, payment

WEEK = Week.at(WEDNESDAY)
LOCK_MS = Millis(WEEK.locked_at_ms + 3_600_000)
AN_HOUR_LATER_MS = Millis(LOCK_MS + 3_600_000)
REVIEW_OVER_MS = Millis(LIFE.dates(WEEK)[0] + 3_600_000)
SAMPLE = 30  # points from one sampled to the next, beside the commits; make soak visits all


@dataclass
class Billed(MortalServer):
    """A server that bills, new for each bill, and the processes that serve it in turn."""

    def begin(self) -> "Bill":
        """Return an hour of work in the week, and what both parties will say once it is locked."""
        self.begin_anew()
        with self.serving(WEDNESDAY), httpx.Client(base_url=self.url, timeout=60) as http:
            author, seat = an_hour_worked(Client(http))
        pushes = [
            (seat, seat.push(dispute(seat, "raised", FIRST, FIRST + 1))),
            (author, author.push(payment(author, "received", 4500))),
            (author, author.push(dispute(author, "conceded", FIRST))),
        ]
        return Bill(self, author, pushes)


@dataclass
class Bill:
    """One account of the server, and the pushes that its parties make until they are answered."""

    server: Billed
    author: Author
    pushes: list[tuple[Author, Push]]

    def push_all(self) -> list[str]:
        """Push all in their order; return what became of them, as far as the server lived."""
        said: list[str] = []
        with httpx.Client(base_url=self.server.url, timeout=60) as http:
            for by, push in self.pushes:
                try:
                    said += reasons(Client(http).send(by, push))
                except httpx.TransportError:
                    break
        return said

    def live(self, dies_at: Point | None = None) -> Ended:
        """Let a server lock the week and take what is said, and perhaps die in between."""
        with self.server.serving(LOCK_MS, dies_at) as told:
            self.push_all()
        return told[0]

    def check(self) -> None:
        """Say all of it again in the review and after it: nobody can tell that somebody died."""
        for at_ms in (AN_HOUR_LATER_MS, REVIEW_OVER_MS):
            with self.server.serving(at_ms):
                assert self.push_all() == ["received"] * 3
        url = self.server.database[0] if self.server.database else None
        storage = storage_of(Settings(self.server.folder, database_url=url), GivenClock(REVIEW_OVER_MS))
        try:
            kept = storage.invoices.invoices(self.author.account, 0, 10)
            ledger = storage.invoices.entries(self.author.account)
        finally:
            storage.close()
        assert [own_invoice(one.text).total_minor for one in kept] == [6000]
        assert sum(entry.what == "received" for entry in ledger) == 1
        assert balances(ledger) == {
            "client_owes": 500,
            "paid_by_hand": 4500,
            "security_period": -4000,
            "disputed": -1000,
        }


@pytest.fixture
def server(nursery: Nursery, folder: Path, cluster: Postgres | None) -> Billed:
    return Billed(nursery, folder, cluster)


def check_deaths(server: Billed, sample: int) -> None:
    bill = server.begin()
    whole = bill.live()
    bill.check()
    chosen = points_to_die_at(whole, sample)
    deaths = 0
    for point in chosen:
        bill = server.begin()
        deaths += bill.live(point).killed
        bill.check()
    assert deaths > len(chosen) // 2


@pytest.mark.timeout(900)
@rule("R61")
@rule("R62")
@rule("R63")
def test_a_server_killed_at_some_points_of_a_lock_bills_once(server: Billed) -> None:
    check_deaths(server, SAMPLE)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@rule("R61")
@rule("R62")
@rule("R63")
def test_a_server_killed_at_any_point_of_a_lock_bills_once(server: Billed) -> None:
    check_deaths(server, 1)
