"""How a device comes to a server: with the account that began on it, or by the phrase of another (R50)."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from diary.clock import Clock
from diary.diary import Diary
from diary.errors import PeerError, UsageError
from diary.evidence.receipt import read_answer
from diary.evidence.signature import ROOT_PROOF, signed_message
from diary.rules.segment import Sealed
from diary.sealing.key_tree import Root
from diary.sealing.keyring import KeyPlace
from sync.engine import Engine, Progress, SyncReport, message_of
from sync.protocol import Enrol, RootProof
from sync.transport import Transport, TurnedAwayError


class OtherServerError(UsageError):
    """The diary is registered elsewhere (R50)."""

    says = "This diary is registered with {known}, whose key is another than that of {url}."
    mend = "Sync with the server it is registered with."


class UnknownAccountError(PeerError):
    """The server does not know the phrase's account (R50)."""

    says = "The server {url} knows no account of this phrase."
    mend = (
        "Check the address and the phrase. An account reaches a server by `diary register URL` on its device."
    )


class EnrolmentRefusedError(PeerError):
    """The server does not take the device list (R50)."""

    says = "The server {url} does not enrol this device: {because}."
    mend = "If another device was just enrolled, remove this folder and log in again."


def register(
    diary: Diary, line: Transport, *, progress: Callable[[Progress], None] | None = None
) -> SyncReport:
    """Bring this diary's account to a server and push everything from the first version (R50).

    Once more with the same server is a sync.

    Raises:
        OtherServerError: It is registered with another one.
        PeerError: The server cannot be reached, or does not take it.
    """
    facts = line.server()
    known = diary.server()
    if known is not None and known.key != facts.key:
        raise OtherServerError(known=known.url, url=line.url)
    enrol(diary, line, facts.key)
    return Engine(diary, line, progress=progress).run()


def login(
    home: Path,
    line: Transport,
    phrase: str,
    *,
    clock: Clock,
    place: KeyPlace,
    device_name: str,
    progress: Callable[[Progress], None] | None = None,
) -> tuple[Diary, SyncReport]:
    """Make an empty folder a device of the account that the phrase makes, and fetch all of it (R50).

    Returns the open diary, for the caller to close, and what the syncs did together.

    Raises:
        WrongPhraseError: The phrase is none.
        UnknownAccountError: The server does not know its account.
        PeerError: The server cannot be reached, or cannot be trusted.
    """
    root = Root.from_phrase(phrase)
    facts = line.server()
    newest = _newest_list(line, root)
    diary = Diary.join_account(
        home, clock=clock, place=place, device_name=device_name, phrase=phrase, device_list=newest
    )
    try:
        enrol(diary, line, facts.key)
        return diary, finish_login(diary, line, phrase, progress=progress)
    except BaseException:
        diary.close()
        raise


def finish_login(
    diary: Diary, line: Transport, phrase: str, *, progress: Callable[[Progress], None] | None = None
) -> SyncReport:
    """Fetch everything, take the keys that recovery holds, and send this device's own grants (R49, R50)."""
    engine = Engine(diary, line, progress=progress)
    fetched = engine.run()
    diary.open_recovery_grants(phrase)
    engine.run()
    return fetched


def enrol(diary: Diary, line: Transport, server_key: str) -> None:
    """Send the device list that lists this device, unless the server has it; then pin the server's key (R50).

    A lost answer changes nothing: the same list is answered alike (R40).
    """
    line.authorise(diary.replica, diary.token)
    push = diary.sign_enrolment(line.url)
    if push is not None:
        token_hash = hashlib.sha256(diary.token.encode()).hexdigest()
        message = Enrol(push=message_of(diary.account, push), token_hash=token_hash)
        answer = line.enrol(message)
        answers = read_answer(answer.answers, bytes.fromhex(server_key))
        refused = diary.settle(push, answers, answer.answers).refused
        if refused:
            raise EnrolmentRefusedError(url=line.url, because=refused[0].because)
    diary.link_server(line.url, server_key)


def _newest_list(line: Transport, root: Root) -> Sealed:
    nonce = line.nonce().nonce
    proof = RootProof(
        account=root.account,
        root=root.sign_public.hex(),
        nonce=nonce,
        signature=root.sign(signed_message(ROOT_PROOF, nonce.encode())),
    )
    try:
        version = line.device_list(proof)
    except TurnedAwayError as error:
        if error.reason == "not_found":
            raise UnknownAccountError(url=line.url) from error
        raise
    return Sealed(header=version.header.encode(), body=version.body, wrap=version.wrap)
