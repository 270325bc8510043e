"""What an operator sets and sees: settings, figures, readiness, a unit, TLS in front (R6, R46, R69)."""

import configparser
import shutil
import ssl
import subprocess
import time
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from diary.rules.week import slot_at
from diary.sealing.row import picture_name
from sync.server.settings_file import BadSettingsError, SettingsFile, read_settings
from sync.server.unit import unit_of
from sync.server_settings import BYTES_A_GIGABYTE, BadGatewayError, Said, chosen, shown_settings
from tests.rule import rule
from tests.sync.certificates import authority_in
from tests.sync.server.author import Author
from tests.sync.server.process import free_port, reasons, running
from tests.sync.server.proxy import behind_nginx

DOCUMENT = Path(__file__).parents[3] / "docs" / "operate.md"
SLOT = slot_at(int(time.time() * 1000)) - 1


def written(folder: Path, text: str) -> Path:
    file = folder / "server.toml"
    file.write_text(text, encoding="utf-8")
    return file


@rule("R69")
def test_the_command_line_counts_before_the_environment_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(
        tmp_path, 'host = "10.0.0.1"\nport = 9000\ndatabase = "postgresql://file"\npicture_quota_gb = 5\n'
    )
    monkeypatch.setenv("DIARY_DATABASE", "postgresql://environment")
    found = chosen(tmp_path, None, Said(port=9001))
    assert (found.host, found.port) == ("10.0.0.1", 9001)
    assert found.database_url == "postgresql://environment"
    assert found.picture_quota_bytes == 5 * BYTES_A_GIGABYTE


@rule("R69")
def test_a_quota_of_nothing_is_one(tmp_path: Path) -> None:
    assert chosen(tmp_path, None, Said(picture_quota_gb=0)).picture_quota_bytes == 0


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("ports = 9000\n", "ports"),
        ("port = 70000\n", "65535"),
        ('port = "9000"\n', "port"),
        ("port = \n", "line 1"),
        ('trusted_proxies = ["nginx"]\n', "nginx"),
        ("picture_quota_gb = -1\n", "picture_quota_gb"),
    ],
)
@rule("R69")
def test_a_setting_that_is_none_is_named(tmp_path: Path, text: str, named: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(BadSettingsError) as refused:
        read_settings(file)
    assert named in refused.value.what_happened
    assert str(file) in refused.value.what_happened


def test_each_setting_stands_in_the_operators_document() -> None:
    document = DOCUMENT.read_text(encoding="utf-8")
    missing = [name for name in SettingsFile.__struct_fields__ if f"| `{name}` |" not in document]
    assert missing == []


STRIPE = 'gateway = "stripe"\npublic_url = "https://diary.example/"\n'
SECRETS = 'stripe_key = "sk_live_hidden"\nstripe_webhook_secret = "whsec_hidden"\n'


@rule("R63")
def test_a_gateways_secrets_come_from_the_environment_first_and_are_shown_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, STRIPE + SECRETS + f'gateway_accounts = ["{"a" * 32}"]\n')
    monkeypatch.setenv("DIARY_STRIPE_KEY", "sk_live_of_the_environment")
    settings = chosen(tmp_path, None, Said())
    assert settings.gateway.stripe_key == "sk_live_of_the_environment"
    assert settings.gateway.stripe_webhook_secret == "whsec_hidden"
    assert settings.gateway.public_url == "https://diary.example"
    shown = shown_settings(settings)
    assert (shown["gateway"], shown["gateway_accounts"]) == ("stripe", "a" * 32)
    told = f"{shown} {settings!r}"
    assert not any(secret in told for secret in ("sk_live", "whsec"))


@rule("R63")
@pytest.mark.parametrize(
    ("text", "named"),
    [
        (STRIPE, "DIARY_STRIPE_KEY"),
        (SECRETS + 'gateway = "stripe"\n', "public_url"),
        (STRIPE.replace("https", "http") + SECRETS, "public_url"),
        (STRIPE + SECRETS + 'stripe_api = "http://elsewhere.example"\n', "stripe_api"),
        (STRIPE + SECRETS + 'gateway_accounts = ["ada"]\n', "ada"),
    ],
)
def test_a_gateway_that_cannot_work_is_named_at_the_start(tmp_path: Path, text: str, named: str) -> None:
    written(tmp_path, text)
    with pytest.raises(BadGatewayError) as refused:
        chosen(tmp_path, None, Said())
    assert named in str(refused.value)
    assert not any(secret in refused.value.in_full for secret in ("sk_live", "whsec"))


