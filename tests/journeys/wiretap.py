"""A tap on the line between devices and server: it passes bytes on and keeps a copy of all of them.

It can be cut, as when a laptop leaves the network, and mended.
"""

import socket
import threading
from contextlib import suppress
from pathlib import Path


class Wiretap:
    """Listens on a free loopback port and speaks to `target`; all bytes, both ways, end in `recording`.

    What went up each connection stands once more in a file of its own in `upward`, as it was sent.
    """

    def __init__(self, target: int, recording: Path) -> None:
        self.target = target
        self.recording = recording
        self.upward = recording.with_name(f"{recording.name}-upward")
        self.upward.mkdir()
        self._lock = threading.Lock()
        self._is_cut = False
        self._connections = 0
        self._ends: set[socket.socket] = set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:  # closed: the journey is over
                return
            if self._is_cut:
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self.target), 10)
            except OSError:  # the server is away: so is the line
                near.close()
                continue
            far.settimeout(None)
            with self._lock:
                self._ends |= {near, far}
                self._connections += 1
                upward = self.upward / f"{self._connections:05}"
            for source, sink, own in ((near, far, upward), (far, near, None)):
                threading.Thread(target=self._pass_on, args=(source, sink, own), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, own: Path | None) -> None:
        try:
            while some := source.recv(65536):
                with self._lock, self.recording.open("ab") as tape:
                    tape.write(some)
                if own is not None:
                    with own.open("ab") as tape:
                        tape.write(some)
                sink.sendall(some)
        except OSError:  # one side was killed; the other learns it below
            pass
        finally:
            with self._lock:
                self._ends -= {source, sink}
            for end in (source, sink):
                # The other direction's thread may wait in a read of it, which closing alone would not end.
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()

    def cut(self) -> None:
        """Let nothing through from now on, not even what is under way."""
        self._is_cut = True
        with self._lock:
            ends = list(self._ends)
        for end in ends:
            with suppress(OSError):  # it ended by itself meanwhile
                end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """Let bytes through again."""
        self._is_cut = False

    def close(self) -> None:
        """Stop listening."""
        self._listening.close()
