"""Notifications over D-Bus, as Linux desktops take them (R17).

The Desktop Notifications Specification 1.2. The picture goes as pixels within the message, so that no file is
written; expiry is timed here as well, since some services ignore it. A service that ends and comes back is
asked anew what it can do.
"""

import asyncio
import contextlib
import html
import io
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from jeepney import (
    DBusAddress,
    DBusErrorResponse,
    HeaderFields,
    MatchRule,
    Message,
    message_bus,
    new_method_call,
)
from jeepney.io.asyncio import DBusConnection, DBusRouter, open_dbus_connection
from jeepney.io.common import RouterClosed
from jeepney.wrappers import unwrap_msg

from capture.notification import NO_SERVICE, Answer, Gone, Handle, Notice, NotShown, Offers, Pressed, Shown

Reply = TypeVar("Reply")

NAME = "org.freedesktop.Notifications"
APPLICATION = "Work Diary"
ANSWER_SECONDS_MAX = 25.0  # as long as D-Bus libraries wait by default: a service may have to be started
SIGNALS_MAX = 64  # that wait for the loop; a person presses no faster
DEFAULT_ACTION = "default"  # the specification's word for a click on the notification itself
CLOSED_BY: Mapping[int, Literal["user", "time", "desktop"]] = {1: "time", 2: "user", 3: "time", 4: "desktop"}
NO_BUS = "There is no session bus here (D-Bus), so this desktop shows no notifications."
NO_ANSWER = "The desktop's notification service does not answer."

