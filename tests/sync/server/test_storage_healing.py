"""What every backend keeps of an account that is still to be shown what its server lost (R43, R61)."""

from dataclasses import replace

import apsw
import psycopg
import pytest

from diary.clock import GivenClock
from diary.evidence.opening import FIRST_EPOCH, SignedOpening
from diary.rules.ids import Slot
from sync.server.faults import BrokenOffError
from sync.server.kept_healing import NOTHING_HEALED, LostSeal
from sync.server.kept_invoices import NewInvoice
from sync.server.storage import Storage
from sync.server.storage_postgres import PostgresStorage
from sync.server.storage_sqlite import SqliteStorage
from tests.rule import rule
from tests.sync.server.conftest import START
from tests.sync.server.test_storage_invoices import FIRST, KEY, NEXT, SECOND, issued, keep
from tests.sync.server.versions import ACCOUNT, CONTRACT, OTHER_ACCOUNT, OTHER_CONTRACT, ROOT, SLOT

OPENING = SignedOpening(text="opening", signature=bytes(64))
LOST = LostSeal(CONTRACT, NEXT, log_epoch=1, number=4)


@pytest.fixture(autouse=True)
def _opened(storage: Storage) -> None:
    for account in (ACCOUNT, OTHER_ACCOUNT):
        with storage.hold(account) as hold:
            hold.open_account(ROOT)


@rule("R43")
def test_an_account_waits_from_the_opening_of_an_epoch_until_it_was_shown_all(storage: Storage) -> None:
    with storage.hold(ACCOUNT) as hold:
        assert hold.healing.waits_from is None
        hold.open_epoch(5, OPENING)
        assert hold.healing.waits_from == NOTHING_HEALED
    with storage.hold(ACCOUNT) as hold:
        hold.healing.note(Slot(SLOT))
    with storage.hold(ACCOUNT) as hold:
        hold.open_epoch(6, OPENING)
        assert hold.healing.waits_from == SLOT, "restored again, it has still to be sealed from there"
    with storage.hold(OTHER_ACCOUNT) as hold:
        assert hold.healing.waits_from is None
    assert storage.unsealed(START + 1, 9) == [OTHER_ACCOUNT]
    with storage.hold(ACCOUNT) as hold:
        hold.healing.note(None)
    with storage.hold(ACCOUNT) as hold:
        assert hold.healing.waits_from is None
    assert sorted(storage.unsealed(START + 1, 9)) == sorted([ACCOUNT, OTHER_ACCOUNT])


@rule("R43")
@rule("R57")
def test_of_the_seals_that_were_shown_the_newest_of_each_week_is_kept(storage: Storage) -> None:
    of_other = replace(LOST, contract=OTHER_CONTRACT, number=1)
    with storage.hold(ACCOUNT) as hold:
        hold.healing.keep_seals([])
        hold.healing.keep_seals([replace(LOST, number=3), LOST, replace(LOST, number=2), of_other])
        hold.healing.keep_seals([replace(LOST, number=1)])
    with storage.hold(ACCOUNT) as hold:
        assert hold.healing.seals({NEXT}) == {(CONTRACT, NEXT): LOST, (OTHER_CONTRACT, NEXT): of_other}
        assert hold.healing.seals({"2026-W01"}) == {}
        later = replace(LOST, log_epoch=7, number=1)
        hold.healing.keep_seals([later])
        assert hold.healing.seals({NEXT, "2026-W01"})[CONTRACT, NEXT] == later
    with storage.hold(OTHER_ACCOUNT) as hold:
        assert hold.healing.seals({NEXT}) == {}


@rule("R43")
@rule("R61")
def test_what_is_shown_again_keeps_its_number_and_later_ones_are_greater(storage: Storage) -> None:
    keep(storage, FIRST)
    with storage.hold(ACCOUNT) as hold:
        hold.invoices.note_issued(4)
        hold.invoices.note_issued(2)
        assert hold.invoices.issued == 4
        hold.invoices.keep([NewInvoice(SECOND, KEY.invoice(SECOND), healed=True)])
        assert hold.invoices.issued == 4
        assert hold.invoices.held({1, 2, 3, 4}) == {1, 2}
        assert hold.invoices.held(set()) == set()
    with storage.hold(OTHER_ACCOUNT) as hold:
        assert (hold.invoices.issued, hold.invoices.held({1})) == (0, set())
    assert storage.invoices.last(ACCOUNT) == 2


@rule("R61")
def test_one_that_was_issued_once_more_stands_beside_the_one_that_is_shown_again(storage: Storage) -> None:
    keep(storage, FIRST)
    shown = issued(2, CONTRACT, OTHER_CONTRACT)
    with storage.hold(ACCOUNT) as hold:
        hold.invoices.keep([NewInvoice(shown, KEY.invoice(shown), healed=True)])
        assert hold.invoices.of_weeks({FIRST.week}) == [FIRST, shown]
    twice = issued(3, CONTRACT, OTHER_CONTRACT)
    if isinstance(storage, SqliteStorage | PostgresStorage):
        with pytest.raises((apsw.ConstraintError, BrokenOffError)), storage.hold(ACCOUNT) as hold:
            hold.invoices.keep([NewInvoice(twice, KEY.invoice(twice))])


@rule("R69")
def test_older_tables_learn_of_healing_and_wait_for_nothing(storage: Storage, clock: GivenClock) -> None:
    keep(storage, FIRST)
    older = (
        "DROP TABLE lost_seal",
        "ALTER TABLE account DROP COLUMN healing_from",
        "DROP INDEX invoice_once",
        "ALTER TABLE invoice DROP COLUMN healed",
        "CREATE UNIQUE INDEX invoice_once ON invoice (account, payer, currency, week) WHERE corrects IS NULL",
    )
    again: Storage
    if isinstance(storage, SqliteStorage):
        (path,) = (row[2] for row in storage._connection.execute("PRAGMA database_list"))
        for statement in older:
            storage._connection.execute(statement)
        storage._connection.pragma("user_version", 14)
        again = SqliteStorage(path, clock)
    elif isinstance(storage, PostgresStorage):
        with psycopg.connect(storage._lines._url, autocommit=True) as line:
            for statement in older:
                line.execute(statement)
            line.execute("UPDATE schema_version SET version = 11")
        again = PostgresStorage(storage._lines._url, clock)
    else:
        return
    with again.hold(ACCOUNT) as hold:
        assert (hold.healing.waits_from, hold.log_epoch) == (None, FIRST_EPOCH)
        assert hold.invoices.of_weeks({FIRST.week}) == [FIRST]
        hold.healing.keep_seals([LOST])
        assert hold.healing.seals({NEXT}) == {(CONTRACT, NEXT): LOST}
    again.close()
