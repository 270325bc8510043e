"""The page of devices and sync: what waits, what was sent, who belongs to the account, alarms (R50, R55)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from datasette.utils.asgi import Response

from datasette_work_diary.frame import Handler, crumbs, reading_of, show, viewer_here
from datasette_work_diary.reading import Reading, counted, length, megabytes
from diary.auditing import Audit
from diary.devices import Device
from diary.diary import Diary, Status
from diary.exchanging import ServerLink
from diary.last_sync import fault_json
from diary.rules.alarm_words import WHAT_TO_DO, meaning_of
from diary.rules.ids import Millis
from diary.rules.json_form import iso
from diary.store.epochs import Restoring
from diary.store.sending import SentNote

PATH = "/-/diary/sync"
SENT_SHOWN = 30  # the newest minutes; `diary audit` has it all
MINUTE_MILLIS = 60_000
STORED_WORDS = {
    "capture": "what the machine saw",
    "entry": "what you said of it",
    "terms": "contracts' terms",
    "device_list": "device lists",
    "grant": "keys granted to devices",
    "picture": "pictures",
    "draft": "the segment under way",
    "refusal": "refused changes",
}


@dataclass(frozen=True, slots=True)
class SyncSeen:
    """What a look at the diary found of its sync."""

    reading: Reading
    link: ServerLink | None
    synced_at_ms: Millis | None
    status: Status
    devices: tuple[Device, ...]
    audit: Audit


@dataclass(frozen=True, slots=True)
class Waiting:
    """One kind of thing that waits, and what for."""

    what: str
    why: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class DeviceShown:
    """One device of the account; `follows` is the device whose place it took (R42)."""

    number: int
    short_id: str
    id: str
    name: str
    state: str
    since: str
    wrote: str
    follows: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table, a text each cell."""

    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SyncPage:
    """All that the template shows."""

    server: str
    synced: str
    failed: str
    waiting: tuple[Waiting, ...]
    devices: tuple[DeviceShown, ...]
    alarms: tuple[Row, ...]
    what_to_do: str
    restorings: tuple[Row, ...]
    stored: tuple[Row, ...]
    sent: tuple[Row, ...]
    sent_more: int


def look_at_sync(diary: Diary) -> SyncSeen:
    """Return what the diary's own records say of its sync."""
    return SyncSeen(
        reading=reading_of(diary),
        link=diary.server(),
        synced_at_ms=diary.synced_at_ms(),
        status=diary.status(),
        devices=diary.devices_seen(),
        audit=diary.audit(),
    )


def sync_page(seen: SyncSeen) -> SyncPage:
    """Return the page as it reads at the reading's instant."""
    reading, audit = seen.reading, seen.audit
    sent = _sent(audit.sent, reading)
    return SyncPage(
        server=seen.link.url if seen.link else "",
        synced=_synced(seen),
        failed=_failed(seen),
        waiting=_waiting(seen.status),
        devices=tuple(_device(one, reading) for one in seen.devices),
        alarms=tuple(
            Row((reading.both(one.raised_at_ms), meaning_of(one.kind), one.says)) for one in audit.alarms
        ),
        what_to_do=WHAT_TO_DO,
        restorings=tuple(Row((reading.both(one.taken_at_ms), _heads_lost(one))) for one in audit.restorings),
        stored=tuple(
            Row((STORED_WORDS.get(one.what, one.what), f"{one.count:,}", megabytes(one.size)))
            for one in audit.stored
        ),
        sent=sent[:SENT_SHOWN],
        sent_more=max(0, len(sent) - SENT_SHOWN),
    )


