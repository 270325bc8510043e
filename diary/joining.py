"""A client's read-only replica of one contract: how it begins, and how a refused one goes (R51, R67).

It is a diary like any other: the same file, checked and stored by the same code. But its keys are a seat's:
it reads one log, by the link's secret first and by its own grants after, and only a client's acts are
written in it.
"""

from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from diary import beginning, envelope, exchanging
from diary.beginning import JOINING
from diary.clock import Clock
from diary.errors import UsageError
from diary.exchanging import ReadyPush
from diary.opening import ACCOUNT, open_diary
from diary.rules.seat import SeatInClear
from diary.sealing.invitation import Link, sign_joining
from diary.sealing.keyring import KeyPlace
from diary.seating import SECRET
from diary.state import SEAT, OpenDiary
from diary.store import connection as files
from diary.store import meta, replica


class ClientReplicaError(UsageError):
    """A client's replica is asked to do what only the freelancer does (R67)."""

    says = "This is a copy of one contract: it is read here, and written by its freelancer alone."
    mend = "A diary of your own lies in a folder of its own: diary --home DIR init."


def require_freelancer(diary: OpenDiary) -> OpenDiary:
    """Return the diary, sure that it is a freelancer's own.

    Raises:
        ClientReplicaError: It is a client's replica.
    """
    if diary.is_seat:
        raise ClientReplicaError
    return diary


def take_seat(home: Path, link: Link, *, clock: Clock, place: KeyPlace, name: str) -> OpenDiary:
    """Make a replica with keys of its own, whose joining waits to be sent (R51).

    Raises:
        DiaryExistsError: There is a diary in the folder already.
        BadDeviceNameError: The name is empty or too long.
    """
    called = beginning.checked_name(name)
    diary = beginning.begin_file(home, clock, place, link.account)
    diary.seat_in = link.contract
    try:
        with diary.writing():
            at_ms = beginning.enlist(diary, called)
            meta.put(diary.connection, SEAT, link.contract)
            meta.put(diary.connection, JOINING, 1)
            diary.keep(SECRET, link.secret.hex())
            keys = diary.keys
            seat = SeatInClear(
                sign=keys.sign_public.hex(), box=keys.box_public.hex(), invitation=link.keys.auth
            )
            header = envelope.draw_header(diary, "joining", link.contract, seat=seat)
            sealed = sign_joining(header, link.keys.auth_seed)
            envelope.keep_sealed(diary, header, sealed, at_ms=at_ms)
    except BaseException:
        diary.connection.close()
        raise
    return diary


def resume_seat(
    home: Path, link: Link, *, clock: Clock, ask_passphrase: Callable[[], str] | None
) -> OpenDiary | None:
    """Open a replica whose joining by this link was cut short; None where there is no such one (R40)."""
    if not (home / files.FILE_NAME).exists():
        return None
    connection = files.connect(home)
    with closing(connection), files.told(home / files.FILE_NAME):
        is_joining = meta.get(connection, JOINING) is not None and replica.newest(connection) is not None
        place = meta.word(connection, ACCOUNT), meta.word(connection, SEAT)
        if not is_joining or place != (link.account, link.contract):
            return None
    diary = open_diary(home, clock=clock, ask_passphrase=ask_passphrase)
    with diary.reading():
        is_same = diary.kept(SECRET) == link.secret.hex()
    if not is_same:
        diary.connection.close()
        return None
    return diary


def sign_joining_push(diary: OpenDiary, server_url: str) -> ReadyPush | None:
    """Return the push of the joining; None when the server has taken it (R40, R51)."""
    ids = [due.id for due in exchanging.due(diary)]
    return exchanging.sign_push(diary, ids, server_url) if ids else None


def abandon(diary: OpenDiary) -> None:
    """Remove a replica that was not let in, keys and all: nothing of it is left (R51)."""
    home = diary.home
    diary.connection.close()
    diary.place.forget()
    for name in ("", "-wal", "-shm"):
        (home / f"{files.FILE_NAME}{name}").unlink(missing_ok=True)
    with suppress(OSError):
        home.rmdir()  # where something else lies in it, it stays
