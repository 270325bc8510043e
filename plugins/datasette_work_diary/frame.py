"""What every page of the diary shares: how times read, the way here, what went wrong (R5, R52)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from datasette.utils.asgi import Response
from datasette.views.base import DatasetteError

from datasette_work_diary.reading import Reading, counted
from datasette_work_diary.viewer import Viewer, viewer_of
from diary.attention import lost_says
from diary.diary import Diary
from diary.errors import DiaryError, NothingError
from diary.idling import IdleQuestion
from diary.refused import told_at_once
from diary.rules.deadline import AFTER_THE_LOCK
from diary.rules.refused_runs import numbers_said
from diary.rules.week import NAMES_OF_UTC
from diary.undoing import Undoable
from diary.zone import machine_zone

Handler = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Face:
    """A button that changes how times are shown (R5); without a value it cannot be pressed, and says why."""

    name: str
    value: str
    label: str
    title: str


@dataclass(frozen=True, slots=True)
class Crumb:
    """One step of the way to a page."""

    href: str
    label: str


@dataclass(frozen=True, slots=True)
class RefusalSaid:
    """Something that was not taken, why, and how it can be mended (R37d)."""

    reason: str
    where: str
    because: str
    mend: str


def reading_of(diary: Diary) -> Reading:
    """Return how this diary's owner reads times, at this instant (R5)."""
    zone = str(diary.setting("zone") or "")
    for_client = diary.seat_in is not None
    return Reading(
        zone=ZoneInfo(zone) if zone else machine_zone(),
        clock_24h=bool(diary.setting("clock_24h")),
        now_ms=diary.now_ms(),
        for_client=for_client,
        theirs=diary.freelancers_zone() if for_client else None,
    )


def faces(reading: Reading) -> tuple[Face, ...]:
    """Return the toggles: the machine's zone, UTC, to a client the freelancer's; 12 or 24 hours (R5)."""
    here = machine_zone().key
    names = dict.fromkeys(
        ("UTC" if one in NAMES_OF_UTC else one) for one in (here, "UTC", reading.theirs) if one
    )
    now = "UTC" if reading.is_utc else reading.zone.key
    zones = [
        Face("zone", other, other.replace("_", " "), f"Show times in {other}{_whose(other, reading)}")
        for other in names
        if other != now
    ]
    if reading.for_client and reading.theirs is None:
        zones.append(Face("zone", "", "Freelancer's time", "The freelancer has not told their zone yet"))
    clock = Face(
        "clock",
        "12" if reading.clock_24h else "24",
        "12 h" if reading.clock_24h else "24 h",
        f"Show times by {'12' if reading.clock_24h else '24'} hours",
    )
    return (*zones, clock)


def _whose(zone: str, reading: Reading) -> str:
    return ", the freelancer's time" if zone == reading.theirs else ""


def viewer_here(datasette: Any) -> Viewer:
    """Return the viewer whose routes led here."""
    viewer = viewer_of(datasette)
    assert viewer is not None  # the routes exist only in a viewer
    return viewer


@dataclass(frozen=True, slots=True)
class DeletionRefused:
    """Deletions refused alike, slot after slot, as every page says them until they are put away (R37d)."""

    numbers: str
    count: int
    where: str
    href: str
    says: str


@dataclass(frozen=True, slots=True)
class IdleSaid:
    """Time in which nobody was there, and the contracts to which it may go (R18)."""

    says: str
    when: str
    contract: str
    until_ms: int
    others: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class AttentionSaid:
    """What every page says until somebody has seen to it; texts are empty where there is nothing to say."""

    refused: int
    deletions: tuple[DeletionRefused, ...]
    asked: str
    before_lock: tuple[str, ...]
    missed_lock: tuple[str, ...]
    after_the_lock: str
    alarms: str
    unanswered: str
    lost: str
    undo: str
    low_disk: str
    suspended: str
    sync_stopped: str
    reminder: str
    reminder_href: str
    idle: IdleSaid | None
    unread: int


def attention_said(diary: Diary, reading: Reading) -> AttentionSaid:
    """Return what wants attention, in words (R31, R37d, R38)."""
    found = diary.attention()
    reminder = diary.week_reminder()
    return AttentionSaid(
        refused=found.refused,
        deletions=tuple(
            DeletionRefused(
                numbers=numbers_said(one.number for one in run),
                count=len(run),
                where=", ".join(
                    filter(None, (reading.slots(run[0].slot, run[-1].slot), run[0].contract_title))
                ),
                href=f"/-/diary/segment/{run[0].contract}/{run[0].slot}" if run[0].slot else "",
                says=f"{run[0].words.happened} {run[0].mend}",
            )
            for run in told_at_once(found.deletions)
        ),
        asked=f"{counted(found.asked, 'segment waits', 'segments wait')} for your answer before being sent."
        if found.asked
        else "",
        before_lock=tuple(week.says(reading.now_ms) for week in found.before_lock),
        missed_lock=tuple(week.says for week in found.missed_lock),
        after_the_lock=AFTER_THE_LOCK,
        alarms=f"{counted(found.alarms, 'alarm')}: the server showed what cannot be right."
        if found.alarms
        else "",
        unanswered=found.unanswered,
        lost=lost_says(found.lost_by_server),
        undo=_undo_says(diary.undoable()),
        sync_stopped=found.sync_stopped,
        low_disk=found.low_disk,
        suspended=found.suspended,
        reminder="" if reminder is None else reminder.says(reading.now_ms),
        reminder_href="" if reminder is None else f"/-/diary/check/{reminder.week.name}",
        idle=_idle_said(diary, found.idle, reading),
        unread=found.unread,
    )


