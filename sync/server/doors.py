"""The HTTP doors of the server: one a message, each documented by its types (R41, R44, R45).

Calls of the server run in threads: a commit waits for the disk, and other requests must not wait with it.
Those for pictures have threads of their own: an object store may take long, and rows must not wait (R41).
"""

import asyncio
import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ParamSpec, TypeAlias, TypeVar

from litestar import Response, get, head, post, put
from litestar.datastructures import ResponseHeader
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import OpenAPIFormat, OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.params import Parameter

from sync.protocol import (
    PICTURE_BYTES_MAX,
    UPLOAD_OFFSET,
    UPLOAD_WHOLE,
    DeviceLists,
    Enrol,
    Fault,
    Heal,
    HealAnswer,
    Invoices,
    InvoicesAnswer,
    Join,
    Nonce,
    PicturePart,
    Pull,
    PullAnswer,
    Push,
    PushAnswer,
    RootProof,
    ServerFacts,
    Weeks,
    WeeksAnswer,
)
from sync.server.described import Authorization, faults
from sync.server.faults import UnreadableError
from sync.server.limiting import (
    check_account,
    note_account,
    of_nonces,
    of_the_unproven,
    of_wrong_tokens,
)
from sync.server.server import Server

OCTETS = "application/octet-stream"
_Asked = ParamSpec("_Asked")
_Answer = TypeVar("_Answer")
_RANGE = re.compile(r"bytes=(\d{1,12})-(\d{1,12})?")

PictureNamed: TypeAlias = Annotated[
    str, Parameter(pattern="^[0-9a-f]{64}$", description="SHA-256 of the picture's ciphertext")
]


@dataclass
class _PartOperation(Operation):
    """A picture's part is raw bytes, which the handler's types do not say."""

    def __post_init__(self) -> None:
        """Describe the request's body."""
        octets = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY))
        self.request_body = RequestBody(required=True, content={OCTETS: octets})


@get("/health")
async def health() -> dict[str, str]:
    """Say that the process answers."""
    return {"health": "ok"}


@get("/health/ready", responses=faults(503))
async def ready(server: Server) -> dict[str, str]:
    """Say that the database answers and the clock is trusted: that a push would be taken now."""
    await asyncio.to_thread(server.check_ready)
    return {"health": "ready"}


@get("/v1/server")
async def server_facts(server: Server) -> ServerFacts:
    """Say who answers, by which key and which clock."""
    return server.facts()


@get("/v1/nonce", guards=[of_nonces], responses=faults(429))
async def nonce(server: Server) -> Nonce:
    """Give what a root key signs to prove itself."""
    return server.nonce()


@post(
    "/v1/device-list",
    status_code=200,
    guards=[of_the_unproven],
    responses=faults(400, 403, 404, 429),
)
async def device_lists(server: Server, data: RootProof) -> DeviceLists:
    """Give the device lists since the root's last one to the holder of the root key."""
    check_account(server, data.account)
    answer = await asyncio.to_thread(server.device_lists, data)
    note_account(server, data.account)
    return answer


@post(
    "/v1/enrol",
    status_code=200,
    guards=[of_the_unproven],
    responses=faults(400, 401, 403, 409, 413, 429, 503),
)
async def enrol(server: Server, data: Enrol) -> PushAnswer:
    """Open an account, or advance its device list, and admit the enrolling replica."""
    check_account(server, data.push.account)
    answer = await asyncio.to_thread(server.enrol, data)
    note_account(server, data.push.account)
    return answer


@post(
    "/v1/join",
    status_code=200,
    guards=[of_the_unproven],
    responses=faults(400, 403, 413, 429, 503),
)
async def join(server: Server, data: Join) -> PushAnswer:
    """Let a client's seat join a contract by the secret of an invitation link, and admit it."""
    return await asyncio.to_thread(server.join, data)


@post(
    "/v1/push",
    status_code=200,
    guards=[of_wrong_tokens],
    responses=faults(400, 401, 403, 413, 429, 503),
)
async def push(server: Server, data: Push, authorization: Authorization = None) -> PushAnswer:
    """Take versions of one replica, signed by it; answer each with a receipt or a refusal."""
    return await server.push_in_turn(authorization, data)


@post(
    "/v1/pull",
    status_code=200,
    guards=[of_wrong_tokens],
    responses=faults(400, 401, 403, 413, 429, 503),
)
async def pull(server: Server, data: Pull, authorization: Authorization = None) -> PullAnswer:
    """Give the rows of the account's feeds past the cursors."""
    return await asyncio.to_thread(server.pull, authorization, data)


