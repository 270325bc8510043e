"""One tracker a diary."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from capture.alone import TrackerRunsError, alone, holder, is_tracked
from tests.bent_time import BentTime
from tests.rule import rule

HOLD = """
import sys, time
from pathlib import Path
from capture.alone import alone
with alone(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(10_000)
"""


def tracker_of(home: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    running = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home)],
        env={**environment, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running.stdout
    assert running.stdout.readline() == "held\n"
    return running


@rule("R11")
@pytest.mark.parametrize("speed", [None, 60])
def test_a_second_tracker_is_refused_and_told_who_runs(tmp_path: Path, speed: int | None) -> None:
    bent = BentTime.at("2026-11-18T09:00Z", speed=speed).environment() if speed else dict(os.environ)
    with tracker_of(tmp_path, bent) as first:
        assert is_tracked(tmp_path)
        with pytest.raises(TrackerRunsError, match=str(first.pid)), alone(tmp_path):
            pass
        assert holder(tmp_path) == first.pid
        first.send_signal(signal.SIGKILL)
    assert not is_tracked(tmp_path)
    with alone(tmp_path):
        assert holder(tmp_path) == os.getpid()
    assert holder(tmp_path) is None
