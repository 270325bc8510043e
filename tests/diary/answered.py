"""What a sync notes on the device of a version it sent, by the very verbs of a sync (R25, R40, R56)."""

import sqlite3

from diary.evidence.receipt import Receipt
from diary.rules.ids import ContractId
from diary.store import sending
from diary.store.versions import Name


def pushed(connection: sqlite3.Connection, name: Name, push: str) -> None:
    (version,) = connection.execute("SELECT id FROM version WHERE replica = ? AND n = ?", name).fetchone()
    sending.mark_pushed(connection, [version], push)


def received(connection: sqlite3.Connection, name: Name, *, at_ms: int, index: int) -> None:
    replica, n = name
    receipt = Receipt(
        replica=replica,
        n=n,
        contract=ContractId(""),
        log_epoch=1,
        index=index,
        received_at_ms=at_ms,
        leaf="",
    )
    sending.receive(connection, [receipt])
