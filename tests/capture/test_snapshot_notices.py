"""What a snapshot's notification does to the diary: notice period, button, what outlives a crash (R17)."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

import msgspec
import pytest

from capture.draft import Draft
from capture.kept import found_again, to_keep
from capture.notification import Gone, Handle, Offers, Pressed
from capture.snapshot_notices import SnapshotNotices
from diary.rules.ids import Millis, Slot
from diary.rules.timesheet import Place
from diary.rules.week import Week
from tests.capture.notice_desk import NoticeDesk
from tests.event_loop import check_soon
from tests.practice import draft_of, practice_diary, record_slot, slot
from tests.rule import rule
from tests.toy_notifier import ToyNotifier

NINE = slot("2026-11-16T09:00Z")


class Desk(NoticeDesk):
    """A desk at which snapshots are taken."""

    @property
    def place(self) -> Place:
        return self.contract.id, NINE

    def draft(self, at: Slot = NINE, no_picture: str | None = None) -> Draft:
        """Return the segment under way just after its snapshot, kept as the tracker keeps it."""
        kept = draft_of(self.contract, at, picture=None if no_picture else b"a whole screen and more")
        kept = msgspec.structs.replace(kept, no_picture=no_picture)
        self.clock.put(Millis(kept.drawn_ms + 1_000))
        self.diary.keep_draft(kept)
        return found_again(kept)

    def run_with(self, story: Callable[[SnapshotNotices], Awaitable[None]], because: str = "") -> None:
        """Live one run of the snapshots' notifications."""

        async def lived(notifier: ToyNotifier) -> None:
            zone = ZoneInfo("UTC")
            notices = SnapshotNotices(self.diary, notifier, say=self.said.append, wake=self.wake, zone=zone)
            notices.begin(await notifier.begin(notices.take))
            await story(notices)

        self.live(lived, because)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    at = Desk(*practice_diary(tmp_path))
    yield at
    at.diary.close()


@rule("R17")
def test_a_snapshot_is_shown_once_with_its_thumbnail_and_a_button(desk: Desk) -> None:
    async def story(notices: SnapshotNotices) -> None:
        draft = desk.draft()
        for _ in range(3):  # the draft is kept each minute
            notices.see(draft)
        await check_soon(lambda: desk.on_screen)
        (notice,) = desk.service.was_shown
        assert notice.summary == "Snapshot of 09:00: Practice"
        assert notice.body == "Removed within 60 seconds, it never leaves this computer."
        assert notice.picture == b"a whole screen a"
        assert [button.label for button in notice.buttons] == ["Remove"]
        assert notice.stays_ms == 60_000

    desk.run_with(story)


@rule("R4")
@rule("R17")
def test_its_button_removes_the_segment_under_way(desk: Desk) -> None:
    async def story(notices: SnapshotNotices) -> None:
        notices.see(desk.draft())
        await check_soon(lambda: desk.on_screen)
        desk.service.press("Remove")
        assert [draft.removed for draft in desk.diary.drafts()] == [True]
        assert desk.wakes == 1
        assert not desk.on_screen

    desk.run_with(story)
    assert desk.diary.notices() == ()


@rule("R4")
@rule("R17")
def test_its_button_removes_a_recorded_segment_that_is_held(desk: Desk) -> None:
    others = desk.diary.due()

    async def story(notices: SnapshotNotices) -> None:
        place = record_slot(desk.diary, desk.contract, NINE)
        notices.see(desk.draft())
        await check_soon(lambda: desk.on_screen)
        assert desk.diary.due() == others
        desk.service.press("Remove")
        assert desk.diary.segment(place) is None

    desk.run_with(story)
    desk.clock.put(Week.of(NINE).locked_at_ms)
    assert desk.diary.due() == others


@rule("R17")
@rule("R19")
def test_after_a_crash_it_is_shown_again_in_its_place_and_its_button_works(desk: Desk) -> None:
    async def before(notices: SnapshotNotices) -> None:
        notices.see(desk.draft())
        await check_soon(lambda: desk.on_screen)

    async def after(notices: SnapshotNotices) -> None:
        notices.see(desk.draft())
        await check_soon(lambda: len(desk.service.was_shown) == 2)
        (notice,) = desk.on_screen
        assert notice.picture == b"a whole screen a"
        desk.service.press("Remove")
        assert [draft.removed for draft in desk.diary.drafts()] == [True]

    desk.run_with(before)
    desk.run_with(after)


