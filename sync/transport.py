"""The line to the server: httpx, nothing else (R40, R41).

Every request is one that may be repeated without harm (R40), so what fails on the way is tried again. What
then still fails is an error that says whose fault it is and how to mend it, exit status 5. Proxies and
certificates are as httpx users expect: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY (socks5 too),
NO_PROXY, SSL_CERT_FILE, SSL_CERT_DIR. Redirects are not followed: a token goes only where its owner said.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self, TypeVar

import httpx
import msgspec
import stamina

from diary.rules.ids import AccountId, ReplicaId
from diary.rules.unreadable import UNREADABLE
from sync.line_faults import (
    BadAddressError,
    BadCertificateFileError,
    BadProxyError,
    BrokenProtocolError,
    GatedError,
    MovedError,
    NoAnswerError,
    NotEnrolledError,
    ServerFailedError,
    TurnedAwayError,
    UnreachableError,
    UnsureServerError,
    UntrustedLineError,
    failure_of,
    fault_of,
    is_passing,
    unread,
)
from sync.money_messages import Billing, GiveBack, GivenBack, StateBilling
from sync.protocol import (
    PROTOCOL_VERSION,
    UPLOAD_OFFSET,
    UPLOAD_WHOLE,
    DeviceLists,
    Enrol,
    Heal,
    HealAnswer,
    Invoices,
    InvoicesAnswer,
    Join,
    Nonce,
    PicturePart,
    Pull,
    PullAnswer,
    PushAnswer,
    RootProof,
    ServerFacts,
)
from sync.web_page import is_web_page

__all__ = [
    "ANSWER_SECONDS",
    "ANSWER_SECONDS_MAX",
    "BadAddressError",
    "BadCertificateFileError",
    "BadProxyError",
    "BrokenProtocolError",
    "GatedError",
    "MovedError",
    "NoAnswerError",
    "NotEnrolledError",
    "PictureSpan",
    "ServerFailedError",
    "Transport",
    "TurnedAwayError",
    "UnreachableError",
    "UnsureServerError",
    "UntrustedLineError",
    "patience_seconds",
]

CONNECT_SECONDS = 15.0
# What is sent lies in this machine's send buffer until the line has carried it, and only then can the server
# answer: on a bad line a kilobyte takes a second. A line that died is noticed sooner the less was sent.
ANSWER_SECONDS = 60.0
BYTES_A_SECOND_LEAST = 1024
ANSWER_SECONDS_MAX = 900.0
ATTEMPTS = 4
ATTEMPTS_UNANSWERED = 2  # each is waited for so long that a person at a terminal would think it hangs
FIRST_PAUSE_SECONDS = 0.2
PAUSE_MAX_SECONDS = 4.0
RETRY_AFTER_SECONDS_MAX = 60.0  # a person waits at the terminal; longer is said and left to them

_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
_NO_PROXY = ("all://localhost", "all://127.0.0.1", "all://[::1]")
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")
_JSON = {"Content-Type": "application/json"}
_Answer = TypeVar("_Answer")

# What fails for good is said once, as an error; a line for every attempt would end up on stdout.
stamina.instrumentation.set_on_retry_hooks(())


@dataclass(frozen=True, slots=True)
class PictureSpan:
    """Some bytes of a picture, and how long it is as a whole."""

    content: bytes
    size: int


class Transport:
    """Requests to one server, in the name of one replica once `authorise` was called.

    `attempts` bounds how often one request is tried when the line fails. A `client` may be given, with the
    proxies and certificates it should use; it is closed with the transport.
    """

    def __init__(self, url: str, *, client: httpx.Client | None = None, attempts: int = ATTEMPTS) -> None:
        self.url = url.rstrip("/")
        self._attempts = attempts
        self._headers: dict[str, str] = {}
        self._check_address()
        self._client = client or _client()

    def __enter__(self) -> Self:
        """Return the transport, to be closed when the block ends."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def authorise(self, account: AccountId, replica: ReplicaId, token: str) -> None:
        """Ask in the name of the account's `replica` from now on."""
        self._headers = {"Authorization": f"Bearer {account}.{replica}.{token}"}

    def server(self) -> ServerFacts:
        """Return who answers at this address."""
        facts = self._ask("GET", "/v1/server", ServerFacts)
        if facts.protocol != PROTOCOL_VERSION:
            why = f"it speaks version {facts.protocol} of the protocol, this diary {PROTOCOL_VERSION}"
            raise BrokenProtocolError(url=self.url, why=why)
        return facts

    def nonce(self) -> Nonce:
        """Return what the root key has to sign to read its device list (R50)."""
        return self._ask("GET", "/v1/nonce", Nonce)

    def device_lists(self, proof: RootProof) -> DeviceLists:
        """Return the account's device lists since the root's last one (R50)."""
        return self._ask("POST", "/v1/device-list", DeviceLists, proof)

    def enrol(self, enrol: Enrol) -> PushAnswer:
        """Enrol this replica by a device list that the root signed (R50)."""
        return self._ask("POST", "/v1/enrol", PushAnswer, enrol)

    def join(self, join: Join) -> PushAnswer:
        """Join a contract as its client by an invitation (R51)."""
        return self._ask("POST", "/v1/join", PushAnswer, join)

    def push(self, message: bytes) -> PushAnswer:
        """Push versions; `message` is the JSON of a `Push` (R48)."""
        return self._ask("POST", "/v1/push", PushAnswer, message)

    def pull(self, pull: Pull) -> PullAnswer:
        """Ask for rows after the cursors (R45)."""
        return self._ask("POST", "/v1/pull", PullAnswer, pull)

    def state_billing(self, stated: StateBilling) -> Billing:
        """State how a contract's client pays; return what is known of all of them (R11)."""
        return self._ask("PUT", "/v1/billing", Billing, stated)

    def give_back(self, asked: GiveBack) -> GivenBack:
        """Give back a part of what a client paid through the gateway (R63)."""
        return self._ask("POST", "/v1/refunds", GivenBack, asked)

    def invoices(self, asked: Invoices) -> InvoicesAnswer:
        """Ask for the invoices past a number (R61)."""
        return self._ask("POST", "/v1/invoices", InvoicesAnswer, asked)

    def heal(self, heal: Heal) -> HealAnswer:
        """Show what the server had received and lost (R43)."""
        return self._ask("POST", "/v1/heal", HealAnswer, heal)

    def picture_held(self, name: str) -> PicturePart | None:
        """Return how much of a picture the server holds; None when no live row names it (R41)."""
        answer = self._tried(lambda: self._send("HEAD", f"/v1/pictures/{name}"))
        if _is_missing(answer):
            return None
        if not answer.is_success:
            raise fault_of(self.url, answer)
        return self._part_of(answer.headers)

    def send_part(self, name: str, offset: int, part: bytes) -> PicturePart:
        """Append a part of a picture at `offset` (R41).

        A part that was already taken, or that leaves a gap, stores nothing: the answer then says how much
        the server holds.
        """
        headers = {"Content-Type": "application/octet-stream", UPLOAD_OFFSET: str(offset)}
        answer = self._tried(lambda: self._send("PUT", f"/v1/pictures/{name}", part, headers))
        if answer.status_code == httpx.codes.CONFLICT and UPLOAD_OFFSET in answer.headers:
            return self._part_of(answer.headers)
        return self._read(answer, PicturePart)

    def picture_part(self, name: str, offset: int, most: int) -> PictureSpan | None:
        """Return at most so many bytes of a picture's ciphertext from `offset` (R41).

        None when no live row names it or it has not arrived.
        """
        span = {"Range": f"bytes={offset}-{offset + most - 1}"}
        answer = self._tried(lambda: self._send("GET", f"/v1/pictures/{name}", headers=span))
        if _is_missing(answer):
            return None
        if not answer.is_success:
            raise fault_of(self.url, answer)
        if is_web_page(answer):
            raise unread(self.url, answer, "a page where a picture was asked for")
        if answer.status_code == httpx.codes.OK:
            # Something between here and the server does not know ranges.
            return PictureSpan(answer.content[offset:], len(answer.content))
        found = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        if found is None or int(found[1]) != offset:
            raise BrokenProtocolError(url=self.url, why="it does not say which part of a picture it sends")
        return PictureSpan(answer.content, int(found[2]))

    def _ask(
        self, method: str, path: str, kind: type[_Answer], message: msgspec.Struct | bytes | None = None
    ) -> _Answer:
        body = msgspec.json.encode(message) if isinstance(message, msgspec.Struct) else message
        return self._read(self._tried(lambda: self._send(method, path, body, _JSON)), kind)

    def _tried(self, request: Callable[[], httpx.Response]) -> httpx.Response:
        """Return the answer, tried again while the line or the server fails for the moment (R40)."""
        unanswered = 0

        def again(error: Exception) -> bool | float:
            nonlocal unanswered
            unanswered += isinstance(error, NoAnswerError)
            return unanswered < ATTEMPTS_UNANSWERED and _again(error)

        retries = stamina.retry_context(
            on=again,
            attempts=self._attempts,
            timeout=None,
            wait_initial=FIRST_PAUSE_SECONDS,
            wait_max=PAUSE_MAX_SECONDS,
        )
        for attempt in retries:
            with attempt:
                answer = request()
                if is_passing(answer):
                    raise fault_of(self.url, answer)
        return answer

    def _send(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        patience = patience_seconds(len(body or b""))
        try:
            return self._client.request(
                method,
                self.url + path,
                content=body,
                headers={**self._headers, **(headers or {})},
                timeout=httpx.Timeout(patience, connect=CONNECT_SECONDS),
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise failure_of(self.url, error, answer_seconds=patience) from error

    def _read(self, answer: httpx.Response, kind: type[_Answer]) -> _Answer:
        if not answer.is_success:
            raise fault_of(self.url, answer)
        try:
            return msgspec.json.decode(answer.content, type=kind)
        except UNREADABLE as error:
            raise unread(self.url, answer, str(error)) from error

    def _part_of(self, headers: httpx.Headers) -> PicturePart:
        held = headers.get(UPLOAD_OFFSET, "")
        if not held.isdecimal():
            raise BrokenProtocolError(url=self.url, why="it does not say how much of a picture it holds")
        return PicturePart(size=int(held), whole=headers.get(UPLOAD_WHOLE) == "true")

    def _check_address(self) -> None:
        try:
            parsed = httpx.URL(self.url)
        except httpx.InvalidURL as error:
            raise BadAddressError(url=self.url, why=str(error)) from error
        if parsed.scheme not in {"http", "https"} or not parsed.host:
            raise BadAddressError(url=self.url, why="it begins with neither https:// nor http://")


def _is_missing(answer: httpx.Response) -> bool:
    """Return whether the server says that it has no such thing; a page between here and there does not."""
    return answer.status_code == httpx.codes.NOT_FOUND and not is_web_page(answer)


def patience_seconds(size: int) -> float:
    """Return how long an answer to a request of so many bytes may be waited for."""
    return min(ANSWER_SECONDS_MAX, ANSWER_SECONDS + size / BYTES_A_SECOND_LEAST)


def is_this_machine(url: str) -> bool:
    """Return whether the server of an address is on this machine; an address that is none is not."""
    try:
        return httpx.URL(url).host in _THIS_MACHINE
    except httpx.InvalidURL:
        return False


def _client() -> httpx.Client:
    """Return a client with the proxies and certificates that the environment names."""
    try:
        # A proxy leads to other machines; the embedded server is on this one.
        return httpx.Client(follow_redirects=False, mounts=dict.fromkeys(_NO_PROXY))
    except OSError as error:  # ssl.SSLError is one
        path = os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR")
        if not path:
            raise
        raise BadCertificateFileError(path=path, why=error.strerror or error) from error
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        raise BadProxyError(why=error) from error


def _again(error: Exception) -> bool | float:
    """Return whether a request may be tried again, or after how many seconds (R40)."""
    if isinstance(error, UnsureServerError):
        return False  # it says itself when: minutes, which `sync --watch` waits and a person need not (R6)
    if isinstance(error, ServerFailedError) and error.retry_after_ms is not None:
        after_seconds = error.retry_after_ms / 1000
        return max(FIRST_PAUSE_SECONDS, after_seconds) if after_seconds <= RETRY_AFTER_SECONDS_MAX else False
    return isinstance(error, UnreachableError | ServerFailedError)
