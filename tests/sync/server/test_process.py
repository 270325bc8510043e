"""A real server process: killed, restarted, asked twice at once (R37, R40, R46, R69)."""

import contextlib
import stat
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import httpx
import pytest

from diary.rules.week import slot_at
from diary.sealing.row import picture_name
from tests.rule import rule
from tests.sync.server.author import Author
from tests.sync.server.conftest import stored_at
from tests.sync.server.process import Client, Running, answers_in, reasons, running

if TYPE_CHECKING:
    from diary.evidence.receipt import Receipt, Refusal

SLOT = slot_at(int(time.time() * 1000)) - 1
PUSHES = 200
ROWS = 5
DEVICES = 50
PUSHES_EACH = 15
Run: TypeAlias = Callable[[], AbstractContextManager[Running]]


@pytest.fixture
def run(tmp_path: Path, database_url: str | None) -> Run:
    """Return what runs a process of one and the same server."""
    return partial(running, tmp_path / "server", database_url=database_url)


@rule("R40")
def test_a_kill_during_pushes_loses_nothing_that_was_answered(run: Run) -> None:
    author = Author()
    pushes = [
        author.push(*(author.capture(SLOT - ROWS * at - row) for row in range(ROWS))) for at in range(PUSHES)
    ]
    answered: list[list[Receipt | Refusal]] = []
    with run() as server:
        server.client.enrol(author, author.enrol(author.terms()))

        def push_until_it_dies() -> None:
            for push in pushes:
                try:
                    answered.append(server.client.send(author, push))
                except httpx.TransportError:
                    return

        pushing = threading.Thread(target=push_until_it_dies)
        pushing.start()
        while len(answered) < 20:
            time.sleep(0.001)
        server.kill()
        pushing.join()
    assert 20 <= len(answered) < PUSHES
    with run() as server:
        # The last push may have been committed without its answer: sent again, all are answered alike.
        again = [server.client.send(author, push) for push in pushes[: len(answered) + 1]]
        feeds = server.client.pull_all(author)
    assert again[: len(answered)] == answered
    assert all(reasons(answers) == ["received"] * ROWS for answers in again)
    assert len(feeds[author.contract]) == 1 + ROWS * len(again)


@rule("R40")
def test_a_kill_under_many_pushes_at_once_loses_nothing_that_was_answered(run: Run) -> None:
    """Pushes of many accounts may share a commit: then nobody is answered before it."""
    authors = [Author() for _ in range(DEVICES)]
    pushes = [[author.push(author.capture(SLOT - at)) for at in range(PUSHES_EACH)] for author in authors]
    answered: list[list[list[Receipt | Refusal]]] = [[] for _ in authors]
    with run() as server:
        for author in authors:
            server.client.enrol(author, author.enrol(author.terms()))
        key = server.client.key()

        def push_until_it_dies(at: int) -> None:
            with httpx.Client(base_url=server.client.http.base_url, timeout=30) as http:
                client = Client(http)
                for push in pushes[at]:
                    try:
                        answer = client.post("/v1/push", push, authors[at])
                    except httpx.TransportError:
                        return
                    answered[at].append(answers_in(answer, key))

        with ThreadPoolExecutor(DEVICES) as pool:
            waiting = [pool.submit(push_until_it_dies, at) for at in range(DEVICES)]
            while sum(map(len, answered)) < DEVICES * 2:
                time.sleep(0.001)
            server.kill()
            for one in waiting:
                one.result()
    assert sum(map(len, answered)) < DEVICES * PUSHES_EACH
    with run() as server:
        feeds = [server.client.pull_all(author)[author.contract] for author in authors]
        # The one under way may have been committed without its answer: sent again, all are answered alike.
        again = [
            [server.client.send(author, push) for push in pushed[: len(known) + 1]]
            for author, pushed, known in zip(authors, pushes, answered, strict=True)
        ]
    for author, feed, known, anew in zip(authors, feeds, answered, again, strict=True):
        assert anew[: len(known)] == known
        assert all(reasons(answers) == ["received"] for answers in anew), author.account
        assert len(known) <= len(feed) - 1 <= len(known) + 1


@rule("R45")
def test_devices_that_push_at_once_leave_no_hole_in_the_feed(run: Run) -> None:
    authors = [Author()]
    with run() as server:
        server.client.enrol(authors[0], authors[0].enrol(authors[0].terms()))
        for _ in range(2):
            authors.append(authors[-1].second_device())
            server.client.enrol(authors[-1])

        def push_all(author: Author) -> list[str]:
            with httpx.Client(base_url=server.client.http.base_url, timeout=30) as http:
                client = Client(http)
                words: list[str] = []
                for at in range(15):
                    rows = (author.capture(SLOT - at * 4 - row) for row in range(4))
                    words += reasons(client.push(author, *rows))
                return words

        with ThreadPoolExecutor(len(authors)) as pool:
            assert [set(words) for words in pool.map(push_all, authors)] == [{"received"}] * len(authors)
        rows = server.client.pull_all(authors[0])[authors[0].contract]
    assert len(rows) == 1 + 15 * 4 * len(authors)


@rule("R46")
def test_what_was_written_and_shown_is_nowhere_in_the_servers_files(
    run: Run, tmp_path: Path, database_url: str | None
) -> None:
    secret = "a memo that nobody else may read"
    author = Author()
    picture = author.picture()
    with run() as server:
        server.client.enrol(author, author.enrol(author.terms(title=secret)))
        capture = author.capture(SLOT, pictures=[picture])
        answers = server.client.push(author, capture, author.entry(SLOT, memo=secret))
        assert reasons(answers) == ["received", "received"]
        assert server.client.upload(author, picture_name(picture), picture).json()["whole"]
        log = server.log
        kept = stored_at(tmp_path / "server", database_url) + log.read_bytes()
    assert picture in kept
    assert author.replica.encode() in kept
    for planted in (secret.encode(), author.keys.token.encode(), author.epoch_key, author.keys.sign_seed):
        assert planted not in kept
    assert author.contract.encode() not in log.read_bytes()


def test_the_servers_key_is_its_own_and_stays(run: Run, tmp_path: Path) -> None:
    with run() as server:
        key = server.client.key()
    assert stat.S_IMODE((tmp_path / "server" / "server.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "server").stat().st_mode) == 0o700
    with run() as server:
        assert server.client.key() == key


@rule("R69")
def test_two_processes_share_one_database(run: Run) -> None:
    author = Author()
    with (
        run() as one,
        run() as two,
    ):
        assert one.client.key() == two.client.key()
        one.client.enrol(author, author.enrol(author.terms()))
        push = author.push(author.capture(SLOT))
        assert two.client.send(author, push) == one.client.send(author, push)
        assert len(two.client.pull_all(author)[author.contract]) == 2


def test_a_server_that_is_told_to_end_answers_first(run: Run) -> None:
    author = Author()
    with run() as server:
        server.client.enrol(author, author.enrol(author.terms()))
        push = author.push(*(author.capture(SLOT - at) for at in range(400)))
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(server.client.send, author, push)
            server.process.terminate()
            # A broken line would mean that it had not read the request yet: then nothing was taken.
            with contextlib.suppress(httpx.TransportError):
                assert set(reasons(answer.result())) == {"received"}
        assert server.process.wait(timeout=10) in {0, -15}
    with run() as server:
        assert set(reasons(server.client.send(author, push))) == {"received"}
