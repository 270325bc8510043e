"""A tap on the line between devices and server: it passes bytes on and keeps a copy of all of them."""

import socket
import threading
from pathlib import Path


class Wiretap:
    """Listens on a free loopback port and speaks to `target`; all bytes, both ways, end in `recording`."""

    def __init__(self, target: int, recording: Path) -> None:
        self.target = target
        self.recording = recording
        self._lock = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:  # closed: the journey is over
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.target), 10)
            except OSError:  # the server is away: so is the line
                near.close()
                continue
            far.settimeout(None)
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while some := source.recv(65536):
                with self._lock, self.recording.open("ab") as tape:
                    tape.write(some)
                sink.sendall(some)
        except OSError:  # one side was killed; the other learns it below
            pass
        finally:
            for end in (source, sink):
                end.close()

    def close(self) -> None:
        """Stop listening."""
        self._listening.close()