def test_a_shown_setting_holds_no_password(tmp_path: Path) -> None:
    said = Said(database="postgresql://diary:hunter2@db.example:5432/diary?password=hunter2")
    shown = shown_settings(chosen(tmp_path, None, said))
    assert shown["database_url"] == "postgresql://diary@db.example:5432/diary"


def test_the_unit_starts_what_it_names_and_may_write_to_the_folder_alone(tmp_path: Path) -> None:
    folder = tmp_path / "50 % of it"
    folder.mkdir()
    command = tmp_path / "diary"
    command.write_text("#!/bin/sh\n", encoding="ascii")
    command.chmod(0o755)
    unit = configparser.RawConfigParser(strict=False)
    text = unit_of(command, folder, None)
    unit.read_string(text)
    assert unit["Service"]["execstart"] == f'{command} server run --folder "{tmp_path}/50 %% of it"'
    assert unit["Service"]["readwritepaths"] == f'"{tmp_path}/50 %% of it"'
    checker = shutil.which("systemd-analyze")
    if checker is None:  # a machine without systemd has nothing that could read a unit
        return
    file = tmp_path / "workdiary.service"
    file.write_text(text, encoding="utf-8")
    checked = subprocess.run([checker, "verify", file], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


@rule("R46")
def test_the_figures_say_how_much_and_never_whose(tmp_path: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    port = free_port()
    written(folder, f"metrics_port = {port}\n")
    author = Author()
    picture = b"sealed" * 2000
    name = picture_name(picture)
    with running(folder) as server:
        server.client.enrol(author, author.enrol(author.terms()))
        capture = author.capture(SLOT, pictures=(picture,))
        early = author.capture(SLOT + 1000)
        assert reasons(server.client.push(author, capture, early)) == ["received", "slot_in_future"]
        assert server.client.upload(author, name, picture).status_code == 200
        server.client.http.get(f"/v1/pictures/{name}", headers=author.authorization)
        server.client.http.get("/no/such/door")
        text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
        assert httpx.get(f"{server.client.http.base_url}/metrics").status_code == 404
    figures = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert figures["workdiary_pushed_versions_total", "taken"] == 1
    assert figures["workdiary_pushed_versions_total", "slot_in_future"] == 1
    assert figures["workdiary_picture_bytes_total", "in"] == len(picture)
    assert figures["workdiary_picture_bytes_total", "out"] == len(picture)
    assert figures["workdiary_requests_total", "/v1/push", "200"] == 1
    assert figures["workdiary_requests_total", "none", "404"] == 1
    assert figures["workdiary_request_seconds_count", "/v1/pictures/{name}"] == 2
    assert figures["workdiary_clock_sure",] == 1
    assert figures["process_open_fds",] > 0
    for secret in (author.account, author.replica, author.contract, name):
        assert secret not in text


@rule("R69")
def test_behind_the_documented_proxy_everything_passes_by_tls(tmp_path: Path) -> None:
    authority = authority_in(tmp_path)
    author = Author()
    picture = b"sealed" * 700_000  # over four megabytes, the most that one part may be
    name = picture_name(picture)
    folder = tmp_path / "server"
    folder.mkdir()
    written(folder, 'trusted_proxies = ["127.0.0.1"]\n')
    with (
        running(folder) as server,
        behind_nginx(
            tmp_path / "nginx", server.client.http.base_url.port or 0, authority.sign("localhost"), DOCUMENT
        ) as address,
    ):
        trusted = ssl.create_default_context(cafile=str(authority.file))
        server.client.http = httpx.Client(base_url=address, verify=trusted, timeout=30)
        server.client.enrol(author, author.enrol(author.terms()))
        capture = author.capture(SLOT, pictures=(picture,))
        assert reasons(server.client.push(author, capture)) == ["received"]
        part = 4 * 1024 * 1024
        assert server.client.upload(author, name, picture[:part]).json()["size"] == part
        assert server.client.upload(author, name, picture[part:], part).json()["whole"]
        read = server.client.http.get(
            f"/v1/pictures/{name}", headers={**author.authorization, "Range": f"bytes={part}-"}
        )
        assert (read.status_code, read.content) == (206, picture[part:])
        server.client.http.close()
