"""Who may ask, and how an account begins (R48, R50).

An account's id is the first half of SHA-256 over its root signing key, so nobody can open another's: the
root must have signed the first device list. Tokens are random to everybody else; the server keeps hashes.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass

from diary.evidence import device_list, signature
from diary.evidence.receipt import Cursor, Receipt
from diary.rules.devices import DeviceListInClear
from diary.rules.ids import AccountId, ContractId, Millis, ReplicaId
from diary.rules.invoice import LIFE, Life
from diary.rules.segment import Header, parse_header
from sync.protocol import PULL_ROWS_MAX, DeviceLists, Enrol, Nonce, PushAnswer, RootProof, WireVersion
from sync.server.clock_watch import ClockWatch
from sync.server.faults import (
    DeviceListError,
    ForgedError,
    NotEnrolledError,
    NotFoundError,
    NotYoursError,
    RevokedError,
    UnreadableError,
    UnreadableHeaderError,
)
from sync.server.intake import ReadPush, authentic, enter, listed, read_push
from sync.server.log import ServerKey
from sync.server.pushed import Pushed
from sync.server.storage import Storage, Stored

LISTS_BYTES_MAX = 1024 * 1024  # of the account's log, read at a time while its lists are looked for
NONCE_MILLIS = 600_000  # long enough to type a phrase in, short enough to be of no use later
_NONCE_TIME_BYTES = 8
_TOKEN = re.compile(r"Bearer ([0-9a-f]{32})\.([0-9a-f]{32})\.([0-9a-f]{64})")
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Caller:
    """A replica whose token was right and who may still ask; `contract` is a seat's own, else None."""

    account: AccountId
    replica: ReplicaId
    contract: ContractId | None = None


def caller(storage: Storage, authorization: str | None) -> Caller:
    """Return who asks, by the request's `Authorization` header, which names the account too.

    Raises:
        NotEnrolledError: No token, or one that this server does not know.
        RevokedError: The device list has revoked the replica.
    """
    match = _TOKEN.fullmatch(authorization or "")
    if match is None:
        raise NotEnrolledError
    asking = Caller(AccountId(match[1]), ReplicaId(match[2]))
    known = storage.credential(asking.account, asking.replica)
    given = hashlib.sha256(match[3].encode()).digest()
    if known is None or not hmac.compare_digest(known.token_hash, given):
        raise NotEnrolledError
    if known.revoked:
        raise RevokedError
    return Caller(asking.account, asking.replica, known.contract)


def caller_for(storage: Storage, authorization: str | None, account: AccountId) -> Caller:
    """Return who asks, sure that the token is of the account that the request names (see `caller`).

    Raises:
        NotYoursError: The token is another account's.
    """
    asking = caller(storage, authorization)
    if asking.account != account:
        raise NotYoursError
    return asking


def enrol(
    storage: Storage, key: ServerKey, watch: ClockWatch, message: Enrol, *, life: Life = LIFE
) -> PushAnswer:
    """Open the account or advance its device list, and admit the enrolling replica (R50).

    The rest of the push is taken like any other. Sent twice, it is answered twice alike (R40).

    Raises:
        FaultError: The list is not the root's or its signer's, does not follow the known one, or the push
            is not the replica's own, or the clock cannot be trusted; nothing was stored.
    """
    given = read_push(message.push)
    first, header, devices = _first_list(given)
    token_hash = token_hash_of(message.token_hash)
    with storage.hold(message.push.account) as hold:
        basis = hold.basis(given.question)
        known = listed(basis.device_list)
        _check_list(basis.answers.get(header.n), first, header, known)
        authentic(given, known if known is not None and known.number > devices.number else devices)
        hold.open_account(devices.root)
        entered = enter(hold, given, basis, watch, key, life=life)
        first_answer = entered.answers[0]
        if not isinstance(first_answer, Receipt):
            raise DeviceListError(what=first_answer.because)
        if not hmac.compare_digest(hold.admit(message.push.replica, token_hash), token_hash):
            raise DeviceListError(what="The replica is already enrolled with another token.")
    return entered.answer(key)


def token_hash_of(text: str) -> bytes:
    """Return the hash of a token as it is kept.

    Raises:
        UnreadableError: The text is none.
    """
    if not _HASH.fullmatch(text):
        raise UnreadableError(what="token_hash is 64 hexadecimal digits.")
    return bytes.fromhex(text)


