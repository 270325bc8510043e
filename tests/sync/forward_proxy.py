"""A forward proxy as companies have them: CONNECT, absolute addresses, SOCKS 5, a password where wanted.

Every host it is asked for is this machine: so a name that nobody has can be reached through it only.
"""

import base64
import http.client
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import BinaryIO, cast
from urllib.parse import urlsplit

CHUNK = 65536


@dataclass
class Proxy:
    """The proxy while it runs: its port, whom it lets through, and what it was asked for."""

    port: int
    user: str = ""
    asked: list[str] = field(default_factory=list)

    def carry_http(self, client: socket.socket, reader: BinaryIO, first: str) -> None:
        """Answer one request of a client of an HTTP proxy."""
        method, target, _ = first.split(" ", 2)
        headers = http.client.parse_headers(reader)
        wanted = f"Basic {base64.b64encode(self.user.encode()).decode()}" if self.user else None
        if wanted is not None and headers.get("Proxy-Authorization") != wanted:
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        self.asked.append(f"{method} {target}")
        if method == "CONNECT":
            port = int(target.rsplit(":", 1)[1])
            splice_to(client, port, b"HTTP/1.1 200 Connection established\r\n\r\n")
            return
        parts = urlsplit(target)
        line = http.client.HTTPConnection("127.0.0.1", parts.port or 80)
        body = reader.read(int(headers.get("Content-Length", 0)))
        line.request(method, parts.path, body or None, dict(headers.items()))
        answer = line.getresponse()
        content = answer.read()
        kept = [(name, value) for name, value in answer.getheaders() if name.lower() != "transfer-encoding"]
        said = [f"HTTP/1.1 {answer.status} {answer.reason}", *(f"{name}: {value}" for name, value in kept)]
        client.sendall("\r\n".join([*said, "Connection: close", "", ""]).encode() + content)
        line.close()

    def carry_socks(self, client: socket.socket, reader: BinaryIO) -> None:
        """Carry one connection of a client that speaks SOCKS 5 (RFC 1928), without a password."""
        reader.read(reader.read(1)[0])
        client.sendall(b"\x05\x00")
        _, _, _, kind = reader.read(4)
        host = reader.read(reader.read(1)[0] if kind == 3 else 4 if kind == 1 else 16)
        port = int.from_bytes(reader.read(2), "big")
        self.asked.append(f"SOCKS {host.decode('latin-1')}:{port}")
        splice_to(client, port, b"\x05\x00\x00\x01\x7f\x00\x00\x01" + port.to_bytes(2, "big"))


@contextmanager
def forward_proxy(user: str = "") -> Iterator[Proxy]:
    """Run the proxy until the block ends; `user` is "name:password" where it wants one."""

    class Handler(socketserver.StreamRequestHandler):
        rbufsize = 0  # what follows the proxy's own words is the client's and the server's

        def handle(self) -> None:
            reader = cast("BinaryIO", self.rfile)
            first = reader.read(1)
            with suppress(OSError):
                if first == b"\x05":
                    proxy.carry_socks(self.connection, reader)
                elif first:
                    line = first + reader.readline()
                    proxy.carry_http(self.connection, reader, line.decode("latin-1").strip())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        proxy = Proxy(server.server_address[1], user)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            thread.join()


def splice_to(client: socket.socket, port: int, greeting: bytes = b"") -> None:
    """Connect a client to a port of this machine, greet it, and carry what both say."""
    with socket.create_connection(("127.0.0.1", port)) as server:
        client.sendall(greeting)
        _splice(client, server)


def _splice(client: socket.socket, server: socket.socket) -> None:
    def carry(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while part := source.recv(CHUNK):
                sink.sendall(part)
            sink.shutdown(socket.SHUT_WR)

    back = threading.Thread(target=carry, args=(server, client))
    back.start()
    carry(client, server)
    back.join()
