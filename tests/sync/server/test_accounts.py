"""How an account begins, who may ask, and how the root proves itself (R50)."""

import hashlib

import msgspec
import pytest

from diary.rules.ids import ContractId, ReplicaId
from diary.rules.segment import parse_header
from sync.protocol import DeviceLists, Enrol, Fault, Nonce, WireVersion
from tests.rule import rule
from tests.sync.server.author import Author
from tests.sync.server.conftest import WEDNESDAY, Here
from tests.sync.server.process import reasons


def fault_of(here: Here, message: Enrol) -> tuple[int, str]:
    answer = here.client.post("/v1/enrol", message)
    return answer.status_code, msgspec.json.decode(answer.content, type=Fault).reason


def nonce(here: Here) -> str:
    return msgspec.json.decode(here.client.http.get("/v1/nonce").content, type=Nonce).nonce


@rule("R50")
def test_an_account_begins_with_a_device_list_of_its_root(here: Here) -> None:
    author = Author()
    assert reasons(here.client.enrol(author, author.enrol(author.terms()))) == ["received", "received"]
    feeds = here.client.pull_all(author)
    assert {name: len(rows) for name, rows in feeds.items()} == {author.account: 1, author.contract: 1}


@rule("R40")
def test_an_enrolment_sent_twice_is_answered_alike(here: Here) -> None:
    author = Author()
    message = author.enrol()
    first = here.client.enrol(author, message)
    here.clock.put(WEDNESDAY + 5)
    assert here.client.enrol(author, message) == first
    assert len(here.client.pull_all(author)) == 1


@rule("R40")
def test_an_old_enrolment_is_answered_after_the_list_grew(here: Here) -> None:
    author = Author()
    message = author.enrol()
    first = here.client.enrol(author, message)
    here.client.enrol(author.second_device())
    assert here.client.enrol(author, message) == first


@rule("R50")
def test_a_second_device_joins_with_the_phrase(here: Here) -> None:
    first = Author()
    here.client.enrol(first)
    second = first.second_device()
    assert reasons(here.client.enrol(second)) == ["received"]
    own_log = ContractId(first.account)
    assert len(here.client.pull_all(second)[own_log]) == 2
    assert len(here.client.pull_all(first)[own_log]) == 2


@rule("R50")
def test_nobody_opens_an_account_without_its_root(here: Here) -> None:
    author, thief = Author(), Author()
    thief.account = author.account
    assert fault_of(here, thief.enrol()) == (403, "not_yours")
    thief.account = thief.root.account
    message = thief.enrol()
    forged = msgspec.structs.replace(message.push.versions[0], body=bytes(64))
    thief.devices = None
    unsigned = Enrol(push=thief.push(forged), token_hash=message.token_hash)
    assert fault_of(here, unsigned) == (409, "bad_device_list")


@rule("R50")
def test_a_list_that_forks_enrols_nobody(here: Here) -> None:
    author = Author()
    here.client.enrol(author)
    stale = Author(author.phrase)
    assert fault_of(here, stale.enrol()) == (409, "bad_device_list")
    assert here.client.http.get(f"/v1/pictures/{'1' * 64}", headers=stale.authorization).status_code == 401


def test_an_enrolment_is_signed_by_the_device_it_lists(here: Here) -> None:
    author = Author()
    message = author.enrol()
    forged = msgspec.structs.replace(message.push, signature=bytes(64))
    assert fault_of(here, Enrol(push=forged, token_hash=message.token_hash)) == (400, "bad_signature")


def test_an_enrolment_begins_with_a_device_list(here: Here) -> None:
    author = Author()
    token_hash = author.enrol().token_hash
    assert fault_of(here, Enrol(push=author.push(), token_hash=token_hash)) == (400, "bad_request")
    terms = author.push(author.terms())
    assert fault_of(here, Enrol(push=terms, token_hash=token_hash)) == (400, "bad_header")
    broken = author.push(WireVersion(header="{", body=None, wrap=None))
    assert fault_of(here, Enrol(push=broken, token_hash=token_hash)) == (400, "bad_header")
    assert fault_of(here, Enrol(push=author.enrol().push, token_hash="short")) == (400, "bad_request")


def test_a_replayed_enrolment_changes_no_token(here: Here) -> None:
    author = Author()
    message = author.enrol()
    here.client.enrol(author, message)
    other_token = hashlib.sha256(b"thief").hexdigest()
    assert fault_of(here, Enrol(push=message.push, token_hash=other_token)) == (409, "bad_device_list")
    assert here.client.pull(author).pages


@rule("R50")
def test_the_newest_device_list_is_given_to_the_roots_holder(here: Here) -> None:
    author = Author()
    here.client.enrol(author)
    here.client.enrol(author.second_device())
    answer = here.client.post("/v1/device-list", author.proof(nonce(here)))
    (version,) = msgspec.json.decode(answer.content, type=DeviceLists).versions
    newest = parse_header(version.header.encode())
    assert newest.devices is not None
    assert (newest.devices.number, len(newest.devices.devices)) == (2, 2)


@rule("R50")
@pytest.mark.parametrize("late_ms", [600_001, -1])
def test_a_nonce_holds_for_ten_minutes(here: Here, late_ms: int) -> None:
    author = Author()
    here.client.enrol(author)
    proof = author.proof(nonce(here))
    here.clock.put(WEDNESDAY + 600_000)
    assert here.client.post("/v1/device-list", proof).status_code == 200
    here.clock.put(WEDNESDAY + late_ms)
    assert here.client.post("/v1/device-list", proof).status_code == 400


def test_a_proof_that_does_not_hold_shows_nothing(here: Here) -> None:
    author, thief = Author(), Author()
    here.client.enrol(author)
    good = author.proof(nonce(here))
    for forged, status in (
        (msgspec.structs.replace(good, signature=thief.proof(good.nonce).signature), 400),
        (msgspec.structs.replace(good, nonce="00" * 40), 400),
        (msgspec.structs.replace(good, nonce="no hex"), 400),
        (msgspec.structs.replace(thief.proof(good.nonce), account=author.account), 403),
        (msgspec.structs.replace(good, root="é" * 64), 403),
        (thief.proof(good.nonce), 404),
    ):
        assert here.client.post("/v1/device-list", forged).status_code == status


def test_a_token_of_another_replica_or_form_is_none(here: Here) -> None:
    author = Author()
    here.client.enrol(author)
    right = author.authorization["Authorization"]
    for wrong in ("", "Bearer", right + "0", right.replace("Bearer", "Basic"), right[:-1] + "g"):
        answer = here.client.http.get(f"/v1/pictures/{'1' * 64}", headers={"Authorization": wrong})
        assert answer.status_code == 401
    author.replica = ReplicaId("7" * 32)
    answer = here.client.http.get(f"/v1/pictures/{'1' * 64}", headers=author.authorization)
    assert answer.status_code == 401


def test_a_token_is_kept_as_its_hash_only(here: Here) -> None:
    author = Author()
    here.client.enrol(author)
    kept = here.stored()
    assert author.keys.token.encode() not in kept
    assert bytes.fromhex(author.keys.token) not in kept
    assert hashlib.sha256(author.keys.token.encode()).digest() in kept


def test_accounts_do_not_see_each_other(here: Here) -> None:
    one, two = Author(), Author()
    here.client.enrol(one, one.enrol(one.terms()))
    here.client.enrol(two)
    assert set(here.client.pull_all(two)) == {ContractId(two.account)}
