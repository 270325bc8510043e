"""A week of tracking, sped up, by the real process on a real screen: it leaks nothing, and draws by chance.

The freelancer works, switches, locks the screen, is away and answers, or not. A short part of it runs with
all tests, the week in make soak.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import pytest
from Xlib import X
from Xlib.display import Display

from diary.idling import IdleAnswer
from diary.rules.ids import ContractId
from diary.rules.week import Week, slot_at
from tests.capture.chance import doubts
from tests.capture.test_tracker import Worker, at_work
from tests.rule import rule

pytestmark = pytest.mark.screen

SPEED = 100  # a picture may take two real seconds, and a machine may stall for one without seeming asleep
TYPING_MINUTES = 3
# A run takes up 11 MiB in its first eight hours (52 to 63, measured by the hour), and little from then on.
WARM_HOURS = 12
GROWTH_MIB_MAX = 16  # of the first hours
WARM_GROWTH_MIB_MAX = 8  # of six days and a half after them; 5 were measured
Part = tuple[str, int]
HOUR: tuple[Part, ...] = (("work", 22), ("quiet", 14), ("work", 9), ("lock", 4), ("work", 11))
LITTLE: tuple[Part, ...] = (("work", 3), ("quiet", 11), ("work", 2), ("lock", 2), ("work", 2))
DRAWN = re.compile(r"^drawn (\d+) of (\d+)$", re.MULTILINE)
ANSWERS: tuple[IdleAnswer | None, ...] = ("keep", "drop", None, "move")
DRAWS_MIN = 500  # fewer say nothing about chance


@dataclass(frozen=True, slots=True)
class Held:
    """What a process holds: open handles, threads, and memory in MiB."""

    handles: int
    threads: int
    memory_mib: float

    @classmethod
    def by(cls, pid: int) -> "Held":
        proc = Path(f"/proc/{pid}")
        status = dict(
            line.split(":\t", 1) for line in (proc / "status").read_text().splitlines() if ":\t" in line
        )
        memory_mib = int(status["VmRSS"].split()[0]) / 1024
        return cls(len(list((proc / "fd").iterdir())), int(status["Threads"]), memory_mib)


def live(
    parts: tuple[Part, ...],
    worker: Worker,
    contracts: Iterator[ContractId],
    answers: Iterator[IdleAnswer | None],
) -> None:
    """Live a part of a week; what was asked before is answered at its start."""
    contract = next(contracts)
    with worker.diary() as diary:
        if (asked := diary.idle_question()) is not None and (word := next(answers)) is not None:
            other = next(each.id for each in diary.contracts() if each.id != asked.contract)
            diary.answer_idle(word, move_to=other)
        diary.start(contract, memo="by the hour")
    for what, minutes in parts:
        until_ms = worker.time.now_ms() + minutes * 60_000
        if what == "lock":
            cover(worker)
        while worker.time.now_ms() < until_ms:
            if what == "work":
                worker.desktop.type_text("typing ", delay_ms=2)
            step_ms = TYPING_MINUTES * 60_000 if what == "work" else minutes * 60_000
            worker.time.sleep_until(min(until_ms, worker.time.now_ms() + step_ms))


def cover(worker: Worker) -> None:
    """Lock the screen; the next input opens it."""
    display = Display(worker.desktop.display)
    display.force_screen_saver(X.ScreenSaverActive)
    display.sync()
    display.close()


@rule("R12")
@rule("R18")
@rule("R19")
@pytest.mark.timeout(0)
@pytest.mark.parametrize(
    ("warm", "times", "parts", "growth_mib_max"),
    [
        pytest.param(0, 1, LITTLE, GROWTH_MIB_MAX, id="a little"),
        pytest.param(WARM_HOURS, 168, HOUR, WARM_GROWTH_MIB_MAX, id="a week", marks=pytest.mark.soak),
    ],
)
def test_the_tracker_holds_no_more_at_the_end_than_at_the_beginning(
    tmp_path: Path, warm: int, times: int, parts: tuple[Part, ...], growth_mib_max: int
) -> None:
    with at_work(tmp_path, "2026-11-16T00:03Z", speed=SPEED) as worker:
        with worker.diary() as diary:
            contracts = cycle([worker.contract, diary.new_contract(title="Bakery").id])
            diary.start(worker.contract)
        worker.begin()
        assert worker.tracker
        pid = worker.tracker.pid
        worker.work_until(worker.minute + 12)  # a slot, a picture, a notification that finds no desktop
        answers: Iterator[IdleAnswer | None] = cycle(ANSWERS)
        for _ in range(warm):
            live(parts, worker, contracts, answers)
        before = Held.by(pid)
        for _ in range(times - warm):
            live(parts, worker, contracts, answers)
        after = Held.by(pid)
        assert after.handles <= before.handles + 3, (before, after)
        assert after.threads <= before.threads + 2, (before, after)
        assert after.memory_mib <= before.memory_mib + growth_mib_max, (before, after)
        assert worker.end() == 0, worker.said()[-2000:]
        draws = [int(drawn) / int(of) for drawn, of in DRAWN.findall(worker.said())]
        with worker.diary() as diary:
            weeks = {Week.of(slot_at(worker.time.start_ms)), Week.of(slot_at(worker.time.now_ms()))}
            recorded = [one.slot for week in weeks for one in diary.week(week).segments]
        assert len(set(recorded)) == len(recorded)
        assert len(recorded) >= times, worker.said()[-2000:]
        assert len(draws) < DRAWS_MIN or doubts(draws) == []
