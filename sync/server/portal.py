"""The client's page: plain files of this server, and the headers under which they are served (R53, R64).

`/join` is the page, `/client/...` its modules, styles and service worker. They hold no data and know no
account: what an invitation link says stands behind its `#` and never comes here. Whoever serves these files
is trusted with what they open, and the page says so.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from litestar import Request, Response, get
from litestar.datastructures import State

from sync.server.faults import NotFoundError

PAGE = "page.html"
SERVICE = "service.js"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
# The look that the freelancer's pages share lies with the diary (R24).
_SHARED = ("conversation.css", "grid.css")

# Nothing inline, nothing evaluated, nothing from elsewhere, no form sent, no frame around it (R53).
_DIRECTIVES = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob:",
    "connect-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types workdiary",
)
CONTENT_SECURITY_POLICY = "; ".join(_DIRECTIVES)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), display-capture=()",
    # A new release is taken at once; what did not change is answered by 304.
    "Cache-Control": "no-cache",
}


@dataclass(frozen=True, slots=True)
class _File:
    """One file as it is served; `etag` changes with its bytes."""

    content: bytes
    type: str
    etag: str


@cache
def _files() -> dict[str, _File]:
    """Return the files by their names, read once: a release does not change while it runs."""
    own = {entry.name: entry for entry in files("sync.server").joinpath("static").iterdir()}
    shared = {name: files("diary.page").joinpath(name) for name in _SHARED}
    found = {}
    for name, entry in {**own, **shared}.items():
        kind = _TYPES.get(f".{name.rpartition('.')[2]}")
        if kind is not None:
            content = entry.read_bytes()
            etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
            found[name] = _File(content, kind, etag)
    return found


def _answer(request: Request[None, None, State], name: str) -> Response[bytes]:
    found = _files().get(name)
    if found is None:
        raise NotFoundError(what="There is no such file.")
    headers = {**HEADERS, "ETag": found.etag}
    if name == SERVICE:
        # It lies among the modules and answers for the page beside them.
        headers["Service-Worker-Allowed"] = "../"
    if request.headers.get("If-None-Match") == found.etag:
        return Response(b"", status_code=304, headers=headers)
    return Response(found.content, media_type=found.type, headers=headers)


@get("/join", include_in_schema=False)
async def page(request: Request[None, None, State]) -> Response[bytes]:
    """Give the client's page."""
    return _answer(request, PAGE)


@get("/client/{name:str}", include_in_schema=False)
async def client_file(request: Request[None, None, State], name: str) -> Response[bytes]:
    """Give one of the page's modules or styles."""
    return _answer(request, name)


PORTAL = (page, client_file)
