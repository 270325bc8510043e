"""What a person waits for in a diary of ten years: pages, search, export, status.

    python -m bench long_diary

125,000 segments. Beside the week's page stands Datasette's own filtered table page over as many plain rows;
beside the export, sqlite-utils writing as many lines from a plain table; beside `status`, `sqlite-utils
--version`.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.cookiejar import CookieJar
from pathlib import Path

import sqlite_utils

from bench.cold import _answers, _link_in
from bench.figure import print_figure, print_paired
from bench.ten_years import NEEDLE, SEGMENTS, add_day_of_pictures, make
from diary.diary import Diary
from diary.rules.week import Week
from tests.journeys.actors import Process, eventually

PROGRAMS = Path(sys.executable).parent
PLAIN_PORT = 18732
WEEKS = 20
RUNS = 5
Get = Callable[[str], bytes]


def measure(segments: int = SEGMENTS) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home, plain = Path(folder, "diary"), Path(folder, "plain.db")
        with make(home, segments) as diary:
            day, pictures = add_day_of_pictures(diary)
            weeks = diary.weeks()[2 : 2 + WEEKS * 3 : 3]
            _plain_copy(diary, plain)
        with _viewer(home, Path(folder)) as get, _plain_viewer(plain) as get_plain:
            _pages(get, get_plain, weeks)
            _day(get, day, pictures)
        _search(home)
        _export(home, plain, weeks[0], Path(folder))
        print_paired(
            "status_ten_years",
            partial(_run, "diary", "--home", str(home), "status"),
            "sqlite-utils --version",
            partial(_run, "sqlite-utils", "--version"),
        )


def _plain_copy(diary: Diary, plain: Path) -> None:
    """Write every segment as a plain row, with an index on its week."""
    table = sqlite_utils.Database(plain).table("segment")
    rows = (
        {
            "contract": one.contract_title,
            "slot": one.slot,
            "week": which.name,
            "kind": one.kind,
            "state": one.state,
            "memo": one.memo,
            "label": one.label,
            "activity": one.activity,
            "application": " | ".join(one.applications),
            "title": " | ".join(one.titles),
            "bills": int(one.bills),
        }
        for which in diary.weeks()
        for one in diary.week(which).segments
    )
    table.insert_all(rows)
    table.create_index(["week"])


def _pages(get: Get, get_plain: Get, weeks: tuple[Week, ...]) -> None:
    ours, theirs = [], []
    for week in weeks:
        ours.append(_ms(partial(get, f"/-/diary/week/{week.name}")))
        theirs.append(_ms(partial(get_plain, f"/plain/segment?week={week.name}&_size=500&_sort=slot")))
    print_figure("week_page_ten_years", ours, "ms", by="workdiary, each week for the first time")
    print_figure("week_page_ten_years", theirs, "ms", by="datasette's table page, as many plain rows")
    again = [_ms(partial(get, f"/-/diary/week/{week.name}")) for week in weeks]
    print_figure("week_page_ten_years", again, "ms", by="workdiary, again")


def _day(get: Get, day: str, pictures: int) -> None:
    def whole() -> None:
        page = get(f"/-/diary/day/{day}").decode()
        thumbnails = re.findall(r'<img src="(/-/diary/picture/[^"]+)"', page)
        assert len(thumbnails) == pictures
        for each in thumbnails:
            get(each)

    print_figure("day_page_with_thumbnails", [_ms(whole) for _ in range(RUNS)], "ms", pictures=pictures)


def _search(home: Path) -> None:
    with Diary.open(home) as diary:
        first = _ms(lambda: diary.search(NEEDLE, limit=50))
        after = [_ms(partial(diary.search, word, limit=50)) for word in (NEEDLE, "orchard zephyr", "walnut")]
    print_figure("search_first", [first], "ms", segments=SEGMENTS)
    print_figure("search_after", after, "ms", segments=SEGMENTS)


def _export(home: Path, plain: Path, week: Week, folder: Path) -> None:
    query = f"select * from segment where week = '{week.name}'"  # a week's name
    print_paired(
        "export_week_process",
        partial(_run, "diary", "--home", str(home), "export", week.name, "--yes", "--out", str(folder)),
        "sqlite-utils writing as many lines",
        partial(_run, "sqlite-utils", "query", str(plain), query, "--csv"),
    )


def _run(program: str, *words: str) -> None:
    subprocess.run(
        [PROGRAMS / program, *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


@contextmanager
def _viewer(home: Path, folder: Path) -> Iterator[Get]:
    """Run the pages, and return what fetches one, signed in."""
    process = Process(
        "open", ("--home", str(home), "open", "--no-browser"), lambda: dict(os.environ), folder / "open.log"
    )
    process.start()
    link = eventually("the link", partial(_link_in, process))
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    browser.open(link).read()
    yield lambda path: bytes(browser.open(f"{link.split('/-/')[0]}{path}").read())
    process.stop()


@contextmanager
def _plain_viewer(plain: Path) -> Iterator[Get]:
    words = (
        "datasette",
        "serve",
        str(plain),
        "-p",
        str(PLAIN_PORT),
        "--setting",
        "max_returned_rows",
        "1000",
    )
    server = subprocess.Popen(
        [PROGRAMS / words[0], *words[1:]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{PLAIN_PORT}"
    eventually("Datasette answers", lambda: _answers(f"{url}/plain"))
    yield lambda path: bytes(urllib.request.urlopen(f"{url}{path}").read())
    server.terminate()
    server.wait()


def _ms(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000
