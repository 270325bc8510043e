"""The pages that change something: edit, add manual time, remove, undo (R4, R21, R25, R26, R52).

Everything goes through `Diary`. What it refuses is shown with the reason and how to mend it, and nothing
typed is lost. After a change the browser is led on (303), with a line that says what was done and holds no
text of the diary, as browsers keep cookies on disk.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs

from datasette.utils.asgi import BadRequest, Response

from datasette_work_diary.edit_fields import EditFields, Typed, edit_fields, memo_meanwhile
from datasette_work_diary.frame import Handler, RefusalSaid, crumbs, reading_of, show, viewer_here
from datasette_work_diary.kept import Selection
from datasette_work_diary.pages import day_named, look_at_day, show_day
from datasette_work_diary.reading import Reading, counted, hours, sentence, short_day, slots_label, time_left
from datasette_work_diary.wording import removal_word
from diary.diary import Acts, Diary
from diary.errors import DiaryError
from diary.rules.change import Refused
from diary.rules.ids import ContractId, Slot
from diary.rules.refusals import words_of
from diary.rules.timesheet import Place, SegmentView
from diary.rules.week import SLOTS_PER_DAY, Week
from diary.zone import machine_zone

BODY_BYTES_MAX = 256 * 1024  # a day of selected places and two texts of 4,000 characters, percent-encoded
TEXT_MAX = 4000
LABEL_MAX = 200
PLACES_MAX = 1008  # no selection is longer than a week
REFUSALS_SAID = 10
HOME = "/-/diary"
NOTHING_TO_EDIT = "Nothing is selected that could be edited."


class Form:
    """What a form sent, within its bounds."""

    def __init__(self, body: bytes) -> None:
        try:
            self._fields = parse_qs(body.decode(), keep_blank_values=True)
        except UnicodeDecodeError as error:
            raise BadRequest("The form is not UTF-8.") from error

    def text(self, name: str, length_max: int = TEXT_MAX) -> str:
        """Return a field's text, its line ends as the diary keeps them, "" where it is missing."""
        text = self._fields.get(name, [""])[0].replace("\r\n", "\n").strip()
        if len(text) > length_max:
            raise BadRequest(f"This text has {len(text):,} characters; {length_max:,} fit.")
        return text

    def has(self, name: str) -> bool:
        """Return whether the form sent the field."""
        return name in self._fields

    def number(self, name: str) -> int:
        """Return a field that must be a whole number."""
        text = self.text(name)
        if not (text.isascii() and text.isdecimal()):
            raise BadRequest(f"The field {name!r} is no number.")
        return int(text)

    def places(self) -> tuple[Place, ...]:
        """Return the places that were selected, each once, in order of time."""
        names = dict.fromkeys(self._fields.get("place", []))
        if len(names) > PLACES_MAX:
            raise BadRequest(f"At most {PLACES_MAX:,} segments at once.")
        return tuple(sorted((place_named(name) for name in names), key=lambda place: (place[1], place[0])))

    def back(self) -> str:
        """Return where to lead on to: a page of the diary, whatever was sent."""
        back = self.text("back")
        return back if back.startswith(f"{HOME}/") and "\\" not in back and "\n" not in back else HOME


def place_named(name: str) -> Place:
    """Return the place that a form's field names."""
    contract, _, slot = name.partition("/")
    if len(contract) != 32 or not slot.isascii() or not slot.isdecimal():
        raise BadRequest("A place is a contract and a slot.")
    return ContractId(contract), Slot(int(slot))


async def form_of(request: Any) -> Form:
    """Return what was sent, refusing a method or a size that no page of ours sends."""
    if request.method != "POST":
        raise BadRequest("This address takes forms only.")
    body = b""
    more = True
    while more:
        message = await request.receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > BODY_BYTES_MAX:
            raise BadRequest("The form is too large.")
    return Form(body)


def place_to_go(back: str) -> str:
    """Return what to call the page that a form was opened from."""
    room, _, name = back.removeprefix(f"{HOME}/").partition("/")
    if room == "day":
        return short_day(day_named(name))
    return f"check {name}" if room == "check" else name if room == "week" else room


def led_on(datasette: Any, request: Any, back: str, says: str, *, problem: bool = False) -> Any:
    """Return an answer that leads on, with a line for the next page to say."""
    datasette.add_message(request, says, datasette.ERROR if problem else datasette.INFO)
    return Response.redirect(back, status=303)


def said(refused: Sequence[tuple[Place, Refused]], reading: Reading) -> list[RefusalSaid]:
    """Return what was refused, each reason once with where it holds (R37d)."""
    by_reason: dict[str, list[tuple[Place, Refused]]] = {}
    for place, answer in refused:
        by_reason.setdefault(answer.reason, []).append((place, answer))
    listed = []
    for reason, found in list(by_reason.items())[:REFUSALS_SAID]:
        words = words_of(reason)
        slots = tuple(sorted(place[1] for place, _ in found))
        because = sentence(found[0][1].because)
        listed.append(
            RefusalSaid(f"{words.title} ({reason})", slots_label(slots, reading), because, words.mend)
        )
    return listed


