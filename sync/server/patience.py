"""How long the server waits for a request that does not come whole (R44).

A line of 64 kbit/s that loses every fifth packet gets on, slowly; one that sends a byte a minute holds a
place that others need. It is hung up on: nothing of its request was taken, and a device comes again.
"""

import asyncio
from typing import ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 60.0  # from the first byte of a request, or of silence, to the end of its head
STALL_SECONDS = 120.0  # between two arrivals of a body: longer than a slow line's longest retransmission
BODY_SECONDS = 1800.0  # for a whole body: 4 MiB take half of it on a line of 64 kbit/s


class PatientProtocol(H11Protocol):
    """uvicorn's HTTP, which hangs up on requests that do not get on."""

    head_seconds: ClassVar[float] = HEAD_SECONDS
    stall_seconds: ClassVar[float] = STALL_SECONDS
    body_seconds: ClassVar[float] = BODY_SECONDS

    _patience: asyncio.TimerHandle | None = None
    _body_ends_at: float | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Wait for the first request."""
        super().connection_made(transport)
        self._wait(self.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._rest()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came, and wait for what is missing yet."""
        super().data_received(data)
        now = self.loop.time()
        if self.conn.their_state is h11.SEND_BODY:
            self._body_ends_at = self._body_ends_at or now + self.body_seconds
            self._wait(min(self.stall_seconds, self._body_ends_at - now))
            return
        self._body_ends_at = None
        if self.conn.their_state is not h11.IDLE:
            self._rest()  # it is whole: now it is for us to answer
        elif self._patience is None:
            self._wait(self.head_seconds)  # a head has begun; more of it buys no more time

    def _wait(self, seconds: float) -> None:
        self._rest()
        self._patience = self.loop.call_later(seconds, self._hang_up)

    def _rest(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _hang_up(self) -> None:
        self._patience = None
        self.transport.close()
