"""What the tracker costs: CPU and memory over a minute at 20 input events a second.

Beside it, on the same screen in the same minute, listens the least that could count input at all: two
listeners of pynput and nothing else.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.figure import print_figure
from tests.bent_time import BentTime
from tests.desktop import Desktop
from tests.journeys.actors import Computer, eventually

SECONDS = 60
EVENTS_PER_SECOND = 20
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
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def _resident_mib(pid: int, key: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(key):
            return int(line.split()[1]) / 1024
    return 0.0


def measure() -> None:
    """Track a virtual desktop for a minute while keys are typed, and print what it took."""
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
            time.sleep(SETTLE_SECONDS)
            _measure_minute(desktop, pids)
        finally:
            bare.kill()
            bare.wait()
            computer.shut_down()


def _measure_minute(desktop: Desktop, pids: dict[str, int]) -> None:
    before, began = {name: _cpu_seconds(pid) for name, pid in pids.items()}, time.perf_counter()
    sent = 0
    while (passed := time.perf_counter() - began) < SECONDS:
        due = int(passed * EVENTS_PER_SECOND) - sent
        if due > 0:
            desktop.type_text("x" * due, delay_ms=1000 // EVENTS_PER_SECOND // 2)
            sent += due
        time.sleep(0.05)
    elapsed = time.perf_counter() - began
    for name, pid in pids.items():
        share = (_cpu_seconds(pid) - before[name]) / elapsed * 100
        events_per_s = round(sent / elapsed, 1)
        print_figure("tracker_cpu_share", [share], "% of a core", by=name, events_per_s=events_per_s)
        print_figure("tracker_rss", [_resident_mib(pid, "VmRSS")], "MiB", by=name)
        print_figure("tracker_peak_rss", [_resident_mib(pid, "VmHWM")], "MiB", by=name)
