"""A version that was never taken, sealed anew under a new number (R20, R40, R42).

Its content is opened, bound to the new name, and the old row goes: header, wrap and pictures are bound to
the name they were sealed under. Everything runs within the caller's transaction.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from diary import envelope
from diary.deciding import greatest_stamp
from diary.rules.ids import Millis, ReplicaId, Slot
from diary.rules.sealed_content import CaptureContent, Content, EntryContent
from diary.rules.segment import Header, PictureName, Sealed, Stamp
from diary.sealing import row
from diary.state import OpenDiary
from diary.store import outbox, pictures, versions
from diary.store.versions import Name, StoredVersion


@dataclass(frozen=True, slots=True)
class Anew:
    """What is to differ beside the name; None leaves it as it was.

    `vector` is without the version's own name. `stamps` maps old stamps to new ones. `held_for` is the
    question that is to be answered before it leaves; it is taken as it is. `not_before_ms` is when the notice
    period ends (R17).
    """

    slot: Slot | None = None
    vector: Mapping[ReplicaId, int] | None = None
    stamps: Mapping[Stamp, Stamp] | None = None
    held_for: str | None = None
    not_before_ms: Millis | None = None


def reseal(diary: OpenDiary, stored: StoredVersion, anew: Anew) -> Name:
    """Seal a capture, an entry or terms under this replica's next number; return the new name (R42).

    The content stays at hand under the new name alone; what the old one held is gone from the file.

    Raises:
        DamageError: It does not open.
    """
    header = _header(diary, stored.header, anew)
    ciphertexts: tuple[bytes, ...] = ()
    if stored.sealed.body is None:
        sealed = Sealed(header=header.to_bytes(), body=None, wrap=None)
    else:
        content = envelope.content_of(diary, stored)
        key = secrets.token_bytes(32)
        if isinstance(content, CaptureContent):
            header, content, ciphertexts = _with_pictures(diary, stored, header, content, key)
        elif isinstance(content, EntryContent):
            content = _entry(content, anew)
            header = msgspec.structs.replace(header, stamp=greatest_stamp(content))
        content = _at(content, header)
        sealed = envelope.seal(diary, header, content, key)
        diary.remember(header.name, content)
    versions.add(diary.connection, header, sealed, written_at_ms=stored.written_at_ms)
    not_before_ms = (stored.not_before_ms or 0) if anew.not_before_ms is None else anew.not_before_ms
    outbox.wait(diary.connection, header.name, not_before_ms, anew.held_for)
    pictures.add(diary.connection, header, ciphertexts)
    # Last: SQLite would give the row's number to the next one, and a run of the sync remembers numbers.
    forget(diary, stored.header.name)
    return header.name


def correct_stamps(diary: OpenDiary, stored: StoredVersion, at_ms: Millis) -> Name:
    """Seal an entry anew whose texts were stamped ahead of the server's clock, which showed `at_ms` (R40).

    They are stamped as if typed then: later than what the entry already said (R36).
    """
    content = envelope.content_of(diary, stored)
    texts = (content.memo, content.label) if isinstance(content, EntryContent) else ()
    stamps = [text.stamp for text in texts if text is not None]
    typed_ms = max([at_ms, *(stamp[0] + 1 for stamp in stamps if stamp[0] <= at_ms)])
    return reseal(
        diary,
        stored,
        Anew(stamps={stamp: (typed_ms, stamp[1]) for stamp in stamps if stamp[0] > at_ms}),
    )


def forget(diary: OpenDiary, name: Name) -> None:
    """Drop a version that nobody took, with all that belongs to it."""
    diary.contents.pop(name, None)
    versions.drop(diary.connection, name)


def _header(diary: OpenDiary, old: Header, anew: Anew) -> Header:
    drawn = envelope.draw_header(diary, old.type, old.contract)
    vector = old.vector
    if vector is not None:
        others = vector if anew.vector is None else anew.vector
        vector = {**others, drawn.replica: drawn.n}
    return msgspec.structs.replace(
        old,
        replica=drawn.replica,
        n=drawn.n,
        head=drawn.head,
        slot=old.slot if anew.slot is None else anew.slot,
        vector=vector,
        epoch=None,
        commit=None,
    )


def _at(content: Content, header: Header) -> Content:
    """Return the content with the place that its header names (R47)."""
    if isinstance(content, CaptureContent | EntryContent) and header.slot is not None:
        return msgspec.structs.replace(content, slot=header.slot)
    return content


def _entry(content: EntryContent, anew: Anew) -> EntryContent:
    stamps = anew.stamps or {}
    memo, label = (
        None if text is None else msgspec.structs.replace(text, stamp=stamps.get(text.stamp, text.stamp))
        for text in (content.memo, content.label)
    )
    return msgspec.structs.replace(content, memo=memo, label=label)


def _with_pictures(
    diary: OpenDiary, stored: StoredVersion, header: Header, content: CaptureContent, key: bytes
) -> tuple[Header, CaptureContent, tuple[bytes, ...]]:
    """Return a capture with its pictures sealed for its new name; one that is not here is left out (R41)."""
    old = stored.header
    old_key = row.row_key(stored.sealed, envelope.epoch_key(diary, old.contract, old.epoch or 0))
    ciphertexts: list[bytes] = []
    names: list[PictureName] = []
    roles = []
    for index, (name, _) in enumerate(old.pictures or ()):
        held = pictures.ciphertext(diary.connection, name)
        if held is None:
            continue
        plain = row.open_picture(held, row_key=old_key, place=envelope.picture_place(old, index))
        place = envelope.picture_place(header, len(ciphertexts))
        sealed = row.seal_picture(plain, row_key=key, place=place)
        ciphertexts.append(sealed)
        names.append((row.picture_name(sealed), row.padded_picture_bytes(sealed)))
        roles.append(content.roles[index])
    header = msgspec.structs.replace(header, pictures=tuple(names))
    content = msgspec.structs.replace(
        content, roles=tuple(roles), picture_names=tuple(name for name, _ in names)
    )
    return header, content, tuple(ciphertexts)
