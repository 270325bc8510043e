"""A device notices that its server went back, by whatever it shows, and says so (R43, R56)."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import httpx
import msgspec
import pytest

from diary.contracts import Contract
from diary.evidence.alarm import FeedFaultError
from diary.evidence.receipt import LogRow, read_answer
from diary.healing import count_kept
from diary.proving import leaf_of, leaves_taken
from diary.rules.ids import Slot
from diary.rules.week import Week
from diary.store import epochs
from diary.store.feed import KnownRow
from sync.engine import Engine
from sync.protocol import Heal, HealAnswer
from sync.succession import message_of
from sync.transport import Transport, UnreachableError
from tests.practice import record_slot, slot
from tests.rule import rule
from tests.sync.restoring import RestoringStage, assert_healed, lost, restoring_stage, sync_in_turn
from tests.sync.stage import AFTER_THE_LOCK, Device, two_devices
from tests.sync.test_two_devices import shown

NINE = slot("2026-11-18T09:00Z")
TEN = slot("2026-11-18T10:00Z")
ELEVEN = slot("2026-11-18T11:00Z")
WEEK = Week.of(TEN)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[RestoringStage]:
    with restoring_stage(tmp_path, None, None) as stage:
        yield stage


@rule("R43")
@rule("R56")
def test_who_only_reads_notices_another_log_by_the_row_before_the_page(stage: RestoringStage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    c = stage.another(a.diary.phrase() or "")
    sync_in_turn(a, b, c)
    stage.lose(a, contract, ELEVEN, memo="of a laptop that is gone", read_by=b)
    for at in (NINE, Slot(NINE + 1)):
        record_slot(c.diary, contract, at)
    c.sync()
    sync_in_turn(b, c)
    assert {one.slot for one in c.diary.week(WEEK).segments} == {NINE, NINE + 1, TEN, ELEVEN}
    assert shown(b) == shown(c)
    assert (lost(b), lost(c)) == (0, 0)


@rule("R43")
@rule("R56")
@pytest.mark.parametrize("own", [[], [Slot(NINE + 1)]], ids=["reads", "writes"])
def test_a_log_that_grew_again_to_the_very_length_that_was_read_is_another_one(
    stage: RestoringStage, own: list[Slot]
) -> None:
    a, b, contract = two_devices(stage, [TEN])
    sync_in_turn(a, b)
    stage.lose(a, contract, ELEVEN, read_by=b)
    c = stage.another(a.diary.phrase() or "")
    record_slot(c.diary, contract, NINE)
    c.sync()
    for at in own:
        record_slot(b.diary, contract, at)
    b.sync()
    assert len(b.diary.restorings()) == 1, "it is seen at once, though there is nothing new to read"
    sync_in_turn(a, c, b, a)
    assert [device.diary.alarms() for device in (a, b, c)] == [()] * 3
    assert shown(a) == shown(b) == shown(c)
    assert {ELEVEN, NINE, TEN} <= {one.slot for one in a.diary.week(WEEK).segments}


@rule("R40")
@rule("R43")
def test_a_place_that_was_given_twice_is_noticed_though_a_later_version_of_the_writers_is_there(
    stage: RestoringStage,
) -> None:
    """What was written first was sent last, and lost: the greatest number is there, the place another's."""
    a, b, contract = two_devices(stage, [TEN])
    sync_in_turn(b, a)
    a.diary.edit([(contract.id, TEN)], memo="written first, sent last")
    record_slot(a.diary, contract, NINE)
    first, *later = sorted(due.id for due in a.diary.due())
    send(a, later)
    backup = stage.back_up()
    record_slot(b.diary, contract, ELEVEN)
    b.sync()
    send(a, [first])
    stage.restore(backup)
    c = stage.another(a.diary.phrase() or "")
    for at in (Slot(NINE + 1), Slot(NINE + 2)):
        record_slot(c.diary, contract, at)
    sync_in_turn(c, a)
    assert len(a.diary.restorings()) == 1
    sync_in_turn(b, c, a)
    assert [device.diary.alarms() for device in (a, b, c)] == [()] * 3
    assert shown(a) == shown(b) == shown(c)
    (at_ten,) = (one for one in c.diary.week(WEEK).segments if one.slot == TEN)
    assert at_ten.memo == "written first, sent last"