@post(
    "/v1/weeks",
    status_code=200,
    guards=[of_wrong_tokens],
    responses=faults(400, 401, 403, 404, 413, 429, 503),
)
async def weeks(server: Server, data: Weeks, authorization: Authorization = None) -> WeeksAnswer:
    """Give some weeks of a contract before its log is read: a first look, the rest follows by pulls."""
    return await asyncio.to_thread(server.weeks, authorization, data)


@post(
    "/v1/invoices",
    status_code=200,
    guards=[of_wrong_tokens],
    responses=faults(400, 401, 403, 429, 503),
)
async def invoices(server: Server, data: Invoices, authorization: Authorization = None) -> InvoicesAnswer:
    """Give invoices as the server signed them, to a seat what is its contract's of them."""
    return await asyncio.to_thread(server.invoices, authorization, data)


@post("/v1/heal", status_code=200, responses=faults(400, 401, 403, 413, 503))
async def heal(server: Server, data: Heal) -> HealAnswer:
    """Take again what a restored server lost, proven by the server's own signatures."""
    return await asyncio.to_thread(server.heal, data)


@head(
    "/v1/pictures/{name:str}",
    guards=[of_wrong_tokens],
    response_headers=[ResponseHeader(name=UPLOAD_OFFSET, documentation_only=True)],
    responses=faults(400, 401, 403, 404, 429, 503),
)
async def picture_part(
    server: Server, name: PictureNamed, authorization: Authorization = None
) -> Response[None]:
    """Say in the headers how much of a picture is held, and whether it is whole."""
    part = await _at_pictures(server, server.picture_part, authorization, name)
    return Response(None, headers=_upload_headers(part))


@put(
    "/v1/pictures/{name:str}",
    guards=[of_wrong_tokens],
    status_code=200,
    operation_class=_PartOperation,
    responses=faults(400, 401, 403, 404, 409, 413, 422, 429, 503),
)
async def take_picture(
    server: Server,
    name: PictureNamed,
    body: bytes,
    authorization: Authorization = None,
    offset: Annotated[int, Parameter(header=UPLOAD_OFFSET, ge=0, le=PICTURE_BYTES_MAX)] = 0,
) -> Response[PicturePart]:
    """Append a part of a picture at the offset; the last one makes it whole if its hash is its name."""
    part = await _at_pictures(server, server.take_picture, authorization, name, offset, body)
    return Response(part, headers=_upload_headers(part))


@get(
    "/v1/pictures/{name:str}",
    guards=[of_wrong_tokens],
    media_type=OCTETS,
    responses={
        206: ResponseSpec(bytes, description="What the Range asks for", media_type=OCTETS),
        416: ResponseSpec(Fault, description="Nothing lies in that Range", generate_examples=False),
        **faults(400, 401, 403, 404, 429, 503),
    },
)
async def picture(
    server: Server,
    name: PictureNamed,
    authorization: Authorization = None,
    span: Annotated[str | None, Parameter(header="Range", required=False)] = None,
) -> Response[bytes]:
    """Give a whole picture's ciphertext, or the part of it that one Range asks for."""
    if span is None:
        found = await _at_pictures(server, server.picture, authorization, name, 0, None)
        return Response(found.content, media_type=OCTETS, headers={"Accept-Ranges": "bytes"})
    asked = _RANGE.fullmatch(span)
    if asked is None:
        raise UnreadableError(what="A Range is bytes=first-last or bytes=first-.")
    last = int(asked[2]) if asked[2] else None
    found = await _at_pictures(server, server.picture, authorization, name, int(asked[1]), last)
    if not found.content:
        return Response(b"", status_code=416, headers={"Content-Range": f"bytes */{found.size}"})
    content_range = f"bytes {found.start}-{found.start + len(found.content) - 1}/{found.size}"
    return Response(
        found.content,
        status_code=206,
        media_type=OCTETS,
        headers={"Accept-Ranges": "bytes", "Content-Range": content_range},
    )


async def _at_pictures(
    server: Server, call: Callable[_Asked, _Answer], *asked: _Asked.args, **named: _Asked.kwargs
) -> _Answer:
    """Return the call's answer, run in one of the threads for pictures."""
    run = functools.partial(call, *asked, **named)
    return await asyncio.get_running_loop().run_in_executor(server.picture_threads, run)


def _upload_headers(part: PicturePart) -> dict[str, str]:
    return {UPLOAD_OFFSET: str(part.size), UPLOAD_WHOLE: "true" if part.whole else "false"}


DOORS = (
    health,
    ready,
    server_facts,
    nonce,
    device_lists,
    enrol,
    join,
    push,
    pull,
    weeks,
    invoices,
    heal,
    picture_part,
    take_picture,
    picture,
)
