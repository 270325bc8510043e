"""A week's tables as files, the same as `diary export` writes, without its pictures (R58)."""

from typing import Any

from datasette.utils.asgi import Response

from datasette_work_diary.frame import Handler, reading_of, viewer_here
from datasette_work_diary.pages import week_named
from diary.diary import Diary
from diary.evidence.week_csv import segments_csv, totals_csv


async def table(datasette: Any, request: Any) -> Any:
    """Send a week's segments or totals as CSV (R58)."""
    week, which = week_named(request.url_vars["week"]), request.url_vars["table"]

    def look(diary: Diary) -> str:
        view = diary.week(week)
        if which == "totals":
            return totals_csv([(week, view.totals)])
        return segments_csv(view.segments, zone=reading_of(diary).zone, picture_files=None)

    text = await viewer_here(datasette).room.ask(look)
    name = f"{week.name}-{which}.csv"
    return Response(
        text,
        content_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


ROUTES: list[tuple[str, Handler]] = [
    (r"^/-/diary/week/(?P<week>[0-9]{4}-W[0-9]{2})/(?P<table>segments|totals)\.csv$", table),
]
