"""Proxies, certificates, redirects and a server that asks for time, as users of httpx expect them."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from sync.line_faults import NoHttpsError, retry_after_ms
from sync.protocol import PROTOCOL_VERSION, Fault, ServerFacts
from sync.transport import (
    BadCertificateFileError,
    BadProxyError,
    MovedError,
    ServerFailedError,
    Transport,
    UnreachableError,
    UnsureServerError,
    UntrustedLineError,
)
from tests.practice import record_slot, slot
from tests.rule import rule
from tests.sync.answering import Answer, answering
from tests.sync.certificates import Authority, authority_in
from tests.sync.forward_proxy import Proxy, forward_proxy
from tests.sync.stage import Stage

FACTS: Answer = (
    200,
    {},
    msgspec.json.encode(ServerFacts(protocol=PROTOCOL_VERSION, key="ab" * 32, server_ms=5)),
)
HOST = "diary.test"  # RFC 6761: nobody has it, so only a proxy leads there


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ssl_cert_file", "ssl_cert_dir"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return authority_in(tmp_path)


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with forward_proxy() as proxy:
        yield proxy


def key_at(url: str) -> str:
    with Transport(url, attempts=1) as line:
        return line.server().key


# Certificates.


def test_a_certificate_of_ones_own_authority_holds_once_it_is_named(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(FACTS, certificate=authority.sign("localhost")) as (at, _):
        url = at.replace("127.0.0.1", "localhost")
        with pytest.raises(UntrustedLineError, match="certificate") as raised:
            key_at(url)
        assert "SSL_CERT_FILE" in raised.value.how_to_mend
        assert raised.value.exit_code == 5
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
        assert key_at(url) == "ab" * 32


@pytest.mark.parametrize(
    ("names", "from_day", "words"),
    [
        (("localhost",), -60, "Check this computer's date"),
        (("localhost",), 2, "Check this computer's date"),
        (("elsewhere.test",), -1, "another server's"),
    ],
)
def test_a_wrong_certificate_says_what_is_wrong_and_who_can_mend_it(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...], from_day: int, words: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    with answering(FACTS, certificate=authority.sign(*names, from_day=from_day)) as (url, heard):
        with pytest.raises(UntrustedLineError) as raised:
            key_at(url.replace("127.0.0.1", "localhost"))
        assert words in raised.value.how_to_mend
        assert heard.requests == []


def test_a_file_without_certificates_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    empty = tmp_path / "nothing.pem"
    for path in (tmp_path / "nowhere.pem", empty):
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        with pytest.raises(BadCertificateFileError, match=path.name):
            Transport("https://diary.example")
        empty.write_text("no certificate", encoding="utf-8")


def test_https_where_nobody_speaks_it_is_said_as_an_address_to_mend() -> None:
    with answering(FACTS) as (url, _), pytest.raises(NoHttpsError, match="Nobody speaks https"):
        key_at(url.replace("http://", "https://"))


# Redirects.


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed_and_says_where_it_leads(status: int) -> None:
    there = (status, {"Location": "https://diary.example/v1/server"}, b"")
    with answering(there) as (url, heard), pytest.raises(MovedError) as raised:
        key_at(url)
    assert "diary register https://diary.example" in raised.value.how_to_mend
    assert raised.value.exit_code == 5
    assert len(heard.requests) == 1


# Proxies.


def test_https_goes_through_the_proxy_of_the_environment(
    authority: Authority, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    with answering(FACTS, certificate=authority.sign(HOST)) as (at, _):
        url = at.replace("127.0.0.1", HOST)
        assert key_at(url) == "ab" * 32
    assert proxy.asked == [f"CONNECT {url.removeprefix('https://')}"]


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "ALL_PROXY"])
def test_http_goes_through_the_proxy_of_the_environment(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, f"http://127.0.0.1:{proxy.port}")
    with answering(FACTS) as (at, _):
        url = at.replace("127.0.0.1", HOST)
        assert key_at(url) == "ab" * 32
    assert proxy.asked == [f"GET {url}/v1/server"]


def test_a_socks_proxy_is_one_too(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", f"socks5h://127.0.0.1:{proxy.port}")
    with answering(FACTS) as (url, _):
        assert key_at(url.replace("127.0.0.1", HOST)) == "ab" * 32
    assert [asked.split(":")[0] for asked in proxy.asked] == [f"SOCKS {HOST}"]


def test_no_proxy_is_gone_through_for_the_hosts_that_need_none(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
    monkeypatch.setenv("NO_PROXY", f"{HOST},elsewhere.test")
    with answering(FACTS) as (url, _), pytest.raises(UnreachableError):
        key_at(url.replace("127.0.0.1", HOST))
    assert proxy.asked == []


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_no_proxy_is_gone_through_to_a_server_on_this_machine(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch, variable: str, name: str
) -> None:
    monkeypatch.setenv(variable, f"http://127.0.0.1:{proxy.port}")
    with answering(FACTS) as (url, _):
        assert key_at(url.replace("127.0.0.1", name)) == "ab" * 32
    assert proxy.asked == []


def test_a_proxy_that_wants_a_password_is_said_and_gets_it(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    with (
        forward_proxy(user="ana:secret") as proxy,
        answering(FACTS, certificate=authority.sign(HOST)) as (url, _),
        answering(FACTS) as (plain_url, _),
    ):
        for scheme in ("HTTP", "HTTPS"):
            monkeypatch.setenv(f"{scheme}_PROXY", f"http://127.0.0.1:{proxy.port}")
        for each in (url, plain_url):
            with pytest.raises(UnreachableError, match="proxy"):
                key_at(each.replace("127.0.0.1", HOST))
        monkeypatch.setenv("HTTPS_PROXY", f"http://ana:secret@127.0.0.1:{proxy.port}")
        assert key_at(url.replace("127.0.0.1", HOST)) == "ab" * 32


def test_what_is_no_proxy_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "gopher://127.0.0.1:70")
    with pytest.raises(BadProxyError, match="gopher"):
        Transport("https://diary.example")


@rule("R41")
def test_a_whole_sync_goes_through_a_proxy(
    stage: Stage, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sync.enrolment import register

    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
    a = stage.first(registered=False)
    contract = a.diary.new_contract(title="Practice")
    record_slot(a.diary, contract, slot("2026-11-18T10:00Z"))
    with Transport(stage.url.replace("127.0.0.1", HOST)) as line:
        report = register(a.diary, line)
    assert (report.refused, report.pictures_sent, report.pictures_left) == ((), 2, 0)
    assert {asked.split()[0] for asked in proxy.asked} == {"GET", "POST", "PUT"}


# A server that asks for time.


def busy(**headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return 503, named, msgspec.json.encode(Fault(reason="busy", because="A sentence."))


@rule("R40")
def test_a_server_that_names_a_short_wait_is_asked_again_after_it() -> None:
    with answering(busy(Retry_After="0"), FACTS) as (url, heard), Transport(url) as line:
        assert line.server().key == "ab" * 32
    assert len(heard.requests) == 2


@rule("R40")
@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_names_a_long_wait_is_left_alone_and_the_wait_is_known(status: int) -> None:
    answer = (status, {"Retry-After": "3600"}, busy()[2])
    with answering(answer) as (url, heard), Transport(url) as line:
        with pytest.raises(ServerFailedError) as raised:
            line.server()
        assert raised.value.retry_after_ms == 3_600_000
    assert len(heard.requests) == 1


@rule("R6")
def test_a_server_that_doubts_its_clock_is_not_waited_for_by_a_request() -> None:
    unsure = Fault(reason="clock_unsure", because="It jumped. It goes on in 240 s.")
    answer = (503, {"Retry-After": "30"}, msgspec.json.encode(unsure))
    with answering(answer) as (url, heard), Transport(url) as line:
        with pytest.raises(UnsureServerError, match="clock_unsure: It jumped") as raised:
            line.server()
        assert (raised.value.exit_code, raised.value.retry_after_ms) == (5, 30_000)
    assert len(heard.requests) == 1


@pytest.mark.parametrize(
    ("headers", "wait_ms"),
    [
        ({"Retry-After": "120"}, 120_000),
        (
            {"Retry-After": "Mon, 23 Nov 2026 12:02:00 GMT", "Date": "Mon, 23 Nov 2026 12:00:00 GMT"},
            120_000,
        ),
        ({"Retry-After": "Mon, 23 Nov 2026 11:00:00 GMT", "Date": "Mon, 23 Nov 2026 12:00:00 GMT"}, 0),
        ({"Retry-After": "Mon, 23 Nov 2026 12:02:00 GMT"}, None),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
def test_a_wait_is_read_as_seconds_or_as_a_date_of_the_servers_clock(
    headers: dict[str, str], wait_ms: int | None
) -> None:
    assert retry_after_ms(httpx.Headers(headers)) == wait_ms