def _idle_said(diary: Diary, asked: IdleQuestion | None, reading: Reading) -> IdleSaid | None:
    """Return the question about time away, None where nothing is asked (R18)."""
    if asked is None:
        return None
    active = [each for each in diary.contracts() if each.is_active]
    return IdleSaid(
        says=asked.says,
        when=reading.span(asked.since_ms, asked.until_ms),
        contract=next((each.title for each in active if each.id == asked.contract), ""),
        until_ms=asked.until_ms,
        others=tuple((each.id, each.title) for each in active if each.id != asked.contract),
    )


def _undo_says(undoable: Undoable | None) -> str:
    """Return what the Undo button would take back, "" where there is nothing (R26)."""
    if undoable is None:
        return ""
    what = "edit" if undoable.kind == "edit" else "added time"
    return f"Undo the last {what} of {counted(undoable.segments, 'segment')}"


async def show(
    datasette: Any,
    request: Any,
    template: str,
    reading: Reading,
    context: dict[str, object],
    status: int = 200,
) -> Any:
    """Return a page, with what every page of the diary shows."""
    shared: dict[str, object] = {
        "here": request.path,
        # An answer to a form is not shown anew by itself: that would send the form once more.
        "version": viewer_here(datasette).version() if request.method == "GET" else "",
        "zone_name": "UTC" if reading.is_utc else reading.zone.key.replace("_", " "),
        "faces": faces(reading),
        "crumbs_here": [],
        "room": "",
        "for_client": reading.for_client,
        "refusals_said": [],
        "attention": await viewer_here(datasette).room.ask(lambda diary: attention_said(diary, reading)),
    }
    html = await datasette.render_template(f"diary/{template}.html", shared | context, request=request)
    return Response.html(html, status=status)


def crumbs(*steps: tuple[str, str]) -> list[Crumb]:
    """Return the way from the diary to a page."""
    return [Crumb("/-/diary", "work diary"), *(Crumb(href, label) for href, label in steps)]


@dataclass(frozen=True, slots=True)
class FaultSaid:
    """A fault as a page says it."""

    title: str
    says: str
    mend: str = ""


NO_PAGE = frozenset({"404", "Database not found"})  # Datasette's words for an address that leads nowhere


def fault_said(exception: Exception, status: int) -> FaultSaid:
    """Return what the page says; of a fault that nobody foresaw, only its kind (R52)."""
    if isinstance(exception, DiaryError):
        return FaultSaid("That did not work", exception.what_happened, exception.how_to_mend)
    if getattr(exception, "message_is_html", False):  # Datasette's own, such as of a query that took too long
        return FaultSaid("Not possible", f"{getattr(exception, 'title', '')}: ask for less at once.")
    if status != 500:
        says = str(exception.args[0])
        if says in NO_PAGE:
            says = "There is no page at this address."
        return FaultSaid("Not found" if status == 404 else "Not possible", says)
    says = f"The diary met a fault it did not expect ({type(exception).__name__}); nothing was changed by it."
    return FaultSaid("A fault", says, "Where it happened stands in the terminal; diary doctor may know more.")


def status_of(exception: Exception) -> int:
    """Return the status of an answer that says this."""
    if isinstance(exception, DiaryError):
        return 404 if isinstance(exception, NothingError) else 409
    status = getattr(exception, "status", 500)
    if isinstance(exception, DatasetteError) and status == 500:
        return 400  # it has no other number for a column that does not exist
    return status if isinstance(status, int) else 500


async def fault_page(datasette: Any, request: Any, exception: Exception) -> Any:
    """Return the page that says what happened; JSON where JSON was asked for."""
    status = status_of(exception)
    said = fault_said(exception, status)
    if request.path.endswith(".json"):
        return Response.json(
            {"ok": False, "error": said.says, "mend": said.mend, "status": status}, status=status
        )
    reading = await viewer_here(datasette).room.ask(reading_of)
    context = {"fault": said, "crumbs_here": crumbs()}
    return await show(datasette, request, "fault", reading, context, status)
