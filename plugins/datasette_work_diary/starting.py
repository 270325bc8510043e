"""Datasette as the viewer starts it: the diary is its only database, and nothing opened lies on disk (R52).

Its internal database is in memory, temporary tables too, and its log of requests is off, as addresses may
hold what somebody searched for.
"""

from pathlib import Path
from typing import Any

from datasette.app import Datasette
from datasette.plugins import pm

from datasette_work_diary.viewer import Viewer
from diary.store.connection import FILE_NAME

ROOM = Path(__file__).parent
PAGE = ROOM.parent.parent / "diary" / "page"
QUERY_MILLIS_MAX = (
    60_000  # a facet over ten years opens every row of them once; one person waits, and can leave
)
SETTINGS = {
    "suggest_facets": False,  # a suggestion would open every row of every column (R46)
    "allow_download": False,
    "sql_time_limit_ms": QUERY_MILLIS_MAX,
    "facet_time_limit_ms": QUERY_MILLIS_MAX,
    "default_cache_ttl": 0,
}
# What each column of the opened view says: Datasette shows it above the table and in a column's menu.
COLUMNS = {
    "contract": "The contract's id; contract_title reads better",
    "slot": "Ten minutes: POSIX seconds divided by 600, rounded down",
    "week": "The billing week, Monday to Monday in UTC, by its ISO name",
    "start_utc": "When the ten minutes begin, in UTC",
    "contract_title": "The contract",
    "kind": "automatic or manual",
    "state": "draft, held, unsynced, synced, late, refused or deleted",
    "memo": "What was worked on, as you wrote it",
    "label": "The activity label",
    "activity": "Active minutes, 0 to 10",
    "application": "The application in front at the snapshot",
    "title": "The active window's title at the snapshot",
    "bills": "1 where it bills, else 0",
    "why_not": "Why it does not bill: late, overlapping, over_limit, manual_not_allowed, …",
    "received_at_utc": "When the server received it, in UTC; empty until then",
}
METADATA = {
    "title": "Work diary",
    "databases": {
        FILE_NAME.removesuffix(".db"): {
            "description": "Everything here is sealed; the view “segment” opens it while you look.",
            "tables": {
                "segment": {
                    "title": "Segments",
                    "description": "Ten minutes each, opened while you look; change them in the diary.",
                    "columns": COLUMNS,
                    "sort_desc": "slot",
                }
            },
        }
    },
}
# Its handler prints every local variable of a failing request, opened rows among them.
TELLTALE_PLUGIN = "datasette.handle_exception"


def datasette_for(viewer: Viewer) -> Any:
    """Return a Datasette whose only database is the viewer's diary."""
    if pm.has_plugin(TELLTALE_PLUGIN):
        pm.unregister(name=TELLTALE_PLUGIN)
    datasette = Datasette(
        [str(viewer.home / FILE_NAME)],
        settings=SETTINGS,
        metadata=METADATA,
        template_dir=str(ROOM / "templates"),
        static_mounts=[("-/diary-static", str(ROOM / "static")), ("-/diary-page", str(PAGE))],
    )
    datasette.work_diary = viewer
    return datasette
