"""A server that lost something lets an account's logs go on in a new epoch, by a signed statement (R43)."""

from diary.evidence.opening import KnownHead, Opening, SignedOpening
from diary.rules.ids import AccountId
from sync.server.log import ServerKey
from sync.server.storage import AccountHold, Storage

ACCOUNTS_AT_A_TIME = 1000


def open_epoch(hold: AccountHold, key: ServerKey, account: AccountId, *, above: int = 0) -> SignedOpening:
    """Let the account's logs go on in a new epoch from what is known of them, by a signed statement (R43).

    The epoch is greater than `above`, the newest one that anybody has shown.
    """
    epoch = max(hold.received_at_ms, hold.log_epoch + 1, above + 1)
    heads = {
        contract: KnownHead(log_epoch=log.log_epoch, size=log.size, root=log.leaves.root.hex())
        for contract, log in hold.all_logs().items()
    }
    signed = key.opening(
        Opening(account=account, log_epoch=epoch, opened_at_ms=hold.received_at_ms, heads=heads)
    )
    hold.open_epoch(epoch, signed)
    return signed


def open_epochs(storage: Storage, key: ServerKey) -> int:
    """Open a new epoch for every account: the operator says that a backup was restored; return how many."""
    opened, after = 0, None
    while accounts := storage.accounts(after, ACCOUNTS_AT_A_TIME):
        for account in accounts:
            with storage.hold(account) as hold:
                open_epoch(hold, key, account)
        opened, after = opened + len(accounts), accounts[-1]
    return opened
