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
from diary.rules.sealed_content import CaptureContent, Content, EntryContent, MessageContent
from diary.rules.segment import Header, Sealed, Stamp
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
    """Seal a version that nobody took under this replica's next number; return the new name (R42).

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
        if isinstance(content, CaptureContent | MessageContent):
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
    in_line = envelope.slot_of(header, stored.written_at_ms)
    pictures.add(diary.connection, header, ciphertexts, in_line)
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
    diary: OpenDiary,
    stored: StoredVersion,
    header: Header,
    content: CaptureContent | MessageContent,
    key: bytes,
) -> tuple[Header, CaptureContent | MessageContent, tuple[bytes, ...]]:
    """Return a version with its pictures or files sealed for its new name; what is not here goes (R41)."""
    old = stored.header
    old_key = row.row_key(stored.sealed, envelope.epoch_key(diary, old.contract, old.epoch or 0))
    ciphertexts: list[bytes] = []
    kept: list[int] = []
    for index, (name, _) in enumerate(old.pictures or ()):
        held = pictures.ciphertext(diary.connection, name)
        if held is None:
            continue
        plain = row.open_picture(held, row_key=old_key, place=envelope.picture_place(old, index))
        place = envelope.picture_place(header, len(ciphertexts))
        ciphertexts.append(row.seal_picture(plain, row_key=key, place=place))
        kept.append(index)
    if old.pictures is None:
        return header, content, ()
    header = envelope.with_pictures(header, ciphertexts)
    names = tuple(name for name, _ in header.pictures or ())
    if isinstance(content, CaptureContent):
        roles = tuple(content.roles[index] for index in kept)
        return (
            header,
            msgspec.structs.replace(content, roles=roles, picture_names=names),
            tuple(ciphertexts),
        )
    files = tuple(
        msgspec.structs.replace(content.files[index], picture=name)
        for index, name in zip(kept, names, strict=True)
    )
    # A message without files names none, not an empty list of them.
    header = header if names else msgspec.structs.replace(header, pictures=None)
    return header, msgspec.structs.replace(content, files=files), tuple(ciphertexts)
