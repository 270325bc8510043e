"""The migration that lays each refusal beside its sealed content, as all questions read it (R37d)."""

import sqlite3

_REFUSED = """
    CREATE VIEW refused AS
    SELECT refusal.replica AS replica,
           refusal.n AS n,
           refusal.contract AS contract,
           refusal.slot AS slot,
           refusal.what AS what,
           refusal.reason AS reason,
           refusal.because AS because,
           refusal.refused_at_ms AS refused_at_ms,
           refusal.header AS header,
           sealed.wrap AS wrap,
           sealed.body AS body,
           refusal.id AS id,
           refusal.dismissed_at_ms AS dismissed_at_ms
      FROM refusal
      LEFT JOIN sealed
        ON sealed.id = refusal.sealed
"""


def lay_refused_view(connection: sqlite3.Connection) -> None:
    """Lay the view of refusals (R37d)."""
    connection.execute(_REFUSED)
