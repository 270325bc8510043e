"""Transactions on the server's one SQLite connection: alone, or joined into one commit (R40).

The connection is one thread's at a time. Within `joined` each transaction of that thread is a savepoint: it
takes back its own when it fails, and what it stored is committed with the others, waiting for the disk once.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import apsw

from sync.server.faults import BusyError
from sync.server.sqlite_file import MACHINE_FAULTS


class SqliteTransactions:
    """The transactions of one connection; `lock` is held by the thread whose turn it is."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._joining = False
        self.lock = threading.RLock()  # of one thread, which comes in again when it joins transactions

    @contextmanager
    def joined(self) -> Iterator[None]:
        """Commit the transactions of the block together, at its end.

        Raises:
            BusyError: That commit failed: nothing of the block was stored.
        """
        with self.transaction("BEGIN IMMEDIATE"):
            self._joining = True
            try:
                yield
            finally:
                self._joining = False
            self._require_whole()

    @contextmanager
    def transaction(self, begin: str) -> Iterator[None]:
        """Run one transaction alone on the connection, or a part of the joined one.

        Raises:
            BusyError: The machine failed; nothing of the transaction was stored.
        """
        with self.lock:
            try:
                with self._part() if self._joining else self._whole(begin):
                    yield
            except MACHINE_FAULTS as fault:
                raise BusyError(what=str(fault)) from fault

    @contextmanager
    def _whole(self, begin: str) -> Iterator[None]:
        self._connection.execute(begin)
        try:
            yield
            self._connection.execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    @contextmanager
    def _part(self) -> Iterator[None]:
        self._require_whole()
        self._connection.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK TO part")
            raise
        finally:
            if self._connection.in_transaction:
                self._connection.execute("RELEASE part")

    def _require_whole(self) -> None:
        """Raise unless the joined transaction still stands: some faults of the disk break off all of it."""
        if not self._connection.in_transaction:
            raise BusyError(what="the disk failed under requests that were to be stored together")
