"""Which accounts are not in good standing, as this process last read it (R30, R44).

They are few and change seldom: they are read twice a minute instead of with every request. A suspended
account's rows are taken as ever, for time counts by them and a deletion is refused by nothing; its pictures
wait on the device, and its freelancer is told why.
"""

from diary.rules.ids import AccountId
from sync.protocol import Suspended
from sync.server.faults import BusyError, SuspendedError
from sync.server.operating import AccountRule, OperatorBooks


class Standings:
    """The suspended accounts, as of the last `read`."""

    def __init__(self, books: OperatorBooks) -> None:
        self._books = books
        self._suspended: dict[AccountId, AccountRule] = {}

    def read(self) -> None:
        """Read them anew; while the database is away, what was read last goes on counting."""
        try:
            self._suspended = self._books.suspended()
        except BusyError:
            return

    def told(self, account: AccountId) -> Suspended | None:
        """Return what its freelancer is told; None for an account in good standing."""
        rule = self._suspended.get(account)
        if rule is None or rule.suspended_at_ms is None:
            return None
        return Suspended(since_ms=rule.suspended_at_ms, because=rule.because)

    def require_good(self, account: AccountId) -> None:
        """Return for an account in good standing.

        Raises:
            SuspendedError: The operator suspended it.
        """
        suspended = self.told(account)
        if suspended is not None:
            raise SuspendedError(because=suspended.because)