@rule("R43")
@pytest.mark.parametrize("slots_since", [1, 2, 3], ids=["shorter", "as long", "longer"])
@pytest.mark.parametrize("finder", ["writer", "reader"])
def test_the_head_that_was_lost_is_named_however_far_the_server_grew_again(
    stage: RestoringStage, slots_since: int, finder: str
) -> None:
    a, b, contract = two_devices(stage, [TEN])
    c = stage.another(a.diary.phrase() or "")
    sync_in_turn(a, b, c)
    backup = stage.back_up()
    kept = a.diary.cursors()[contract.id].size
    for at in (ELEVEN, Slot(ELEVEN + 1)):
        record_slot(a.diary, contract, at)
    sync_in_turn(a, b)
    had = b.diary.cursors()[contract.id].size
    stage.restore(backup)
    for later in range(slots_since):
        record_slot(c.diary, contract, Slot(NINE + later))
    c.sync()
    sync_in_turn(*((a, b) if finder == "writer" else (b, a)), c, b)
    for device in (a, b):
        (restoring,) = device.diary.restorings()
        (head,) = restoring.lost
        assert (head.contract, head.had_epoch, head.had_size, head.kept_size) == (contract.id, 1, had, kept)
    (seen_by_c,) = c.diary.restorings()
    assert seen_by_c.lost == ()
    assert shown(a) == shown(b) == shown(c)


def send(device: Device, ids: list[int]) -> None:
    """Push these versions alone, as a sync does with what goes first."""
    link = device.diary.server()
    assert link is not None
    push = device.diary.sign_push(ids, link.url)
    answer = device.line.push(msgspec.json.encode(message_of(device.diary.account, push)))
    answers = read_answer(answer.answers, bytes.fromhex(link.key))
    device.diary.settle(push, answers, answer.answers, answer.heads)


def told_by_its_header_alone(a: Device, b: Device, contract: Contract, answer: str) -> None:
    """Have an edit at ten fail to arrive, lose its content to a deletion, and be told by its header alone."""
    b.diary.edit([(contract.id, TEN)], memo="noted as sent, and never arrived")
    b.failing.fates = ["pass", "refuse"]
    with pytest.raises(UnreachableError):
        b.sync()
    a.diary.remove([(contract.id, TEN)])
    a.sync()
    b.failing.fates = ["pass", answer]
    with suppress(UnreachableError):
        b.sync()
    b.sync()
    assert b.diary.queue().versions == 0


@rule("R40")
@rule("R56")
@pytest.mark.parametrize("answer", ["pass", "lose"])
def test_a_server_that_took_an_edit_by_its_header_alone_is_no_forked_one(
    stage: RestoringStage, answer: str
) -> None:
    a, b, contract = two_devices(stage, [TEN])
    b.sync()
    told_by_its_header_alone(a, b, contract, answer)
    record_slot(a.diary, contract, NINE)
    sync_in_turn(a, b, a)
    assert (a.diary.alarms(), b.diary.alarms()) == ((), ())
    assert [(one.slot, one.life) for one in b.diary.week(WEEK).segments] == [(NINE, 0), (TEN, 1)]
    assert shown(a) == shown(b)


@rule("R56")
def test_a_leaf_other_than_its_receipts_does_not_stand_though_its_writer_signed_it(
    stage: RestoringStage,
) -> None:
    a, b, contract = two_devices(stage, [TEN])
    b.sync()
    told_by_its_header_alone(a, b, contract, "pass")
    connection = b.diary._state.connection
    index = b.diary.cursors()[contract.id].size - 1
    (parts,) = epochs.leaf_parts(connection, contract.id, index, index + 1)
    (taken,) = leaves_taken(b.diary._state, [parts])
    assert leaf_of(parts) == taken
    assert b.diary.stands_at(contract.id, index, taken.hex())
    signed = epochs.signed_with(connection, b.diary.replica, hashlib.sha256(parts.header).digest())
    others = [leaf_of(replace(parts, push=name.hex(), body_hash=content)) for name, content in signed]
    assert len(others) == 2
    assert [b.diary.stands_at(contract.id, index, (leaf or b"").hex()) for leaf in others].count(True) == 1


@rule("R40")
@rule("R43")
@pytest.mark.parametrize("answer", ["pass", "lose"])
def test_what_came_by_its_header_alone_comes_back_to_a_restored_server(
    stage: RestoringStage, answer: str
) -> None:
    a, b, contract = two_devices(stage, [TEN])
    b.sync()
    backup = stage.back_up()
    told_by_its_header_alone(a, b, contract, answer)
    before = shown(b)
    stage.restore(backup)
    sync_in_turn(b, a, b)
    assert_healed(a, b)
    assert shown(a) == shown(b) == before


