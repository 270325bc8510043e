"""Pushes against the whole application, its clock in the test's hand (R3, R37, R40, R48, R50)."""

import hashlib

import msgspec
import pytest

from diary.evidence import signature
from diary.evidence.merkle import leaf_hash, push_hash
from diary.evidence.receipt import Cursor, Receipt, Refusal
from diary.rules.ids import ContractId, Millis, ReplicaId, Slot
from diary.rules.segment import parse_header
from diary.rules.week import Week, slot_at
from sync.protocol import PUSH_VERSIONS_MAX, Fault, Push, WireVersion
from tests.rule import rule
from tests.sync.server.author import Author, n_of
from tests.sync.server.conftest import WEDNESDAY, Here
from tests.sync.server.process import reasons

SLOT = slot_at(WEDNESDAY) - 2
LOCK = Week.at(WEDNESDAY).locked_at_ms


@pytest.fixture
def author(here: Here) -> Author:
    author = Author()
    assert reasons(here.client.enrol(author)) == ["received"]
    assert reasons(here.client.push(author, author.grant(), author.terms())) == ["received", "received"]
    return author


def fault_of(here: Here, author: Author, push: Push) -> tuple[int, str]:
    answer = here.client.post("/v1/push", push, author)
    return answer.status_code, msgspec.json.decode(answer.content, type=Fault).reason


def test_a_push_is_answered_row_by_row_in_its_order(here: Here, author: Author) -> None:
    future = author.capture(SLOT + 100)
    nowhere = author.capture(SLOT + 1, contract=ContractId("9" * 32))
    answers = here.client.push(author, future, author.capture(SLOT), nowhere, author.entry(SLOT, memo="x"))
    assert reasons(answers) == ["slot_in_future", "received", "unknown_contract", "received"]


@rule("R45")
def test_a_receipt_names_the_place_in_the_log_that_a_reader_finds(here: Here, author: Author) -> None:
    version = author.capture(SLOT)
    push = author.push(version)
    (receipt,) = here.client.send(author, push)
    assert isinstance(receipt, Receipt)
    (page,) = here.client.pull(author, {ContractId(author.account): Cursor(1, 1)}).pages
    row = page.rows[receipt.index]
    assert (row.header, row.body, row.wrap) == (version.header, version.body, version.wrap)
    assert row.received_at_ms == receipt.received_at_ms == WEDNESDAY
    header_hash = hashlib.sha256(row.header.encode()).digest()
    signed = page.pushes[row.push]
    assert push_hash(signed).hex() == row.push
    leaf = leaf_hash(
        "capture", author.contract, 1, WEDNESDAY, header_hash, bytes.fromhex(row.body_hash), push_hash(signed)
    )
    assert leaf.hex() == receipt.leaf


@rule("R48")
def test_a_reader_can_check_the_signature_of_every_row(here: Here, author: Author) -> None:
    here.client.push(author, author.capture(SLOT), author.capture(SLOT - 1))
    for page in here.client.pull(author).pages:
        for row in page.rows:
            signed = page.pushes[row.push]
            assert signature.verify(author.keys.sign_public, signature.PUSH, signed.hashes, signed.signature)
            pair = hashlib.sha256(row.header.encode()).digest() + bytes.fromhex(row.body_hash)
            assert pair in [signed.hashes[at : at + 64] for at in range(0, len(signed.hashes), 64)]


@rule("R40")
def test_a_push_sent_twice_is_answered_alike_and_stored_once(here: Here, author: Author) -> None:
    push = author.push(author.capture(SLOT), author.capture(SLOT + 100), author.entry(SLOT, life=2))
    first = here.client.send(author, push)
    here.clock.put(WEDNESDAY + 60_000)
    assert here.client.send(author, push)[:1] == first[:1]
    assert here.client.send(author, push)[2:] == first[2:]
    assert len(here.client.pull_all(author)[author.contract]) == 3


@rule("R40")
def test_a_reply_lost_before_the_lock_is_repeated_after_it(here: Here, author: Author) -> None:
    push = author.push(author.capture(SLOT), author.entry(SLOT, memo="in time"))
    here.clock.put(LOCK - 1)
    first = here.client.send(author, push)
    assert reasons(first) == ["received", "received"]
    here.clock.put(LOCK + 3_600_000)
    assert here.client.send(author, push) == first


