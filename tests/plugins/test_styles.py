"""The pages' style sheets: each is linked, and in one order everywhere, since later rules win."""

import re
from pathlib import Path

from datasette_work_diary import access

ROOM = Path(access.__file__).parent
LINKED = re.compile(r'<link rel="stylesheet" href="/-/diary-static/([a-z]+\.css)">')
LINES_MAX = 400
OF_ONE_PAGE = {"report.css", "invoice.css", "messages.css"}
OF_TABLES = {"table.css"}  # Datasette's own pages, by a hook


def sheets_of_every_page() -> list[str]:
    return LINKED.findall((ROOM / "templates" / "diary" / "page.html").read_text(encoding="utf-8"))


def test_every_sheet_is_linked_by_every_page_and_the_closed_ones_in_one_order() -> None:
    sheets = sheets_of_every_page()
    assert {path.name for path in (ROOM / "static").glob("*.css")} == {*sheets} | OF_ONE_PAGE | OF_TABLES
    for page in (access.TURNED_PAGE, access.LOCKED_PAGE):
        assert LINKED.findall(page) == sheets


def test_a_sheet_holds_one_part_of_the_pages() -> None:
    sizes = {path.name: path.read_bytes().count(b"\n") for path in (ROOM / "static").glob("*.css")}
    assert max(sizes.values()) <= LINES_MAX, sizes
