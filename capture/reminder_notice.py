"""Reminders as notifications: what a week lacks, work hours, an old memo, a disk soon full (R23, R31).

What is due the diary says; it is told once and noted, also where the desktop shows nothing: then the
tracker's log has it, and the state and every page say the week's all the while.
"""

import asyncio
from collections.abc import Callable

from capture.notification import Notice, Notifier, NotShown
from diary.diary import Diary
from diary.errors import DiaryError

LOOK_SECONDS = 60.0  # a reminder is for the hour, not the second


class ReminderNotices:
    """Tells reminders while the tracker runs. `say` gets sentences for the log."""

    def __init__(self, diary: Diary, notifier: Notifier, *, say: Callable[[str], None]) -> None:
        self._diary = diary
        self._notifier = notifier
        self._say = say

    async def keep_looking(self) -> None:
        """Tell what is due, now and every minute, until cancelled."""
        while True:
            try:
                await self.look()
            except DiaryError as fault:  # the file is busy or the disk is full: the next minute may do
                self._say(fault.in_full)
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Tell what is due now."""
        for reminder in self._diary.reminders():
            shown = await self._notifier.show(Notice(summary=reminder.heading, body=reminder.says))
            if isinstance(shown, NotShown):
                self._say(f"{reminder.heading}. {reminder.says}")
            self._diary.note_told(reminder.occasion)
        self._diary.forget_opened()  # a week's check opened all of it