@rule("R40")
def test_a_refusal_is_final_also_when_its_reason_is_gone(here: Here, author: Author) -> None:
    here.client.push(author, author.terms(state="paused"))
    edit = author.entry(SLOT, memo="while paused")
    first = here.client.push(author, edit)
    assert reasons(first) == ["contract_paused"]
    here.client.push(author, author.terms(state="active"))
    here.clock.put(WEDNESDAY + 1)
    assert here.client.push(author, edit) == first


@rule("R40")
@pytest.mark.parametrize("kind", ["slot_in_future", "clock_ahead"])
def test_what_only_time_refused_is_taken_later_under_its_name(here: Here, author: Author, kind: str) -> None:
    version = (
        author.capture(SLOT + 4)
        if kind == "slot_in_future"
        else author.entry(SLOT, memo="typed", stamp_ms=Millis(WEDNESDAY + 1_500_000))
    )
    assert reasons(here.client.push(author, version)) == [kind]
    here.clock.put(WEDNESDAY + 3_600_000)
    assert reasons(here.client.push(author, version)) == ["received"]


@rule("R42")
def test_a_name_with_other_content_is_refused(here: Here, author: Author) -> None:
    version = author.capture(SLOT)
    here.client.push(author, version)
    other = author.capture(SLOT - 5, n=n_of(version))
    assert reasons(here.client.push(author, other)) == ["version_reused"]
    assert reasons(here.client.push(author, version)) == ["received"]


@rule("R40")
def test_a_name_doubled_within_a_push_is_answered_by_the_first(here: Here, author: Author) -> None:
    version = author.capture(SLOT)
    other = author.capture(SLOT - 5, n=n_of(version))
    answers = here.client.push(author, version, version, other)
    assert reasons(answers) == ["received", "received", "version_reused"]
    assert answers[0] == answers[1]


@rule("R37")
def test_a_change_is_taken_until_the_lock_and_refused_from_it(here: Here, author: Author) -> None:
    here.clock.put(LOCK - 1)
    assert reasons(here.client.push(author, author.capture(SLOT))) == ["received"]
    here.clock.put(LOCK)
    edit, deletion = author.entry(SLOT, memo="late"), author.entry(SLOT, life=1)
    assert reasons(here.client.push(author, edit, deletion)) == ["week_locked", "week_locked"]


@rule("R38")
def test_a_capture_of_an_empty_slot_is_late_after_the_lock(here: Here, author: Author) -> None:
    here.clock.put(LOCK + 60_000)
    (receipt,) = here.client.push(author, author.capture(SLOT))
    assert isinstance(receipt, Receipt)
    assert receipt.received_at_ms >= LOCK


@rule("R3")
def test_a_clock_set_back_unlocks_nothing(here: Here, author: Author) -> None:
    here.client.push(author, author.capture(SLOT))
    here.clock.put(LOCK)
    here.client.push(author, author.capture(slot_at(LOCK) - 1))
    here.clock.put(LOCK - 60_000)
    assert reasons(here.client.push(author, author.entry(SLOT, memo="x"))) == ["week_locked"]
    (receipt,) = here.client.push(author, author.capture(slot_at(LOCK) - 2))
    assert isinstance(receipt, Receipt)
    assert receipt.received_at_ms == LOCK


@rule("R35")
def test_a_capture_that_comes_after_the_deletion_is_refused(here: Here, author: Author) -> None:
    other = author.second_device()
    here.client.enrol(other)
    capture = author.capture(SLOT)
    here.client.push(author, capture)
    assert reasons(here.client.push(other, other.entry(SLOT, life=1))) == ["received"]
    assert reasons(here.client.push(other, other.capture(SLOT))) == ["slot_deleted"]


