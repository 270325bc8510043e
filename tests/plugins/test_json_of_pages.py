"""Every page of the diary is there as JSON too, in the form that its command prints (R24, R37d, R68)."""

import importlib
import pkgutil
import re

import pytest
from playwright.sync_api import Page

import datasette_work_diary
from diary.messaging import NewFile
from tests.plugins.conftest import MORNING, Served
from tests.practice import refuse, slot
from tests.rule import rule

pytestmark = pytest.mark.browser


def patterns() -> list[str]:
    """Return the pattern of every address that the plugin answers."""
    modules = (
        importlib.import_module(f"datasette_work_diary.{found.name}")
        for found in pkgutil.iter_modules(datasette_work_diary.__path__)
    )
    return sorted({pattern for module in modules for pattern, _ in getattr(module, "ROUTES", ())})


def address_of(pattern: str, given: dict[str, str]) -> str:
    """Return an address that a pattern takes: each named part as given, its format left out."""
    path = re.sub(r"\(\?P<format>[^)]*\)\??", "", pattern)
    path = re.sub(r"\(\?P<(\w+)>[^)]*\)", lambda part: given[part[1]], path)
    return path.removeprefix("^").removesuffix("$").replace("\\", "")


@rule("R24")
def test_every_address_that_shows_a_page_has_its_json(served: Served, page: Page) -> None:
    words = page.goto(served.address("/-/diary/search"))
    assert words is not None
    page.get_by_role("searchbox").fill("refunds")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search/*")
    given = {
        "week": "2026-W47",
        "day": "2026-11-18",
        "contract": served.contract.id,
        "slot": str(MORNING[0]),
        "number": page.url.rpartition("/")[2],
        "name": "0" * 64,
        "table": "segments",
    }
    shown: set[str] = set()
    without: list[str] = []
    for pattern in patterns():
        path = address_of(pattern, given)
        answer = page.request.get(served.address(path), max_redirects=0)
        if answer.status != 200 or "text/html" not in answer.headers["content-type"]:
            continue
        shown.add(path)
        told = page.request.get(served.address(f"{path}.json"))
        if told.status != 200 or "application/json" not in told.headers["content-type"]:
            without.append(path)
    rooms = {"contracts", "invoices", "messages", "refused", "late", "sync", "settings", "agency", "report"}
    assert {f"/-/diary/{room}" for room in rooms} < shown
    # Searching begins with an empty field, and has nothing to say as JSON.
    assert without == ["/-/diary/search"]


@rule("R37d")
@rule("R38")
@rule("R68")
def test_lists_are_given_whole_and_by_the_words_of_the_command_line(served: Served, page: Page) -> None:
    refuse(served.diary, (served.contract.id, MORNING[0]), "deletion")
    served.diary.send_message(served.contract.id, "Here it is", (NewFile("a.txt", "text/plain", b"abc"),))
    served.late_time("2026-11-18T12:10Z")

    def told(path: str) -> object:
        return page.request.get(served.address(f"/-/diary/{path}.json")).json()

    match told("refused"):
        case [{"slot": at, "reason": "week_locked", "what": "deletion", "dismissed": False}]:
            assert at == MORNING[0]
        case other:
            pytest.fail(f"not the refusal: {other}")
    match told("late"):
        case [*_, {"slot": at, "why": "late", "true_start": None, "memo": "Worked on the train"}]:
            assert at == slot("2026-11-18T12:10Z")
        case other:
            pytest.fail(f"not the late time: {other}")
    match told("contracts"):
        case [{"title": "Orchard booking site", "limit_minutes": 1200, "requests": [], "terms": [terms]}]:
            assert terms["by"] == "freelancer"
        case other:
            pytest.fail(f"not the contract: {other}")
    assert told("messages") == [
        {"contract": "Orchard booking site", "id": served.contract.id, "messages": 1, "unread": 0}
    ]
    match told(f"messages/{served.contract.id}"):
        case {"messages": [{"text": "Here it is", "ours": True, "files": [{"name": "a.txt", "size": 3}]}]}:
            pass
        case other:
            pytest.fail(f"not the message: {other}")
    match told("agency"):
        case [{"week": "2026-W48", "members": []}, {"week": "2026-W47", "members": []}]:
            pass
        case other:
            pytest.fail(f"not the agency's weeks: {other}")
