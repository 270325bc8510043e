"""A seat whose joining came after the backup is let in again by a head that it holds (R43, R51)."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from diary.clock import GivenClock
from diary.evidence.opening import FIRST_EPOCH
from diary.evidence.statement import SignedStatement
from tests.rule import rule
from tests.sync.server.author import Author
from tests.sync.server.backup import Restorable
from tests.sync.server.conftest import WEDNESDAY
from tests.sync.server.process import Client, answers_in, reasons
from tests.sync.server.seat import Seat, invitation
from tests.sync.server.shown import Sent, fault_of, heal, message, opening_of
from tests.sync.server.test_healed_heads import signed_head

if TYPE_CHECKING:
    from tests.sync.server.postgres import Postgres

SECRET = bytes(range(32))


@dataclass
class Loss:
    """A server that lost a client's joining, and what client and freelancer hold of it."""

    server: Restorable
    author: Author
    seat: Seat
    joined: Sent
    head: SignedStatement


@pytest.fixture
def loss(request: pytest.FixtureRequest, tmp_path: Path, database_url: str | None) -> Loss:
    cluster: Postgres | None = request.getfixturevalue("cluster") if database_url else None
    server = Restorable(tmp_path / "server", GivenClock(WEDNESDAY), database_url, cluster)
    author = Author()
    with server.serving() as client:
        client.enrol(author, author.enrol(author.terms(), invitation(author, SECRET)))
    backup = server.backed_up()
    seat = Seat(author, SECRET)
    with server.serving() as client:
        joined = Sent(client, seat, seat.joining(), joining=True)
        head = signed_head(client, seat, author.contract)
    return Loss(server.restore(backup), author, seat, joined, head)


def is_known(client: Client, seat: Seat) -> bool:
    return client.http.get("/v1/pictures/" + "0" * 64, headers=seat.authorization).status_code != 401


@rule("R43")
@rule("R51")
def test_a_seat_that_the_backup_does_not_know_is_let_in_by_its_head_once_a_device_showed_its_joining(
    loss: Loss,
) -> None:
    with loss.server.serving() as client:
        by_head = {"heads": [loss.head]}
        assert not is_known(client, loss.seat)
        assert fault_of(client, message(client, loss.seat, **by_head)) == (401, "not_enrolled")

        told = heal(client, message(client, loss.author, loss.joined))
        assert told.healed == 1
        epoch = opening_of(client, told.openings).log_epoch
        assert not is_known(client, loss.seat), "its joining is there, its access is not"
        assert fault_of(client, message(client, loss.seat)) == (401, "not_enrolled"), "no head, no contract"

        again = heal(client, message(client, loss.seat, **by_head, log_epoch=FIRST_EPOCH))
        assert opening_of(client, again.openings).log_epoch == epoch, "it states nothing a second time"
        assert is_known(client, loss.seat)
        told_first = client.pull(loss.seat).openings
        assert opening_of(client, told_first).log_epoch == epoch


@rule("R43")
@rule("R51")
def test_nobody_is_let_in_by_a_head_without_a_joining_and_a_key_of_their_own(loss: Loss) -> None:
    with loss.server.serving() as client:
        heal(client, message(client, loss.author, loss.joined))
        thief = Seat(loss.author, SECRET)
        assert fault_of(client, message(client, thief, heads=[loss.head])) == (401, "not_enrolled")
        thief.replica = loss.seat.replica
        assert fault_of(client, message(client, thief, heads=[loss.head])) == (400, "bad_signature")
        assert not is_known(client, thief)
        instead = invitation(loss.author, bytes(32), ends=(loss.seat.replica,))
        assert reasons(client.push(loss.author, instead)) == ["received"]
        successor = Seat(loss.author, bytes(32))
        assert reasons(answers_in(client.post("/v1/join", successor.join()), client.key())) == ["received"]
        assert fault_of(client, message(client, loss.seat, heads=[loss.head])) == (401, "not_enrolled")
        assert not is_known(client, loss.seat)
