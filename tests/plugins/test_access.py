"""Who may read and write through the local viewer (R52)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasette_work_diary.access import (
    SESSION_COOKIE,
    Asked,
    Door,
    Gate,
    Message,
    Pass,
    Receive,
    Scope,
    Send,
    Turned,
    Welcome,
    cookie_out,
    cookies_in,
    decide,
    guarded,
)
from datasette_work_diary.lock import Lock
from tests.event_loop import run
from tests.rule import rule

DOOR = Door(8631, "the-token", "the-session")
READ = Asked(
    method="GET",
    path="/-/diary",
    query="",
    host="127.0.0.1:8631",
    session="the-session",
    origin=None,
    fetch_site="none",
    fetch_mode="navigate",
)
WRITE = replace(
    READ,
    method="POST",
    path="/-/diary/edit",
    origin="http://127.0.0.1:8631",
    fetch_site="same-origin",
)


def why(asked: Asked) -> str:
    decision = decide(DOOR, asked)
    return decision.why if isinstance(decision, Turned) else ""


@rule("R52")
def test_the_diarys_own_pages_read_and_write() -> None:
    assert decide(DOOR, READ) == Pass()
    assert decide(DOOR, WRITE) == Pass()


@rule("R52")
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8631", "localhost:8631", "127.0.0.1", "127.0.0.1:8632", None]
)
def test_a_rebound_or_foreign_host_is_turned_away_even_with_the_token_and_the_cookie(
    host: str | None,
) -> None:
    asked = replace(READ, host=host, path="/-/diary/open", query="token=the-token")
    assert why(asked) == "wrong_host"


@rule("R52")
def test_the_token_signs_in_and_nothing_near_it_does() -> None:
    asked = replace(READ, path="/-/diary/open", session="")
    assert decide(DOOR, replace(asked, query="token=the-token")) == Welcome()
    for query in ("", "token=", "token=the-toke", "token=the-token2", "TOKEN=the-token", "token=%00"):
        assert why(replace(asked, query=query)) == "wrong_token"


@rule("R52")
@given(st.text())
def test_a_guessed_token_or_session_opens_nothing(guess: str) -> None:
    if guess not in {DOOR.token, DOOR.session}:
        assert why(replace(READ, session=guess)) == "not_signed_in"
        assert why(replace(READ, session="", path="/-/diary/open", query=f"token={guess}")) == "wrong_token"


@rule("R52")
@pytest.mark.parametrize(
    "path",
    ["/", "/-/diary", "/-/diary/week/2026-W47.json", "/diary", "/diary/segment.json", "/-/versions.json"],
)
def test_without_the_cookie_nothing_of_datasette_is_shown(path: str) -> None:
    assert why(replace(READ, path=path, session="")) == "not_signed_in"


@rule("R52")
def test_static_files_pass_without_a_cookie_but_not_for_another_site() -> None:
    asked = replace(READ, path="/-/diary-static/diary.css", session="", fetch_mode="no-cors")
    assert decide(DOOR, replace(asked, fetch_site="same-origin")) == Pass()
    assert why(replace(asked, fetch_site="cross-site")) == "other_site"
    assert why(replace(asked, method="POST")) == "other_site"


@rule("R52")
@pytest.mark.parametrize(
    ("origin", "site"),
    [
        (None, "same-origin"),
        ("https://evil.example", "cross-site"),
        ("http://127.0.0.1:9999", "same-site"),
        ("http://localhost:8631", "same-site"),
        ("http://127.0.0.1:8631", "cross-site"),
        ("null", None),
        ("null", "cross-site"),
        ("null", "none"),
    ],
)
def test_a_write_from_another_origin_is_refused_although_the_cookie_came(
    origin: str | None, site: str | None
) -> None:
    assert why(replace(WRITE, origin=origin, fetch_site=site)) == "other_site"


@rule("R52")
def test_a_form_of_our_own_writes_although_the_referrer_policy_hides_its_origin() -> None:
    assert decide(DOOR, replace(WRITE, origin="null", fetch_site="same-origin")) == Pass()


@rule("R52")
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_page_may_link_here_but_not_embed_or_fetch(site: str) -> None:
    assert decide(DOOR, replace(READ, fetch_site=site, fetch_mode="navigate")) == Pass()
    for mode in ("no-cors", "cors", None):
        assert why(replace(READ, fetch_site=site, fetch_mode=mode)) == "other_site"


def test_a_signed_in_browser_is_led_home_by_an_old_address() -> None:
    assert decide(DOOR, replace(READ, path="/-/diary/open", query="token=of-yesterday")) == Welcome()


@rule("R52")
def test_every_start_makes_other_secrets() -> None:
    secrets = {secret for _ in range(50) for door in [Door.new(1)] for secret in (door.token, door.session)}
    assert len(secrets) == 100
    assert min(map(len, secrets)) >= 40


@rule("R52")
def test_the_headers_are_ours_whatever_the_application_said() -> None:
    theirs = [
        (b"Access-Control-Allow-Origin", b"*"),
        (b"Cache-Control", b"public, max-age=3600"),
        (b"content-type", b"text/html"),
    ]
    answer = dict(guarded(theirs, path="/-/diary/week/2026-W47", nonce="n"))
    policy = answer[b"content-security-policy"].decode()
    assert not any(name.lower().startswith(b"access-control") for name in answer)
    assert answer[b"cache-control"] == b"no-store"
    assert answer[b"x-content-type-options"] == b"nosniff"
    assert answer[b"referrer-policy"] == b"no-referrer"
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "nonce" not in policy
    assert "http" not in policy


@rule("R52")
def test_datasettes_own_pages_run_only_the_scripts_of_its_templates() -> None:
    answer = dict(guarded([], path="/diary/segment", nonce="abc"))
    assert b"script-src 'self' 'nonce-abc';" in answer[b"content-security-policy"]


@rule("R52")
def test_two_viewers_on_one_machine_do_not_take_each_others_cookies() -> None:
    header = "diary_session_8631=ours; diary_session_8632=theirs; ds_csrftoken_8631=x; ds_csrftoken=y"
    assert cookies_in(header, "_8631") == {SESSION_COOKIE: "ours", "ds_csrftoken": "x"}
    made = cookie_out(b"ds_csrftoken=x; Path=/; SameSite=Lax", "_8631")
    assert made == b"ds_csrftoken_8631=x; Path=/; HttpOnly; SameSite=Strict"


class Echo:
    """An application that keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Scope] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.append(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"within"})


