"""Signed heads that a restored server is shown: they alone tell it that it lost something (R43, R56).

Within an epoch a log only grows. So a head that this server signed, and that its log does not bear out, says
that rows were lost, though not which: a client's page holds no more than that.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from itertools import islice

from diary.errors import PeerError
from diary.evidence.head import LogHead, read_head
from diary.evidence.merkle import CompactRange
from diary.rules.ids import AccountId, ContractId
from sync.protocol import Heal
from sync.server.clock_watch import ClockWatch
from sync.server.kept_log import Log
from sync.server.log import ServerKey
from sync.server.opening_epochs import open_epoch
from sync.server.storage import AccountHold, Storage


def heads_shown(message: Heal, server_key: bytes) -> list[LogHead]:
    """Return the heads that this server signed; one of no rows proves nothing.

    Whoever asks for a log that their account does not have is signed a head of no rows.
    """
    found: list[LogHead] = []
    for signed in message.heads:
        try:
            head = read_head(signed, server_key)
        except PeerError:
            continue
        if head.size:
            found.append(head)
    return found


def held_against_logs(
    hold: AccountHold, heads: Sequence[LogHead], own: ContractId | None
) -> tuple[int, list[LogHead]]:
    """Return the greatest epoch of a head that the account's logs do not bear out, 0 for none; and the rest.

    The rest are of logs that are longer by now: their first rows are still to be looked at. `own` is the one
    contract of a seat, None for a device. A head of an epoch that is over proves nothing: what was lost since
    was stated. Nor does one of another account's contract.
    """
    current = [head for head in heads if head.log_epoch >= hold.log_epoch and own in {None, head.contract}]
    contracts = {head.contract for head in current}
    logs = hold.logs(contracts) if contracts else {}
    unknown = contracts - logs.keys()
    foreign: Collection[ContractId] = hold.foreign(unknown) if unknown else ()
    proven, longer = 0, []
    for head in current:
        log = logs.get(head.contract, Log(hold.log_epoch))
        if head.contract in foreign:
            continue
        if head.log_epoch == hold.log_epoch and head.size < log.size:
            longer.append(head)
        elif not _is_head_of(log, head):
            proven = max(proven, head.log_epoch)
    return proven, longer


def state_what_was_replaced(
    storage: Storage, key: ServerKey, watch: ClockWatch, account: AccountId, heads: Sequence[LogHead]
) -> None:
    """Open a new epoch where a log that is longer now begins with other rows than a head says (R43).

    That takes all leaves of the log, so the account's lock is not held meanwhile: those that are there stay.
    """
    by_contract: dict[ContractId, list[LogHead]] = defaultdict(list)
    for head in heads:
        by_contract[head.contract].append(head)
    for contract, shown in by_contract.items():
        shown.sort(key=lambda head: head.size)
        leaves = iter(storage.leaves(account, contract, shown[-1].size))
        log = CompactRange()
        for head in shown:
            log = log.extended(islice(leaves, head.size - log.size))
            if log.root.hex() != head.root:
                _open(storage, key, watch, account, head.log_epoch)
                return


def _open(storage: Storage, key: ServerKey, watch: ClockWatch, account: AccountId, epoch: int) -> None:
    with storage.hold(account) as hold:
        if hold.log_epoch > epoch:
            return  # it was stated meanwhile
        watch.require_sure()
        open_epoch(hold, key, account, above=epoch)


def _is_head_of(log: Log, head: LogHead) -> bool:
    return (log.log_epoch, log.size, log.leaves.root.hex()) == (head.log_epoch, head.size, head.root)
