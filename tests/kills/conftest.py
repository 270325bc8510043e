"""Where mortal processes live: in memory where that is to be had, and born of one nursery."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from tests.kills.nursery import Nursery, nursery_in
from tests.sync.server.postgres import Postgres, postgres


@pytest.fixture
def folder() -> Iterator[Path]:
    shared = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=shared if shared.is_dir() else None))
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    yield folder
    structlog.reset_defaults()
    shutil.rmtree(folder)


@pytest.fixture
def nursery(folder: Path) -> Iterator[Nursery]:
    with nursery_in(folder / "nursery") as nursery:
        yield nursery


@pytest.fixture(params=["sqlite", "postgres"])
def cluster(request: pytest.FixtureRequest) -> Iterator[Postgres | None]:
    """Yield where the mortal servers' databases are; None for a file in each one's folder."""
    if request.param == "sqlite":
        yield None
        return
    with postgres() as cluster:
        yield cluster
