"""A practice diary behind a real viewer on a real port, and a real Chromium in front of it."""

import functools
import io
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
import uvicorn
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, BrowserContext, Page

from datasette_work_diary.access import Door
from datasette_work_diary.cli import listen
from datasette_work_diary.opening import DiaryRoom
from datasette_work_diary.starting import datasette_for
from datasette_work_diary.viewer import Viewer
from diary.clock import GivenClock
from diary.contracts import Contract
from diary.diary import Diary
from diary.rules.ids import Slot
from diary.rules.timesheet import Place
from diary.rules.week import slot_at, starts_at_ms
from tests.practice import draft_of, instant, practice_diary, slot

NOON = "2026-11-18T12:04Z"
MORNING = tuple(Slot(slot("2026-11-18T09:00Z") + number) for number in range(9))
PLANTED_MEMO = "planted-memo-marzipan"
PLANTED_TITLE = "planted-title-persimmon"
HOSTILE_MEMO = '<script>document.title="owned"</script><b>bold</b> "quoted" \u202eright to left'


def screen(seed: int, width: int = 640, height: int = 360) -> bytes:
    """Return a small WebP that differs by its seed."""
    picture = Image.new("RGB", (width, height), (30 + seed * 17 % 90, 44, 60))
    draw = ImageDraw.Draw(picture)
    for line in range(20, height, 24):
        draw.rectangle(
            (20, line, 60 + (seed * 53 + line * 31) % (width - 90), line + 10), fill=(150, 190, 220)
        )
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=50)
    return file.getvalue()


@dataclass
class Served:
    """A diary, the clock it goes by, and the address where its viewer answers."""

    home: Path
    diary: Diary
    clock: GivenClock
    contract: Contract
    door: Door
    open_diary: Callable[[], Diary]
    places: dict[str, Place] = field(default_factory=dict)

    def address(self, path: str) -> str:
        """Return the address of a path."""
        return f"{self.door.origin}{path}"

    def segment_path(self, place: Place) -> str:
        """Return the path of a segment's page."""
        return f"/-/diary/segment/{place[0]}/{place[1]}"

    def late_time(self, *times: str) -> list[Place]:
        """Record slots that reach the lock without ever having been sent, on a registered diary (R38)."""
        found = [record(self.diary, self.contract, slot(time), "Worked on the train") for time in times]
        self.diary.link_server("https://diary.example", "00" * 32)
        self.clock.put(max(self.clock.now_ms(), instant("2026-11-23T12:30Z")))
        return found

    def memo_at(self, at: Slot) -> str | None:
        """Return the memo that stands in a slot now, None where nothing stands."""
        found = self.diary.segment((self.contract.id, at))
        return None if found is None or found.state == "deleted" else found.memo


def record(diary: Diary, contract: Contract, at: Slot, memo: str | None, title: str = "editor") -> Place:
    """Record one slot with real pictures; the clock is put to its end."""
    clock = diary.clock
    assert isinstance(clock, GivenClock)
    clock.put(max(clock.now_ms(), starts_at_ms(Slot(at + 1))))
    draft = draft_of(contract, at, memo=memo, label="Development", title=title, replica=diary.replica)
    pictures = (("screen", screen(at)), ("thumbnail", screen(at, 320, 180)))
    return diary.record(msgspec.structs.replace(draft, pictures=pictures))


def fill(diary: Diary, contract: Contract, clock: GivenClock) -> None:
    """Give the diary a morning: nine recorded segments, manual time, one under way."""
    for number, at in enumerate(MORNING):
        memo = [PLANTED_MEMO, HOSTILE_MEMO, "Review the refunds"][number // 3]
        record(diary, contract, at, memo, PLANTED_TITLE)
    clock.put(instant(NOON))
    diary.add_manual(contract.id, [slot("2026-11-18T11:00Z")], "Telephone call with Ada", "Meeting")
    under_way = draft_of(contract, slot_at(clock.now_ms()), memo="Under way", replica=diary.replica)
    pictures = (("screen", screen(5)), ("thumbnail", screen(5, 320, 180)))
    diary.keep_draft(msgspec.structs.replace(under_way, pictures=pictures))


def serve(home: Path, diary: Diary, clock: GivenClock, contract: Contract, stack: ExitStack) -> Served:
    """Put a viewer on a free port until the stack is left."""
    open_diary = functools.partial(Diary.open, home, clock=clock)
    listening = stack.enter_context(listen(0))
    door = Door.new(listening.getsockname()[1])
    room, search_room = DiaryRoom(open_diary), DiaryRoom(open_diary, threads=1)
    for each in (room, search_room):
        each.start()
        stack.callback(each.close)
    application = datasette_for(Viewer(home, door, room, search_room, open_diary))
    server = uvicorn.Server(uvicorn.Config(application.app(), log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()

    def end() -> None:
        server.should_exit = True
        thread.join()

    stack.callback(end)
    while not server.started:
        time.sleep(0.01)
    return Served(home, diary, clock, contract, door, open_diary)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """Serve a diary with a morning in it, at noon on a Wednesday."""
    with ExitStack() as stack:
        diary, clock, contract = practice_diary(
            tmp_path,
            "2026-11-18T08:59Z",
            title="Orchard booking site",
            client="Orchard",
            rate_minor=6000,
            limit_minutes=1200,
            manual_allowed=True,
            labels=("Development", "Review", "Meeting"),
        )
        stack.enter_context(diary)
        diary.set_setting("zone", "UTC")
        fill(diary, contract, clock)
        yield serve(tmp_path / "diary", diary, clock, contract, stack)


@pytest.fixture
def signed_in(served: Served, chromium: Browser) -> Iterator[BrowserContext]:
    """Return a browser that opened the diary by its address; what its pages complain of fails the test."""
    complaints: list[str] = []
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    context.on(
        "console",
        lambda line: (
            complaints.append(line.text)
            if line.type == "error" and "status of 409" not in line.text  # a refusal, which is meant
            else None
        ),
    )
    page = context.new_page()
    page.goto(served.door.url)
    assert page.url.startswith(served.address("/-/diary/week/"))
    page.close()
    yield context
    context.close()
    assert complaints == []


@pytest.fixture
def page(signed_in: BrowserContext) -> Page:
    """Return a page of the signed-in browser."""
    return signed_in.new_page()
