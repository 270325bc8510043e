"""A client's seat at the server: joins by a link once, reads one contract, writes what a client may (R51)."""

import os

import msgspec
import pytest

from diary.rules.ids import ContractId
from diary.rules.week import slot_at
from diary.sealing.row import picture_name
from sync.protocol import Fault, Join, Pull, PullAnswer
from tests.rule import rule
from tests.sync.server.author import Author
from tests.sync.server.conftest import WEDNESDAY, Here
from tests.sync.server.process import answers_in, reasons
from tests.sync.server.seat import FORTNIGHT_MS, Seat, invitation

SLOT = slot_at(WEDNESDAY) - 3
SECRET, OTHER_SECRET = bytes(range(32)), bytes(range(1, 33))


def fault_of(here: Here, message: Join) -> tuple[int, str]:
    answer = here.client.post("/v1/join", message)
    return answer.status_code, msgspec.json.decode(answer.content, type=Fault).reason


@pytest.fixture
def author(here: Here) -> Author:
    """Return a freelancer with a contract to which somebody is invited."""
    author = Author()
    here.client.enrol(author, author.enrol(author.terms(), invitation(author, SECRET)))
    return author


@pytest.fixture
def seat(here: Here, author: Author) -> Seat:
    """Return the client who joined it."""
    seat = Seat(author, SECRET)
    assert reasons(answers_in(here.client.post("/v1/join", seat.join()), here.client.key())) == ["received"]
    return seat


def told(here: Here, seat: Seat, first: int | None = None) -> PullAnswer:
    asked = Pull(account=seat.account, cursors={}, overlapping_from=first)  # type: ignore[arg-type]
    answer = here.client.post("/v1/pull", asked, seat)
    return msgspec.json.decode(answer.content, type=PullAnswer)


@rule("R51")
def test_a_client_joins_by_the_links_secret_and_reads_that_contract_alone(here: Here, seat: Seat) -> None:
    feeds = here.client.pull_all(seat)
    assert list(feeds) == [seat.contract]
    assert len(feeds[seat.contract]) == 3


@rule("R40")
def test_a_joining_sent_twice_is_answered_alike(here: Here, author: Author) -> None:
    message = Seat(author, SECRET).join()
    first = here.client.post("/v1/join", message).json()["answers"]
    here.clock.put(WEDNESDAY + FORTNIGHT_MS + 1)
    assert here.client.post("/v1/join", message).json()["answers"] == first


@rule("R51")
def test_a_link_works_once(here: Here, author: Author, seat: Seat) -> None:
    late = Seat(author, SECRET)
    assert fault_of(here, late.join()) == (403, "invitation_used")
    assert here.client.post("/v1/pull", Pull(account=author.account, cursors={}), late).status_code == 401
    assert len(here.client.pull_all(seat)[seat.contract]) == 3


@rule("R51")
def test_a_link_of_another_secret_opens_nothing(here: Here, author: Author) -> None:
    assert fault_of(here, Seat(author, OTHER_SECRET).join()) == (403, "invitation_unknown")


@rule("R51")
def test_a_link_is_dead_when_its_time_is_over(here: Here, author: Author) -> None:
    here.clock.put(WEDNESDAY + FORTNIGHT_MS)
    assert fault_of(here, Seat(author, SECRET).join()) == (403, "invitation_expired")
    assert len(here.client.pull_all(author)[author.contract]) == 2


@rule("R51")
def test_a_withdrawn_link_is_dead_at_once(here: Here, author: Author) -> None:
    assert reasons(here.client.push(author, invitation(author, SECRET, withdrawn=True))) == ["received"]
    assert fault_of(here, Seat(author, SECRET).join()) == (403, "invitation_expired")


@rule("R48")
def test_a_joining_that_the_secret_did_not_sign_is_forged(here: Here, author: Author) -> None:
    seat = Seat(author, SECRET)
    stolen = msgspec.structs.replace(seat.joining(), body=bytes(64))
    assert fault_of(here, seat.join(stolen)) == (400, "bad_signature")
    message = Seat(author, SECRET).join()
    unsigned = msgspec.structs.replace(message.push, signature=bytes(64))
    assert fault_of(here, msgspec.structs.replace(message, push=unsigned)) == (400, "bad_signature")


@rule("R51")
def test_a_link_of_one_contract_opens_no_other(here: Here, author: Author) -> None:
    other = ContractId(os.urandom(16).hex())
    here.client.push(author, author.terms(contract=other))
    assert fault_of(here, Seat(author, SECRET, other).join()) == (403, "invitation_unknown")
    stranger = Author()
    here.client.enrol(stranger)
    assert fault_of(here, Seat(stranger, SECRET, author.contract).join()) == (403, "invitation_unknown")
    assert fault_of(here, Seat(Author(), SECRET, author.contract).join()) == (403, "invitation_unknown")


@rule("R51")
def test_a_device_cannot_join_as_its_own_client(here: Here, author: Author) -> None:
    seat = Seat(author, SECRET)
    seat.replica = author.replica
    assert fault_of(here, seat.join())[1] == "not_yours"
    assert reasons(here.client.push(author, Seat(author, SECRET).joining())) == ["not_yours"]


