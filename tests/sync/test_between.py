"""What happens between a sync's question, its push and the answer to it (R25, R45)."""

from typing import TYPE_CHECKING

from diary import envelope
from diary.rules.sealed_content import EntryContent
from diary.rules.timesheet import Place
from diary.store import versions
from sync.engine import Engine
from sync.transport import Transport
from tests.practice import record_slot, slot
from tests.rule import rule
from tests.sync.stage import Device, Stage, two_devices
from tests.sync.test_two_devices import shown

if TYPE_CHECKING:
    from collections.abc import Callable

NINE = slot("2026-11-18T09:00Z")
TEN = slot("2026-11-18T10:00Z")
ELEVEN = slot("2026-11-18T11:00Z")


@rule("R45")
def test_what_came_between_a_pull_and_a_push_is_read_in_the_same_run(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    b.sync()
    record_slot(a.diary, contract, ELEVEN, memo="of this device")
    record_slot(b.diary, contract, NINE, memo="came between")
    comes: list[Callable[[], object]] = [b.sync]

    def at_first_answer(_: object) -> None:
        while comes:
            comes.pop()()

    with Transport(stage.url) as line:
        Engine(a.diary, line, progress=at_first_answer).run()
    b.sync()
    assert {one.memo for one in a.segments(NINE)} == {"came between"}
    assert shown(a) == shown(b)


@rule("R25")
def test_a_memo_that_is_edited_while_it_is_on_its_way_is_destroyed_once_it_is_answered(stage: Stage) -> None:
    a, _, contract = two_devices(stage, [TEN])
    place = (contract.id, TEN)
    a.diary.edit([place], memo="on its way")
    answers: list[Callable[[], object]] = [
        lambda: a.diary.edit([place], memo="typed before the answer was read"),
        lambda: None,  # to the pull
    ]

    def at_each_answer(_: object) -> None:
        if answers:
            answers.pop()()

    with Transport(stage.url) as line:
        Engine(a.diary, line, progress=at_each_answer).run()
    assert not answers
    # It stands at the server, for everybody; what it displaced itself is gone.
    assert memos_held(a, place) == {"on its way", "typed before the answer was read"}
    a.sync()
    assert memos_held(a, place) == {"typed before the answer was read"}
    assert [one.memo for one in a.segments(TEN)] == ["typed before the answer was read"]


@rule("R25")
@rule("R37")
def test_what_an_edit_displaces_is_whole_until_the_server_holds_the_edit(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    b.sync()
    place = (contract.id, TEN)
    before = memos_held(b, place)
    b.diary.edit([place], memo="typed here, not sent yet")
    assert memos_held(b, place) == before | {"typed here, not sent yet"}
    a.diary.edit([place], memo="typed there")
    a.sync()
    assert memos_held(a, place) == {"typed there"}
    b.sync()
    assert memos_held(b, place) == {"typed here, not sent yet", "typed there"}, "both stand, side by side"
    assert [text.text for text in b.diary.memo_history(place)] == [*before], "it was displaced by one act"


@rule("R35")
@rule("R37")
def test_a_deletion_that_others_went_beyond_meanwhile_is_sent_and_not_listed_as_refused(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    b.sync()
    place = (contract.id, TEN)
    b.diary.remove([place])
    a.diary.remove([place])
    a.diary.add_manual(contract.id, [TEN], "added again")
    a.sync()
    b.sync()
    assert b.diary.refusals() == ()
    assert b.diary.queue().versions == 0
    a.sync()
    assert {(one.life, one.memo) for one in (a.segment(place), b.segment(place))} == {(2, "added again")}


def memos_held(device: Device, place: Place) -> set[str]:
    """Return the memos of a segment that are in the device's file, standing or not."""
    state = device.diary._state
    held = versions.at_place(state.connection, *place)
    opened = [envelope.content_of(state, one) for one in held if one.sealed.body is not None]
    return {one.memo.text for one in opened if isinstance(one, EntryContent) and one.memo is not None}
