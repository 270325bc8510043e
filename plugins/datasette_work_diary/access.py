"""Who may read and write through the local viewer (R52).

`decide` is pure: it sees what a request claims and what this start of the viewer accepts, and answers
`Pass`, `Welcome` or `Turned`. `Gate` is the ASGI wrapper that asks it, keeps the cookies of two viewers on
one machine apart (cookies know no ports), and puts the headers on every answer.

What it holds: a page of another origin, a rebound host name, a frame, or a program that guesses reads
nothing and changes nothing. Programs of other users are not answered at all (`own_user`): cookies know no
ports, so a page that one of them serves on this host is sent ours. What it cannot hold: programs that run as
the same user, who can read the diary's folder anyway.
"""

import asyncio
import hmac
import secrets
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from html import escape
from typing import Any, Literal, assert_never
from urllib.parse import parse_qs

from datasette_work_diary.lock import PASSPHRASE_BYTES_MAX, UNLOCK_PATH, Lock

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

LOOPBACK = "127.0.0.1"
OPEN_PATH = "/-/diary/open"
HOME_PATH = "/-/diary"
DIARY_PATH = "/-/diary"
SESSION_COOKIE = "diary_session"
TOKEN_BYTES = 32  # beyond any guessing, however long the viewer runs
# Style sheets, modules and the icon hold nothing of any diary; the page that turns you away uses them.
STATIC_PATHS = ("/-/static/", "/-/diary-static/", "/-/diary-page/", "/favicon.ico")
READING = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Door:
    """What one start of the viewer accepts: its host name with port, its token, its session's secret."""

    port: int
    token: str
    session: str

    @classmethod
    def new(cls, port: int) -> "Door":
        """Return the door of a start on `port`, with fresh secrets (R52)."""
        return cls(port, secrets.token_urlsafe(TOKEN_BYTES), secrets.token_urlsafe(TOKEN_BYTES))

    @property
    def host(self) -> str:
        """Return the only Host header that is answered."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def origin(self) -> str:
        """Return the only origin that may write."""
        return f"http://{self.host}"

    @property
    def url(self) -> str:
        """Return the address that signs a browser in."""
        return f"{self.origin}{OPEN_PATH}?token={self.token}"

    @property
    def cookie_suffix(self) -> str:
        """Return what tells this viewer's cookies from those of another port."""
        return f"_{self.port}"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request claims. A header that is absent, or came twice, is None."""

    method: str
    path: str
    query: str
    host: str | None
    session: str
    origin: str | None
    fetch_site: str | None
    fetch_mode: str | None


@dataclass(frozen=True, slots=True)
class Pass:
    """The request goes on to Datasette."""


@dataclass(frozen=True, slots=True)
class Welcome:
    """The token is right: set the session's cookie and lead to the diary."""


@dataclass(frozen=True, slots=True)
class Turned:
    """The request is turned away, with a sentence for whoever sees the page."""

    why: Literal["wrong_host", "other_site", "not_signed_in", "wrong_token"]
    says: str


Decision = Pass | Welcome | Turned


def decide(door: Door, asked: Asked) -> Decision:
    """Return whether the request may go on, and why not (R52).

    In this order: the Host (a rebound name is answered with nothing), the site the request comes from, the
    token, the session.
    """
    if asked.host != door.host:
        return Turned("wrong_host", f"This diary answers at {door.origin} only.")
    if _comes_from_elsewhere(door, asked):
        return Turned("other_site", "Another page asked for this; only the diary's own pages may.")
    is_signed_in = _same(asked.session, door.session)
    if asked.path == OPEN_PATH and asked.method == "GET":
        # Signed in already: an old address from the terminal's history still leads home.
        if is_signed_in or _same(_token_in(asked.query), door.token):
            return Welcome()
        return Turned("wrong_token", "This address is not, or no longer, right: each start makes a new one.")
    if is_signed_in or (asked.path.startswith(STATIC_PATHS) and asked.method in READING):
        return Pass()
    return Turned("not_signed_in", "This browser is not signed in to the diary.")


