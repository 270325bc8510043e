"""What a client waits for in a year of one contract: their page in a real Chromium.

    python -m bench client_page

12,000 segments, rows without pictures, from a real server. `client_page_first_visit` is from the press on
"Join", with nothing of the contract in the browser, to the newest week with its sums, and `..._whole` to the
end of reading and checking the whole log behind it. `client_page_first_week` is from the start of a
navigation in a browser that was started anew, its memory cold and the rows in its database, to the same week;
`client_page_shell` is that of a page that shows no contract. `..._long_task` are the tasks over 50 ms of the
page's thread while the year is scrolled through, once while its log is being read and once afterwards.
"""

import tempfile
import time
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, Playwright, sync_playwright

from bench.figure import print_figure
from bench.ten_years import make
from diary.clock import GivenClock
from sync.engine import Engine
from sync.enrolment import register
from sync.transport import Transport
from tests.sync.stage import serving

SEGMENTS = 12_000  # a year of one contract
RUNS = 5
SCROLL_STEPS = 60
WATCH = """() => {
  window.longTasks = [];
  new PerformanceObserver((list) => window.longTasks.push(...list.getEntries().map((one) => one.duration)))
    .observe({ type: "longtask" });
}"""
SIZE = """async (contract) => {
  const { Asking } = await import("/client/asking.js");
  return (await new Asking(() => undefined).ask("summary", { contract })).size;
}"""
WHOLE = """async (contract) => {
  const { Asking } = await import("/client/asking.js");
  const asking = new Asking(() => undefined);
  const whole = async () => (await asking.ask("summary", { contract })).whole;
  while (!(await whole())) await new Promise((done) => setTimeout(done, 50));
}"""
SHOWN = "section.week[data-shown] .sums"


def measure(segments: int = SEGMENTS) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as playwright,
        make(Path(folder, "diary"), segments, ("Orchard website",)) as diary,
        serving(Path(folder, "server"), GivenClock(diary.clock.now_ms())) as url,
    ):
        diary.set_setting("hold_seconds", 0)
        line = Transport(url)
        register(diary, line)
        diary.send_asked()  # a year at once is late time, which is asked about (R38)
        Engine(diary, line).run()
        contract = diary.contracts()[0].id
        link = diary.invite(contract).link.text
        Engine(diary, line).run()
        _visits(playwright, Path(folder, "browser"), link, url, contract)


def _visits(playwright: Playwright, profile: Path, link: str, url: str, contract: str) -> None:
    with browser_at(playwright, profile) as context:
        page = context.new_page()
        page.goto(link)
        page.get_by_role("button", name="Join this contract").wait_for()
        began = time.perf_counter()
        page.get_by_role("button", name="Join this contract").click()
        page.locator(SHOWN).first.wait_for(timeout=120_000)
        took = time.perf_counter() - began
        _scroll(page, "client_page_scroll_while_reading_long_task")
        page.evaluate(WHOLE, contract)
        whole = time.perf_counter() - began
        rows = page.evaluate(SIZE, contract)
        print_figure("client_page_first_visit", [took], "s", rows=rows, at_most=1)
        print_figure("client_page_first_visit_whole", [whole], "s", rows=rows)
    seconds, shells = [], []
    for _ in range(RUNS):
        with browser_at(playwright, profile) as context:
            seconds.append(_opens(context.new_page(), f"{url}/join#/{contract}", SHOWN))
        with browser_at(playwright, profile) as context:
            shells.append(_opens(context.new_page(), f"{url}/join#/trust", "h1"))
    print_figure("client_page_first_week", seconds, "s", at_most=1)
    print_figure("client_page_shell", shells, "s")
    with browser_at(playwright, profile) as context:
        page = context.new_page()
        _opens(page, f"{url}/join#/{contract}", SHOWN)
        page.wait_for_timeout(3000)  # the sync that follows the opening is not the scrolling
        _scroll(page, "client_page_scroll_long_task")


def browser_at(playwright: Playwright, profile: Path) -> BrowserContext:
    """Return a browser with a profile of its own that outlives it: memory cold, database kept."""
    return playwright.chromium.launch_persistent_context(
        profile, executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"],
        viewport={"width": 1280, "height": 900},
    )  # fmt: skip


def _opens(page: Page, address: str, shown: str) -> float:
    """Return the seconds from the start of the navigation to what is to be shown, by the page's clock."""
    page.goto(address, wait_until="commit")
    page.locator(shown).first.wait_for(timeout=60_000)
    at_ms: float = page.evaluate("performance.now()")
    return at_ms / 1000


def _scroll(page: Page, name: str) -> None:
    """Scroll through the year as a hand does, and print the longest tasks."""
    page.evaluate(WATCH)
    for _ in range(SCROLL_STEPS):
        page.mouse.wheel(0, 400)
        page.wait_for_timeout(50)
    page.wait_for_timeout(500)
    shown = page.locator(SHOWN).count()
    tasks = page.evaluate("window.longTasks")
    print_figure(name, tasks or [0], "ms", weeks_shown=shown, over_50_ms=len(tasks))
