"""PostgreSQL breaks a transaction off in each way it has: begun again, or answered as busy; never half (R40).

A trigger makes the database itself raise what it raises in trouble, so many times; a real deadlock, a real
full disk and a real administrator do the rest.
"""

import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from litestar.testing import TestClient

from diary.clock import GivenClock
from diary.rules.week import slot_at
from sync.server.app import create_app
from sync.server.faults import ATTEMPTS
from sync.server.settings import Settings
from tests.rule import rule
from tests.sync.server.author import Author
from tests.sync.server.conftest import WEDNESDAY
from tests.sync.server.postgres import Postgres
from tests.sync.server.process import Client, reasons

SLOT = slot_at(WEDNESDAY) - 2
BEGUN_AGAIN = {"40001": "serialization failure", "40P01": "deadlock", "57P01": "administrator's shutdown"}
BUSY = {
    "53100": "disk full",
    "53200": "out of memory",
    "53300": "too many connections",
    "57014": "statement timeout",
    "55P03": "lock timeout",
    "58030": "I/O error",
    "25006": "read only, as a standby is",
}
TROUBLE = """
    CREATE TABLE trouble (times INTEGER NOT NULL);
    CREATE SEQUENCE trouble_had;
    INSERT INTO trouble VALUES (0);
    CREATE FUNCTION make_trouble() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        -- A sequence is not rolled back: what was raised before is remembered.
        IF nextval('trouble_had') <= (SELECT times FROM trouble) THEN
            RAISE EXCEPTION 'trouble on purpose' USING ERRCODE = '{code}';
        END IF;
        RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER trouble AFTER INSERT ON version
        {when} FOR EACH ROW EXECUTE FUNCTION make_trouble();
"""


class Troubled:
    """A server whose database raises an error at the next rows, as it writes them or only at COMMIT."""

    def __init__(self, url: str, client: Client) -> None:
        self.url = url
        self.client = client
        self.author = Author()
        client.enrol(self.author, self.author.enrol(self.author.terms()))

    def trouble(self, code: str, when: str, times: int) -> None:
        with psycopg.connect(self.url) as line:
            line.execute(TROUBLE.format(code=code, when=when).encode())
            line.execute("UPDATE trouble SET times = %s", [times])


@pytest.fixture
def troubled(cluster: Postgres, tmp_path: Path) -> Iterator[Troubled]:
    url = cluster.new_database()
    settings = Settings(folder=tmp_path / "server", database_url=url)
    with TestClient(create_app(settings, GivenClock(WEDNESDAY))) as http:
        yield Troubled(url, Client(http))


AS_IT_WRITES_AND_AT_COMMIT = pytest.mark.parametrize(
    "when", ["NOT DEFERRABLE", "DEFERRABLE INITIALLY DEFERRED"], ids=["as it writes", "at commit"]
)


@rule("R40")
@rule("R69")
@AS_IT_WRITES_AND_AT_COMMIT
@pytest.mark.parametrize("code", BEGUN_AGAIN, ids=BEGUN_AGAIN.values())
def test_what_the_database_breaks_off_is_begun_again_and_taken_once(
    troubled: Troubled, code: str, when: str
) -> None:
    troubled.trouble(code, when, ATTEMPTS - 1)
    assert reasons(troubled.client.push(troubled.author, troubled.author.capture(SLOT))) == ["received"]
    assert len(troubled.client.pull_all(troubled.author)[troubled.author.contract]) == 2


@rule("R40")
@rule("R69")
@AS_IT_WRITES_AND_AT_COMMIT
@pytest.mark.parametrize("code", [*BEGUN_AGAIN, *BUSY], ids=[*BEGUN_AGAIN.values(), *BUSY.values()])
def test_a_trouble_that_lasts_is_answered_as_busy_and_stores_nothing(
    troubled: Troubled, code: str, when: str
) -> None:
    troubled.trouble(code, when, ATTEMPTS)
    author, client = troubled.author, troubled.client
    push = author.push(author.capture(SLOT), author.entry(SLOT, memo="once"))
    answer = client.post("/v1/push", push, author)
    assert (answer.status_code, answer.json()["reason"]) == (503, "busy")
    assert "trouble" in answer.json()["because"]
    assert len(client.pull_all(author)[author.contract]) == 1
    with psycopg.connect(troubled.url) as line:
        line.execute("UPDATE trouble SET times = 0")
    assert reasons(client.send(author, push)) == ["received", "received"]
    assert len(client.pull_all(author)[author.contract]) == 3


@rule("R40")
@rule("R69")
def test_a_lock_that_is_not_given_up_is_answered_as_busy(troubled: Troubled) -> None:
    """Another process hangs with the account's lock; the next one asks again and gets it once it ended."""
    author, client = troubled.author, troubled.client
    push = author.push(author.capture(SLOT))
    with psycopg.connect(troubled.url) as hanging:
        hanging.execute("SELECT * FROM account WHERE account = %s FOR UPDATE", [author.account])
        answer = client.post("/v1/push", push, author)
        assert (answer.status_code, answer.json()["reason"]) == (503, "busy")
    assert reasons(client.send(author, push)) == ["received"]


@rule("R40")
@rule("R69")
def test_a_real_deadlock_ends_with_all_taken(troubled: Troubled, cluster: Postgres) -> None:
    """Another transaction holds what the push wants next, and wants what the push holds."""
    author, client = troubled.author, troubled.client
    answers = []
    push = author.push(author.capture(SLOT))
    with psycopg.connect(troubled.url) as other:
        other.execute("LOCK TABLE version IN SHARE ROW EXCLUSIVE MODE")
        pushing = threading.Thread(target=lambda: answers.append(client.send(author, push)))
        pushing.start()
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        while cluster.execute(waiting) != [(1,)]:
            assert pushing.is_alive()
        try:
            other.execute("SELECT * FROM account WHERE account = %s FOR UPDATE", [author.account])
        except psycopg.errors.DeadlockDetected:
            other.rollback()
    pushing.join()
    assert reasons(answers[0]) == ["received"]
    assert len(client.pull_all(author)[author.contract]) == 2
