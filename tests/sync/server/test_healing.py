"""A server restored from an old backup, and what its clients can prove that it had received (R43)."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from diary.clock import GivenClock
from diary.evidence.merkle import push_hash
from diary.evidence.page_proof import proves_page, sign_page
from diary.evidence.receipt import (
    Cursor,
    Receipt,
    sign_answer,
)
from diary.evidence.signature import HEAL
from diary.rules.ids import Millis
from diary.rules.segment import parse_header
from diary.rules.week import Week, slot_at
from sync.protocol import (
    ShownPage,
    WireVersion,
    heal_payload,
)
from tests.rule import rule
from tests.sync.server.author import Author, n_of
from tests.sync.server.backup import Restorable
from tests.sync.server.conftest import WEDNESDAY
from tests.sync.server.process import reasons
from tests.sync.server.shown import Sent, fault_of, heal, message, opening_of, rows_of

if TYPE_CHECKING:
    from tests.sync.server.postgres import Postgres

SLOT = slot_at(WEDNESDAY) - 2
LOCK = Week.at(WEDNESDAY).locked_at_ms
DAY = 24 * 3_600_000


@pytest.fixture
def server(request: pytest.FixtureRequest, tmp_path: Path, database_url: str | None) -> Restorable:
    cluster: Postgres | None = request.getfixturevalue("cluster") if database_url else None
    return Restorable(tmp_path / "server", GivenClock(WEDNESDAY), database_url, cluster)


class Loss:
    """A server that was backed up after the terms and lost what a device sent afterwards."""

    def __init__(self, server: Restorable, author: Author | None = None) -> None:
        self.author = author or Author()
        with server.serving() as client:
            self.first = Sent(client, self.author, self.author.device_list(), enrolling=True)
            self.terms = Sent(client, self.author, self.author.grant(), self.author.terms())
        backup = server.backed_up()
        self.whole = server
        with server.serving() as client:
            server.clock.put(WEDNESDAY + 60_000)
            self.capture = Sent(client, self.author, self.author.capture(SLOT))
            server.clock.put(WEDNESDAY + 120_000)
            self.entry = Sent(client, self.author, self.author.entry(SLOT, memo="kept"))
        self.server = server.restore(backup)


@rule("R43")
def test_what_was_received_enters_again_with_its_time_after_the_lock_too(server: Restorable) -> None:
    lost = Loss(server)
    server.clock.put(LOCK + 1000)
    with lost.server.serving() as client:
        answer = heal(client, message(client, lost.author, lost.entry, lost.capture))
        assert answer.healed == 2
        opening = opening_of(client, answer.openings)
        head = opening.heads[lost.author.contract]
        assert (opening.account, head.log_epoch, head.size) == (lost.author.account, 1, 2)
        rows = rows_of(client, lost.author, opening.log_epoch)
    assert [row.index for row in rows] == [0, 1, 2, 3]
    assert [row.log_epoch for row in rows] == [1, 1, opening.log_epoch, opening.log_epoch]
    assert [row.received_at_ms for row in rows[2:]] == [WEDNESDAY + 60_000, WEDNESDAY + 120_000]
    assert [n_of(WireVersion(header=row.header, body=None, wrap=None)) for row in rows[2:]] == [4, 5]
    assert rows[2].body == lost.capture.push.versions[0].body


@rule("R43")
@rule("R37a")
def test_what_bears_no_proof_is_left_to_the_push_and_judged_by_the_present(server: Restorable) -> None:
    lost = Loss(server)
    server.clock.put(LOCK + 1000)
    with lost.server.serving() as client:
        nothing = heal(client, message(client, lost.author, lost.entry, answers=[]))
        assert (nothing.healed, nothing.openings) == (0, [])
        heal(client, message(client, lost.author, lost.capture))
        assert reasons(client.send(lost.author, lost.entry.push)) == ["week_locked"]


@rule("R43")
def test_a_forged_receipt_inserts_nothing_and_opens_no_epoch(server: Restorable) -> None:
    lost = Loss(server)
    with lost.server.serving() as client:
        forged = sign_answer(lost.capture.receipts, b"another server's seed, 32 bytes.")
        assert heal(client, message(client, lost.author, lost.capture, answers=[forged])).healed == 0
        earlier = [
            msgspec.structs.replace(row, received_at_ms=row.received_at_ms - DAY)
            for row in lost.capture.rows()
        ]
        assert heal(client, message(client, lost.author, lost.capture, rows=earlier)).healed == 0
        other = [msgspec.structs.replace(row, body=b"other") for row in lost.capture.rows()]
        answer = heal(client, message(client, lost.author, lost.capture, rows=other))
        assert (answer.healed, answer.openings) == (0, [])
        assert rows_of(client, lost.author, 1)[2:] == []


@rule("R43")
@rule("R48")
def test_a_row_without_its_writers_signature_does_not_enter(server: Restorable) -> None:
    lost = Loss(server)
    with lost.server.serving() as client:
        assert heal(client, message(client, lost.author, lost.capture, pushes={})).healed == 0
        name = push_hash(lost.capture.signed).hex()
        false = msgspec.structs.replace(lost.capture.signed, signature=b"0" * 64)
        assert heal(client, message(client, lost.author, lost.capture, pushes={name: false})).healed == 0


@rule("R43")
@rule("R40")
def test_what_is_shown_twice_enters_once_and_is_answered_as_it_entered(server: Restorable) -> None:
    lost = Loss(server)
    server.clock.put(LOCK + 1000)
    with lost.server.serving() as client:
        once = heal(client, message(client, lost.author, lost.capture, lost.entry))
        again = heal(client, message(client, lost.author, lost.capture, lost.entry))
        assert (once.healed, again.healed) == (2, 0)
        assert once.openings == again.openings
        (receipt,) = client.send(lost.author, lost.capture.push)
        assert isinstance(receipt, Receipt)
        assert (receipt.received_at_ms, receipt.index) == (WEDNESDAY + 60_000, 2)
        assert receipt.log_epoch == opening_of(client, once.openings).log_epoch


@rule("R43")
def test_nothing_lost_opens_no_epoch(server: Restorable) -> None:
    lost = Loss(server)
    with lost.whole.serving() as client:
        answer = heal(client, message(client, lost.author, lost.terms))
        assert (answer.healed, answer.openings) == (0, [])


@rule("R43")
@rule("R50")
def test_a_server_that_lost_the_whole_account_takes_it_back_and_admits_the_device(
    server: Restorable,
) -> None:
    with server.serving():
        pass
    backup = server.backed_up()
    author = Author()
    with server.serving() as client:
        enrolled = Sent(client, author, author.device_list(), enrolling=True)
        terms = Sent(client, author, author.grant(), author.terms())
        capture = Sent(client, author, author.capture(SLOT))
    server.clock.put(LOCK + 1000)
    with server.restore(backup).serving() as client:
        assert client.post("/v1/push", capture.push, author).status_code == 401
        answer = heal(client, message(client, author, enrolled, terms, capture))
        assert answer.healed == 4
        assert opening_of(client, answer.openings).heads == {}
        rows = rows_of(client, author, opening_of(client, answer.openings).log_epoch)
        assert [row.received_at_ms for row in rows] == [WEDNESDAY] * 3
        assert reasons(client.push(author, author.capture(SLOT + 1500))) == ["slot_in_future"]


@rule("R43")
@rule("R50")
def test_a_device_that_was_enrolled_after_the_backup_is_admitted_by_its_own_receipt(
    server: Restorable,
) -> None:
    first = Author()
    with server.serving() as client:
        client.enrol(first)
        client.push(first, first.grant(), first.terms())
    backup = server.backed_up()
    second = first.second_device()
    with server.serving() as client:
        enrolled = Sent(client, second, second.device_list(), enrolling=True)
        capture = Sent(client, second, second.capture(SLOT))
    with server.restore(backup).serving() as client:
        assert client.post("/v1/push", capture.push, second).status_code == 401
        assert fault_of(client, message(client, second, capture)) == (401, "not_enrolled")
        assert heal(client, message(client, second, enrolled, capture)).healed == 2
        assert reasons(client.push(second, second.capture(SLOT + 1))) == ["received"]
        assert reasons(client.push(first, first.capture(SLOT + 1))) == ["received"]


@rule("R43")
@rule("R50")
def test_nobody_else_gets_a_token_by_showing_what_a_device_had_sent(server: Restorable) -> None:
    first = Author()
    with server.serving() as client:
        client.enrol(first)
    backup = server.backed_up()
    second = first.second_device()
    with server.serving() as client:
        enrolled = Sent(client, second, second.device_list(), enrolling=True)
    thief = Author()
    with server.restore(backup).serving() as client:
        stolen = message(client, second, enrolled)
        token_hash = hashlib.sha256(thief.keys.token.encode()).hexdigest()
        swapped = msgspec.structs.replace(stolen, token_hash=token_hash)
        assert fault_of(client, swapped) == (400, "bad_signature")
        payload = heal_payload(second.account, second.replica, stolen.nonce, token_hash)
        signed = msgspec.structs.replace(swapped, signature=thief.keys.sign(HEAL, payload))
        assert fault_of(client, signed) == (400, "bad_signature")
        assert fault_of(client, msgspec.structs.replace(stolen, nonce="00" * 40)) == (400, "bad_signature")


@rule("R43")
def test_any_device_heals_what_a_page_proved_to_it(server: Restorable) -> None:
    lost = Loss(server)
    reader = lost.author
    page, leaves = _page_of(lost)
    with lost.server.serving() as client:
        shown = message(client, reader, lost.capture, answers=[], pages=[page])
        assert heal(client, shown).healed == 1
        torn = msgspec.structs.replace(page, leaves=leaves[32:])
        assert heal(client, message(client, reader, lost.entry, answers=[], pages=[torn])).healed == 0
        assert heal(client, message(client, reader, lost.entry, answers=[], pages=[page])).healed == 1


def _page_of(lost: Loss) -> tuple[ShownPage, bytes]:
    """Return the proof of the lost rows, signed as the server signs every page."""
    leaves = b"".join(bytes.fromhex(item.receipts[0].leaf) for item in (lost.capture, lost.entry))
    seed = bytes.fromhex((lost.server.folder / "server.key").read_text(encoding="ascii"))
    signed = sign_page(lost.author.contract, 2, leaves, seed)
    return ShownPage(contract=lost.author.contract, first=2, leaves=leaves, signature=signed), leaves


@rule("R43")
@rule("R45")
def test_a_page_of_a_feed_bears_the_proof_of_its_rows(server: Restorable) -> None:
    author = Author()
    with server.serving() as client:
        client.enrol(author)
        terms, capture = (Sent(client, author, author.terms()), Sent(client, author, author.capture(SLOT)))
        page = next(page for page in client.pull(author).pages if page.contract == author.contract)
        leaves = b"".join(bytes.fromhex(item.receipts[0].leaf) for item in (terms, capture))
        assert page.proof is not None
        assert proves_page(author.contract, 0, leaves, page.proof, server_key=client.key())
        assert not proves_page(author.contract, 1, leaves, page.proof, server_key=client.key())


@rule("R25")
@rule("R43")
def test_a_healed_deletion_destroys_what_the_backup_still_held(server: Restorable) -> None:
    author = Author()
    with server.serving() as client:
        client.enrol(author, author.enrol(author.terms(), author.capture(SLOT)))
        entry = author.entry(SLOT, memo="to be deleted")
        client.push(author, entry)
    backup = server.backed_up()
    with server.serving() as client:
        header = author.header("entry", slot=SLOT, life=1, manual=False, vector={author.replica: 5}, n=5)
        deletion = Sent(client, author, WireVersion(header=header.to_bytes().decode(), body=None, wrap=None))
    with server.restore(backup).serving() as client:
        before = rows_of(client, author, 1)
        assert [row.body is None for row in before] == [False, False, False]
        answer = heal(client, message(client, author, deletion))
        after = rows_of(client, author, opening_of(client, answer.openings).log_epoch)
    assert [row.body is None for row in after] == [False, True, True, True]


@rule("R25")
@rule("R43")
def test_what_is_shown_whole_beside_its_deletion_enters_without_content(server: Restorable) -> None:
    author = Author()
    with server.serving() as client:
        client.enrol(author, author.enrol(author.terms()))
    backup = server.backed_up()
    with server.serving() as client:
        capture = Sent(client, author, author.capture(SLOT))
        entry = Sent(client, author, author.entry(SLOT, memo="to be deleted"))
        header = author.header("entry", slot=SLOT, life=1, manual=False, vector={author.replica: 5}, n=5)
        deletion = Sent(client, author, WireVersion(header=header.to_bytes().decode(), body=None, wrap=None))
    with server.restore(backup).serving() as client:
        answer = heal(client, message(client, author, capture, entry, deletion))
        assert answer.healed == 3
        after = rows_of(client, author, opening_of(client, answer.openings).log_epoch)
    assert [row.body is None for row in after] == [False, True, True, True]


@rule("R43")
def test_the_old_content_of_a_version_that_fell_comes_as_header_only(server: Restorable) -> None:
    lost = Loss(server)
    with lost.server.serving() as client:
        rows = lost.entry.rows(content=False)
        answer = heal(client, message(client, lost.author, lost.capture, lost.entry, rows=rows))
        assert answer.healed == 1
        (row,) = rows_of(client, lost.author, opening_of(client, answer.openings).log_epoch)[2:]
    assert (row.header, row.body, row.wrap) == (rows[0].header, None, None)
    assert row.body_hash == rows[0].body_hash


@rule("R43")
def test_a_server_restored_twice_from_one_backup_gives_no_epoch_twice(server: Restorable) -> None:
    lost = Loss(server)
    author = lost.author
    backup = lost.server.backed_up()
    with lost.server.serving() as client:
        epoch = opening_of(client, heal(client, message(client, author, lost.capture)).openings).log_epoch
        later = Sent(client, author, author.capture(SLOT - 1))
        assert [receipt.log_epoch for receipt in later.receipts] == [epoch]
    with lost.server.restore(backup).serving() as client:
        answer = heal(client, message(client, author, lost.capture, later))
        assert answer.healed == 2
        assert opening_of(client, answer.openings).log_epoch > epoch


@rule("R43")
def test_a_statement_that_the_server_lost_opens_a_later_epoch(server: Restorable) -> None:
    lost = Loss(server)
    backup = lost.server.backed_up()
    with lost.server.serving() as client:
        (statement,) = heal(client, message(client, lost.author, lost.capture)).openings
        epoch = opening_of(client, [statement]).log_epoch
    server.clock.put(WEDNESDAY + 130_000)
    with lost.server.restore(backup).serving() as client:
        alone = message(client, lost.author, opening=statement, log_epoch=epoch)
        opening = opening_of(client, heal(client, alone).openings)
        assert opening.log_epoch > epoch
        assert opening.heads[lost.author.contract].size == 2
        other = Author()
        client.enrol(other)
        assert heal(client, message(client, other, opening=statement)).openings == []


@rule("R6")
@rule("R43")
def test_nothing_is_healed_by_a_clock_that_is_not_sure(server: Restorable) -> None:
    lost = Loss(server)
    server.clock.put(Millis(WEDNESDAY + 9 * DAY))
    with lost.server.serving() as client:
        assert fault_of(client, message(client, lost.author, lost.capture)) == (503, "clock_unsure")
        assert rows_of(client, lost.author, 1)[2:] == []


@rule("R43")
def test_a_reader_gets_the_statement_before_any_page_of_the_new_epoch(server: Restorable) -> None:
    lost = Loss(server)
    with lost.server.serving() as client:
        heal(client, message(client, lost.author, lost.capture))
        answer = client.pull(lost.author, {lost.author.contract: Cursor(1, 4)})
        assert (answer.pages, answer.more, len(answer.openings)) == ([], False, 1)
        epoch = opening_of(client, answer.openings).log_epoch
        rows = rows_of(client, lost.author, epoch)
    assert [parse_header(row.header.encode()).type for row in rows] == ["grant", "terms", "capture"]
