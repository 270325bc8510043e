"""Whatever a text holds, every page shows it as text: nothing runs, turns or breaks out (R24, R46, R52)."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, expect

from diary.rules.ids import Slot
from tests.hostile_texts import CONTROL, FORMULAS, LONG, MARKUP, TEXTS, TURNING
from tests.plugins.conftest import Served, record, serve
from tests.practice import draft_of, practice_diary, refuse, slot
from tests.rule import rule

pytestmark = pytest.mark.browser
FIRST = slot("2026-11-16T09:00Z")
TITLE = TURNING[1] + MARKUP[0]
LABELS = (TURNING[0], MARKUP[1][:80], FORMULAS[0], "x" * 300)
# Signs that turn what stands beside their text: in the same piece of text, or behind it in the same block.
TURNED = """unclosed => {
  const found = [], turns = /[\u202a-\u202e\u2066-\u2069]/;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, parent = node.parentElement;
    const style = getComputedStyle(parent);
    if (!turns.test(node.data) || style.display === 'none') continue;
    if (['SCRIPT', 'STYLE', 'TEXTAREA', 'OPTION'].includes(parent.tagName)) continue;
    const text = unclosed.find(each => node.data.includes(each));
    const behind = text ? node.data.slice(node.data.indexOf(text) + text.length) : '';
    let block = parent;
    while (getComputedStyle(block).display === 'inline') block = block.parentElement;
    const rest = document.createRange();
    rest.setStartAfter(node);
    rest.setEndAfter(block.lastChild);
    const isolated = /isolate|plaintext/.test(style.unicodeBidi);
    const beside = behind + (isolated ? '' : rest.toString());
    if (/[\\p{L}\\p{N}]/u.test(beside)) found.push(parent.outerHTML.slice(0, 200));
  }
  return found;
}"""
UNCLOSED = [TITLE, *TURNING[1:3]]
BROKEN_OUT = "main script, main style, main b, main svg[onload], img[src=x], main [onerror], main h1 ~ h1"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve a diary whose every text is hostile, with something refused and something late in it."""
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("hostile")
        diary, clock, contract = practice_diary(
            folder, "2026-11-16T08:50Z", title=TITLE, client=CONTROL[4], labels=LABELS, manual_allowed=True
        )
        stack.enter_context(diary)
        diary.set_setting("zone", "UTC")
        for number, text in enumerate(TEXTS):
            place = record(diary, contract, Slot(FIRST + number), None, title=text[:200])
            diary.edit([place], memo=text, label=LABELS[number % len(LABELS)])
        refuse(diary, (contract.id, Slot(FIRST + 1)), "capture")
        under_way = draft_of(contract, Slot(FIRST + len(TEXTS)), memo=MARKUP[0], replica=diary.replica)
        diary.keep_draft(under_way)
        diary.link_server("https://diary.example", "00" * 32)
        served = serve(folder / "diary", diary, clock, contract, stack)
        served.places = {"first": (contract.id, FIRST), "long": (contract.id, Slot(FIRST + len(TEXTS) - 2))}
        yield served


@pytest.fixture
def page(hostile: Served, chromium: Browser) -> Iterator[Page]:
    heard: list[str] = []
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.on("weberror", lambda error: heard.append(str(error.error)))
    context.on("dialog", lambda dialog: heard.append(dialog.message))
    page = context.new_page()
    page.goto(hostile.door.url)
    yield page
    context.close()
    assert heard == []


def searched(page: Page, hostile: Served, words: str) -> str:
    page.goto(hostile.address("/-/diary/search"))
    page.get_by_role("searchbox").fill(words)
    page.keyboard.press("Enter")
    page.wait_for_url("**/search/*")
    return page.url.removeprefix(hostile.address(""))


def paths(hostile: Served) -> tuple[str, ...]:
    segments = [
        f"/-/diary/segment/{hostile.contract.id}/{FIRST + number}" for number in range(len(TEXTS) + 1)
    ]
    return (
        "/-/diary/week/2026-W47",
        "/-/diary/day/2026-11-16",
        *segments,
        "/-/diary/check/2026-W47",
        "/-/diary/report?from=2026-11-16&to=2026-11-17&by=contract,label",
        "/-/diary/report?from=2026-11-16&to=2026-11-17&by=app",
        "/-/diary/refused",
        "/-/diary/late",
        "/-/diary/contracts",
        "/-/diary/messages",
        f"/-/diary/messages/{hostile.contract.id}",
        "/-/diary/sync",
        "/-/diary/settings",
        "/diary/segment",
        "/diary/segment?_facet=memo&_facet=label",
    )


def check_shown_as_text(page: Page) -> None:
    """Hold that nothing of what was written became part of the page."""
    page.wait_for_load_state("networkidle")
    assert "owned" not in page.title().replace(MARKUP[1], "")
    assert page.locator(BROKEN_OUT).count() == 0
    assert page.evaluate(TURNED, UNCLOSED) == [], page.url


@pytest.mark.timeout(600)
@rule("R24")
@rule("R52")
def test_every_page_shows_every_text_as_text_and_nothing_turns_what_stands_beside_it(
    hostile: Served, page: Page
) -> None:
    for path in (*paths(hostile), *(searched(page, hostile, text[:200]) for text in (*TURNING, *MARKUP))):
        page.goto(hostile.address(path))
        check_shown_as_text(page)


@rule("R24")
def test_long_and_hostile_texts_fit_a_telephone_and_paper(hostile: Served, page: Page) -> None:
    searches = [searched(page, hostile, text[:200]) for text in (LONG[0], MARKUP[0])]
    for width, media in ((360, "screen"), (794, "print")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(media=media)  # type: ignore[arg-type]  # one of its two words
        for path in (*paths(hostile)[:3], *paths(hostile)[len(TEXTS) : -2], *searches):
            page.goto(hostile.address(path))
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, (path, media)


@rule("R4")
@rule("R26")
def test_the_pages_that_ask_before_a_change_show_texts_as_text(hostile: Served, page: Page) -> None:
    for button in ("Edit memo or label", "Remove the snapshot"):
        page.goto(hostile.address("/-/diary/day/2026-11-16"))
        for number in range(2, len(TEXTS)):
            page.locator(f'input[name="place"][value$="/{FIRST + number}"]').check()
        page.get_by_role("button", name=button).click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(button.split()[0])
        check_shown_as_text(page)


@rule("R46")
def test_json_gives_every_text_back_whole(hostile: Served, page: Page) -> None:
    week = page.request.get(hostile.address("/-/diary/week/2026-W47.json")).json()
    memos = {one["slot"]: one["memo"] for one in week["segments"]}
    kept = {number: text.strip() for number, text in enumerate(TEXTS) if number != 1}
    assert {number: memos[FIRST + number] for number in kept} == kept
    day = page.request.get(hostile.address("/-/diary/day/2026-11-16.json")).json()
    assert {one["slot"]: one["memo"] for one in day["segments"]} == memos
    rows = page.request.get(hostile.address("/diary/segment.json?_shape=array&_size=max")).json()
    assert {row["slot"]: row["memo"] for row in rows}.items() >= {
        FIRST + number: text for number, text in kept.items()
    }.items()
    one = page.request.get(hostile.address(f"/-/diary/segment/{hostile.contract.id}/{FIRST}.json")).json()
    assert one["memo"] == kept[0]
