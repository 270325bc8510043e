"""What a restored server is shown of payments stands in its ledger again as it was (R43, R62, R63)."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from diary.clock import GivenClock
from diary.rules.ledger_entry import LedgerEntry, balances
from diary.rules.week import Week, slot_at
from sync.server.server import storage_of
from tests.rule import rule
from tests.sync.server.author import Author
from tests.sync.server.backup import Restorable
from tests.sync.server.conftest import WEDNESDAY
from tests.sync.server.saying import payment
from tests.sync.server.shown import Sent, heal, message

if TYPE_CHECKING:
    from tests.sync.server.postgres import Postgres

SLOT = slot_at(WEDNESDAY) - 12
LOCK = Week.at(WEDNESDAY).locked_at_ms
HOUR = 3_600_000


@pytest.fixture
def server(request: pytest.FixtureRequest, tmp_path: Path, database_url: str | None) -> Restorable:
    cluster: Postgres | None = request.getfixturevalue("cluster") if database_url else None
    return Restorable(tmp_path / "server", GivenClock(WEDNESDAY), database_url, cluster)


def entries(server: Restorable, author: Author) -> list[LedgerEntry]:
    storage = storage_of(server.settings, server.clock)
    try:
        return storage.invoices.entries(author.account)
    finally:
        storage.close()


@rule("R43")
@rule("R62")
@rule("R63")
def test_healed_payments_are_posted_at_once_and_as_they_were(server: Restorable) -> None:
    author = Author()
    with server.serving() as client:
        Sent(client, author, author.device_list(), enrolling=True)
        Sent(client, author, author.grant(), author.terms(rate_minor=6000, currency="USD"))
        Sent(client, author, *(author.capture(SLOT + number) for number in range(6)))
        server.clock.put(LOCK + 1)
        Sent(
            client, author, author.capture(slot_at(LOCK) - 1)
        )  # the first row after the lock closes the week
    backup = server.backed_up()
    with server.serving() as client:
        server.clock.put(LOCK + HOUR)
        paid = Sent(client, author, payment(author, "received", 5000))
        server.clock.put(LOCK + 2 * HOUR)
        back = Sent(client, author, payment(author, "refunded", 500, id_="8" * 32))
    before = entries(server, author)
    assert balances(before) == {
        "client_owes": 1000,
        "in_review": -6000,
        "paid_by_hand": 4500,
        "refunded": 500,
    }
    restored = server.restore(backup)
    assert balances(entries(restored, author)) == {"client_owes": 6000, "in_review": -6000}
    server.clock.put(LOCK + 3 * HOUR)
    with restored.serving() as client:
        assert heal(client, message(client, author, back, paid)).healed == 2
        assert heal(client, message(client, author, paid, back)).healed == 0
    assert entries(restored, author) == before, "with the times at which they were received"
