"""D-Bus buses of a test's own, with services on them that answer as the real ones do (python-dbusmock).

The login manager is dbusmock's template of logind; what it is told, it signals over the real bus. Services
run on the system's Python, which has the library they need.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jeepney import DBusAddress, new_method_call
from jeepney.io.blocking import open_dbus_connection
from jeepney.wrappers import unwrap_msg

from tests.desktop import end
from tests.patience import until

PYTHON = "/usr/bin/python3"
MOCK = "org.freedesktop.DBus.Mock"
CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={path}</listen><policy context="default">
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>
"""


@dataclass(slots=True)
class Bus:
    """One bus, and the services started on it."""

    folder: Path
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Return what programs connect to."""
        return f"unix:path={self.folder / 'bus'}"

    def environment(self) -> dict[str, str]:
        """Return the environment in which this bus is both the system's and the session's."""
        return {"DBUS_SYSTEM_BUS_ADDRESS": self.address, "DBUS_SESSION_BUS_ADDRESS": self.address}

    def start(self) -> None:
        """Start the bus."""
        config = self.folder / "config"
        config.write_text(CONFIG.format(path=self.folder / "bus"), encoding="utf-8")
        (self.folder / "bus").unlink(missing_ok=True)
        self._run("dbus-daemon", f"--config-file={config}", "--nofork")
        assert until(lambda: answers(self.address)), "the bus did not start"

    def kill(self) -> None:
        """Let the bus and all on it die."""
        while self.running:
            end(self.running.pop())

    def serve(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a service of dbusmock and wait until it answers: a template, or name, path and interface."""
        name = "org.freedesktop.login1" if "logind" in words else words[0]
        process = self._run(PYTHON, "-m", "dbusmock", *words)
        assert until(lambda: self.has(name)), f"dbusmock {words} did not start"
        return process

    def call(self, name: str, path: str, interface: str, method: str, signature: str, *arguments: Any) -> Any:
        """Call a method of a service."""
        with open_dbus_connection(self.address) as line:
            message = new_method_call(DBusAddress(path, name, interface), method, signature, arguments)
            return unwrap_msg(line.send_and_get_reply(message, timeout=20))

    def tell(
        self, name: str, path: str, interface: str, member: str, signature: str, *arguments: Any
    ) -> None:
        """Have a service of dbusmock emit a signal."""
        self.call(
            name, path, MOCK, "EmitSignal", "sssav",
            interface, member, signature,
            [(kind, value) for kind, value in zip(signature, arguments, strict=True)],
        )  # fmt: skip

    def has(self, name: str) -> bool:
        """Return whether somebody on the bus has this name."""
        bus = "org.freedesktop.DBus"
        (is_there,) = self.call(bus, "/org/freedesktop/DBus", bus, "NameHasOwner", "s", name)
        return bool(is_there)

    def _run(self, *command: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            command,
            env={**os.environ, **self.environment()},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.running.append(process)
        return process


def answers(address: str) -> bool:
    """Return whether a bus takes a connection: its file is there a moment before it does."""
    try:
        open_dbus_connection(address).close()
    except (FileNotFoundError, ConnectionRefusedError):
        return False
    return True


@contextmanager
def own_bus() -> Iterator[Bus]:
    """Give a bus that ends with the test."""
    with tempfile.TemporaryDirectory(prefix="bus-") as folder:
        bus = Bus(Path(folder))
        try:
            bus.start()
            yield bus
        finally:
            bus.kill()
