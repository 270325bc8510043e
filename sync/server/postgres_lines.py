"""Connections to PostgreSQL: kept open, given to one thread at a time, dropped once broken (R40, R69).

What goes wrong on the way becomes one of two faults: `BrokenOffError`, where beginning again is right at
once, and `BusyError`, where it is not. Either way a transaction was committed as a whole or not at all; a
connection lost at COMMIT leaves open which, and the names of the versions answer that (R40).
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, TypeAlias, TypeVar

import psycopg
from psycopg import errors

from diary.errors import UsageError
from sync.server.faults import BrokenOffError, BusyError, again

LINES_MAX = 16  # a process works on fewer requests at once; PostgreSQL's own limit is a hundred in all
CONNECT_SECONDS = 10
# A process that hangs must not keep an account's lock for ever, nor wait for one. Every question of ours is
# a few steps into an index: a plan made while the tables were small and kept must not read them all.
SESSION = (
    "-c lock_timeout=10s -c statement_timeout=60s -c idle_in_transaction_session_timeout=60s"
    " -c synchronous_commit=on -c client_encoding=UTF8"
    " -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off"
)

Line: TypeAlias = psycopg.Connection[tuple[object, ...]]
Answer: TypeAlias = psycopg.Cursor[tuple[object, ...]]
_Result = TypeVar("_Result")


class BadDatabaseUrlError(UsageError):
    """What was given names no database. It is not repeated: it may hold a password."""

    says = "That is no address of a PostgreSQL database."
    mend = "It looks like postgresql://user@host/database."


class Lines:
    """The open connections of one process."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._room = threading.BoundedSemaphore(LINES_MAX)
        self._lock = threading.Lock()
        self._idle: list[Line] = []
        self._ended = False

    @contextmanager
    def transaction(self, begin: str, *, piped: bool = True) -> Iterator[Line]:
        """Run one transaction on a connection of its own; `begin` is the statement that opens it.

        Statements of a piped one are sent without waiting: whoever reads an answer waits for all that were
        sent before, and whoever reads none learns of a failure at the commit. Each is one statement.

        Raises:
            BrokenOffError: The database broke it off, or the connection did.
            BusyError: The database cannot work now.
        """
        with self._room, self._line() as line:
            try:
                with line.pipeline() if piped else nullcontext():
                    line.execute(begin, prepare=False)
                    yield line
                    done = line.execute("COMMIT", prepare=False)
            except psycopg.Error as fault:
                broken = line.closed
                if (
                    piped
                ):  # statements behind the one that failed were never prepared; psycopg takes it they were
                    line.close()
                raise _fault_of(fault, broken=broken) from fault
            if done.statusmessage != "COMMIT":  # how PostgreSQL answers when an earlier statement failed
                raise BusyError(what="a transaction was rolled back where it was to be committed")

    def asked(self, begin: str, work: Callable[[Line], _Result], *, piped: bool = True) -> _Result:
        """Return what `work` returns from a transaction, begun again while it is broken off."""
        return again(lambda: self._once(begin, work, piped=piped))

    def _once(self, begin: str, work: Callable[[Line], _Result], *, piped: bool) -> _Result:
        with self.transaction(begin, piped=piped) as line:
            return work(line)

    def alone(self, work: Callable[[Line], _Result]) -> _Result:
        """Return what `work` returns from its one statement, which needs no transaction around it.

        Raises:
            BrokenOffError: The connection broke.
            BusyError: The database cannot work now.
        """
        with self._room, self._line() as line:
            try:
                return work(line)
            except psycopg.Error as fault:
                raise _fault_of(fault, broken=line.closed) from fault

    def close(self) -> None:
        """Close the connections: the idle ones now, one that is in use when it comes back."""
        self._ended = True
        self._drop_idle()

    def _drop_idle(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for line in idle:
            line.close()

    @contextmanager
    def _line(self) -> Iterator[Line]:
        """Lend a connection; it comes back clean, or is closed."""
        with self._lock:
            line = self._idle.pop() if self._idle else None
        line = line or self._connected()
        try:
            yield line
        finally:
            lost = line.broken
            if not line.closed and line.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                try:
                    line.execute("ROLLBACK")
                except psycopg.Error:
                    lost = True
                    line.close()  # with the connection goes the transaction
            if not line.closed:
                with self._lock:
                    self._idle.append(line)
            if lost or self._ended:
                # What broke one connection, a restart say, broke those that lie idle too.
                self._drop_idle()

    def _connected(self) -> Line:
        try:
            return psycopg.connect(
                self._url, autocommit=True, connect_timeout=CONNECT_SECONDS, options=SESSION
            )
        except psycopg.ProgrammingError as fault:
            raise BadDatabaseUrlError from fault
        except psycopg.OperationalError as fault:
            raise BrokenOffError(what=_sentence(fault)) from fault


def _fault_of(fault: psycopg.Error, *, broken: bool) -> Exception:
    """Return what a transaction's failure amounts to; our own mistakes stay what they are."""
    # Two requests that open one account at once collide on its first rows: the second then finds them.
    collided = isinstance(
        fault, errors.SerializationFailure | errors.DeadlockDetected | errors.UniqueViolation
    )
    if broken or collided or isinstance(fault, errors.AdminShutdown):
        return BrokenOffError(what=_sentence(fault))
    # After a failover the line may lead to a standby, which takes nothing.
    if isinstance(fault, psycopg.OperationalError | errors.ReadOnlySqlTransaction):
        return BusyError(what=_sentence(fault))
    return fault


def _sentence(fault: psycopg.Error) -> str:
    """Return what happened; never the statement's values, which the message's further lines may hold."""
    return (str(fault).splitlines() or [type(fault).__name__])[0]


def all_rows(line: Line, statement: Any, **asked: object) -> list[Any]:
    """Return all rows of a statement that gives rows."""
    return line.execute(statement, asked or None, binary=True).fetchall()


def bigints(numbers: Iterable[int | None]) -> str:
    """Return whole numbers as PostgreSQL writes an array of them.

    psycopg looks through a list of numbers for the type that holds them all, which takes longer than the
    question itself; every statement says what its array is.
    """
    return "{" + ",".join("NULL" if number is None else str(int(number)) for number in numbers) + "}"
