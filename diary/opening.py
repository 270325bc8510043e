"""How a diary is opened (R19, R25, R42, R49).

Whoever asks for the state opens it too, so nothing is loaded here that an ordinary opening does not use.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from diary.clock import Clock, SystemClock
from diary.errors import DamageError
from diary.rules.ids import AccountId, ContractId
from diary.rules.week import Week
from diary.sealing.keyring import place_of
from diary.state import SEAT, OpenDiary, finish_adopting, finish_destroying, mark_destroying
from diary.store import connection as files
from diary.store import drafts, history, meta, renewal, replica

ACCOUNT = "account"
ROOT_ENTROPY = "root entropy"
RECOVERABLE = "keys for recovery"


class UnfinishedDiaryError(DamageError):
    """The making of this diary was cut short; there is nothing in it."""

    says = "The diary in {home} was never finished: its making was interrupted."
    mend = "Make it again with `diary init`; nothing is lost, it was empty."


def open_diary(
    home: Path, *, clock: Clock | None = None, ask_passphrase: Callable[[], str] | None = None
) -> OpenDiary:
    """Open the diary in a folder, and finish what a crash cut short (R19, R25).

    Raises:
        NoDiaryError: There is none.
        DamageError: The file or the keys do not hold.
        WrongPassphraseError: The passphrase does not open the keys.
    """
    connection = files.connect(home)
    try:
        diary = _with_keys(home, connection, clock or SystemClock(), ask_passphrase)
        finish_adopting(diary)
        with diary.reading():
            diary.keys = diary.keys_of(diary.replica)  # a renewed replica has keys of its own (R42)
        forget_what_froze(diary)
        finish_destroying(diary)
        files.forget_copies(connection, diary.path)
    except BaseException:
        connection.close()
        raise
    return diary


def _with_keys(
    home: Path, connection: sqlite3.Connection, clock: Clock, ask_passphrase: Callable[[], str] | None
) -> OpenDiary:
    with files.told(home / files.FILE_NAME):
        own = replica.newest(connection)
        account = meta.word(connection, ACCOUNT)
    if own is None or account is None:
        raise UnfinishedDiaryError(home=home)
    place = place_of(home, ask_passphrase)
    seat_in = meta.word(connection, SEAT)
    return OpenDiary(
        home=home,
        connection=connection,
        place=place,
        keys=place.load(),
        clock=clock,
        account=AccountId(account),
        replica=own,
        seat_in=None if seat_in is None else ContractId(seat_in),
    )


def forget_what_froze(diary: OpenDiary) -> None:
    """Destroy what is kept until a week freezes only: old texts, and marks of removed slots (R26)."""
    now_ms = diary.now_ms()
    week = Week.at(now_ms)
    # The week before this one is open until Monday noon.
    open_week = week if week.previous().is_frozen(now_ms) else week.previous()
    with diary.reading():
        is_due = history.holds_before(diary.connection, open_week.first_slot) or drafts.marks_before(
            diary.connection, open_week.first_slot
        )
    if not is_due:
        return
    with diary.writing():
        history.forget_before(diary.connection, open_week.first_slot)
        drafts.forget_marks(diary.connection, open_week.first_slot)
        # An upgrade that this start has just made keeps its way back: nobody asked for this to go.
        mark_destroying(diary, beside=False)


def lies_elsewhere(diary: OpenDiary) -> bool:
    """Return whether this file lies elsewhere than when it was last opened (R42)."""
    if diary.is_seat:
        return False  # it writes nothing that another copy could contradict
    with diary.reading():
        return meta.get(diary.connection, renewal.LIES_AT) != renewal.lies_at(diary.path)


def is_recoverable(diary: OpenDiary) -> bool:
    """Return whether this device's secrets lie here sealed to the recovery key (R50)."""
    if diary.is_seat:
        return True  # no phrase recovers a client's keys: they are invited again (R51)
    with diary.reading():
        kept = meta.word(diary.connection, RECOVERABLE)
    return kept is not None and kept.partition(" ")[0] == diary.keys.digest


def is_phrase_kept(diary: OpenDiary) -> bool:
    """Return whether the recovery phrase still lies here: its writing down was never confirmed (R50)."""
    return diary.kept(ROOT_ENTROPY) is not None


def is_alone(diary: OpenDiary) -> bool:
    """Return whether no other replica was ever listed: then nobody else can hold anything (R17, R25)."""
    from diary import envelope

    return len(envelope.device_list(diary).devices) == 1
