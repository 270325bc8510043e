"""The question about time away as a notification: buttons answer it, and it goes when it is settled (R18)."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from capture.idle_notice import IdleNotice
from diary.idling import IdleQuestion
from tests.capture.notice_desk import NoticeDesk
from tests.practice import instant, practice_diary
from tests.rule import rule
from tests.toy_notifier import ToyNotifier

SINCE, UNTIL = instant("2026-11-16T09:04Z"), instant("2026-11-16T09:14Z")


class Desk(NoticeDesk):
    """A desk at which somebody was away."""

    def ask(self) -> IdleQuestion:
        return self.diary.ask_idle(self.contract.id, since_ms=SINCE, until_ms=UNTIL, minutes=10)

    def run_with(self, story: Callable[[IdleNotice], Awaitable[None]], because: str = "") -> None:
        """Live one run of the tracker's question."""

        async def lived(notifier: ToyNotifier) -> None:
            zone = ZoneInfo("UTC")
            notice = IdleNotice(self.diary, notifier, say=self.said.append, wake=self.wake, zone=zone)
            await notifier.begin(notice.take)
            notice.begin()
            await settled()
            await story(notice)

        self.live(lived, because)

    @property
    def answer(self) -> str | None:
        asked = self.diary.idle_question()
        assert asked
        return asked.answer


async def settled() -> None:
    """Let what was spawned run: the toy answers at once."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    at = Desk(*practice_diary(tmp_path))
    yield at
    at.diary.close()


@rule("R18")
@pytest.mark.parametrize(("label", "word"), [("Keep", "keep"), ("Drop", "drop"), ("Move to Mill", "move")])
def test_its_buttons_answer_the_question(desk: Desk, label: str, word: str) -> None:
    desk.diary.new_contract(title="Mill")

    async def story(notice: IdleNotice) -> None:
        notice.ask(desk.ask())
        await settled()
        (shown,) = desk.on_screen
        assert shown.summary == "10 minutes without you: 09:04–09:14"
        assert "Recorded on Practice" in shown.body
        assert shown.stays_ms is None
        desk.service.press(label)
        assert (desk.answer, desk.wakes) == (word, 1)
        notice.settle()
        await settled()
        assert not desk.on_screen

    desk.run_with(story)


@rule("R18")
def test_of_several_other_contracts_no_button_chooses_one(desk: Desk) -> None:
    for title in ("Mill", "Bakery"):
        desk.diary.new_contract(title=title)
    desk.diary.change_terms(desk.diary.new_contract(title="Old").id, state="closed")

    async def story(notice: IdleNotice) -> None:
        notice.ask(desk.ask())
        await settled()
        assert [button.label for button in desk.on_screen[0].buttons] == ["Keep", "Drop"]

    desk.run_with(story)


@rule("R18")
def test_it_goes_when_the_question_is_settled_elsewhere(desk: Desk) -> None:
    async def story(notice: IdleNotice) -> None:
        notice.ask(desk.ask())
        await settled()
        desk.diary.answer_idle("keep")
        notice.settle()
        await settled()
        assert not desk.on_screen

    desk.run_with(story)


@rule("R18")
@rule("R19")
def test_the_next_run_asks_in_place_of_the_one_that_was_killed(desk: Desk) -> None:
    async def first(notice: IdleNotice) -> None:
        notice.ask(desk.ask())
        await settled()

    async def second(notice: IdleNotice) -> None:
        assert len(desk.on_screen) == 1
        desk.service.press("Drop")
        assert desk.answer == "drop"

    desk.run_with(first)
    desk.run_with(second)
    assert len(desk.service.was_shown) == 2


@rule("R18")
def test_a_run_that_ends_takes_it_away_and_the_question_stays(desk: Desk) -> None:
    async def story(notice: IdleNotice) -> None:
        notice.ask(desk.ask())
        await settled()
        await notice.end()
        assert not desk.on_screen

    desk.run_with(story)
    assert desk.answer is None


@rule("R18")
def test_a_desktop_without_notifications_still_asks_elsewhere(desk: Desk) -> None:
    async def story(notice: IdleNotice) -> None:
        notice.ask(desk.ask())
        await settled()
        notice.settle()
        await notice.end()

    desk.run_with(story, because="There are none.")
    assert desk.diary.status().idle is not None


@rule("R18")
def test_a_button_of_a_question_that_was_replaced_answers_nothing(desk: Desk) -> None:
    async def story(notice: IdleNotice) -> None:
        notice.ask(desk.ask())
        await settled()
        desk.diary.settle_idle()
        desk.service.press("Keep")
        assert desk.said == ["Nothing is asked about time away."]

    desk.run_with(story)
