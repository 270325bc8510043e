"""A server that an operator backs up and restores: its database goes back, its key and its clients do not."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from litestar.testing import TestClient

from diary.clock import GivenClock
from sync.server.app import create_app
from sync.server.settings import Settings
from tests.sync.server.postgres import Postgres
from tests.sync.server.process import Client


@dataclass
class Restorable:
    """One server's files and database; it is stopped while it is backed up and restored."""

    folder: Path
    clock: GivenClock
    database_url: str | None
    cluster: Postgres | None

    @property
    def settings(self) -> Settings:
        return Settings(folder=self.folder, database_url=self.database_url)

    @contextmanager
    def serving(self) -> Iterator[Client]:
        with TestClient(create_app(self.settings, self.clock)) as http:
            yield Client(http)

    def backed_up(self) -> "Restorable":
        """Return a copy of the database as it is; serving it is the server after it was restored."""
        if self.database_url is None:
            kept = self.folder / "backup.db"
            shutil.copy(self.folder / "server.db", kept)
            return self
        assert self.cluster is not None
        return Restorable(self.folder, self.clock, copied(self.cluster, self.database_url), self.cluster)

    def restore(self, backup: "Restorable") -> "Restorable":
        if self.database_url is None:
            for name in ("server.db-wal", "server.db-shm"):
                (self.folder / name).unlink(missing_ok=True)
            shutil.copy(self.folder / "backup.db", self.folder / "server.db")
        return backup


def copied(cluster: Postgres, url: str) -> str:
    """Return a new database that holds what the other one does; nobody may be connected to that."""
    original = cluster.database_of(url)
    name = f"{original}_copy{next(cluster.numbers)}"
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as line:
        line.execute(f"CREATE DATABASE {name} TEMPLATE {original}".encode())
    return cluster.url(name)