def _comes_from_elsewhere(door: Door, asked: Asked) -> bool:
    if asked.method not in READING:
        # Under `no-referrer` browsers call the origin of a form "null", and the site tells whose it was.
        if asked.origin == "null":
            return asked.fetch_site != "same-origin"
        return asked.origin != door.origin or asked.fetch_site not in {None, "same-origin"}
    # Following a link from elsewhere is fine, as the cookie then stays behind; embedding is not.
    return asked.fetch_site in {"cross-site", "same-site"} and asked.fetch_mode != "navigate"


def _token_in(query: str) -> str:
    return parse_qs(query).get("token", [""])[0]


def _same(given: str, secret: str) -> bool:
    return hmac.compare_digest(given.encode(), secret.encode())


def policy(*, diary_page: bool, nonce: str) -> str:
    """Return the content security policy of one page (R52).

    The diary's own pages have no inline script or style at all. Datasette's have a few scripts of their own,
    which get the nonce where the template stands, so that no content can carry it; its editor for SQL draws
    with styles it makes itself, which can draw but not run.
    """
    scripts, styles, images = (
        ("", "", "") if diary_page else (f" 'nonce-{nonce}'", " 'unsafe-inline'", " data:")
    )
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self'{scripts}",
            f"style-src 'self'{styles}",
            f"img-src 'self'{images}",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def guarded(headers: Iterable[tuple[bytes, bytes]], *, path: str, nonce: str) -> Headers:
    """Return the answer's headers with the viewer's own in place of whatever stood there (R52)."""
    ours = {
        b"content-security-policy": policy(diary_page=path.startswith(DIARY_PATH), nonce=nonce).encode(),
        b"cache-control": b"no-store",
        b"x-content-type-options": b"nosniff",
        b"x-frame-options": b"DENY",
        b"referrer-policy": b"no-referrer",
        b"cross-origin-resource-policy": b"same-origin",
        b"cross-origin-opener-policy": b"same-origin",
    }
    kept = [
        (name, value)
        for name, value in headers
        if name.lower() not in ours and not name.lower().startswith(b"access-control-")
    ]
    return kept + list(ours.items())


def cookies_in(header: str, suffix: str) -> dict[str, str]:
    """Return this viewer's cookies, their suffix taken off; those of other ports are left out."""
    pairs = (part.strip().partition("=") for part in header.split(";"))
    return {name.removesuffix(suffix): value for name, _, value in pairs if name.endswith(suffix)}


def cookie_out(header: bytes, suffix: str) -> bytes:
    """Return a Set-Cookie of Datasette's under this viewer's name, closed to scripts and other sites."""
    name, _, rest = header.partition(b"=")
    value, *attributes = (part.strip() for part in rest.split(b";"))
    ours = (b"httponly", b"samesite")
    kept = [part for part in attributes if not part.lower().startswith(ours)]
    return b"; ".join([name + suffix.encode() + b"=" + value, *kept, b"HttpOnly", b"SameSite=Strict"])


def asked_of(scope: Scope, suffix: str) -> Asked:
    """Return what an HTTP scope claims."""
    headers: Headers = list(scope["headers"])

    def one(name: bytes) -> str | None:
        values = [value for key, value in headers if key.lower() == name]
        return values[0].decode("latin-1") if len(values) == 1 else None

    return Asked(
        method=scope["method"],
        path=scope["path"],
        query=scope.get("query_string", b"").decode("latin-1"),
        host=one(b"host"),
        session=cookies_in(one(b"cookie") or "", suffix).get(SESSION_COOKIE, ""),
        origin=one(b"origin"),
        fetch_site=one(b"sec-fetch-site"),
        fetch_mode=one(b"sec-fetch-mode"),
    )


TURNED_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Not signed in · Work diary</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/-/diary-page/grid.css">
<link rel="stylesheet" href="/-/diary-static/diary.css">
<link rel="stylesheet" href="/-/diary-static/notices.css">
<link rel="stylesheet" href="/-/diary-static/figures.css">
<link rel="stylesheet" href="/-/diary-static/acts.css">
<link rel="stylesheet" href="/-/diary-static/segment.css">
</head><body class="diary diary-turned"><main class="turned"><h1>This diary is closed</h1>
<p>{says}</p><p>To open it, run this in a terminal:</p><pre>diary open</pre></main></body></html>
"""


LOCKED_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Locked · Work diary</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/-/diary-page/grid.css">
<link rel="stylesheet" href="/-/diary-static/diary.css">
<link rel="stylesheet" href="/-/diary-static/notices.css">
<link rel="stylesheet" href="/-/diary-static/figures.css">
<link rel="stylesheet" href="/-/diary-static/acts.css">
<link rel="stylesheet" href="/-/diary-static/segment.css">
</head><body class="diary diary-turned"><main class="turned"><h1>This diary is locked</h1>
<p>Its keys lie under a passphrase. What you type stays in this program's memory until it ends.</p>
<form action="{action}" method="post" class="fields">
<p role="alert">{says}</p>
<p class="long"><label for="passphrase">Passphrase</label>
<input type="password" id="passphrase" name="passphrase" autocomplete="off" required autofocus></p>
<p class="send"><button type="submit">Open the diary</button></p>
</form></main></body></html>
"""


