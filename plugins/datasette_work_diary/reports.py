"""The handler of the report: a page, the same as CSV and as JSON (R31)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from datasette.utils.asgi import Response

from datasette_work_diary.frame import Handler, crumbs, reading_of, show, viewer_here
from datasette_work_diary.reading import Reading
from datasette_work_diary.report_page import PATH, ReportPage, report_page, stretches
from diary.diary import Diary
from diary.evidence.table_text import table
from diary.reporting import Days, days_of, keys_of, segments_of_days
from diary.rules.report import Key, Sum, columns, row, rows_json, sums_by

if TYPE_CHECKING:
    from diary.rules.ids import ContractId


@dataclass(frozen=True, slots=True)
class ReportSeen:
    """What a look at some days found."""

    reading: Reading
    days: Days
    keys: tuple[Key, ...]
    sums: list[Sum]
    page: ReportPage


def look_at_report(diary: Diary, asked: dict[str, str]) -> ReportSeen:
    """Return the report that an address asks for: this week by day where it says no more.

    Raises:
        BadKeyError: It asks for sums by what no segment has.
        BadDaysError: It names no stretch of days.
        UnknownContractError: There is no such contract.
    """
    reading = reading_of(diary)
    this_week = stretches(reading.local(reading.now_ms).date())[0][1]
    first, last = asked.get("from") or "", asked.get("to") or ""
    days = days_of(first or last, last or first) if first or last else this_week
    keys = keys_of(asked.get("by") or "day")
    only: ContractId | None = diary.contract(asked["contract"]).id if asked.get("contract") else None
    sums = sums_by(keys, segments_of_days(diary, days, reading.zone, contract=only), reading.zone)
    page = report_page(days, keys, sums, diary.contracts(), only, reading)
    return ReportSeen(reading, days, keys, sums, page)


async def report(datasette: Any, request: Any) -> Any:
    """Show sums by label, day, application or contract, what does not bill on a line of its own (R31)."""
    asked = {name: request.args.get(name) or "" for name in ("from", "to", "by", "contract")}
    seen = await viewer_here(datasette).room.ask(lambda diary: look_at_report(diary, asked))
    match request.url_vars["format"]:
        case ".json":
            return Response.json(rows_json(seen.keys, seen.sums))
        case ".csv":
            name = f"report-{seen.page.first}-to-{seen.page.last}.csv"
            return Response(
                table(columns(seen.keys), map(row, seen.sums)),
                content_type="text/csv; charset=utf-8",
                headers={"content-disposition": f'attachment; filename="{name}"'},
            )
        case _:
            context = {"report": seen.page, "room": "report", "crumbs_here": crumbs((PATH, "report"))}
            return await show(datasette, request, "report", seen.reading, context)


ROUTES: list[tuple[str, Handler]] = [(r"^/-/diary/report(?P<format>\.json|\.csv)?$", report)]
