"""A client's first look: weeks before the log is read, by the real server (R28, R51, R56, R64)."""

import os

import msgspec
import pytest

from diary.evidence.head import read_head
from diary.rules.act_parts import SLOT_END
from diary.rules.ids import ContractId, Slot
from diary.rules.week import Week, slot_at
from sync.protocol import WEEKS_MAX, Weeks, WeeksAnswer
from tests.rule import rule
from tests.sync.server.author import Author
from tests.sync.server.conftest import WEDNESDAY, Here
from tests.sync.server.seat import Seat, joined

SLOT = slot_at(WEDNESDAY) - 3


@pytest.fixture
def author(here: Here) -> Author:
    """Return a freelancer with a contract."""
    author = Author()
    here.client.enrol(author, author.enrol(author.terms()))
    return author


@pytest.fixture
def seat(here: Here, author: Author) -> Seat:
    """Return its client."""
    return joined(here.client, author)


def first_look(here: Here, seat: Author, *slots: int) -> WeeksAnswer:
    asked = Weeks(account=seat.account, contract=seat.contract, first_slots=[Slot(slot) for slot in slots])
    return msgspec.json.decode(here.client.post("/v1/weeks", asked, seat).content, type=WeeksAnswer)


@rule("R64")
@rule("R56")
def test_a_client_looks_at_the_newest_week_under_the_head_of_the_whole_log(
    here: Here, author: Author, seat: Seat
) -> None:
    here.client.push(author, author.capture(SLOT), author.capture(SLOT - 1008), author.entry(SLOT))
    answer = first_look(here, seat)
    assert [row.index for row in answer.page.rows][-2:] == [
        answer.page.head.size - 3,
        answer.page.head.size - 1,
    ]
    assert answer.first_slots == [Week.of(Slot(slot)).first_slot for slot in (SLOT - 1008, SLOT)]
    assert answer.page.signed_head is not None
    head = read_head(answer.page.signed_head, here.client.key())
    assert (head.contract, head.size) == (seat.contract, answer.page.head.size)
    earlier = first_look(here, seat, SLOT - 1008)
    assert [row.index for row in earlier.page.rows if '"slot"' in row.header] == [head.size - 2]


@rule("R28")
def test_what_another_contract_has_is_said_of_the_weeks_shown(here: Here, author: Author, seat: Seat) -> None:
    other = ContractId(os.urandom(16).hex())
    slots = (SLOT, SLOT - 1008)
    rivals = [author.capture(slot, pictures=[author.picture()], contract=other) for slot in slots]
    here.client.push(author, author.terms(contract=other), *rivals)
    here.clock.put(WEDNESDAY + 1000)
    own = [author.capture(slot, pictures=[author.picture()]) for slot in (*slots, SLOT - 1)]
    here.client.push(author, *own)
    answer = first_look(here, seat)
    assert answer.overlapping == [SLOT]
    assert other not in msgspec.json.encode(answer).decode()


@rule("R51")
@rule("R44")
def test_what_is_asked_amiss_is_refused_by_name(here: Here, author: Author, seat: Seat) -> None:
    def refused(**asked: object) -> tuple[int, str]:
        given = {"account": seat.account, "contract": seat.contract} | asked
        answer = here.client.post("/v1/weeks", Weeks(**given), asked_by)  # type: ignore[arg-type]
        return answer.status_code, answer.json()["reason"]

    asked_by: Author = seat
    assert refused(contract=ContractId("7" * 32)) == (403, "not_yours")
    assert refused(first_slots=[SLOT] * (WEEKS_MAX + 1)) == (413, "too_large")
    assert refused(first_slots=[SLOT_END]) == (400, "bad_request")
    asked_by = author
    assert refused(contract=ContractId("7" * 32)) == (404, "not_found")