def _sent(sent: Sequence[SentNote], reading: Reading) -> tuple[Row, ...]:
    """Return what was sent, the newest first; what went within a minute to one server is one line."""
    by_minute = groupby(
        reversed(sent), key=lambda one: (one.sent_at_ms // MINUTE_MILLIS, one.what, one.server)
    )
    return tuple(
        Row(
            (
                reading.instant(minute * MINUTE_MILLIS),
                _times(what, len(of_minute)),
                megabytes(sum(one.size for one in of_minute)),
                server,
            )
        )
        for (minute, what, server), of_minute in ((key, list(each)) for key, each in by_minute)
    )


def _times(what: str, count: int) -> str:
    if what == "picture":
        return counted(count, "picture")
    return counted(count, f"push of {what}", f"pushes of {what}")


def _heads_lost(restoring: Restoring) -> str:
    """Return from which head to which the server went back, as far as this diary had read (R43)."""
    if not restoring.lost:
        return "nothing that this diary had read"
    return ", ".join(
        f"log {head.contract[:8]}: from {head.had_size:,} rows back to {head.kept_size:,}"
        for head in restoring.lost
    )


def _synced(seen: SyncSeen) -> str:
    if seen.link is None:
        return "Everything stays on this device until the diary is registered with a server."
    if seen.synced_at_ms is None:
        return "It has not synced yet."
    ago = length(seen.reading.now_ms - seen.synced_at_ms)
    return f"Last synced {seen.reading.instant(seen.synced_at_ms)}, {ago} ago."


def _failed(seen: SyncSeen) -> str:
    """Return when the last sync failed and why, "" where it went through."""
    fault = seen.status.sync_fault
    return "" if fault is None else f"Tried {seen.reading.instant(fault.at_ms)}: {fault.in_full}"


def _waiting(status: Status) -> tuple[Waiting, ...]:
    late = status.late_held + status.moves_held
    kinds = (
        (
            status.unsynced,
            counted(status.unsynced, "segment"),
            "not at the server yet",
            "",
        ),
        (status.held, counted(status.held, "segment"), "of them held back for the notice period", ""),
        (late, counted(late, "segment"), "of them waiting for your answer", "/-/diary/late"),
        (status.pictures_left, counted(status.pictures_left, "picture"), "to be sent after the rows", ""),
        (status.refused, counted(status.refused, "change"), "refused", "/-/diary/refused"),
    )
    return tuple(Waiting(what, why, href) for count, what, why, href in kinds if count)


def _device(one: Device, reading: Reading) -> DeviceShown:
    state = "this device" if one.is_this else "another device"
    if one.is_revoked:
        state = f"revoked {_instant(one.revoked_at_ms, reading)}".rstrip()
    return DeviceShown(
        number=one.number,
        short_id=one.replica[:8],
        id=one.replica,
        name=one.name,
        state=state,
        since=_instant(one.added_at_ms, reading),
        wrote=_instant(one.wrote_at_ms, reading),
        follows=one.successor_of[:8] if one.successor_of else "",
    )


def _instant(at_ms: Millis | None, reading: Reading) -> str:
    return "" if at_ms is None else reading.instant(at_ms)


async def sync(datasette: Any, request: Any) -> Any:
    """Show what waits, what was sent, the account's devices and the alarms; as JSON the same."""
    seen = await viewer_here(datasette).room.ask(look_at_sync)
    if request.url_vars["format"]:
        return Response.json(_json(seen))
    context = {"sync": sync_page(seen), "room": "sync", "crumbs_here": crumbs((PATH, "devices and sync"))}
    return await show(datasette, request, "sync", seen.reading, context)


def _json(seen: SyncSeen) -> dict[str, object]:
    status = seen.status
    return {
        "server": seen.link.url if seen.link else None,
        "synced_at": None if seen.synced_at_ms is None else iso(seen.synced_at_ms),
        "sync_fault": fault_json(status.sync_fault),
        "unsynced": status.unsynced,
        "held": status.held,
        "late_held": status.late_held,
        "pictures_left": status.pictures_left,
        "refused": status.refused,
        "devices": [
            {
                "number": one.number,
                "replica": one.replica,
                "name": one.name or None,
                "this": one.is_this,
                "added_at": None if one.added_at_ms is None else iso(one.added_at_ms),
                "wrote_at": None if one.wrote_at_ms is None else iso(one.wrote_at_ms),
                "revoked": one.is_revoked,
                "revoked_at": None if one.revoked_at_ms is None else iso(one.revoked_at_ms),
                "successor_of": one.successor_of,
            }
            for one in seen.devices
        ],
        "alarms": [
            {
                "raised_at": iso(one.raised_at_ms),
                "kind": one.kind,
                "says": one.says,
                "means": meaning_of(one.kind),
            }
            for one in seen.audit.alarms
        ],
        "restorings": [
            {"log_epoch": one.log_epoch, "taken_at": iso(one.taken_at_ms), "says": _heads_lost(one)}
            for one in seen.audit.restorings
        ],
        "unanswered_since": None if status.unanswered is None else iso(status.unanswered.since_ms),
        "lost_by_server": seen.audit.lost_by_server,
    }


ROUTES: list[tuple[str, Handler]] = [(r"^/-/diary/sync(?P<format>\.json)?$", sync)]
