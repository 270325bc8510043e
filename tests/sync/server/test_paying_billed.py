"""What a client is asked to pay is what the ledger has them owe, and what they do not dispute (R62, R63)."""

import msgspec

from sync.money_messages import PaymentStarted, StartPayment
from tests.rule import rule
from tests.sync.server.author import Author
from tests.sync.server.billed import FIRST, LOCK, Parties, parties
from tests.sync.server.conftest import Here
from tests.sync.server.saying import dispute, payment

HOUR = 3_600_000


def due(both: Parties, by: Author, invoice: int = 1) -> int | str:
    """Return what is asked for, in minor units, or the word of the refusal."""
    asked = StartPayment(account=both.author.account, invoice=invoice)
    answer = both.here.client.post("/v1/payments", asked, by)
    if answer.status_code != 200:
        return str(answer.json()["reason"])
    return msgspec.json.decode(answer.content, type=PaymentStarted).minor


@rule("R62")
@rule("R63")
def test_what_is_disputed_is_not_asked_for_and_what_was_received_neither(here: Here) -> None:
    both = parties(here)
    both.work(FIRST, 7)
    assert due(both, both.seat) == "nothing_due"
    both.at(LOCK)
    assert due(both, both.seat) == 7000
    assert due(both, both.seat, invoice=2) == "nothing_due"
    assert due(both, both.author) == "not_yours"
    both.here.clock.put(LOCK + HOUR)
    assert both.push(both.seat, dispute(both.seat, "raised", FIRST, FIRST + 1)) == ["received"]
    assert due(both, both.seat) == 5000
    assert both.push(both.author, payment(both.author, "received", 4000)) == ["received"]
    assert due(both, both.seat) == 1000
    assert both.push(both.seat, dispute(both.seat, "withdrawn", FIRST, FIRST + 1)) == ["received"]
    assert due(both, both.seat) == 3000
    assert both.push(both.author, payment(both.author, "received", 3000, id_="8" * 32)) == ["received"]
    assert due(both, both.seat) == "nothing_due"
