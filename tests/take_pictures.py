"""The pictures in `docs/pictures`: every page of the sample diary, as Chromium shows it.

    python -m tests.take_pictures            makes the sample diary first, which takes a minute
    python -m tests.take_pictures FOLDER     takes one that `diary demo --out FOLDER` made

Those of the client's page are taken by `python -m tests.take_client_pictures`. Look at each before committing
it: a picture is there to be looked at, by whoever changes a page.
"""

import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import date, timedelta
from pathlib import Path

import mss
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from Xlib import display

from diary.agency_copies import folder_of
from diary.clock import SystemClock
from diary.diary import Diary
from diary.messaging import NewFile
from diary.rules.ids import Slot
from diary.sealing.keyring import choose_place
from sync.agency import take_in
from tests.desktop import Desktop
from tests.plugins.conftest import record, screen, serve
from tests.practice import slot
from tests.sync.clients import invited, join_in
from tests.sync.stage import stage_in

PICTURES = Path(__file__).parent.parent / "docs" / "pictures"
DIARY = str(Path(sys.executable).with_name("diary"))
SIZE = {"width": 1280, "height": 960}
NARROW = {"width": 390, "height": 844}
COLOURS = 160  # of a palette: screens of text need no more, and a picture stays under 100 KB
WORD = "invoice"
HOMES = Path("/home")


def keep(page: Page, name: str) -> None:
    """Write what the page shows."""
    page.wait_for_load_state("networkidle")
    write(Image.open(io.BytesIO(page.screenshot())).convert("RGB"), name)


def write(shown: Image.Image, name: str) -> None:
    """Write a picture as a PNG with a palette."""
    file = PICTURES / f"{name}.png"
    shown.quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)
    sys.stderr.write(f"{file.name}: {file.stat().st_size // 1000} KB\n")


@contextmanager
def viewer(home: Path) -> Iterator[str]:
    """Run `diary open`, and yield the address that signs a browser in."""
    words = [DIARY, "--home", str(home), "open", "--no-browser", "--port", "0"]
    server = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert server.stdout is not None
    try:
        yield next(link[0] for line in server.stdout if (link := re.search(r"http://\S+token=\S+", line)))
    finally:
        server.terminate()
        server.wait()


