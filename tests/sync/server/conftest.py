"""A server in this process, its clock in the test's hand."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from litestar.testing import TestClient

from diary.clock import GivenClock
from diary.rules.ids import Millis
from sync.server.app import create_app
from sync.server.settings import Settings
from tests.sync.server.process import Client

WEDNESDAY = Millis(1_764_155_400_000)  # 2025-11-26T11:10Z, in the middle of 2025-W48


@dataclass
class Here:
    """A server without a network: the real application, asked directly."""

    client: Client
    clock: GivenClock
    folder: Path


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    clock = GivenClock(WEDNESDAY)
    folder = tmp_path / "server"
    with TestClient(create_app(Settings(folder=folder), clock)) as http:
        yield Here(Client(http), clock, folder)
