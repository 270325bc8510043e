"""Each way in which a server can lie about a log is found at the first sync that can see it (R56, R57)."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import pytest
from msgspec.structs import replace

from diary.contracts import Contract
from diary.errors import PeerError
from diary.evidence.alarm import FeedFaultError
from diary.evidence.head import read_head
from diary.evidence.merkle import CompactRange, push_hash
from diary.evidence.receipt import Page, SignedPush
from diary.evidence.seal import Seal
from diary.evidence.signature import PUSH, sign
from diary.evidence.statement import SignedStatement
from diary.rules.ids import ReplicaId, Slot
from diary.rules.week import Week
from diary.store import versions
from sync.transport import UnreachableError
from tests.practice import record_slot, slot
from tests.rule import rule
from tests.sync.clients import invited, join_in
from tests.sync.liar import Liar, header_of, kinds, liar_before, read_so_far
from tests.sync.stage import AFTER_THE_LOCK, Device, Stage, two_devices

NINE, TEN, ELEVEN = (slot(f"2026-11-18T{hour}:00Z") for hour in ("09", "10", "11"))
WEEK = Week.of(TEN)


@dataclass
class Scene:
    """Two devices that know the same log; `b`'s line leads to a liar from now on."""

    stage: Stage
    a: Device
    b: Device
    contract: Contract
    liar: Liar

    known: CompactRange = field(default_factory=CompactRange)

    def lies(self, lie: Callable[[Page], Page]) -> None:
        """Alter every page of the log that has rows or seals; `known` is what B has read by now."""
        self.known = read_so_far(self.b, self.contract.id)

        def altered(page: Page) -> Page:
            return lie(page) if page.contract == self.contract.id and (page.rows or page.seals) else page

        self.liar.pages = altered

    def record_by_a(self, *slots: Slot) -> None:
        for at in slots:
            record_slot(self.a.diary, self.contract, at)
        self.a.sync()

    def fails(self) -> FeedFaultError:
        with pytest.raises(PeerError) as caught:
            self.b.sync()
        assert isinstance(caught.value, FeedFaultError)
        return caught.value


@pytest.fixture
def scene(stage: Stage) -> Scene:
    a, b, contract = two_devices(stage, [TEN])
    b.sync()
    a.sync()
    return Scene(stage, a, b, contract, liar_before(stage, b))


def seal_the_week(stage: Stage, device: Device) -> None:
    """Have a device push something after the lock, and read what the server sealed then."""
    stage.put_clocks(AFTER_THE_LOCK)
    device.diary.new_contract(title="Next")
    device.sync()
    device.sync()


def without_last(page: Page) -> Page:
    return replace(page, rows=page.rows[:-1])


@rule("R56")
def test_rows_that_the_head_counts_are_held_back(scene: Scene) -> None:
    scene.record_by_a(ELEVEN)
    scene.lies(without_last)
    fault = scene.fails()
    assert fault.kind == "withheld"
    assert kinds(scene.b) == ["withheld"]
    (shown,) = scene.b.diary.alarms()[0].evidence
    signed = SignedStatement(text=shown.text, signature=shown.signature)
    assert read_head(signed, scene.liar.key.public).contract == scene.contract.id


@rule("R56")
def test_a_row_that_is_hidden_from_one_party_is_told_by_the_others_next_row(scene: Scene) -> None:
    """B is shown a log without A's last row, well signed; A's next row names the head that A was shown."""
    hidden: list[str] = []

    def without_hidden(page: Page) -> Page:
        hidden.append(page.rows[-1].header)
        return scene.liar.signed(without_last(page), scene.known)

    def behind_it(page: Page) -> Page:
        kept = [row for row in page.rows if row.header not in hidden]
        moved = [replace(row, index=scene.known.size + number) for number, row in enumerate(kept)]
        return scene.liar.signed(replace(page, rows=moved, before=None), scene.known)

    scene.record_by_a(ELEVEN)
    scene.lies(without_hidden)
    scene.b.sync()
    assert kinds(scene.b) == [], "nobody could see it yet"
    scene.record_by_a(NINE)
    scene.lies(behind_it)
    scene.b.sync()
    assert kinds(scene.b) == ["withheld"]
    assert scene.b.segments(NINE), "a claim stops nothing"


