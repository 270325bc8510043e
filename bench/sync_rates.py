"""How fast versions are sealed, pushed and pulled, and how long a sync with little to do takes.

    python -m bench.sync_rates [--n 12000] [--runs 3]

A real server process and real diaries, all with durable commits, on loopback; each run begins with empty
folders. As the peer's figures do (PouchDB's replication), each version carries 255 random bytes in base64,
and two devices in one process sync one after the other. "push" holds all that a sync does: outbox, signature,
wire, server's checks and log, receipts; "pull", into a device that has joined and is empty, the checks of
every hash and signature, the merge. "reconcile" is three syncs after both devices edited the same segments
(PouchDB's `conflict_sync_s`); "reconcile_shown" also reads the week on both, as `conflict_visible_s` there
reads the documents. "limit" is `bench.bare_limit` with the same versions, right after.

`device_us` and `server_us` are what a version took of their processors: on a busy machine read those.
"""

import argparse
import base64
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import msgspec

from bench import bare_limit
from bench.figure import print_figure
from diary import envelope
from diary.clock import SystemClock
from diary.diary import Contract, Diary
from diary.rules.ids import Slot
from diary.rules.sealed_content import CaptureContent, Moment
from diary.rules.timesheet import Place
from diary.rules.week import Week, slot_at, starts_at_ms
from diary.sealing.keyring import choose_place
from diary.state import OpenDiary
from diary.store.connection import FILE_NAME
from sync.engine import Engine
from sync.enrolment import login, register
from sync.protocol import WireVersion
from sync.transport import Transport
from tests.sync.server.process import running

VERSIONS = 12_000
RUNS = 3
DAY = 144
PLAIN_BYTES = 255
CONFLICTS = 1_000
NOTHING_RUNS = 20
SEAL_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Cost:
    """What some work took: seconds, and of the processors of this process and of the server's."""

    seconds: float
    device_seconds: float = 0.0
    server_seconds: float = 0.0

    def shared_by(self, runs: int) -> "Cost":
        """Return what each of so many runs took of it."""
        return Cost(self.seconds / runs, self.device_seconds / runs, self.server_seconds / runs)


Figure = tuple[str, int, Cost]
"""A figure's name, how many versions it is of, and what they took."""


@dataclass(frozen=True, slots=True)
class Meter:
    """Measures work that this process and a server's share."""

    server_pid: int

    def of(self, work: Callable[[], object]) -> Cost:
        """Do the work and return what it took."""
        began, device, server = time.perf_counter(), time.process_time(), self._server_seconds()
        work()
        ended = time.perf_counter()
        return Cost(ended - began, time.process_time() - device, self._server_seconds() - server)

    def _server_seconds(self) -> float:
        """Return the processor time of the server's threads so far, to the nanosecond."""
        schedules = Path(f"/proc/{self.server_pid}/task").glob("*/schedstat")
        return sum(int(path.read_text(encoding="ascii").split()[0]) for path in schedules) / 1e9


def measure(versions: int = VERSIONS, runs: int = RUNS) -> None:
    """Print the figures: seconds, and versions a second at the median."""
    found: dict[tuple[str, int], list[Cost]] = {}
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder, running(Path(folder, "server")) as server:
            url, meter = str(server.client.http.base_url), Meter(server.process.pid)
            for name, n, cost in _one_run(Path(folder), url, versions, meter):
                found.setdefault((name, n), []).append(cost)
    for (name, n), costs in found.items():
        seconds = [cost.seconds for cost in costs]
        cpu = {
            "device_us": round(1e6 * median(cost.device_seconds for cost in costs) / n, 1),
            "server_us": round(1e6 * median(cost.server_seconds for cost in costs) / n, 1),
        }
        rate = round(n / median(seconds))
        print_figure(f"sync_{name}", seconds, "s", by="workdiary", n=n, rows_per_s=rate, **cpu)
    for name in ("push", "pull"):
        pairs = zip(found[f"limit_{name}", versions], found[name, versions], strict=True)
        shares = [limit.seconds / ours.seconds for limit, ours in pairs]
        print_figure(f"sync_{name}_of_limit", shares, "times", by="workdiary/bare limit", n=versions)


def _one_run(folder: Path, url: str, versions: int, meter: Meter) -> Iterator[Figure]:
    with new_diary(folder / "a") as a, Transport(url) as line_a, Transport(url) as line_b:
        contract = a.new_contract(title="Bench", manual_allowed=True)
        register(a, line_a)
        b = logged_in(folder / "b", line_b, a.phrase() or "")
        engine_a, engine_b = Engine(a, line_a), Engine(b, line_b)
        before = slot_at(a.now_ms())
        slots = [Slot(before - back) for back in range(1, versions + 1)]
        yield "seal", versions, meter.of(lambda: seal_captures(a, contract, slots))
        a.send_asked()  # the older weeks are late: their freelancer says that they may be sent (R38)
        yield "push", versions, meter.of(engine_a.run)
        with b:
            yield "pull", versions, meter.of(engine_b.run)
            assert len(b.weeks()) == len(a.weeks()), "the second device shows every week"
            limit = bare_limit.measure(folder / "bare", _sealed_in(folder / "a"))
            yield "limit_push", versions, Cost(limit.push_seconds)
            yield "limit_pull", versions, Cost(limit.pull_seconds)
            yield from _between_two(a, b, (engine_a, engine_b), Slot(before - versions), meter)


