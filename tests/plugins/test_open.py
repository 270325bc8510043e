"""`diary open` as a process of its own: what it prints, whom it lets in, and how it ends (R52)."""

import http.client
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from diary.clock import SystemClock
from diary.diary import Diary
from diary.rules.ids import Slot
from diary.rules.timesheet import Place
from diary.rules.week import slot_at
from diary.sealing.keyring import choose_place
from tests.rule import rule

SECONDS_MAX = 60
MEMO = "a memo that stays as it is"


@dataclass
class Viewer:
    """A running `diary open`, and how to ask it as any program could."""

    process: subprocess.Popen[str]
    url: str
    home: Path
    place: Place
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    def ask(
        self,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        fields: dict[str, str] | None = None,
        *,
        host: str | None = None,
        signed_in: bool = True,
    ) -> tuple[int, dict[str, str], str]:
        """Send one request, headers and all as given; return status, headers and text."""
        connection = http.client.HTTPConnection(self.host, timeout=SECONDS_MAX)
        body = urlencode(fields or {}).encode() if method == "POST" else None
        connection.putrequest(method, path, skip_host=True)
        connection.putheader("Host", host or self.host)
        if signed_in and self.cookies:
            pairs = (f"{name}={value}" for name, value in self.cookies.items())
            connection.putheader("Cookie", "; ".join(pairs))
        if body is not None:
            connection.putheader("Content-Type", "application/x-www-form-urlencoded")
            connection.putheader("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
        for line in answer.headers.get_all("Set-Cookie") or []:
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        told = {name.lower(): value for name, value in answer.getheaders()}
        connection.close()
        return answer.status, told, text

    def sign_in(self) -> None:
        """Open the address that was printed, as a browser does."""
        parts = urlsplit(self.url)
        status, headers, _ = self.ask("GET", f"{parts.path}?{parts.query}")
        assert (status, headers["location"]) == (303, "/-/diary")

    def edit(self, headers: dict[str, str], *, csrftoken: str) -> int:
        """Send the form that changes the memo; return the status."""
        fields = {
            "place": f"{self.place[0]}/{self.place[1]}",
            "memo_was": MEMO,
            "memo": "changed by somebody",
            "save": "yes",
            "csrftoken": csrftoken,
        }
        return self.ask("POST", "/-/diary/edit", headers, fields)[0]

    def csrftoken(self) -> str:
        """Return the token that the diary's own form carries."""
        _, _, text = self.ask("GET", f"/-/diary/segment/{self.place[0]}/{self.place[1]}")
        found = re.search(r'name="csrftoken" value="([^"]+)"', text)
        assert found
        return found.group(1)

    def memo(self) -> str:
        """Return the memo that stands in the diary's file."""
        with Diary.open(self.home) as diary:
            found = diary.segment(self.place)
            assert found is not None
            return found.memo


def command(home: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "diary.cli", "--home", str(home), *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def viewer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Viewer]:
    home = tmp_path_factory.mktemp("opened") / "diary"
    home.mkdir()
    clock = SystemClock()
    place = choose_place(home, "file")
    with Diary.create(home, clock=clock, place=place, device_name="practice") as diary:
        contract = diary.new_contract(title="Orchard", manual_allowed=True)
        slot = Slot(slot_at(clock.now_ms()) - 1)
        acts = diary.add_manual(contract.id, [slot], MEMO)
    process = command(home, "open", "--no-browser")
    assert process.stdout is not None
    assert process.stderr is not None
    url = process.stdout.readline().strip()
    assert url, process.stderr.read()
    running = Viewer(process, url, home, acts.done[0])
    wait_until_it_answers(running)
    yield running
    if process.poll() is None:
        process.kill()
    process.communicate(timeout=SECONDS_MAX)


def wait_until_it_answers(viewer: Viewer) -> None:
    """Wait for the first answer; the address is printed when the port is already held."""
    deadline = time.monotonic() + SECONDS_MAX
    while True:
        try:
            viewer.ask("GET", "/")
        except ConnectionError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


@rule("R52")
def test_it_prints_an_address_on_loopback_and_keeps_it_where_its_owner_alone_can_read_it(
    viewer: Viewer,
) -> None:
    path = viewer.home / "datasette.url"
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/-/diary/open\?token=\S{40,}", viewer.url)
    assert path.read_text(encoding="utf-8").strip() == viewer.url
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@rule("R52")
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/-/diary",
        "/diary/segment.json",
        "/diary.json?sql=select+1",
        "/-/diary/week/2026-W47.json",
    ],
)
def test_without_the_cookie_nothing_is_shown(viewer: Viewer, path: str) -> None:
    status, _, text = viewer.ask("GET", path, signed_in=False)
    assert status == 403
    assert "diary open" in text
    assert "Orchard" not in text


