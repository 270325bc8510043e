"""A server dies at each step of paying, of hearing its gateway and of giving back: one payment (R62, R63)."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec
import pytest

from diary.clock import GivenClock
from diary.rules.ids import Millis
from diary.rules.ledger_entry import balances
from diary.rules.week import Week, slot_at
from sync.money_messages import GiveBack, PaymentStarted, StartPayment
from sync.server.server import storage_of
from sync.server.settings import Settings
from tests.kills.edges import Point
from tests.kills.mortal_server import MortalServer, points_to_die_at
from tests.kills.nursery import Ended, Nursery
from tests.rule import rule
from tests.sync.server.author import Author
from tests.sync.server.billed import an_hour_worked
from tests.sync.server.conftest import WEDNESDAY
from tests.sync.server.postgres import Postgres
from tests.sync.server.process import Client
from tests.sync.server.seat import Seat
from tests.sync.server.stripe_here import KEY, SECRET, StripeHere, signed, stripe_here

LOCK_MS = Millis(Week.at(WEDNESDAY).locked_at_ms + 3_600_000)
PAID_AT_MS = Millis(LOCK_MS + 3_600_000)
DUE, BACK = 6000, 500
SAMPLE = 12  # points from one sampled to the next, beside the commits; make soak visits all


@dataclass(frozen=True, slots=True)
class Payer:
    """A freelancer with an hour that was billed, and their client, who pays it and gets a part back."""

    author: Author
    seat: Seat

    def live(self, url: str, fake: StripeHere) -> None:
        """Pay, let the gateway tell of it twice and backwards, give back; as far as the server lives."""
        with httpx.Client(base_url=url, timeout=60) as http:
            client = Client(http)
            asked = StartPayment(account=self.author.account, invoice=1)
            begun = client.post("/v1/payments", asked, self.seat)
            if begun.status_code == 200:
                page = msgspec.json.decode(begun.content, type=PaymentStarted).url or ""
                fake.page(page.rpartition("/")[2])  # one that was paid before takes nothing more
            else:
                assert begun.json()["reason"] == "nothing_due"
            self._tell(http, fake)
            back = GiveBack(
                account=self.author.account, contract=self.author.contract, invoice=1, id="e" * 32, minor=BACK
            )
            assert client.post("/v1/refunds", back, self.author).status_code == 200
            self._tell(http, fake)

    def told(self, fake: StripeHere) -> list[bytes]:
        """Return what the gateway has told of the freelancer's account."""
        return [body for body in fake.messages() if self.author.account.encode() in body]

    def _tell(self, http: httpx.Client, fake: StripeHere) -> None:
        told = self.told(fake)
        for body in (*reversed(told), *told):
            header = {"Stripe-Signature": signed(body, PAID_AT_MS)}
            assert http.post("/v1/gateway/messages", content=body, headers=header).status_code == 200


@dataclass(kw_only=True)
class Bank(MortalServer):
    """A server with a gateway, new for each beginning, and the processes that serve it in turn."""

    fake: StripeHere

    def begin(self, number: int) -> list[Payer]:
        """Return so many payers of a server of their own, whose week the lock has billed."""
        self.begin_anew()
        self.folder.mkdir()
        (self.folder / "server.toml").write_text(
            f'gateway = "stripe"\ngateway_accounts = ["all"]\npublic_url = "https://diary.example"\n'
            f'stripe_api = "{self.fake.url}"\nstripe_key = "{KEY}"\nstripe_webhook_secret = "{SECRET}"\n',
            encoding="utf-8",
        )
        with self.serving(WEDNESDAY), httpx.Client(base_url=self.url, timeout=60) as http:
            payers = [Payer(*an_hour_worked(Client(http))) for _ in range(number)]
        with self.serving(LOCK_MS), httpx.Client(base_url=self.url, timeout=60) as http:
            for payer in payers:
                Client(http).push(payer.author, payer.author.capture(slot_at(LOCK_MS) + 500))
        return payers

    def live(self, payer: Payer, dies_at: Point | None = None) -> Ended:
        """Let a payer live at a server that perhaps dies of it."""
        with self.serving(PAID_AT_MS, dies_at) as told:
            try:
                payer.live(self.url, self.fake)
            except httpx.TransportError:
                assert dies_at is not None
        return told[0]

    def check(self, payers: Sequence[Payer]) -> None:
        """Let all live again, and find each paid once, a part given back once, and the books even."""
        with self.serving(PAID_AT_MS):
            for payer in payers:
                payer.live(self.url, self.fake)
        url = self.database[0] if self.database else None
        storage = storage_of(Settings(self.folder, database_url=url), GivenClock(PAID_AT_MS))
        try:
            for payer in payers:
                kept = storage.payments.events(payer.author.account)
                assert [one.event.kind for one in kept] == ["paid", "refunded"]
                ledger = balances(storage.invoices.entries(payer.author.account))
                assert (ledger["gateway"], sum(ledger.values())) == (DUE - BACK, 0)
                told = [json.loads(body)["type"] for body in payer.told(self.fake)]
                assert len(set(told)) == len(told), "one customer, one page that was paid, one refund"
        finally:
            storage.close()


@pytest.fixture
def bank(nursery: Nursery, folder: Path, cluster: Postgres | None) -> Iterator[Bank]:
    with stripe_here() as fake:
        yield Bank(nursery, folder, cluster, fake=fake)


def check_deaths(bank: Bank, sample: int) -> None:
    (first,) = bank.begin(1)
    whole = bank.live(first)
    bank.check([first])
    chosen = points_to_die_at(whole, sample)
    payers = bank.begin(len(chosen))
    deaths = sum(bank.live(payer, point).killed for payer, point in zip(payers, chosen, strict=True))
    bank.check(payers)
    assert deaths > len(chosen) // 2


@pytest.mark.timeout(900)
@rule("R62")
@rule("R63")
def test_a_server_killed_at_some_points_of_paying_takes_one_payment(bank: Bank) -> None:
    check_deaths(bank, SAMPLE)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@rule("R62")
@rule("R63")
def test_a_server_killed_at_any_point_of_paying_takes_one_payment(bank: Bank) -> None:
    check_deaths(bank, 1)