def _first_list(given: ReadPush) -> tuple[Pushed, Header, DeviceListInClear]:
    """Return the device list that an enrolment begins with, sure that the account is its root's."""
    account = given.push.account
    if not given.versions:
        raise UnreadableError(what="An enrolment begins with a device list.")
    first = given.versions[0]
    if first.header is None:
        raise UnreadableHeaderError(what=f"The device list cannot be read: {first.fault}.")
    header = first.header
    if header.devices is None or header.account != account or not header.in_own_log:
        raise UnreadableHeaderError(what="An enrolment begins with its own account's device list.")
    if account_by(header.devices.root) != account:
        raise NotYoursError
    return first, header, header.devices


def _check_list(
    stored: Stored | None, first: Pushed, header: Header, known: DeviceListInClear | None
) -> None:
    """Check the list against the one that is known, unless it is that very version again (R40)."""
    if stored is not None and stored.header_hash == first.header_hash:
        return
    try:
        device_list.check(header, first.text.encode(), first.body or b"", known)
    except device_list.DeviceListError as fault:
        raise DeviceListError(what=fault.what_happened) from fault


def account_by(root: str) -> AccountId | None:
    """Return the account that a root signing key (hexadecimal) makes; None when it is no key (R50)."""
    if not _HASH.fullmatch(root):
        return None
    return device_list.account_of(bytes.fromhex(root))


class Nonces:
    """Short-lived numbers to be signed, kept nowhere: the server knows its own by their HMAC."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def at(self, at_ms: Millis) -> Nonce:
        """Return the nonce of this instant."""
        time = int(at_ms).to_bytes(_NONCE_TIME_BYTES, "big")
        return Nonce(nonce=(time + self._mark(time)).hex())

    def holds(self, nonce: str, at_ms: Millis) -> bool:
        """Return whether the nonce is ours and not yet too old."""
        try:
            raw = bytes.fromhex(nonce)
        except ValueError:
            return False
        time, mark = raw[:_NONCE_TIME_BYTES], raw[_NONCE_TIME_BYTES:]
        age = at_ms - int.from_bytes(time, "big")
        return hmac.compare_digest(mark, self._mark(time)) and 0 <= age <= NONCE_MILLIS

    def _mark(self, time: bytes) -> bytes:
        return hmac.digest(self._secret, time, hashlib.sha256)


def device_lists_for(storage: Storage, nonces: Nonces, proof: RootProof, at_ms: Millis) -> DeviceLists:
    """Return the device lists since the root's last one to whoever holds the root key (R42, R50).

    Raises:
        ForgedError: The nonce is old or not ours, or the signature is not the root's.
        NotYoursError: The root key is another account's.
        NotFoundError: The account was never registered here.
    """
    if account_by(proof.root) != proof.account:
        raise NotYoursError
    if not nonces.holds(proof.nonce, at_ms):
        raise ForgedError(what="The nonce is not this server's, or older than ten minutes.")
    root = bytes.fromhex(proof.root)
    if not signature.verify(root, signature.ROOT_PROOF, proof.nonce.encode(), proof.signature):
        raise ForgedError(what="The nonce is not signed by the account's root key.")
    lists = _lists_since_the_roots(storage, proof.account)
    if not lists:
        raise NotFoundError(what="This server does not know the account.")
    return DeviceLists(versions=lists)


def _lists_since_the_roots(storage: Storage, account: AccountId) -> list[WireVersion]:
    """Return the newest list that the root signed and those that devices signed after it, in order (R42)."""
    own = ContractId(account)
    lists: list[WireVersion] = []
    cursors: dict[ContractId, Cursor] = {}
    while True:
        feed = storage.feed(account, cursors, PULL_ROWS_MAX, LISTS_BYTES_MAX)
        page = next((page for page in feed.pages if page.contract == own), None)
        if page is None or not page.rows:
            return lists
        for row in page.rows:
            devices = parse_header(row.header.encode()).devices
            if devices is not None:
                lists = [] if devices.signer == device_list.ROOT else lists
                lists.append(WireVersion(header=row.header, body=row.body, wrap=None))
        last = page.rows[-1]
        if last.index + 1 >= page.head.size:
            return lists
        cursors = {own: Cursor(last.log_epoch, last.index + 1)}
