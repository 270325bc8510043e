"""A notification for each snapshot, with a thumbnail and a button that removes it (R17).

It runs in the tracker's loop and asks the diary through its one door. What fails is said once and survived: a
desktop without notifications is no reason not to record, and `diary remove @last` and the pages do the same.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from capture.draft import Draft
from capture.errands import Errands
from capture.notification import (
    Answer,
    Button,
    Gone,
    Handle,
    Notice,
    Notifier,
    NotShown,
    Offers,
    Pressed,
    Shown,
)
from diary.diary import Diary
from diary.errors import DiaryError
from diary.noticing import SnapshotNotice
from diary.rules.timesheet import Place
from diary.rules.week import Week, starts_at_ms

REMOVE = Button("remove", "Remove")
STAYS_MS_LEAST = 10_000  # with a shorter notice period it is still to be read
SEEN_MAX = 64  # places; a slot has one snapshot, and no draft is older than the tracker's last run
OTHERWISE = "Remove a snapshot with `diary remove @last`, or on the pages."
QUIET = f"This desktop is told not to disturb and may show no notifications. {OTHERWISE}"
WHY_NO_PICTURE = {"black": "The picture was all black.", "no_permission": "The desktop allowed no picture."}
NO_PICTURE = "There is no picture of it."


class SnapshotNotices:
    """The notifications of one run of the tracker.

    `say` gets sentences for the log; `wake` has the tracker look at the diary.
    """

    def __init__(
        self,
        diary: Diary,
        notifier: Notifier,
        *,
        say: Callable[[str], None],
        wake: Callable[[], None],
        zone: ZoneInfo,
    ) -> None:
        self._diary = diary
        self._notifier = notifier
        self._say = say
        self._wake = wake
        self._zone = zone
        self._before = diary.notices()
        # One that was not answered before a crash may never have been seen.
        self._seen = [notice.place for notice in self._before if notice.handle]
        self._shown = {Handle(notice.handle) for notice in self._before if notice.handle}
        self._said: set[str] = set()
        self._errands = Errands(self._say_once)

    def begin(self, offers: Offers) -> None:
        """Take up what an earlier run showed, and say what this desktop's notifications cannot do."""
        with self._errands.surviving():
            if self._is_on():
                self._take_up(offers)

    def _take_up(self, offers: Offers) -> None:
        self._say_what_is_missing(offers)
        for notice in self._before:
            if (notice.handle or notice.place not in self._seen) and self._diary.is_held(notice):
                self._seen.append(notice.place)
                self._errands.run(self._show_again(notice))

    def see(self, draft: Draft) -> None:
        """Show a snapshot that nobody was shown yet; its notice period begins with that."""
        place = (draft.contract, draft.slot)
        if draft.snapshot is None or place in self._seen:
            return
        self._seen = [*self._seen[1 - SEEN_MAX :], place]
        if (before := self._known(place)) is not None and before.handle:
            return  # it was shown, and its segment given to another contract since (R18)
        # On a locked screen there is nothing to show, and nobody to see it.
        if draft.snapshot.no_picture == "locked":
            return
        with self._errands.surviving():
            if self._is_on():
                # Noted before it is shown: what is recorded meanwhile waits for the desktop's answer.
                self._diary.note_notice(place, "")
                pictures = [picture for role, picture in draft.snapshot.pictures if role == "thumbnail"]
                notice = self._notice(place, pictures[:1], draft.snapshot.no_picture or "")
                self._errands.run(self._show(place, notice))

    def take(self, answer: Answer) -> None:
        """Do what a button asks for; answers to others' notifications are passed over."""
        if answer.handle not in self._shown:
            return
        self._shown.discard(answer.handle)
        with self._errands.surviving():
            # Where the segment is now: it may have gone to another slot or contract since (R18, R20).
            notice = next((each for each in self._diary.notices() if each.handle == answer.handle), None)
            match answer:
                case Pressed(handle, REMOVE.word):
                    self._errands.run(self._notifier.withdraw(handle))
                    if notice is not None:
                        self._remove(notice.place)
                case Gone(_, "desktop") if notice is not None and self._diary.is_held(notice):
                    # The service ended and took it along; within the notice period it is shown once more.
                    self._errands.run(self._show_again(notice))

    def look_for_removed(self) -> None:
        """Take away what is shown of segments that were removed, here or by command or page (R25)."""
        with self._errands.surviving():
            known = {each.handle for each in self._diary.notices()}
            for handle in sorted(self._shown - known):
                self._shown.discard(handle)
                self._errands.run(self._notifier.withdraw(handle))

    async def end(self) -> None:
        """Take away what is shown: its buttons would do nothing any more."""
        await self._errands.end(lambda: asyncio.gather(*map(self._notifier.withdraw, self._shown)))

    def _is_on(self) -> bool:
        return bool(self._diary.setting("notify"))

    def _say_what_is_missing(self, offers: Offers) -> None:
        if offers.because:
            self._say_once(f"{offers.because} {OTHERWISE}")
        elif not offers.buttons:
            self._say_once(f"This desktop's notifications ({offers.service}) have no buttons. {OTHERWISE}")
        elif offers.is_quiet:
            self._say_once(QUIET)
        elif not offers.pictures:
            self._say_once(f"This desktop's notifications ({offers.service}) show no pictures.")

    def _notice(self, place: Place, thumbnail: Sequence[bytes], no_picture: str) -> Notice:
        """Return what is shown of a snapshot; without a thumbnail, why."""
        hold_seconds = int(self._diary.setting("hold_seconds"))
        at = datetime.fromtimestamp(starts_at_ms(place[1]) / 1000, self._zone)
        title = next((each.title for each in self._diary.contracts() if each.id == place[0]), "")
        why = "" if thumbnail else WHY_NO_PICTURE.get(no_picture, NO_PICTURE) + " "
        return Notice(
            summary=f"Snapshot of {at:%H:%M}: {title}",
            body=why + _what_removing_does(hold_seconds),
            picture=thumbnail[0] if thumbnail else None,
            buttons=(REMOVE,),
            stays_ms=max(STAYS_MS_LEAST, hold_seconds * 1000),
        )

    async def _show(self, place: Place, notice: Notice) -> None:
        match await self._notifier.show(notice):
            case Shown(handle) if self._known(place) is None:
                await self._notifier.withdraw(handle)  # it was removed meanwhile
            case Shown(handle, is_quiet):
                if is_quiet:
                    self._say_once(QUIET)
                self._shown.add(handle)
                self._diary.note_notice(place, handle)
            case NotShown(because):
                self._say_once(f"{because} {OTHERWISE}")

    async def _show_again(self, before: SnapshotNotice) -> None:
        """Show a snapshot that was shown before, by an earlier run or a service that ended."""
        kept = self._kept(before.place)
        if kept is None:
            return
        replaces = Handle(before.handle) if before.handle else None
        if replaces is not None:
            self._shown.discard(replaces)
        notice = self._notice(before.place, kept, "")
        await self._show(before.place, replace(notice, replaces=replaces))

    def _kept(self, place: Place) -> tuple[bytes, ...] | None:
        """Return the thumbnail that the diary keeps of a place; None where it was removed."""
        try:
            week = self._diary.week(Week.of(place[1]))
            segment = next(each for each in week.segments if (each.contract, each.slot) == place)
            taken = [shot for shot in segment.snapshots if shot.thumbnail]
            return tuple(self._diary.picture(shot.thumbnail) for shot in taken[-1:])
        except (DiaryError, StopIteration):
            return None

    def _known(self, place: Place) -> SnapshotNotice | None:
        return next((each for each in self._diary.notices() if each.place == place), None)

    def _remove(self, place: Place) -> None:
        """Remove a segment as its notification's button asks; what cannot be is shown too (R4)."""
        try:
            refused = [f"{no.reason}: {no.because}" for _, no in self._diary.remove([place]).refused]
        except DiaryError as fault:
            refused = [fault.in_full]
        for because in refused:
            self._say(f"Not removed. {because}")
            self._errands.run(self._notifier.show(Notice("Not removed", because, stays_ms=STAYS_MS_LEAST)))
        self._wake()

    def _say_once(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            self._say(text)


def _what_removing_does(hold_seconds: int) -> str:
    if not hold_seconds:
        return "It is not held back: removed, it is destroyed wherever it went."
    return f"Removed within {_span(hold_seconds)}, it never leaves this computer."


def _span(seconds: int) -> str:
    """Return a notice period as it is read: "60 seconds", "5 minutes"."""
    if seconds % 60 or seconds <= 60:
        return f"{seconds} second{'' if seconds == 1 else 's'}"
    return f"{seconds // 60} minutes"