@rule("R52")
def test_a_guessed_token_and_a_foreign_host_are_turned_away(viewer: Viewer) -> None:
    viewer.sign_in()
    assert viewer.ask("GET", "/-/diary/open?token=guessed", signed_in=False)[0] == 403
    for host in ("evil.example", f"localhost:{urlsplit(viewer.url).port}", "127.0.0.1"):
        assert viewer.ask("GET", "/-/diary/refused", host=host)[0] == 403
        assert viewer.ask("GET", f"/-/diary/open?{urlsplit(viewer.url).query}", host=host)[0] == 403
    assert viewer.ask("GET", "/-/diary/refused")[0] == 200


@rule("R52")
def test_the_cookie_is_for_no_script_and_no_other_site(viewer: Viewer) -> None:
    parts = urlsplit(viewer.url)
    _, headers, _ = viewer.ask("GET", f"{parts.path}?{parts.query}", signed_in=False)
    assert "HttpOnly" in headers["set-cookie"]
    assert "SameSite=Strict" in headers["set-cookie"]


@rule("R52")
def test_a_write_from_another_origin_or_without_the_forms_token_changes_nothing(viewer: Viewer) -> None:
    viewer.sign_in()
    token = viewer.csrftoken()
    ours = {"Origin": f"http://{viewer.host}", "Sec-Fetch-Site": "same-origin"}
    assert viewer.edit({"Origin": "https://evil.example"}, csrftoken=token) == 403
    assert (
        viewer.edit({"Origin": f"http://{viewer.host}", "Sec-Fetch-Site": "cross-site"}, csrftoken=token)
        == 403
    )
    assert viewer.edit({"Origin": "null"}, csrftoken=token) == 403
    assert viewer.edit({}, csrftoken=token) == 403
    assert viewer.edit(ours, csrftoken="") == 403
    assert viewer.edit(ours, csrftoken="guessed") == 403
    assert viewer.edit({**ours, "Authorization": "Bearer guessed"}, csrftoken="") == 403
    assert viewer.memo() == MEMO
    assert viewer.edit(ours, csrftoken=token) == 303
    assert viewer.memo() == "changed by somebody"


@rule("R52")
@pytest.mark.parametrize("path", ["/-/diary/refused", "/diary/segment", "/diary/segment.json", "/nowhere"])
def test_every_answer_forbids_frames_sniffing_caching_and_other_origins(viewer: Viewer, path: str) -> None:
    viewer.sign_in()
    _, headers, text = viewer.ask("GET", path, {"Origin": "https://evil.example", "Sec-Fetch-Site": "none"})
    policy = headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'self'" in policy
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert not [name for name in headers if name.startswith("access-control")]
    elsewhere = re.findall(r"""(?:src|href)=["']?((?:https?:)?//[^"'/]+)""", text)
    assert set(elsewhere) <= {f"http://{viewer.host}", "https://datasette.io"}


@rule("R52")
def test_a_page_of_the_diary_has_no_inline_script_or_style(viewer: Viewer) -> None:
    viewer.sign_in()
    for path in (f"/-/diary/segment/{viewer.place[0]}/{viewer.place[1]}", "/-/diary/refused"):
        _, headers, text = viewer.ask("GET", path)
        assert "unsafe" not in headers["content-security-policy"]
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", text)


@rule("R52")
def test_a_form_leads_on_to_pages_of_the_diary_only(viewer: Viewer) -> None:
    viewer.sign_in()
    headers = {"Origin": f"http://{viewer.host}", "Sec-Fetch-Site": "same-origin"}
    token = viewer.csrftoken()
    for back in ("https://evil.example/", "//evil.example", "/-/diary/\\evil", "/diary", "javascript:x"):
        status, answer, _ = viewer.ask("POST", "/-/diary/face", headers, {"back": back, "csrftoken": token})
        assert (status, answer["location"]) == (303, "/-/diary")


def test_a_second_open_finds_the_first_and_a_taken_port_is_a_usage_error(
    viewer: Viewer, tmp_path: Path
) -> None:
    second = command(viewer.home, "open", "--no-browser")
    said, _ = second.communicate(timeout=SECONDS_MAX)
    assert (second.returncode, said.strip()) == (0, viewer.url)
    with socket.create_server(("127.0.0.1", 0)) as other:
        home = tmp_path / "diary"
        home.mkdir()
        with Diary.create(
            home, clock=SystemClock(), place=choose_place(home, "file"), device_name="practice"
        ):
            taken = command(home, "open", "--no-browser", "--port", str(other.getsockname()[1]))
            _, complaint = taken.communicate(timeout=SECONDS_MAX)
    assert taken.returncode == 2
    assert "is taken by another program" in complaint
    beyond = command(home, "open", "--no-browser", "--port", "99999")
    _, complaint = beyond.communicate(timeout=SECONDS_MAX)
    assert (beyond.returncode, "Traceback" in complaint) == (2, False)


def test_it_ends_when_asked_and_takes_its_address_away(viewer: Viewer) -> None:
    viewer.process.send_signal(signal.SIGTERM)
    said, complaints = viewer.process.communicate(timeout=SECONDS_MAX)
    assert viewer.process.returncode == 0
    assert said == ""
    assert complaints == ""
    assert not (viewer.home / "datasette.url").exists()
