"""A client joins a contract by its link and gets a read-only replica of it (R51, R67).

The link names the server's key: another server's word counts for nothing. Where the server lets nobody in,
nothing is left on this computer; where the line breaks, the same command goes on where it stopped.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

from diary.clock import Clock
from diary.diary import Diary
from diary.errors import PeerError, RefusedError
from diary.evidence.receipt import read_answer
from diary.sealing.invitation import Link
from diary.sealing.keyring import KeyPlace
from sync.engine import Engine
from sync.protocol import Join
from sync.report import Progress, SyncReport
from sync.succession import message_of
from sync.transport import Transport, TurnedAwayError

# What no repeating mends: the replica that was to be is given up.
FINAL_REASONS = frozenset(
    {
        "invitation_unknown",
        "invitation_expired",
        "invitation_used",
        "not_yours",
        "bad_signature",
        "bad_header",
    }
)


class OtherServerKeyError(PeerError):
    """The server that answers is not the one that the link names (R51)."""

    says = "The server at {url} is not the one that the link names: its key is another one."
    mend = "Nothing was sent to it. Ask whoever invited you for a new link, and tell them this."


class NotLetInError(RefusedError):
    """The server lets nobody in by this link (R51)."""

    mend = "Nothing was kept on this computer. Ask whoever invited you for a new link."


def join(
    home: Path,
    link: Link,
    line: Transport,
    *,
    clock: Clock,
    place: KeyPlace,
    name: str,
    progress: Callable[[Progress], None] | None = None,
    ask_passphrase: Callable[[], str] | None = None,
) -> tuple[Diary, SyncReport]:
    """Make an empty folder a replica of the contract that the link opens, and fetch all of it (R67).

    Returns the open diary, for the caller to close, and what the sync did.

    Raises:
        OtherServerKeyError: Another server answers.
        NotLetInError: The link is used, expired, withdrawn or wrong; nothing is kept.
        DiaryExistsError: There is another diary in the folder.
        PeerError: The server cannot be reached, or shows what cannot be right.
    """
    if line.server().key != link.server_key:
        raise OtherServerKeyError(url=line.url)
    diary = Diary.resume_seat(home, link, clock=clock, ask_passphrase=ask_passphrase) or Diary.take_seat(
        home, link, clock=clock, place=place, name=name
    )
    try:
        _send_joining(diary, line, link)
        diary.link_server(line.url, link.server_key)
        diary.finish_joining()
        return diary, Engine(diary, line, progress=progress).run()
    except NotLetInError:
        diary.abandon()
        raise
    except BaseException:
        diary.close()
        raise


def _send_joining(diary: Diary, line: Transport, link: Link) -> None:
    push = diary.sign_joining_push(line.url)
    if push is None:
        return
    token_hash = hashlib.sha256(diary.token.encode()).hexdigest()
    try:
        answer = line.join(Join(push=message_of(diary.account, push), token_hash=token_hash))
    except TurnedAwayError as fault:
        if fault.reason in FINAL_REASONS:
            raise NotLetInError(reason=fault.reason, because=fault.details["because"]) from fault
        raise
    diary.settle(push, read_answer(answer.answers, bytes.fromhex(link.server_key)), answer.answers)
