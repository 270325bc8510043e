"""The server as an ASGI application and as a process (R44, R69).

The OpenAPI document of what stands here is at `/schema/openapi.json`. Every error is a `Fault`. Nothing of
what is carried is logged: names, counts and instants only.
"""

import asyncio
import contextlib
import gc
import sys
import traceback
from collections.abc import AsyncIterator, Callable
from typing import Any

import structlog
import uvicorn
from litestar import Litestar, Request, Response
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.types import ASGIApp

from diary.clock import Clock, SystemClock
from sync.protocol import PROTOCOL_VERSION, UPLOAD_OFFSET, Fault
from sync.server.address import require_address
from sync.server.clock_watch import LOOK_SECONDS
from sync.server.counting import Counts
from sync.server.doors import DOORS
from sync.server.faults import (
    BusyError,
    FaultError,
    NotEnrolledError,
    UnreadableError,
    UploadOffsetError,
)
from sync.server.hearing import LOOK_AFTER_MILLIS
from sync.server.limiting import STATE, note_wrong_token
from sync.server.patience import PatientProtocol
from sync.server.payment_doors import PAYMENT_DOORS
from sync.server.portal import PORTAL
from sync.server.server import Server
from sync.server.settings import Settings

REQUEST_BYTES_MAX = 4 * 1024 * 1024 + 64 * 1024  # a picture's part; a push's 1 MiB travels as base64
TIDY_SECONDS = 3600
TIDY_AGAIN_SECONDS = (
    60  # what was deleted should be gone soon, also after the disk was full or the store away
)
KEEP_ALIVE_SECONDS = 75  # longer than clients keep a line: it is they who close it, never amid a request
GC_THRESHOLDS = (50_000, 20, 20)  # about one look a push of 500
SHUTDOWN_SECONDS = 5  # a request under way may end; then the process does

_WORDS = {404: "not_found", 405: "bad_request", 413: "too_large"}

_log = structlog.get_logger("workdiary.server")


def create_app(settings: Settings, clock: Clock | None = None, counts: Counts | None = None) -> Litestar:
    """Return the server as an ASGI application, its files opened; the shutdown event closes them."""
    server = Server.at(settings, clock or SystemClock(), counts)

    @contextlib.asynccontextmanager
    async def tidied(_: Litestar) -> AsyncIterator[None]:
        endless = (_tidy_for_ever, _watch_for_ever, _look_after_payments_for_ever)
        tasks = [asyncio.create_task(work(server)) for work in endless]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks)
            server.close()

    return Litestar(
        route_handlers=[*DOORS, *PAYMENT_DOORS, *PORTAL],
        state=State({STATE: server}),
        dependencies={"server": Provide(lambda: server, sync_to_thread=False, use_cache=True)},
        exception_handlers={
            FaultError: _answer_fault,
            HTTPException: _answer_http_error,
            OSError: _answer_machine_fault,
            RecursionError: _answer_nested,
            Exception: _answer_our_mistake,
        },
        lifespan=[tidied],
        openapi_config=OpenAPIConfig(
            title="Work Diary server",
            version=str(PROTOCOL_VERSION),
            path="/schema",
            render_plugins=[JsonRenderPlugin()],
        ),
        request_max_body_size=REQUEST_BYTES_MAX,
        logging_config=None,
    )


async def _tidy_for_ever(server: Server) -> None:
    while True:
        done = False
        try:
            done = await asyncio.to_thread(server.tidy)
        except (FaultError, OSError) as fault:  # a full disk now may be none in a while
            _log.warning("tidying failed", fault=type(fault).__name__)
        await asyncio.sleep(TIDY_SECONDS if done else TIDY_AGAIN_SECONDS)


async def _watch_for_ever(server: Server) -> None:
    while True:
        server.look_at_clock()
        await asyncio.to_thread(server.look_at_standings)
        await asyncio.sleep(LOOK_SECONDS)


async def _look_after_payments_for_ever(server: Server) -> None:
    while True:
        try:
            await asyncio.to_thread(server.paying.look_after)
        except (FaultError, OSError) as fault:  # what is away now may be there in a while
            _log.warning("the payment gateway was not asked", fault=type(fault).__name__)
        await asyncio.sleep(LOOK_AFTER_MILLIS / 1000)


def _answer_fault(request: Request[Any, Any, Any], fault: FaultError) -> Response[Fault]:
    headers = {}
    if isinstance(fault, NotEnrolledError):
        note_wrong_token(request)
    if isinstance(fault, UploadOffsetError):
        headers = {UPLOAD_OFFSET: str(fault.details["held"])}
    if fault.retry_after_seconds is not None:
        headers = {"Retry-After": str(fault.retry_after_seconds)}
    return Response(fault.fault(), status_code=fault.status, headers=headers)


def _answer_http_error(_: Request[Any, Any, Any], error: HTTPException) -> Response[Fault]:
    because = error.detail
    if isinstance(error.extra, list):
        because = "; ".join(str(item.get("message", "")) for item in error.extra if isinstance(item, dict))
    fault = Fault(reason=_WORDS.get(error.status_code, "bad_request"), because=because or error.detail)
    return Response(fault, status_code=error.status_code, headers=error.headers)


def _answer_nested(request: Request[Any, Any, Any], _: RecursionError) -> Response[Fault]:
    """Answer a body that is nested more deeply than the decoder reads; nothing of ours recurses."""
    return _answer_fault(request, UnreadableError(what="The request is nested too deeply."))


def _answer_machine_fault(request: Request[Any, Any, Any], error: OSError) -> Response[Fault]:
    """Answer what the machine failed at: a disk that cannot be read, no more files to be opened."""
    _log.error("machine failed", path=request.url.path, fault=type(error).__name__, number=error.errno)
    return _answer_fault(request, BusyError(what=error.strerror or type(error).__name__))


def _answer_our_mistake(request: Request[Any, Any, Any], error: Exception) -> Response[Fault]:
    # A traceback as text: no logger may add the frames' values, which are what was carried.
    _log.error("failed", path=request.url.path, traceback="".join(traceback.format_exception(error)))
    fault = Fault(reason="server_failed", because="The server failed; its operator finds why in its log.")
    return Response(fault, status_code=500)


def serve(settings: Settings) -> None:
    """Run the server until it is told to end; requests under way are answered first."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )
    require_address(settings.host, settings.port)
    app, end_metrics = _counted(settings)
    # A push makes thousands of small objects that live for one request: looking through them seldom, and
    # never through what the start made, takes a fifth off its time.
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    _log.info("serving", host=settings.host, port=settings.port)
    try:
        uvicorn.run(
            app,
            http=PatientProtocol,
            host=settings.host,
            port=settings.port,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            # Who asks is what a proxy says only where the operator named that proxy.
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=list(settings.trusted_proxies),
        )
    finally:
        end_metrics()


def _counted(settings: Settings) -> tuple[ASGIApp, Callable[[], None]]:
    """Return the application, and what ends the counting of it where somebody wants the figures."""
    if settings.metrics_port is None:
        return create_app(settings), lambda: None
    from sync.server.metrics import Metrics, serve_metrics

    metrics = Metrics()
    end = serve_metrics(metrics, settings.metrics_host, settings.metrics_port)
    return metrics.around(create_app(settings, counts=metrics)), end
