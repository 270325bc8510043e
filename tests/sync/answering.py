"""A server that answers as told, and what it was asked."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec

from sync.protocol import Fault

Answer = tuple[int, dict[str, str], bytes]


class _Server(ThreadingHTTPServer):
    """A server to which a client may hang up before a word was said."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        pass


class Heard:
    """What a server that answers as told was asked."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []


@contextmanager
def answering(*answers: Answer, certificate: Path | None = None) -> Iterator[tuple[str, Heard]]:
    """Serve `answers` one after the other, the last one for ever; yield the address and what was heard.

    With a `certificate` it speaks TLS.
    """
    heard = Heard()
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            heard.requests.append((self.command, self.path, dict(self.headers), body))
            status, headers, content = left.pop(0) if len(left) > 1 else left[0]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_HEAD = answer  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http{'s' if certificate else ''}://127.0.0.1:{server.server_port}", heard
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def fault(status: int, reason: str) -> Answer:
    return status, {}, msgspec.json.encode(Fault(reason=reason, because="A sentence."))