@rule("R17")
@rule("R19")
def test_one_that_nobody_was_shown_before_the_crash_is_shown_after_it(desk: Desk) -> None:
    draft = desk.draft()
    desk.diary.note_notice(desk.place, "")  # killed while the desktop was asked
    desk.clock.put(Millis(desk.clock.now_ms() + 240_000))

    async def story(notices: SnapshotNotices) -> None:
        notices.see(draft)
        await check_soon(lambda: desk.on_screen)
        assert len(desk.service.was_shown) == 1

    desk.run_with(story)
    (notice,) = desk.diary.notices()
    assert desk.diary.is_held(notice)


@rule("R17")
def test_when_the_notice_period_is_over_an_earlier_run_is_not_repeated(desk: Desk) -> None:
    async def before(notices: SnapshotNotices) -> None:
        notices.see(desk.draft())
        await check_soon(lambda: desk.on_screen)

    async def after(notices: SnapshotNotices) -> None:
        notices.see(found_again(desk.diary.drafts()[0]))
        await asyncio.sleep(0.1)
        assert len(desk.service.was_shown) == 1

    desk.run_with(before)
    desk.clock.put(Millis(desk.clock.now_ms() + 60_000))
    desk.run_with(after)


@rule("R17")
def test_one_that_the_desktop_lost_is_shown_once_more(desk: Desk) -> None:
    async def story(notices: SnapshotNotices) -> None:
        notices.see(desk.draft())
        await check_soon(lambda: desk.on_screen)
        (handle,) = desk.service.on_screen
        desk.service.tell(Gone(handle, "desktop"))
        await check_soon(lambda: len(desk.service.was_shown) == 2)
        desk.service.press("Remove")
        assert [draft.removed for draft in desk.diary.drafts()] == [True]

    desk.run_with(story)


@rule("R25")
def test_what_is_removed_elsewhere_is_on_the_screen_no_more(desk: Desk) -> None:
    async def story(notices: SnapshotNotices) -> None:
        notices.see(desk.draft())
        await check_soon(lambda: desk.on_screen)
        desk.diary.remove([desk.place])
        notices.look_for_removed()
        await check_soon(lambda: not desk.on_screen)

    desk.run_with(story)
    assert desk.diary.notices() == ()


@rule("R17")
@rule("R18")
def test_the_button_follows_a_segment_that_goes_to_another_contract(desk: Desk) -> None:
    async def story(notices: SnapshotNotices) -> None:
        draft = desk.draft()
        notices.see(draft)
        await check_soon(lambda: desk.on_screen and desk.diary.notices()[0].handle)
        other = desk.diary.new_contract(title="Weir").id
        moved = replace(draft, contract=other)
        assert desk.diary.keep_draft(to_keep(moved), desk.contract.id)
        notices.see(moved)
        notices.look_for_removed()
        await asyncio.sleep(0.1)
        assert len(desk.service.was_shown) == 1
        desk.service.press("Remove")
        assert [(each.contract, each.removed) for each in desk.diary.drafts()] == [(other, True)]

    desk.run_with(story)


@rule("R17")
def test_nothing_is_shown_where_it_is_switched_off_or_the_screen_was_locked(desk: Desk) -> None:
    async def story(notices: SnapshotNotices) -> None:
        notices.see(desk.draft(no_picture="locked"))
        desk.diary.set_setting("notify", False)
        notices.see(desk.draft(Slot(NINE + 1)))
        await asyncio.sleep(0.1)

    desk.run_with(story)
    assert desk.service.was_shown == []
    assert desk.diary.notices() == ()


@rule("R16")
def test_one_without_a_picture_says_why(desk: Desk) -> None:
    async def story(notices: SnapshotNotices) -> None:
        notices.see(desk.draft(no_picture="black"))
        await check_soon(lambda: desk.on_screen)

    desk.run_with(story)
    (notice,) = desk.service.was_shown
    assert notice.picture is None
    assert notice.body.startswith("The picture was all black. Removed within 60 seconds")


@rule("R17")
def test_what_the_desktop_cannot_do_is_said_once_with_another_way(desk: Desk) -> None:
    async def story(notices: SnapshotNotices) -> None:
        for later in range(3):
            notices.see(desk.draft(Slot(NINE + later)))
        await asyncio.sleep(0.1)

    desk.run_with(story, because="This desktop shows no notifications.")
    assert desk.said == [
        "This desktop shows no notifications. Remove a snapshot with `diary remove @last`, or on the pages."
    ]