@rule("R43")
@rule("R55")
def test_the_diary_says_that_the_server_was_restored_and_from_which_head(stage: RestoringStage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    b.sync()
    backup = stage.back_up()
    size = a.diary.cursors()[contract.id].size
    record_slot(a.diary, contract, ELEVEN)
    a.sync()
    stage.restore(backup)
    sync_in_turn(a, b)
    (restoring,) = a.diary.restorings()
    (head,) = restoring.lost
    assert (head.contract, head.had_epoch, head.had_size, head.kept_size) == (contract.id, 1, size + 2, size)
    (seen_by_b,) = b.diary.restorings()
    assert seen_by_b.lost == ()
    assert seen_by_b.log_epoch == restoring.log_epoch


@rule("R43")
def test_what_was_sent_since_the_restoring_is_nothing_that_was_kept(stage: RestoringStage) -> None:
    """Its receipt comes before its row is read, so it is held in its place then (found by the model)."""
    a, b, contract = two_devices(stage, [TEN])
    b.sync()
    backup = stage.back_up()
    size = a.diary.cursors()[contract.id].size
    record_slot(a.diary, contract, ELEVEN)
    a.sync()
    stage.restore(backup)
    a.sync()
    state, (restoring,) = a.diary._state, a.diary.restorings()
    place = (restoring.log_epoch, size, a.diary.now_ms())
    row = LogRow(
        log_epoch=place[0],
        index=place[1],
        received_at_ms=place[2],
        push="",
        header="",
        body_hash="",
        body=None,
        wrap=None,
    )
    with state.writing():
        count_kept(state, contract.id, [(row, KnownRow(1, b"", b"", has_body=False, place=place))])
    assert a.diary.restorings() == (restoring,)
    assert [head.kept_size for head in restoring.lost] == [size]


@rule("R43")
@rule("R56")
def test_a_signed_head_is_shown_where_no_row_that_was_lost_can_be_proven(stage: RestoringStage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    b.sync()
    backup = stage.back_up()
    record_slot(a.diary, contract, ELEVEN)
    sync_in_turn(a, b)
    with b.diary._state.writing():
        b.diary._state.connection.execute("DELETE FROM page_proof")
    stage.restore(backup)
    sync_in_turn(b, a, b)
    assert len(b.diary.restorings()) == 1
    assert_healed(a, b)
    assert lost(b) == 0, "whose rows they are can prove them"


class StatingNothing(httpx.BaseTransport):
    """A server that went back and does not admit it: whatever is shown to it, it has nothing to say."""

    def __init__(self) -> None:
        self._inner = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != "/v1/heal":
            return self._inner.handle_request(request)
        shown = msgspec.json.decode(request.read(), type=Heal)
        assert shown.rows or shown.heads
        nothing = HealAnswer(server_ms=0, healed=0, openings=[])
        return httpx.Response(200, content=msgspec.json.encode(nothing))

    def close(self) -> None:
        self._inner.close()


@rule("R43")
@rule("R56")
def test_a_server_that_goes_back_without_a_word_raises_an_alarm_that_stays(stage: RestoringStage) -> None:
    a, _, contract = two_devices(stage, [TEN])
    stage.lose(a, contract, ELEVEN)
    line = Transport(stage.url, client=httpx.Client(transport=StatingNothing()), attempts=1)
    with line, pytest.raises(FeedFaultError):
        Engine(a.diary, line).run()
    assert [alarm.kind for alarm in a.diary.alarms()] == ["log_forked"]
    assert a.diary.status().alarms == 1
    a.sync()  # by a line that does not keep the statement from it
    assert [alarm.kind for alarm in a.diary.alarms()] == ["log_forked"]
    assert lost(a) == 0


@rule("R43")
@rule("R56")
def test_a_server_that_shows_another_log_without_a_word_raises_an_alarm_that_stays(
    stage: RestoringStage,
) -> None:
    a, b, contract = two_devices(stage, [TEN])
    b.sync()
    stage.lose(a, contract, ELEVEN)
    record_slot(b.diary, contract, NINE)
    b.sync()
    line = Transport(stage.url, client=httpx.Client(transport=StatingNothing()), attempts=1)
    with line, pytest.raises(FeedFaultError):
        Engine(a.diary, line).run()
    assert [alarm.kind for alarm in a.diary.alarms()] == ["log_forked"]


@rule("R43")
@rule("R56")
def test_a_log_that_grew_again_to_the_very_same_size_is_noticed_by_its_root(stage: RestoringStage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    b.sync()
    stage.lose(a, contract, ELEVEN)
    record_slot(b.diary, contract, NINE)
    b.sync()
    stage.put_clocks(AFTER_THE_LOCK)  # a seal comes, with no row behind what was read
    for device in (b, a, b, a):
        device.sync()
    assert_healed(a, b)
    assert [one[0] for one in shown(a)] == [NINE, TEN, ELEVEN]
