"""The account is what PostgreSQL's tables can be spread by: in every key, and in every question (R69).

PostgreSQL itself is asked: with every table cut into parts by a hash of the account, its plan of each
statement says which parts it reads. An engine that spreads accounts over machines routes by the same
condition.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from diary.clock import GivenClock
from diary.evidence.opening import SignedOpening
from diary.evidence.statement import SignedStatement
from diary.rules.ids import Millis, Slot
from diary.rules.ledger import Facts, entries
from sync.server import storage_postgres_healing as healing
from sync.server import storage_postgres_invoices as invoices
from sync.server import storage_postgres_operator as operator_statements
from sync.server import storage_postgres_payments as payments
from sync.server import storage_postgres_schema as schema
from sync.server import storage_postgres_seals as seals
from sync.server import storage_postgres_statements as statements
from sync.server import storage_postgres_weeks as weeks
from sync.server.kept_healing import LostSeal
from sync.server.kept_log import NewSeal
from sync.server.kept_payments import KeptEvent, KeptMethod
from sync.server.operating import AccountRule, Act, Deed
from sync.server.storage import Question
from sync.server.storage_postgres import READ, PostgresStorage
from sync.server.storage_postgres_hold import leaves
from tests.diary.rules.billed import AVAILABLE, CLOSED, REVIEW_ENDS, position
from tests.rule import rule
from tests.sync.server.conftest import START
from tests.sync.server.postgres import Postgres
from tests.sync.server.test_storage_invoices import FIRST, keep
from tests.sync.server.test_storage_payments import begun, told
from tests.sync.server.versions import (
    ACCOUNT,
    CONTRACT,
    OTHER_ACCOUNT,
    OTHER_CONTRACT,
    REPLICA,
    ROOT,
    SLOT,
    append,
    capture,
    device_list,
    refused,
    terms,
)

PARTS = 4
EVERYTHING = 1 << 30
PICTURE = "9" * 64

# What goes to all accounts, and when. None of it is asked for a slot, a poll or a picture.
ACROSS_ACCOUNTS = {
    "FOREIGN": "once in a contract's life, when it is new: no two accounts may have one of the same id",
    "LAST_RECEIVED_OF_ALL": "once when a process starts, to know how long none was there (R6)",
    "LAST_OPENED": "once when a process starts, and by who restores a backup",
    "ACCOUNTS": "by who restores a backup",
    "SUSPENDED": "twice a minute by each process: who is not in good standing, by an index of those alone",
    "LINES": "by an operator who lists the accounts",
    "ALL_ACTS": "by an operator who reads what was done",
    "UNFINISHED": "now and then: of which open payments the gateway was not asked for a while (R63)",
    "OUTDATED": "now and then: whose billing method the gateway was not asked about for long (R11)",
    "DUE": "now and then, to tidy up: whose invoices go on to their next step (R62)",
    "UNSEALED": "now and then, to tidy up: whose weeks are due though nobody asks (R57)",
    "DOOMED": "once an hour, to tidy up: which pictures a process that is gone left to be removed",
}
UTILITIES = {"SWEEP", "WRITE"}
MODULES = (statements, operator_statements, seals, weeks, payments, invoices, healing)


@pytest.fixture
def url(cluster: Postgres) -> str:
    """Return a database whose tables are in parts by account; its log holds the plan of each statement."""
    url = cluster.new_database()
    name = Postgres.database_of(url)
    with psycopg.connect(url, autocommit=True) as line:
        made = re.sub(
            r"CREATE TABLE (\w+) \((\n.*?)\n    \)[^;]*;", _in_parts, schema.SCHEMA, flags=re.DOTALL
        )
        line.execute(made.encode())
    for setting in (
        "session_preload_libraries = 'auto_explain'",
        "auto_explain.log_min_duration = 0",
        "auto_explain.log_format = json",
        "plan_cache_mode = force_custom_plan",
    ):
        cluster.execute(f"ALTER DATABASE {name} SET {setting}")
    return url


def _in_parts(made: re.Match[str]) -> str:
    table, columns = made.groups()
    parts = (
        f"CREATE TABLE {table}_{part} PARTITION OF {table}"
        f" FOR VALUES WITH (MODULUS {PARTS}, REMAINDER {part});"
        for part in range(PARTS)
    )
    return f"CREATE TABLE {table} ({columns}) PARTITION BY HASH (account); {' '.join(parts)}"


@rule("R69")
def test_no_question_about_one_account_is_asked_of_all(cluster: Postgres, url: str) -> None:
    storage = PostgresStorage(url, GivenClock(START))
    live_through_everything(storage)
    storage.close()
    read = parts_read_by(plans_in(cluster.folder / "log"))
    known = [
        (name, normal(text))
        for module in MODULES
        for name, text in vars(module).items()
        if name.isupper() and isinstance(text, str) and name not in UTILITIES
    ]
    unseen = {name for name, text in known if text not in read}
    assert unseen == set(), "each statement is to be asked here once"
    across = {name for name, text in known if read[text] > 1}
    assert across == set(ACROSS_ACCOUNTS)


def live_through_everything(storage: PostgresStorage) -> None:
    """Ask everything that a server asks, of one account beside another."""
    pictures = ((PICTURE, 4096),)
    question = Question(
        REPLICA,
        frozenset({1, 9}),
        frozenset({(CONTRACT, Slot(SLOT))}),
        frozenset({CONTRACT}),
        parties=frozenset({CONTRACT}),
    )
    for account in (OTHER_ACCOUNT, ACCOUNT):
        with storage.hold(account) as hold:
            hold.open_account(ROOT)
            hold.admit(REPLICA, b"1" * 32)
    with storage.hold(ACCOUNT) as hold:
        append(hold, device_list(1), terms(2), capture(3, pictures=pictures), capture(4, slot=SLOT + 1))
        hold.refuse([refused(9)])
    with storage.hold(ACCOUNT) as hold:
        basis = hold.basis(question)
        assert (set(basis.answers), set(basis.logs), set(basis.terms)) == ({1, 9}, {CONTRACT}, {CONTRACT})
        assert len(basis.standing[CONTRACT, Slot(SLOT)]) == 1
        assert not basis.seats[CONTRACT].has_client
        assert hold.foreign({CONTRACT}) == set()
        assert hold.written_up_to(REPLICA) == 4  # a refused one stands in no log
        hold.end_seats({REPLICA})
        assert hold.all_logs()[CONTRACT].size == 3
        assert len(hold.segments(Slot(0), Slot(SLOT + 2))[CONTRACT]) == 2
        hold.keep_seals([NewSeal(CONTRACT, 1, "2026-W47", SignedStatement(text="{}", signature=b"s" * 64))])
        assert set(hold.newest_seals("2026-W47")) == {CONTRACT}
        hold.note_sealed(Millis(1))
        hold.open_epoch(7, SignedOpening(text="{}", signature=b"s" * 64))
    assert storage.make_room(ACCOUNT, PICTURE, EVERYTHING)
    assert storage.picture_arrived(ACCOUNT, PICTURE)
    assert storage.picture(ACCOUNT, PICTURE) is not None
    assert storage.picture_bytes(ACCOUNT) == 4096
    assert storage.is_picture_of(ACCOUNT, CONTRACT, PICTURE)
    assert storage.rivals(ACCOUNT, CONTRACT, range(SLOT + 9)).standing == {}
    assert storage.weeks(ACCOUNT, CONTRACT, (), 10) is not None
    assert [len(page.rows) for page in storage.feed(ACCOUNT, {}, 100, EVERYTHING).pages] == [1, 3]
    assert storage.feed(OTHER_ACCOUNT, {CONTRACT: basis.logs[CONTRACT].cursor}, 100, EVERYTHING).pages
    with storage.hold(ACCOUNT) as hold:
        hold.destroy([(REPLICA, 3)])
    assert storage.unsealed(Millis(1), 10) == [OTHER_ACCOUNT]
    assert len(storage._lines.asked(READ, lambda line: leaves(line, ACCOUNT, CONTRACT))) == 3
    assert storage.doomed(10) == storage.doomed(10, ACCOUNT) == [(ACCOUNT, PICTURE)]
    storage.pictures_removed([(ACCOUNT, PICTURE)])
    assert storage.highest_n(ACCOUNT, REPLICA) == 9
    assert storage.credential(ACCOUNT, REPLICA) is not None
    assert storage.newest_device_list(ACCOUNT) is not None
    assert len(storage.openings(ACCOUNT, 1)) == 1
    assert storage.last_opened() == 7
    assert set(storage.accounts(None, 10)) == {ACCOUNT, OTHER_ACCOUNT}
    assert storage.last_received_ms() is not None
    deeds: tuple[Deed, ...] = ("suspend", "resume")
    for deed in deeds:
        storage.operator.keep(Act(START, "ada", deed, ACCOUNT), AccountRule(suspended_at_ms=START))
    assert storage.operator.rule(ACCOUNT) == AccountRule(suspended_at_ms=START)
    assert list(storage.operator.suspended()) == [ACCOUNT]
    assert len(storage.operator.lines(None, 10)) == 2
    assert len(storage.operator.acts(ACCOUNT)) == len(storage.operator.acts()) == 2
    be_healed(storage)
    pay(storage)
    bill(storage)
    stand_beside(storage)
    assert storage.sweep()


def be_healed(storage: PostgresStorage) -> None:
    lost = LostSeal(CONTRACT, "2026-W47", log_epoch=1, number=1)
    with storage.hold(ACCOUNT) as hold:
        hold.healing.keep_seals([lost])
        assert hold.healing.seals({lost.week}) == {(CONTRACT, lost.week): lost}
        hold.healing.note(None)


def pay(storage: PostgresStorage) -> None:
    with storage.hold(ACCOUNT) as hold:
        hold.payments.keep(begun())
        assert hold.payments.under_way(CONTRACT, 7) == hold.payments.payment("1" * 32) == begun()
        assert hold.payments.keep_event(told(), START)
        assert hold.payments.events() == [KeptEvent(told(), START)]
        hold.payments.keep_method(KeptMethod("e" * 32, "stripe", "cus_1"))
        assert hold.payments.method("e" * 32) == KeptMethod("e" * 32, "stripe", "cus_1")
    assert len(storage.payments.methods(ACCOUNT)) == 1
    assert storage.payments.unfinished(Millis(2**50), 9) == [begun()]
    assert len(storage.payments.outdated(Millis(2**50), 9)) == 1


def bill(storage: PostgresStorage) -> None:
    keep(storage, FIRST)
    with storage.hold(ACCOUNT) as hold:
        assert hold.invoices.issued == 1
        assert hold.invoices.held({1, 2}) == {1}
        assert hold.invoices.of({CONTRACT}) == hold.invoices.of_weeks({FIRST.week}) == [FIRST]
        assert hold.invoices.stepping(REVIEW_ENDS) == [FIRST]
        hold.invoices.note_steps({1: AVAILABLE})
        hold.invoices.post(entries(replace(position(), contract=CONTRACT), Facts(), CLOSED))
        assert len(hold.invoices.entries({CONTRACT}, {1})) == 1
        assert hold.invoices.gateway_events({OTHER_CONTRACT}) == []
    for only in (None, CONTRACT):
        assert len(storage.invoices.invoices(ACCOUNT, 0, 9, only=only)) == 1
        assert storage.invoices.last(ACCOUNT, only=only) == 1
    assert len(storage.invoices.entries(ACCOUNT)) == 1
    assert storage.invoices.due(AVAILABLE, 9) == [ACCOUNT]


def stand_beside(storage: PostgresStorage) -> None:
    with storage.hold(OTHER_ACCOUNT) as hold:
        beside = hold.beside(ACCOUNT)
        assert beside.sealed_until_ms == 1
        assert (beside.memberships(), beside.managed()) == ([], set())


def plans_in(log: Path) -> list[dict[str, Any]]:
    """Return the plans that auto_explain wrote; each is a JSON object behind a line of the log."""
    text, decoder = log.read_text(encoding="utf-8"), json.JSONDecoder()
    return [decoder.raw_decode(text, plan.end())[0] for plan in re.finditer(r" plan:\n\s*(?=\{)", text)]


def parts_read_by(plans: list[dict[str, Any]]) -> dict[str, int]:
    """Return by each statement how many parts one asking of it read at most."""
    read: dict[str, int] = {}
    for plan in plans:
        statement = normal(plan["Query Text"])
        read[statement] = max(read.get(statement, 0), len(set(parts_in(plan["Plan"]))))
    return read


def parts_in(plan: dict[str, Any]) -> Iterator[str]:
    found = re.fullmatch(r"\w+_(\d)", plan.get("Relation Name", ""))
    if found:
        yield found[1]
    for inner in plan.get("Plans", ()):
        yield from parts_in(inner)


def normal(statement: str) -> str:
    """Return a statement with its parameters numbered, as the driver sends it, in one line."""
    numbers: dict[str, int] = {}
    numbered = re.sub(
        r"%\((\w+)\)[sb]", lambda name: f"${numbers.setdefault(name[1], len(numbers) + 1)}", statement
    )
    return " ".join(numbered.replace("%%", "%").split())


@rule("R69")
def test_every_key_begins_with_the_account(cluster: Postgres) -> None:
    url = cluster.new_database()
    PostgresStorage(url, GivenClock(START)).close()
    with psycopg.connect(url) as line:
        keys = line.execute("""
            SELECT relation.relname, index.indkey[0] = account.attnum
              FROM pg_index AS index
              JOIN pg_class AS relation ON relation.oid = index.indrelid
              JOIN pg_namespace AS space ON space.oid = relation.relnamespace AND space.nspname = 'public'
              JOIN pg_attribute AS account ON account.attrelid = relation.oid AND account.attname = 'account'
             WHERE index.indisunique
        """).fetchall()
        references = line.execute("""
            SELECT key.conname, account.attnum = ANY (key.conkey)
              FROM pg_constraint AS key
              JOIN pg_attribute AS account ON account.attrelid = key.conrelid AND account.attname = 'account'
             WHERE key.contype = 'f'
        """).fetchall()
        without = line.execute("""
            SELECT relname
              FROM pg_class
             WHERE relnamespace = 'public'::regnamespace
               AND relkind = 'r'
               AND NOT EXISTS (SELECT 1
                                 FROM pg_attribute
                                WHERE attrelid = pg_class.oid AND attname = 'account')
        """).fetchall()
    assert len(keys) >= 9
    assert [table for table, begins in keys if not begins] == []
    assert len(references) >= 6
    assert [key for key, holds in references if not holds] == []
    assert without == [("schema_version",)]
