"""The stage on which syncs are tried."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sync.restoring import RestoringStage, restoring_stage
from tests.sync.server.postgres import Postgres, postgres
from tests.sync.stage import Stage, stage_in


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with stage_in(tmp_path) as stage:
        yield stage


@pytest.fixture(scope="module")
def cluster() -> Iterator[Postgres]:
    with postgres() as cluster:
        yield cluster


@pytest.fixture(params=["sqlite", "postgres"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RestoringStage]:
    cluster: Postgres | None = None
    if request.param == "postgres":
        cluster = request.getfixturevalue("cluster")
    url = cluster.new_database() if cluster else None
    with restoring_stage(tmp_path, url, cluster) as stage:
        yield stage
