"""A hostile page in the same browser reads nothing of the diary and changes nothing in it (R52).

A real Chromium, signed in to the diary, opens a page of another origin that tries what pages can: once from
another port of the same host, whose cookies are shared, once from another site, once under a name that was
rebound to this machine.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from tests.plugins.conftest import MORNING, PLANTED_MEMO, PLANTED_TITLE, Served
from tests.rule import rule

pytestmark = pytest.mark.browser
PAGE = (Path(__file__).parent / "hostile.html").read_bytes()
SECRETS = (PLANTED_MEMO, PLANTED_TITLE, "Orchard booking site", "Telephone call with Ada")


SEND = """([action, place]) => {
  const post = Object.assign(document.createElement("form"), { method: "post", action });
  const fields = { csrftoken: "known", place, memo: "owned", sure: "yes", number: "1", value: "UTC" };
  for (const [name, value] of Object.entries(fields)) {
    post.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  }
  document.body.append(post);
  post.submit();
}"""


@dataclass
class Attacker:
    """A web server of somebody else's, and what it was asked with which headers."""

    port: int
    heard: list[str] = field(default_factory=list)


@pytest.fixture
def attacker() -> Iterator[Attacker]:
    heard: list[str] = []

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(f"{self.path} {self.headers}")
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(PAGE)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Attacker(server.server_address[1], heard)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def misled(playwright: Playwright) -> Iterator[Browser]:
    """Run a Chromium for which every name of the test's sites is this machine."""
    browser = playwright.chromium.launch(
        executable_path="/usr/bin/chromium",
        args=[
            "--no-sandbox",
            "--disable-gpu",
            "--host-resolver-rules=MAP evil.test 127.0.0.1, MAP rebound.test 127.0.0.1",
            "--disable-popup-blocking",
        ],
    )
    yield browser
    browser.close()


@pytest.fixture
def context(served: Served, misled: Browser) -> Iterator[BrowserContext]:
    found = misled.new_context()
    page = found.new_page()
    page.goto(served.door.url)
    assert page.url.startswith(served.address("/-/diary/week/"))
    yield found
    found.close()


def state_of(served: Served) -> dict[str, object]:
    """Return all that a page could change."""
    with served.open_diary() as diary:
        segments = [segment for week in diary.weeks() for segment in diary.week(week).segments]
        said = {(one.contract, one.slot): (one.memo, one.label, one.state) for one in segments}
        known = [one.versions for one in segments]
        return {"said": said, "known": known, "contracts": diary.contracts(), "refused": diary.refusals()}


def attack(served: Served, page: Page, origin: str) -> dict[str, Any]:
    place = (served.contract.id, MORNING[0])
    segment = served.diary.segment(place)
    assert segment is not None
    picture = f"/-/diary/picture/{segment.snapshots[0].screen}"
    asked = {"diary": served.door.origin, "place": f"{place[0]}/{place[1]}", "picture": picture}
    page.goto(f"{origin}/?{urlencode(asked)}")
    found: dict[str, Any] = page.evaluate("() => window.attacked")
    return found


@rule("R52")
@pytest.mark.parametrize("host", ["127.0.0.1", "evil.test"])
def test_no_attack_of_another_origin_reads_or_changes_anything(
    served: Served, context: BrowserContext, attacker: Attacker, host: str
) -> None:
    before = state_of(served)
    done = attack(served, context.new_page(), f"http://{host}:{attacker.port}")
    assert len(done["tried"]) > 15
    assert done["found"] == []
    assert state_of(served) == before
    told = "".join(attacker.heard)
    assert served.door.token not in told
    if host != "127.0.0.1":  # cookies know no ports; who gets one there cannot use it: test_own_user
        assert served.door.session not in told
    assert not [secret for secret in SECRETS if secret in told]


@rule("R52")
def test_the_same_page_within_the_diary_would_have_read_it(served: Served, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(served.address("/-/diary/day/2026-11-18"))
    read = page.evaluate("async () => (await fetch('/-/diary/week/2026-W47.json')).text()")
    assert PLANTED_MEMO in read


@rule("R52")
def test_a_rebound_name_is_answered_with_nothing(served: Served, context: BrowserContext) -> None:
    page = context.new_page()
    for path in (
        "/-/diary",
        "/-/diary/week/2026-W47.json",
        "/diary/segment.json",
        f"/-/diary/open?token={served.door.token}",
    ):
        answer = page.goto(f"http://rebound.test:{served.door.port}{path}")
        assert answer is not None
        assert answer.status == 403
        assert not [secret for secret in SECRETS if secret in page.content()]


@rule("R52")
def test_a_form_that_a_person_is_led_to_send_changes_nothing(
    served: Served, context: BrowserContext, attacker: Attacker
) -> None:
    before = state_of(served)
    page = context.new_page()
    for host in ("127.0.0.1", "evil.test"):
        for path in ("edit", "remove", "add", "undo", "refused/forget", "late/drop", "settings"):
            page.goto(f"http://{host}:{attacker.port}/?diary={served.door.origin}")
            page.evaluate(
                SEND,
                [served.address(f"/-/diary/{path}"), f"{served.contract.id}/{MORNING[0]}"],
            )
            page.wait_for_url(f"**/-/diary/{path}")
            assert not [secret for secret in SECRETS if secret in page.content()]
    assert state_of(served) == before


@rule("R52")
def test_a_link_out_of_the_diary_tells_nobody_where_it_came_from(
    served: Served, context: BrowserContext, attacker: Attacker
) -> None:
    page = context.new_page()
    page.goto(served.address(f"/-/diary/open?token={served.door.token}"))
    page.evaluate(f"() => {{ window.location = 'http://evil.test:{attacker.port}/out'; }}")
    page.wait_for_url("**/out")
    (heard,) = [one for one in attacker.heard if one.startswith("/out")]
    assert "referer" not in heard.lower()
    assert served.door.token not in heard
