"""Where worlds lie while they last: in memory where that is to be had, on either database."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog

from diary.rules.ids import ContractId
from tests import practice
from tests.model.chance import give_chance
from tests.model.oracle import Terms
from tests.model.world import World
from tests.sync.server.postgres import Postgres, postgres

BEGIN = practice.instant("2026-11-23T09:00Z")  # three hours before the week before is locked
TERMS = [Terms(manual_allowed=True, limit_minutes=20), Terms(manual_allowed=False, limit_minutes=None)]


@dataclass
class Ground:
    """A folder for worlds, and PostgreSQL's cluster where that keeps the server's rows."""

    folder: Path
    cluster: Postgres | None
    machine: pytest.MonkeyPatch
    database_url: str | None = None
    worlds: int = 0

    def world(self, chance: int, writers: int, readers: int) -> tuple[World, str, list[ContractId]]:
        """Return a new world of so many devices, the account's phrase, and its two contracts."""
        self.worlds += 1
        give_chance(self.machine, chance)
        if self.cluster is not None:
            # Emptying one costs a tenth of making another.
            self.database_url = self.database_url or self.cluster.new_database()
            self.cluster.empty(self.database_url)
        world, phrase = World.begin(self.folder / f"world-{self.worlds}", BEGIN, self.database_url)
        diary = world.writers[0].diary
        first = diary.new_contract(
            title="A",
            manual_allowed=TERMS[0].manual_allowed,
            limit_minutes=TERMS[0].limit_minutes,
            labels=("x", "y"),
        )
        other = diary.new_contract(title="B", labels=("x", "y"))
        world.writers[0].sync()
        for _ in range(writers - 1):
            world.writers.append(world.log_in(phrase))
        for _ in range(readers):
            world.readers.append(world.log_in(phrase))
        world.writers[0].sync()
        return world, phrase, [first.id, other.id]


@contextmanager
def ground(database: str) -> Iterator[Ground]:
    """Lay out a ground, its server's rows on "sqlite" or on "postgres"."""
    # Thousands of durable commits would only wear the disk.
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    try:
        with (
            postgres() if database == "postgres" else nullcontext() as cluster,
            pytest.MonkeyPatch.context() as machine,
        ):
            yield Ground(folder, cluster, machine)
    finally:
        structlog.reset_defaults()
        shutil.rmtree(folder)


@contextmanager
def seed_of_run(request: pytest.FixtureRequest, given: int | None = None) -> Iterator[int]:
    """Yield the run's seed, printed: the one asked for, else the one that failed, the given or a new one.

    What fails is run once more (`tests/again.sh`): by another seed it would pass, and hide what was found.
    """
    kept_as = f"model/seed of {request.node.name}"
    cache: pytest.Cache | None = getattr(request.config, "cache", None)
    failed = cache.get(kept_as, None) if cache else None
    number = int(os.environ.get("MODEL_SEED") or failed or given or secrets.randbits(32))
    print(f"MODEL_SEED={number}")
    if cache:
        cache.set(kept_as, number)
    yield number
    if cache:
        cache.set(kept_as, None)