class Gate:
    """The ASGI wrapper around all of Datasette (R52)."""

    def __init__(self, app: App, door: Door, lock: Lock) -> None:
        self._app = app
        self._door = door
        self._lock = lock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request in, sign it in, or turn it away."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # nothing here speaks anything else; uvicorn closes the connection
        nonce = secrets.token_urlsafe(16)
        sender = self._sender(scope["path"], nonce, send)
        match decide(self._door, asked_of(scope, self._door.cookie_suffix)):
            case Pass() if self._lock.is_locked and not scope["path"].startswith(STATIC_PATHS):
                await self._locked(scope, receive, sender)
            case Pass():
                await self._app(self._inner(scope, nonce), receive, sender)
            case Welcome():
                cookie = f"{SESSION_COOKIE}={self._door.session}; Path=/".encode()
                await _answer(sender, 303, [(b"location", HOME_PATH.encode()), (b"set-cookie", cookie)], b"")
            case Turned(says=says):
                content = (b"content-type", b"text/html; charset=utf-8")
                await _answer(sender, 403, [content], TURNED_PAGE.format(says=says).encode())
            case unknown:
                assert_never(unknown)

    async def _locked(self, scope: Scope, receive: Receive, sender: Send) -> None:
        """Ask for the passphrase, or try the one that was sent (R49)."""
        says = ""
        if scope["path"] == UNLOCK_PATH and scope["method"] == "POST":
            typed = parse_qs((await _body(receive)).decode(errors="replace")).get("passphrase", [""])[0]
            fault = await asyncio.to_thread(self._lock.unlock, typed)
            if fault is None:
                await _answer(sender, 303, [(b"location", HOME_PATH.encode())], b"")
                return
            says = fault.in_full
        page = LOCKED_PAGE.format(action=UNLOCK_PATH, says=escape(says)).encode()
        await _answer(sender, 423, [(b"content-type", b"text/html; charset=utf-8")], page)

    def _inner(self, scope: Scope, nonce: str) -> Scope:
        """Return the scope as Datasette sees it: this viewer's cookies under their plain names."""
        headers: Headers = list(scope["headers"])
        raw = "; ".join(value.decode("latin-1") for name, value in headers if name.lower() == b"cookie")
        cookies = cookies_in(raw, self._door.cookie_suffix)
        cookies.pop(SESSION_COOKIE, None)
        # The session stays outside; a cookie header always goes in, as asgi-csrf checks no request without.
        inner = "; ".join([*(f"{name}={value}" for name, value in cookies.items()), "diary=1"])
        kept = [pair for pair in headers if pair[0].lower() not in {b"cookie", b"authorization"}]
        return {**scope, "headers": [*kept, (b"cookie", inner.encode("latin-1"))], "csp_nonce": nonce}

    def _sender(self, path: str, nonce: str, send: Send) -> Send:
        async def guarded_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [
                    (name, cookie_out(value, self._door.cookie_suffix))
                    if name.lower() == b"set-cookie"
                    else (name, value)
                    for name, value in message.get("headers", [])
                ]
                message = {**message, "headers": guarded(headers, path=path, nonce=nonce)}
            await send(message)

        return guarded_send


async def _body(receive: Receive) -> bytes:
    """Return what a form sent, cut where no passphrase would be so long."""
    body, more = b"", True
    while more and len(body) <= PASSPHRASE_BYTES_MAX:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body[:PASSPHRASE_BYTES_MAX]


async def _answer(send: Send, status: int, headers: Headers, body: bytes) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})