@rule("R25")
def test_a_deletion_takes_body_and_wrap_from_the_feed_and_the_files(here: Here, author: Author) -> None:
    capture, entry = author.capture(SLOT), author.entry(SLOT, memo="secret")
    here.client.push(author, capture, entry)
    knows = {author.replica: n_of(entry)}
    assert reasons(here.client.push(author, author.entry(SLOT, life=1, knows=knows))) == ["received"]
    rows = here.client.pull(author, {ContractId(author.account): Cursor(1, 1)}).pages[0].rows
    assert [row.body is None for row in rows] == [False, False, True, True, False]
    assert [row.wrap is None for row in rows[2:4]] == [True, True]
    kept = here.stored()
    for gone in (capture, entry):
        assert gone.body is not None
        assert gone.wrap is not None
        assert gone.body[:64] not in kept
        assert gone.wrap not in kept
        assert gone.header.encode()[:40] in kept


@rule("R25")
def test_what_was_deleted_within_one_push_is_never_written(here: Here, author: Author) -> None:
    capture = author.capture(SLOT)
    answers = here.client.push(author, capture, author.entry(SLOT, life=1))
    assert reasons(answers) == ["received", "received"]
    kept = here.stored()
    assert capture.wrap is not None
    assert capture.wrap not in kept


@rule("R34")
def test_concurrent_edits_stand_side_by_side_until_one_covers_both(here: Here, author: Author) -> None:
    other = author.second_device()
    here.client.enrol(other)
    here.client.push(author, author.capture(SLOT))
    one, two = author.entry(SLOT, memo="one"), other.entry(SLOT, memo="two")
    here.client.push(author, one)
    here.client.push(other, two)

    def bodies() -> dict[str, bool]:
        pages = here.client.pull(author).pages
        return {row.header: row.body is not None for page in pages for row in page.rows}

    assert bodies()[one.header]
    assert bodies()[two.header]
    knows = {author.replica: n_of(one), other.replica: n_of(two)}
    here.client.push(author, author.entry(SLOT, memo="both", knows=knows))
    assert not bodies()[one.header]
    assert not bodies()[two.header]


@rule("R40")
def test_pushes_in_another_order_end_in_the_same_standing(here: Here, author: Author) -> None:
    entry = author.entry(SLOT, memo="first")
    later = author.entry(SLOT, memo="second", knows={author.replica: n_of(entry)})
    assert reasons(here.client.push(author, author.capture(SLOT), later)) == ["received", "received"]
    assert reasons(here.client.push(author, entry)) == ["received"]
    rows = here.client.pull(author, {ContractId(author.account): Cursor(1, 1)}).pages[0].rows
    bodies = {n_of(WireVersion(header=row.header, body=None, wrap=None)): row.body for row in rows}
    assert bodies[n_of(entry)] is None
    assert bodies[n_of(later)] is not None


@rule("R21")
def test_manual_time_needs_the_terms_permission(here: Here, author: Author) -> None:
    strict = author.terms(contract=ContractId("8" * 32), manual_allowed=False)
    here.client.push(author, strict)
    claim = author.entry(SLOT, manual=True, contract=ContractId("8" * 32))
    assert reasons(here.client.push(author, claim)) == ["manual_not_allowed"]
    assert reasons(here.client.push(author, author.entry(SLOT, manual=True))) == ["received"]


def test_another_accounts_contract_is_refused(here: Here, author: Author) -> None:
    stranger = Author()
    here.client.enrol(stranger)
    mine = stranger.terms(contract=author.contract)
    theirs = stranger.capture(SLOT, account=author.account)
    assert reasons(here.client.push(stranger, mine, theirs)) == ["not_yours", "not_yours"]
    assert author.contract not in here.client.pull_all(stranger)


def test_a_version_in_another_replicas_name_is_refused_and_spoils_nothing(here: Here, author: Author) -> None:
    other = author.second_device()
    here.client.enrol(other)
    forged = other.capture(SLOT, replica=author.replica, n=50)
    assert reasons(here.client.push(other, forged)) == ["not_yours"]
    assert reasons(here.client.push(author, author.capture(SLOT, n=50))) == ["received"]


def test_a_header_that_cannot_be_read_fails_no_neighbour(here: Here, author: Author) -> None:
    broken = [
        WireVersion(header="", body=None, wrap=None),
        WireVersion(header='{"v":1,"n":77}', body=b"x", wrap=None),
        WireVersion(header='{"v":1,"n":"' + "[" * 5000, body=None, wrap=None),
        author.sealed(author.header("message", slot=SLOT)),  # only captures and entries have one
    ]
    answers = here.client.push(author, *broken, author.capture(SLOT))
    assert reasons(answers) == ["bad_header"] * 4 + ["received"]
    assert [item.n for item in answers if isinstance(item, Refusal)][:2] == [0, 77]


