"""What is planted in a session and searched for in a process's memory, in every form it could have there.

A word can lie there as text, as the keyboard's codes or symbols of its letters, or as the X server's events,
one a letter. A place can lie there as numbers or as text. A search that finds nothing must be shown to find:
the control of `tests.capture.test_nothing_kept` keeps what it sees, and is searched alike.
"""

import itertools
import os
import re
import signal
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

Place = tuple[int, int]

CHUNK_BYTES = 16 << 20
OVERLAP_BYTES = 4096  # longer than the longest form: a run of events
EVENT_BYTES = 32  # an event of the X protocol; one that RECORD reports comes with as long a head


@dataclass(frozen=True, slots=True)
class Planted:
    """Forms by their name, each a pattern over bytes."""

    forms: Mapping[str, "re.Pattern[bytes]"]

    def found_in(self, memory: Iterator[bytes]) -> set[str]:
        """Return the names of the forms that lie in a memory."""
        return {name for chunk in memory for name, form in self.forms.items() if form.search(chunk)}


def word(text: str, keycodes: Sequence[int] = ()) -> Planted:
    """Return the forms of a word; `keycodes` are those of the keys that type it, if anybody does."""
    forms = {
        encoding: re.compile(re.escape(text.encode(encoding)))
        for encoding in ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
    }
    # Symbols of two and four bytes are UTF-16 and UTF-32; these runs are what C code and arrays would keep.
    forms["keysyms of 8 bytes"] = _run([ord(sign) for sign in text], 8, 8)
    if keycodes:
        forms |= {f"keycodes of {size} bytes": _run(keycodes, size, size) for size in (1, 2, 4, 8)}
        # As events, which have the code in their second byte, alone or each with its head.
        forms |= {
            f"keycodes {stride} bytes apart": _run(keycodes, 1, stride)
            for stride in (EVENT_BYTES, 2 * EVENT_BYTES, 3 * EVENT_BYTES)
        }
    return Planted(forms)


def places(clicked: Sequence[Place]) -> Planted:
    """Return the forms of clicked places: two in a row as events, or any as wide numbers or text."""
    pairs = [struct.pack("<hh", *place) for place in clicked]
    forms = {
        f"events {stride} bytes apart": re.compile(
            b"|".join(
                re.escape(one) + b".{%d}" % (stride - 4) + re.escape(other)
                for one, other in itertools.pairwise(pairs)
            ),
            re.DOTALL,
        )
        for stride in (4, 8, EVENT_BYTES, 2 * EVENT_BYTES, 3 * EVENT_BYTES)
    }
    for kind in ("ii", "qq", "ff", "dd"):
        forms[f"numbers {kind}"] = _any_of([struct.pack(f"<{kind}", *place) for place in clicked])
    texts = [f"{x}{between}{y}".encode() for x, y in clicked for between in (", ", ",", " ", "x", ":")]
    forms["text"] = _any_of(texts)
    return Planted(forms)


def _any_of(texts: Sequence[bytes]) -> "re.Pattern[bytes]":
    return re.compile(b"|".join(map(re.escape, texts)))


def _run(codes: Sequence[int], size: int, stride: int) -> "re.Pattern[bytes]":
    """Return a pattern of numbers of a size, each a stride after the one before."""
    between = b".{%d}" % (stride - size) if stride > size else b""
    return re.compile(between.join(re.escape(code.to_bytes(size, "little")) for code in codes), re.DOTALL)


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Let a process stand still meanwhile."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def memory_of(pid: int) -> Iterator[bytes]:
    """Yield all that a process can write to, in chunks that overlap; stop it before."""
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").splitlines():
            span, rights, *_ = line.split()
            if not rights.startswith("rw"):
                continue
            at, end = (int(each, 16) for each in span.split("-"))
            while at < end:
                memory.seek(at)
                try:
                    chunk = memory.read(min(CHUNK_BYTES, end - at))
                except OSError:  # a page behind which there is nothing
                    break
                if not chunk:
                    break
                yield chunk
                if at + len(chunk) >= end:
                    break
                at += max(1, len(chunk) - OVERLAP_BYTES)


def internet_sockets(pid: int) -> set[str]:
    """Return the sockets through which a process speaks to any network, by their number."""
    own = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(descriptor.readlink())
        except FileNotFoundError:
            continue
        if target.startswith("socket:["):
            own.add(target[8:-1])
    online = {
        line.split()[9]
        for table in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6")
        if Path(f"/proc/{pid}/net/{table}").exists()
        for line in Path(f"/proc/{pid}/net/{table}").read_text(encoding="ascii").splitlines()[1:]
    }
    return own & online
