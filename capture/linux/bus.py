"""A line to a D-Bus bus for who waits in a thread of its own, and for one quick question (R16, R18)."""

import contextlib
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, Self

from jeepney import DBusAddress, DBusErrorResponse, MatchRule, Message, message_bus, new_method_call
from jeepney.io.blocking import DBusConnection, open_dbus_connection
from jeepney.wrappers import unwrap_msg

ANSWER_SECONDS_MAX = 5.0
CONNECT_SECONDS_MAX = 2.0
RETRY_SECONDS = 5.0  # a bus that went away comes back with the next login, or not at all
TOLD_MAX = 256  # signals that wait to be looked at; a person locks no faster
_SYSTEM_BUS = "unix:path=/var/run/dbus/system_bus_socket"
_PROPERTIES = "org.freedesktop.DBus.Properties"

Which = Literal["system", "session"]


class BusError(OSError):
    """The bus, or who is asked on it, is not there, went away or refused."""


# What the library raises, some of it by way of a malformed address or message.
_LIBRARY = (DBusErrorResponse, OSError, RuntimeError, ValueError, LookupError, StopIteration, TypeError)


@contextlib.contextmanager
def _faults() -> Iterator[None]:
    """Turn what the library raises into one error."""
    try:
        yield
    except BusError:
        raise
    except _LIBRARY as fault:
        raise BusError(str(fault)) from fault


class Bus:
    """A line to one bus. Use it in a `with`, or call `close`.

    Raises:
        BusError: From every method but `close` and `hang_up`.
    """

    def __init__(self, which: Which, environment: Mapping[str, str]) -> None:
        with _faults():
            self._line: DBusConnection = open_dbus_connection(
                _address(which, environment), enable_fds=True, auth_timeout=CONNECT_SECONDS_MAX
            )
        self._told: deque[Message] = deque(maxlen=TOLD_MAX)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def name(self) -> str:
        """Return this line's own name on the bus."""
        return str(self._line.unique_name)

    def ask(
        self,
        service: DBusAddress,
        method: str,
        signature: str | None = None,
        arguments: tuple[Any, ...] = (),
        *,
        seconds_max: float = ANSWER_SECONDS_MAX,
    ) -> tuple[Any, ...]:
        """Return what a service answers."""
        with _faults():
            message = new_method_call(service, method, signature, arguments)
            reply: tuple[Any, ...] = unwrap_msg(self._line.send_and_get_reply(message, timeout=seconds_max))
            return reply

    def properties(self, service: DBusAddress) -> dict[str, Any]:
        """Return the properties of a service's interface."""
        (found,) = self.ask(service.with_interface(_PROPERTIES), "GetAll", "s", (service.interface,))
        return {name: value for name, (_, value) in found.items()}

    def property(self, service: DBusAddress, name: str) -> Any:
        """Return one property."""
        ((_, value),) = self.ask(service.with_interface(_PROPERTIES), "Get", "ss", (service.interface, name))
        return value

    def subscribe(
        self, interface: str, member: str, path: str | None = None, about: str | None = None
    ) -> None:
        """Have this signal told from now on; `about` is what its first argument must be."""
        rule = MatchRule(type="signal", interface=interface, member=member, path=path)
        if about is not None:
            rule.add_arg_condition(0, about)
        with _faults():
            self._line.filter(rule, queue=self._told)
            unwrap_msg(self._line.send_and_get_reply(message_bus.AddMatch(rule), timeout=ANSWER_SECONDS_MAX))

    def next_told(self, seconds_max: float | None = None) -> Message:
        """Wait for the next signal that was subscribed to; None waits however long it takes."""
        with _faults():
            return self._line.recv_until_filtered(self._told, timeout=seconds_max)

    def hang_up(self) -> None:
        """End the line from another thread: who waits in `next_told` gets a `BusError`."""
        with contextlib.suppress(OSError):
            self._line.sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the line."""
        self._line.close()


class BusListener:
    """A thread that listens to a bus, and connects anew after it went away.

    `begin` subscribes and looks at how things stand, `take` gets each signal, `lost` is told that nothing is
    known now. All are called in the thread; each may raise `BusError`, which connects anew.
    """

    def __init__(
        self,
        which: Which,
        environment: Mapping[str, str],
        *,
        begin: Callable[[Bus], None],
        take: Callable[[Bus, Message], None],
        lost: Callable[[], None],
    ) -> None:
        self._which: Which = which
        self._environment = environment
        self._begin, self._take, self._lost = begin, take, lost
        self._bus: Bus | None = None
        self._looked = threading.Event()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, *, seconds_max: float) -> None:
        """Begin to listen, and wait so long for the first look at how things stand."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._listen, name=f"{self._which} bus", daemon=True)
            self._thread.start()
        self._looked.wait(seconds_max)

    def close(self) -> None:
        """End the thread."""
        self._ending.set()
        bus, thread = self._bus, self._thread
        if bus is not None:
            bus.hang_up()
        if thread is not None:
            thread.join(ANSWER_SECONDS_MAX)

    def _listen(self) -> None:
        while not self._ending.is_set():
            with contextlib.suppress(BusError), Bus(self._which, self._environment) as bus:
                self._bus = bus
                if not self._ending.is_set():
                    self._follow(bus)
            self._bus = None
            self._lost()
            self._looked.set()
            self._ending.wait(RETRY_SECONDS)

    def _follow(self, bus: Bus) -> None:
        self._begin(bus)
        self._looked.set()
        while True:
            self._take(bus, bus.next_told())


def _address(which: Which, environment: Mapping[str, str]) -> str:
    if which == "system":
        return environment.get("DBUS_SYSTEM_BUS_ADDRESS") or _SYSTEM_BUS
    folder = environment.get("XDG_RUNTIME_DIR", "")
    return environment.get("DBUS_SESSION_BUS_ADDRESS") or f"unix:path={folder}/bus"
