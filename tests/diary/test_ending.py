"""A service ends when it is asked to, also where the loop takes no signal's handler (Windows)."""

import subprocess
import sys

import pytest

from tests.rule import rule

RUN = """
import asyncio, os, signal, sys
from diary.ending import end_when_asked

class AsOnWindows(asyncio.SelectorEventLoop):
    def add_signal_handler(self, *_):
        raise NotImplementedError

async def serve():
    ended = asyncio.Event()
    end_when_asked(asyncio.get_running_loop(), ended.set)
    os.kill(os.getpid(), getattr(signal, sys.argv[2]))
    await asyncio.wait_for(ended.wait(), 20)
    print("ended in order")

with asyncio.Runner(loop_factory=AsOnWindows if sys.argv[1] == "as on Windows" else None) as runner:
    runner.run(serve())
"""


@rule("R19")
@pytest.mark.parametrize("asked", ["SIGTERM", "SIGINT"])
@pytest.mark.parametrize("system", ["here", "as on Windows"])
def test_a_service_that_is_asked_to_end_ends_in_order(system: str, asked: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RUN, system, asked], check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "ended in order\n"
