"""Pictures: only what a live row names, resumed, checked, and gone with the last row (R25, R41)."""

import os
from pathlib import Path

import pytest
from litestar.testing import TestClient

from diary.clock import GivenClock
from diary.rules.ids import AccountId, Slot
from diary.rules.week import slot_at
from diary.sealing.row import picture_name
from sync.enrolment import register
from sync.protocol import AWAITED_MAX, Pull
from sync.server.app import create_app
from sync.server.server import Server
from sync.server.settings import Settings
from tests.practice import record_slot
from tests.rule import rule
from tests.sync.server.author import Author, n_of
from tests.sync.server.conftest import WEDNESDAY, Here, stored_pictures
from tests.sync.server.process import Client, reasons
from tests.sync.stage import Stage, serving

SLOT = slot_at(WEDNESDAY) - 2
ACCOUNT = AccountId("a" * 32)


@pytest.fixture
def author(here: Here) -> Author:
    author = Author()
    here.client.enrol(author, author.enrol(author.terms()))
    return author


def recorded(here: Here, author: Author, picture: bytes) -> str:
    assert reasons(here.client.push(author, author.capture(SLOT, pictures=[picture]))) == ["received"]
    return picture_name(picture)


def held(here: Here, author: Author, name: str) -> tuple[int, str, str]:
    answer = here.client.http.head(f"/v1/pictures/{name}", headers=author.authorization)
    return answer.status_code, answer.headers.get("Upload-Offset", ""), answer.headers.get("Upload-Whole", "")


@rule("R41")
def test_a_pull_says_which_of_the_awaited_pictures_have_come(here: Here, author: Author) -> None:
    whole, begun = author.picture(9000), author.picture(9001)
    assert reasons(here.client.push(author, author.capture(SLOT, pictures=[whole, begun]))) == ["received"]
    here.client.upload(author, picture_name(whole), whole)
    here.client.upload(author, picture_name(begun), begun[:5000])
    awaited = [picture_name(whole), picture_name(begun), "0" * 64, "no name\0", ""]
    answer = here.client.pull(author, awaited=awaited)
    assert answer.arrived == [picture_name(whole)]
    too_many = Pull(account=author.account, cursors={}, awaited=["0" * 64] * (AWAITED_MAX + 1))
    assert here.client.post("/v1/pull", too_many, author).status_code == 413


@rule("R41")
def test_an_upload_goes_on_where_it_was_cut(here: Here, author: Author) -> None:
    picture = author.picture(9000)
    name = recorded(here, author, picture)
    assert held(here, author, name) == (200, "0", "false")
    assert here.client.upload(author, name, picture[:5000]).json() == {"size": 5000, "whole": False}
    assert held(here, author, name) == (200, "5000", "false")
    assert here.client.http.get(f"/v1/pictures/{name}", headers=author.authorization).status_code == 404
    last = here.client.upload(author, name, picture[5000:], 5000)
    assert last.json() == {"size": len(picture), "whole": True}
    assert held(here, author, name) == (200, str(len(picture)), "true")
    answer = here.client.http.get(f"/v1/pictures/{name}", headers=author.authorization)
    assert answer.content == picture


@rule("R41")
def test_a_part_that_does_not_continue_is_told_where_to(here: Here, author: Author) -> None:
    picture = author.picture(9000)
    name = recorded(here, author, picture)
    here.client.upload(author, name, picture[:100])
    for offset in (0, 99, 101):
        answer = here.client.upload(author, name, picture[offset:200], offset)
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (409, "100")
        assert answer.json()["reason"] == "upload_offset"


@rule("R40")
def test_a_last_part_sent_twice_changes_nothing(here: Here, author: Author) -> None:
    picture = author.picture()
    name = recorded(here, author, picture)
    first = here.client.upload(author, name, picture)
    assert here.client.upload(author, name, picture).json() == first.json()


@rule("R41")
def test_a_wrong_hash_drops_the_part(here: Here, author: Author) -> None:
    picture = author.picture()
    name = recorded(here, author, picture)
    answer = here.client.upload(author, name, os.urandom(len(picture)))
    assert (answer.status_code, answer.json()["reason"]) == (422, "wrong_hash")
    assert held(here, author, name) == (200, "0", "false")
    assert here.client.upload(author, name, picture).json()["whole"]


@rule("R41")
def test_a_picture_that_no_row_names_is_not_taken(here: Here, author: Author) -> None:
    picture = author.picture()
    assert here.client.upload(author, picture_name(picture), picture).status_code == 404
    assert here.client.upload(author, "not-a-name", picture).status_code in {400, 404}
    stranger = Author()
    here.client.enrol(stranger)
    name = recorded(here, author, picture)
    assert here.client.upload(stranger, name, picture).status_code == 404


@rule("R44")
def test_a_picture_is_no_longer_than_its_row_says(here: Here, author: Author) -> None:
    picture = author.picture()
    name = recorded(here, author, picture)
    answer = here.client.upload(author, name, picture + b"x")
    assert (answer.status_code, answer.json()["reason"]) == (413, "too_large")
    assert here.client.upload(author, name, bytes(4 * 1024 * 1024 + 1)).status_code == 413


