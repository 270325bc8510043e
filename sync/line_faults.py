"""What can go wrong on the line to the server, said so that it can be mended (R40): exit status 5.

An exception of httpx, or an answer that is no success, becomes one of these errors.
"""

import errno
import socket
import ssl
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpx
import msgspec

from diary.errors import PeerError, UsageError
from diary.rules.unreadable import UNREADABLE
from sync.protocol import Fault
from sync.web_page import is_web_page, title_of


class UnreachableError(PeerError):
    """No answer came: no network, no such host, nobody listening, or the line broke off."""

    passes = True
    says = "The server {url} cannot be reached ({why})."
    mend = (
        "Nothing is lost: what is not sent yet stays in the diary. Check the address and the network, then "
        "try the same again."
    )


class NoAnswerError(UnreachableError):
    """The request went, and nothing came back for as long as may be waited for an answer."""


class GatedError(PeerError):
    """A network that wants to be logged in to, or a filter on the way, answers in the server's place."""

    says = "Not the server {url} answers here, but {who}."
    mend = (
        "Nothing is lost: what is not sent yet stays in the diary. Where the network wants you to log in, as "
        "in a hotel, open any page in your browser. Else check the address, or ask who runs the network. "
        "Then: diary sync."
    )


class UntrustedLineError(PeerError):
    """The server's certificate does not hold."""

    says = "The connection to {url} is not to be trusted: its certificate does not hold ({why})."
    mend = "{remedy}"


class BadAddressError(UsageError):
    """The address is none that a server can have."""

    says = "{url} is no address of a server ({why})."
    mend = "It looks like https://diary.example.org or http://127.0.0.1:8440."


class NoHttpsError(PeerError):
    """Who answers there does not speak TLS."""

    says = "Nobody speaks https at {url}."
    mend = "Perhaps its address begins with http://; if not, ask who runs the server."


class BrokenProtocolError(PeerError):
    """The answer is none of the protocol's."""

    says = "{url} answers in a way that no diary server does ({why})."
    mend = "Check the address; if it is right, device and server may need an update."


class ServerFailedError(PeerError):
    """The server has a fault of its own, or is too busy; it may say when to come again."""

    passes = True
    says = "The server {url} failed ({why})."
    mend = "Nothing is lost. Try again in a while, or tell who runs the server."

    @property
    def retry_after_ms(self) -> int | None:
        """Return how long the server wants to be left alone; None where it did not say."""
        found = self.details.get("retry_after_ms")
        return found if isinstance(found, int) else None


class UnsureServerError(ServerFailedError):
    """The server doubts its clock and takes nothing for minutes: longer than one request is tried (R6)."""

    says = "clock_unsure: {why}"
    mend = "What is not sent stays in this diary. Send it then: diary sync."


class NotEnrolledError(PeerError):
    """The server does not know this device."""

    says = "The server {url} does not know this device ({why})."
    mend = "Enrol it: diary register {url}."


class TurnedAwayError(PeerError):
    """The server refuses the request as a whole; `reason` is its word for why."""

    says = "{reason}: the server {url} refuses the request: {because}"
    mend = ""

    @property
    def reason(self) -> str:
        """Return the server's word, one of `sync.protocol`'s faults."""
        return str(self.details["reason"])


class RevokedError(TurnedAwayError):
    """The account has revoked this device, or the contract has ended this client's seat (R50, R51)."""

    says = "device_revoked: the server {url} takes nothing of this device any more, and gives it nothing."
    mend = (
        "What is here can still be read, what was not sent too. By the recovery phrase this becomes a device "
        "of the account again and sends it: diary login {url}. A client asks for a new invitation."
    )


class MovedError(PeerError):
    """The address sends on to another one; a token goes only where its owner said."""

    says = "The server {url} sends on to {where}, and a diary does not follow by itself."
    mend = "If that is your server, use its address: diary register {where}"


class BadProxyError(UsageError):
    """The environment names a proxy that cannot be used."""

    says = "The proxy that the environment names cannot be used ({why})."
    mend = "Look at HTTPS_PROXY, HTTP_PROXY and ALL_PROXY; NO_PROXY names hosts that need none."


class BadCertificateFileError(UsageError):
    """SSL_CERT_FILE or SSL_CERT_DIR names what holds no certificates."""

    says = "SSL_CERT_FILE names {path}, which holds no certificates that can be read ({why})."
    mend = "Name the PEM file of the authority that signed the server's certificate, or unset it."


def failure_of(
    url: str, error: httpx.HTTPError | httpx.InvalidURL, *, answer_seconds: float = 0
) -> PeerError | UsageError:
    """Return what an exception of httpx means: whose fault it is that there is no answer.

    `answer_seconds` is how long the answer was to be waited for.
    """
    why = _sentence(error)
    untrusted = _certificate_fault(error)
    if untrusted is not None:
        says = untrusted.verify_message or why
        return UntrustedLineError(url=url, why=says, remedy=_remedy(untrusted.verify_code))
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return BadAddressError(url=url, why=why)
    if "WRONG_VERSION_NUMBER" in why or "RECORD_LAYER_FAILURE" in why:
        return NoHttpsError(url=url)
    if isinstance(error, httpx.RemoteProtocolError) and "illegal" in why:
        return BrokenProtocolError(url=url, why=why)
    if isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout):
        return NoAnswerError(url=url, why=f"no answer within {answer_seconds:.0f} s")
    if isinstance(error, httpx.ProxyError):
        why = f"the proxy says: {why}"
    return UnreachableError(url=url, why=_reason(error) or why)


