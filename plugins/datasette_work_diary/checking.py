"""The handler of the check's page (R30)."""

from typing import Any

from datasette.utils.asgi import Response

from datasette_work_diary.check_page import CheckPage, check_page
from datasette_work_diary.frame import Handler, crumbs, reading_of, show, viewer_here
from datasette_work_diary.pages import week_named
from datasette_work_diary.reading import Reading
from diary.checking import WeekCheck, check_json
from diary.diary import Diary
from diary.rules.week import Week


async def this_week(datasette: Any) -> Any:
    """Lead to the check of the week of now; on Monday before the lock, to the one that is about to freeze."""

    def week_to_check(diary: Diary) -> str:
        now_ms = diary.now_ms()
        last = Week.at(now_ms).previous()
        return (Week.at(now_ms) if last.is_frozen(now_ms) else last).name

    name = await viewer_here(datasette).room.ask(week_to_check)
    return Response.redirect(f"/-/diary/check/{name}")


async def check(datasette: Any, request: Any) -> Any:
    """Show what of a week qualifies, and mend it from there (R30); as JSON like `diary check --json`."""
    asked = week_named(request.url_vars["week"])

    def look(diary: Diary) -> tuple[Reading, WeekCheck, CheckPage]:
        reading, found = reading_of(diary), diary.check(asked)
        return reading, found, check_page(found, reading)

    reading, found, page = await viewer_here(datasette).room.ask(look)
    if request.url_vars["format"]:
        return Response.json(check_json(found))
    way = crumbs((f"/-/diary/week/{page.name}", page.name), (page.back, "check"))
    context = {"check": page, "room": "check", "crumbs_here": way}
    return await show(datasette, request, "check", reading, context)


ROUTES: list[tuple[str, Handler]] = [
    (r"^/-/diary/check$", this_week),
    (r"^/-/diary/check/(?P<week>[0-9]{4}-W[0-9]{2})(?P<format>\.json)?$", check),
]
