"""Only programs of this user are answered (R52).

Loopback belongs to all users of a machine. A token can be read from the command line of the browser that it
was given to, and a cookie goes to every port of this host: cookies know no ports. So each connection is asked
whose it is before a byte of it is read. Linux tells it (/proc/net/tcp); elsewhere token and cookie are all
there is.
"""

import asyncio
import os
from collections.abc import Iterable
from pathlib import Path

from uvicorn.protocols.http.auto import AutoHTTPProtocol

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_MAPPED = "0000000000000000FFFF0000"  # an IPv4 address in the table of IPv6


class OwnUserProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]  # which class it is, uvicorn finds out
    """HTTP as uvicorn speaks it, with this user's programs only."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hang up on a program of somebody else; otherwise begin."""
        here, there = transport.get_extra_info("sockname"), transport.get_extra_info("peername")
        if is_anothers(here, there):
            assert isinstance(transport, asyncio.Transport)
            transport.abort()
            # The protocol goes on as for a connection that ended at once.
        super().connection_made(transport)


def is_anothers(here: tuple[str, int], there: tuple[str, int]) -> bool:
    """Return whether the other end of a loopback connection is known to be another user's."""
    lines = [line for table in _TABLES if table.is_file() for line in table.read_text().splitlines()[1:]]
    return owner_is_another(lines, here[1], there[1], os.getuid() if hasattr(os, "getuid") else 0)


def owner_is_another(lines: Iterable[str], our_port: int, their_port: int, own: int) -> bool:
    """Return whether the table of connections names another owner of the other end than `own`.

    A table that does not know our end either tells nothing; one that does and not theirs is of a connection
    that is over, or hidden from us: nobody of ours.
    """
    owners: dict[tuple[int, int], int] = {}
    for line in lines:
        _, local, remote, _, _, _, _, owner, *_ = line.split()
        if _is_loopback(local) and _is_loopback(remote):
            owners[_port(local), _port(remote)] = int(owner)
    if (our_port, their_port) not in owners:
        return False
    return owners.get((their_port, our_port)) != own


def _is_loopback(end: str) -> bool:
    address = end.partition(":")[0].removeprefix(_MAPPED)
    return len(address) == 8 and address.endswith("7F")


def _port(end: str) -> int:
    return int(end.partition(":")[2], 16)
