"""PostgreSQL goes away, comes back and collides: nothing answered is lost, none counts twice (R40, R69)."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from litestar.testing import TestClient

from diary.clock import GivenClock
from diary.rules.ids import Slot
from diary.rules.week import slot_at
from sync.server.app import create_app
from sync.server.faults import BrokenOffError, BusyError
from sync.server.postgres_lines import BadDatabaseUrlError
from sync.server.settings import Settings
from sync.server.storage_postgres import SWEEP_PAUSE_MILLIS, PostgresStorage, UnknownTablesError
from tests.rule import rule
from tests.sync.server.author import Author
from tests.sync.server.conftest import WEDNESDAY
from tests.sync.server.cutting_line import cutting_line
from tests.sync.server.postgres import Postgres, postgres
from tests.sync.server.process import Client, reasons, running
from tests.sync.server.versions import ACCOUNT, CONTRACT, REPLICA, ROOT, append, capture, terms

SLOT = slot_at(WEDNESDAY) - 2
NOW_SLOT = slot_at(int(time.time() * 1000)) - 1


@pytest.fixture
def url(cluster: Postgres) -> str:
    return cluster.new_database()


@pytest.fixture
def clock() -> GivenClock:
    return GivenClock(WEDNESDAY)


@pytest.fixture
def storage(url: str, clock: GivenClock) -> Iterator[PostgresStorage]:
    storage = PostgresStorage(url, clock)
    with storage.hold(ACCOUNT) as hold:
        hold.open_account(ROOT)
        append(hold, terms(1))
    yield storage
    storage.close()


@rule("R3")
def test_the_clock_is_read_after_the_lock_is_held(storage: PostgresStorage, clock: GivenClock) -> None:
    """A transaction that began before the week's lock and got the account after it is after it."""
    seen: list[int] = []
    waiting = threading.Event()

    def second() -> None:
        waiting.set()
        with storage.hold(ACCOUNT) as hold:
            seen.append(hold.received_at_ms)

    with storage.hold(ACCOUNT) as first:
        thread = threading.Thread(target=second)
        thread.start()
        waiting.wait()
        time.sleep(0.2)
        assert seen == []
        clock.put(WEDNESDAY + 60_000)
        assert first.received_at_ms == WEDNESDAY
    thread.join()
    assert seen == [WEDNESDAY + 60_000]


@rule("R69")
def test_one_accounts_lock_holds_up_no_other(storage: PostgresStorage) -> None:
    neighbour = Author().account
    with storage.hold(ACCOUNT):
        with storage.hold(neighbour) as other:
            other.open_account(ROOT)
        with storage.hold(neighbour) as other:
            assert other.device_list() is None


@rule("R69")
def test_a_push_reads_as_much_from_a_long_log_as_from_a_short_one(url: str, storage: PostgresStorage) -> None:
    """Also while PostgreSQL knows nothing of its tables, and by plans made when they were empty."""
    pushes, rows = 40, 50
    for push in range(pushes):
        ns = range(2 + push * rows, 2 + (push + 1) * rows)
        with storage.hold(ACCOUNT) as hold:
            assert hold.answers(REPLICA, ns) == {}
            assert set(map(len, hold.standing([(CONTRACT, Slot(SLOT - n)) for n in ns]).values())) == {0}
            assert set(hold.terms({CONTRACT})) == {CONTRACT}
            append(hold, *(capture(n, slot=SLOT - n) for n in ns))
        assert storage.highest_n(ACCOUNT, REPLICA) == ns[-1]
    storage.close()  # the count is complete once the connections are closed
    with psycopg.connect(url) as line:
        counted = line.execute(
            "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'version'"
        ).fetchone()
    assert counted is not None
    # The terms and the highest n of each push, with room to spare; a table read once a push would be 40,000.
    assert counted[0] <= pushes * 10


@rule("R40")
def test_lines_that_lay_idle_when_the_database_went_are_replaced(
    storage: PostgresStorage, cluster: Postgres
) -> None:
    assert storage.highest_n(ACCOUNT, REPLICA) == 1
    cluster.cut_lines()
    assert storage.highest_n(ACCOUNT, REPLICA) == 1


@rule("R40")
def test_a_line_that_is_lost_under_way_stores_nothing(storage: PostgresStorage, cluster: Postgres) -> None:
    def lose_it() -> None:
        with storage.hold(ACCOUNT) as hold:
            append(hold, capture(2))
            cluster.cut_lines()

    with pytest.raises(BrokenOffError):
        lose_it()
    assert storage.highest_n(ACCOUNT, REPLICA) == 1


@rule("R40")
@pytest.mark.parametrize("commit", [1, 2, 3])
def test_a_push_whose_commit_is_lost_on_the_line_is_taken_once(
    url: str, tmp_path: Path, clock: GivenClock, cluster: Postgres, commit: int
) -> None:
    """The database commits and the line breaks before it can say so: begun again, the names are known."""
    author = Author()
    with cutting_line(cluster.folder) as line:
        settings = Settings(folder=tmp_path / "server", database_url=line.url(Postgres.database_of(url)))
        with TestClient(create_app(settings, clock)) as http:
            client = Client(http)
            client.enrol(author, author.enrol(author.terms()))
            line.cut_after_commits = commit  # of the token's question, of the push, or of the pull
            assert reasons(client.push(author, author.capture(SLOT))) == ["received"]
            assert len(client.pull_all(author)[author.contract]) == 2
        assert line.cuts == 1


