"""Guards of the doors: they count who asks before anything of the request is read (R44; see `rates`).

They are coroutines though they wait for nothing: the framework runs other functions in a thread, which takes
longer than the whole question. A line that breaks meanwhile would take its request with it, and a push that
came whole must be taken whether anybody waits for its answer or not (R40).
"""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from sync.server.rates import Rate, Rates, who_asks
from sync.server.server import Server

STATE = "server"  # the application's name for the server that its guards ask

Connection = ASGIConnection[Any, Any, Any, Any]


async def of_the_unproven(connection: Connection, _: BaseRouteHandler) -> None:
    """Count who asks without a token."""
    server = _server(connection)
    Rates.take(server.rates.unproven, _who(connection), server.monotonic_ms())


async def of_nonces(connection: Connection, _: BaseRouteHandler) -> None:
    """Count who asks for something to sign."""
    server = _server(connection)
    Rates.take(server.rates.nonces, _who(connection), server.monotonic_ms())


async def of_wrong_tokens(connection: Connection, _: BaseRouteHandler) -> None:
    """Turn away whose tokens were wrong too often, before the next one is looked up."""
    server = _server(connection)
    if len(server.rates.wrong_tokens):
        Rates.require(server.rates.wrong_tokens, _who(connection), server.monotonic_ms())


def note_wrong_token(connection: Connection) -> None:
    """Count a token that this server does not know."""
    who = _who(connection)
    if who is not None:
        server = _server(connection)
        server.rates.wrong_tokens.count(who, server.monotonic_ms())


def check_account(server: Server, account: str) -> None:
    """Check that an account was not enrolled or asked about too often.

    Raises:
        TooManyRequestsError: It was.
    """
    Rates.require(_of_account(server), account, server.monotonic_ms())


def note_account(server: Server, account: str) -> None:
    """Count a request whose right to speak for the account was proven."""
    _of_account(server).count(account, server.monotonic_ms())


def _of_account(server: Server) -> Rate:
    return server.rates.of_account


def _server(connection: Connection) -> Server:
    server = connection.app.state[STATE]
    assert isinstance(server, Server), "the application was made with one"
    return server


def _who(connection: Connection) -> str | None:
    return who_asks(connection.client.host if connection.client is not None else None)
