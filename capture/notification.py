"""Notifications of the desktop, with a picture and buttons: an edge, a backend per system (R17, R18, R23).

Who shows one does it so, in the tracker's loop:

    notifier = notifier_of()
    offers = await notifier.begin(take_answer)  # `take_answer` gets each `Answer`, called in this loop
    shown = await notifier.show(Notice("Snapshot", "Mill, 09:10", buttons=(Button("remove", "Remove"),)))
    match shown:
        case Shown(handle): ...      # an answer about it names this handle
        case NotShown(because): ...  # a sentence; say it once, and offer the same by command and page
    await notifier.withdraw(handle)
    await notifier.end()

A handle is a text that outlives the process: keep it, and after a restart show the notice again with
`replaces`. Some services tell answers to everybody, some only to the run that showed it: so an answer to what
an earlier run showed, or another program, may come as well; look the handle up and pass over what is not
known. A notification is never the only way: a desktop may have none, or none with buttons, or hold them back
while its user is not to be disturbed.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, NewType, Protocol, Self

from diary.rules.plain_text import plain_line

Handle = NewType("Handle", str)
LINE_CHARACTERS_MAX = 200  # of a heading or a button: desktops show a third of that
BODY_CHARACTERS_MAX = 1_000
NO_SERVICE = "This desktop shows no notifications."
NOT_INSTALLED = "Notifications need the package {name}, which is not installed."


@dataclass(frozen=True, slots=True)
class Button:
    """A button: the word that its answer carries, and what stands on it."""

    word: str
    label: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What is to be shown; all of it plain text.

    `picture` is an encoded image, kept in memory where the system allows it (R17). `stays_ms` is after how
    long it is taken away again, None for never. `replaces` is one shown before, whose place it takes.
    """

    summary: str
    body: str
    picture: bytes | None = None
    buttons: tuple[Button, ...] = ()
    stays_ms: int | None = None
    replaces: Handle | None = None

    def as_plain_lines(self) -> Self:
        """Return it so that the desktop obeys nothing in it: a contract's title may be a client's (R24)."""
        return replace(
            self,
            summary=plain_line(self.summary, LINE_CHARACTERS_MAX),
            body=plain_line(self.body, BODY_CHARACTERS_MAX),
            buttons=tuple(
                Button(each.word, plain_line(each.label, LINE_CHARACTERS_MAX)) for each in self.buttons
            ),
        )


@dataclass(frozen=True, slots=True)
class Offers:
    """What this desktop's notifications can do; `because` says why there are none, "" where there are.

    `is_quiet`: it is told not to disturb, and holds them back.
    """

    buttons: bool = False
    pictures: bool = False
    is_quiet: bool = False
    service: str = ""
    because: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """The desktop has taken it; `is_quiet` as in `Offers`: it may show it later, or never."""

    handle: Handle
    is_quiet: bool = False


@dataclass(frozen=True, slots=True)
class NotShown:
    """The desktop has not taken it, in a sentence why."""

    because: str


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button was pressed."""

    handle: Handle
    word: str


@dataclass(frozen=True, slots=True)
class Gone:
    """It is shown no more: its user closed it, its time is over, or the desktop's service ended."""

    handle: Handle
    by: Literal["user", "time", "desktop"]


Answer = Pressed | Gone


class Notifier(Protocol):
    """A desktop's notifications. Nothing of it raises: a desktop without them is an answer, not a fault."""

    async def begin(self, take: Callable[[Answer], None]) -> Offers:
        """Connect, hand answers to `take` from now on, and return what is offered.

        Calling it again asks anew: the service may have come, gone or been told to be quiet.
        """
        ...

    async def show(self, notice: Notice) -> Shown | NotShown:
        """Show it, less what the desktop cannot show; take it away when its time is over."""
        ...

    async def withdraw(self, handle: Handle) -> None:
        """Take a notification away, also one of an earlier run."""
        ...

    async def end(self) -> None:
        """Disconnect; what is shown stays until its time is over, as far as the desktop keeps time itself."""
        ...


def notifier_of(platform: str = sys.platform) -> Notifier:
    """Return the notifications of this system: over D-Bus on Linux, else by what the system itself has."""
    try:
        if platform == "linux":
            from capture.notification_bus import BusNotifier

            return BusNotifier()
        from capture.notification_system import SystemNotifier

        return SystemNotifier()
    except ModuleNotFoundError as error:
        return NoNotifier(NOT_INSTALLED.format(name=error.name))


class NoNotifier:
    """A machine without notifications."""

    def __init__(self, because: str = NO_SERVICE) -> None:
        self._because = because

    async def begin(self, take: Callable[[Answer], None]) -> Offers:  # noqa: ARG002  # the promise names it
        """Return that nothing is offered (see `Notifier`)."""
        return Offers(because=self._because)

    async def show(self, notice: Notice) -> Shown | NotShown:  # noqa: ARG002  # the promise names it
        """Return why nothing is shown (see `Notifier`)."""
        return NotShown(self._because)

    async def withdraw(self, handle: Handle) -> None:
        """Do nothing (see `Notifier`)."""

    async def end(self) -> None:
        """Do nothing (see `Notifier`)."""
