"""What the tracker costs: CPU and memory over a minute at 20 input events a second."""

import os
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
        eventually("the tracker tracks", lambda: "racking" in tracker.talk() or None)
        if tracker.running is None:
            sys.exit("the tracker is not running")
        pid = tracker.running.pid
        time.sleep(3)
        print_figure("tracker_idle_rss", [_resident_mib(pid, "VmRSS")], "MiB")
        before, began = _cpu_seconds(pid), time.perf_counter()
        sent = 0
        while (passed := time.perf_counter() - began) < SECONDS:
            due = int(passed * EVENTS_PER_SECOND) - sent
            if due > 0:
                desktop.type_text("x" * due, delay_ms=1000 // EVENTS_PER_SECOND // 2)
                sent += due
            time.sleep(0.05)
        used = _cpu_seconds(pid) - before
        elapsed = time.perf_counter() - began
        print_figure(
            "tracker_cpu_share", [used / elapsed * 100], "% of a core", events_per_s=round(sent / elapsed, 1)
        )
        print_figure("tracker_peak_rss", [_resident_mib(pid, "VmHWM")], "MiB")
        computer.shut_down()
