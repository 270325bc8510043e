"""Pictures on their way between this diary and the server: what is to be sent, fetched, or awaited (R41).

A row of another device names its pictures before they are there. One that the server does not have when it
is asked for is awaited: each pull asks whether it came, so that no run asks for it in vain again.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from diary.errors import DamageError
from diary.rules.ids import ContractId, Slot
from diary.state import OpenDiary
from diary.store import pictures, sending

AWAITED_MAX = 500  # names a pull carries, about 33 KB; where more are awaited, each is asked for in its turn


class WrongPictureError(DamageError):
    """The bytes that came are not the picture of that name (R41)."""

    says = "The server's picture {name} is damaged: its bytes do not make its name."
    mend = "Sync again; if it comes again, the server's storage is damaged."


@dataclass(frozen=True, slots=True)
class PictureRef:
    """A picture to send or to fetch: its name, padded size, and where it belongs."""

    name: str
    size: int
    contract: ContractId
    slot: Slot


def pictures_to_send(diary: OpenDiary) -> tuple[PictureRef, ...]:
    """Return what the server may have now, the nearest lock first, locked weeks last (R41)."""
    open_from = diary.open_from(diary.now_ms())
    with diary.reading():
        stored = pictures.to_send(diary.connection)
    return tuple(
        PictureRef(picture.name, picture.size, picture.contract, picture.slot)
        for picture in sorted(stored, key=lambda picture: picture.slot < open_from)
    )


def pictures_to_fetch(diary: OpenDiary) -> tuple[PictureRef, ...]:
    """Return the pictures of held rows that are not here, the newest slot first (R41)."""
    with diary.reading():
        stored = pictures.to_fetch(diary.connection)
    return tuple(PictureRef(picture.name, picture.size, picture.contract, picture.slot) for picture in stored)


def sealed_picture(diary: OpenDiary, name: str) -> bytes | None:
    """Return a picture's ciphertext; None when it was destroyed meanwhile (R25)."""
    with diary.reading():
        return pictures.ciphertext(diary.connection, name)


def picture_sent(diary: OpenDiary, name: str, server_url: str, size: int) -> None:
    """Note that the server has a picture whole (R41, R55)."""
    with diary.writing():
        pictures.mark_sent(diary.connection, name)
        sending.note_sent(
            diary.connection,
            sent_at_ms=diary.now_ms(),
            server=server_url,
            what="picture",
            name=name,
            size=size,
        )


def keep_picture(diary: OpenDiary, name: str, ciphertext: bytes) -> bool:
    """Store a fetched picture; False when its row was deleted meanwhile: the deletion wins (R25, R41).

    Raises:
        WrongPictureError: The bytes do not make the name.
    """
    if hashlib.sha256(ciphertext).hexdigest() != name:
        raise WrongPictureError(name=name)
    with diary.writing():
        return pictures.keep(diary.connection, name, ciphertext)


def picture_absent(diary: OpenDiary, name: str) -> None:
    """Note that the server was asked for a picture and does not have it: it is awaited from now on (R41)."""
    with diary.writing():
        pictures.mark_absent(diary.connection, name)


def awaited_pictures(diary: OpenDiary) -> list[str]:
    """Return pictures of which the next pull should ask whether they came, at most `AWAITED_MAX` (R41)."""
    with diary.reading():
        return pictures.awaited(diary.connection, AWAITED_MAX)


def pictures_arrived(diary: OpenDiary, names: Sequence[str]) -> None:
    """Note that pictures have come to the server: they are to be fetched now (R41)."""
    with diary.writing():
        pictures.mark_arrived(diary.connection, names)
