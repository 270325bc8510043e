"""Notifications by what Windows and macOS have themselves, through desktop-notifier (R17).

These systems take a picture as a file only. It lies in a folder that its user alone may read, goes when the
notification goes, and what a killed tracker left there goes at the next start.
"""

import asyncio
import contextlib
import io
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs
from desktop_notifier import Attachment, Button, Capability, DesktopNotifier, Notification

from capture.notification import NO_SERVICE, Answer, Gone, Handle, Notice, NotShown, Offers, Pressed, Shown

if TYPE_CHECKING:
    from collections.abc import Coroutine

APPLICATION = "Work Diary"
FOLDER = "notices"
OWNER_ONLY = 0o700
NOT_ALLOWED = "This system does not let the tracker show notifications: allow them in its settings."


class SystemNotifier:
    """The notifications of Windows or macOS (see `Notifier`).

    A handle is the identifier we give; answers to what an earlier run showed come under it too.
    """

    def __init__(self, folder: Path | None = None, platform: str = sys.platform) -> None:
        self._platform = platform
        self._has_buttons = False
        self._folder = folder or platformdirs.user_runtime_path("workdiary", appauthor=False) / FOLDER
        self._take: Callable[[Answer], None] = _pass_over
        self._system: DesktopNotifier | None = None
        self._timers: dict[Handle, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._sent: set[str] = set()

    async def begin(self, take: Callable[[Answer], None]) -> Offers:
        """Connect, and clear away what a killed run left (see `Notifier`)."""
        self._take = take
        if self._system is None:
            self._clear_folder()
            self._system = DesktopNotifier(APPLICATION, app_icon=None)
            self._system.on_dispatched = self._sent.add
            self._system.on_button_pressed = self._pressed
            self._system.on_dismissed = self._dismissed
        try:
            if not await self._system.request_authorisation():
                return Offers(because=NOT_ALLOWED)
            can = await self._system.get_capabilities()
        except Exception:  # noqa: BLE001  # its backends raise what their systems raise
            return Offers(because=NO_SERVICE)
        if not can:
            return Offers(because=NO_SERVICE)
        # macOS tells a press through its own run loop in the main thread, where ours runs.
        self._has_buttons = Capability.BUTTONS in can and self._platform != "darwin"
        return Offers(
            buttons=self._has_buttons,
            pictures=Capability.ATTACHMENT in can,
            service="the system's own",
        )

    async def show(self, notice: Notice) -> Shown | NotShown:
        """Show it (see `Notifier`)."""
        if self._system is None:
            await self.begin(self._take)
        assert self._system is not None
        if notice.replaces is not None:
            await self.withdraw(notice.replaces)
        handle = Handle(secrets.token_hex(16))
        notice = notice.as_plain_lines()
        await self._system.send_notification(
            Notification(
                title=notice.summary,
                message=notice.body,
                buttons=tuple(
                    Button(each.label, identifier=each.word) for each in notice.buttons if self._has_buttons
                ),
                attachment=self._attachment(handle, notice.picture),
                timeout=-1 if notice.stays_ms is None else max(1, notice.stays_ms // 1000),
                identifier=handle,
            )
        )
        if handle not in self._sent:
            self._forget(handle)
            return NotShown(NO_SERVICE)
        self._sent.discard(handle)
        if notice.stays_ms is not None:
            loop = asyncio.get_running_loop()
            self._timers[handle] = loop.call_later(
                notice.stays_ms / 1000, lambda: self._keep(self._expire(handle))
            )
        return Shown(handle)

    async def withdraw(self, handle: Handle) -> None:
        """Take it away, and its picture's file (see `Notifier`)."""
        self._forget(handle)
        if self._system is not None:
            with contextlib.suppress(Exception):  # it may be gone, or be of a run that this system forgot
                await self._system.clear(handle)

    async def end(self) -> None:
        """Let go; files of pictures go now, since nobody is left to remove them (see `Notifier`)."""
        for handle in list(self._timers):
            self._forget(handle)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._clear_folder()
        self._system = None

    async def _expire(self, handle: Handle) -> None:
        await self.withdraw(handle)
        self._take(Gone(handle, "time"))

    def _pressed(self, identifier: str, word: str) -> None:
        self._forget(Handle(identifier))
        self._take(Pressed(Handle(identifier), word))

    def _dismissed(self, identifier: str) -> None:
        self._forget(Handle(identifier))
        self._take(Gone(Handle(identifier), "user"))

    def _forget(self, handle: Handle) -> None:
        if timer := self._timers.pop(handle, None):
            timer.cancel()
        with contextlib.suppress(OSError):
            self._file(handle).unlink(missing_ok=True)

    def _keep(self, work: "Coroutine[object, object, None]") -> None:
        """Hold on to a task until it is done: the loop itself does not."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _file(self, handle: Handle) -> Path:
        return self._folder / f"{handle}.png"

    def _attachment(self, handle: Handle, picture: bytes | None) -> Attachment | None:
        """Return the picture as a file of a format that every system draws; None where it cannot be had."""
        if picture is None:
            return None
        from PIL import Image, UnidentifiedImageError

        sink = io.BytesIO()
        try:
            with Image.open(io.BytesIO(picture)) as opened:
                opened.convert("RGB").save(sink, "PNG")
            self._folder.mkdir(mode=OWNER_ONLY, parents=True, exist_ok=True)
            self._folder.chmod(OWNER_ONLY)
            self._file(handle).write_bytes(sink.getvalue())
        except (UnidentifiedImageError, OSError, ValueError):
            return None
        return Attachment(path=self._file(handle))

    def _clear_folder(self) -> None:
        with contextlib.suppress(OSError):
            for left in self._folder.glob("*.png"):
                left.unlink(missing_ok=True)
            self._folder.rmdir()


def _pass_over(_answer: Answer) -> None:
    """Take no note: nobody has begun."""
