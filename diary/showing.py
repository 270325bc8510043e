"""What is shown beside weeks: pictures, old texts, the state in one look (R24, R26)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from diary import contracts, drafting, envelope, settings, tracking
from diary.attention import before_lock
from diary.destroying import held_of
from diary.errors import NothingError
from diary.rules.deadline import UnsentWeek
from diary.rules.ids import MINUTES_PER_SLOT, ContractId, Millis, Slot
from diary.rules.merge import standing
from diary.rules.segment import Sealed, StampedText, parse_header
from diary.rules.timesheet import Place
from diary.rules.week import Week
from diary.sealing import row
from diary.state import OpenDiary, is_destroying
from diary.store import epochs, feed, history, outbox, pictures, refusals, versions
from diary.store.drafts import DraftText

HISTORY = "history"
_DRAFT = "draft"


class NoPictureError(NothingError):
    """The picture is not here."""

    says = "There is no such picture in this diary."
    mend = "It may have been removed, or not be fetched yet: sync, and look again."


@dataclass(frozen=True, slots=True)
class Status:
    """The state in one look: the fields of `status --json` (CLI.md), and more for the pages.

    Minutes are those of standing segments, today by UTC unless told otherwise. `unsynced`, `held`,
    `late_held` and `moves_held` count segments, `refused` changes still to be looked at and
    `refused_deletions` those of them that are deletions (R37d), `pictures_left` pictures. `before_lock` is
    what has not reached the server of weeks that lock within a day.
    """

    tracking: bool
    contract: ContractId | None
    contract_title: str
    memo: str
    label: str
    since_ms: Millis | None
    paused_until_ms: Millis | None
    today_minutes: int
    week_minutes: int
    unsynced: int
    held: int
    late_held: int
    moves_held: int
    refused: int
    refused_deletions: int
    alarms: int
    lost_by_server: int
    pictures_left: int
    destroying: bool
    before_lock: tuple[UnsentWeek, ...]


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


def status(diary: OpenDiary) -> Status:
    """Return the state in one look; it opens no content (CLI.md).

    Today is the day of the zone setting, else of this machine's zone; the week is the billing week (R2).
    """
    with diary.reading():
        now_ms = diary.now_ms()
        wish = tracking.tracking(diary)
        shown = wish.contract or wish.last_contract
        found = contracts.known(diary).get(shown) if shown else None
        this_week = Week.at(now_ms)
        today = _today(diary, now_ms)
        refused, refused_deletions = refusals.counts(diary.connection)
        waiting = outbox.waiting(diary.connection, now_ms, diary.late_before(now_ms))
        return Status(
            tracking=wish.on,
            contract=wish.contract,
            contract_title=found.title if found and wish.contract else "",
            memo=wish.memo.text if wish.memo and wish.contract else "",
            label=wish.label.text if wish.label and wish.contract else "",
            since_ms=wish.since_ms if wish.contract else None,
            paused_until_ms=wish.paused_until_ms,
            today_minutes=_minutes_in(diary, today),
            week_minutes=_minutes_in(diary, this_week.slots),
            unsynced=waiting.segments,
            held=waiting.held,
            late_held=waiting.late_held,
            moves_held=waiting.moves_held,
            alarms=len(feed.alarms(diary.connection)),
            lost_by_server=epochs.count_lost(diary.connection),
            refused=refused,
            refused_deletions=refused_deletions,
            pictures_left=pictures.left_to_send(diary.connection),
            destroying=is_destroying(diary),
            before_lock=before_lock(diary, now_ms),
        )


def _minutes_in(diary: OpenDiary, slots: range) -> int:
    """Return the minutes of the segments that stand in a run of slots, whole segments each (R1)."""
    places: dict[Place, list[versions.StoredVersion]] = {}
    for stored in versions.in_slots(diary.connection, slots):
        places.setdefault((stored.header.contract, Slot(stored.header.slot or 0)), []).append(stored)
    standings = (standing(map(held_of, held)) for held in places.values())
    return MINUTES_PER_SLOT * sum(stands.kind is not None for stands in standings)


def _today(diary: OpenDiary, now_ms: Millis) -> range:
    """Return the slots that start in the local day of the instant (R5)."""
    zone = str(settings.setting(diary, "zone"))
    now = datetime.fromtimestamp(now_ms / 1000, tz=ZoneInfo(zone) if zone else UTC)
    if not zone:
        now = now.astimezone()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    tomorrow = (midnight + timedelta(hours=36)).replace(hour=0)
    first, end = (-(-int(at.timestamp()) // 600) for at in (midnight, tomorrow))
    return range(first, end)


def weeks(diary: OpenDiary) -> tuple[Week, ...]:
    """Return the weeks that hold anything, the newest first (R2)."""
    with diary.reading():
        held = versions.slots_held(diary.connection)
    return tuple(dict.fromkeys(map(Week.of, held)))
