"""What is asked of a selection, at an address of its own: its form, what a removal would lose (R4, R26).

A page that answers a form cannot be gone back to, nor loaded again, without the form being sent once more.
"""

from typing import Any

from datasette.utils.asgi import NotFound

from datasette_work_diary.edit_fields import EditFields, edit_fields
from datasette_work_diary.edit_form import NOTHING_TO_EDIT, led_on, removal_of, segments_at, show_edit
from datasette_work_diary.frame import Handler, reading_of, viewer_here
from datasette_work_diary.kept import Selection
from datasette_work_diary.reading import Reading
from diary.diary import Diary

_NUMBER = r"(?P<number>[0-9a-f]{16})"


def _selected(datasette: Any, request: Any) -> Selection:
    found = viewer_here(datasette).selections.found(request.url_vars["number"])
    if found is None:
        raise NotFound("This selection was forgotten: the viewer keeps them in memory only. Select again.")
    return found


async def edit_selected(datasette: Any, request: Any) -> Any:
    """Show the form for a selection (R26)."""
    selected = _selected(datasette, request)

    def look(diary: Diary) -> tuple[Reading, EditFields | None]:
        reading, segments = reading_of(diary), segments_at(diary, selected.places)
        return (
            reading,
            edit_fields(segments, diary.contracts(), selected.back, reading) if segments else None,
        )

    reading, fields = await viewer_here(datasette).room.ask(look)
    if fields is None:
        return led_on(datasette, request, selected.back, NOTHING_TO_EDIT, problem=True)
    return await show_edit(datasette, request, reading, fields)


async def remove_selected(datasette: Any, request: Any) -> Any:
    """Show what the removal of a selection would lose (R4, R25)."""
    return await removal_of(datasette, request, _selected(datasette, request), sure=False)


ROUTES: list[tuple[str, Handler]] = [
    (rf"^/-/diary/edit/{_NUMBER}$", edit_selected),
    (rf"^/-/diary/remove/{_NUMBER}$", remove_selected),
]
