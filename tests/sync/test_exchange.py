"""What is sent next, given what came back: asserted by the list of effects."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diary.evidence.receipt import Cursor, LogRow, Page
from diary.rules.ids import ContractId
from sync.exchange import (
    PULLS_AFTER_PUSH_MAX,
    REQUEST_ITEMS_MIN,
    Answered,
    Ask,
    Effect,
    Event,
    FetchPicture,
    Finish,
    Grant,
    Granted,
    ListPictures,
    OutboxRead,
    PagesCame,
    PictureDone,
    PicturesListed,
    Push,
    Read,
    SendPicture,
    Settle,
    Settled,
    Take,
    Taken,
    UnexpectedEventError,
    begin,
    cursors_after,
    next_size,
    step,
)
from tests.rule import rule

NOTHING = PagesCame(pages=0, rows=0, more=False)
NO_PICTURES = PicturesListed(to_send=(), to_fetch=())


def effects_of(*events: Event) -> list[list[Effect]]:
    exchange, effects = begin()
    told = [effects]
    for event in events:
        exchange, effects = step(exchange, event)
        told.append(effects)
    return told


@rule("R40")
def test_with_nothing_to_do_a_run_is_one_request() -> None:
    told = effects_of(NOTHING, OutboxRead(versions=0), NO_PICTURES)
    assert told == [[Ask()], [Read()], [ListPictures()], [Finish()]]


@rule("R45")
def test_the_next_page_is_asked_for_before_this_one_is_stored() -> None:
    told = effects_of(
        PagesCame(pages=1, rows=1000, more=True),
        Taken(new_devices=False),
        PagesCame(pages=1, rows=3, more=False),
        Taken(False),
    )
    assert told == [[Ask()], [Ask(), Take()], [], [Take()], [Read()]]


def test_a_server_that_has_more_but_gives_nothing_is_not_asked_for_ever() -> None:
    assert effects_of(PagesCame(pages=1, rows=0, more=True), Taken(new_devices=False))[-1] == [Read()]


def test_new_devices_are_granted_keys_before_anything_is_pushed() -> None:
    told = effects_of(PagesCame(pages=1, rows=2, more=False), Taken(new_devices=True), Granted())
    assert told == [[Ask()], [Take()], [Grant()], [Read()]]


@rule("R41")
def test_rows_go_before_pictures() -> None:
    told = effects_of(
        NOTHING,
        OutboxRead(versions=500),
        OutboxRead(versions=0),
        Answered(),
        Settled(behind=False),
        PicturesListed(to_send=("a", "b"), to_fetch=("c",)),
        PictureDone(rows_wait=False),
        PictureDone(rows_wait=False),
        PictureDone(rows_wait=False),
    )
    assert told[1:] == [
        [Read()],
        [Push(), Read()],
        [],
        [Settle()],
        [ListPictures()],
        [SendPicture("a")],
        [SendPicture("b")],
        [FetchPicture("c")],
        [Finish()],
    ]


@rule("R41")
def test_an_unfinished_picture_is_gone_on_with_unless_rows_wait() -> None:
    listed = PicturesListed(to_send=("a", "b"), to_fetch=("c",))
    more = PictureDone(rows_wait=False, unfinished=SendPicture("a"))
    told = effects_of(NOTHING, OutboxRead(0), listed, more, PictureDone(rows_wait=False))
    assert told[3:] == [[SendPicture("a")], [SendPicture("a")], [SendPicture("b")]]
    told = effects_of(
        NOTHING, OutboxRead(0), listed, PictureDone(rows_wait=True, unfinished=SendPicture("a"))
    )
    assert told[3:] == [[SendPicture("a")], [Read()]]


@rule("R40")
def test_a_push_that_needs_none_under_way_joins_the_first_and_a_third_waits() -> None:
    apart = OutboxRead(500, beside=True)
    told = effects_of(NOTHING, apart, apart, apart, Answered(), Settled(False), OutboxRead(0))
    assert told[2:] == [[Push(), Read()], [Push(), Read()], [], [Push(), Settle(), Read()], [], []]


@rule("R40")
def test_a_push_that_needs_one_under_way_waits_until_all_are_answered() -> None:
    apart = OutboxRead(500, beside=True)
    told = effects_of(NOTHING, apart, apart, OutboxRead(500), Answered(), Settled(False), Answered())
    assert told[4:] == [[], [Settle()], [], [Push(), Settle(), Read()]]


def test_the_next_push_leaves_before_the_last_answer_is_stored() -> None:
    told = effects_of(NOTHING, OutboxRead(500), OutboxRead(500), Answered(), Settled(False), OutboxRead(0))
    assert told[2:] == [[Push(), Read()], [], [Push(), Settle(), Read()], [], []]


@rule("R41")
def test_rows_written_meanwhile_go_before_the_next_picture() -> None:
    told = effects_of(
        NOTHING,
        OutboxRead(0),
        PicturesListed(to_send=("a", "b"), to_fetch=()),
        PictureDone(rows_wait=True),
        OutboxRead(1),
    )
    assert told[3:] == [[SendPicture("a")], [Read()], [Push(), Read()]]


@rule("R45")
def test_rows_of_another_device_between_ours_are_fetched_after_the_push() -> None:
    told = effects_of(NOTHING, OutboxRead(1), OutboxRead(0), Answered(), Settled(behind=True), NOTHING)
    assert told[-2:] == [[Ask()], [Read()]]


def test_a_device_that_pushes_all_the_time_does_not_keep_another_from_ending() -> None:
    overtaken: list[Event] = [NOTHING, OutboxRead(1), OutboxRead(0), Answered(), Settled(behind=True)]
    told = effects_of(*overtaken * PULLS_AFTER_PUSH_MAX, *overtaken)
    assert told[-1] == [ListPictures()]


@pytest.mark.parametrize("event", [Answered(), Settled(behind=False), NO_PICTURES, OutboxRead(versions=1)])
def test_what_was_not_asked_for_is_our_own_mistake(event: Event) -> None:
    with pytest.raises(UnexpectedEventError):
        effects_of(event)


@given(
    st.integers(min_value=0, max_value=5),
    st.integers(min_value=0, max_value=5),
    st.lists(st.booleans(), max_size=6),
    st.lists(st.booleans(), min_size=5, max_size=5),
)
def test_every_run_ends_having_sent_and_settled_each_push_once(
    pages: int, pushes: int, waits: list[bool], besides: list[bool]
) -> None:
    """Drive the machine as the engine does and count: an oracle that knows only the numbers."""
    exchange, effects = begin()
    line: list[Effect] = []
    desk: list[Effect] = []
    read: list[bool] = []
    pages_left, pushes_left, pushed, settled, finished, steps = pages, pushes, 0, 0, False, 0
    while not finished:
        steps += 1
        assert steps < 200
        asked = [effect for effect in effects if isinstance(effect, Ask | Push | SendPicture | FetchPicture)]
        if asked == [Push()]:
            assert not line or (line == [Push()] and read[-1]), "it joins a push that it does not need"
        else:
            assert not asked or (len(asked) == 1 and not line), "two requests at once"
        line += asked
        desk += [effect for effect in effects if effect not in asked]
        event: Event
        match desk.pop(0) if desk else line.pop(0):
            case Finish():
                finished = True
                continue
            case Take():
                event = Taken(new_devices=False)
            case Read():
                read.append(besides[pushes_left - 1])
                event = OutboxRead(versions=min(pushes_left, 1), beside=read[-1])
                pushes_left -= min(pushes_left, 1)
            case Settle():
                settled += 1
                event = Settled(behind=False)
            case ListPictures():
                event = PicturesListed(to_send=tuple("p" for _ in waits), to_fetch=())
            case Ask():
                event = PagesCame(pages=min(pages_left, 1), rows=min(pages_left, 1), more=pages_left > 1)
                pages_left -= min(pages_left, 1)
            case Push():
                pushed += 1
                event = Answered()
            case _:
                event = PictureDone(rows_wait=waits.pop() if waits else False)
        exchange, effects = step(exchange, event)
    assert (pushed, settled, pages_left, pushes_left) == (pushes, pushes, 0, 0)


@rule("R45")
def test_a_cursor_follows_the_last_row_of_its_feed() -> None:
    one, other = ContractId("1" * 32), ContractId("2" * 32)
    row = LogRow(
        log_epoch=1, index=6, received_at_ms=1, push="", header="", body_hash="", body=None, wrap=None
    )
    head = Cursor(log_epoch=1, size=9)
    pages = [Page(contract=one, rows=[row], pushes={}, head=head)]
    empty = Page(contract=other, rows=[], pushes={}, head=head)
    after = cursors_after({other: Cursor(log_epoch=1, size=3)}, [*pages, empty])
    assert after == {one: Cursor(log_epoch=1, size=7), other: Cursor(log_epoch=1, size=3)}


@rule("R44")
def test_a_slow_line_gets_small_requests_and_a_fast_one_grows_to_the_limit() -> None:
    assert next_size(120, took_ms=40, items_max=500) == 240
    assert next_size(480, took_ms=40, items_max=500) == 500
    assert next_size(480, took_ms=5_000, items_max=500) == 480
    assert next_size(480, took_ms=30_000, items_max=500) == 240
    assert next_size(12, took_ms=30_000, items_max=500) == REQUEST_ITEMS_MIN
