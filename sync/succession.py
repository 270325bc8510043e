"""A device's list reaches the server: when it is enrolled, and when it succeeds another (R42, R50)."""

import hashlib

from diary.diary import Diary
from diary.errors import PeerError
from diary.evidence.receipt import read_answer
from diary.exchanging import OlderCopyError, ReadyPush
from diary.renewing import Predecessor
from diary.rules.ids import AccountId
from sync.healing import check_whole
from sync.protocol import Enrol, Pull, Push, WireVersion
from sync.transport import NotEnrolledError, Transport, TurnedAwayError

SUCCESSIONS_MAX = 5  # two copies of one file may succeed it at the same moment; each try reads the other's
PULLS_MAX = 10_000  # a server that always has more must not keep a device for ever


class EnrolmentRefusedError(PeerError):
    """The server does not take the device list (R50)."""

    says = "The server {url} does not enrol this device: {because}."
    mend = "If another device was just enrolled, do the same again: it goes on where it stopped."


def message_of(account: AccountId, push: ReadyPush) -> Push:
    """Return a signed push as it travels (R48)."""
    return Push(
        account=account,
        replica=push.signed.replica,
        versions=[
            WireVersion(header=sealed.header.decode(), body=sealed.body, wrap=sealed.wrap)
            for sealed in push.versions
        ],
        signature=push.signed.signature,
    )


def enrol(diary: Diary, line: Transport, server_key: str) -> None:
    """Send the device list that lists this device, unless the server has it; then pin the server's key (R50).

    A lost answer changes nothing: the same list is answered alike (R40).
    """
    if diary.predecessor() is not None:
        succeed(diary, line, server_key)
    else:
        line.authorise(diary.account, diary.replica, diary.token)
        send_list(diary, line, server_key)
    diary.link_server(line.url, server_key)


def succeed(diary: Diary, line: Transport, server_key: str, *, looks_at_heads: bool = True) -> None:
    """Bring the list that names this replica its predecessor's successor to the server (R42, R50).

    The predecessor asks for what is new, so that the list follows the newest one; where another copy of
    the file was quicker, its list is read and followed. A file that was put back to a moment before its
    succession went through is renewed once more: what it became then may have written under its id.
    `looks_at_heads` is as of `sync.healing.run_healed`.

    Raises:
        EnrolmentRefusedError: Its lists were refused each time.
        PeerError: The server cannot be reached, or has revoked the predecessor.
    """
    because = ""
    for _ in range(SUCCESSIONS_MAX):
        old = diary.predecessor()
        if old is None:
            return
        if _went_on_without(diary, line):
            diary.renew()
        line.authorise(diary.account, old.replica, old.token)
        send_list(diary, line, server_key, old)
        _read_all(diary, line, looks_at_heads=looks_at_heads)
        diary.follow_device_list()
        try:
            send_list(diary, line, server_key)
        except TurnedAwayError as fault:
            if fault.reason != "bad_device_list":
                raise
            because = str(fault.details["because"]).rstrip(".")
            continue
        diary.finish_renewal()
        return
    raise EnrolmentRefusedError(url=line.url, because=because)


def _went_on_without(diary: Diary, line: Transport) -> bool:
    """Return whether the server knows this replica by more than this file ever sent (R42).

    Asked before anything is read: what is read of its own would count as sent.
    """
    line.authorise(diary.account, diary.replica, diary.token)
    try:
        answer = line.pull(Pull(account=diary.account, cursors=diary.cursors(), rows_max=1))
        diary.check_copy(answer.replica_n)
    except NotEnrolledError:
        return False  # as it should be: the list that names it is still to be sent
    except OlderCopyError:
        return True
    return False


def send_list(diary: Diary, line: Transport, server_key: str, writer: Predecessor | None = None) -> None:
    """Send the device list that waits, of this replica or its predecessor, as an enrolment (R42, R50).

    Raises:
        EnrolmentRefusedError: The server answers it with a refusal.
        TurnedAwayError: It follows no list that the server knows; nothing was stored.
    """
    push = diary.sign_enrolment(line.url, writer.replica if writer else None)
    if push is None:
        return
    token = writer.token if writer else diary.token
    token_hash = hashlib.sha256(token.encode()).hexdigest()
    answer = line.enrol(Enrol(push=message_of(diary.account, push), token_hash=token_hash))
    answers = read_answer(answer.answers, bytes.fromhex(server_key))
    refused = diary.settle(push, answers, answer.answers, answer.heads).refused
    if refused:
        raise EnrolmentRefusedError(url=line.url, because=refused[0].because)


def _read_all(diary: Diary, line: Transport, *, looks_at_heads: bool) -> None:
    """Take everything that the feeds hold: nothing may be sent before it is known (R42)."""
    for _ in range(PULLS_MAX):
        cursors = diary.cursors()
        answer = line.pull(Pull(account=diary.account, cursors=cursors, log_epoch=diary.log_epoch()))
        if looks_at_heads or answer.openings:
            check_whole(diary, answer, cursors)
        diary.take_pages(answer.pages)
        if not (answer.more and any(page.rows for page in answer.pages)):
            return
