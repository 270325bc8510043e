"""A notification service that is plain, on a real bus: what it can do is chosen, what it is told is kept.

It stands in for desktops that have no buttons, draw no pictures or speak an older version of the standard.
"""

import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
SECONDS_MAX = 30
TYPED_ELSEWHERE = "what somebody typed into another program's notification"


@dataclass(frozen=True, slots=True)
class Told:
    """What Notify was called with."""

    summary: str
    body: str
    actions: list[str]
    hints: dict[str, Any]
    expires_ms: int


@contextmanager
def plain_service(
    address: str, capabilities: str, version: str = "1.2"
) -> "Iterator[subprocess.Popen[bytes]]":
    """Run the service on a bus until the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.plain_service", address, capabilities, version],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"ready\n"
        yield process
    finally:
        process.terminate()
        process.wait(SECONDS_MAX)
        process.stdout.close()


def told(process: "subprocess.Popen[bytes]") -> Told:
    """Return what it was told next."""
    assert process.stdout is not None
    return msgspec.json.decode(process.stdout.readline(), type=Told)


def _short(value: Any) -> Any:
    """Return a hint's value, pixels by their number: a pipe holds no picture while nobody reads."""
    return (
        [len(part) if isinstance(part, bytes) else part for part in value]
        if isinstance(value, tuple)
        else value
    )


def main(address: str, capabilities: str, version: str) -> None:
    """Serve until it is ended."""
    from jeepney import (
        DBusAddress,
        HeaderFields,
        MessageType,
        message_bus,
        new_error,
        new_method_return,
        new_signal,
    )
    from jeepney.io.blocking import open_dbus_connection

    name = "org.freedesktop.Notifications"
    service = DBusAddress("/org/freedesktop/Notifications", name, name)
    connection = open_dbus_connection(address)
    connection.send_and_get_reply(message_bus.RequestName(name))
    print("ready", flush=True)
    while True:
        asked = connection.receive()
        if asked.header.message_type is not MessageType.method_call:
            continue
        match asked.header.fields[HeaderFields.member]:
            case "GetServerInformation":
                answer = new_method_return(asked, "ssss", ("plain", "tests", "1", version))
            case "GetCapabilities":
                answer = new_method_return(asked, "as", (capabilities.split(),))
            case "Notify":
                _, _, _, summary, body, actions, hints, expires_ms = asked.body
                shown = Told(
                    summary,
                    body,
                    actions,
                    {key: _short(value[1]) for key, value in hints.items()},
                    expires_ms,
                )
                print(msgspec.json.encode(shown).decode(), flush=True)
                answer = new_method_return(asked, "u", (7,))
                # Another program's notification is answered meanwhile: by typing, then by a button.
                connection.send(new_signal(service, "NotificationReplied", "us", (8, TYPED_ELSEWHERE)))
                connection.send(new_signal(service, "ActionInvoked", "us", (8, "send")))
            case _:
                answer = new_error(asked, "org.freedesktop.DBus.Error.UnknownMethod")
        connection.send(answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
