"""A session bus with a real notification daemon, dunst, on a virtual desktop: its buttons can be pressed.

dunst has no way to press a given button from outside but its menu: a script of ours stands in for the menu,
and answers with the line of the button that the test wrote down.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.buses import answers
from tests.desktop import Desktop, DesktopError

SECONDS_MAX = 30
_BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={folder}/bus</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""
_DUNST = """[global]
    monitor = 0
    follow = none
    width = 420
    height = 400
    origin = top-right
    offset = 12x12
    font = DejaVu Sans 10
    frame_width = 1
    icon_position = left
    min_icon_size = 0
    max_icon_size = 200
    idle_threshold = 0
    history_length = 0
    dmenu = {menu}
"""


@dataclass(slots=True)
class NotificationDesktop:
    """A bus without activation: nothing starts by itself, so a desktop without a daemon can be had too."""

    folder: Path
    desktop: Desktop
    bus: subprocess.Popen[bytes]
    daemon: subprocess.Popen[bytes] | None = None
    base: dict[str, str] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def on(cls, desktop: Desktop, folder: Path) -> "Iterator[NotificationDesktop]":
        """Start the bus and dunst on a desktop; they run in real time, so that a hand can follow."""
        missing = [name for name in ("dbus-daemon", "dunst", "dunstctl") if shutil.which(name) is None]
        if missing:
            raise DesktopError(f"not found on this machine: {', '.join(missing)}; make system installs them")
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "bus.conf"
        config.write_text(_BUS.format(folder=folder), encoding="utf-8")
        running = cls(folder, desktop, _start("dbus-daemon", f"--config-file={config}", "--nofork", env=None))
        running.base = {**os.environ, **desktop.environment(), **running.environment()}
        try:
            _until(lambda: answers(running.environment()["DBUS_SESSION_BUS_ADDRESS"]))
            running.start_daemon()
            yield running
        finally:
            running.stop_daemon()
            _end(running.bus)

    def environment(self) -> dict[str, str]:
        """Return what a process needs in its environment to be on this bus."""
        return {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={self.folder}/bus"}

    def start_daemon(self) -> None:
        """Start dunst and wait until it answers."""
        menu = self.folder / "menu"
        # The menu's lines go to a file, and the line that the test chose is the answer.
        menu.write_text(
            f'#!/bin/sh\ncd "{self.folder}"\ncat >lines\ngrep -F -- "$(cat choice)" lines\n', encoding="utf-8"
        )
        menu.chmod(0o755)
        config = self.folder / "dunstrc"
        config.write_text(_DUNST.format(menu=menu), encoding="utf-8")
        self.daemon = _start("dunst", "-conf", str(config), env=self.base)
        _until(lambda: self._ctl("is-paused") is not None)

    def stop_daemon(self) -> None:
        """End dunst; the bus stays."""
        daemon, self.daemon = self.daemon, None
        if daemon is not None:
            _end(daemon)

    def shown(self) -> int:
        """Return how many notifications are on the screen."""
        return int(self._ctl("count", "displayed") or 0)

    def wait_until_shown(self, count: int) -> None:
        """Wait until so many are on the screen."""
        _until(lambda: self.shown() == count)

    def press(self, label: str, patience: int = SECONDS_MAX) -> None:
        """Press the button with this label."""
        (self.folder / "choice").write_text(label, encoding="utf-8")
        lines = self.folder / "lines"
        for _ in range(patience):
            lines.unlink(missing_ok=True)
            self._ctl("context")
            # A menu may still be closing, and dunst opens no second one.
            for _ in range(20):
                if lines.exists() and label in lines.read_text(encoding="utf-8"):
                    return
                time.sleep(0.05)
        raise DesktopError(f"dunst offered no button {label!r}")

    def close(self) -> None:
        """Close the topmost notification as its user would."""
        self._ctl("close")

    def close_all(self) -> None:
        """Close all notifications as their user would."""
        self._ctl("close-all")

    def be_quiet(self, *, quiet: bool) -> None:
        """Switch "do not disturb" on or off."""
        self._ctl("set-paused", "true" if quiet else "false")

    def _ctl(self, *words: str) -> str | None:
        done = subprocess.run(
            ("dunstctl", *words),
            env=self.base,
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )
        return done.stdout.strip() if done.returncode == 0 else None


def _start(*command: str, env: dict[str, str] | None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        env=env or dict(os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(5)


def _until(holds: Callable[[], bool]) -> None:
    for _ in range(SECONDS_MAX * 20):
        if holds():
            return
        time.sleep(0.05)
    raise DesktopError("the notification desktop waited in vain")
