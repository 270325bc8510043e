"""The page of what waits for its freelancer's answer: late time, and time that moves far (R20, R25, R38)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from datasette.utils.asgi import BadRequest, Response

from datasette_work_diary.edit_form import form_of, led_on
from datasette_work_diary.frame import Handler, crumbs, reading_of, show, viewer_here
from datasette_work_diary.reading import Reading, counted, hours
from diary.diary import Asked, Diary
from diary.json_lists import asked_json
from diary.rules.timesheet import Place
from diary.rules.week import Week, ends_at_ms, starts_at_ms

PATH = "/-/diary/late"
LISTED_MAX = 300  # what a person picks from; more is answered for as a whole


@dataclass(frozen=True, slots=True)
class AskedShown:
    """One segment that waits, as a line."""

    id: str
    place: str
    href: str
    when: str
    contract: str
    why: str
    memo: str


@dataclass(frozen=True, slots=True)
class LatePage:
    """All that the page shows; `listed` is cut at a length that can be read."""

    reading: Reading
    count: int
    length: str
    listed: tuple[AskedShown, ...]
    more: int
    any_moves: bool


def late_page(asked: Sequence[Asked], reading: Reading) -> LatePage:
    """Return the page for what waits."""
    return LatePage(
        reading=reading,
        count=len(asked),
        length=hours(len(asked)),
        listed=tuple(_shown(one, reading) for one in asked[:LISTED_MAX]),
        more=max(0, len(asked) - LISTED_MAX),
        any_moves=any(one.true is not None for one in asked),
    )


def _shown(one: Asked, reading: Reading) -> AskedShown:
    at_ms = starts_at_ms(one.slot)
    day, _, _ = reading.instant(at_ms).partition(",")
    why = f"{Week.of(one.slot).name} is locked"
    if one.true is not None:
        why = f"the clock was wrong: it belongs to {reading.instant(starts_at_ms(one.true))}"
    return AskedShown(
        id=f"{one.contract}-{one.slot}",
        place=f"{one.contract}/{one.slot}",
        href=f"/-/diary/segment/{one.contract}/{one.slot}",
        when=f"{day}, {reading.span(at_ms, ends_at_ms(one.slot))}",
        contract=one.contract_title,
        why=why,
        memo=one.memo,
    )


async def late(datasette: Any, request: Any) -> Any:
    """List what waits for an answer, and why (R20, R38); as JSON like `diary late --json`."""
    if request.url_vars["format"]:
        asked = await viewer_here(datasette).room.ask(lambda diary: diary.asked())
        return Response.json([asked_json(one) for one in asked])
    page = await viewer_here(datasette).room.ask(lambda diary: late_page(diary.asked(), reading_of(diary)))
    context = {"late": page, "room": "late", "crumbs_here": crumbs((PATH, "waiting"))}
    return await show(datasette, request, "late", page.reading, context)


async def send(datasette: Any, request: Any) -> Any:
    """Let it be sent, all of it or what was selected (R38)."""
    form = await form_of(request)
    only = _answered_for(form.text("which"), form.places())
    if only == ():
        return led_on(datasette, request, PATH, "Nothing is selected.", problem=True)
    sent = await viewer_here(datasette).room.ask(lambda diary: diary.send_asked(only))
    return led_on(datasette, request, PATH, f"{counted(len(sent), 'segment')} will be sent at the next sync.")


@dataclass(frozen=True, slots=True)
class Drop:
    """What is to be destroyed, said before it is (R4, R25), and how many were destroyed."""

    reading: Reading
    which: str
    places: tuple[str, ...]
    count: int
    length: str
    dropped: int = 0


async def drop(datasette: Any, request: Any) -> Any:
    """Say what would be destroyed, and on the second yes destroy it (R4, R25, R38)."""
    form = await form_of(request)
    which = form.text("which")
    only = _answered_for(which, form.places())
    if only == ():
        return led_on(datasette, request, PATH, "Nothing is selected.", problem=True)
    # Nothing is destroyed that the question did not speak of: its number comes back with the answer.
    agreed = form.number("count") if form.has("sure") else None

    def write(diary: Diary) -> Drop:
        places = [(one.contract, one.slot) for one in diary.asked()]
        meant = places if only is None else [place for place in places if place in only]
        shown = () if only is None else tuple(f"{contract}/{slot}" for contract, slot in meant)
        dropped = len(diary.drop_asked(meant)) if agreed == len(meant) else 0
        return Drop(reading_of(diary), which, shown, len(meant), hours(len(meant)), dropped)

    done = await viewer_here(datasette).room.ask(write)
    if done.dropped:
        return led_on(datasette, request, PATH, f"{counted(done.dropped, 'segment')} destroyed.")
    if not done.count:
        return led_on(datasette, request, PATH, "Nothing of that waits any more.", problem=True)
    context = {"drop": done, "crumbs_here": crumbs((PATH, "waiting"))}
    return await show(datasette, request, "late_drop", done.reading, context)


def _answered_for(which: str, places: tuple[Place, ...]) -> tuple[Place, ...] | None:
    """Return the places an answer is for; None for all that waits."""
    if which not in {"all", "selected"}:
        raise BadRequest("An answer is for all of it or for what is selected.")
    return None if which == "all" else places


ROUTES: list[tuple[str, Handler]] = [
    (rf"^{PATH}(?P<format>\.json)?$", late),
    (rf"^{PATH}/send$", send),
    (rf"^{PATH}/drop$", drop),
]
