"""`diary up`, nothing asked of the user: the slot under way, and soon after its end the synced segment."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from datetime import datetime
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.request import HTTPCookieProcessor, build_opener

import pytest

from diary.rules.ids import Slot
from diary.rules.week import ends_at_ms
from tests.bent_time import BentTime
from tests.desktop import Desktop
from tests.journeys.actors import eventually
from tests.rule import rule

SPEED = 10
NOTICE_MS = 2 * 60_000


def processes_of(home: Path) -> list[str]:
    """Return the command lines of processes that name this diary."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it ended while we looked
            continue
        if str(home) in words:
            found.append(words)
    return found


@pytest.mark.journey
@pytest.mark.timeout(400)
@rule("R12")
@rule("R17")
def test_up_shows_the_slot_under_way_and_soon_after_its_end_the_synced_segment(tmp_path: Path) -> None:
    time = BentTime.at("2026-11-18T09:01Z", speed=SPEED)
    home, log = tmp_path / "diary", tmp_path / "up.log"
    day = "2026-11-18"
    with Desktop.start(env=time.environment()) as desktop, log.open("wb") as sink:
        # The wrapper lets all the processes that `up` starts run on one clock.
        environment = {**os.environ, **desktop.environment(), "FAKETIME_DONT_RESET": "1", "TZ": "UTC"}
        up = subprocess.Popen(
            ["faketime", "-m", "-f", time.environment()["FAKETIME"],
             sys.executable, "-m", "diary.cli", "--home", str(home), "up", "--key-file"],
            env=environment, stdout=sink, stderr=sink, stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        enough = threading.Event()

        def practise() -> None:
            while not enough.is_set():
                desktop.type_text("echo practising")
                desktop.key("Return")

        worker = threading.Thread(target=practise)
        worker.start()
        try:
            link = eventually(
                "the link is printed",
                lambda: (found := re.search(r"http://\S+token=\S+", log.read_text())) and found.group(0),
            )
            assert str(home / "device.key") in log.read_text(), "the key file is named"
            browser = build_opener(HTTPCookieProcessor(CookieJar()))
            eventually("the pages answer", lambda: browser.open(link).status == 200)
            root = link.split("/-/")[0]

            def segments(*states: str) -> list[dict[str, Any]]:
                shown = json.load(browser.open(f"{root}/-/diary/week/2026-W47.json"))["segments"]
                return [segment for segment in shown if segment["state"] in states]

            (draft,) = eventually(
                "the slot under way appears with its picture",
                lambda: [segment for segment in segments("draft") if segment["pictures"]] or None,
                seconds=120,
            )
            assert b"under way" in browser.open(f"{root}/-/diary/day/{day}").read().lower()
            first = Slot(draft["slot"])
            synced = eventually(
                "the segment is synced",
                lambda: [segment for segment in segments("synced") if segment["slot"] == first] or None,
                seconds=120,
            )[0]
        finally:
            enough.set()
            worker.join()
            os.killpg(up.pid, signal.SIGTERM)
            up.wait(60)
    received_ms = int(datetime.fromisoformat(synced["received_at"]).timestamp() * 1000)
    assert 0 <= received_ms - ends_at_ms(first) <= NOTICE_MS
    assert synced["pictures"]
    assert synced["kind"] == "automatic"
    assert eventually("all ended", lambda: processes_of(home) == [] or None), log.read_text()
