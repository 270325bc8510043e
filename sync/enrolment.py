"""How a device comes to a server: with the account that began on it, or by the phrase of another (R50)."""

from collections.abc import Callable
from pathlib import Path

from diary.clock import Clock
from diary.diary import Diary
from diary.errors import PeerError, UsageError
from diary.evidence.signature import ROOT_PROOF, signed_message
from diary.rules.segment import Sealed
from diary.sealing.key_tree import Root
from diary.sealing.keyring import KeyPlace
from sync.engine import Engine
from sync.protocol import RootProof
from sync.report import Progress, SyncReport
from sync.server_address import require_key
from sync.succession import enrol
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


def register(
    diary: Diary,
    line: Transport,
    *,
    server_key: str | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> SyncReport:
    """Bring this diary's account to a server and push everything from the first version (R50).

    Once more with the same server is a sync. `server_key` is the key that it must answer with, None for
    whatever it has at this first contact; from then on it is this one.

    Raises:
        UnexpectedKeyError: It has another.
        OtherServerError: It is registered with another one.
        PeerError: The server cannot be reached, or does not take it.
    """
    diary.require_freelancer()
    facts = line.server()
    require_key(line.url, facts.key, server_key)
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
    server_key: str | None = None,
    progress: Callable[[Progress], None] | None = None,
    ask_passphrase: Callable[[], str] | None = None,
) -> tuple[Diary, SyncReport]:
    """Make an empty folder a device of the account that the phrase makes, and fetch all of it (R50).

    One that was cut short is gone on with in the same folder, and a device that was revoked becomes a new one
    with what it had not sent; `ask_passphrase` then opens its keys.
    Returns the open diary, for the caller to close, and what the syncs did together.

    Raises:
        WrongPhraseError: The phrase is none.
        UnexpectedKeyError: The server answers with another key than `server_key`, where one is given.
        UnknownAccountError: The server does not know its account.
        PeerError: The server cannot be reached, or cannot be trusted.
    """
    root = Root.from_phrase(phrase)
    facts = line.server()
    require_key(line.url, facts.key, server_key)
    known = _lists_of(line, root)
    diary = (
        Diary.resume_joining(
            home, clock=clock, phrase=phrase, device_lists=known, ask_passphrase=ask_passphrase
        )
        or Diary.rejoin_account(
            home, clock=clock, phrase=phrase, device_lists=known, ask_passphrase=ask_passphrase
        )
        or Diary.join_account(
            home, clock=clock, place=place, device_name=device_name, phrase=phrase, device_lists=known
        )
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
    diary.send_what_was_left()
    engine.run()
    diary.finish_joining()
    return fetched


def _lists_of(line: Transport, root: Root) -> list[Sealed]:
    nonce = line.nonce().nonce
    proof = RootProof(
        account=root.account,
        root=root.sign_public.hex(),
        nonce=nonce,
        signature=root.sign(signed_message(ROOT_PROOF, nonce.encode())),
    )
    try:
        known = line.device_lists(proof).versions
    except TurnedAwayError as error:
        if error.reason == "not_found":
            raise UnknownAccountError(url=line.url) from error
        raise
    return [Sealed(header=each.header.encode(), body=each.body, wrap=each.wrap) for each in known]