@rule("R17")
@pytest.mark.parametrize(
    ("offers", "said"),
    [
        (Offers(buttons=True, pictures=True, service="toy"), ""),
        (Offers(pictures=True, service="toy"), "(toy) have no buttons. Remove a snapshot with"),
        (Offers(buttons=True, service="toy"), "(toy) show no pictures."),
        (Offers(buttons=True, pictures=True, is_quiet=True, service="toy"), "told not to disturb"),
    ],
)
def test_each_thing_that_is_missing_has_its_words(desk: Desk, offers: Offers, said: str) -> None:
    async def story(notices: SnapshotNotices) -> None:
        notices.begin(offers)
        notices.begin(offers)

    desk.run_with(cast("Callable[[SnapshotNotices], Awaitable[None]]", story))
    assert len(desk.said) == bool(said)
    assert said in "".join(desk.said)


@rule("R17")
def test_a_desktop_that_is_told_not_to_disturb_later_is_noticed_then_and_named_once(desk: Desk) -> None:
    async def story(notices: SnapshotNotices) -> None:
        notices.see(desk.draft())
        await check_soon(lambda: desk.on_screen)
        assert desk.said == []
        desk.service.is_quiet = True
        for later in (1, 2):
            notices.see(desk.draft(Slot(NINE + later)))
        await check_soon(lambda: len(desk.on_screen) == 3)
        await asyncio.sleep(0.1)

    desk.run_with(story)
    (said,) = desk.said
    assert "told not to disturb" in said
    assert "diary remove @last" in said


@rule("R4")
def test_what_cannot_be_removed_is_shown_and_said(desk: Desk) -> None:
    async def story(notices: SnapshotNotices) -> None:
        notices.see(desk.draft())
        await check_soon(lambda: desk.on_screen)
        desk.diary.drop_draft(desk.place)
        desk.service.press("Remove")
        await check_soon(lambda: [notice.summary for notice in desk.on_screen] == ["Not removed"])

    desk.run_with(story)
    assert "Not removed. There is no segment" in desk.said[0]


@rule("R17")
def test_answers_to_others_notifications_change_nothing(desk: Desk) -> None:
    async def story(notices: SnapshotNotices) -> None:
        notices.see(desk.draft())
        await check_soon(lambda: desk.on_screen)
        notices.take(Pressed(Handle("somebody else's"), "remove"))
        (handle,) = desk.service.on_screen
        assert [draft.removed for draft in desk.diary.drafts()] == [False]
        notices.take(Pressed(handle, "remove"))
        assert [draft.removed for draft in desk.diary.drafts()] == [True]

    desk.run_with(story)


@rule("R17")
def test_a_tracker_that_ends_takes_its_notifications_along(desk: Desk) -> None:
    async def story(notices: SnapshotNotices) -> None:
        notices.see(desk.draft())
        await check_soon(lambda: desk.on_screen)
        await notices.end()
        assert not desk.on_screen

    desk.run_with(story)


@rule("R17")
@pytest.mark.parametrize(
    ("hold_seconds", "says", "stays_ms"),
    [
        (0, "It is not held back: removed, it is destroyed wherever it went.", 10_000),
        (1, "Removed within 1 second, it never leaves this computer.", 10_000),
        (90, "Removed within 90 seconds, it never leaves this computer.", 90_000),
        (600, "Removed within 10 minutes, it never leaves this computer.", 600_000),
    ],
)
def test_it_says_for_how_long_nothing_leaves(desk: Desk, hold_seconds: int, says: str, stays_ms: int) -> None:
    async def story(notices: SnapshotNotices) -> None:
        desk.diary.set_setting("hold_seconds", hold_seconds)
        notices.see(desk.draft())
        await check_soon(lambda: desk.on_screen)

    desk.run_with(story)
    assert [(notice.body, notice.stays_ms) for notice in desk.on_screen] == [(says, stays_ms)]


@rule("R17")
def test_one_that_is_just_being_shown_goes_with_the_tracker_too(desk: Desk) -> None:
    async def story(notices: SnapshotNotices) -> None:
        notices.see(desk.draft())
        await notices.end()
        assert len(desk.service.was_shown) == 1
        assert not desk.on_screen

    desk.run_with(story)