def test_a_range_is_answered_with_what_it_asks_for(here: Here, author: Author) -> None:
    picture = author.picture()
    name = recorded(here, author, picture)
    here.client.upload(author, name, picture)

    def ask(span: str) -> tuple[int, bytes, str]:
        headers = {**author.authorization, "Range": span}
        answer = here.client.http.get(f"/v1/pictures/{name}", headers=headers)
        return answer.status_code, answer.content, answer.headers.get("Content-Range", "")

    size = len(picture)
    assert ask("bytes=10-19") == (206, picture[10:20], f"bytes 10-19/{size}")
    assert ask("bytes=4000-") == (206, picture[4000:], f"bytes 4000-{size - 1}/{size}")
    assert ask(f"bytes={size}-")[0] == 416
    assert ask("bytes=20-10")[0] == 416
    assert ask("lines=1-2")[0] == 400


@rule("R25")
def test_a_deletion_takes_the_pictures_too(here: Here, author: Author) -> None:
    picture, under_way = author.picture(), author.picture()
    capture = author.capture(SLOT, pictures=[picture, under_way])
    here.client.push(author, capture)
    name = picture_name(picture)
    here.client.upload(author, name, picture)
    here.client.upload(author, picture_name(under_way), under_way[:500])
    here.client.push(author, author.entry(SLOT, life=1))
    answer = here.client.http.get(f"/v1/pictures/{name}", headers=author.authorization)
    assert answer.status_code == 404
    assert stored_pictures(here.folder) == []
    assert here.client.upload(author, name, picture).status_code == 404


@rule("R40")
def test_a_picture_that_the_disk_does_not_give_back_is_asked_for_again(here: Here, author: Author) -> None:
    picture = author.picture()
    name = recorded(here, author, picture)
    here.client.upload(author, name, picture)
    (stored,) = [path for path in (here.folder / "pictures").rglob("*") if path.is_file()]
    stored.unlink()
    stored.mkdir()  # a file that cannot be read, whoever asks
    answer = here.client.http.get(f"/v1/pictures/{name}", headers=author.authorization)
    assert (answer.status_code, answer.json()["reason"]) == (503, "busy")


@rule("R44")
def test_over_the_quota_pictures_wait_and_rows_do_not(tmp_path: Path) -> None:
    author, settings = Author(), Settings(folder=tmp_path / "server", picture_quota_bytes=5000)
    first, second = author.picture(3000), author.picture(3000)
    with TestClient(create_app(settings, GivenClock(WEDNESDAY))) as http:
        client = Client(http)
        client.enrol(author, author.enrol(author.terms()))
        rows = author.capture(SLOT, pictures=[first]), author.capture(SLOT - 1, pictures=[second])
        assert reasons(client.push(author, *rows)) == ["received", "received"]
        assert client.upload(author, picture_name(first), first).status_code == 200
        answer = client.upload(author, picture_name(second), second)
        assert (answer.status_code, answer.json()["reason"]) == (413, "quota")
        assert client.upload(author, picture_name(first), first).json()["whole"]
        client.push(author, author.entry(SLOT, life=1))
        assert client.upload(author, picture_name(second), second).json()["whole"]


@rule("R44")
def test_a_device_keeps_the_pictures_that_find_no_room_and_syncs_the_rest(tmp_path: Path) -> None:
    clock = GivenClock(WEDNESDAY)
    with serving(tmp_path / "server", clock, quota_bytes=10_000) as url:
        stage = Stage(tmp_path, url, clock)
        device = stage.first(registered=False)
        with device.diary as diary, device.line:
            contract = diary.new_contract(title="Practice")
            for at in range(4):
                record_slot(diary, contract, Slot(SLOT - at), memo="kept", picture=os.urandom(3000))
            report = register(diary, device.line)
            assert report.pictures_left == 6
            assert diary.queue().versions == 0
            device.failing.paths.clear()
            assert device.sync().pictures_left == 6
            # One is tried; the others are not carried there to be turned away.
            assert len([path for path in device.failing.paths if path.startswith("PUT")]) == 1


@rule("R25")
def test_a_killed_servers_unfinished_removal_is_finished_at_the_next_start(tmp_path: Path) -> None:
    clock = GivenClock(WEDNESDAY)
    settings = Settings(folder=tmp_path / "server")
    author, picture = Author(), b""
    server = Server.at(settings, clock)
    server.enrol(author.enrol(author.terms()))
    picture = author.picture()
    capture = author.capture(SLOT, pictures=[picture])
    authorization = author.authorization["Authorization"]
    server.push(authorization, author.push(capture))
    server.take_picture(authorization, picture_name(picture), 0, picture)
    with server._storage.hold(author.account) as hold:  # the commit of a deletion, and then the power cut
        hold.destroy([(author.replica, n_of(capture))])
    del server
    again = Server.at(settings, clock)
    again.tidy()
    again.close()
    assert stored_pictures(settings.folder) == []
    assert capture.wrap is not None
    assert all(capture.wrap not in path.read_bytes() for path in settings.folder.glob("server.db*"))
