"""What one slot of one tracking device costs a server: CPU, bytes in the database, memory.

    python -m bench scale

A slot as a tracker sends it: a capture that names a screenshot and its thumbnail, with the entry that holds
the memo, in one push of their own; and the poll of a device that has nothing to do. Many accounts take turns
over many connections. On PostgreSQL the same is done by two processes on one database. docs/scale.md counts
with these figures.
"""

import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import apsw
import msgspec
import psycopg

from bench.figure import print_figure
from bench.single_pushes import cpu_seconds, request, sent
from diary.evidence.opening import FIRST_EPOCH
from diary.evidence.receipt import Cursor
from diary.rules.ids import ContractId
from sync.protocol import Pull
from tests.sync.server.author import Author
from tests.sync.server.postgres import Postgres, postgres
from tests.sync.server.process import Client, Running, running

ACCOUNTS = 50
SLOTS = 3_000
MEMO = "Reading the specification of the import, and a trial of it"
SCREENSHOT_BYTES = 150_000  # 1920 × 1080 as the tracker writes it: `diary demo` has such
THUMBNAIL_BYTES = 6_000
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def measure() -> None:
    """Print the figures of the embedded database, of PostgreSQL, and of two processes on it."""
    with tempfile.TemporaryDirectory() as folder:
        _measure(Path(folder), None, processes=1)
    with postgres(durable=True) as cluster:
        for processes in (1, 2):
            with tempfile.TemporaryDirectory() as folder:
                _measure(Path(folder), cluster, processes=processes)


def _measure(folder: Path, cluster: Postgres | None, *, processes: int) -> None:
    url = cluster.new_database() if cluster else None
    given = {"database": "postgres" if cluster else "sqlite", "processes": processes, "accounts": ACCOUNTS}
    with ExitStack() as stack:
        servers = [
            stack.enter_context(running(folder / "server", database_url=url)) for _ in range(processes)
        ]
        slots, polls = _requests(servers[0].client)
        empty = _stored_bytes(folder, url)
        _print("scale_slot", servers, slots, cluster, given)
        stored = (_stored_bytes(folder, url) - empty) / SLOTS
        print_figure("scale_slot_stored", [stored], "bytes", **given)
        _print("scale_poll", servers, polls, cluster, given)
        print_figure("scale_memory", list(map(_resident_mib, servers)), "MiB", **given)


def _requests(client: Client) -> tuple[list[bytes], list[bytes]]:
    """Enrol the accounts; return their slots' pushes and their polls as requests, accounts taking turns."""
    last = int(time.time()) // 600 - 1
    slots, polls = [], []
    for _ in range(ACCOUNTS):
        author = Author()
        client.enrol(author, author.enrol(author.terms()))
        pictures = [author.picture(size) for size in (SCREENSHOT_BYTES, THUMBNAIL_BYTES)]
        pushes = (
            author.push(author.capture(last - at, pictures=pictures), author.entry(last - at, memo=MEMO))
            for at in range(SLOTS // ACCOUNTS)
        )
        slots.append([request(client, author, "/v1/push", msgspec.json.encode(push)) for push in pushes])
        cursors = {
            ContractId(author.account): Cursor(FIRST_EPOCH, 1),
            author.contract: Cursor(FIRST_EPOCH, 1 + 2 * SLOTS // ACCOUNTS),
        }
        asked = msgspec.json.encode(Pull(account=author.account, cursors=cursors))
        polls.append(request(client, author, "/v1/pull", asked))
    return [one for turn in zip(*slots, strict=True) for one in turn], polls * (SLOTS // ACCOUNTS)


def _print(
    figure: str,
    servers: Sequence[Running],
    requests: Sequence[bytes],
    cluster: Postgres | None,
    given: Mapping[str, object],
) -> None:
    """Send the requests and print their rate, and the CPU that each took of server and database."""
    urls = [one.client.http.base_url for one in servers]
    before = _database_cpu_seconds(cluster)
    cost = sent(urls, [one.process.pid for one in servers], requests)
    database_ms = 1000 * (_database_cpu_seconds(cluster) - before) / cost.n
    costs = {"server_cpu_ms": round(cost.cpu_ms, 3), "database_cpu_ms": round(database_ms, 3)}
    print_figure(figure, [cost.rate], "requests/s", **costs, **given)


def _stored_bytes(folder: Path, url: str | None) -> int:
    """Return how large the database is, indexes included."""
    if url is None:
        connection = apsw.Connection(str(folder / "server" / "server.db"))
        pages = int(connection.pragma("page_count")) * int(connection.pragma("page_size"))
        connection.close()
        return pages
    with psycopg.connect(url) as line:
        size = line.execute("SELECT pg_database_size(current_database())").fetchone()
    assert size is not None
    return int(size[0])


def _database_cpu_seconds(cluster: Postgres | None) -> float:
    """Return the CPU time of all of PostgreSQL's processes so far; none for the embedded database."""
    if cluster is None:
        return 0
    main = int((cluster.folder / "data" / "postmaster.pid").read_text(encoding="ascii").split()[0])
    running = Path(f"/proc/{main}/task/{main}/children").read_text(encoding="ascii").split()
    return sum(map(cpu_seconds, [main, *map(int, running)]))


def _resident_mib(server: Running) -> float:
    pages = Path(f"/proc/{server.process.pid}/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * PAGE_BYTES / 2**20


if __name__ == "__main__":
    measure()
