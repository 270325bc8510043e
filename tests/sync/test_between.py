"""What happens between a sync's question, its push and the answer to it (R25, R45)."""

from typing import TYPE_CHECKING

from diary.store import versions
from sync.engine import Engine
from sync.transport import Transport
from tests.practice import record_slot, slot
from tests.rule import rule
from tests.sync.stage import Stage, two_devices
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
    held = versions.at_place(a.diary._state.connection, *place)
    whole = [one for one in held if one.header.type == "entry" and one.sealed.body is not None]
    assert len(whole) == 1
    assert [one.memo for one in a.segments(TEN)] == ["typed before the answer was read"]
