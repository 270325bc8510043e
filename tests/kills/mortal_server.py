"""A server that is born in the nursery again and again, its folder and database new for each beginning."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.kills.edges import Point
from tests.kills.nursery import Ended, Nursery
from tests.kills.pair import wait_until_it_answers
from tests.sync.server.postgres import Postgres
from tests.sync.server.process import free_port


@dataclass
class MortalServer:
    """Its folders lie in `beside`; its database is in the cluster where there is one, else embedded."""

    nursery: Nursery
    beside: Path
    cluster: Postgres | None
    port: int = field(default_factory=free_port)
    born: int = 0
    database: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        return self.beside / f"server-{self.born}"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def begin_anew(self) -> None:
        """Forget all: a clock does not go back to the week before."""
        self.born += 1
        self.database = (self.cluster.new_database(),) if self.cluster is not None else ()

    @contextmanager
    def serving(self, at_ms: int, dies_at: Point | None = None) -> Iterator[list[Ended]]:
        """Serve as long as the block goes, or as the server lives; how it ended is told at the end."""
        words = str(self.folder), str(self.port), *self.database
        server = self.nursery.server(*words, at_ms=at_ms, dies_at=dies_at)
        told: list[Ended] = []
        wait_until_it_answers(self.url, lambda: server.is_alive)
        try:
            yield told
        finally:
            told.append(server.kill())


def points_to_die_at(whole: Ended, sample: int) -> list[Point]:
    """Return each `sample`th of the points that a run passed, and all commits."""
    # How often a start is asked whether it answers yet is chance.
    points = [point for point in whole.points if "/health" not in point.label]
    assert any("commit" in point.label for point in points)
    return [point for at, point in enumerate(points) if at % sample == 0 or "commit" in point.label]
