"""Which weeks hold anything, without a look at every slot of them (R2).

A diary of ten years has 125,000 slots in 520 weeks, and its first page asks for the weeks: so each week's
newest slot is sought in the index, and the next week begins before it.
"""

import sqlite3
from collections.abc import Iterator

from diary.rules.ids import Slot
from diary.rules.week import Week

_NEWEST_BEFORE = """
    SELECT max(slot)
      FROM version
     WHERE slot < :before AND type IN ('capture', 'entry')
"""
_NEWEST_DRAFT_BEFORE = """
    SELECT max(slot)
      FROM draft
     WHERE slot < :before AND removed = 0
"""
_FOR_EVER = 2**62


def weeks_held(connection: sqlite3.Connection) -> Iterator[Week]:
    """Yield the weeks that hold a capture, an entry or a draft, the newest first."""
    before = _FOR_EVER
    while True:
        asked = (
            connection.execute(each, {"before": before}) for each in (_NEWEST_BEFORE, _NEWEST_DRAFT_BEFORE)
        )
        newest = max(
            (found for (found,) in (cursor.fetchone() for cursor in asked) if found is not None), default=None
        )
        if newest is None:
            return
        week = Week.of(Slot(newest))
        yield week
        before = week.first_slot