_SERVICE = DBusAddress("/org/freedesktop/Notifications", NAME, NAME)
_PROPERTIES = _SERVICE.with_interface("org.freedesktop.DBus.Properties")
# Where services tell that they hold notifications back: KDE's, and dunst's own.
_QUIET = ((NAME, "Inhibited"), ("org.dunstproject.cmd0", "paused"))
_FAULTS = (
    OSError, EOFError, TimeoutError, RouterClosed, RuntimeError, ValueError,
    # jeepney's own table of replies is emptied under those who wait when the connection breaks.
    KeyError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Service:
    """The service that answers now, by its own name on the bus, and what it can do."""

    owner: str
    name: str
    capabilities: frozenset[str]
    image_hint: str


class BusNotifier:
    """The notification service of a session bus (see `Notifier`).

    A handle is the bus, the service's own name on it and the service's number: numbers begin anew with each
    service, and a stranger's signal comes under the stranger's name.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment
        self._take: Callable[[Answer], None] = _pass_over
        self._connection: DBusConnection | None = None
        self._router: DBusRouter | None = None
        self._bus_id = ""
        self._service: _Service | None = None
        self._open: set[Handle] = set()
        self._timers: dict[Handle, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._connecting = asyncio.Lock()

    async def begin(self, take: Callable[[Answer], None]) -> Offers:
        """Connect and ask the service what it can do (see `Notifier`)."""
        self._take = take
        try:
            return await self._patiently(self._offers)
        except DBusErrorResponse:
            return Offers(because=NO_SERVICE)
        except _FAULTS as fault:
            return Offers(because=_why(fault))

    async def show(self, notice: Notice) -> Shown | NotShown:
        """Show it (see `Notifier`)."""
        try:
            shown = await self._patiently(lambda: self._notify(notice))
        except DBusErrorResponse:
            return NotShown(NO_SERVICE)
        except _FAULTS as fault:
            return NotShown(_why(fault))
        self._open.add(shown.handle)
        if notice.stays_ms is not None:
            self._time(shown.handle, notice.stays_ms)
        return shown

    async def withdraw(self, handle: Handle) -> None:
        """Take it away (see `Notifier`)."""
        self._forget(handle)
        # What is refused is closed already; with a bus or service that went, so did the notification.
        with contextlib.suppress(DBusErrorResponse, *_FAULTS):
            await self._patiently(lambda: self._close(handle))

    async def end(self) -> None:
        """Disconnect (see `Notifier`)."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        await self._disconnect()

    async def _patiently(self, ask: Callable[[], Awaitable[Reply]]) -> Reply:
        """Return the answer; where the line has gone since the last time, make it anew and ask once more."""
        had_line = self._router is not None
        try:
            return await ask()
        except _FAULTS as fault:
            await self._disconnect()
            if not had_line or isinstance(fault, TimeoutError):
                raise
            return await ask()

    async def _offers(self) -> Offers:
        service = await self._ready()
        return Offers(
            buttons="actions" in service.capabilities,
            pictures=bool({"icon-static", "icon-multi"} & service.capabilities),
            is_quiet=await self._is_quiet(),
            service=service.name,
        )

    async def _notify(self, notice: Notice) -> Shown:
        service = await self._ready()
        replaces = self._number(notice.replaces, service) if notice.replaces else 0
        arguments = _arguments(notice.as_plain_lines(), service, replaces)
        reply = await self._call("Notify", "susssasa{sv}i", arguments)
        return Shown(self._handle(reply, reply.body[0]), is_quiet=await self._is_quiet())

    async def _close(self, handle: Handle) -> None:
        service = await self._ready()
        if number := self._number(handle, service):
            await self._call("CloseNotification", "u", (number,))

    async def _is_quiet(self) -> bool:
        for interface, name in _QUIET:
            with contextlib.suppress(DBusErrorResponse):
                reply = await self._call("Get", "ss", (interface, name), at=_PROPERTIES)
                return bool(reply.body[0][1])
        return False

    async def _ready(self) -> _Service:
        """Return the service that answers, connected to it and listening."""
        async with self._connecting:
            if self._router is None:
                await self._connect()
            if self._service is None:
                self._service = await self._meet()
            return self._service

    async def _connect(self) -> None:
        connection = await asyncio.wait_for(open_dbus_connection(self._address()), ANSWER_SECONDS_MAX)
        self._connection, self._router = connection, DBusRouter(connection)
        signals: asyncio.Queue[Message] = asyncio.Queue(SIGNALS_MAX)
        # These two and no more: a service also tells what its users answer to others by typing (R15).
        of_service = [
            MatchRule(type="signal", interface=NAME, path=_SERVICE.object_path, member=member)
            for member in ("ActionInvoked", "NotificationClosed")
        ]
        of_bus = MatchRule(type="signal", interface=message_bus.interface, member="NameOwnerChanged")
        of_bus.add_arg_condition(0, NAME)
        for rule in (*of_service, of_bus):
            self._router.filter(rule, queue=signals)
            await self._ask_bus(message_bus.AddMatch(rule))
        (self._bus_id,) = await self._ask_bus(message_bus.GetId())
        task = asyncio.get_running_loop().create_task(self._listen(signals))
        self._keep(task)

    def _address(self) -> str:
        """Return where the session's bus is: as it is told, or where systemd puts it."""
        told = self._environment.get("DBUS_SESSION_BUS_ADDRESS", "")
        runtime = self._environment.get("XDG_RUNTIME_DIR", "")
        return told or (f"unix:path={runtime}/bus" if runtime else "")

    async def _meet(self) -> _Service:
        """Ask who shows notifications here, and what it can do; asking starts it where that is set up."""
        told = await self._call("GetServerInformation")
        name, _, _, version = told.body
        (capabilities,) = (await self._call("GetCapabilities")).body
        return _Service(_sender(told), name, frozenset(capabilities), _image_hint(version))

    async def _call(
        self,
        method: str,
        signature: str | None = None,
        body: tuple[Any, ...] = (),
        *,
        at: DBusAddress = _SERVICE,
    ) -> Message:
        if self._router is None:
            raise RouterClosed
        asked = new_method_call(at, method, signature, body)
        reply = await asyncio.wait_for(self._router.send_and_get_reply(asked), ANSWER_SECONDS_MAX)
        unwrap_msg(reply)  # raises what it refuses with
        return reply

    async def _ask_bus(self, question: Message) -> tuple[Any, ...]:
        assert self._router is not None
        reply = await asyncio.wait_for(self._router.send_and_get_reply(question), ANSWER_SECONDS_MAX)
        body: tuple[Any, ...] = unwrap_msg(reply)
        return body

    async def _listen(self, signals: "asyncio.Queue[Message]") -> None:
        while True:
            self._hear(await signals.get())

    def _hear(self, signal: Message) -> None:
        """Hand on what a signal says; others' notifications too, whose handles nobody here knows."""
        match signal.header.fields[HeaderFields.member], signal.body:
            case "NameOwnerChanged", (_, old_owner, _):
                self._service = None
                for handle in sorted(self._open):
                    if handle.split()[1] == old_owner:
                        self._forget(handle)
                        self._take(Gone(handle, "desktop"))
            # A click beside the buttons means "open", never one of them.
            case "ActionInvoked", (number, word) if word != DEFAULT_ACTION:
                self._take(Pressed(self._handle(signal, number), word))
            case "NotificationClosed", (number, reason):
                handle = self._handle(signal, number)
                self._forget(handle)
                self._take(Gone(handle, CLOSED_BY.get(reason, "desktop")))

    def _handle(self, said: Message, number: int) -> Handle:
        """Return the handle of a number that this message's sender gave."""
        return Handle(f"{self._bus_id} {_sender(said)} {number}")

    def _number(self, handle: Handle, service: _Service) -> int:
        """Return the service's number of a handle, 0 for one of another service."""
        bus_id, owner, number = handle.split(" ")
        return int(number) if (bus_id, owner) == (self._bus_id, service.owner) else 0

    def _time(self, handle: Handle, stays_ms: int) -> None:
        """Take it away when its time is over: some services show it for ever."""
        loop = asyncio.get_running_loop()
        self._stop_timer(handle)
        self._timers[handle] = loop.call_later(
            stays_ms / 1000, lambda: self._keep(loop.create_task(self.withdraw(handle)))
        )

    def _forget(self, handle: Handle) -> None:
        self._open.discard(handle)
        self._stop_timer(handle)

    def _stop_timer(self, handle: Handle) -> None:
        if timer := self._timers.pop(handle, None):
            timer.cancel()

    def _keep(self, task: "asyncio.Task[None]") -> None:
        """Hold on to a task until it is done: the loop itself does not."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _disconnect(self) -> None:
        router, connection = self._router, self._connection
        self._router = self._connection = self._service = None
        others = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        with contextlib.suppress(*_FAULTS):
            if router is not None:
                await router.__aexit__(None, None, None)
        with contextlib.suppress(*_FAULTS):
            if connection is not None:
                await connection.close()


def _sender(message: Message) -> str:
    sender: str = message.header.fields[HeaderFields.sender]
    return sender


def _why(fault: BaseException) -> str:
    return NO_ANSWER if isinstance(fault, TimeoutError) else NO_BUS


def _pass_over(_answer: Answer) -> None:
    """Take no note: nobody has begun."""


def _arguments(notice: Notice, service: _Service, replaces: int) -> tuple[Any, ...]:
    """Return what Notify takes, as much of a notice as the service can show."""
    # "transient" keeps it out of the desktop's history, where the picture would stay (R17).
    hints: dict[str, tuple[str, Any]] = {"transient": ("b", True), "urgency": ("y", 1)}
    if notice.picture is not None and (pixels := _pixels(notice.picture)):
        hints[service.image_hint] = ("(iiibiiay)", pixels)
    actions = [part for button in notice.buttons for part in (button.word, button.label)]
    return (
        APPLICATION,
        replaces,
        "",
        notice.summary,
        html.escape(notice.body, quote=False) if "body-markup" in service.capabilities else notice.body,
        actions if "actions" in service.capabilities else [],
        hints,
        # 0 never expires, -1 leaves it to the service.
        0 if notice.stays_ms is None else notice.stays_ms,
    )


def _pixels(picture: bytes) -> tuple[int, int, int, bool, int, int, bytes] | None:
    """Return an image as the specification has it: sides, bytes a row, no alpha, 8 bits in 3 channels."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(picture)) as opened:
            image = opened.convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError):
        return None
    return image.width, image.height, image.width * 3, False, 8, 3, image.tobytes()


def _image_hint(version: str) -> str:
    """Return the hint's name in this version of the specification; it was renamed twice."""
    parts = tuple(int(part) for part in version.split(".") if part.isdecimal())
    if parts >= (1, 2):
        return "image-data"
    return "image_data" if parts >= (1, 1) else "icon_data"
