"""The page of refused changes: what, why, and what can still be done; put away by hand (R25, R37d)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from datasette.utils.asgi import BadRequest, Response

from datasette_work_diary.edit_form import form_of, led_on
from datasette_work_diary.frame import Handler, crumbs, reading_of, show, viewer_here
from datasette_work_diary.reading import Reading, sentence
from diary.diary import Diary, RefusalView
from diary.json_lists import refusal_json
from diary.refused import told_at_once
from diary.rules.refused_runs import numbers_meant, numbers_said

PATH = "/-/diary/refused"
WHAT = {
    "capture": "Recorded time",
    "entry": "Memo or label",
    "manual": "Manual time",
    "deletion": "Deletion",
    "terms": "Terms of the contract",
    "message": "A message",
    "other": "A change",
}


@dataclass(frozen=True, slots=True)
class RefusalShown:
    """What was refused alike, slot after slot, as a card shows it; `numbers` as they are typed.

    `can_forget` where something of it is still kept here.
    """

    numbers: str
    what: str
    is_loud: bool
    title: str
    reason: str
    happened: str
    because: str
    mend: str
    where: str
    href: str
    contract: str
    memo: str
    at: str
    can_forget: bool


@dataclass(frozen=True, slots=True)
class RefusedSeen:
    """What a look at the list found: what is still to be looked at, and what was put away."""

    reading: Reading
    open: tuple[RefusalShown, ...]
    away: tuple[RefusalShown, ...]


def look_at_refused(diary: Diary) -> RefusedSeen:
    """Return the refused changes: deletions first while they are loud, then the newest (R37d)."""
    reading = reading_of(diary)
    listed = sorted(
        diary.refusals(), key=lambda one: one.what != "deletion" or one.dismissed_at_ms is not None
    )
    return RefusedSeen(
        reading,
        _told([one for one in listed if one.dismissed_at_ms is None], reading),
        _told([one for one in listed if one.dismissed_at_ms is not None], reading),
    )


def _told(listed: Sequence[RefusalView], reading: Reading) -> tuple[RefusalShown, ...]:
    return tuple(_shown(run, reading) for run in told_at_once(listed))


def _shown(run: Sequence[RefusalView], reading: Reading) -> RefusalShown:
    one = run[0]
    return RefusalShown(
        numbers=numbers_said(each.number for each in run),
        what=WHAT[one.what],
        is_loud=one.what == "deletion",
        title=one.words.title,
        reason=one.reason,
        happened=one.words.happened,
        because=sentence(one.because),
        mend=one.mend,
        where=reading.slots(one.slot, run[-1].slot),
        href="" if one.slot is None else f"/-/diary/segment/{one.contract}/{one.slot}",
        contract=one.contract_title,
        memo=one.memo,
        at=reading.both(one.refused_at_ms),
        can_forget=one.kept,
    )


async def refused(datasette: Any, request: Any) -> Any:
    """List what was refused, and what can still be done (R37d); as JSON like `diary refused --json`."""
    room = viewer_here(datasette).room
    if request.url_vars["format"]:
        return Response.json([refusal_json(one) for one in await room.ask(lambda diary: diary.refusals())])
    seen = await room.ask(look_at_refused)
    context: dict[str, object] = {
        "refusals": seen.open,
        "put_away": seen.away,
        "room": "refused",
        "crumbs_here": crumbs((PATH, "refused")),
    }
    return await show(datasette, request, "refused", seen.reading, context)


async def dismiss(datasette: Any, request: Any) -> Any:
    """Put refusals away that were looked at (R37d)."""
    form = await form_of(request)
    words, back = form.text("number"), form.back()
    await viewer_here(datasette).room.ask(lambda diary: diary.dismiss_refusals(_meant(diary, words)))
    return led_on(datasette, request, back, "Put away; the list of refused changes still has it.")


async def forget(datasette: Any, request: Any) -> Any:
    """Destroy what refusals keep, but for place, time and reason (R25)."""
    form = await form_of(request)
    words, back = form.text("number"), form.back()
    await viewer_here(datasette).room.ask(lambda diary: diary.forget_refusals(_meant(diary, words)))
    return led_on(datasette, request, back, "Forgotten: place, time and reason are all that is left of it.")


def _meant(diary: Diary, words: str) -> list[int]:
    meant = numbers_meant(words.split(), [one.number for one in diary.refusals()])
    if isinstance(meant, str):
        raise BadRequest(f"“{meant}” names none of the refused changes.")
    return meant


ROUTES: list[tuple[str, Handler]] = [
    (rf"^{PATH}(?P<format>\.json)?$", refused),
    (rf"^{PATH}/dismiss$", dismiss),
    (rf"^{PATH}/forget$", forget),
]
