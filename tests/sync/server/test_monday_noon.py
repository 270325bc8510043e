"""Real server processes, their clocks bent, on a Monday around 12:00:00 UTC (R3, R37, R40)."""

import socket
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from time import sleep

import httpx
import msgspec
import psycopg
import pytest

from diary.evidence.receipt import Receipt, Refusal
from diary.rules.week import Week
from sync.protocol import Push
from tests.bent_time import SetClock
from tests.practice import slot
from tests.rule import rule
from tests.sync.server.author import Author
from tests.sync.server.process import Client, Running, reasons, running

SUNDAY = slot("2026-11-22T23:40Z")
LOCK_MS = Week.of(SUNDAY).locked_at_ms
MINUTE_MS = 60_000
WAITING_SECONDS = 1  # until the push waits for the account; one that came later would be after noon too
BEFORE_MS = LOCK_MS - 100_000  # a step to noon is then too small for the server to doubt its clock (R6)


@pytest.fixture
def clock(tmp_path: Path) -> SetClock:
    return SetClock.at(tmp_path / "clock", BEFORE_MS)


def enrolled(server: Running) -> Author:
    """Return an author whose segment of Sunday evening the server has."""
    author = Author()
    server.client.enrol(author, author.enrol(author.terms()))
    assert reasons(server.client.push(author, author.capture(SUNDAY))) == ["received"]
    return author


def instant_of(answer: Receipt | Refusal) -> int:
    return answer.received_at_ms if isinstance(answer, Receipt) else answer.refused_at_ms


def server_ms(client: Client) -> int:
    return int(client.http.get("/v1/server").json()["server_ms"])


def send_and_leave(server: Running, author: Author, push: Push) -> None:
    """Send a push and hang up before the reply comes, as a line that breaks."""
    body = msgspec.json.encode(push)
    head = (
        "POST /v1/push HTTP/1.1\r\nHost: diary\r\nContent-Type: application/json\r\n"
        f"Authorization: {author.authorization['Authorization']}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    where = httpx.URL(server.client.http.base_url)
    with socket.create_connection((where.host, where.port or 0)) as line:
        line.sendall(head.encode() + body)


@contextmanager
def account_locked(folder: Path, database_url: str | None, author: Author) -> Iterator[None]:
    """Hold the account's lock, as another process of the server does while it writes."""
    if database_url is None:
        with closing(sqlite3.connect(folder / "server.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")
        return
    with psycopg.connect(database_url) as line:
        line.execute("SELECT * FROM account WHERE account = %s FOR UPDATE", [author.account])
        yield


@rule("R40")
@rule("R37")
def test_a_reply_that_is_lost_before_the_lock_is_the_same_after_it(
    tmp_path: Path, database_url: str | None, clock: SetClock
) -> None:
    with running(tmp_path / "server", database_url=database_url, environment=clock.environment()) as server:
        author = enrolled(server)
        push = author.push(author.capture(SUNDAY + 1), author.entry(SUNDAY, memo="in time"))
        send_and_leave(server, author, push)
        while len(server.client.pull_all(author)[author.contract]) < 4:
            assert server_ms(server.client) < LOCK_MS, "the push was not taken in time"
        clock.put(LOCK_MS)
        answers = server.client.send(author, push)
        assert reasons(answers) == ["received", "received"]
        assert max(map(instant_of, answers)) < LOCK_MS
        late = server.client.push(author, author.entry(SUNDAY, memo="too late"), author.capture(SUNDAY - 1))
        assert reasons(late) == ["week_locked", "received"]
        assert min(map(instant_of, late)) >= LOCK_MS
        assert server.client.send(author, push) == answers


@rule("R3")
@rule("R37")
def test_what_began_before_the_lock_and_got_the_account_after_it_is_after_it(
    tmp_path: Path, database_url: str | None, clock: SetClock
) -> None:
    folder = tmp_path / "server"
    with running(folder, database_url=database_url, environment=clock.environment()) as server:
        author = enrolled(server)
        push = author.push(author.entry(SUNDAY, memo="begun in time"), author.capture(SUNDAY + 1))
        with ThreadPoolExecutor(1) as pool:
            with account_locked(folder, database_url, author):
                answer = pool.submit(server.client.send, author, push)
                sleep(WAITING_SECONDS)
                began_ms = server_ms(server.client)
                clock.put(LOCK_MS)
                assert not answer.done()
            answers = answer.result()
    assert began_ms < LOCK_MS
    assert reasons(answers) == ["week_locked", "received"]
    assert min(map(instant_of, answers)) >= LOCK_MS


@rule("R3")
@rule("R37")
@rule("R69")
def test_two_processes_whose_clocks_are_a_minute_apart_never_go_back(
    tmp_path: Path, database_url: str | None
) -> None:
    """Once one of them received after the lock, the other's earlier clock opens the week no more."""
    folder = tmp_path / "server"
    clocks = [SetClock.at(tmp_path / f"clock-{at}", BEFORE_MS - at * MINUTE_MS) for at in (0, 1)]
    with ExitStack() as stack:
        ahead, behind = (
            stack.enter_context(running(folder, database_url=database_url, environment=clock.environment()))
            for clock in clocks
        )
        author = enrolled(ahead)
        received = []
        for at in range(20):
            client = (ahead, behind)[at % 2].client
            received += client.push(author, author.capture(SUNDAY - 2 - at))
        clocks[0].put(LOCK_MS)
        clocks[1].put(LOCK_MS - MINUTE_MS)
        received += ahead.client.push(author, author.capture(slot("2026-11-23T10:00Z")))
        late = behind.client.push(author, author.entry(SUNDAY, memo="by the clock that is behind"))
        assert server_ms(behind.client) < LOCK_MS
    assert set(reasons(received)) == {"received"}
    instants = [instant_of(answer) for answer in received]
    assert instants == sorted(instants)
    assert instants[-2] < LOCK_MS <= instants[-1]
    assert reasons(late) == ["week_locked"]
    assert instant_of(late[0]) >= LOCK_MS
