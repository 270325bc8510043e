"""A stage whose server goes away, loses what came after its backup, and comes back at the same address."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from diary.clock import GivenClock
from diary.contracts import Contract
from diary.rules.ids import Slot
from diary.store import epochs
from sync.server.server import Server
from tests.practice import instant, record_slot
from tests.sync.server.backup import Restorable
from tests.sync.server.postgres import Postgres
from tests.sync.stage import WEDNESDAY, Device, Stage, serving
from tests.sync.test_two_devices import shown


@dataclass
class RestoringStage(Stage):
    """The stage; `server` is the database that is served now."""

    server: Restorable | None = None
    running: ExitStack = field(default_factory=ExitStack)

    def stop(self) -> None:
        self.running.close()

    def start(self) -> None:
        assert self.server is not None
        port = urlsplit(self.url).port or 0
        url = self.server.database_url
        self.url = self.running.enter_context(serving(self.server.folder, self.clock, port, database_url=url))

    def back_up(self) -> Restorable:
        """Return a copy of database and pictures as they are now."""
        assert self.server is not None
        self.stop()
        backup = self.server.backed_up()
        pictures = self.server.folder / "pictures"
        shutil.rmtree(self.folder / "pictures", ignore_errors=True)
        if pictures.is_dir():
            shutil.copytree(pictures, self.folder / "pictures")
        self.start()
        return backup

    def restore(self, backup: Restorable) -> None:
        """Bring database and pictures back to the copy; nobody tells anybody."""
        assert self.server is not None
        self.stop()
        self.server = self.server.restore(backup)
        shutil.rmtree(self.server.folder / "pictures", ignore_errors=True)
        if (self.folder / "pictures").is_dir():
            shutil.copytree(self.folder / "pictures", self.server.folder / "pictures")
        self.start()

    def lose(
        self,
        device: Device,
        contract: Contract,
        at: Slot,
        *,
        memo: str = "typed",
        read_by: Device | None = None,
    ) -> None:
        """Go back to a backup from before this slot arrived, which another device may have read by then."""
        backup = self.back_up()
        record_slot(device.diary, contract, at, memo=memo)
        sync_in_turn(device, *([read_by] if read_by else []))
        self.restore(backup)

    def say_restored(self) -> None:
        """Do what the operator's command does, while the server runs."""
        assert self.server is not None
        server = Server.at(self.server.settings, self.clock)
        server.say_restored()
        server.close()


@contextmanager
def restoring_stage(
    folder: Path, database_url: str | None, cluster: Postgres | None
) -> Iterator[RestoringStage]:
    """Set the stage; everything on it is closed in the end."""
    clock = GivenClock(instant(WEDNESDAY))
    server = Restorable(folder / "server", clock, database_url, cluster)
    stage = RestoringStage(folder, "http://127.0.0.1:0", clock, server=server)
    stage.start()
    try:
        yield stage
    finally:
        for device in stage.devices:
            device.line.close()
            device.diary.close()
        stage.stop()


def refusals(device: Device) -> list[tuple[str, int | None]]:
    return [(kept.reason, kept.slot) for kept in device.diary.refusals()]


def lost(device: Device) -> int:
    return epochs.count_lost(device.diary._state.connection)


def sync_in_turn(*devices: Device) -> None:
    for device in devices:
        device.sync()


def assert_healed(*devices: Device) -> None:
    """All show the same, the server lacks nothing that any of them knows, and none was alarmed (R43, R56)."""
    first = shown(devices[0])
    assert [shown(device) for device in devices] == [first] * len(devices)
    assert [lost(device) for device in devices] == [0] * len(devices)
    assert [device.diary.alarms() for device in devices] == [()] * len(devices)
