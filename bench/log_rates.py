"""What the log costs a push, and how long a proof on a long log takes (R56).

    python -m bench log

The log's share is what is done for it alone, leaves, receipts, ranges, heads and their signatures, beside the
same push as a whole: processor time, in one process, on the embedded database. The long log's leaves are
made up; its tree lies in tiles in SQLite, as a diary's does.
"""

import sqlite3
import tempfile
import time
from pathlib import Path

from bench.figure import print_figure
from diary.clock import SystemClock
from diary.evidence.merkle import push_hash
from diary.evidence.proof import proves_inclusion
from diary.rules.ids import ContractId, Millis
from diary.store import log_schema, log_trees
from sync.server.intake import ReadPush, read_push
from sync.server.kept_log import Log
from sync.server.log import Logs, ServerKey
from sync.server.server import Server
from sync.server.settings import Settings
from tests.sync.server.author import Author

LEAVES = 10_000_000
AT_ONCE = 500_000
PROOFS = 200
BATCH = 500
PUSHES = 10
CONTRACT = ContractId("c" * 32)
HEAD = "CREATE TABLE log_head (contract TEXT PRIMARY KEY, log_epoch, size, root, seals DEFAULT 0)"
AT = Millis(1_763_770_300_000)


def measure() -> None:
    """Print both figures."""
    measure_share()
    measure_proofs(LEAVES)


def measure_share() -> None:
    """Print how much of a push of 500 the log takes."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server.at(Settings(folder=Path(folder)), SystemClock())
        author = Author()
        server.enrol(author.enrol(author.terms()))
        last = int(time.time()) // 600 - 1
        batches = [
            author.push(*(author.capture(last - at) for at in range(start, start + BATCH)))
            for start in range(0, PUSHES * BATCH, BATCH)
        ]
        token = author.authorization["Authorization"]
        key, log, shares = ServerKey(bytes(32)), Log(1), []
        for push in batches:
            began = time.process_time()
            server.push(token, push)
            whole = time.process_time() - began
            given = read_push(push)
            began = time.process_time()
            log = _logged(given, log, key)
            shares.append(100 * (time.process_time() - began) / whole)
        server.close()
    print_figure("log_share_of_push", shares, "%", batch=BATCH)


def _logged(given: ReadPush, log: Log, key: ServerKey) -> Log:
    """Do what a push does for the log alone; return the log as it is then."""
    logs = Logs({CONTRACT: log}, push_hash(given.signed), AT)
    receive = logs.receive
    receipts = [
        receive(item.header, item.header_hash, item.body_hash) for item in given.versions if item.header
    ]
    grown = logs.grown()
    key.answer([*receipts])
    for head in logs.heads(grown):
        key.head(head)
    return Log(1, next(iter(grown.values())))


def measure_proofs(leaves: int) -> None:
    """Print how long a proof of inclusion and one of growth take on a log of so many leaves."""
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(Path(folder) / "tiles.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(
            "CREATE TABLE log_head (contract TEXT PRIMARY KEY, log_epoch, size, root, seals DEFAULT 0)"
        )
        connection.execute(log_schema.TABLES[0])
        for first in range(0, leaves, AT_ONCE):
            made = [number.to_bytes(32, "big") for number in range(first, min(first + AT_ONCE, leaves))]
            connection.execute("BEGIN")
            log_trees.grow(connection, CONTRACT, 1, made)
            connection.execute("COMMIT")
        root = log_trees.tree(connection, CONTRACT).root_at(leaves)
        included, grew = [], []
        for number in range(1, PROOFS + 1):
            index = leaves * number // (PROOFS + 1)
            tree = log_trees.tree(connection, CONTRACT)
            began = time.process_time()
            path = tree.inclusion(index, leaves)
            included.append(1000 * (time.process_time() - began))
            assert proves_inclusion(index, leaves, index.to_bytes(32, "big"), path, root)
            tree = log_trees.tree(connection, CONTRACT)
            began = time.process_time()
            tree.consistency(index, leaves)
            grew.append(1000 * (time.process_time() - began))
        connection.close()
    print_figure("log_inclusion_proof", included, "ms", leaves=leaves)
    print_figure("log_consistency_proof", grew, "ms", leaves=leaves)
