"""What every storage keeps of what the parties say to each other (R10, R62, R69)."""

from pathlib import Path

import pytest

from diary.clock import GivenClock
from diary.rules.act_parts import DisputeInClear, RequestInClear
from diary.rules.segment import Header
from sync.server.storage import Question, Storage
from sync.server.storage_sqlite import SqliteStorage
from tests.rule import rule
from tests.sync.server.versions import (
    ACCOUNT,
    CONTRACT,
    OTHER_CONTRACT,
    REPLICA,
    SLOT,
    append,
    capture,
    terms,
)


def act(kind: str, n: int, **parts: object) -> Header:
    named = {"account": ACCOUNT, "contract": CONTRACT, "replica": REPLICA, "n": n}
    return Header(v=1, type=kind, head=None, **named, **parts)  # type: ignore[arg-type]


ASKED = act("request", 4, request=RequestInClear(kind="manual_time"))
DISPUTED = act("dispute", 5, dispute=DisputeInClear(act="replied", slots=(SLOT,)))


@rule("R69")
@pytest.mark.parametrize("folded", [False, True], ids=["asked alone", "asked with the rest"])
def test_acts_come_in_log_order_with_their_receipt(
    storage: Storage, clock: GivenClock, *, folded: bool
) -> None:
    with storage.hold(ACCOUNT) as hold:
        append(hold, terms(2), capture(3), ASKED, terms(6, contract=OTHER_CONTRACT))
        first_ms = hold.received_at_ms
    clock.put(first_ms + 5)
    with storage.hold(ACCOUNT) as hold:
        append(hold, DISPUTED)
    with storage.hold(ACCOUNT) as hold:
        both = frozenset({CONTRACT, OTHER_CONTRACT})
        asked = Question(replica=REPLICA, ns=frozenset(), places=frozenset(), contracts=both, parties=both)
        found = hold.basis(asked).acts if folded else hold.acts(both)
    assert [(held.header, held.received_at_ms) for held in found[CONTRACT]] == [
        (ASKED, first_ms),
        (DISPUTED, first_ms + 5),
    ]
    assert found[OTHER_CONTRACT] == []


@rule("R69")
@pytest.mark.parametrize(("statement", "index"), [("ACTS", "version_acts"), ("SEATS", "version_seats")])
def test_the_embedded_database_finds_acts_and_seats_by_their_own_index(
    statement: str, index: str, tmp_path: Path, clock: GivenClock
) -> None:
    """Not by the log's: a year of a contract has thousands of rows, and a handful of these."""
    from sync.server import storage_sqlite_statements as sql

    storage = SqliteStorage(tmp_path / "server.db", clock)
    asked = {"account": ACCOUNT, "contracts": "[]"}
    plan = storage._connection.execute(f"EXPLAIN QUERY PLAN {getattr(sql, statement)}", asked).fetchall()
    storage.close()
    assert f"USING INDEX {index}" in " ".join(str(line) for *_, line in plan)