def segments_at(diary: Diary, places: Sequence[Place]) -> list[SegmentView]:
    """Return the live segments at these places."""
    found = (diary.segment(place) for place in places)
    return [segment for segment in found if segment is not None and segment.state != "deleted"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an act came to: how many segments it reached, and what was not taken."""

    done: int = 0
    refusals: tuple[RefusalSaid, ...] = ()


def tried(act: Callable[[], Acts], reading: Reading) -> Outcome:
    """Return what an act came to; a fault that the reader can mend is said as a refusal is."""
    try:
        acts = act()
    except DiaryError as error:
        return Outcome(0, (RefusalSaid("Not saved", "", error.what_happened, error.how_to_mend),))
    return Outcome(len(acts.done), tuple(said(acts.refused, reading)))


def led_to_selection(datasette: Any, request: Any, form: Form, act: str) -> Any:
    """Return an answer that leads to what is asked of a selection, at an address that Back finds again."""
    places, back = form.places(), form.back()
    if not places:
        return led_on(datasette, request, back, "Nothing is selected.", problem=True)
    number = viewer_here(datasette).selections.keep(Selection(places, back))
    return Response.redirect(f"{HOME}/{act}/{number}", status=303)


@dataclass(frozen=True, slots=True)
class Edited:
    """What an edit came to, and the form again, None where there is nothing to edit."""

    reading: Reading
    fields: EditFields | None
    outcome: Outcome
    meanwhile: str | None = None


async def edit(datasette: Any, request: Any) -> Any:
    """Lead a selection to its form, or write what that sent (R26)."""
    form = await form_of(request)
    if not form.has("save"):
        return led_to_selection(datasette, request, form, "edit")
    places, back = form.places(), form.back()
    memo, label = form.text("memo"), form.text("label", LABEL_MAX)
    memo_was, label_was = form.text("memo_was"), form.text("label_was", LABEL_MAX)
    changed = (memo, label) != (memo_was, label_was)

    def write(diary: Diary) -> Edited:
        reading, outcome = reading_of(diary), Outcome()
        segments = segments_at(diary, places)
        if segments and changed:
            new_memo = memo if memo != memo_was else None
            new_label = label if label != label_was else None
            stands = memo_meanwhile(segments, memo_was, new_memo)
            if stands is not None:
                again = edit_fields(segments, diary.contracts(), back, reading)
                return Edited(reading, again, outcome, stands)
            outcome = tried(lambda: diary.edit(places, memo=new_memo, label=new_label), reading)
        fields = edit_fields(segments, diary.contracts(), back, reading) if segments else None
        return Edited(reading, fields, outcome)

    edited = await viewer_here(datasette).room.ask(write)
    fields, outcome = edited.fields, edited.outcome
    if fields is None:
        return led_on(datasette, request, back, NOTHING_TO_EDIT, problem=True)
    if edited.meanwhile is not None:
        # Two windows, one memo: who saves second sees what stands before it goes.
        because = f"It was changed elsewhere meanwhile, and says now: “{edited.meanwhile}”."
        outcome = Outcome(0, (RefusalSaid("Not saved yet", "", because, "Save again to put yours there."),))
        memo_was = edited.meanwhile
    if not outcome.refusals:
        says = f"Saved for {counted(outcome.done, 'segment')}." if outcome.done else "Nothing was changed."
        return led_on(datasette, request, back, says)
    # Nothing typed is lost: the form stays as it was sent, beside the reason.
    fields = replace(fields, memo=memo, label=label, memo_was=memo_was, label_was=label_was)
    return await show_edit(datasette, request, edited.reading, fields, outcome.refusals)


async def show_edit(
    datasette: Any, request: Any, reading: Reading, fields: EditFields, refusals: Sequence[RefusalSaid] = ()
) -> Any:
    """Return the form for a selection, with what of it was refused."""
    context = {
        "edit": fields,
        "refusals_said": refusals,
        "crumbs_here": crumbs((fields.back, place_to_go(fields.back))),
        **({"here": fields.back} if refusals else {}),  # the address of what was refused takes forms only
    }
    return await show(datasette, request, "edit", reading, context, 409 if refusals else 200)


async def add(datasette: Any, request: Any) -> Any:
    """Add manual time (R21)."""
    form = await form_of(request)
    day = day_named(form.text("day"))
    start, end = form.number("from"), form.number("until")
    memo, label = form.text("memo"), form.text("label", LABEL_MAX)
    contract = ContractId(form.text("contract"))
    typed = Typed(contract, str(start), str(end), memo, label)
    problem = _span_problem(start, end, memo)

    def write(diary: Diary) -> Outcome:
        if problem:
            return Outcome(0, (RefusalSaid("Not added", "", problem, ""),))
        slots = [Slot(slot) for slot in range(start, end)]
        return tried(lambda: diary.add_manual(contract, slots, memo, label or None), reading_of(diary))

    room = viewer_here(datasette).room
    outcome = await room.ask(write)
    if not outcome.refusals:
        says = f"Added {hours(outcome.done)} of manual time."
        return led_on(datasette, request, f"/-/diary/day/{day.isoformat()}", says)
    seen = await room.ask(lambda diary: look_at_day(diary, day, all_hours=False, typed=typed))
    return await show_day(datasette, request, seen, outcome.refusals, 409)


def _span_problem(start: int, end: int, memo: str) -> str:
    """Return what is wrong with the form itself, or an empty string."""
    if end <= start:
        return "The end must be later than the start."
    if end - start > SLOTS_PER_DAY + 12:
        return "At most one day at once."
    return "" if memo else "Manual time needs a memo: say what you worked on."


@dataclass(frozen=True, slots=True)
class LossShown:
    """What is lost, said before anything happens (R4, R25)."""

    word: str
    where: str
    lines: tuple[str, ...]
    deadline: str
    back: str
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Removal:
    """What a removal came to: what would be lost, and what was done."""

    reading: Reading
    loss: LossShown
    outcome: Outcome


def loss_shown(diary: Diary, places: Sequence[Place], back: str, reading: Reading) -> LossShown:
    """Return what a removal would destroy (R4, R25)."""
    loss = diary.loss_of(places)
    week = Week.of(places[-1][1])
    ended = reading.now_ms >= week.ends_at_ms
    until = week.locked_at_ms if ended else week.ends_at_ms
    lines = (
        f"{hours(loss.segments)} of time in {counted(loss.segments, 'segment')}",
        counted(loss.minutes, "tracked minute"),
        counted(loss.pictures, "picture"),
        counted(loss.memos, "memo"),
    )
    return LossShown(
        word=removal_word(week_has_ended=ended, many=len(places) > 1),
        where=slots_label(tuple(slot for _, slot in places), reading),
        lines=lines,
        deadline=f"Possible until {reading.both(until)}: {time_left(until - reading.now_ms)}."
        if reading.now_ms < week.locked_at_ms
        else "",
        back=back,
        places=tuple(f"{contract}/{slot}" for contract, slot in places),
    )


async def remove(datasette: Any, request: Any) -> Any:
    """Lead to what would be lost, and on the yes that is said there destroy it (R4, R25)."""
    form = await form_of(request)
    if not form.has("sure"):
        return led_to_selection(datasette, request, form, "remove")
    return await removal_of(datasette, request, Selection(form.places(), form.back()), sure=True)


async def removal_of(datasette: Any, request: Any, selected: Selection, *, sure: bool) -> Any:
    """Say what of a selection would be lost, or destroy it (R4, R25)."""
    back = selected.back

    def write(diary: Diary) -> Removal | None:
        # What another window or device has removed meanwhile is neither lost again nor said to be.
        standing = [(one.contract, one.slot) for one in segments_at(diary, selected.places)]
        if not standing:
            return None
        reading = reading_of(diary)
        loss = loss_shown(diary, standing, back, reading)
        return Removal(reading, loss, tried(lambda: diary.remove(standing), reading) if sure else Outcome())

    removal = await viewer_here(datasette).room.ask(write)
    if removal is None:
        return led_on(datasette, request, back, "Nothing of that stands there any more.", problem=True)
    refusals = removal.outcome.refusals
    if sure and not refusals:
        return led_on(datasette, request, back, f"Removed {counted(removal.outcome.done, 'segment')}.")
    context = {
        "loss": removal.loss,
        "refusals_said": refusals,
        "crumbs_here": crumbs((back, place_to_go(back))),
        **({"here": back} if refusals else {}),
    }
    return await show(datasette, request, "remove", removal.reading, context, 409 if refusals else 200)


async def undo(datasette: Any, request: Any) -> Any:
    """Undo the last edit or addition (R26); a removal never."""
    form = await form_of(request)
    back = form.back()

    outcome = await viewer_here(datasette).room.ask(lambda diary: tried(diary.undo, reading_of(diary)))
    if outcome.refusals:
        return led_on(datasette, request, back, outcome.refusals[0].because, problem=True)
    says = f"Undone for {counted(outcome.done, 'segment')}." if outcome.done else "There is nothing to undo."
    return led_on(datasette, request, back, says)


async def face(datasette: Any, request: Any) -> Any:
    """Keep how times are shown: by the machine's zone, UTC or the freelancer's, in 12 or 24 hours (R5)."""
    form = await form_of(request)
    back, zone, clock = form.back(), form.text("zone"), form.text("clock")

    def write(diary: Diary) -> None:
        if zone in {"UTC", machine_zone().key}:
            diary.set_setting("zone", "UTC" if zone == "UTC" else "")
        elif zone and zone == reading_of(diary).theirs:
            diary.set_setting("zone", zone)
        if clock in {"12", "24"}:
            diary.set_setting("clock_24h", clock == "24")

    await viewer_here(datasette).room.ask(write)
    return Response.redirect(back, status=303)


ROUTES: list[tuple[str, Handler]] = [
    (r"^/-/diary/edit$", edit),
    (r"^/-/diary/add$", add),
    (r"^/-/diary/remove$", remove),
    (r"^/-/diary/undo$", undo),
    (r"^/-/diary/face$", face),
]
