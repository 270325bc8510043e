"""The diary's hooks into Datasette; they do nothing in a Datasette that `diary open` did not start (R52).

The pages are imported where they are used: Datasette loads this module while it is itself being loaded.
"""

import re
import sqlite3
import sys
import traceback
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

from datasette import hookimpl
from jinja2 import Environment

from datasette_work_diary.access import App, Gate
from datasette_work_diary.amended import AmendedTemplates
from datasette_work_diary.viewer import viewer_of
from diary.store.connection import FILE_NAME

F = TypeVar("F", bound=Callable[..., object])
# Datasette publishes no types; its mark hands the function back as it was.
hook = cast("Callable[[F], F]", hookimpl)

DATABASE = FILE_NAME.removesuffix(".db")
FILES_PATH = re.compile(r"/-/diary/messages/[0-9a-f]{32}/send")
Link = dict[str, str]


@hook
def prepare_jinja2_environment(env: Environment, datasette: Any) -> None:
    """Amend Datasette's templates (R52)."""
    if viewer_of(datasette) and env.loader and not isinstance(env.loader, AmendedTemplates):
        env.loader = AmendedTemplates(env.loader)
        env.auto_reload = False  # they do not change: each page looked eighty times whether they had


@hook
def extra_template_vars(request: Any, datasette: Any) -> dict[str, str]:
    """Give every template the request's nonce."""
    if not viewer_of(datasette) or not request:
        return {}
    return {"csp_nonce": request.scope.get("csp_nonce", "")}


@hook
def prepare_connection(conn: sqlite3.Connection, database: str, datasette: Any) -> None:
    """Let Datasette's connections to the diary open rows and keep our promises (R25, R52)."""
    viewer = viewer_of(datasette)
    if viewer and database == DATABASE:
        viewer.prepare(conn)


@hook
def asgi_wrapper(datasette: Any) -> Callable[[App], App]:
    """Put the gate around everything (R52)."""
    viewer = viewer_of(datasette)
    if viewer is None:
        return lambda app: app
    door, lock = viewer.door, viewer.lock
    return lambda app: Gate(app, door, lock)


@hook
def register_routes(datasette: Any) -> list[tuple[str, Callable[..., Awaitable[Any]]]]:
    """Add the diary's pages."""
    if not viewer_of(datasette):
        return []
    from datasette_work_diary import (
        agency_page,
        checking,
        contracts_page,
        downloads,
        edit_form,
        idle_form,
        inviting_page,
        invoices,
        late_page,
        messages_page,
        pages,
        private_form,
        refused_page,
        reports,
        searching,
        selections,
        setting_up,
        syncing,
        thinned,
    )

    return [
        *pages.ROUTES,
        *checking.ROUTES,
        *downloads.ROUTES,
        *searching.ROUTES,
        *reports.ROUTES,
        *edit_form.ROUTES,
        *selections.ROUTES,
        *refused_page.ROUTES,
        *late_page.ROUTES,
        *contracts_page.ROUTES,
        *inviting_page.ROUTES,
        *invoices.ROUTES,
        *agency_page.ROUTES,
        *messages_page.ROUTES,
        *thinned.ROUTES,
        *idle_form.ROUTES,
        *syncing.ROUTES,
        *setting_up.ROUTES,
        *private_form.ROUTES,
    ]


@hook
def skip_csrf(datasette: Any, scope: Any) -> bool:
    """Let forms with files check their token themselves: Datasette's check keeps files on the disk (R52)."""
    return bool(viewer_of(datasette)) and FILES_PATH.fullmatch(scope["path"]) is not None


@hook
def menu_links(datasette: Any) -> list[Link]:
    """Add the diary to Datasette's menu."""
    if not viewer_of(datasette):
        return []
    return [
        {"href": "/-/diary", "label": "Work diary"},
        {"href": "/-/diary/check", "label": "Will it count?"},
        {"href": "/-/diary/search", "label": "Search the diary"},
        {"href": "/-/diary/report", "label": "Sums of any days"},
        {"href": "/-/diary/refused", "label": "Refused changes"},
        {"href": "/-/diary/late", "label": "Late time that waits"},
        {"href": "/-/diary/contracts", "label": "Contracts, requests, disputes"},
        {"href": "/-/diary/invoices", "label": "Invoices and statement"},
        {"href": "/-/diary/agency", "label": "Agency and its members"},
        {"href": "/-/diary/messages", "label": "Messages"},
        {"href": "/-/diary/sync", "label": "Devices and sync"},
        {"href": "/-/diary/settings", "label": "Settings"},
        {"href": f"/{DATABASE}/segment", "label": "Segments as a table"},
        {"href": f"/{DATABASE}", "label": "The sealed tables"},
    ]


@hook
def table_actions(datasette: Any, database: str, table: str) -> list[Link]:
    """Lead from the plain table to the diary's pages."""
    if not viewer_of(datasette) or (database, table) != (DATABASE, "segment"):
        return []
    return [{"href": "/-/diary", "label": "Work diary"}]


@hook
def extra_css_urls(database: str, datasette: Any) -> list[str]:
    """Give Datasette's own pages of the diary room for what people wrote, and contrast."""
    if not viewer_of(datasette) or database != DATABASE:
        return []
    return ["/-/diary-static/table.css"]


@hook
def render_cell(row: Any, value: object, column: str, table: str, database: str, datasette: Any) -> Any:
    """Link a row of the plain table to its week and its segment."""
    from markupsafe import Markup

    if not viewer_of(datasette) or (database, table) != (DATABASE, "segment"):
        return None
    if column == "week":
        return Markup('<a href="/-/diary/week/{0}">{0}</a>').format(value)
    if column == "slot" and "contract" in row.keys():  # noqa: SIM118  # a row iterates over its values
        return Markup('<a href="/-/diary/segment/{0}/{1}">{1}</a>').format(row["contract"], value)
    return None


@hook
def handle_exception(
    datasette: Any, request: Any, exception: Exception
) -> Callable[[], Awaitable[Any]] | None:
    """Say what happened on a page, and put no opened text into any log (R52)."""
    if not viewer_of(datasette):
        return None

    async def answer() -> Any:
        from datasette_work_diary import frame

        if frame.status_of(exception) == 500:
            # Where, never what: a value in a message or a local may be an opened row.
            where = "".join(traceback.format_tb(exception.__traceback__))
            sys.stderr.write(f"{type(exception).__name__}\n{where}")
        return await frame.fault_page(datasette, request, exception)

    return answer
