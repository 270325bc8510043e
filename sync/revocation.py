"""Revoking a device at the server, and making sure that nothing it wrote before is lost by it (R50).

What the device wrote is read first: its end is set behind it. Should it write once more meanwhile, or another
device be enrolled, the server takes no list that does not know of it, and it is made anew.
"""

from collections.abc import Callable

from diary.diary import Diary
from diary.errors import PeerError
from diary.revoking import AlreadyRevokedError
from diary.rules.ids import ReplicaId
from sync.engine import Engine, NotRegisteredError
from sync.report import Progress, SyncReport
from sync.succession import send_list
from sync.transport import Transport, TurnedAwayError

REVOCATIONS_MAX = (
    5  # each try reads what came meanwhile; a device that writes all the time is seldom so quick
)


class RevocationRefusedError(PeerError):
    """The server takes no list that ends the device (R50)."""

    says = "The server {url} did not revoke the device: {because}."
    mend = "Nothing was changed. Do the same again."


def revoke(
    diary: Diary,
    line: Transport,
    phrase: str,
    replica: ReplicaId,
    *,
    progress: Callable[[Progress], None] | None = None,
) -> SyncReport:
    """Revoke a device by the recovery phrase; everything written after it is sealed under new keys (R50).

    Raises:
        WrongPhraseError: The phrase is none.
        WrongAccountError: It is another account's.
        NotRegisteredError: There is no server that could refuse the device anything.
        RevocationRefusedError: The server did not take it, over and over.
        PeerError: The server cannot be reached, or cannot be trusted.
    """
    link = diary.server()
    if link is None:
        raise NotRegisteredError
    if _is_revoked(diary, replica):
        raise AlreadyRevokedError(replica=replica)
    engine = Engine(diary, line, progress=progress)
    because = ""
    for _ in range(REVOCATIONS_MAX):
        report = engine.run()
        if _is_revoked(diary, replica):
            return report  # a list that an earlier try left was taken only now
        diary.revoke_device(phrase, replica)
        try:
            send_list(diary, line, link.key)
        except TurnedAwayError as fault:
            diary.take_back_revocation()
            if fault.reason != "bad_device_list":
                raise
            because = str(fault.details["because"]).rstrip(".")
            continue
        return engine.run()
    raise RevocationRefusedError(url=line.url, because=because)


def _is_revoked(diary: Diary, replica: ReplicaId) -> bool:
    return any(one.replica == replica and one.is_revoked for one in diary.devices_seen())