def answer_of(app: Echo, path: str, headers: dict[str, str], query: str = "") -> list[Message]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": pairs}
    run(Gate(app, DOOR, Lock())(scope, receive, send))
    return sent


@rule("R52")
def test_the_gate_signs_in_by_a_cookie_that_no_script_and_no_other_site_gets() -> None:
    app = Echo()
    start, _ = answer_of(app, "/-/diary/open", {"host": DOOR.host}, "token=the-token")
    headers = dict(start["headers"])
    assert start["status"] == 303
    assert headers[b"location"] == b"/-/diary"
    assert headers[b"set-cookie"] == b"diary_session_8631=the-session; Path=/; HttpOnly; SameSite=Strict"
    assert app.asked == []


@rule("R52")
def test_the_gate_says_how_to_open_the_diary_and_asks_the_application_nothing() -> None:
    app = Echo()
    start, body = answer_of(app, "/-/diary", {"host": DOOR.host})
    assert start["status"] == 403
    assert b"diary open" in body["body"]
    assert app.asked == []


@rule("R52")
def test_the_application_never_sees_the_session() -> None:
    app = Echo()
    cookie = "diary_session_8631=the-session; ds_messages_8631=m; other=o"
    answer_of(app, "/", {"host": DOOR.host, "cookie": cookie, "authorization": "Bearer x"})
    headers = dict(app.asked[0]["headers"])
    assert headers[b"cookie"] == b"ds_messages=m; diary=1"
    assert b"authorization" not in headers
