"""ext-idle-notify-v1, which the compositor of the tests is too old for: a server of its wire format."""

import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from capture.wayland.idle import QUIET_MS, WaylandIdle
from diary.clock import GivenClock
from diary.rules.ids import Millis
from tests.patience import until
from tests.rule import rule

IDLED, RESUMED = 0, 1


def text(words: str) -> bytes:
    raw = words.encode() + b"\0"
    return struct.pack("=I", len(raw)) + raw + bytes(-len(raw) % 4)


class Compositor:
    """Offers a seat and the notifier in this version, and notes which notification it was asked for."""

    def __init__(self, folder: Path, version: int) -> None:
        self.version = version
        self.asked: list[tuple[int, int]] = []  # opcode, milliseconds
        self.notice = 0
        self._bound: dict[int, str] = {}
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(folder / "wayland-0"))
        self._listening.listen()
        self._line: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def tells(self, opcode: int) -> None:
        self._event(self.notice, opcode)

    def close(self) -> None:
        for line in (self._line, self._listening):
            if line is not None:
                line.shutdown(socket.SHUT_RDWR)
        self._thread.join(20)
        for line in (self._line, self._listening):
            if line is not None:
                line.close()

    def _serve(self) -> None:
        try:
            self._line, _ = self._listening.accept()
            while head := self._line.recv(8, socket.MSG_WAITALL):
                target, second = struct.unpack("=II", head)
                body = self._line.recv((second >> 16) - 8, socket.MSG_WAITALL) if second >> 16 > 8 else b""
                self._request(target, second & 0xFFFF, body)
        except OSError:
            return

    def _request(self, target: int, opcode: int, body: bytes) -> None:
        words = struct.unpack(f"={len(body) // 4}I", body)
        if (target, opcode) == (1, 1):  # get_registry
            for name, (interface, version) in enumerate(self._offers()):
                offered = struct.pack("=I", name) + text(interface) + struct.pack("=I", version)
                self._event(words[0], 0, offered)
        elif (target, opcode) == (1, 0):  # sync
            self._event(words[0], 0, struct.pack("=I", 0))
        elif target == 2:  # bind
            self._bound[words[-1]] = self._offers()[words[0]][0]
        elif self._bound.get(target) == "ext_idle_notifier_v1":
            self.notice, milliseconds, seat = words
            assert self._bound[seat] == "wl_seat"
            self.asked.append((opcode, milliseconds))

    def _offers(self) -> tuple[tuple[str, int], ...]:
        return ("wl_seat", 7), ("ext_idle_notifier_v1", self.version)

    def _event(self, target: int, opcode: int, body: bytes = b"") -> None:
        assert self._line is not None
        self._line.sendall(struct.pack("=II", target, (len(body) + 8) << 16 | opcode) + body)


@pytest.fixture(params=[1, 2])
def compositor(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Compositor]:
    running = Compositor(tmp_path, request.param)
    yield running
    running.close()


@rule("R14")
def test_idle_time_follows_the_notices_and_input_alone_is_asked_for_where_it_can_be(
    compositor: Compositor, tmp_path: Path
) -> None:
    clock = GivenClock(Millis(1_000_000))
    idle = WaylandIdle({"XDG_RUNTIME_DIR": str(tmp_path)}, clock)
    assert idle.idle_ms() is None  # the first quiet second could not have been told yet
    assert until(lambda: compositor.asked == [(compositor.version, QUIET_MS)])
    clock.put(1_002_000)
    assert idle.idle_ms() == 0
    compositor.tells(IDLED)
    assert until(lambda: idle.idle_ms() == QUIET_MS)
    clock.put(1_062_000)
    assert idle.idle_ms() == 60_000 + QUIET_MS
    compositor.tells(RESUMED)
    assert until(lambda: idle.idle_ms() == 0)
    idle.close()
