"""The stage on which syncs are tried."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sync.stage import Stage, stage_in


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with stage_in(tmp_path) as stage:
        yield stage
