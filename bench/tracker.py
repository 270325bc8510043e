"""What the tracker costs: CPU and memory at 0, 5 and 50 input events a second, and a snapshot's price.

Beside it, on the same screen in the same seconds, listens the least that could count input at all: two
listeners of pynput and nothing else; and ActivityWatch's watchers, which do their part of it (see
`bench.activity_watch`). Beside a snapshot, the same screen taken and written as PNG.
"""

import asyncio
import io
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import mss
from PIL import Image

from bench.activity_watch import watchers
from bench.figure import print_figure
from capture.studio import ProcessStudio, Sitting
from diary.clock import SystemClock
from tests.bent_time import BentTime
from tests.desktop import Desktop
from tests.journeys.actors import Computer, eventually

SECONDS = 60
RATES = (0, 5, 50)  # input events a second
SNAPSHOTS = 5
SCREENS = ((1920, 1080), (3840, 2160))
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
SETTLE_SECONDS = 5
BARE_LISTENERS = """
import time
from pynput import keyboard, mouse
counts = [0, 0]
def count_key(key): counts[0] += 1
def count_click(x, y, button, pressed): counts[1] += pressed
keyboard.Listener(on_release=count_key).start()
mouse.Listener(on_click=count_click).start()
while True:
    time.sleep(1)
"""


class _RealTime(BentTime):
    """The machine's own time: nothing is bent, so that what is measured is what a user pays."""

    def environment(self) -> dict[str, str]:
        return dict(os.environ)


def _cpu_seconds(pid: int) -> float:
    """Return the CPU a process took, with that of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:15])) / TICKS_PER_SECOND


def _resident_mib(pid: int, key: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(key):
            return int(line.split()[1]) / 1024
    return 0.0


def measure() -> None:
    """Track a virtual desktop while keys are typed, take pictures of two screens, and print what it took."""
    with tempfile.TemporaryDirectory() as folder, Desktop.start(1920, 1080) as desktop:
        computer = Computer("bench", Path(folder) / "home", _RealTime(0), desktop.environment())
        computer.run("init", "--key-file")
        computer.run("contract", "new", "Bench")
        tracker = computer.begin("tracker", "tracker", "run")
        computer.run("start", "Bench", "measuring")
        eventually("the tracker tracks", lambda: "recording" in tracker.talk() or None)
        if tracker.running is None:
            sys.exit("the tracker is not running")
        bare = subprocess.Popen(
            [sys.executable, "-c", BARE_LISTENERS], env={**os.environ, **desktop.environment()}
        )
        pids = {"workdiary": tracker.running.pid, "pynput's listeners alone": bare.pid}
        try:
            with watchers(Path(folder), desktop.environment()) as peers:
                pids |= peers
                time.sleep(SETTLE_SECONDS)
                for rate in RATES:
                    _measure_at(rate, desktop, pids)
        finally:
            bare.kill()
            bare.wait()
            computer.shut_down()
    for size in SCREENS:
        _measure_snapshots(size)


def _measure_at(rate: int, desktop: Desktop, pids: dict[str, int]) -> None:
    before, began = {name: _cpu_seconds(pid) for name, pid in pids.items()}, time.perf_counter()
    sent = 0
    while (passed := time.perf_counter() - began) < SECONDS:
        due = int(passed * rate) - sent
        if due > 0:
            desktop.type_text("x" * due, delay_ms=1000 // max(rate, 1) // 2)
            sent += due
        time.sleep(0.05)
    elapsed = time.perf_counter() - began
    for name, pid in pids.items():
        share = (_cpu_seconds(pid) - before[name]) / elapsed * 100
        said = {"by": name, "events_per_s": round(sent / elapsed, 1)}
        print_figure("tracker_cpu_share", [share], "% of a core", **said)
        print_figure("tracker_rss", [_resident_mib(pid, "VmRSS")], "MiB", **said)
        print_figure("tracker_peak_rss", [_resident_mib(pid, "VmHWM")], "MiB", **said)


def _measure_snapshots(size: tuple[int, int]) -> None:
    """Take pictures of a screen full of text, ours whole and the bare one, and print CPU and time of each."""
    with Desktop.start(*size) as desktop:
        desktop.key("Return")
        os.environ.update(desktop.environment())
        said = {"screen": f"{size[0]}x{size[1]}"}

        def sit() -> None:
            taken = asyncio.run(ProcessStudio(SystemClock()).take(Sitting("all")))
            if taken is None or taken.no_picture:
                sys.exit(f"no picture: {taken and taken.no_picture}")

        for by, act in (("workdiary", sit), ("mss and PNG", _take_plainly)):
            figures = [_cost(act) for _ in range(SNAPSHOTS)]
            print_figure("snapshot_cpu", [cpu for cpu, _ in figures], "s", by=by, **said)
            print_figure("snapshot_time", [wall for _, wall in figures], "s", by=by, **said)


def _take_plainly() -> None:
    with mss.MSS() as camera:
        shot = camera.grab(camera.monitors[0])
    Image.frombytes("RGB", shot.size, shot.rgb).save(io.BytesIO(), "PNG")


def _cost(act: Callable[[], None]) -> tuple[float, float]:
    """Return the CPU seconds, those of ended children included, and the seconds that an act took."""
    before, began = _cpu_of_all(), time.perf_counter()
    act()
    return _cpu_of_all() - before, time.perf_counter() - began


def _cpu_of_all() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)
