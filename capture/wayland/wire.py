"""A line to a Wayland compositor: requests out, events in (R13, R14).

The protocol's wire format (freedesktop.org, "Wayland Protocol", section 4.2): words in the machine's order,
each message an object's id, its length and an opcode, then its arguments. Written here and not taken from a
library, since what there is needs a compiler on most machines, and only small protocols are spoken.
One line is for one thread.
"""

import os
import select
import socket
import struct
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

ANSWER_SECONDS_MAX = 10.0  # a compositor that says nothing for so long is not going to
OBJECTS_MAX = 10_000  # of one line; ours need a dozen
_READ_BYTES = 65_536
_DISPLAY, _REGISTRY = 1, 2
_SIGNED = 1 << 31
_HEADER = struct.Struct("=II")
_WORD = struct.Struct("=I")


class WaylandError(OSError):
    """The compositor is not there, went away, or ended the line."""


@dataclass(slots=True)
class Arguments:
    """An event's arguments, read one after another."""

    raw: bytes
    at: int = 0

    def number(self) -> int:
        """Return the next word."""
        (word,) = _WORD.unpack_from(self.raw, self.at)
        self.at += 4
        return int(word)

    def signed(self) -> int:
        """Return the next word as a signed number."""
        word = self.number()
        return word - 2 * _SIGNED if word >= _SIGNED else word

    def text(self) -> str:
        """Return the next text."""
        length = self.number()
        raw = self.raw[self.at : self.at + max(0, length - 1)]
        self.at += length + -length % 4
        return raw.decode("utf-8", errors="replace")

    def numbers(self) -> tuple[int, ...]:
        """Return the next array, of words."""
        return tuple(self.number() for _ in range(self.number() // 4))


Handler = Callable[[int, Arguments], None]  # takes an event's opcode and its arguments


@dataclass(frozen=True, slots=True)
class Global:
    """Something that a compositor offers: its number in the registry, and the version it speaks."""

    name: int
    version: int


class Wire:
    """A line to the compositor. Use it in a `with`, or call `close`.

    Raises:
        WaylandError: From every method: there is no compositor, or it ended the line.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self.offers: dict[str, list[Global]] = {}
        self._socket = _connected(environment)
        self._unread = b""
        self._handlers: dict[int, Handler] = {_DISPLAY: self._told, _REGISTRY: self._offered}
        self._next_id = _REGISTRY + 1
        try:
            self.send(_DISPLAY, 1, _REGISTRY)
            self.round_trip()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the line."""
        self._socket.close()

    def new(self, handler: Handler | None = None) -> int:
        """Return a new object's id; its events go to `handler`. Send ids in the order they are made."""
        if self._next_id > OBJECTS_MAX:
            raise WaylandError("This line to the compositor has made too many objects.")
        made = self._next_id
        self._next_id += 1
        self._handlers[made] = handler or _pass_over
        return made

    def adopt(self, made: int, handler: Handler) -> None:
        """Have the events of an object that the compositor made go to `handler`."""
        if len(self._handlers) > OBJECTS_MAX:
            raise WaylandError("The compositor has made too many objects.")
        self._handlers[made] = handler

    def bind(self, interface: str, version_max: int, handler: Handler | None = None) -> int | None:
        """Return an object for what the compositor offers by this name; None where it does not."""
        offered = self.offers.get(interface)
        return self.bind_one(interface, offered[0], version_max, handler) if offered else None

    def bind_one(
        self, interface: str, offered: Global, version_max: int, handler: Handler | None = None
    ) -> int:
        """Return an object for this one of several, such as one of the monitors."""
        made = self.new(handler)
        self.send(_REGISTRY, 0, offered.name, interface, min(offered.version, version_max), made)
        return made

    def send(self, target: int, opcode: int, *arguments: int | str, file: int | None = None) -> None:
        """Send a request; numbers may be ids and signed ones, `file` goes along as a descriptor."""
        body = b"".join(_packed(argument) for argument in arguments)
        message = _HEADER.pack(target, (len(body) + _HEADER.size) << 16 | opcode) + body
        try:
            if file is None:
                self._socket.sendall(message)
            else:
                socket.send_fds(self._socket, [message], [file])
        except OSError as fault:
            raise WaylandError(str(fault)) from fault

    def round_trip(self) -> None:
        """Wait until the compositor has answered everything sent so far."""
        answers: list[int] = []
        self.send(_DISPLAY, 0, self.new(lambda opcode, _: answers.append(opcode)))
        self.listen_until(lambda: bool(answers))

    def listen_until(self, holds: Callable[[], bool]) -> None:
        """Take in events until this holds."""
        while not holds():
            if not self.listen(ANSWER_SECONDS_MAX):
                raise WaylandError("The compositor does not answer.")

    def listen(self, seconds_max: float) -> bool:
        """Take in what is there, or comes within this time; return whether anything was."""
        try:
            if not select.select([self._socket], [], [], seconds_max)[0]:
                return False
            more = self._socket.recv(_READ_BYTES)
        except (OSError, ValueError) as fault:
            raise WaylandError(str(fault)) from fault
        if not more:
            raise WaylandError("The compositor ended the line.")
        self._unread += more
        while len(self._unread) >= _HEADER.size:
            target, second = _HEADER.unpack_from(self._unread)
            length = second >> 16
            if length < _HEADER.size:
                raise WaylandError("The compositor sent what is no message.")
            if len(self._unread) < length:
                break
            event, self._unread = self._unread[_HEADER.size : length], self._unread[length:]
            try:
                self._handlers.get(target, _pass_over)(second & 0xFFFF, Arguments(event))
            except struct.error as fault:
                raise WaylandError("The compositor sent an event that is cut short.") from fault
        return True

    def _told(self, opcode: int, event: Arguments) -> None:
        """Take in what the display itself says: an error, which ends the line."""
        if opcode == 0:
            event.number()
            event.number()
            raise WaylandError(event.text())

    def _offered(self, opcode: int, event: Arguments) -> None:
        name = event.number()
        if opcode == 0:
            interface = event.text()
            self.offers.setdefault(interface, []).append(Global(name, event.number()))
        else:
            for offered in self.offers.values():
                offered[:] = [one for one in offered if one.name != name]


def _connected(environment: Mapping[str, str]) -> socket.socket:
    """Return a socket to the compositor that the environment names (wl_display_connect's rules)."""
    path = Path(environment.get("XDG_RUNTIME_DIR", "")) / environment.get("WAYLAND_DISPLAY", "wayland-0")
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | getattr(socket, "SOCK_CLOEXEC", 0))
    try:
        line.settimeout(ANSWER_SECONDS_MAX)
        line.connect(str(path))
    except OSError as fault:
        line.close()
        raise WaylandError(f"There is no compositor at {path}.") from fault
    return line


def _packed(argument: int | str) -> bytes:
    if isinstance(argument, int):
        return (argument & 0xFFFFFFFF).to_bytes(4, sys.byteorder)
    raw = argument.encode() + b"\0"
    return _WORD.pack(len(raw)) + raw + bytes(-len(raw) % 4)


def _pass_over(_opcode: int, _event: Arguments) -> None:
    """Take in an event that nothing depends on."""
