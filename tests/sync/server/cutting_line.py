"""A line to PostgreSQL that can be cut at the worst moment: a commit is done, and nobody hears of it."""

import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

CHUNK = 65536


@dataclass
class CuttingLine:
    """Carries bytes both ways; `cut_after_commits` counts down to the commit whose answer is lost."""

    folder: Path
    behind: str
    cut_after_commits: int = 0
    cuts: int = 0
    sockets: list[socket.socket] = field(default_factory=list)

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def carry(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        server.connect(self.behind)
        self.sockets += [client, server]
        threading.Thread(target=self._carry_answers, args=(client, server)).start()
        while part := _received(client):
            if self.cut_after_commits and b"COMMIT" in part:
                self.cut_after_commits -= 1
                if self.cut_after_commits == 0:
                    self.cuts += 1
                    client.shutdown(socket.SHUT_RDWR)
                    server.sendall(part)
                    break
            server.sendall(part)
        server.shutdown(socket.SHUT_WR)

    @staticmethod
    def _carry_answers(client: socket.socket, server: socket.socket) -> None:
        while part := _received(server):
            try:
                client.sendall(part)
            except OSError:
                continue  # nobody listens any more; the database is heard out all the same


def _received(line: socket.socket) -> bytes:
    try:
        return line.recv(CHUNK)
    except OSError:
        return b""


@contextmanager
def cutting_line(cluster_folder: Path) -> Iterator[CuttingLine]:
    """Listen beside a cluster's own socket until the block ends."""
    name = ".s.PGSQL.5432"
    with tempfile.TemporaryDirectory(prefix="diary-line-", dir="/tmp") as folder:
        line = CuttingLine(Path(folder), str(cluster_folder / name))
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(line.folder / name))
            listening.listen()
            threads: list[threading.Thread] = []

            def accept() -> None:
                while True:
                    try:
                        client, _ = listening.accept()
                    except OSError:
                        return
                    threads.append(threading.Thread(target=line.carry, args=(client,)))
                    threads[-1].start()

            accepting = threading.Thread(target=accept)
            accepting.start()
            yield line
            listening.shutdown(socket.SHUT_RDWR)
            accepting.join()
            for thread in threads:
                thread.join()
            for one in line.sockets:
                one.close()