def _between_two(
    a: Diary, b: Diary, engines: tuple[Engine, Engine], last: Slot, meter: Meter
) -> Iterator[Figure]:
    engine_a, engine_b = engines
    engine_a.run()
    engine_b.run()
    all_of_them = meter.of(lambda: [engine_a.run() for _ in range(NOTHING_RUNS)])
    yield "noop", 1, all_of_them.shared_by(NOTHING_RUNS)
    (contract,) = a.contracts()
    seal_captures(a, contract, [Slot(last - back) for back in range(1, DAY + 1)])
    a.send_asked()
    yield "one_day", DAY, meter.of(lambda: (engine_a.run(), engine_b.run()))
    places = claimed_places(a, CONFLICTS)
    engine_a.run()
    engine_b.run()
    for diary in (a, b):
        edit(diary, places)
    synced = meter.of(lambda: (engine_a.run(), engine_b.run(), engine_a.run()))
    yield "reconcile", len(places), synced
    shown: list[dict[Place, tuple[str, int]]] = []
    read = meter.of(lambda: shown.extend(_shown(diary, places) for diary in (a, b)))
    yield "reconcile_shown", len(places), Cost(synced.seconds + read.seconds)
    assert shown[0] == shown[1], "both devices show the same memos"
    assert all(shown[0][place][1] == 2 for place in places), "both edits stand, none unseen"


def _shown(diary: Diary, places: Sequence[Place]) -> dict[Place, tuple[str, int]]:
    """Return the memo that each segment of the places' week shows, and how many versions stand there."""
    week = diary.week(Week.of(places[0][1]))
    return {(one.contract, one.slot): (one.memo, len(one.versions)) for one in week.segments}


def _sealed_in(home: Path) -> list[WireVersion]:
    """Return the captures of a diary, byte for byte as they went over the line."""
    connection = sqlite3.connect(home / FILE_NAME)
    rows = connection.execute("SELECT header, body, wrap FROM stored WHERE type = 'capture' ORDER BY id")
    sealed = [WireVersion(header=header.decode(), body=body, wrap=wrap) for header, body, wrap in rows]
    connection.close()
    return sealed


def seal_captures(diary: Diary, contract: Contract, slots: Sequence[Slot]) -> None:
    """Seal one capture a slot, as the tracker does for each when it is over."""
    state = _state_of(diary)
    for start in range(0, len(slots), SEAL_AT_ONCE):
        with state.writing():
            for slot in slots[start : start + SEAL_AT_ONCE]:
                header = envelope.draw_header(state, "capture", contract.id, slot=slot)
                content = CaptureContent(
                    contract=contract.id,
                    slot=slot,
                    minutes=(),
                    application="",
                    title=_payload(),
                    moment=Moment(wall_ms=starts_at_ms(slot), monotonic_ms=0, boot=""),
                    masked=False,
                    no_picture=None,
                    roles=(),
                    picture_names=(),
                    device="bench",
                )
                header = msgspec.structs.replace(header, pictures=())
                envelope.write(state, header, content, at_ms=starts_at_ms(slot))


def claimed_places(diary: Diary, count: int) -> list[Place]:
    """Claim manual time in this week, in as many contracts as it takes; return the places."""
    now = diary.now_ms()
    week = Week.at(now)
    first = week if week.previous().is_frozen(now) else week.previous()
    slots = [Slot(slot) for slot in range(first.first_slot, slot_at(now))][:100]
    places: list[Place] = []
    while len(places) < count:
        contract = diary.new_contract(title=f"Edited {len(places)}", manual_allowed=True)
        diary.add_manual(contract.id, slots[: count - len(places)], "claimed")
        places += [(contract.id, slot) for slot in slots][: count - len(places)]
    return places


def edit(diary: Diary, places: Sequence[Place]) -> None:
    """Give ten segments an act each a memo of its own."""
    for start in range(0, len(places), 10):  # ten segments an act, so that contents differ
        diary.edit(places[start : start + 10], memo=_payload())


def _payload() -> str:
    return base64.b64encode(os.urandom(PLAIN_BYTES)).decode()


def _state_of(diary: Diary) -> OpenDiary:
    """Return what the door hides: no verb of it seals whole batches in one transaction."""
    return diary._state  # noqa: SLF001


def new_diary(home: Path) -> Diary:
    """Return a new account's diary."""
    home.mkdir()
    return Diary.create(home, clock=SystemClock(), place=choose_place(home, "file"), device_name=home.name)


def logged_in(home: Path, line: Transport, phrase: str) -> Diary:
    """Return a further device of the account."""
    home.mkdir()
    place = choose_place(home, "file")
    return login(home, line, phrase, clock=SystemClock(), place=place, device_name=home.name)[0]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=VERSIONS)
    parser.add_argument("--runs", type=int, default=RUNS)
    asked = parser.parse_args()
    measure(asked.n, asked.runs)


if __name__ == "__main__":
    main()
