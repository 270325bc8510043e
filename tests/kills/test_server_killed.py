"""A server dies at each labelled point: nothing answered is lost, nothing counts twice (R25, R40, R41)."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kills.edges import Point
from tests.kills.nursery import Ended, Mortal, Nursery
from tests.kills.pair import WEDNESDAY, Pair, begin_pair, wait_until_it_answers
from tests.practice import instant
from tests.rule import rule
from tests.sync.server.postgres import Postgres
from tests.sync.server.process import free_port

SAMPLE = 17  # points from one sampled to the next; make soak visits all


@dataclass
class Servers:
    """One server's folder, port and database, and the processes that serve it one after the other."""

    nursery: Nursery
    folder: Path
    port: int
    database: tuple[str, ...]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, dies_at: Point | None = None) -> tuple[Mortal, bool]:
        """Start a server; return it, and whether it came to answer."""
        words = str(self.folder), str(self.port), *self.database
        server = self.nursery.server(*words, at_ms=instant(WEDNESDAY), dies_at=dies_at)
        return server, wait_until_it_answers(self.url, lambda: server.is_alive)

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Serve until the block ends, and then end gently."""
        server, answers = self.start()
        assert answers, server.wait()
        yield
        server.kill(signal.SIGTERM)

    def serve_a_sync(self, pair: Pair, dies_at: Point | None = None) -> Ended:
        """Serve one sync of the first device and end, or die in between."""
        server, answers = self.start(dies_at)
        if answers:
            pair.sync_first()
        return server.kill(signal.SIGTERM)


@pytest.fixture
def servers(nursery: Nursery, folder: Path, cluster: Postgres | None) -> Servers:
    database = () if cluster is None else (cluster.new_database(),)
    return Servers(nursery, folder / "server", free_port(), database)


def check_deaths(servers: Servers, folder: Path, sample: int) -> None:
    with servers.serving():
        pair = begin_pair(folder, servers.url, servers.folder)
        pair.act()
    whole = servers.serve_a_sync(pair)
    # How often a start is asked whether it answers yet is chance.
    points = [point for point in whole.points if "/health" not in point.label]
    assert len(points) > 50
    deaths = 0
    chosen = points[::sample]
    for point in chosen:
        with servers.serving():
            pair.check_rest()
            pair.act()
        ended = servers.serve_a_sync(pair, point)
        # Pictures' folders are spread by their names' first digits: whether one is new is chance.
        assert ended.killed or point.label.endswith("a folder"), (point, ended)
        deaths += ended.killed
    assert deaths > len(chosen) // 2
    with servers.serving():
        pair.check_rest()


@pytest.mark.timeout(600)
@rule("R40")
@rule("R41")
def test_a_server_killed_at_some_points_loses_nothing(servers: Servers, folder: Path) -> None:
    check_deaths(servers, folder, SAMPLE)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@rule("R40")
@rule("R41")
def test_a_server_killed_at_any_point_loses_nothing(servers: Servers, folder: Path) -> None:
    check_deaths(servers, folder, 1)
