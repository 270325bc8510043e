"""A stage for syncs: a real server, real diaries, clocks in the test's hand, lines that fail."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import uvicorn

from diary.clock import GivenClock
from diary.contracts import Contract
from diary.diary import Diary
from diary.rules.ids import Slot
from diary.rules.timesheet import Place, SegmentView
from diary.rules.week import Week
from diary.sealing.keyring import choose_place
from sync.engine import Engine
from sync.enrolment import login, register
from sync.report import SyncReport
from sync.server.app import create_app
from sync.server.settings import REVIEW_HOURS, GatewaySettings, Settings
from sync.transport import Transport
from tests.practice import SCREEN, instant, record_slot
from tests.sync.server.conftest import stored_pictures

WEDNESDAY = "2026-11-18T12:00Z"
AFTER_THE_LOCK = "2026-11-23T12:00:01Z"


class FailingTransport(httpx.BaseTransport):
    """Does to requests what `fates` say, one a request; later ones pass.

    "refuse" does not deliver, "lose" delivers and loses the reply, "double" delivers twice and gives the
    second reply. What went over the line, both ways, is kept in `traffic`; `paths` are the requests' own.
    `before` is called with each request's path, in the line's thread, before it goes.
    """

    def __init__(self) -> None:
        self.before: Callable[[str], None] = lambda _: None
        self.fates: list[str] = []
        self.traffic: list[bytes] = []
        self.paths: list[str] = []
        self._inner = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        body = request.read()
        self.paths.append(f"{request.method} {request.url.path}")
        self.before(request.url.path)
        fate = self.fates.pop(0) if self.fates else "pass"
        if fate == "refuse":
            raise httpx.ConnectError("refused on purpose", request=request)
        answer = self._deliver(request, body)
        if fate == "lose":
            raise httpx.ReadTimeout("lost on purpose", request=request)
        return self._deliver(request, body) if fate == "double" else answer

    def _deliver(self, request: httpx.Request, body: bytes) -> httpx.Response:
        again = httpx.Request(request.method, request.url, headers=request.headers, content=body)
        answer = self._inner.handle_request(again)
        content = answer.read()
        answer.close()
        self.traffic += [str(request.url).encode(), repr(request.headers.raw).encode(), body, content]
        return httpx.Response(answer.status_code, headers=answer.headers, content=content)

    def close(self) -> None:
        self._inner.close()


@dataclass
class Device:
    """One diary and its line."""

    diary: Diary
    clock: GivenClock
    line: Transport
    failing: FailingTransport

    def sync(self) -> SyncReport:
        return Engine(self.diary, self.line).run()

    def segments(self, slot: Slot) -> list[SegmentView]:
        return [one for one in self.diary.week(Week.of(slot)).segments if one.slot == slot]

    def segment(self, place: Place) -> SegmentView:
        found = self.diary.segment(place)
        assert found is not None
        return found


@dataclass
class Stage:
    """A server, its clock, and the devices of one account."""

    folder: Path
    url: str
    clock: GivenClock
    devices: list[Device] = field(default_factory=list)

    def line(self, attempts: int = 1) -> tuple[Transport, FailingTransport]:
        failing = FailingTransport()
        client = httpx.Client(transport=failing, timeout=30)
        return Transport(self.url, client=client, attempts=attempts), failing

    def first(self, *, registered: bool = True) -> Device:
        """Return a new account's device."""
        home, clock = self._home()
        place = choose_place(home, "file")
        diary = Diary.create(home, clock=clock, place=place, device_name=home.name)
        diary.set_setting("hold_seconds", 0)
        line, failing = self.line()
        self.devices.append(Device(diary, clock, line, failing))
        if registered:
            register(diary, line)
        return self.devices[-1]

    def another(self, phrase: str) -> Device:
        """Return a further device of the account."""
        home, clock = self._home()
        place = choose_place(home, "file")
        line, failing = self.line()
        diary, _ = login(home, line, phrase, clock=clock, place=place, device_name=home.name)
        diary.set_setting("hold_seconds", 0)
        self.devices.append(Device(diary, clock, line, failing))
        return self.devices[-1]

    def put_clocks(self, text: str) -> None:
        self.clock.put(instant(text))
        for device in self.devices:
            device.clock.put(instant(text))

    def stored_pictures(self) -> list[Path]:
        return stored_pictures(self.folder / "server")

    def stored_bytes(self) -> bytes:
        return b"".join(path.read_bytes() for path in (self.folder / "server").rglob("*") if path.is_file())

    def _home(self) -> tuple[Path, GivenClock]:
        home = self.folder / f"device-{len(self.devices) + 1}"
        home.mkdir()
        return home, GivenClock(self.clock.now_ms())


@contextmanager
def stage_in(folder: Path) -> Iterator[Stage]:
    """Set the stage; everything on it is closed in the end."""
    clock = GivenClock(instant(WEDNESDAY))
    with serving(folder / "server", clock) as url:
        stage = Stage(folder, url, clock)
        try:
            yield stage
        finally:
            for device in stage.devices:
                device.line.close()
                device.diary.close()


@contextmanager
def serving(
    folder: Path,
    clock: GivenClock,
    port: int = 0,
    quota_bytes: int | None = None,
    database_url: str | None = None,
    gateway: GatewaySettings = GatewaySettings(),  # noqa: B008  # a value that nobody changes
    review_hours: int = REVIEW_HOURS,
) -> Iterator[str]:
    """Run the real application on a real socket of this process, by the test's clock."""
    settings = Settings(
        folder=folder,
        picture_quota_bytes=quota_bytes,
        database_url=database_url,
        gateway=gateway,
        review_hours=review_hours,
    )
    app = create_app(settings, clock)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        bound = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{bound}"
    finally:
        server.should_exit = True
        thread.join()


def two_devices(stage: Stage, slots: Iterable[Slot]) -> tuple[Device, Device, Contract]:
    """Return two devices that both hold the recorded slots, each with memo "first" and a picture."""
    a = stage.first(registered=False)
    contract = a.diary.new_contract(title="Practice", manual_allowed=True)
    for slot in slots:
        record_slot(a.diary, contract, slot, memo="first", picture=SCREEN + str(slot).encode())
    register(a.diary, a.line)
    phrase = a.diary.phrase()
    assert phrase is not None
    b = stage.another(phrase)
    a.sync()
    return a, b, contract