def take_pages(browser: Browser, home: Path) -> None:
    """Take every page of a diary that was synced, in a wide and in a narrow window, light and dark."""
    with viewer(home) as link:
        origin = link.partition("/-/")[0]
        light = browser.new_context(viewport=SIZE, color_scheme="light", reduced_motion="reduce")  # type: ignore[arg-type]  # a dict of its shape
        page = light.new_page()
        page.goto(link)
        week = page.url.rpartition("/")[2]
        keep(page, "week")
        day = page.locator(".days .day:has(.strip) h3 a").first.get_attribute("href")
        page.goto(f"{origin}{day}")
        keep(page, "day")
        segment = page.locator(".segment a").first.get_attribute("href")
        page.goto(f"{origin}{segment}")
        keep(page, "segment")
        for name, path in {
            "check": f"/-/diary/check/{week}",
            "report": f"/-/diary/report?from={fortnight_to(page, origin, week)}&by=contract,label",
            "contracts": "/-/diary/contracts",
            "invoices": "/-/diary/invoices",
            "invoice": "/-/diary/invoices/1",
            "statement": "/-/diary/statement",
            "refused": "/-/diary/refused",
            "late": "/-/diary/late",
            "sync": "/-/diary/sync",
            "settings": "/-/diary/settings",
            "table": "/diary/segment?_facet=label&_facet=kind&_size=10",
        }.items():
            page.goto(f"{origin}{path}")
            keep(page, name)
        for name, button in {"edit": "Edit memo or label", "remove": "Remove the snapshots"}.items():
            page.goto(f"{origin}{day}")
            page.locator("input[name=place]").first.click()
            page.locator("input[name=place]").nth(4).click(modifiers=["Shift"])
            page.get_by_role("button", name=button).click()
            page.wait_for_url(f"**/-/diary/{name}/*")
            keep(page, name)
        page.goto(f"{origin}/-/diary/search")
        page.get_by_role("searchbox").fill(WORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/search/*")
        keep(page, "search")
        light.close()
        dark = browser.new_context(viewport=NARROW, color_scheme="dark", reduced_motion="reduce")  # type: ignore[arg-type]  # as above
        page = dark.new_page()
        page.goto(link)
        page.goto(f"{origin}{day}")
        keep(page, "narrow-and-dark")
        dark.close()


def fortnight_to(page: Page, origin: str, week: str) -> str:
    """Return the days of the week before and of this one as the report's address names them."""
    locked = page.request.get(f"{origin}/-/diary/week/{week}.json").json()["locked_at"]
    after = date.fromisoformat(locked[:10])
    return f"{after - timedelta(days=14)}&to={after - timedelta(days=1)}"


def take_export(browser: Browser, home: Path, folder: Path) -> None:
    """Take the page that `diary export --pictures` writes beside its table."""
    words = [DIARY, "--home", str(home), "export", "last", "--pictures", "--yes", "--out", str(folder)]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    page = browser.new_page(viewport=SIZE)  # type: ignore[arg-type]  # as above
    page.goto(next(folder.rglob("index.html")).as_uri())
    keep(page, "export")
    page.close()


def take_locked(browser: Browser, folder: Path) -> None:
    """Take the page that asks for a passphrase."""
    home = folder / "locked"
    words = [DIARY, "--home", str(home), "init", "--passphrase"]
    subprocess.run(words, check=True, input="a passphrase for a picture\n", text=True, capture_output=True)
    with viewer(home) as link:
        page = browser.new_page(viewport=SIZE)  # type: ignore[arg-type]  # as above
        page.goto(link)
        keep(page, "passphrase")
        page.close()


def take_messages(browser: Browser, folder: Path) -> None:
    """Take the conversation of a contract whose client has joined: the sample diary has none."""
    folder.mkdir()
    with stage_in(folder) as stage, ExitStack() as stack:
        device = stage.first()
        contract = device.diary.new_contract(title="Orchard website", client="Ada Orchard")
        device.diary.set_setting("zone", "UTC")
        stage.put_clocks("2026-11-18T14:04Z")
        client = join_in(stage, invited(device, contract))
        said = (
            (client, "Good morning! Could the harvest calendar start in May?", ()),
            (device, "Yes. It is in the second page now; here is how it looks.", (drawn(),)),
            (client, "Lovely. One more thing: the prices change on Monday.", ()),
        )
        for by, text, files in said:
            for each in (device, client):
                each.clock.put(each.clock.now_ms() + 240_000)
            stage.clock.put(device.clock.now_ms())
            by.diary.mark_read(contract.id)
            by.diary.send_message(contract.id, text, files)
            for each in (by, device, client):
                each.sync()
        device.diary.set_call(contract.id, "https://meet.example/orchard")
        served = serve(device.diary.home, device.diary, device.clock, contract, stack)
        page = browser.new_page(viewport=SIZE)  # type: ignore[arg-type]  # as above
        page.goto(served.door.url)
        page.goto(served.address("/-/diary/messages"))
        keep(page, "conversations")
        page.goto(served.address(f"/-/diary/messages/{contract.id}"))
        keep(page, "messages")
        page.close()


def take_agency(browser: Browser, folder: Path) -> None:
    """Take the page of an agency that reads the contracts of two members."""
    folder.mkdir()
    with stage_in(folder) as stage, ExitStack() as stack:
        agency = stage.first()
        for name, title, hours in (("Ada", "Orchard website", 3), ("Grace", "Orchard photographs", 2)):
            member = stage.first()
            contract = member.diary.new_contract(title=title, rate_minor=6000, currency="EUR")
            first = slot("2026-11-18T08:00Z")
            for at in range(first, first + 6 * hours):
                record(member.diary, contract, Slot(at), "Harvest calendar")
            link = member.diary.invite_manager(contract.id, agency.diary.account).link
            member.sync()
            place = choose_place(folder_of(agency.diary.home, link), "file")
            take_in(agency.diary, link, place, name=name, client="Orchard Ltd")
        agency.clock.put(member.clock.now_ms())
        agency.diary.set_setting("zone", "UTC")
        served = serve(agency.diary.home, agency.diary, agency.clock, contract, stack)
        page = browser.new_page(viewport=SIZE)  # type: ignore[arg-type]  # as above
        page.goto(served.door.url)
        page.goto(served.address("/-/diary/agency"))
        keep(page, "agency")
        page.close()


def take_window(home: Path, folder: Path) -> None:
    """Take the small window over a copy of the sample diary that tracks."""
    shutil.copytree(home, folder)
    tracker = folder / "tracker.pid"
    tracker.unlink(missing_ok=True)
    with Diary.open(folder, clock=SystemClock()) as diary:
        diary.start(
            diary.contract("Orchard website").id, memo="Invoice page: rounding of lines", label="Code"
        )
    with Desktop.start(640, 560) as desktop:
        environment = {**os.environ, **desktop.environment(), "QT_QPA_PLATFORM": "xcb"}
        window = subprocess.Popen([DIARY, "--home", str(folder), "window"], env=environment)
        try:
            while not (desktop.active_title() or "").startswith("Work Diary"):
                time.sleep(0.2)
            desktop.key("alt+n")  # a tracker runs from then on
            while not tracker.exists():
                time.sleep(0.2)
            time.sleep(5)  # the window has learnt of it, and the snapshot is opened
            window_id = subprocess.run(
                ["xdotool", "getactivewindow"], env=environment, check=True, capture_output=True
            ).stdout
            with (
                closing(display.Display(desktop.display)) as connection,
                mss.MSS(display=desktop.display) as camera,
            ):
                shown = connection.create_resource_object("window", int(window_id))
                size, at = shown.get_geometry(), connection.screen().root.translate_coords(shown, 0, 0)
                shot = camera.grab({"left": at.x, "top": at.y, "width": size.width, "height": size.height})
            write(Image.frombytes("RGB", shot.size, shot.rgb), "window")
        finally:
            window.kill()
            window.wait()
            os.kill(int(tracker.read_text(encoding="ascii")), signal.SIGTERM)


def drawn() -> NewFile:
    """Return a picture as the file of a message."""
    return NewFile("calendar.webp", "image/webp", screen(5))


@contextmanager
def home_of(name: str) -> Iterator[Path]:
    """Lend a person's home: pages and windows say where a diary lies, and pictures show it.

    Whoever may not make one there gets a temporary folder, and a picture that is not to be committed.
    """
    home = HOMES / name
    if not os.access(HOMES, os.W_OK) or home.exists():
        sys.stderr.write(f"{home} cannot be made: a picture will show a temporary folder\n")
        with tempfile.TemporaryDirectory() as made:
            yield Path(made)
        return
    home.mkdir()
    try:
        yield home
    finally:
        shutil.rmtree(home)


def main(words: list[str]) -> None:
    """Take all pictures."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as made, sync_playwright() as playwright:
        folder = Path(words[0]) if words else Path(made, "demo")
        if not words:
            subprocess.run([DIARY, "demo", "--out", str(folder)], check=True, stdout=subprocess.DEVNULL)
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        take_pages(browser, folder / "laptop")
        take_export(browser, folder / "laptop", Path(made))
        take_locked(browser, Path(made))
        take_messages(browser, Path(made, "messages"))
        with home_of("grace") as home:
            take_agency(browser, home / "work")
        browser.close()
        with home_of("ada") as home:
            take_window(folder / "laptop", home / "diary")


if __name__ == "__main__":
    main(sys.argv[1:])
