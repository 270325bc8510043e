"""What a person waits for from cold: `diary status`, and the week's page."""

import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from functools import partial
from http.cookiejar import CookieJar
from pathlib import Path

from bench.figure import print_figure, print_paired
from tests.journeys.actors import Process, eventually

PROGRAMS = Path(sys.executable).parent
RUNS = 5


def _demo(folder: Path) -> Path:
    """Make the sample diary and return its home."""
    subprocess.run(
        [PROGRAMS / "diary", "demo", "--out", str(folder)],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return next(path.parent for path in sorted(folder.rglob("diary.db")))


def measure_status() -> None:
    """Print `diary status` as a whole process beside `sqlite-utils --version`."""
    with tempfile.TemporaryDirectory() as folder:
        home = _demo(Path(folder))
        print_paired(
            "status_cold",
            lambda: subprocess.run(
                [PROGRAMS / "diary", "--home", str(home), "status"], check=False, stdout=subprocess.DEVNULL
            ),
            "sqlite-utils --version",
            lambda: subprocess.run(
                [PROGRAMS / "sqlite-utils", "--version"], check=True, stdout=subprocess.DEVNULL
            ),
        )


def measure_week_page() -> None:
    """Print the seconds from starting Datasette to a whole week page, and of a page once it is warm."""
    with tempfile.TemporaryDirectory() as folder:
        home = _demo(Path(folder))
        cold, warm = [], []
        for run in range(RUNS):
            log = Path(folder) / f"open-{run}.log"
            process = Process(
                "open", ("--home", str(home), "open", "--no-browser"), lambda: dict(os.environ), log
            )
            began = time.perf_counter()
            process.start()
            link = eventually("the link", partial(_link_in, process))
            browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
            browser.open(link).read()
            page = browser.open(f"{link.split('/-/')[0]}/-/diary").read()
            cold.append(time.perf_counter() - began)
            assert b"2026" in page
            began = time.perf_counter()
            browser.open(f"{link.split('/-/')[0]}/-/diary").read()
            warm.append(time.perf_counter() - began)
            process.stop()
        print_figure("week_page_cold", cold, "s", by="workdiary")
        print_figure("week_page_warm", warm, "s", by="workdiary")
        _measure_plain_datasette(Path(folder))


def _link_in(process: Process) -> str | None:
    found = re.search(r"http://\S+token=\S+", process.talk())
    return found.group(0) if found else None


def _measure_plain_datasette(folder: Path) -> None:
    """Print the same for Datasette alone on an empty database: the limit that we stand on."""
    empty = folder / "empty.db"
    subprocess.run([PROGRAMS / "sqlite-utils", "create-database", str(empty)], check=True)
    cold = []
    for _ in range(RUNS):
        began = time.perf_counter()
        server = subprocess.Popen(
            [PROGRAMS / "datasette", "serve", str(empty), "-p", "18731"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        eventually("Datasette answers", lambda: _answers("http://127.0.0.1:18731/empty"))
        cold.append(time.perf_counter() - began)
        server.terminate()
        server.wait()
    print_figure("week_page_cold", cold, "s", by="datasette alone, an empty database")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
