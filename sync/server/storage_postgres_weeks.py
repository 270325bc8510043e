"""Reading weeks of a contract from PostgreSQL, within one transaction that sees one state (R28, R64)."""

from collections.abc import Sequence
from functools import partial

from diary.evidence.receipt import LogRow, Page, SignedPush
from diary.rules.ids import AccountId, ContractId
from diary.rules.week import SLOTS_PER_WEEK, Week
from sync.server import storage_postgres_statements as sql
from sync.server import storage_rows
from sync.server.postgres_lines import Line, all_rows
from sync.server.storage_postgres_hold import columns_of, leaves, standing_by_place
from sync.server.week_books import SLOTLESS_TYPES, SLOTS_BEFORE, Rivals, WeeksPart, week_of_number

NUMBERS = """
    SELECT DISTINCT (slot + %(before)s) / %(length)s
      FROM version
     WHERE account = %(account)s AND contract = %(contract)s AND slot IS NOT NULL
     ORDER BY 1
"""

IN_SLOTS = """
    SELECT log_epoch, log_index, received_at_ms, push, header, body_hash, body, wrap, leaf
      FROM version
     WHERE account = %(account)s AND contract = %(contract)s AND slot >= %(first)s AND slot < %(end)s
     LIMIT %(rows_max)s
"""

SLOTLESS = """
    SELECT v.log_epoch, v.log_index, v.received_at_ms, v.push, v.header, v.body_hash, v.body, v.wrap, v.leaf
      FROM unnest(%(types)s::text[]) AS asked (type)
     CROSS JOIN LATERAL (SELECT *
                           FROM version
                          WHERE version.account = %(account)s
                            AND version.contract = %(contract)s
                            AND version.slot IS NULL
                            AND version.type = asked.type
                         OFFSET 0) AS v
     LIMIT %(rows_max)s
"""


def rivals(line: Line, account: AccountId, contract: ContractId, slots: range) -> Rivals:
    """Return what several contracts hold in the slots (see `WeekBooks.rivals`)."""
    asked = {"account": account, "contract": contract, "first": slots.start, "end": slots.stop}
    shared = all_rows(line, sql.SHARED_SLOTS, **asked)
    if not shared:
        return Rivals({}, {})
    logs = all_rows(line, sql.ALL_LOGS, account=account)
    contracts = [name for name, *_ in logs if name != account]
    places = [(name, slot) for (slot,) in shared for name in contracts]
    columns = {"account": account, **columns_of(places)}
    standing = standing_by_place(places, line.execute(sql.STANDING, columns, binary=True))
    terms = all_rows(line, sql.TERMS, account=account, contracts=contracts)
    return Rivals(standing, storage_rows.terms(terms))


def weeks(
    line: Line, account: AccountId, contract: ContractId, wanted: Sequence[Week], rows_max: int
) -> WeeksPart | None:
    """Return weeks of a contract's log (see `WeekBooks.weeks`)."""
    own = {"account": account, "contract": contract}
    kept = all_rows(line, sql.LOGS, account=account, contracts=[contract])
    if not kept:
        return None
    log = storage_rows.log(kept[0][1:], partial(leaves, line, account, contract))
    numbers = all_rows(line, NUMBERS, **own, before=SLOTS_BEFORE, length=SLOTS_PER_WEEK)
    all_weeks = [week_of_number(number) for (number,) in numbers]
    shown = tuple(wanted) or tuple(all_weeks[-1:])
    rows = all_rows(line, SLOTLESS, **own, types=list(SLOTLESS_TYPES), rows_max=rows_max + 1)
    for week in shown:
        span = {"first": week.slots.start, "end": week.slots.stop, "rows_max": rows_max + 1}
        rows += all_rows(line, IN_SLOTS, **own, **span)
    page: Page | None = None
    if len(rows) <= rows_max:
        rows.sort()
        read = [storage_rows.log_row(epoch, row) for epoch, *row in rows]
        page = Page(contract=contract, rows=read, pushes=_pushes(line, account, read), head=log.cursor)
    return WeeksPart(page, log.leaves.root, [week.first_slot for week in all_weeks], shown)


def _pushes(line: Line, account: AccountId, rows: Sequence[LogRow]) -> dict[str, SignedPush]:
    names = list({bytes.fromhex(row.push) for row in rows})
    return {
        name.hex(): SignedPush(replica=replica, hashes=hashes, signature=signature)
        for name, replica, hashes, signature in all_rows(line, sql.PUSHES, account=account, names=names)
    }
