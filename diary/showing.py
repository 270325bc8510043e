"""What is shown beside weeks: pictures, old texts, which weeks there are (R24, R26)."""

import msgspec

from diary import drafting, envelope
from diary.errors import NothingError
from diary.rules.ids import ContractId, Place, Slot
from diary.rules.sealed_content import StampedText
from diary.rules.segment import Sealed, parse_header
from diary.rules.week import Week
from diary.sealing import row
from diary.state import OpenDiary
from diary.store import history, pictures, refusals, versions
from diary.store.drafts import DraftText
from diary.store.weeks import weeks_held

HISTORY = "history"
_DRAFT = "draft"


class NoPictureError(NothingError):
    """The picture is not here."""

    says = "There is no such picture in this diary."
    mend = "It may have been removed, or not be fetched yet: sync, and look again."


class BeforeText(msgspec.Struct, frozen=True, kw_only=True):
    """What a segment said before an act, as `history` keeps it sealed (R26)."""

    memo: StampedText | None
    label: StampedText | None


def draft_picture_name(text: DraftText, index: int) -> str:
    """Return the name by which `picture` finds a picture of the segment under way (R12)."""
    return f"{_DRAFT}-{text.contract}-{text.slot}-{index}"


def picture(diary: OpenDiary, name: str) -> bytes:
    """Return a picture by the name a snapshot gives, opened (R47).

    Raises:
        NoPictureError: It is not here.
        AlteredPictureError: It does not open.
    """
    with diary.reading():
        if name.startswith(f"{_DRAFT}-"):
            return _draft_picture(diary, name)
        stored = pictures.find(diary.connection, name)
        ciphertext = pictures.ciphertext(diary.connection, name)
        if stored is None or ciphertext is None:
            raise NoPictureError
        sealed = _version_of(diary, stored.version)
        header = parse_header(sealed.header)
        key = row.row_key(sealed, envelope.epoch_key(diary, header.contract, header.epoch or 0))
    place = envelope.picture_place(header, stored.index)
    return row.open_picture(ciphertext, row_key=key, place=place)


def _version_of(diary: OpenDiary, name: versions.Name) -> Sealed:
    stored = versions.find(diary.connection, name)
    if stored is not None:
        return stored.sealed
    refusal = refusals.find(diary.connection, name)
    if refusal is None or refusal.sealed is None:
        raise NoPictureError
    return refusal.sealed


def _draft_picture(diary: OpenDiary, name: str) -> bytes:
    _, contract, slot, index = [*name.split("-"), "", "", ""][:4]
    if not (slot.isdecimal() and index.isdecimal()):
        raise NoPictureError
    found = drafting.draft_picture(diary, (ContractId(contract), Slot(int(slot))), int(index))
    if found is None:
        raise NoPictureError
    return found


def memo_history(diary: OpenDiary, place: Place) -> tuple[StampedText, ...]:
    """Return a segment's old memos, the oldest first, until its week freezes (R26)."""
    with diary.reading():
        opened = (diary.opened(sealed, HISTORY) for sealed in history.at_place(diary.connection, *place))
        before = [msgspec.json.decode(plain, type=BeforeText).memo for plain in opened]
    return tuple(dict.fromkeys(memo for memo in before if memo is not None))


def weeks(diary: OpenDiary) -> tuple[Week, ...]:
    """Return the weeks that hold anything, the newest first (R2)."""
    with diary.reading():
        return tuple(weeks_held(diary.connection))
