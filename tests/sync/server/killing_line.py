"""A line to the fake of Stripe on which the server is killed: before it asked, or after it was answered."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

import httpx

When = Literal["before", "after"]
KEPT_HEADERS = ("Authorization", "Content-Type", "Idempotency-Key")


@dataclass
class KillingLine:
    """Carries requests; the next one to `at` is the end of whoever asked, by `kill`."""

    url: str = ""
    at: tuple[str, When] | None = None
    kill: Callable[[], None] = lambda: None  # nobody, until a test says whom
    killed: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def is_at(self, path: str, when: When) -> bool:
        """Kill, once, when the request is the one that was chosen."""
        with self.lock:
            if self.at != (path, when):
                return False
            self.at = None
            self.killed += 1
        self.kill()
        return True


@contextmanager
def killing_line(behind: str) -> Iterator[KillingLine]:
    """Carry requests to the fake until the block ends."""
    line = KillingLine()

    class Carrier(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the library's own name
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path = self.path.partition("?")[0]
            if line.is_at(path, "before"):
                return
            kept = {name: self.headers[name] for name in KEPT_HEADERS if self.headers[name]}
            answer = httpx.request(self.command, behind + self.path, content=body, headers=kept, timeout=30)
            if line.is_at(path, "after"):
                return
            self.send_response(answer.status_code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST  # noqa: N815  # as above

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Carrier)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    line.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield line
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
