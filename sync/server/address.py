"""The address at which the server is to listen, asked for before anything is begun (R69)."""

import contextlib
import errno
import os
import socket

from diary.errors import UsageError


class AddressTakenError(UsageError):
    """Another program listens there."""

    says = "Another program listens at {host}, port {port}."
    mend = "End it, or name another port: diary server run --port 8441."


class NoAddressError(UsageError):
    """This computer has no such address, or lets this user have no such port."""

    says = "The server cannot listen at {host}, port {port} ({why})."
    mend = "Name an address of this computer (--host), and a port over 1023 (--port)."


def require_address(host: str, port: int) -> None:
    """Check that the server can listen at an address, each of them where a name has several.

    Raises:
        AddressTakenError: Somebody listens there.
        NoAddressError: It is none of this computer's, or not this user's to have.
    """
    try:
        for family, kind, protocol, _, place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            with contextlib.closing(socket.socket(family, kind, protocol)) as probe:
                if os.name == "posix":  # as the server itself does: what a server that ended left is no taker
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind(place)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise AddressTakenError(host=host, port=port) from error
        raise NoAddressError(host=host, port=port, why=error.strerror or error) from error
