"""Pictures that gave way here and lie at the server still, and those that were asked for again (R31)."""

import sqlite3
from collections.abc import Iterable, Iterator

from diary.rules.ids import Millis, ReplicaId, Slot
from diary.rules.thinning import HeldPicture
from diary.store.versions import Name

# thinned_at_ms: it gave way here and lies at the server; wanted_at_ms: it was asked for again (R31).
_LAY = (
    "ALTER TABLE picture ADD COLUMN thinned_at_ms INTEGER",
    "ALTER TABLE picture ADD COLUMN wanted_at_ms INTEGER",
    """
CREATE INDEX picture_to_fetch
    ON picture (slot)
 WHERE sealed IS NULL AND at_server = 1 AND thinned_at_ms IS NULL
""",
)
_TOTAL = """
    SELECT ifnull(sum(size), 0)
      FROM picture
     WHERE sealed IS NOT NULL
"""
_HELD = """
    SELECT replica, n, idx, name, slot, size, at_server, wanted_at_ms
      FROM picture
     WHERE sealed IS NOT NULL AND slot < :before
     ORDER BY slot, replica, n, idx
"""
_THIN = """
    UPDATE picture
       SET sealed = NULL,
           thinned_at_ms = :now_ms
     WHERE name = :name AND sealed IS NOT NULL AND at_server = 1
"""
_WANT = """
    UPDATE picture
       SET thinned_at_ms = NULL,
           wanted_at_ms = :now_ms
     WHERE name = :name AND thinned_at_ms IS NOT NULL
"""
_COUNT = """
    SELECT count(*)
      FROM picture
     WHERE thinned_at_ms IS NOT NULL
"""


def total_bytes(connection: sqlite3.Connection) -> int:
    """Return how much room all pictures take that lie here."""
    return int(connection.execute(_TOTAL).fetchone()[0])


def held(connection: sqlite3.Connection, before: Slot) -> Iterator[tuple[Name, int, HeldPicture]]:
    """Yield the pictures of the slots before one that lie here: version, index and what they are."""
    for replica, n, index, name, slot, size, at_server, wanted_at_ms in connection.execute(
        _HELD, {"before": before}
    ):
        picture = HeldPicture(name, Slot(slot), size, bool(at_server), wanted_at_ms)
        yield (ReplicaId(replica), n), index, picture


def thin(connection: sqlite3.Connection, names: Iterable[str], now_ms: Millis) -> None:
    """Let go of pictures that the server has; their rows stay."""
    connection.executemany(_THIN, [{"name": name, "now_ms": now_ms} for name in names])


def want(connection: sqlite3.Connection, names: Iterable[str], now_ms: Millis) -> int:
    """Let thinned pictures be fetched with the next sync; return how many of these were thinned."""
    return connection.executemany(_WANT, [{"name": name, "now_ms": now_ms} for name in names]).rowcount


def count(connection: sqlite3.Connection) -> int:
    """Return how many pictures gave way."""
    return int(connection.execute(_COUNT).fetchone()[0])


def let_pictures_be_thinned(connection: sqlite3.Connection) -> None:
    """Lay, as a migration, the mark of pictures that gave way to their thumbnails (R31)."""
    for statement in _LAY:
        connection.execute(statement)
