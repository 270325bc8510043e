"""A virtual desktop with a real window on it, to which real input is sent.

`Desktop.start` runs an X server without a screen (Xvfb), a window manager (openbox) and a terminal (xterm),
and answers once the terminal has the focus. The tests of the capture room use it, the journeys, and
`make run` on a machine that has no display.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PROGRAMS = ("Xvfb", "openbox", "xterm", "xdotool")
START_SECONDS_MAX = 30  # real seconds; a loaded machine of two cores needs some
END_SECONDS_MAX = 5
INPUT_SECONDS_MAX = 120
KEY_DELAY_MS = 12  # xdotool's own pace; faster loses letters in xterm on a loaded machine


class DesktopError(RuntimeError):
    """The virtual desktop cannot start, or ended; the text says what to do."""


@dataclass(slots=True)
class Virtual:
    """The processes of a desktop, the server first; use it in a `with`, or call `stop`."""

    running: list[subprocess.Popen[bytes]] = field(default_factory=list, kw_only=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End all of the desktop's processes, the server last."""
        while self.running:
            end(self.running.pop())

    def kill_server(self) -> None:
        """Let the server die under its clients, as a crash of the graphics would."""
        os.killpg(self.running[0].pid, signal.SIGKILL)
        self.running[0].wait(END_SECONDS_MAX)

    def spawn(self, command: Sequence[str], environment: Mapping[str, str], **more: Any) -> None:
        """Start one of the desktop's processes; it says nothing."""
        self.running.append(
            subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # a process group of its own: what a terminal runs ends with it
                **more,
            )
        )


