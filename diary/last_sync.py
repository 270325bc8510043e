"""When a sync last went through, and what keeps it from going through since then (R19, R41).

Kept in the file, since who syncs and who looks are different processes: state and pages say it too.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import msgspec

from diary.errors import MachineError, PeerError
from diary.rules.ids import Millis
from diary.rules.json_form import iso
from diary.state import OpenDiary
from diary.store import meta

SYNC_NEWS_MILLIS = 60_000  # the last sync is shown to the minute; a run that found nothing writes nothing
_SYNCED_AT = "synced at"
_FAULT = "sync fault"


class SyncFault(msgspec.Struct, frozen=True, kw_only=True):
    """Why the last sync did not go through, in the words of its error.

    `since_ms` is when the first of those failed that went before it without one that succeeded, `at_ms` when
    the last did. `passes`: nobody need do anything but find a network, or wait.
    """

    since_ms: Millis
    at_ms: Millis
    says: str
    mend: str
    passes: bool

    @property
    def in_full(self) -> str:
        """Return what happened and what to do, as one piece of text."""
        return f"{self.says} {self.mend}".rstrip()


def fault_json(found: SyncFault | None) -> dict[str, str] | None:
    """Return it as `status --json` and the page's JSON say it."""
    if found is None:
        return None
    return {"since": iso(found.since_ms), "at": iso(found.at_ms), "says": found.says, "mend": found.mend}


_decoder = msgspec.json.Decoder(SyncFault)


@contextmanager
def noting(diary: OpenDiary) -> Iterator[None]:
    """Note how the block ends: a sync that went through, or what kept it from that."""
    try:
        yield
    except PeerError as error:
        with suppress(MachineError):  # on a full disk the sync's own fault is still the one to be said
            _note_fault(diary, error)
        raise
    _note_success(diary)


def synced_at_ms(diary: OpenDiary) -> Millis | None:
    """Return when a sync last went through, to the minute; None for never."""
    with diary.reading():
        at_ms = meta.number(diary.connection, _SYNCED_AT)
    return None if at_ms is None else Millis(at_ms)


def fault(diary: OpenDiary) -> SyncFault | None:
    """Return why the last sync did not go through; None where it did, or there was none."""
    with diary.reading():
        found = meta.word(diary.connection, _FAULT)
    return None if found is None else _decoder.decode(found)


def _note_success(diary: OpenDiary) -> None:
    at_ms, last_ms = diary.now_ms(), meta.number(diary.connection, _SYNCED_AT)
    had_fault = fault(diary) is not None
    if had_fault or last_ms is None or abs(at_ms - last_ms) >= SYNC_NEWS_MILLIS:
        with diary.writing():
            meta.put(diary.connection, _SYNCED_AT, at_ms)
            meta.remove(diary.connection, _FAULT)


def _note_fault(diary: OpenDiary, error: PeerError) -> None:
    at_ms, before = diary.now_ms(), fault(diary)
    new = SyncFault(
        since_ms=at_ms if before is None else before.since_ms,
        at_ms=at_ms,
        says=error.what_happened,
        mend=error.how_to_mend,
        passes=error.passes,
    )
    with diary.writing():
        meta.put(diary.connection, _FAULT, msgspec.json.encode(new).decode())
