"""What a lock costs the server: a week of 10,000 contracts closed, beside as many plain inserts.

    python -m bench.closing

100 accounts of 100 contracts each, six segments a contract, on PostgreSQL with durable commits. Closed are
they by the code that does it for accounts for which nobody asks, on one core: sealed, signed, billed and
posted, a transaction an account. Beside it stand the same number of plain inserts of a signed text as long as
a seal with its share of an invoice, one by one through the same driver, a transaction a hundred.
"""

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import structlog
from msgspec.structs import replace

from bench.figure import print_figure
from diary.clock import GivenClock
from diary.evidence.seal import own_seal
from diary.rules.ids import AccountId, ContractId, Millis, ReplicaId
from diary.rules.invoice import LIFE
from diary.rules.week import Week
from sync.server import idle
from sync.server.clock_watch import ClockWatch
from sync.server.log import ServerKey
from sync.server.storage_postgres import PostgresStorage
from tests.sync.server.conftest import WEDNESDAY
from tests.sync.server.postgres import Postgres, postgres
from tests.sync.server.versions import ROOT, append, capture, terms

ACCOUNTS = 100
CONTRACTS = 100
SEGMENTS = 6
PAYERS = 5  # clients an account has: a bill for twenty contracts each
RUNS = 3
PLAIN_BYTES = 1200
LOCK = Week.at(WEDNESDAY).locked_at_ms

Cost = tuple[float, float]
"""Seconds by the wall and of this process's core."""


def measure() -> None:
    """Print what closing takes, and the plain inserts, and how many of those it is worth."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    count = ACCOUNTS * CONTRACTS
    with postgres(durable=True) as cluster:
        runs = [(_closing(cluster), _plain(cluster, count)) for _ in range(RUNS)]
    for name, at in (("closing", 0), ("plain_inserts", 1)):
        cpu = sorted(run[at][1] for run in runs)[RUNS // 2]
        print_figure(
            name, [run[at][0] for run in runs], "s", contracts=count, cpu_s=round(cpu, 2), database="postgres"
        )
    shares = [ours[0] / plain[0] for ours, plain in runs]
    print_figure("closing_of_plain_inserts", shares, "times", by="workdiary/plain inserts")


def _closing(cluster: Postgres) -> Cost:
    clock = GivenClock(WEDNESDAY)
    storage = PostgresStorage(cluster.new_database(), clock)
    for account in range(ACCOUNTS):
        _begin(storage, account)
    clock.put(Millis(LOCK + 1000))
    watch = ClockWatch(clock, storage.last_received_ms(), Path("/nonexistent/clock-confirmed"))
    cost = _timed(
        lambda: idle.do_what_is_due(storage, ServerKey(bytes(32)), watch, LIFE, Millis(LOCK + 1000))
    )
    _check(storage)
    storage.close()
    return cost


def _begin(storage: PostgresStorage, number: int) -> None:
    """Let an account have its contracts and their work of the week."""
    account = AccountId(f"{number:032x}")
    first = Week.at(WEDNESDAY).first_slot
    n = iter(range(1, 1 << 30))
    headers = []
    for place in range(CONTRACTS):
        contract, payer = ContractId(f"{number:016x}{place:016x}"), f"{place % PAYERS:032x}"
        headers.append(terms(next(n), contract=contract, payer=payer, manual_allowed=True))
        # Each contract's in slots of its own: of one slot one contract alone would bill.
        slots = range(first + place * SEGMENTS, first + (place + 1) * SEGMENTS)
        headers += [capture(next(n), contract=contract, slot=slot) for slot in slots]
    replica = ReplicaId(f"{number:032x}")
    headers = [replace(header, account=account, replica=replica) for header in headers]
    with storage.hold(account) as hold:
        hold.open_account(ROOT)
        append(hold, *headers)


def _check(storage: PostgresStorage) -> None:
    """Make sure that what was measured was done."""
    account = AccountId(f"{7:032x}")
    assert storage.invoices.last(account) == PAYERS
    assert len(storage.invoices.entries(account)) == CONTRACTS
    with storage.hold(account) as hold:
        seals = hold.newest_seals(Week.at(WEDNESDAY).name)
    assert len(seals) == CONTRACTS
    assert all(own_seal(seal).reckoning.billable == SEGMENTS for seal in seals.values())


def _plain(cluster: Postgres, count: int) -> Cost:
    """Insert rows as simply as the driver can, a transaction a hundred."""
    url = cluster.new_database()
    text, signature = "x" * PLAIN_BYTES, os.urandom(64)
    with psycopg.connect(url) as line:
        line.execute(
            "CREATE TABLE plain (account TEXT, n BIGINT, text TEXT, signed BYTEA, PRIMARY KEY (account, n))"
        )
        line.commit()

        def insert() -> None:
            for number in range(count):
                row = (f"{number // CONTRACTS:032x}", number, text, signature)
                line.execute("INSERT INTO plain VALUES (%s, %s, %s, %s)", row)
                if number % CONTRACTS == CONTRACTS - 1:
                    line.commit()

        return _timed(insert)


def _timed(act: Callable[[], object]) -> Cost:
    began, cpu = time.perf_counter(), time.process_time()
    act()
    return time.perf_counter() - began, time.process_time() - cpu


if __name__ == "__main__":
    measure()