@dataclass(slots=True)
class Desktop(Virtual):
    """One virtual desktop with an X server."""

    display: str
    width: int
    height: int
    base: dict[str, str]

    @classmethod
    def start(
        cls,
        width: int = 1280,
        height: int = 800,
        *,
        env: Mapping[str, str] | None = None,
        title: str = "Terminal",
    ) -> "Desktop":
        """Start a desktop of this size and wait until its terminal has the focus.

        `env` is the environment of all its processes (None: this one's); with a libfaketime environment the X
        server's clock runs with the rest, and key repeat is off: a key held some real milliseconds would be
        held for seconds of that clock.

        Raises:
            DesktopError: A program is missing, or did not start.
        """
        missing = [program for program in PROGRAMS if shutil.which(program) is None]
        if missing:
            raise DesktopError(
                f"A virtual desktop needs {', '.join(missing)}, not found on this machine: "
                f"sudo apt-get install {' '.join(sorted(name.lower() for name in missing))}"
            )
        base = {name: value for name, value in (env or os.environ).items() if name != "WAYLAND_DISPLAY"}
        base.setdefault("LC_ALL", "C.UTF-8")  # titles and text beyond ASCII, also where no locale is set
        desktop = cls("", width, height, base)
        try:
            desktop._start_server()
            desktop._run("openbox", "--sm-disable")
            desktop._until(desktop._has_window_manager, "the window manager")
            desktop.open_terminal(title)
        except BaseException:
            desktop.stop()
            raise
        return desktop

    def environment(self) -> dict[str, str]:
        """Return what a process needs in its environment to be on this desktop."""
        return {"DISPLAY": self.display, "XDG_SESSION_TYPE": "x11"}

    def open_terminal(self, title: str) -> None:
        """Open one more terminal with this title and wait until it has the focus."""
        before = self._focus()
        self._run(
            "xterm", "-T", title, "-fa", "Monospace", "-fs", "11", "-geometry", "100x30+40+40",
            "-xrm", "*allowTitleOps: false", "-e", "sh",
        )  # fmt: skip
        self._until(lambda: self._focus() not in {None, before}, f"a terminal titled {title!r}")

    def active_title(self) -> str | None:
        """Return the title of the window with the focus as xdotool sees it; None where none has it."""
        answer = self._tool("getactivewindow", "getwindowname", fails=True)
        return answer.removesuffix("\n") if answer is not None else None

    def type_text(self, text: str, *, delay_ms: int = KEY_DELAY_MS) -> None:
        """Type `text` into the window with the focus."""
        self._tool("type", "--delay", str(delay_ms), "--", text)

    def key(self, name: str) -> None:
        """Press and release one key, such as "Return"."""
        self._tool("key", "--", name)

    def hold_key(self, name: str, seconds: float) -> None:
        """Hold a key down for a while, so that it repeats."""
        self._tool("keydown", "--", name)
        time.sleep(seconds)
        self._tool("keyup", "--", name)

    def click(self, times: int = 1, *, button: int = 1) -> None:
        """Click where the pointer is."""
        self._tool("click", "--repeat", str(times), "--delay", "40", str(button))

    def scroll(self, times: int = 1) -> None:
        """Turn the wheel down by so many notches."""
        self.click(times, button=5)

    def move(self, x: int, y: int) -> None:
        """Move the pointer."""
        self._tool("mousemove", str(x), str(y))

    def retitle(self, title: str) -> None:
        """Give the window with the focus another title, as a browser does at each page."""
        from Xlib.display import Display

        # Not by xdotool: it writes UTF-8 under a type that means Latin-1, and no _NET_WM_NAME at all.
        display = Display(self.display)
        try:
            window = display.create_resource_object("window", int(self._focus() or 0))
            kind = display.intern_atom("UTF8_STRING")
            window.change_property(display.intern_atom("_NET_WM_NAME"), kind, 8, title.encode())
            window.set_wm_name(title.encode("ascii", errors="replace").decode())
            display.sync()
        finally:
            display.close()

    def screenshot(self, path: Path) -> None:
        """Write what is on the screen as a PNG."""
        import mss.tools

        with mss.MSS(display=self.display) as camera:
            shot = camera.grab(camera.monitors[0])
            mss.tools.to_png(shot.rgb, shot.size, output=str(path))

    def _start_server(self) -> None:
        reads, writes = os.pipe()
        repeat = ["-r"] if "FAKETIME" in self.base else []
        try:
            self._run(
                "Xvfb", "-displayfd", str(writes), "-screen", "0", f"{self.width}x{self.height}x24",
                "-nolisten", "tcp", "-noreset", *repeat, keep=(writes,),
            )  # fmt: skip
        finally:
            os.close(writes)
        with os.fdopen(reads) as answer:
            number = answer.readline().strip()
        if not number:
            raise DesktopError("Xvfb ended at its start and named no display; run Xvfb :99 to see why.")
        self.display = f":{number}"

    def _run(self, *command: str, keep: Sequence[int] = ()) -> None:
        environment = {**self.base, **({"DISPLAY": self.display} if self.display else {})}
        self.spawn(command, environment, pass_fds=keep)

    def _tool(self, *words: str, fails: bool = False) -> str | None:
        """Return what xdotool says; with `fails`, None where it says no."""
        # In real time always: its pauses between keys are for the programs that read them.
        environment = {
            name: value for name, value in self.base.items() if name not in {"LD_PRELOAD", "FAKETIME"}
        }
        done = subprocess.run(
            ("xdotool", *words),
            env={**environment, "DISPLAY": self.display},
            capture_output=True,
            text=True,
            errors="replace",  # a title may be in an older encoding
            timeout=INPUT_SECONDS_MAX,
            check=False,
        )
        if done.returncode == 0:
            return done.stdout
        if fails:
            return None
        raise DesktopError(f"xdotool {words[0]} failed: {done.stderr.strip()}")

    def _focus(self) -> str | None:
        return self._tool("getactivewindow", fails=True)

    def _has_window_manager(self) -> bool:
        # "get_num_desktops" asks the window manager; without one there is no answer.
        return self._tool("get_num_desktops", fails=True) is not None

    def _until(self, holds: Callable[[], bool], what: str) -> None:
        for _ in range(START_SECONDS_MAX * 20):
            if holds():
                return
            dead = [str(process.args) for process in self.running if process.poll() is not None]
            if dead:
                raise DesktopError(f"The virtual desktop ended while it waited for {what}: {'; '.join(dead)}")
            time.sleep(0.05)
        raise DesktopError(f"The virtual desktop waited {START_SECONDS_MAX} s for {what} in vain.")


def end(process: subprocess.Popen[bytes]) -> None:
    """End one process and its group: politely, then by force."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, how)
        except ProcessLookupError:
            break
        for _ in range(END_SECONDS_MAX * 20):
            if process.poll() is not None:
                break
            time.sleep(0.05)
        if process.poll() is not None:
            break
    process.wait(END_SECONDS_MAX)
