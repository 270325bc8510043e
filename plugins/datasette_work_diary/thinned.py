"""Pictures that gave way on this device, asked for again (R31)."""

from typing import Any

from datasette_work_diary.edit_form import form_of, led_on
from datasette_work_diary.frame import Handler, viewer_here
from diary.diary import Diary
from diary.fetching import thinned_names


async def fetch(datasette: Any, request: Any) -> Any:
    """Ask for a segment's thinned pictures: the next sync brings them; none runs within a page."""
    form = await form_of(request)
    places, back = form.places(), form.back()

    def want(diary: Diary) -> int:
        found = [segment for place in places if (segment := diary.segment(place)) is not None]
        return diary.want_pictures(thinned_names(found))

    if await viewer_here(datasette).room.ask(want):
        said = "Asked for: it comes with the next sync, within about a minute while diary up runs."
        return led_on(datasette, request, back, said)
    return led_on(datasette, request, back, "It was asked for already: it comes with the next sync.")


ROUTES: list[tuple[str, Handler]] = [(r"^/-/diary/fetch$", fetch)]
