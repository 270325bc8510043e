"""A revoked device becomes one of the account again, by its phrase, with what it had not sent (R50).

It takes a new replica id with keys of its own, as a copy does (R42), and the root lists it. What it had not
sent is sealed anew only when the account's present keys have come: the old ones may be in anybody's hands.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from diary import beginning, listing, renewing
from diary.clock import Clock
from diary.evidence import device_list
from diary.opening import ACCOUNT, open_diary
from diary.rules.ids import ReplicaId
from diary.rules.segment import Sealed
from diary.sealing.key_tree import Root
from diary.state import OpenDiary
from diary.store import connection as files
from diary.store import meta, outbox, renewal, replica, versions

REVOKED = "revoked replica"  # in whose name something of this file may wait still


def rejoin_account(
    home: Path,
    *,
    clock: Clock,
    ask_passphrase: Callable[[], str] | None,
    phrase: str,
    lists: Sequence[Sealed],
) -> OpenDiary | None:
    """Open a diary whose device its account has revoked, as a new device of the account (R50).

    None where there is no such diary in the folder. Keys come later, by `open_recovery_grants`; then
    `send_what_was_left` lets go what waited.

    Raises: as `beginning.join_account`.
    """
    root = Root.from_phrase(phrase)
    devices = device_list.check_chain(lists, root.sign_public)
    if not (home / files.FILE_NAME).exists():
        return None
    connection = files.connect(home)
    with closing(connection), files.told(home / files.FILE_NAME):
        own = replica.newest(connection)
        listed = device_list.device(devices, own) if own is not None else None
        if meta.word(connection, ACCOUNT) != root.account or listed is None or listed.revoked_from is None:
            return None
    diary = open_diary(home, clock=clock, ask_passphrase=ask_passphrase)
    try:
        with diary.writing():
            old = diary.replica
            listing.drop_waiting_leaves(diary)
            meta.put(diary.connection, beginning.JOINING, 1)
            meta.put(diary.connection, REVOKED, old)
            meta.remove(diary.connection, renewing.PREDECESSOR)
            renewing.begin_replica(diary)
            beginning.write_following(diary, devices, root, diary.now_ms(), successor_of=old)
    except BaseException:
        diary.connection.close()
        raise
    return diary


def send_what_was_left(diary: OpenDiary) -> None:
    """Seal anew, under the account's present keys, what the revoked device had not sent (R49, R50)."""
    with diary.writing():
        old = meta.word(diary.connection, REVOKED)
        if old is None:
            return
        waiting = []
        for name in renewal.waiting(diary.connection, ReplicaId(old)):
            stored = versions.find(diary.connection, name)
            if stored is None:
                continue
            if stored.received_at_ms is not None:
                outbox.leave(diary.connection, name)  # it had come; the answer was lost
            elif stored.header.type == "device_list":
                versions.drop(diary.connection, name)  # nobody takes a list of its any more
            else:
                waiting.append(stored)
        renewing.reseal_waiting(diary, waiting)
        meta.remove(diary.connection, REVOKED)