@rule("R44")
def test_what_is_no_joining_is_refused_whole(here: Here, author: Author) -> None:
    seat = Seat(author, SECRET)
    assert fault_of(here, seat.join(seat.terms())) == (400, "bad_header")
    several = Seat(author, SECRET)
    message = several.join()
    push = several.push(*message.push.versions, several.terms())
    assert fault_of(here, msgspec.structs.replace(message, push=push)) == (400, "bad_header")
    assert fault_of(here, msgspec.structs.replace(message, token_hash="none")) == (400, "bad_request")


@rule("R48")
def test_a_client_writes_terms_and_nothing_of_the_freelancers(here: Here, author: Author, seat: Seat) -> None:
    written = [seat.terms(), seat.capture(SLOT), seat.entry(SLOT), seat.entry(SLOT, life=1), seat.grant()]
    assert reasons(here.client.push(seat, *written)) == ["received", *["not_yours"] * 4]
    assert reasons(here.client.push(seat, seat.terms(contract=ContractId("9" * 32)))) == ["not_yours"]
    assert reasons(here.client.push(seat, seat.terms(contract=ContractId(seat.account)))) == ["not_yours"]
    assert len(here.client.pull_all(author)[author.contract]) == 4


@rule("R48")
def test_another_clients_token_signs_for_nobody_else(here: Here, author: Author, seat: Seat) -> None:
    thief = Seat(author, OTHER_SECRET)
    push = thief.push(thief.terms())
    assert here.client.post("/v1/push", push, seat).status_code == 401
    forged = msgspec.structs.replace(push, replica=seat.replica)
    assert here.client.post("/v1/push", forged, seat).status_code == 400
    as_device = msgspec.structs.replace(author.push(author.terms()), signature=push.signature)
    assert here.client.post("/v1/push", as_device, seat).status_code == 400


@rule("R51")
def test_a_client_who_lost_their_key_is_invited_again_and_the_old_seat_ends(
    here: Here, author: Author, seat: Seat
) -> None:
    here.client.push(author, invitation(author, OTHER_SECRET, ends=(seat.replica,)))
    assert len(here.client.pull_all(seat)[seat.contract]) == 4
    again = Seat(author, OTHER_SECRET)
    assert here.client.post("/v1/join", again.join()).status_code == 200
    for path, message in (
        ("/v1/pull", Pull(account=seat.account, cursors={})),
        ("/v1/push", seat.push(seat.terms())),
    ):
        answer = here.client.post(path, message, seat)
        assert (answer.status_code, answer.json()["reason"]) == (403, "device_revoked")
    assert len(here.client.pull_all(again)[seat.contract]) == 5


@rule("R50")
def test_a_new_device_list_ends_no_seat(here: Here, author: Author, seat: Seat) -> None:
    here.client.enrol(author.second_device())
    assert here.client.post("/v1/pull", Pull(account=seat.account, cursors={}), seat).status_code == 200


@rule("R51")
def test_a_client_moves_pictures_of_their_contract_and_of_no_other(
    here: Here, author: Author, seat: Seat
) -> None:
    other = ContractId(os.urandom(16).hex())
    seen, unseen = author.picture(), author.picture()
    here.client.push(
        author,
        author.terms(contract=other),
        author.capture(SLOT, pictures=[seen]),
        author.capture(SLOT - 1, pictures=[unseen], contract=other),
    )
    assert here.client.upload(seat, picture_name(unseen), unseen).status_code == 404
    for by, picture in ((seat, seen), (author, unseen)):
        assert here.client.upload(by, picture_name(picture), picture).status_code == 200

    def asked(method: str, picture: bytes) -> int:
        path = f"/v1/pictures/{picture_name(picture)}"
        return here.client.http.request(method, path, headers=seat.authorization).status_code

    assert [asked(method, seen) for method in ("GET", "HEAD")] == [200, 200]
    assert [asked(method, unseen) for method in ("GET", "HEAD")] == [404, 404]
    names = [picture_name(seen), picture_name(unseen), "\0"]
    assert here.client.pull(seat, awaited=names).arrived == [picture_name(seen)]


@rule("R28")
def test_a_client_is_told_what_does_not_bill_and_nothing_else_of_other_contracts(
    here: Here, author: Author, seat: Seat
) -> None:
    other = ContractId(os.urandom(16).hex())
    pictures = [author.picture() for _ in range(4)]
    here.client.push(
        author,
        author.terms(contract=other),
        author.capture(SLOT, pictures=pictures[:1], contract=other),
        author.capture(SLOT - 2, pictures=pictures[1:2], contract=other),
    )
    here.clock.put(WEDNESDAY + 1000)
    here.client.push(
        author,
        author.capture(SLOT, pictures=pictures[2:3]),
        author.capture(SLOT - 1, pictures=pictures[3:]),
    )
    answer = told(here, seat)
    assert (answer.overlapping, [page.contract for page in answer.pages]) == (
        {seat.contract: [SLOT]},
        [seat.contract],
    )
    assert other not in msgspec.json.encode(answer).decode()
    assert told(here, seat, SLOT + 1).overlapping == {seat.contract: []}
    here.client.push(author, author.entry(SLOT, life=1, contract=other))
    assert told(here, seat, 0).overlapping == {seat.contract: []}
    assert here.client.pull(author).overlapping is None
