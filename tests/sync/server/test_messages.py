"""Messages at the server: who may write them, where, and how large; not what they say (R44, R68)."""

import pytest

from diary.rules.ids import ContractId, Millis
from diary.rules.sealed_content import MessageContent, content_bytes
from diary.rules.segment import Sealed
from diary.sealing.row import padded_picture_bytes, picture_name
from sync.protocol import MESSAGE_BODY_BYTES_MAX, PICTURE_BYTES_MAX, WireVersion
from tests.rule import rule
from tests.sync.server.author import Author, wire
from tests.sync.server.conftest import WEDNESDAY, Here
from tests.sync.server.process import reasons
from tests.sync.server.saying import state
from tests.sync.server.seat import Seat, joined


def message(
    by: Author, text: str = "hello", contract: ContractId | None = None, **fields: object
) -> WireVersion:
    content = MessageContent(
        contract=contract or by.contract, kind="text", written_at_ms=Millis(WEDNESDAY), text=text
    )
    header = by.header("message", contract=contract or by.contract, **fields)
    return by.sealed(header, content_bytes(content))


@pytest.fixture
def author(here: Here) -> Author:
    author = Author()
    here.client.enrol(author, author.enrol(author.terms()))
    return author


@pytest.fixture
def seat(here: Here, author: Author) -> Seat:
    return joined(here.client, author)


@rule("R48")
@rule("R68")
def test_devices_and_seats_write_in_any_state_of_the_contract(here: Here, author: Author, seat: Seat) -> None:
    for word in ("paused", "closed"):
        assert reasons(here.client.push(author, state(author, word), message(author))) == ["received"] * 2
        assert reasons(here.client.push(seat, message(seat))) == ["received"]


@rule("R40")
@rule("R68")
def test_a_message_sent_twice_is_one(here: Here, author: Author) -> None:
    sent = message(author)
    assert reasons(here.client.push(author, sent)) == reasons(here.client.push(author, sent)) == ["received"]
    rows = here.client.pull_all(author)[author.contract]
    assert len([row for row in rows if '"type":"message"' in row]) == 1


@rule("R44")
@rule("R68")
def test_a_message_is_sealed_whole_and_has_a_size(here: Here, author: Author, seat: Seat) -> None:
    for by in (author, seat):
        large = message(by, "x" * MESSAGE_BODY_BYTES_MAX)
        header = by.header("message", epoch=1, commit="2" * 64)
        bare = wire(Sealed(header=header.to_bytes(), body=None, wrap=None))
        unsealed = wire(Sealed(header=by.header("message").to_bytes(), body=None, wrap=None))
        heavy = message(by, pictures=(("2" * 64, PICTURE_BYTES_MAX + 1),))
        assert reasons(here.client.push(by, large, bare, unsealed, heavy, message(by))) == [
            "too_large", "bad_header", "bad_header", "too_large", "received",
        ]  # fmt: skip


@rule("R44")
@rule("R68")
def test_the_longest_text_in_the_widest_characters_is_taken(here: Here, author: Author) -> None:
    assert reasons(here.client.push(author, message(author, "\U0001f33b" * 8_000))) == ["received"]


@rule("R51")
@rule("R68")
def test_nobody_writes_where_they_are_not(here: Here, author: Author, seat: Seat) -> None:
    unknown = ContractId("e" * 32)
    assert reasons(here.client.push(author, message(author, contract=unknown))) == ["unknown_contract"]
    own_log = ContractId(author.account)
    assert reasons(here.client.push(author, message(author, contract=own_log))) == ["bad_header"]
    here.client.push(author, author.terms(contract=ContractId("d" * 32)))
    assert reasons(here.client.push(seat, message(seat, contract=ContractId("d" * 32)))) == ["not_yours"]


@rule("R41")
@rule("R68")
def test_a_seat_uploads_the_files_that_its_own_message_names_and_no_others(
    here: Here, author: Author, seat: Seat
) -> None:
    file = author.picture()
    name = picture_name(file)
    assert here.client.upload(seat, name, file).status_code == 404, "before its row nothing is taken"
    named = message(seat, pictures=((name, padded_picture_bytes(file)),))
    assert reasons(here.client.push(seat, named)) == ["received"]
    assert here.client.upload(seat, name, file).status_code == 200
    assert here.client.upload(author, name, file).json()["whole"] is True
    other = author.picture()
    assert here.client.upload(seat, picture_name(other), other).status_code == 404
