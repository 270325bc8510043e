"""How fast one server process takes and gives versions, over HTTP, its client's work left out.

    python -m bench.server_rates [sqlite] [postgres]

Sealed and signed beforehand; pushed in batches of 500 and pulled in pages of 1,000, one request at a time,
to a real process with durable commits; then single-version pushes of many accounts from many connections at
once, beside the bare limit of such pushes (`bench.bare_single`) in the same run.
"""

import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx
import msgspec

from bench.figure import print_figure
from bench.single_pushes import ACCOUNTS, CONNECTIONS, JSON, Cost, bare_server, prepared, sent, taken
from diary.evidence.receipt import Cursor
from diary.rules.ids import ContractId
from sync.protocol import Pull, PullAnswer
from tests.sync.server.author import Author
from tests.sync.server.postgres import Postgres, postgres
from tests.sync.server.process import running

VERSIONS = 12_000
BATCH = 500
NOTHINGS = 100
RUNS = 3


@dataclass(frozen=True, slots=True)
class Rates:
    """One run: what versions cost both ways, a pull of nothing, single pushes and their bare limits."""

    pushed: Cost
    pulled: Cost
    nothing: Cost
    single: Cost
    bare: dict[str, Cost]


def measure(databases: Sequence[str] = ("sqlite", "postgres")) -> None:
    """Print the figures of each database."""
    with postgres(durable=True) if "postgres" in databases else nullcontext() as cluster:
        for database in databases:
            runs = [_run(cluster if database == "postgres" else None) for _ in range(RUNS)]
            _print(database, runs)


def _print(database: str, runs: Sequence[Rates]) -> None:
    _print_rates("server_push", [run.pushed for run in runs], batch=BATCH, database=database)
    _print_rates("server_pull", [run.pulled for run in runs], database=database)
    nothing_ms = [1000 * run.nothing.seconds / run.nothing.n for run in runs]
    cpu_ms = round(median(run.nothing.cpu_ms for run in runs), 3)
    print_figure("server_nothing_to_do", nothing_ms, "ms", server_cpu_ms=cpu_ms, database=database)
    given = {"connections": CONNECTIONS, "accounts": ACCOUNTS, "database": database}
    _print_rates("server_push_single", [run.single for run in runs], by="workdiary", **given)
    for kind in runs[0].bare:
        bare = [run.bare[kind] for run in runs]
        _print_rates("server_push_single", bare, by=f"bare limit, {kind}", **given)
        shares = [run.single.rate / limit.rate for run, limit in zip(runs, bare, strict=True)]
        print_figure("server_push_single_of_limit", shares, "times", by=f"workdiary/bare, {kind}", **given)


def _print_rates(figure: str, costs: Sequence[Cost], **more: object) -> None:
    """Print versions a second, and how many one core would serve, which other work here skews less."""
    cpu_ms = median(cost.cpu_ms for cost in costs)
    core = {"server_cpu_ms": round(cpu_ms, 4), "per_core_s": round(1000 / cpu_ms)}
    print_figure(figure, [cost.rate for cost in costs], "versions/s", **core, **more)


def _run(cluster: Postgres | None) -> Rates:
    """Return the figures of one run against a fresh server."""
    url = cluster.new_database() if cluster else None
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder) / "server", database_url=url) as server,
    ):
        author = Author()
        server.client.enrol(author, author.enrol(author.terms()))
        last = int(time.time()) // 600 - 1
        versions = [author.capture(last - at) for at in range(VERSIONS)]
        batches = [
            msgspec.json.encode(author.push(*versions[at : at + BATCH])) for at in range(0, VERSIONS, BATCH)
        ]
        http, headers, pid = server.client.http, {**author.authorization, **JSON}, server.process.pid
        with taken(VERSIONS, pid) as pushed:
            for batch in batches:
                http.post("/v1/push", content=batch, headers=headers).raise_for_status()
        with taken(VERSIONS, pid) as pulled:
            cursors = _pull_all(http, author)
        asked = msgspec.json.encode(Pull(account=author.account, cursors=cursors))
        with taken(NOTHINGS, pid) as nothing:
            for _ in range(NOTHINGS):
                http.post("/v1/pull", content=asked, headers=headers).raise_for_status()
        requests = prepared(server.client)
        single = sent([http.base_url], [pid], requests)
        bare = {kind: _bare(kind, Path(folder), cluster, requests) for kind in _bare_kinds(cluster)}
        return Rates(pushed[0], pulled[0], nothing[0], single, bare)


def _bare_kinds(cluster: Postgres | None) -> tuple[str, ...]:
    return ("postgres",) if cluster else ("each", "joined")


def _bare(kind: str, folder: Path, cluster: Postgres | None, requests: Sequence[bytes]) -> Cost:
    target = cluster.new_database() if cluster else str(folder / f"{kind}.db")
    with bare_server(kind, target) as (url, pid):
        return sent([url], [pid], requests)


def _pull_all(http: httpx.Client, author: Author) -> dict[ContractId, Cursor]:
    cursors: dict[ContractId, Cursor] = {}
    while True:
        asked = msgspec.json.encode(Pull(account=author.account, cursors=cursors))
        answer = http.post("/v1/pull", content=asked, headers={**author.authorization, **JSON})
        read = msgspec.json.decode(answer.content, type=PullAnswer)
        for page in read.pages:
            cursors[page.contract] = Cursor(page.head.log_epoch, page.rows[-1].index + 1)
        if not read.more:
            return cursors


if __name__ == "__main__":
    measure(sys.argv[1:] or ("sqlite", "postgres"))