@rule("R56")
def test_a_log_that_is_rolled_back_shrank(scene: Scene) -> None:
    scene.record_by_a(ELEVEN)
    scene.b.sync()
    scene.record_by_a(NINE)
    shorter = CompactRange().extended([bytes(32)] * 3)
    scene.lies(lambda page: scene.liar.signed(replace(page, rows=[], before=None), shorter))
    assert scene.fails().kind == "log_shrank"
    assert "log_shrank" in kinds(scene.b)


@rule("R56")
def test_a_head_over_other_rows_is_a_fork(scene: Scene) -> None:
    scene.record_by_a(ELEVEN)
    forked = CompactRange().extended([bytes(32)] * read_so_far(scene.b, scene.contract.id).size)
    scene.lies(lambda page: scene.liar.signed(page, forked))
    assert scene.fails().kind == "log_forked"
    assert kinds(scene.b) == ["log_forked"]
    assert len(scene.b.diary.alarms()[0].evidence) == 1
    assert scene.b.segments(ELEVEN) == [], "nothing of it was taken"


@rule("R56")
def test_a_head_that_another_key_signed_is_none(scene: Scene) -> None:
    scene.record_by_a(ELEVEN)
    scene.lies(lambda page: replace(page, signed_head=None))
    assert scene.fails().kind == "unsigned_head"
    head = scene.liar.head(scene.contract.id, 1, CompactRange())
    scene.lies(lambda page: replace(page, signed_head=replace(head, signature=bytes(64))))
    assert scene.fails().kind == "unsigned_head"


@rule("R3")
def test_a_row_that_bears_a_time_before_the_row_in_front_of_it_was_retimed(scene: Scene) -> None:
    scene.record_by_a(ELEVEN)

    def earlier(page: Page) -> Page:
        *before, last = page.rows
        moved = replace(last, received_at_ms=last.received_at_ms - 3_600_000)
        return scene.liar.signed(replace(page, rows=[*before, moved]), scene.known)

    scene.lies(earlier)
    assert scene.fails().kind == "retimed"


@rule("R56")
def test_a_row_that_bears_another_time_than_its_receipt_was_retimed(scene: Scene) -> None:
    """A's row stands before B's own, so B reads its own again in the feed."""
    scene.record_by_a(ELEVEN)
    record_slot(scene.b.diary, scene.contract, NINE)
    push_behind(scene)

    def later(page: Page) -> Page:
        *before, last = page.rows
        moved = replace(last, received_at_ms=last.received_at_ms + 1)
        return scene.liar.signed(replace(page, rows=[*before, moved]), scene.known)

    scene.lies(later)
    assert scene.fails().kind == "retimed"
    assert len(scene.b.diary.alarms()[-1].evidence) == 2


@rule("R56")
def test_another_row_where_a_deletion_had_its_receipt_is_a_deletion_dropped(scene: Scene) -> None:
    scene.record_by_a(ELEVEN)
    scene.b.diary.remove([(scene.contract.id, TEN)])
    push_behind(scene)

    def dropped(page: Page) -> Page:
        *before, last = page.rows
        assert header_of(last).life == 1, "the deletion is the last row"
        instead = replace(before[0], index=last.index)
        return scene.liar.signed(replace(page, rows=[*before, instead]), scene.known)

    scene.lies(dropped)
    assert scene.fails().kind == "deletion_dropped"


def push_behind(scene: Scene) -> None:
    """Have B push before it reads A's rows, as if both came at once: its cursor stays before its own."""
    asked: list[Page] = []

    def nothing_new(page: Page) -> Page:
        asked.append(page)
        if len(asked) > 1:
            raise httpx.ConnectError("broken off before B read on")
        return scene.liar.signed(replace(page, rows=[], before=None), scene.known)

    scene.lies(nothing_new)
    with pytest.raises(UnreachableError):
        scene.b.sync()


