"""Reading an account's feeds from PostgreSQL, within one transaction that sees one state (R43, R45)."""

from collections.abc import Mapping
from functools import partial

from diary.evidence.opening import FIRST_EPOCH
from diary.evidence.receipt import Cursor, LogRow, Page, SignedPush
from diary.evidence.statement import SignedStatement
from diary.rules.ids import AccountId, ContractId
from sync.server import storage_postgres_seals as seals_sql
from sync.server import storage_postgres_statements as sql
from sync.server import storage_rows
from sync.server.feeding import ReadPage, Room, feed_of
from sync.server.kept_log import SEALS_PAGE_MAX
from sync.server.postgres_lines import Line, all_rows
from sync.server.storage import Feed
from sync.server.storage_postgres_hold import leaves

FEED_ROWS = 100  # read at once: bodies of a megabyte each would still fit into memory


def feed(
    line: Line,
    account: AccountId,
    cursors: Mapping[ContractId, Cursor],
    room: Room,
    only: ContractId | None,
    roots: Mapping[ContractId, str],
) -> Feed:
    """Return what the feeds hold past the cursors (see `Storage.feed`)."""
    return feed_of(
        all_rows(line, sql.ALL_LOGS, account=account),
        cursors,
        room,
        log_epoch=lambda: _log_epoch(line, account),
        leaves=partial(leaves, line, account),
        read_from=partial(_page, line, account),
        seals=partial(_seals, line, account),
        only=only,
        roots_read=roots,
    )


def _page(
    line: Line, account: AccountId, contract: ContractId, head: Cursor, first: int, room: Room
) -> ReadPage:
    """Return the feed's rows from `first`."""
    rows: list[LogRow] = []
    found: list[bytes] = []
    before: str | None = None
    pushes: dict[str, SignedPush] = {}
    cost = 0
    end = min(head.size, first + room.rows)
    epochs = iter(_epochs(line, account, head))
    epoch = next(epochs)
    while first + len(rows) < end and cost < room.size:
        at = first + len(rows)
        # With the one before the page's first: its leaf tells a reader whether the log is the one they know.
        asked = {"account": account, "contract": contract, "log_epoch": epoch}
        asked |= {"first": at if rows else max(first - 1, 0), "end": min(end, at + FEED_ROWS)}
        part = all_rows(line, sql.FEED, **asked)
        if part and part[0][0] < first:
            before = part.pop(0)[-1].hex()
        if not part:
            epoch = next(epochs, 0)
            if epoch:
                continue  # the log goes on in the next epoch, by the same indexes (R43)
            break  # a hole: the reader sees that rows are missing and raises its alarm (R45)
        unknown = list({row[2] for row in part if row[2].hex() not in pushes})
        signed = {
            name.hex(): SignedPush(replica=replica, hashes=hashes, signature=signature)
            for name, replica, hashes, signature in all_rows(line, sql.PUSHES, account=account, names=unknown)
        }
        for row in part:
            read = storage_rows.log_row(epoch, row)
            if read.push not in pushes:
                pushes[read.push] = signed[read.push]
                cost += len(pushes[read.push].hashes)
            rows.append(read)
            found.append(row[-1])
            cost += storage_rows.cost(row)
            if cost >= room.size:
                break
    page = Page(contract=contract, rows=rows, pushes=pushes, head=head, before=before)
    return ReadPage(page, b"".join(found), cost)


def _seals(line: Line, account: AccountId, contract: ContractId, after: int) -> list[SignedStatement]:
    asked = {"account": account, "contract": contract, "after": after, "seals_max": SEALS_PAGE_MAX}
    rows = all_rows(line, seals_sql.SEALS, **asked)
    return [SignedStatement(text=text, signature=signature) for text, signature in rows]


def _epochs(line: Line, account: AccountId, head: Cursor) -> list[int]:
    """Return the epochs in which the log may have rows, in the rows' order (R43)."""
    if head.log_epoch == FIRST_EPOCH:
        return [FIRST_EPOCH]
    return [FIRST_EPOCH, *(epoch for (epoch,) in all_rows(line, sql.EPOCHS, account=account))]


def _log_epoch(line: Line, account: AccountId) -> int:
    rows = all_rows(line, sql.LOG_EPOCH, account=account)
    return rows[0][0] if rows else FIRST_EPOCH
