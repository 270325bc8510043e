"""A bad line between two real machines' worth of network: so many bits a second, and packets that are lost.

Two network namespaces, each with a TUN device, and a process between them that carries packets, keeps to a
rate and loses some: what Linux's netem does, where a kernel has it. TCP on both sides is the kernel's own.
"""

import contextlib
import ctypes
import fcntl
import heapq
import json
import os
import random
import select
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO

SERVER_ADDRESS = "10.99.0.1"
CLIENT_ADDRESS = "10.99.0.2"
TUN = "/dev/net/tun"
_CLONE_NEWNET = 0x40000000
_TUNSETIFF = 0x400454CA
_IFF_TUN_WITHOUT_HEADER = 0x1001
_PACKET_MAX = 2048
_DELAY_SECONDS = 0.05  # one way
_BACKLOG_SECONDS_MAX = 2.0  # what a modem's buffer holds; more is lost as well


def why_not() -> str:
    """Return why this machine can have no such line; "" where it can."""
    if sys.platform != "linux":
        return "needs Linux"
    if os.geteuid() != 0:
        return "needs root: network namespaces and TUN devices"
    if not os.path.exists(TUN):  # noqa: PTH110  # a device, not a file of ours
        return f"needs {TUN}"
    missing = [program for program in ("ip", "nsenter", "unshare") if shutil.which(program) is None]
    if missing:
        return f"needs {', '.join(missing)}"
    tried = subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False)
    return "" if tried.returncode == 0 else "network namespaces are not permitted here"


@dataclass
class SlowLine:
    """The line while it is up; `within` makes a command run on one side of it."""

    carrier: "subprocess.Popen[str]"
    sides: dict[str, str]

    def within(self, side: str, *command: str) -> list[str]:
        """Return the command as run at the "server" or the "client"."""
        return ["nsenter", f"--net={self.sides[side]}", *command]

    def set(self, *, bits_a_second: int, loss: float) -> None:
        """Let the line be so fast and so bad from now on; 0 bits a second means no limit."""
        self._tell({"bits_a_second": bits_a_second, "loss": loss})

    def carried(self) -> dict[str, int]:
        """Return how many bytes went up (to the server) and down so far, lost ones included."""
        self._tell({})
        assert self.carrier.stdout is not None
        counts: dict[str, int] = json.loads(self.carrier.stdout.readline())
        return counts

    def _tell(self, words: dict[str, float]) -> None:
        assert self.carrier.stdin is not None
        self.carrier.stdin.write(json.dumps(words) + "\n")
        self.carrier.stdin.flush()


@contextmanager
def slow_line() -> Iterator[SlowLine]:
    """Lay a line without limits until the block ends; its namespaces end with it."""
    carrier = subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert carrier.stdout is not None
        said = carrier.stdout.readline()
        assert said, "the line could not be laid"
        sides = {side: f"/proc/{carrier.pid}/fd/{number}" for side, number in json.loads(said).items()}
        yield SlowLine(carrier, sides)
    finally:
        carrier.kill()
        carrier.communicate()


@dataclass
class _Way:
    """One direction of the line: packets under way, and when the last one has left."""

    out: int
    free_at: float = 0.0
    carried: int = 0
    under_way: list[tuple[float, int, bytes]] = field(default_factory=list)


@dataclass
class _Carrier:
    """Carries packets until its stdin ends."""

    up: _Way
    down: _Way
    bits_a_second: float = 0
    loss: float = 0
    chance: random.Random = field(default_factory=lambda: random.Random(64))
    number: int = 0

    def take(self, way: _Way, packet: bytes) -> None:
        now = time.monotonic()
        way.carried += len(packet)
        if self.chance.random() < self.loss:
            return
        takes = len(packet) * 8 / self.bits_a_second if self.bits_a_second else 0
        if way.free_at - now > _BACKLOG_SECONDS_MAX:
            return
        way.free_at = max(way.free_at, now) + takes
        self.number += 1
        heapq.heappush(way.under_way, (way.free_at + _DELAY_SECONDS, self.number, packet))

    def deliver(self) -> float | None:
        """Deliver what is due; return how long until the next packet is, None for none."""
        next_in = None
        for way in (self.up, self.down):
            while way.under_way and way.under_way[0][0] <= time.monotonic():
                with contextlib.suppress(OSError):
                    os.write(way.out, heapq.heappop(way.under_way)[2])
            if way.under_way:
                left = max(0.0, way.under_way[0][0] - time.monotonic())
                next_in = left if next_in is None else min(next_in, left)
        return next_in

    def obey(self, line: str) -> None:
        told = json.loads(line)
        if told:
            self.bits_a_second, self.loss = told["bits_a_second"], told["loss"]
        else:
            print(json.dumps({"up": self.up.carried, "down": self.down.carried}), flush=True)

    def run(self, commands: TextIO) -> None:
        ways = {self.down.out: self.up, self.up.out: self.down}  # what comes out of a side goes to the other
        while True:
            readable, _, _ = select.select([*ways, commands.fileno()], [], [], self.deliver())
            for end in readable:
                if end in ways:
                    with contextlib.suppress(BlockingIOError):
                        self.take(ways[end], os.read(end, _PACKET_MAX))
                elif line := commands.readline():
                    self.obey(line)
                else:
                    return


def _lay_end(own: str, other: str) -> tuple[int, int]:
    """Make a namespace with one end of the line in it; return the end and a handle of the namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")
    end = os.open(TUN, os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(end, _TUNSETIFF, struct.pack("16sH", b"line0", _IFF_TUN_WITHOUT_HEADER))
    for words in (f"addr add {own} peer {other} dev line0", "link set line0 up", "link set lo up"):
        subprocess.run(["ip", *words.split()], check=True)
    return end, os.open("/proc/self/ns/net", os.O_RDONLY)


def _main() -> None:
    at_server, server = _lay_end(SERVER_ADDRESS, CLIENT_ADDRESS)
    at_client, client = _lay_end(CLIENT_ADDRESS, SERVER_ADDRESS)
    print(json.dumps({"server": server, "client": client}), flush=True)
    _Carrier(up=_Way(at_server), down=_Way(at_client)).run(sys.stdin)


if __name__ == "__main__":
    _main()
