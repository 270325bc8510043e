"""What a server refused for good it refuses again after a restore, once its answer is shown (R40, R43)."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from diary.clock import GivenClock
from diary.evidence.receipt import Refusal, SignedAnswer, read_answer, sign_answer
from diary.rules.ids import Millis
from diary.rules.week import Week, slot_at
from sync.protocol import Push, PushAnswer, WireVersion
from tests.rule import rule
from tests.sync.server.author import Author, n_of
from tests.sync.server.backup import Restorable
from tests.sync.server.conftest import WEDNESDAY
from tests.sync.server.process import Client, reasons
from tests.sync.server.shown import fault_of, heal, message

if TYPE_CHECKING:
    from tests.sync.server.postgres import Postgres

SLOT = slot_at(WEDNESDAY) - 2
LOCK = Week.at(WEDNESDAY).locked_at_ms
DAY = 24 * 3_600_000


@dataclass
class Lost:
    """A server that refused a capture before it knew the contract, and was put back to before that."""

    server: Restorable
    author: Author
    capture: WireVersion
    push: Push
    answer: SignedAnswer
    terms: WireVersion

    @property
    def refused(self) -> Refusal:
        (found,) = msgspec.json.decode(self.answer.text, type=list[Refusal])
        return found


@pytest.fixture
def lost(request: pytest.FixtureRequest, tmp_path: Path, database_url: str | None) -> Lost:
    cluster: Postgres | None = request.getfixturevalue("cluster") if database_url else None
    server = Restorable(tmp_path / "server", GivenClock(WEDNESDAY), database_url, cluster)
    author = Author()
    with server.serving() as client:
        client.enrol(author)
    backup = server.backed_up()
    capture = author.capture(SLOT)
    push = author.push(capture)
    with server.serving() as client:
        answer = msgspec.json.decode(client.post("/v1/push", push, author).content, type=PushAnswer).answers
        assert reasons(read_answer(answer, client.key())) == ["unknown_contract"]
    restored = server.restore(backup)
    terms = author.terms()
    with restored.serving() as client:
        assert reasons(client.push(author, terms)) == ["received"]
    return Lost(restored, author, capture, push, answer, terms)


def show(client: Client, lost: Lost, *answers: SignedAnswer) -> None:
    answer = heal(client, message(client, lost.author, answers=list(answers)))
    assert (answer.healed, answer.openings) == (0, [])


@rule("R43")
@rule("R40")
def test_a_lost_refusal_that_is_not_shown_is_forgotten(lost: Lost) -> None:
    """Why it is shown: the same capture would be received, and both answers bear the server's signature."""
    with lost.server.serving() as client:
        assert reasons(client.send(lost.author, lost.push)) == ["received"]


@rule("R43")
@rule("R40")
@pytest.mark.parametrize("now_ms", [WEDNESDAY + 1000, LOCK + 1000])
def test_a_refusal_that_is_shown_is_answered_the_same_again_after_the_lock_too(
    lost: Lost, now_ms: int
) -> None:
    lost.server.clock.put(Millis(now_ms))
    with lost.server.serving() as client:
        show(client, lost, lost.answer)
        assert client.send(lost.author, lost.push) == [lost.refused]
        show(client, lost, lost.answer)
        assert client.send(lost.author, lost.author.push(lost.capture)) == [lost.refused]
        assert client.pull(lost.author).replica_n == n_of(lost.terms)
    assert lost.refused.refused_at_ms == WEDNESDAY


@rule("R42")
@rule("R43")
def test_the_number_of_a_shown_refusal_is_no_other_contents(lost: Lost) -> None:
    other = msgspec.structs.replace(lost.capture, body=b"other content of the same name", wrap=None)
    with lost.server.serving() as client:
        show(client, lost, lost.answer)
        assert reasons(client.push(lost.author, other)) == ["version_reused"]


@rule("R43")
def test_what_the_server_did_not_sign_is_no_refusal(lost: Lost) -> None:
    forged = sign_answer([lost.refused], b"another server's seed, 32 bytes.")
    with lost.server.serving() as client:
        show(client, lost, forged)
        assert reasons(client.send(lost.author, lost.push)) == ["received"]


@rule("R43")
def test_what_was_received_meanwhile_stays_received(lost: Lost) -> None:
    with lost.server.serving() as client:
        received = client.send(lost.author, lost.push)
        show(client, lost, lost.answer)
        assert client.send(lost.author, lost.push) == received


@rule("R43")
@rule("R48")
def test_another_account_puts_no_refusal_into_this_one(lost: Lost) -> None:
    other = Author()
    with lost.server.serving() as client:
        client.enrol(other)
        assert heal(client, message(client, other, answers=[lost.answer])).openings == []
        assert reasons(client.send(lost.author, lost.push)) == ["received"]


@rule("R6")
@rule("R43")
def test_no_refusal_enters_by_a_clock_that_is_not_sure(lost: Lost) -> None:
    lost.server.clock.put(Millis(WEDNESDAY + 9 * DAY))
    with lost.server.serving() as client:
        shown = message(client, lost.author, answers=[lost.answer])
        assert fault_of(client, shown) == (503, "clock_unsure")


@rule("R37d")
def test_a_refusal_names_what_it_refuses_only_where_it_is_final(lost: Lost) -> None:
    ahead = lost.author.capture(slot_at(WEDNESDAY) + 6)
    with lost.server.serving() as client:
        (passing,) = client.push(lost.author, ahead)
        assert isinstance(passing, Refusal)
        assert (passing.reason, passing.header_hash, passing.body_hash) == ("slot_in_future", "", "")
    assert len(lost.refused.header_hash) == len(lost.refused.body_hash) == 64
