"""What a server counts for its operator, in Prometheus' text form: how many, how long, never whose (R46).

No label bears an account, a contract, a replica or a name of a picture: who may read the figures learns how
busy the server is and nothing about who uses it. They are read at a port of their own, which stays inside.
"""

import time
from collections.abc import Callable, Iterable

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    start_http_server,
)

SECONDS_EDGES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
NO_DOOR = "none"  # a path that leads nowhere is no label: whoever asks chooses it
TAKEN = "taken"
_STATUS_MAX = 599


class Metrics:
    """The figures of one server process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._requests = Counter(
            "workdiary_requests",
            "Requests answered, by door and status",
            ("door", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "workdiary_request_seconds",
            "Time from a request's head to the end of its answer, by door",
            ("door",),
            buckets=SECONDS_EDGES,
            registry=self.registry,
        )
        self._versions = Counter(
            "workdiary_pushed_versions",
            "Versions of pushes, by what was answered: taken, or the word of the refusal",
            ("answer",),
            registry=self.registry,
        )
        self._picture_bytes = Counter(
            "workdiary_picture_bytes",
            "Sealed bytes of pictures that went in or out",
            ("way",),
            registry=self.registry,
        )
        self._clock_sure = Gauge(
            "workdiary_clock_sure", "1 while the server trusts its clock, else 0 (R6)", registry=self.registry
        )

    def watch_clock(self, is_sure: Callable[[], bool]) -> None:
        """Ask the clock's watch each time the figures are read (see `Counts`)."""
        self._clock_sure.set_function(lambda: float(is_sure()))

    def pushed(self, versions: int, refusals: Iterable[str]) -> None:
        """Count a push (see `Counts`)."""
        refused = list(refusals)
        self._versions.labels(TAKEN).inc(versions - len(refused))
        for reason in refused:
            self._versions.labels(reason).inc()

    def picture_moved(self, way: str, size: int) -> None:
        """Count bytes of a picture (see `Counts`)."""
        self._picture_bytes.labels(way).inc(size)

    def answered(self, door: str, status: int, seconds: float) -> None:
        """Count one answer."""
        self._requests.labels(door, str(status)).inc()
        self._seconds.labels(door).observe(seconds)

    def around(self, app: ASGIApp) -> ASGIApp:
        """Return the application with each of its answers counted."""

        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != ScopeType.HTTP:
                await app(scope, receive, send)
                return
            began, status = time.perf_counter(), _STATUS_MAX

            async def sent(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                await send(message)

            try:
                await app(scope, receive, sent)
            finally:
                door = scope.get("path_template") or NO_DOOR  # Litestar's, known once it is routed
                self.answered(door, status, time.perf_counter() - began)

        return counted


def serve_metrics(metrics: Metrics, host: str, port: int) -> Callable[[], None]:
    """Serve the figures at a port of their own, from a thread; return what ends it.

    Raises:
        OSError: Nothing can listen there.
    """
    server, thread = start_http_server(port, host, registry=metrics.registry)

    def end() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return end
