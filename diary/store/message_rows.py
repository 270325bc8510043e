"""The rows that messages are, and what the other party's rows say they were shown (R56, R68)."""

import sqlite3
from collections.abc import Iterable, Iterator

from diary.rules.ids import ContractId, ReplicaId
from diary.rules.message import ShownHead
from diary.rules.segment import stored_header
from diary.store.versions import Name

_CONTRACTS = """
    SELECT DISTINCT contract
      FROM version
     WHERE type = 'message' AND slot IS NULL
"""
# The order of `versions.slotless`, backwards.
_NEWEST_FIRST = """
    SELECT replica, n
      FROM version
     WHERE type = 'message' AND slot IS NULL AND contract = :contract
     ORDER BY received_at_ms IS NULL DESC, received_at_ms DESC, log_epoch DESC, leaf_index DESC,
              written_at_ms DESC, n DESC
"""
# By the replica's numbers, backwards: its last row of the contract names the newest head it was shown.
_LAST_OF = """
    SELECT header
      FROM version
     WHERE replica = :replica AND contract = :contract AND received_at_ms IS NOT NULL
     ORDER BY n DESC
     LIMIT 1
"""


def contracts(connection: sqlite3.Connection) -> tuple[ContractId, ...]:
    """Return the contracts in which there are messages."""
    return tuple(ContractId(contract) for (contract,) in connection.execute(_CONTRACTS))


def newest_first(connection: sqlite3.Connection, contract: ContractId) -> list[Name]:
    """Return the names of a contract's messages and marks, the last in its order first."""
    return [
        (ReplicaId(replica), n) for replica, n in connection.execute(_NEWEST_FIRST, {"contract": contract})
    ]


def heads_shown(
    connection: sqlite3.Connection, contract: ContractId, replicas: Iterable[ReplicaId]
) -> Iterator[ShownHead]:
    """Yield the newest head of the contract's log that each replica named in a row of its own (R56)."""
    for replica in replicas:
        row = connection.execute(_LAST_OF, {"replica": replica, "contract": contract}).fetchone()
        head = None if row is None else stored_header(row[0]).head
        if head is not None and head[0] == contract:
            yield head[1], head[2]
