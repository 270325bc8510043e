"""A server in this process and every storage, their clock in the test's hand."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import structlog
from litestar.testing import TestClient

from diary.clock import GivenClock
from diary.rules.ids import Millis
from sync.server.app import create_app
from sync.server.blobs import Blobs
from sync.server.blobs_folder import FolderBlobs
from sync.server.blobs_s3 import S3Blobs
from sync.server.settings import Settings
from sync.server.storage import Storage
from sync.server.storage_postgres import PostgresStorage
from sync.server.storage_sqlite import SqliteStorage
from tests.sync.server.object_store import ObjectStore, object_store, put_environment
from tests.sync.server.postgres import Postgres, postgres, stored_rows
from tests.sync.server.process import Client
from tests.sync.server.toy_storage import ToyStorage
from tests.sync.server.versions import ACCOUNT, ROOT, append, device_list

if TYPE_CHECKING:
    from tests.sync.server.story import Story, Undisturbed  # which needs this file

Opener = Callable[[], Blobs]
WEDNESDAY = Millis(1_764_155_400_000)  # 2025-11-26T11:10Z, in the middle of 2025-W48
START = Millis(1_800_000_000_000)


@dataclass
class Here:
    """A server without a network: the real application, asked directly."""

    client: Client
    clock: GivenClock
    folder: Path
    database_url: str | None = None

    def stored(self) -> bytes:
        """Return all that the server keeps: its files, and its database's rows where that is PostgreSQL."""
        return stored_at(self.folder, self.database_url)


def stored_at(folder: Path, database_url: str | None) -> bytes:
    kept = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    return kept if database_url is None else kept + stored_rows(database_url)


def stored_pictures(folder: Path) -> list[Path]:
    """Return the files of pictures, and of parts of them, in a server's folder."""
    return [path for path in (folder / "pictures").rglob("*") if path.is_file()]


@pytest.fixture(scope="session")
def store() -> Iterator[ObjectStore]:
    with object_store() as store:
        yield store


@pytest.fixture(params=["folder", "s3"])
def place(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Opener]:
    """Return what opens the same place again and again, as several server processes do."""
    opened: list[Blobs] = []
    where = ""
    if request.param == "s3":
        store: ObjectStore = request.getfixturevalue("store")
        put_environment(monkeypatch, store.environment)
        where = store.new_place()

    def open_place() -> Blobs:
        opened.append(S3Blobs(where) if where else FolderBlobs(tmp_path / "pictures"))
        return opened[-1]

    yield open_place
    for blobs in opened:
        blobs.close()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Postgres]:
    with postgres() as cluster:
        yield cluster


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str | None:
    """Name a new PostgreSQL database, or None for the embedded one."""
    if request.param == "sqlite":
        return None
    cluster: Postgres = request.getfixturevalue("cluster")
    return cluster.new_database()


@pytest.fixture
def here(tmp_path: Path, database_url: str | None) -> Iterator[Here]:
    clock = GivenClock(WEDNESDAY)
    folder = tmp_path / "server"
    with TestClient(create_app(Settings(folder=folder, database_url=database_url), clock)) as http:
        yield Here(Client(http), clock, folder, database_url)


@pytest.fixture
def memory() -> Iterator[Path]:
    """Give a folder in memory where that is to be had: thousands of commits would only wear the disk."""
    shared = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=shared if shared.is_dir() else None))
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    yield folder
    structlog.reset_defaults()
    shutil.rmtree(folder)


@pytest.fixture
def story() -> "Story":
    from tests.sync.server.story import Story

    return Story()


@pytest.fixture
def undisturbed(story: "Story", memory: Path) -> "Undisturbed":
    from tests.sync.server.story import undisturbed

    return undisturbed(story, memory / "undisturbed")


@pytest.fixture
def clock() -> GivenClock:
    return GivenClock(START)


@pytest.fixture(params=["toy", "sqlite", "postgres"])
def storage(request: pytest.FixtureRequest, tmp_path: Path, clock: GivenClock) -> Iterator[Storage]:
    """Return each storage in turn, with one account open in it."""

    def on_postgres() -> Storage:
        return PostgresStorage(request.getfixturevalue("cluster").new_database(), clock)

    made: dict[str, Callable[[], Storage]] = {
        "toy": lambda: ToyStorage(clock),
        "sqlite": lambda: SqliteStorage(tmp_path / "server.db", clock),
        "postgres": on_postgres,
    }
    made_storage = made[request.param]()
    with made_storage.hold(ACCOUNT) as hold:
        hold.open_account(ROOT)
        append(hold, device_list(1), body=b"s" * 64)
    yield made_storage
    made_storage.close()
