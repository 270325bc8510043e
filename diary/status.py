"""The state in one look (CLI.md). Prompts and status bars ask it: it loads no more than it needs."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from diary import idling, last_sync, settings, tracking
from diary.attention import before_lock, missed_lock, suspended_says, unread_messages
from diary.idling import IdleQuestion
from diary.last_sync import SyncFault
from diary.opening import is_phrase_kept
from diary.rules.deadline import MissedWeek, UnsentWeek
from diary.rules.ids import MINUTES_PER_SLOT, ContractId, Millis, Place, Slot
from diary.rules.merge import standing
from diary.rules.unanswered import Unanswered
from diary.rules.week import Week
from diary.state import SERVER, OpenDiary, is_destroying
from diary.store import epochs, feed, meta, outbox, pictures, refusals, versions
from diary.store.versions import held_of
from diary.unanswered import unanswered


@dataclass(frozen=True, slots=True)
class Status:
    """The state in one look: the fields of `status --json` (CLI.md), and more for the pages.

    Minutes are those of standing segments, today by UTC unless told otherwise. `unsynced`, `held`,
    `late_held` and `moves_held` count segments, `refused` changes still to be looked at and
    `refused_deletions` those of them that are deletions (R37d), `pictures_left` pictures. `before_lock` is
    what has not reached the server of weeks that lock within a day; `phrase_waits` says that the recovery
    phrase of a registered diary was never confirmed (R50). `idle` asks about time away until it is answered
    (R18). `suspended` says that the account is not in good standing at its server, "" while it is (R30).
    `unread` counts messages that nobody here has read (R68). `unanswered` says that the server does not
    answer for its log, None while it does (R43). `synced_at_ms` is when a sync last went through,
    `sync_fault` why the last one did not, None where it did. `missed_lock` is what was typed and was not at
    the server when its week locked (R37).
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
    phrase_waits: bool
    idle: IdleQuestion | None
    suspended: str
    unread: int
    unanswered: Unanswered | None
    synced_at_ms: Millis | None = None
    sync_fault: SyncFault | None = None
    missed_lock: tuple[MissedWeek, ...] = ()


def status(diary: OpenDiary) -> Status:
    """Return the state in one look; it opens nothing but messages behind the last that was read (CLI.md).

    Today is the day of the zone setting, else of this machine's zone; the week is the billing week (R2).
    """
    with diary.reading():
        now_ms = diary.now_ms()
        wish = tracking.tracking(diary)
        title = _title_of(diary, wish.contract) if wish.contract else ""
        this_week = Week.at(now_ms)
        today = _today(diary, now_ms)
        refused, refused_deletions = refusals.counts(diary.connection)
        has_server = meta.get(diary.connection, SERVER) is not None
        late_before = diary.late_before(now_ms)
        waiting = outbox.waiting(diary.connection, now_ms, late_before, has_server=has_server)
        return Status(
            tracking=wish.on,
            contract=wish.contract,
            contract_title=title,
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
            phrase_waits=is_phrase_kept(diary) and has_server,
            idle=idling.open_question(diary),
            suspended=suspended_says(diary),
            unread=unread_messages(diary),
            unanswered=unanswered(diary),
            synced_at_ms=last_sync.synced_at_ms(diary),
            sync_fault=last_sync.fault(diary),
            missed_lock=missed_lock(diary, now_ms),
        )


def _title_of(diary: OpenDiary, contract: ContractId) -> str:
    from diary import contracts

    found = contracts.known(diary).get(contract)
    return found.title if found else ""


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
