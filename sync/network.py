"""Whether this machine has a way to the server at all: asked of the routing table, nothing is sent (R41)."""

import socket
from urllib.parse import urlsplit


def has_route(url: str) -> bool:
    """Return whether there is a route to the server's host; False too where its name cannot be resolved.

    A datagram socket that is connected sends nothing: the system only looks for a way.
    """
    parts = urlsplit(url)
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_DGRAM)
    except OSError:
        return False
    for family, kind, protocol, _, address in found:
        with socket.socket(family, kind, protocol) as probe:
            try:
                probe.connect(address)
            except OSError:
                continue
            return True
    return False
