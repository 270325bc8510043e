"""Histories of honest people on bad lines, drawn by chance: nobody lies, so nothing may be called a lie.

A history is one freelancer with two devices, one client with a copy, and a server that now and then loses
what came after its backup. It goes on for some weeks; a week is a **run**: acts drawn at random, the lock,
what is said after it, and a rest in which all sync until nobody has anything to tell. Then every copy must
show the same, every seal must be borne out, nobody may have raised an alarm, and a bundle of it must hold.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

import apsw

from diary.contracts import Contract
from diary.correcting import NoSegmentError
from diary.errors import PeerError, RefusedError, UsageError
from diary.evidence.verify import verify
from diary.rules.ids import Millis, Slot
from diary.rules.timesheet import Place, SegmentView
from diary.rules.week import Week, slot_at, starts_at_ms
from diary.undoing import NothingToUndoError
from sync.report import SyncReport
from sync.server.returning import WAIT_MS
from tests.practice import SCREEN, record_slot
from tests.sync.clients import invited, join_in, shown
from tests.sync.restoring import RestoringStage, restoring_stage
from tests.sync.server.backup import Restorable
from tests.sync.stage import Device, two_devices

WEEKS_A_HISTORY = (
    5  # of one account, before the next begins: long enough for a restored server to be forgiven
)
ACTS_A_WEEK = 14
ROUNDS_MAX = 20
BUNDLED = 0.25  # of the weeks: making and checking one takes as long as the week itself
FATES = ("refuse", "lose", "double", "pass")
HOUR_MS = 3_600_000
# What a party may not do at this moment, or the line did not carry: told to them, and no lie of anybody.
TOLD = (RefusedError, UsageError, PeerError, NoSegmentError, NothingToUndoError)


@dataclass
class History:
    """One history under way."""

    stage: RestoringStage
    chance: random.Random
    devices: tuple[Device, Device]
    client: Device
    contract: Contract
    week: Week
    backup: Restorable | None = None
    told: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)

    def play_week(self) -> None:
        """Play one run: the week, its lock, and what is said after it; then check that nobody was blamed."""
        acts: list[tuple[Callable[[], None], int]] = [
            (self.record, 6), (self.edit, 3), (self.remove, 2), (self.add, 1), (self.undo, 1), (self.sync, 6),
            (self.change_terms, 1), (self.back_up, 1), (self.restore, 1),
        ]  # fmt: skip
        self._play(acts, until_ms=self.week.locked_at_ms)
        self._put(Millis(self.week.locked_at_ms + 1000))
        after: list[tuple[Callable[[], None], int]] = [
            (self.sync, 4), (self.send_late, 3), (self.accept_late, 2), (self.dispute, 2), (self.reply, 2),
            (self.take_back, 1), (self.redact, 2), (self.remove, 1), (self.record, 1), (self.restore, 1),
        ]  # fmt: skip
        self._play(after, until_ms=self.week.locked_at_ms + 20 * HOUR_MS)
        self.rest()
        self.check()
        self.week = max(self.week.next(), Week.of(slot_at(self.stage.clock.now_ms())))

    def _play(self, acts: list[tuple[Callable[[], None], int]], *, until_ms: int) -> None:
        for left in range(ACTS_A_WEEK, 0, -1):
            (act,) = self.chance.choices([act for act, _ in acts], [weight for _, weight in acts])
            try:
                act()
                self.done.append(act.__name__)
            except TOLD as error:
                self.told.append(type(error).__name__)
            now_ms = self.stage.clock.now_ms()
            self._put(Millis(now_ms + self.chance.randrange(max(1, (until_ms - now_ms) // left))))

    def _put(self, at_ms: Millis) -> None:
        self.stage.clock.put(max(at_ms, self.stage.clock.now_ms()))
        for device in self.stage.devices:
            device.clock.put(max(self.stage.clock.now_ms(), device.clock.now_ms()))

    def _device(self) -> Device:
        return self.chance.choice(self.devices)

    def _place(self, device: Device) -> Place:
        known = [one.slot for one in device.diary.week(self.week).segments]
        return self.contract.id, self.chance.choice(known or [self.week.first_slot])

    def record(self) -> None:
        slot = Slot(slot_at(self.stage.clock.now_ms()) - 1)
        picture = SCREEN + self.chance.randbytes(4) if self.chance.random() < 0.9 else None
        record_slot(self._device().diary, self.contract, slot, memo=f"memo {slot}", picture=picture)

    def edit(self) -> None:
        device = self._device()
        device.diary.edit([self._place(device)], memo=f"edited {self.chance.random()}")

    def remove(self) -> None:
        device = self._device()
        device.diary.remove([self._place(device)])

    def add(self) -> None:
        slot = Slot(slot_at(self.stage.clock.now_ms()) - 1 - self.chance.randrange(12))
        self._device().diary.add_manual(self.contract.id, [slot], "by hand")

    def undo(self) -> None:
        self._device().diary.undo()

    def sync(self) -> None:
        device = self.chance.choice((*self.devices, self.client))
        if self.chance.random() < 0.3:
            device.failing.fates += self.chance.choices(FATES, k=self.chance.randrange(1, 4))
        device.sync()

    def change_terms(self) -> None:
        limit = self.chance.choice([None, 10, 30, 600])
        self.client.diary.change_terms(self.contract.id, limit_minutes=limit)

    def send_late(self) -> None:
        self._device().diary.send_asked()

    def _late(self, device: Device) -> list[Place]:
        return [
            (one.contract, one.slot) for one in device.diary.week(self.week).segments if one.state == "late"
        ]

    def accept_late(self) -> None:
        late = self._late(self.client)
        if late:
            self.client.diary.accept_late([self.chance.choice(late)], "fine")

    def dispute(self) -> None:
        self.client.diary.dispute([self._place(self.client)], "nothing was done")

    def reply(self) -> None:
        device = self._device()
        said = device.diary.reply if self.chance.random() < 0.7 else device.diary.concede
        said([self._place(device)], "look at the title")

    def take_back(self) -> None:
        self.client.diary.take_dispute_back([self._place(self.client)])

    def redact(self) -> None:
        device = self.chance.choice((*self.devices, self.client))
        device.diary.redact([self._place(device)], "a bystander")

    def back_up(self) -> None:
        self.backup = self.stage.back_up()

    def restore(self) -> None:
        if self.backup is not None:
            before = self._rows_of_server()
            self.stage.restore(self.backup)
            self.backup = None
            if self._rows_of_server() == before:  # that pictures alone are gone, nobody else can tell (R43)
                self.stage.say_restored()

    def _rows_of_server(self) -> int:
        assert self.stage.server is not None
        file = str(self.stage.server.folder / "server.db")
        connection = apsw.Connection(file, flags=apsw.SQLITE_OPEN_READONLY)
        try:
            ((rows,),) = connection.execute("SELECT count(*) FROM version")
            return int(rows)
        finally:
            connection.close()

    def rest(self) -> None:
        """Let everybody sync on good lines until nobody has anything to tell.

        What a restored server was shown without its content it takes a week later.
        """
        self._come_to_rest()
        if any(device.diary.audit().lost_by_server for device in (*self.devices, self.client)):
            self._put(Millis(self.stage.clock.now_ms() + WAIT_MS))
            self._come_to_rest()

    def _come_to_rest(self) -> None:
        everybody = (*self.devices, self.client)
        for device in everybody:
            device.failing.fates.clear()
        for _ in range(ROUNDS_MAX):
            reports = [device.sync() for device in everybody]
            for device in self.devices:
                device.diary.send_asked()
            if not any(_moved(one) for one in reports):
                return
        raise AssertionError(f"they never come to rest: {reports}")

    def _received(self, device: Device) -> list[SegmentView]:
        """Return what the server has of the week as a device shows it: a refused change is that device's."""
        segments, _ = shown(device, self.contract, self.week)
        return [one for one in segments if one.state in {"synced", "late"}]

    def check(self) -> None:
        """Check that nobody was blamed, and that all show the same."""
        for device in (*self.devices, self.client):
            assert device.diary.alarms() == (), device.diary.alarms()
        first, second, theirs = (self._received(device) for device in (*self.devices, self.client))
        assert first == second
        assert [(one.slot, one.bills, one.why_not) for one in theirs] == [
            (one.slot, one.bills, one.why_not) for one in first
        ]
        if first and self.chance.random() < BUNDLED:
            maker = self.chance.choice((*self.devices, self.client))
            made = maker.diary.bundle(self.contract, self.week, None, ZoneInfo("UTC"))
            assert verify(made.whole).holds


def _moved(report: SyncReport) -> bool:
    return any((report.pushed, report.pulled, report.pictures_sent, report.pictures_fetched))


def play_history(folder: Path, seed: int, weeks: int = WEEKS_A_HISTORY) -> History:
    """Play a history under a seed; return it for what was done in it."""
    with restoring_stage(folder, None, None) as stage:
        a, b, contract = two_devices(stage, ())
        client = join_in(stage, invited(a, contract))
        for device in (a, b, client):
            device.sync()
        week = Week.of(slot_at(stage.clock.now_ms()))
        assert starts_at_ms(week.first_slot) <= stage.clock.now_ms()
        history = History(stage, random.Random(seed), (a, b), client, contract, week)
        for _ in range(weeks):
            history.play_week()
        return history