@rule("R40")
def test_two_devices_that_open_one_account_at_once_both_get_in(
    url: str, tmp_path: Path, clock: GivenClock
) -> None:
    settings = Settings(folder=tmp_path / "server", database_url=url)
    with TestClient(create_app(settings, clock)) as http:
        client = Client(http)
        client.key()
        for _ in range(5):
            author = Author()
            message = author.enrol(author.terms())
            with ThreadPoolExecutor(4) as pool:
                answers = list(pool.map(lambda _, a=author, m=message: client.enrol(a, m), range(4)))
            assert all(answer == answers[0] for answer in answers)
            assert reasons(answers[0]) == ["received", "received"]


@rule("R40")
def test_a_restart_under_load_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    author = Author()
    answered = []
    pushes = [author.push(author.capture(NOW_SLOT - at)) for at in range(150)]
    with (
        postgres(durable=True) as cluster,
        running(tmp_path / "server", database_url=cluster.new_database()) as server,
    ):
        server.client.enrol(author, author.enrol(author.terms()))
        restart = threading.Thread(target=cluster.restart)
        for at, push in enumerate(pushes):
            if at == 30:
                restart.start()
            while True:
                answer = server.client.post("/v1/push", push, author)
                if answer.status_code == 200:
                    break
                # Nothing else than the promised word, for as long as the database is away.
                assert (answer.status_code, answer.json()["reason"]) == (503, "busy")
                time.sleep(0.05)
            answered.append(answer.json()["answers"]["text"])
        restart.join()
        rows = server.client.pull_all(author)[author.contract]
        again = [server.client.post("/v1/push", push, author).json()["answers"]["text"] for push in pushes]
    assert len(rows) == 1 + len(pushes)
    assert again == answered


@rule("R25")
def test_deletions_are_vacuumed_now_and_then(storage: PostgresStorage, clock: GivenClock) -> None:
    assert storage.sweep()  # what another process may have left
    with storage.hold(ACCOUNT) as hold:
        append(hold, capture(2))
        hold.destroy([(REPLICA, 2)])
    assert not storage.sweep()
    clock.put(WEDNESDAY + SWEEP_PAUSE_MILLIS)
    assert storage.sweep()
    with storage.hold(ACCOUNT) as hold:
        assert hold.answers(REPLICA, {2})


@rule("R44")
def test_older_tables_learn_which_pictures_are_counted(url: str, clock: GivenClock) -> None:
    storage = PostgresStorage(url, clock)
    with storage.hold(ACCOUNT) as hold:
        hold.open_account(ROOT)
        append(hold, capture(2, pictures=(("9" * 64, 4096), ("8" * 64, 8192))))
    storage.picture_arrived(ACCOUNT, "9" * 64)
    storage.close()
    with psycopg.connect(url, autocommit=True) as line:
        line.execute("ALTER TABLE picture DROP COLUMN counted")
        line.execute("ALTER TABLE replica DROP COLUMN contract")
        line.execute("DROP INDEX version_slotless")
        line.execute("DROP INDEX version_acts")
        line.execute("DROP INDEX version_seats")
        line.execute("DROP TABLE account_rule, operator_act, seal")
        line.execute("DROP TABLE posting, ledger_entry, invoice_contract, invoice, lost_seal")
        line.execute("ALTER TABLE account DROP COLUMN invoices, DROP COLUMN ledger_due_ms")
        line.execute("ALTER TABLE account DROP COLUMN healing_from")
        line.execute("DROP TABLE gateway_payment, gateway_event, billing_method")
        line.execute("ALTER TABLE account DROP COLUMN sealed_until_ms")
        line.execute("ALTER TABLE contract DROP COLUMN peaks, DROP COLUMN seals")
        line.execute("UPDATE schema_version SET version = 2")
    storage = PostgresStorage(url, clock)
    assert storage.picture_bytes(ACCOUNT) == 4096
    with storage.hold(ACCOUNT) as hold:
        hold.destroy([(REPLICA, 2)])
    assert storage.picture_bytes(ACCOUNT) == 0
    storage.close()


def test_tables_of_another_version_are_not_touched(url: str, clock: GivenClock) -> None:
    PostgresStorage(url, clock).close()
    with psycopg.connect(url, autocommit=True) as line:
        line.execute("UPDATE schema_version SET version = 99")
    with pytest.raises(UnknownTablesError):
        PostgresStorage(url, clock)


def test_processes_that_start_at_once_make_the_tables_once(url: str, clock: GivenClock) -> None:
    with ThreadPoolExecutor(4) as pool:
        for storage in pool.map(lambda _: PostgresStorage(url, clock), range(4)):
            assert storage.last_received_ms() is None
            storage.close()


def test_what_is_no_address_of_a_database_is_told_so(clock: GivenClock) -> None:
    for url in ("diary", "postgresql://diary?secret=1"):
        with pytest.raises(BadDatabaseUrlError) as raised:
            PostgresStorage(url, clock)
        assert "secret" not in str(raised.value)


def test_a_database_that_is_not_there_is_named_without_its_password(clock: GivenClock) -> None:
    with pytest.raises(BusyError) as raised:
        PostgresStorage("postgresql://diary:secret@127.0.0.1:9/diary", clock)
    assert "secret" not in str(raised.value)
