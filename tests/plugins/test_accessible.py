"""Everybody can use the pages: axe finds nothing, light and dark, narrow and wide (R24)."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from diary.rules.ids import ContractId
from tests.plugins.conftest import MORNING, Served
from tests.practice import instant, refuse, slot
from tests.rule import rule

pytestmark = pytest.mark.browser
WIDTHS = (360, 1280, 2560)
SCHEMES = ("light", "dark")


def paths_of(served: Served) -> dict[str, str]:
    place = (served.contract.id, MORNING[0])
    return {
        "week": "/-/diary/week/2026-W47",
        "empty week": "/-/diary/week/2026-W40",
        "day": "/-/diary/day/2026-11-18",
        "empty day": "/-/diary/day/2026-11-21",
        "segment": served.segment_path(place),
        "manual": served.segment_path((served.contract.id, MORNING[-1])),
        "check": "/-/diary/check/2026-W47",
        "empty check": "/-/diary/check/2026-W40",
        "nothing refused": "/-/diary/refused",
        "nothing late": "/-/diary/late",
        "search": "/-/diary/search",
        "report": "/-/diary/report?from=2026-11-16&to=2026-11-22&by=contract,label",
        "empty report": "/-/diary/report?from=2025-01-01&to=2025-01-31",
        "contracts": "/-/diary/contracts",
        "no invoices": "/-/diary/invoices",
        "no statement": "/-/diary/statement",
        "no agency": "/-/diary/agency",
        "conversations": "/-/diary/messages",
        "no messages": f"/-/diary/messages/{served.contract.id}",
        "sync": "/-/diary/sync",
        "settings": "/-/diary/settings",
        "opened view": "/diary/segment?_facet=label",
        "own query": "/diary?sql=select+memo+from+segment+limit+3",
        "sealed tables": "/diary",
        "not found": served.segment_path((ContractId("0" * 32), MORNING[0])),
    }


def faults(page: Page) -> list[str]:
    """Return what axe finds, as rule and place, once the page has its style sheets."""
    page.wait_for_load_state("load")
    found = Axe().run(page)
    return [
        f"{violation['id']}: {node['target']}: {node['failureSummary']}"
        for violation in found.response["violations"]
        for node in violation["nodes"]
    ]


def arrived(page: Page, heading: str) -> None:
    """Wait until a click has led to the page with this heading: it does not wait by itself."""
    expect(page.get_by_role("heading", level=1)).to_contain_text(heading)


def overflow(page: Page) -> int:
    """Return by how many pixels the page is wider than its window."""
    wide: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return wide


def faults_everywhere(page: Page) -> list[str]:
    """Return what axe finds on the page, and where it is too wide: light and dark, at each width."""
    found: list[str] = []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            found += [f"{scheme}, {width}: {fault}" for fault in faults(page)]
            found += [f"{scheme}, {width}: {wide} too wide"] if (wide := overflow(page)) > 0 else []
    return found


@rule("R24")
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_on_any_page_and_none_is_wider_than_its_window(
    served: Served, chromium: Browser, scheme: str, width: int
) -> None:
    context = chromium.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(served.door.url)
    found: dict[str, list[str]] = {}
    too_wide: dict[str, int] = {}
    for name, path in paths_of(served).items():
        page.goto(served.address(path))
        found[name], too_wide[name] = faults(page), overflow(page)

    # Pages that a form leads to: the selection's, what is lost, and a refusal.
    page.goto(served.address("/-/diary/day/2026-11-18"))
    page.locator("input[name=place]").first.check()
    found["selected"] = faults(page)
    page.locator("button.grave").first.click()
    arrived(page, "Remove the snapshot")
    found["remove"], too_wide["remove"] = faults(page), overflow(page)
    page.goto(served.address("/-/diary/day/2026-11-18"))
    page.locator(f'input[value$="/{slot("2026-11-18T11:00Z")}"]').check()
    page.get_by_role("button", name="Edit memo or label").click()
    arrived(page, "Edit the segment")
    found["edit"] = faults(page)
    page.get_by_role("textbox", name="Memo").fill("Too late")
    served.clock.put(instant("2026-11-23T12:30Z"))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("week_locked")
    found["edit refused"], too_wide["edit refused"] = faults(page), overflow(page)
    page.goto(served.address("/-/diary/week/2026-W47"))
    found["frozen week"] = faults(page)

    # What waits for an answer, what was refused, and what every page says of both.
    served.late_time("2026-11-18T12:10Z", "2026-11-18T12:20Z")
    refuse(served.diary, (served.contract.id, MORNING[0]), "deletion")
    refuse(served.diary, (served.contract.id, MORNING[1]), "entry")
    for name, path in {"late": "/-/diary/late", "refused": "/-/diary/refused", "loud": "/-/diary"}.items():
        page.goto(served.address(path))
        found[name], too_wide[name] = faults(page), overflow(page)
    page.goto(served.address("/-/diary/late"))
    page.get_by_role("button", name="Destroy all").click()
    arrived(page, "of recorded time?")
    found["destroy late time"] = faults(page)
    page.goto(served.address("/-/diary/search"))
    page.get_by_role("searchbox").fill("refunds")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search/*")
    found["search results"], too_wide["search results"] = faults(page), overflow(page)
    context.clear_cookies()
    page.goto(served.address("/-/diary"))
    found["turned away"] = faults(page)
    context.close()
    assert "\n".join(f"{name}: {fault}" for name, faults in found.items() for fault in faults) == ""
    assert {name: wide for name, wide in too_wide.items() if wide > 0} == {}


@rule("R24")
def test_on_a_phone_every_figure_is_seen_and_forced_colours_leave_bars_and_the_room_one_is_in(
    served: Served, chromium: Browser
) -> None:
    context = chromium.new_context(viewport={"width": 360, "height": 740}, forced_colors="active")
    page = context.new_page()
    page.goto(served.door.url)
    expect(page.get_by_role("row", name="Orchard booking site")).to_be_visible()
    expect(page.get_by_role("cell", name="100.00 USD")).to_be_visible()
    hidden = page.locator(".scrolls").evaluate("box => box.scrollWidth - box.clientWidth")
    assert hidden == 0
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(served.address("/-/diary/day/2026-11-18"))
    edge = page.locator("div.memo-bar").first.evaluate("bar => getComputedStyle(bar).borderTopWidth")
    assert edge == "1px"
    underline = "room => getComputedStyle(room).borderBottomColor"
    rooms = page.get_by_role("navigation", name="Diary")
    here = rooms.get_by_role("link", name="Today").evaluate(underline)
    assert rooms.get_by_role("link", name="Check").evaluate(underline) != here
    context.close()
