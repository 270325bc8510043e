"""A small world for the model: the real server in process, real diaries, and everybody's time.

Nothing of the product is replaced but time and the line between device and server. Devices are written on
or only read; what was written on one can be put back from an older copy, or go on beside its copy (R42).
"""

import shutil
from pathlib import Path
from typing import Self

import httpx

from diary.diary import Diary
from diary.rules.ids import Millis
from diary.sealing.keyring import choose_place
from sync.enrolment import login, register
from sync.protocol import Pull
from sync.server.returning import WAIT_MS
from sync.server.settings import Settings
from sync.transport import Transport
from tests.model.backup import Backup
from tests.model.device import URL, Device, Line
from tests.model.serving import JumpingClock, Serving

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
QUIET_MS = 5 * MINUTE_MS
RESTING_ROUNDS = 8
RESTORE_MS = 10_000  # the epochs that a server opens are instants: it is not restored twice in one


class World:
    """One account's devices, their server, and everybody's time. `readers` are never written on."""

    def __init__(self, folder: Path, at_ms: int, database_url: str | None) -> None:
        self.folder = folder
        self.clock = JumpingClock(Millis(at_ms))
        self.delayed: list[httpx.Request] = []
        self.writers: list[Device] = []
        self.readers: list[Device] = []
        self.backups: list[Backup] = []
        self._made = 0
        self._settings = Settings(folder=folder / "server", database_url=database_url)
        self.serving = Serving(self._settings, self.clock)

    @classmethod
    def begin(cls, folder: Path, at_ms: int, database_url: str | None) -> tuple[Self, str]:
        """Return a world with one registered device, and the account's phrase."""
        folder.mkdir()
        world = cls(folder, at_ms, database_url)
        home = world.new_home()
        diary = Diary.create(home, clock=world.clock, place=choose_place(home, "file"), device_name=home.name)
        with diary, world.line() as line:
            diary.set_setting("hold_seconds", 0)
            phrase = diary.phrase()
            assert phrase is not None
            register(diary, line)
        world.writers.append(Device(world, home))
        return world, phrase

    @property
    def devices(self) -> list[Device]:
        return [*self.writers, *self.readers]

    def new_home(self) -> Path:
        home = self.folder / f"device-{self._made}"
        home.mkdir()
        self._made += 1
        return home

    def log_in(self, phrase: str) -> Device:
        """Return a new device of the account, enrolled by the phrase, the real way."""
        home = self.new_home()
        place = choose_place(home, "file")
        self.calm()
        with self.line() as line:
            diary, _ = login(home, line, phrase, clock=self.clock, place=place, device_name=home.name)
        with diary:
            diary.set_setting("hold_seconds", 0)
        return Device(self, home)

    def copy_of(self, device: Device) -> Device:
        """Return a device that goes on from a copy of another's file, beside it (R42)."""
        home = self.new_home()
        home.rmdir()
        device.copy_to(home)
        copy = Device(self, home, device.dies_opening)
        assert copy.diary.replica != device.diary.replica, "a copy is another replica before it writes"
        copy.offset_ms = device.offset_ms
        # What its original had sealed anew, and may have sent, came with the file.
        copy.line.has_failed = device.has_failed
        self.set_clocks()
        return copy

    def line(self) -> Transport:
        """Return a way to the server on which nothing fails."""
        return Transport(URL, client=httpx.Client(transport=Line(self)), attempts=1)

    def witness(self) -> Transport:
        """Return a way to the server in the name of a device that was never copied nor restored."""
        line = self.line()
        reader = self.readers[0].diary
        line.authorise(reader.account, reader.replica, reader.token)
        return line

    def deliver(self, at: int) -> None:
        """Let one of the delayed requests arrive; nobody hears the reply."""
        self.serving.ask(self.delayed.pop(at % len(self.delayed)))

    def deliver_all(self) -> None:
        while self.delayed:
            self.deliver(0)

    def move(self, by_ms: int) -> None:
        """Let time pass for everybody."""
        self.clock.pass_(by_ms)
        self.set_clocks()

    def set_clocks(self) -> None:
        """Put every device's clock where it is off the server's by as much as it is off."""
        for device in self.devices:
            device.clock.put(self.clock.now_ms() + device.offset_ms)

    def calm(self) -> None:
        """Let quiet minutes pass until the server trusts its clock (R6)."""
        if not self.readers:
            return  # a world that is only just begun: nothing has jumped
        with self.witness() as line:
            for _ in range(3):
                if line.pull(Pull(account=self.readers[0].diary.account, cursors={})).clock_sure:
                    return
                self.move(QUIET_MS)
        raise AssertionError("the server does not come to trust its clock")

    def come_to_rest(self) -> None:
        """Sync all until nothing moves; what a restored server was shown bare it takes a week later."""
        self._sync_until_nothing_moves()
        if any(device.diary.audit().lost_by_server for device in self.devices):
            self.move(WAIT_MS)
            self._sync_until_nothing_moves()

    def _sync_until_nothing_moves(self) -> None:
        for _ in range(RESTING_ROUNDS):
            reports = [device.sync() for device in self.devices]
            if not any(
                report is None or report.pushed or report.pulled or report.refused or report.pictures_fetched
                for report in reports
            ):
                return
        raise AssertionError("the devices do not come to rest")

    def restart_server(self, *, killed: bool = False) -> None:
        """End the server and start it on its files, when killed or dead on what lay on the disk then."""
        if killed:
            self.serving.lay_aside()
        self.serving.close()
        self.serving = Serving(self._settings, self.clock)

    def back_up_server(self) -> None:
        """Keep a copy of database and pictures as they are now."""
        self.backups.append(Backup.of(self._settings, self.folder / f"backup-{len(self.backups)}"))

    def copy_server(self) -> Backup:
        """Return a copy that is put back at once or never."""
        folder = self.folder / "server-today"
        shutil.rmtree(folder, ignore_errors=True)
        return Backup.of(self._settings, folder)

    def restore_server(self, backup: Backup, *, with_pictures: bool) -> None:
        """Put a backup in the server's place; nobody is told. Pictures may lie where no backup is needed."""
        self.serving.close()
        self.move(RESTORE_MS)
        backup.put_back(self._settings, with_pictures=with_pictures)
        self.serving = Serving(self._settings, self.clock)

    def close(self) -> None:
        for device in self.devices:
            device.close()
        self.serving.close()
