"""A spare of what opens all else, in another page of the file (R19, R49, R50, R70).

Device lists, grants and terms are few and old: they lie together in the file's first pages, and one bad page
could take the keys of everything else. So a copy of them lies sealed under the account's key among the
contents, and a salvage puts back what is missing. It is written when a diary is opened or closed and there is
more of them than before.
"""

from contextlib import suppress

import msgspec

from diary.rules.ids import Millis
from diary.rules.segment import MalformedHeaderError, Sealed, VersionType, parse_header
from diary.sealing.local import LocalDamageError
from diary.state import DEVICE_NAME, KEYS_OF, SERVER, SPARE, SPARE_OF, OpenDiary
from diary.store import meta, outbox, versions
from diary.store.versions import Receipted, StoredVersion

_TYPES: tuple[VersionType, ...] = ("device_list", "grant", "terms")


class _Version(msgspec.Struct, frozen=True, array_like=True):
    """A version without a slot, as it lies in the file."""

    header: bytes
    body: bytes | None
    wrap: bytes | None
    written_at_ms: Millis
    received: tuple[Millis, int, int, str] | None  # when, log epoch, leaf index, push


class _Spare(msgspec.Struct, frozen=True):
    """What is kept twice: versions, and single values by their key."""

    versions: list[_Version]
    values: dict[str, msgspec.Raw]


def keep_spare(diary: OpenDiary) -> None:
    """Write the spare anew where what it holds has changed since."""
    with diary.reading():
        now = _state(diary)
        if meta.word(diary.connection, SPARE_OF) == now:
            return
    with diary.writing():
        kept = [_spared(stored) for kind in _TYPES for stored in versions.slotless(diary.connection, kind)]
        keys = [DEVICE_NAME, SERVER, KEYS_OF + diary.replica]
        values = {key: msgspec.Raw(msgspec.json.encode(value)) for key in keys if (value := diary.kept(key))}
        spare = msgspec.json.encode(_Spare(kept, values))
        meta.put(diary.connection, SPARE, diary.sealed(spare, SPARE))
        meta.put(diary.connection, SPARE_OF, _state(diary))


def put_back(diary: OpenDiary) -> None:
    """Put back, within a salvage, what the spare has and the file lost."""
    sealed = meta.blob(diary.connection, SPARE)
    meta.remove(diary.connection, SPARE_OF)
    if sealed is None:
        return
    with suppress(LocalDamageError, msgspec.DecodeError, MalformedHeaderError):
        spare = msgspec.json.decode(diary.opened(sealed, SPARE), type=_Spare)
        for kept in spare.versions:
            header = parse_header(kept.header)
            if versions.find(diary.connection, header.name) is None:
                row = Sealed(header=kept.header, body=kept.body, wrap=kept.wrap)
                receipted = None if kept.received is None else Receipted(*kept.received)
                at_ms = kept.written_at_ms
                versions.add(diary.connection, header, row, written_at_ms=at_ms, receipted=receipted)
                if receipted is None:
                    outbox.wait(diary.connection, header.name, 0)
        for key, value in spare.values.items():
            if meta.get(diary.connection, key) is None:
                diary.keep(key, msgspec.json.decode(value))


def _spared(stored: StoredVersion) -> _Version:
    sealed, when = stored.sealed, stored.received_at_ms
    received = (
        None if when is None else (when, stored.log_epoch or 0, stored.leaf_index or 0, stored.push or "")
    )
    return _Version(sealed.header, sealed.body, sealed.wrap, stored.written_at_ms, received)


def _state(diary: OpenDiary) -> str:
    """Return what is another whenever there is something new to be kept twice."""
    is_linked = meta.get(diary.connection, SERVER) is not None
    return f"{versions.slotless_state(diary.connection)} {diary.replica} {is_linked}"
