"""Reading weeks of a contract from the embedded database, within one transaction (R28, R64)."""

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

import apsw

from diary.evidence.receipt import LogRow, Page, SignedPush
from diary.rules.ids import AccountId, ContractId
from diary.rules.week import SLOTS_PER_WEEK, Week
from sync.server import storage_rows
from sync.server import storage_sqlite_statements as sql
from sync.server.storage_sqlite_hold import leaves, standing, terms
from sync.server.week_books import SLOTLESS_TYPES, SLOTS_BEFORE, Rivals, WeeksPart, week_of_number

NUMBERS = """
    SELECT DISTINCT (slot + :before) / :length
      FROM version
     WHERE account = :account AND contract = :contract AND slot IS NOT NULL
     ORDER BY 1
"""

IN_SLOTS = """
    SELECT log_epoch, log_index, received_at_ms, push, header, body_hash, body, wrap, leaf
      FROM version
     WHERE account = :account AND contract = :contract AND slot >= :first AND slot < :end
     LIMIT :rows_max
"""

SLOTLESS = """
    SELECT log_epoch, log_index, received_at_ms, push, header, body_hash, body, wrap, leaf
      FROM version
     WHERE account = :account
       AND contract = :contract
       AND slot IS NULL
       AND type IN (SELECT value FROM json_each(:types))
     LIMIT :rows_max
"""


def rivals(connection: apsw.Connection, account: AccountId, contract: ContractId, slots: range) -> Rivals:
    """Return what several contracts hold in the slots (see `WeekBooks.rivals`)."""
    asked = {"account": account, "contract": contract, "first": slots.start, "end": slots.stop}
    shared = [slot for (slot,) in connection.execute(sql.SHARED_SLOTS, asked)]
    if not shared:
        return Rivals({}, {})
    logs = connection.execute(sql.ALL_LOGS, {"account": account})
    contracts = [name for name, *_ in logs if name != account]
    places = [(name, slot) for slot in shared for name in contracts]
    return Rivals(standing(connection, account, places), terms(connection, account, contracts))


def weeks(
    connection: apsw.Connection,
    account: AccountId,
    contract: ContractId,
    wanted: Sequence[Week],
    rows_max: int,
) -> WeeksPart | None:
    """Return weeks of a contract's log (see `WeekBooks.weeks`)."""
    own: dict[str, str | int] = {"account": account, "contract": contract, "rows_max": rows_max + 1}
    kept = connection.execute(sql.LOGS, own | {"contracts": json.dumps([contract])}).fetchone()
    if kept is None:
        return None
    log = storage_rows.log(kept[1:], partial(leaves, connection, account, contract))
    numbers = _all(connection, NUMBERS, own | {"before": SLOTS_BEFORE, "length": SLOTS_PER_WEEK})
    all_weeks = [week_of_number(number) for (number,) in numbers]
    shown = tuple(wanted) or tuple(all_weeks[-1:])
    rows = _all(connection, SLOTLESS, own | {"types": json.dumps(SLOTLESS_TYPES)})
    for week in shown:
        rows += _all(connection, IN_SLOTS, {**own, "first": week.slots.start, "end": week.slots.stop})
    page: Page | None = None
    if len(rows) <= rows_max:
        rows.sort()
        read = [storage_rows.log_row(epoch, row) for epoch, *row in rows]
        page = Page(contract=contract, rows=read, pushes=_pushes(connection, account, read), head=log.cursor)
    return WeeksPart(page, log.leaves.root, [week.first_slot for week in all_weeks], shown)


def _pushes(connection: apsw.Connection, account: AccountId, rows: Sequence[LogRow]) -> dict[str, SignedPush]:
    pushes: dict[str, SignedPush] = {}
    for name in {row.push for row in rows}:
        asked = {"account": account, "hash": bytes.fromhex(name)}
        ((replica, hashes, signature),) = connection.execute(sql.PUSH, asked)
        pushes[name] = SignedPush(replica=replica, hashes=hashes, signature=signature)
    return pushes


def _all(connection: apsw.Connection, statement: str, asked: dict[str, str | int]) -> list[Any]:
    """Return all rows; STRICT tables answer for the types of their columns."""
    return list(connection.execute(statement, asked))