@rule("R48")
@rule("R56")
@pytest.mark.parametrize(
    ("writer", "kind"),
    [("a listed device", "bad_signature"), ("the server's own", "unlisted_device"), ("", "bad_signature")],
)
def test_a_row_that_nobody_wrote_is_found_though_the_log_holds_it(
    scene: Scene, writer: str, kind: str
) -> None:
    """The server signs a log with a row of its own making: by a device's name, by its own, without a push."""
    device = ReplicaId("f" * 32) if writer == "the server's own" else scene.a.diary.replica

    def with_invented(page: Page) -> Page:
        real = next(row for row in page.rows if header_of(row).type == "capture")
        told = f'"replica":"{device}","n":4711'
        header = re.sub(r'"replica":"\w+","n":\d+', told, real.header, count=1)
        assert header != real.header
        hashes = hashlib.sha256(header.encode()).digest() + bytes.fromhex(real.body_hash)
        signed = SignedPush(
            replica=device, hashes=hashes, signature=sign(scene.liar.key._private, PUSH, hashes)
        )
        name = push_hash(signed).hex()
        invented = replace(real, index=page.rows[-1].index + 1, header=header, push=name)
        pushes = page.pushes | ({name: signed} if writer else {})
        return scene.liar.signed(replace(page, rows=[*page.rows, invented], pushes=pushes), scene.known)

    scene.record_by_a(ELEVEN)
    scene.lies(with_invented)
    assert scene.fails().kind == kind
    assert kinds(scene.b) == [kind]
    assert scene.b.segments(ELEVEN) == [], "nothing of the page is taken"


@rule("R56")
def test_a_receipt_of_something_else_is_found(scene: Scene) -> None:
    record_slot(scene.b.diary, scene.contract, NINE)
    scene.liar.receipts = lambda receipt: replace(receipt, received_at_ms=receipt.received_at_ms - 1)
    assert scene.fails().kind == "bad_receipt"
    assert kinds(scene.b) == ["bad_receipt"]
    scene.liar.receipts = None
    scene.b.sync()
    assert scene.b.segment((scene.contract.id, NINE)).state == "synced", "the honest answer is taken"


@rule("R56")
def test_a_head_in_an_answer_that_is_not_of_the_own_row_is_a_fork(scene: Scene) -> None:
    record_slot(scene.b.diary, scene.contract, NINE)
    scene.liar.heads = lambda head: replace(head, root="0" * 64)
    assert scene.fails().kind == "log_forked"


@rule("R57")
def test_a_seal_of_something_else_is_not_shown_as_sealed(scene: Scene) -> None:
    seal_the_week(scene.stage, scene.a)
    assert [seal.number for seal in scene.a.diary.week(WEEK).seals] == [1]

    def dearer(seal: Seal) -> Seal:
        return replace(seal, reckoning=replace(seal.reckoning, amount_minor=1_000_000))

    scene.lies(lambda page: scene.liar.sealed(page, dearer))
    scene.b.sync()
    assert kinds(scene.b) == ["seal_differs"]
    assert scene.b.diary.week(WEEK).seals == ()
    assert len(scene.b.diary.alarms()[0].evidence) == 2


@rule("R57")
def test_a_seal_over_another_log_differs_too(scene: Scene) -> None:
    seal_the_week(scene.stage, scene.a)
    scene.lies(lambda page: scene.liar.sealed(page, lambda seal: replace(seal, root="0" * 64)))
    scene.b.sync()
    assert kinds(scene.b) == ["seal_differs"]


@rule("R57")
def test_both_parties_of_an_honest_server_show_the_same_seal(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [TEN, ELEVEN])
    client = join_in(stage, invited(a, contract))
    b.diary.remove([(contract.id, ELEVEN)])
    b.sync()
    seal_the_week(stage, b)
    seals = []
    for device in (a, b, client):
        device.sync()
        assert kinds(device) == []
        seals.append(device.diary.week(WEEK).seals)
    assert seals[0] == seals[1] == seals[2]
    (seal,) = seals[0]
    assert (seal.contract, seal.number, seal.billable) == (contract.id, 1, 1)


@rule("R56")
def test_a_row_names_the_newest_head_of_its_own_log(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    b.sync()
    a.sync()
    known = read_so_far(b, contract.id)
    place = record_slot(b.diary, contract, ELEVEN)
    held = versions.at_place(b.diary._state.connection, *place)
    assert {stored.header.head for stored in held} == {(contract.id, 1, known.size, known.root.hex())}
