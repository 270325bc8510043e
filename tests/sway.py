"""A virtual Wayland desktop (sway without a screen), with real windows and real input.

Sway does not run as root: there it runs as the user `nobody`, in a runtime folder of that user's.
"""

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.desktop import Virtual

PROGRAMS = ("sway", "swaymsg", "foot", "wtype")
START_SECONDS_MAX = 60  # real seconds; a loaded machine of two cores needs some
NOBODY = 65534
CONFIG = """
default_border normal
focus_follows_mouse no
output * bg #204060 solid_color
"""


@dataclass(slots=True)
class Sway(Virtual):
    """One virtual Wayland desktop."""

    runtime: Path
    display: str = ""
    socket: str = ""

    @classmethod
    def start(cls, *, title: str = "Terminal", outputs: int = 1) -> "Sway":
        """Start sway with a terminal that has the focus, and so many monitors of 1280 by 720 side by side."""
        missing = [program for program in PROGRAMS if shutil.which(program) is None]
        assert not missing, f"not found on this machine: {missing}; see tests/system_packages.sh"
        sway = cls(Path(tempfile.mkdtemp(prefix="sway-")))
        try:
            sway._start(outputs)
            sway.open_terminal(title)
        except BaseException:
            sway.stop()
            raise
        return sway

    def environment(self) -> dict[str, str]:
        """Return what a process needs in its environment to be on this desktop."""
        return {
            "XDG_RUNTIME_DIR": str(self.runtime),
            "WAYLAND_DISPLAY": self.display,
            "SWAYSOCK": self.socket,
            "XDG_SESSION_TYPE": "wayland",
        }

    def message(self, *words: str) -> Any:
        """Tell or ask sway something, and return its answer."""
        done = subprocess.run(
            ("swaymsg", "--socket", self.socket, "--raw", *words),
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        return json.loads(done.stdout) if done.stdout.strip() else done.stderr

    def open_terminal(self, title: str, *, colour: tuple[int, int, int] | None = None) -> None:
        """Open one more terminal with this title and wait until it has the focus; `colour` is its paper's."""
        paper = () if colour is None else ("-o", "colors.background={:02x}{:02x}{:02x}".format(*colour))
        self._run("foot", "--title", title, "-o", "locked-title=yes", *paper, "sh")
        self.until(lambda: self.focused_title() == title, f"a terminal titled {title!r}")

    def focused_title(self) -> str | None:
        """Return the title of the window with the focus."""
        waiting = [self.message("-t", "get_tree")]
        while waiting:
            node = waiting.pop()
            if node.get("focused") and node.get("pid"):
                return str(node["name"])
            waiting += [*node.get("nodes", ()), *node.get("floating_nodes", ())]
        return None

    def type_text(self, text: str) -> None:
        """Type `text` into the window with the focus."""
        subprocess.run(
            ("wtype", text), env={**os.environ, **self.environment()}, check=True, timeout=60, **self.user()
        )

    def stop(self) -> None:
        """End all of the desktop's processes, and take their folder away."""
        Virtual.stop(self)  # a slotted dataclass is made anew: it has no `super()`
        shutil.rmtree(self.runtime, ignore_errors=True)

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait until this holds."""
        for _ in range(START_SECONDS_MAX * 20):
            if holds():
                return
            assert self.running[0].poll() is None, f"sway ended while it waited for {what}"
            time.sleep(0.05)
        raise AssertionError(f"waited {START_SECONDS_MAX} s for {what} in vain")

    def _start(self, outputs: int) -> None:
        config = self.runtime / "config"
        places = "".join(
            f"output HEADLESS-{number + 1} mode 1280x720 position {number * 1280} 0\n"
            for number in range(outputs)
        )
        config.write_text(CONFIG + places, encoding="utf-8")
        if os.getuid() == 0:
            os.chown(self.runtime, NOBODY, NOBODY)
        self.runtime.chmod(0o700)
        self._run(
            "sway", "--config", str(config),
            WLR_BACKENDS="headless", WLR_LIBINPUT_NO_DEVICES="1", WLR_RENDERER="pixman",
            WLR_HEADLESS_OUTPUTS=str(outputs),
        )  # fmt: skip
        self.until(lambda: any(self.runtime.glob("sway-ipc.*.sock")), "sway's own socket")
        self.socket = str(next(self.runtime.glob("sway-ipc.*.sock")))
        self.until(lambda: any(self.runtime.glob("wayland-[0-9]")), "sway's display")
        self.display = next(self.runtime.glob("wayland-[0-9]")).name
        self.until(lambda: isinstance(self.message("-t", "get_outputs"), list), "sway's answer")

    def _run(self, *command: str, **more: str) -> None:
        base = {name: value for name, value in os.environ.items() if name not in {"DISPLAY", "SWAYSOCK"}}
        environment = {**base, "HOME": str(self.runtime), "LC_ALL": "C.UTF-8", **more}
        environment["XDG_RUNTIME_DIR"] = str(self.runtime)
        environment.pop("WAYLAND_DISPLAY", None)
        if self.display:
            environment["WAYLAND_DISPLAY"] = self.display
        self.spawn(command, environment, cwd=self.runtime, **self.user())

    @staticmethod
    def user() -> dict[str, Any]:
        """Return as whom its processes run, as arguments of Popen."""
        return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