def fault_of(url: str, answer: httpx.Response) -> PeerError:
    """Return the error that an answer's status and body amount to; a HEAD has no body."""
    try:
        fault = msgspec.json.decode(answer.content, type=Fault)
    except UNREADABLE:
        fault = None
    because = fault.because if fault else _status(answer)
    if answer.status_code == httpx.codes.NETWORK_AUTHENTICATION_REQUIRED:
        # RFC 6585, section 6: a network says it of itself.
        return GatedError(url=url, who=f"{_page(answer)} ({because})")
    if is_passing(answer):
        is_unsure = fault is not None and fault.reason == "clock_unsure"
        passing = UnsureServerError if is_unsure else ServerFailedError
        return passing(url=url, why=because, retry_after_ms=retry_after_ms(answer.headers))
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        return NotEnrolledError(url=url, why=because)
    if fault is None or answer.has_redirect_location:
        return _of_another(url, answer, because)
    kind = RevokedError if fault.reason == "device_revoked" else TurnedAwayError
    return kind(url=url, reason=fault.reason, because=because)


def _of_another(url: str, answer: httpx.Response, because: str) -> PeerError:
    """Return what an answer amounts to that no diary's server gives."""
    if answer.has_redirect_location:
        return _redirected(url, answer)
    if answer.status_code == httpx.codes.PROXY_AUTHENTICATION_REQUIRED:
        return UnreachableError(
            url=url, why="the proxy wants a name and a password: http://name:password@proxy"
        )
    return unread(url, answer, because)


def unread(url: str, answer: httpx.Response, why: str) -> PeerError:
    """Return what an answer that is none of the protocol's amounts to: a page for people, or what else."""
    if not is_web_page(answer):
        return BrokenProtocolError(url=url, why=why)
    return GatedError(url=url, who=_page(answer) if answer.is_success else f"{_page(answer)} ({why})")


def is_passing(answer: httpx.Response) -> bool:
    """Return whether an answer says that the same request may be answered later (R40)."""
    return answer.is_server_error or answer.status_code == httpx.codes.TOO_MANY_REQUESTS


def retry_after_ms(headers: httpx.Headers) -> int | None:
    """Return how long a server wants to be left alone; None where it does not say (RFC 9110, 10.2.3).

    A date is taken by the server's own clock, since this machine's may be another.
    """
    said = headers.get("Retry-After", "").strip()
    if said.isdecimal():
        return int(said) * 1000
    try:
        until, now = parsedate_to_datetime(said), parsedate_to_datetime(headers.get("Date", ""))
        return max(0, round((until - now).total_seconds() * 1000))
    except (ValueError, TypeError):
        return None


def _certificate_fault(error: BaseException) -> ssl.SSLCertVerificationError | None:
    """Return the fault of a certificate for which a connection failed: it hides in the causes."""
    found = (cause for cause in _causes(error) if isinstance(cause, ssl.SSLCertVerificationError))
    return next(found, None)


# X509_V_ERR_… of OpenSSL, as its verify(1) documents them.
_NOT_ITS_TIME = frozenset({9, 10})
_UNKNOWN_AUTHORITY = frozenset({2, 18, 19, 20, 21})
_ANOTHER_NAME = frozenset({62, 64})


def _remedy(code: int) -> str:
    """Return how a certificate's fault is mended, and by whom."""
    if code in _NOT_ITS_TIME:
        return "Check this computer's date. If it is right, tell who runs the server: it has to be renewed."
    if code in _UNKNOWN_AUTHORITY:
        return (
            "If your server has a certificate of its own authority, name that authority's PEM file in "
            "SSL_CERT_FILE. If not, somebody may stand between: nothing was sent."
        )
    if code in _ANOTHER_NAME:
        return "Check the address: the certificate is another server's. Nothing was sent."
    return "Tell who runs the server; nothing was sent."


def _redirected(url: str, answer: httpx.Response) -> PeerError:
    """Return what a redirect means: that the server moved, or that a network wants a log-in first.

    Who moves says so for good, or for the very path that was asked for; a network leads to a page of its own.
    """
    asked, location = answer.request.url, answer.headers["Location"]
    where = _origin(url, location)
    is_for_good = answer.status_code in {httpx.codes.MOVED_PERMANENTLY, httpx.codes.PERMANENT_REDIRECT}
    if is_for_good or asked.join(location).path == asked.path:
        return MovedError(url=url, where=where)
    return GatedError(url=url, who=f"something that sends on to {where}")


def _page(answer: httpx.Response) -> str:
    title = title_of(answer)
    return f"a web page, “{title}”" if title else "a web page"


def _status(answer: httpx.Response) -> str:
    """Return an answer's status in numbers and words, and who says so where it is not the server itself."""
    try:
        says = f"status {answer.status_code}, {HTTPStatus(answer.status_code).phrase}"
    except ValueError:
        return f"status {answer.status_code}"
    if answer.status_code in {httpx.codes.BAD_GATEWAY, httpx.codes.GATEWAY_TIMEOUT}:
        return f"{says}: what stands before it gets no answer from it"
    return says


def _reason(error: BaseException) -> str:
    """Return in words why no connection came about, "" where the exception says it best itself."""
    for cause in _causes(error):
        if isinstance(cause, socket.gaierror):
            return "no address is known for its name: there is no network, or the name is wrong"
        if isinstance(cause, ConnectionRefusedError):
            return "nobody listens there: connection refused"
        if isinstance(cause, OSError) and cause.errno in {errno.ENETUNREACH, errno.EHOSTUNREACH}:
            return "no network leads there"
        if isinstance(cause, httpx.ConnectTimeout):
            return "no connection came about in time"
    return ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _origin(url: str, location: str) -> str:
    """Return the address that a redirect leads to, without the path of the request."""
    target = httpx.URL(url).join(location)
    return str(target.copy_with(raw_path=b"/")).rstrip("/")


def _sentence(error: BaseException) -> str:
    return str(error) or type(error).__name__
