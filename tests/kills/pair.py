"""Two devices that do the same to each other again and again, while one of the processes dies between them.

Each round both record, edit and remove, at places of the round before too; then one device syncs, and it or
the server dies on the way. Once all have come to rest it must not be seen that anybody died.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from diary.clock import GivenClock
from diary.contracts import Contract
from diary.diary import Diary
from diary.errors import PeerError
from diary.rules.ids import Slot
from diary.rules.timesheet import Place
from diary.rules.week import Week
from diary.sealing.keyring import choose_place
from sync.engine import Engine
from sync.enrolment import login, register
from sync.report import SyncReport
from sync.transport import Transport
from tests.practice import instant, record_slot, slot

WEDNESDAY = "2026-11-18T12:00Z"
FIRST = slot("2026-11-16T00:00Z")
SLOTS_A_ROUND = 4
PICTURE_BYTES = 20_000
REST_ROUNDS_MAX = 6
START_SECONDS = 60


@dataclass
class Pair:
    """The homes of both devices, one clock for all, and how often each log should have grown."""

    url: str
    homes: tuple[Path, Path]
    clock: GivenClock
    contract: Contract
    server_folder: Path
    rounds: int = 0
    memos: dict[Slot, str] = field(default_factory=dict)
    removed: set[Slot] = field(default_factory=set)
    traces: list[bytes] = field(default_factory=list)
    log_size: int = 0
    growth: int | None = None

    @contextmanager
    def diaries(self) -> Iterator[tuple[Diary, Diary]]:
        with (
            Diary.open(self.homes[0], clock=self.clock) as a,
            Diary.open(self.homes[1], clock=self.clock) as b,
        ):
            yield a, b

    def act(self) -> None:
        """Let both act: the second device syncs what it did, the first has all of it before it."""
        here = [Slot(FIRST + SLOTS_A_ROUND * self.rounds + at) for at in range(SLOTS_A_ROUND)]
        before = [Slot(one - SLOTS_A_ROUND) for one in here]
        now = self.rounds
        self.rounds += 1
        with self.diaries() as (a, b):
            for device, at in ((a, here[0]), (a, here[1]), (b, here[2]), (b, here[3])):
                self._record(device, at)
            self._edit(a, here[0], f"edited in round {now}")
            if now:
                self._edit(a, before[0], f"of the first in round {now}")
                self._edit(a, before[3], f"of both in round {now}")
                self.clock.put(self.clock.now_ms() + 1)
                self._edit(b, before[3], f"of both and later in round {now}")
                self._remove(a, before[1])
                self._remove(b, before[2])
            self.sync(b)

    def _record(self, device: Diary, at: Slot) -> None:
        name = f"{device.device_name} {at} ".encode()
        picture = name * (PICTURE_BYTES // len(name))
        record_slot(device, self.contract, at, memo=f"recorded {at}", picture=picture)
        self.memos[at] = f"recorded {at}"

    def _edit(self, device: Diary, at: Slot, memo: str) -> None:
        assert device.edit([self._place(at)], memo=memo).done
        self.memos[at] = memo

    def _remove(self, device: Diary, at: Slot) -> None:
        segment = device.segment(self._place(at))
        assert segment is not None
        ciphertext = device.sealed_picture(segment.snapshots[0].screen)
        assert ciphertext is not None
        middle = len(ciphertext) // 2
        self.traces.append(ciphertext[middle : middle + 64])
        assert device.remove([self._place(at)]).done
        del self.memos[at]
        self.removed.add(at)

    def _place(self, at: Slot) -> Place:
        return self.contract.id, at

    def sync(self, device: Diary) -> SyncReport:
        with line_to(self.url) as line:
            return Engine(device, line).run()

    def sync_first(self) -> bool:
        """Sync the first device; return whether it came through."""
        with self.diaries() as (a, _):
            try:
                self.sync(a)
            except PeerError:
                return False
        return True

    def check_rest(self) -> None:
        """Bring both to rest and check that nobody can tell that somebody died."""
        with self.diaries() as (a, b):
            for _ in range(REST_ROUNDS_MAX):
                moved = [report.pushed + report.pulled for report in map(self.sync, (a, b))]
                if not any(moved):
                    break
            week = Week.of(FIRST)
            shown = [{one.slot: one for one in device.week(week).segments} for device in (a, b)]
            assert shown[0] == shown[1]
            live = {at: one.memo for at, one in shown[0].items() if one.state != "deleted"}
            assert live == self.memos
            assert {one.state for one in shown[0].values() if one.slot in live} == {"synced"}
            assert all(len(shown[0][at].snapshots) == 1 for at in live)
            for device in (a, b):
                assert (device.refusals(), device.queue().versions, device.alarms()) == ((), 0, ())
                assert (device.pictures_to_send(), device.pictures_to_fetch()) == ((), ())
                assert not device.status().destroying
            self._check_growth(a)
        files = [
            path for home in (*self.homes, self.server_folder) for path in home.rglob("*") if path.is_file()
        ]
        held = b"".join(path.read_bytes() for path in files)
        assert not [trace for trace in self.traces if trace in held]

    def _check_growth(self, device: Diary) -> None:
        """Check that the contract's log grew by what a round writes, whoever died in it."""
        size = device.cursors()[self.contract.id].size
        grown, self.log_size = size - self.log_size, size
        if self.rounds > 1:
            self.growth = self.growth or grown
            assert grown == self.growth


def line_to(url: str) -> Transport:
    """Return a line that reads no certificates: hundreds are opened to a loopback."""
    return Transport(url, client=httpx.Client(verify=False, timeout=60), attempts=1)


def begin_pair(folder: Path, url: str, server_folder: Path) -> Pair:
    """Return two registered devices, with one round behind them."""
    clock = GivenClock(instant(WEDNESDAY))
    homes = folder / "first", folder / "second"
    for home in homes:
        home.mkdir()
    places = [choose_place(home, "file") for home in homes]
    with (
        line_to(url) as line,
        Diary.create(homes[0], clock=clock, place=places[0], device_name="first") as a,
    ):
        a.set_setting("hold_seconds", 0)
        contract = a.new_contract(title="Practice", manual_allowed=True)
        register(a, line)
        phrase = a.phrase() or ""
        b, _ = login(homes[1], line, phrase, clock=clock, place=places[1], device_name="second")
        with b:
            b.set_setting("hold_seconds", 0)
    pair = Pair(url, homes, clock, contract, server_folder)
    pair.act()
    pair.check_rest()
    return pair


def wait_until_it_answers(url: str, lives: Callable[[], bool]) -> bool:
    """Return whether a server answers before its process ends."""
    for _ in range(START_SECONDS * 50):
        try:
            if httpx.get(f"{url}/health", timeout=5).is_success:
                return True
        except httpx.TransportError:
            if not lives():
                return False
        time.sleep(0.02)
    raise AssertionError("the server neither answers nor ends")
