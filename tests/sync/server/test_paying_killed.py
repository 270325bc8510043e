"""A server killed at every step of paying and of hearing: one payment, one refund, balanced (R62, R63)."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import msgspec
import pytest
from litestar.testing import TestClient

from diary.clock import GivenClock, SystemClock
from diary.rules.ids import Millis
from diary.rules.ledger_entry import LedgerAccount, balances
from diary.rules.week import Week, slot_at
from sync.money_messages import GiveBack, PaymentStarted, StartPayment
from sync.server.app import create_app
from sync.server.closing import last_lock_ms
from sync.server.server import storage_of
from sync.server.settings import Settings
from tests.rule import rule
from tests.sync.server.author import Author
from tests.sync.server.killing_line import KillingLine, When, killing_line
from tests.sync.server.process import Client, Running, answers_in, reasons, running
from tests.sync.server.seat import Seat, invitation
from tests.sync.server.stripe_here import KEY, SECRET, StripeHere, signed, stripe_here

HOUR = 3_600_000
SEGMENTS, RATE, DUE = 9, 6000, 9000
STEPS: list[tuple[str, When]] = [
    ("/v1/customers", "before"),
    ("/v1/customers", "after"),
    ("/v1/checkout/sessions", "before"),
    ("/v1/checkout/sessions", "after"),
]
# How long after a message has gone out to the server it is killed, in seconds: somewhere in its handling.
DELAYS = (0.0, 0.004, 0.012, 0.03)


def now_ms() -> int:
    return SystemClock().now_ms()


class Paid:
    """A server's folder in which the last lock billed a contract's client, and what they ask of it."""

    def __init__(self, folder: Path, database_url: str | None, line: KillingLine, fake: StripeHere) -> None:
        self.folder, self.database_url, self.line, self.fake = folder, database_url, line, fake
        self.author = Author()
        self.seat = Seat(self.author, bytes(32))
        self._bill()
        (folder / "server.toml").write_text(
            f'gateway = "stripe"\ngateway_accounts = ["{self.author.account}"]\n'
            f'public_url = "https://diary.example"\nstripe_api = "{line.url}"\n'
            f'stripe_key = "{KEY}"\nstripe_webhook_secret = "{SECRET}"\n',
            encoding="utf-8",
        )

    def _bill(self) -> None:
        lock_ms = last_lock_ms(now_ms())
        clock = GivenClock(Millis(lock_ms - 24 * HOUR))
        settings = Settings(folder=self.folder, database_url=self.database_url)
        with TestClient(create_app(settings, clock)) as http:
            client = Client(http)
            terms = self.author.terms(
                manual_allowed=True, limit_minutes=None, rate_minor=RATE, currency="EUR"
            )
            client.enrol(self.author, self.author.enrol(terms))
            invited = invitation(self.author, bytes(32), expires_at_ms=lock_ms + 999 * HOUR)
            assert reasons(client.push(self.author, invited)) == ["received"]
            joined = client.post("/v1/join", self.seat.join())
            assert reasons(answers_in(joined, client.key())) == ["received"]
            first = Week.at(lock_ms - 24 * HOUR * 3).first_slot
            rows = [self.author.capture(slot) for slot in range(first, first + SEGMENTS)]
            assert set(reasons(client.push(self.author, *rows))) == {"received"}
            clock.put(lock_ms + 1)
            client.push(self.author, self.author.capture(slot_at(lock_ms) - 1))

    @contextmanager
    def server(self) -> Iterator[Running]:
        with running(self.folder, database_url=self.database_url) as server:
            self.line.kill = server.kill
            yield server

    def start(self, server: Running) -> PaymentStarted:
        asked = StartPayment(account=self.author.account, invoice=1)
        answer = server.client.post("/v1/payments", asked, self.seat)
        assert answer.status_code == 200, answer.text
        return msgspec.json.decode(answer.content, type=PaymentStarted)

    def give_back(self, server: Running, minor: int) -> httpx.Response:
        asked = GiveBack(
            account=self.author.account, contract=self.author.contract, invoice=1, id="e" * 32, minor=minor
        )
        return server.client.post("/v1/refunds", asked, self.author)

    def hear(self, server: Running, body: bytes) -> httpx.Response:
        header = {"Stripe-Signature": signed(body, now_ms())}
        return server.client.http.post("/v1/gateway/messages", content=body, headers=header)

    def stands(self) -> tuple[dict[LedgerAccount, int], list[str]]:
        """Return the ledger's balances, and what is kept of the gateway's events."""
        settings = Settings(folder=self.folder, database_url=self.database_url)
        storage = storage_of(settings, SystemClock())
        try:
            entries = storage.invoices.entries(self.author.account)
            kept = storage.payments.events(self.author.account)
        finally:
            storage.close()
        return balances(entries), [one.event.kind for one in kept]


@pytest.fixture
def fake() -> Iterator[StripeHere]:
    with stripe_here() as fake:
        yield fake


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.soak)])
def database_url(request: pytest.FixtureRequest) -> str | None:
    if request.param == "sqlite":
        return None
    url: str = request.getfixturevalue("cluster").new_database()
    return url


@pytest.fixture
def paid(tmp_path: Path, database_url: str | None, fake: StripeHere) -> Iterator[Paid]:
    with killing_line(fake.url) as line:
        yield Paid(tmp_path / "server", database_url, line, fake)


@rule("R63")
def test_killed_at_any_step_of_paying_there_is_one_page_and_one_payment(paid: Paid) -> None:
    for step in STEPS:
        paid.line.at = step
        with paid.server() as server, pytest.raises(httpx.TransportError):
            paid.start(server)
    assert paid.line.killed == len(STEPS)
    with paid.server() as server:
        started = paid.start(server)
        assert (started.minor, started.currency) == (DUE, "EUR")
        assert paid.start(server) == started
        assert paid.fake.sessions() == ["open"]
        paid.fake.page((started.url or "").rpartition("/")[2])
        for body in paid.fake.messages():
            assert paid.hear(server, body).status_code == 200
    stands, kept = paid.stands()
    assert kept == ["paid"]
    assert stands.get("client_owes", 0) == 0
    assert stands["gateway"] == DUE
    assert sum(stands.values()) == 0


@rule("R62")
@rule("R63")
def test_killed_while_it_hears_and_gives_back_each_effect_counts_once(paid: Paid) -> None:
    with paid.server() as server:
        paid.fake.page((paid.start(server).url or "").rpartition("/")[2])
    (told,) = paid.fake.messages("checkout.session.completed")
    for delay in DELAYS:
        with paid.server() as server:
            telling = threading.Thread(target=_tell, args=(paid, server, told))
            telling.start()
            time.sleep(delay)
            server.kill()
            telling.join()
    # Giving back, with the server gone before Stripe heard of it and after.
    for when in ("before", "after"):
        paid.line.at = ("/v1/refunds", when)
        with paid.server() as server:
            assert paid.hear(server, told).status_code == 200
            with pytest.raises(httpx.TransportError):
                paid.give_back(server, 500)
    with paid.server() as server:
        assert paid.give_back(server, 500).status_code == 200
        (given,) = paid.fake.messages("refund.created")
        for body in (given, told, given):
            assert paid.hear(server, body).status_code == 200
    stands, kept = paid.stands()
    assert kept == ["paid", "refunded"]
    assert stands["gateway"] == DUE - 500
    assert sum(stands.values()) == 0


def _tell(paid: Paid, server: Running, body: bytes) -> None:
    try:
        paid.hear(server, body)
    except httpx.TransportError:
        return
