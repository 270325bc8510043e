"""Only programs of this user are answered (R52).

Loopback belongs to all users of a machine. A token can be read from the command line of the browser that it
was given to, and a cookie goes to every port of this host: cookies know no ports. So each connection is asked
whose it is before a byte of it is read. Linux tells it, of one connection in a tenth of a millisecond
(sock_diag(7)), else by the table of all of them (/proc/net/tcp), which takes ten; elsewhere token and cookie
are all there is.
"""

import asyncio
import errno
import os
import socket
import struct
from collections.abc import Iterable
from pathlib import Path

from uvicorn.protocols.http.auto import AutoHTTPProtocol

# linux/netlink.h, linux/sock_diag.h, linux/inet_diag.h: a message's head; what is asked, its ports and
# addresses in network order, with no cookie known; where in the answer the owner stands.
_ANY = 0xFFFFFFFF
_NETLINK_SOCK_DIAG, _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST = 4, 20, 1
_HEAD = struct.Struct("=IHHII")
_WHICH = struct.Struct("=BBBBI")
_ENDS = struct.Struct("!HH4s12x4s12x")
_NO_COOKIE = struct.pack("=III", 0, _ANY, _ANY)
_OWNER_AT = 4 + 48 + 12
_SECONDS_MAX = 1.0  # the kernel answers at once
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
    own = os.getuid() if hasattr(os, "getuid") else 0
    try:
        if owner_of(here, there) is not None:
            return owner_of(there, here) != own
    except OSError:
        pass  # a kernel without it, or another system
    lines = [line for table in _TABLES if table.is_file() for line in table.read_text().splitlines()[1:]]
    return owner_is_another(lines, here[1], there[1], own)


def owner_of(end: tuple[str, int], other: tuple[str, int]) -> int | None:
    """Return whose one end of a TCP connection over IPv4 is, None where no such connection is known.

    Raises:
        OSError: This system does not tell it so.
    """
    if not hasattr(socket, "AF_NETLINK"):
        raise OSError(errno.ENOSYS, "no netlink")
    ends = [socket.inet_aton(address) for address, _ in (end, other)]
    which = _WHICH.pack(socket.AF_INET, socket.IPPROTO_TCP, 0, 0, _ANY)
    asked = which + _ENDS.pack(end[1], other[1], *ends) + _NO_COOKIE
    head = _HEAD.pack(_HEAD.size + len(asked), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as line:
        line.settimeout(_SECONDS_MAX)
        line.send(head + asked)
        answer = line.recv(4096)
    _, kind, *_ = _HEAD.unpack_from(answer)
    if kind == _SOCK_DIAG_BY_FAMILY:
        return int(struct.unpack_from("=I", answer, _HEAD.size + _OWNER_AT)[0])
    (fault,) = struct.unpack_from("=i", answer, _HEAD.size)
    if -fault == errno.ENOENT:
        return None
    raise OSError(-fault, os.strerror(-fault))


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
