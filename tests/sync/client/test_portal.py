"""How the client's page is served: nothing inline or from elsewhere, all of it kept for offline (R53)."""

import re
from pathlib import Path

import httpx

import sync.server
from sync.server.portal import HEADERS
from tests.rule import rule
from tests.sync.stage import Stage

STATIC = Path(sync.server.__file__).parent / "static"
SHARED = ("conversation.css", "grid.css")  # with the diary's own pages: they lie in diary/page


@rule("R53")
def test_every_file_comes_under_a_strict_policy_and_with_its_type(stage: Stage) -> None:
    names = [path.name for path in STATIC.iterdir()]
    for path in ("/join", *(f"/client/{name}" for name in [*names, *SHARED])):
        answer = httpx.get(f"{stage.url}{path}")
        assert answer.status_code == 200, path
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS, path
        assert not answer.headers.get("Set-Cookie")
    policy = HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "http" not in policy


def test_a_file_that_did_not_change_is_not_sent_again(stage: Stage) -> None:
    first = httpx.get(f"{stage.url}/client/open.js")
    again = httpx.get(f"{stage.url}/client/open.js", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_no_other_file_can_be_asked_for(stage: Stage) -> None:
    for name in ("portal.py", "..%2Fportal.py", "%2e%2e%2fapp.py", "open.js%00", "nothing.js"):
        assert httpx.get(f"{stage.url}/client/{name}").status_code in {400, 404}, name


@rule("R53")
def test_no_file_holds_anything_inline_or_names_another_place() -> None:
    page = (STATIC / "page.html").read_text(encoding="utf-8")
    assert not re.search(r"<style|style=|<script(?![^>]*src=)|\son\w+=", page)
    for path in STATIC.glob("*.js"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|\beval\(|new Function|document\.write", text
        )
        found = set(re.findall(r"https?://[\w.]+", text)) - {"http://www.w3.org"}
        assert found == set(), path


def test_open_js_imports_nothing() -> None:
    assert not re.search(
        r"^\s*import\b|import\(", (STATIC / "open.js").read_text(encoding="utf-8"), re.MULTILINE
    )


def test_the_service_worker_keeps_every_file_of_the_page() -> None:
    text = (STATIC / "service.js").read_text(encoding="utf-8")
    kept = set(re.findall(r'"([a-z]+)"', text[text.index("FILES") : text.index(".map(")]))
    modules = {path.stem for path in STATIC.glob("*.js")} - {"service"}
    assert kept - {"join"} == modules
    styles = {path.name for path in STATIC.glob("*.css")} | {*SHARED}
    assert set(re.findall(r'"client/([a-z]+\.css)"', text)) == styles


def test_the_page_links_every_style_and_what_is_printed_last() -> None:
    text = (STATIC / "page.html").read_text(encoding="utf-8")
    linked = re.findall(r'<link rel="stylesheet" href="client/([a-z]+\.css)">', text)
    assert sorted(linked) == sorted([*(path.name for path in STATIC.glob("*.css")), *SHARED])
    assert (linked[0], linked[-1]) == ("grid.css", "paper.css")