def test_content_comes_with_its_key_or_not_at_all(here: Here, author: Author) -> None:
    whole = author.capture(SLOT)
    halved = WireVersion(header=whole.header, body=whole.body, wrap=None)
    assert reasons(here.client.push(author, halved)) == ["bad_header"]


@rule("R48")
def test_a_push_that_its_replica_did_not_sign_is_refused_as_a_whole(here: Here, author: Author) -> None:
    push = author.push(author.capture(SLOT))
    altered = msgspec.structs.replace(push, versions=[author.capture(SLOT - 1)])
    assert fault_of(here, author, altered) == (400, "bad_signature")
    swapped = msgspec.structs.replace(push, signature=bytes(64))
    assert fault_of(here, author, swapped) == (400, "bad_signature")
    assert len(here.client.pull_all(author)[author.contract]) == 2


def test_a_push_without_its_token_is_refused(here: Here, author: Author) -> None:
    push = author.push(author.capture(SLOT))
    stranger = Author()
    assert here.client.post("/v1/push", push).status_code == 401
    assert fault_of(here, stranger, push) == (401, "not_enrolled")
    here.client.enrol(stranger)
    assert fault_of(here, stranger, push) == (403, "not_yours")


@rule("R50")
def test_a_revoked_device_is_turned_away(here: Here, author: Author) -> None:
    other = author.second_device()
    here.client.enrol(other)
    here.client.push(other, other.capture(SLOT))
    author.devices = other.devices
    assert reasons(here.client.push(author, author.device_list(revoked={other.replica: 3}))) == ["received"]
    assert fault_of(here, other, other.push(other.capture(SLOT - 1))) == (403, "device_revoked")
    assert here.client.http.get(f"/v1/pictures/{'1' * 64}", headers=other.authorization).status_code == 403


@rule("R50")
def test_a_device_list_that_goes_back_is_refused(here: Here, author: Author) -> None:
    other = author.second_device()
    here.client.enrol(other)
    author.devices = None
    assert reasons(here.client.push(author, author.device_list())) == ["bad_header"]
    assert reasons(here.client.push(author, author.device_list())) == ["bad_header"]


@rule("R44")
def test_a_push_over_its_limits_is_refused_as_a_whole(here: Here, author: Author) -> None:
    tiny = WireVersion(header="", body=None, wrap=None)
    many = author.push(*[tiny] * (PUSH_VERSIONS_MAX + 1))
    assert fault_of(here, author, many) == (413, "too_many_versions")
    huge = author.push(WireVersion(header="", body=bytes(1024 * 1024 + 1), wrap=None))
    assert fault_of(here, author, huge) == (413, "too_large")
    gigantic = author.push(WireVersion(header="", body=bytes(5 * 1024 * 1024), wrap=None))
    assert fault_of(here, author, gigantic) == (413, "too_large")


@rule("R44")
def test_a_picture_over_its_limit_is_refused_with_its_row(here: Here, author: Author) -> None:
    header = author.header("capture", slot=Slot(SLOT), pictures=(("a" * 64, 2**40),))
    assert reasons(here.client.push(author, author.sealed(header))) == ["too_large"]


@rule("R42")
def test_a_device_learns_its_highest_number(here: Here, author: Author) -> None:
    version = author.capture(SLOT, n=40)
    here.client.push(author, version)
    assert here.client.pull(author).replica_n == 40


def test_every_header_in_the_feed_can_be_read(here: Here, author: Author) -> None:
    here.client.push(author, author.capture(SLOT), author.entry(SLOT, memo="x"))
    for rows in here.client.pull_all(author).values():
        assert {parse_header(row.encode()).account for row in rows} == {author.account}


def test_a_replica_that_nobody_listed_may_not_ask(here: Here, author: Author) -> None:
    author.replica = ReplicaId("5" * 32)
    assert fault_of(here, author, author.push(author.capture(SLOT))) == (401, "not_enrolled")
