"""A practice diary for every room's tests: a real file, a key file, a clock that stands where it is put."""

from datetime import datetime
from pathlib import Path
from typing import Unpack

from diary.clock import GivenClock
from diary.contracts import Contract, TermsFields
from diary.diary import Diary
from diary.rules.ids import Millis, ReplicaId, Slot
from diary.rules.refusals import What
from diary.rules.sealed_content import MinuteCounts, Moment, StampedText
from diary.rules.timesheet import Place
from diary.rules.week import slot_at, starts_at_ms
from diary.sealing.keyring import choose_place
from diary.store import refusals, versions
from diary.store.drafts import CaptureDraft
from diary.store.refusals import KeptRefusal

MONDAY_NINE = "2026-11-16T09:00Z"
SCREEN = b"the screen's picture, as it was encoded"
NOBODY = ReplicaId("0" * 32)
_PRACTICE: TermsFields = {"title": "Practice"}
BUSY_MINUTE = MinuteCounts(keystrokes=12, clicks=3, scrolls=1, os_active=True)


def instant(text: str) -> Millis:
    """Return the instant of a text such as "2026-11-16T09:00Z"."""
    return Millis(int(datetime.fromisoformat(text).timestamp() * 1000))


def slot(text: str) -> Slot:
    """Return the slot of an instant."""
    return slot_at(instant(text))


def practice_diary(
    home: Path, at: str = MONDAY_NINE, **terms: Unpack[TermsFields]
) -> tuple[Diary, GivenClock, Contract]:
    """Return a new diary in `home`/diary, its clock at `at`, and one contract in it; close the diary."""
    clock = GivenClock(instant(at))
    folder = home / "diary"
    folder.mkdir(parents=True)
    diary = Diary.create(folder, clock=clock, place=choose_place(folder, "file"), device_name="practice")
    return diary, clock, diary.new_contract(**(_PRACTICE | terms))


def draft_of(
    contract: Contract,
    at: Slot,
    *,
    memo: str | None = "practising",
    label: str | None = None,
    picture: bytes | None = SCREEN,
    thumbnail: bytes | None = None,
    title: str = "practice — editor",
    application: str = "editor",
    replica: ReplicaId = NOBODY,
) -> CaptureDraft:
    """Return what the tracker would have seen of one slot, its snapshot five minutes in."""
    taken_ms = Millis(starts_at_ms(at) + 300_000)
    stamp = (starts_at_ms(at), replica)
    return CaptureDraft(
        contract=contract.id,
        slot=at,
        minutes=(BUSY_MINUTE,) * 10,
        application=application,
        title=title,
        drawn_ms=taken_ms,
        moment=Moment(wall_ms=taken_ms, monotonic_ms=int(taken_ms), boot="given"),
        no_picture=None if picture is not None else "the screen was locked",
        pictures=()
        if picture is None
        else (("screen", picture), ("thumbnail", picture[:16] if thumbnail is None else thumbnail)),
        memo=None if memo is None else StampedText(memo, stamp),
        label=None if label is None else StampedText(label, stamp),
    )


def record_slot(
    diary: Diary,
    contract: Contract,
    at: Slot,
    *,
    memo: str | None = "practising",
    label: str | None = None,
    picture: bytes | None = SCREEN,
    thumbnail: bytes | None = None,
    title: str = "practice — editor",
) -> Place:
    """Record one slot as the tracker would, when it is over; the diary's clock is moved there if behind."""
    clock = diary.clock
    over_ms = starts_at_ms(Slot(at + 1))
    if isinstance(clock, GivenClock) and clock.now_ms() < over_ms:
        clock.put(over_ms)
    draft = draft_of(
        contract,
        at,
        memo=memo,
        label=label,
        picture=picture,
        thumbnail=thumbnail,
        title=title,
        replica=diary.replica,
    )
    return diary.record(draft)


def refuse(diary: Diary, place: Place, what: What) -> int:
    """Put a change into the list as the answer of a server would; return its number."""
    state = diary._state
    with state.writing():
        held = versions.at_place(state.connection, *place)
        stored = next(one for one in held if (one.header.type == "capture") == (what == "capture"))
        refusals.keep(
            state.connection,
            KeptRefusal(
                name=stored.header.name,
                contract=place[0],
                slot=place[1],
                what=what,
                reason="week_locked",
                because="2026-W47 is frozen since Monday 12:00 UTC",
                refused_at_ms=diary.now_ms(),
                sealed=None if what == "deletion" else stored.sealed,
            ),
        )
        versions.move_out(state.connection, stored.header.name)
    return diary.refusals()[0].number
