"""What is due for accounts for which nobody asks: weeks to seal, steps of invoices (R57, R61, R62)."""

import structlog

from diary.rules.ids import AccountId, Millis
from diary.rules.invoice import Life
from sync.server import agency_bills, closing
from sync.server.clock_watch import ClockWatch
from sync.server.log import ServerKey
from sync.server.storage import Storage

ACCOUNTS_AT_A_TIME = 100

_log = structlog.get_logger("workdiary.server")


def do_what_is_due(storage: Storage, key: ServerKey, watch: ClockWatch, life: Life, now_ms: Millis) -> None:
    """Do all of it, an account after the other; stop where the clock is not sure any more."""
    lock_ms = closing.last_lock_ms(now_ms)

    def seal(account: AccountId) -> list[AccountId]:
        with storage.hold(account) as hold:
            issued = closing.seal_due(hold, account, key, watch, life)
            is_sealed = hold.sealed_until_ms >= lock_ms
            waits_for = [] if is_sealed else agency_bills.unsealed_members(hold, account, lock_ms)
        if issued:
            _log.info("sealed", account=account, seals=issued)
        return waits_for

    looked_at: set[AccountId] = set()
    while accounts := (
        storage.unsealed(lock_ms, ACCOUNTS_AT_A_TIME) or storage.invoices.due(now_ms, ACCOUNTS_AT_A_TIME)
    ):
        if looked_at.issuperset(accounts):
            return  # a clock that went back finds nothing due of what another found
        looked_at.update(accounts)
        for account in accounts:
            if not watch.is_sure():
                return
            # What an agency bills lies under its members' accounts, which are sealed before it.
            if members := seal(account):
                for member in members:
                    seal(member)
                seal(account)
