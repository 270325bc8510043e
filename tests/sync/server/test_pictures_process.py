"""Real server processes with their pictures in a folder, and in a real object store (R25, R40, R41, R69)."""

import os
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TypeAlias

import httpx
import pytest

from diary.clock import GivenClock
from diary.rules.ids import Millis, Slot
from diary.rules.week import slot_at
from diary.sealing.row import picture_name
from sync.enrolment import register
from sync.transport import ServerFailedError
from tests.practice import record_slot
from tests.rule import rule
from tests.sync.server.author import Author
from tests.sync.server.object_store import BUCKET, KEY, SECRET, ObjectStore
from tests.sync.server.process import Running, free_port, reasons, running, serve_command
from tests.sync.stage import Stage

# Nor a role: nothing answers where a machine would ask for it.
NO_KEYS = {
    "AWS_ACCESS_KEY_ID": "",
    "AWS_SECRET_ACCESS_KEY": "",
    "AWS_METADATA_ENDPOINT": "http://127.0.0.1:1",
}
SLOT = slot_at(int(time.time() * 1000)) - 2
Run: TypeAlias = Callable[[], AbstractContextManager[Running]]


@pytest.fixture
def bucket(store: ObjectStore) -> str:
    return store.new_place()


@pytest.fixture
def run(tmp_path: Path, store: ObjectStore, bucket: str) -> Run:
    """Return what runs a process of one and the same server, its pictures in the object store."""
    return partial(
        running, tmp_path / "server", pictures_url=bucket, environment={**os.environ, **store.environment}
    )


@pytest.fixture(params=["folder", "s3"])
def run_either(request: pytest.FixtureRequest, tmp_path: Path) -> Run:
    if request.param == "s3":
        given: Run = request.getfixturevalue("run")
        return given
    return partial(running, tmp_path / "server")


def enrolled(server: Running, *pictures: bytes, author: Author | None = None) -> Author:
    author = author or Author()
    server.client.enrol(author, author.enrol(author.terms()))
    rows = [author.capture(SLOT - at, pictures=[picture]) for at, picture in enumerate(pictures)]
    assert set(reasons(server.client.push(author, *rows))) == {"received"}
    return author


def held(server: Running, author: Author, name: str) -> tuple[int, bool]:
    answer = server.client.http.head(f"/v1/pictures/{name}", headers=author.authorization)
    assert answer.status_code == 200
    return int(answer.headers["Upload-Offset"]), answer.headers["Upload-Whole"] == "true"


def fetched(server: Running, author: Author, name: str) -> bytes:
    return server.client.http.get(f"/v1/pictures/{name}", headers=author.authorization).content


def clock_of_today() -> GivenClock:
    """Return a device's clock that agrees with the real server's.

    One read when this module was loaded is behind by as long as the tests before took: what the device then
    records would wait for a word of its freelancer, and no picture would be sent (R20).
    """
    return GivenClock(Millis(int(time.time() * 1000)))


@rule("R69")
@rule("R25")
def test_pictures_go_through_a_bucket_from_device_to_device_and_a_removal_destroys_them(
    run: Run, tmp_path: Path, store: ObjectStore, bucket: str
) -> None:
    with run() as server:
        stage = Stage(tmp_path, str(server.client.http.base_url), clock_of_today())
        a = stage.first(registered=False)
        contract = a.diary.new_contract(title="Practice")
        place = record_slot(a.diary, contract, Slot(SLOT), picture=os.urandom(600_000))
        kept = record_slot(a.diary, contract, Slot(SLOT - 1), picture=os.urandom(3000))
        register(a.diary, a.line)
        a.sync()
        phrase = a.diary.phrase()
        assert phrase is not None
        b = stage.another(phrase)
        b.sync()
        snapshots = [device.segment(at).snapshots[0] for device in (a, b) for at in (place, kept)]
        assert snapshots[:2] == snapshots[2:]
        for snapshot in snapshots[:2]:
            sealed = a.diary.sealed_picture(snapshot.screen)
            assert sealed is not None
            assert b.diary.sealed_picture(snapshot.screen) == sealed
            assert sealed in store.objects(bucket).values()
        assert len(store.objects(bucket)) == 4
        b.diary.remove([place])
        b.sync()
        left = store.objects(bucket)
        assert len(left) == 2
        assert any(snapshots[1].screen in path for path in left)
        a.sync()
        assert a.segment(place).state == "deleted"
        for device in stage.devices:
            device.line.close()
            device.diary.close()
    assert not (tmp_path / "server" / "pictures").exists()
    log = (tmp_path / "server.log").read_text(encoding="utf-8")
    assert "serving" in log
    assert SECRET not in log
    assert KEY not in log


@rule("R40")
@rule("R41")
def test_a_kill_during_uploads_loses_no_part_that_was_answered(run_either: Run) -> None:
    pictures = [Author().picture(8000) for _ in range(60)]
    acknowledged: list[tuple[str, int]] = []
    with run_either() as server:
        author = enrolled(server, *pictures)

        def upload_until_it_dies() -> None:
            for picture in pictures:
                name = picture_name(picture)
                for at in range(0, len(picture), 3000):
                    try:
                        answer = server.client.upload(author, name, picture[at : at + 3000], at)
                    except httpx.TransportError:
                        return
                    acknowledged.append((name, answer.json()["size"]))

        uploading = threading.Thread(target=upload_until_it_dies)
        uploading.start()
        while len(acknowledged) < 20:
            time.sleep(0.001)
        server.kill()
        uploading.join()
    assert len(acknowledged) < 180
    with run_either() as server:
        for name, size in acknowledged:
            assert held(server, author, name)[0] >= size
        for picture in pictures[: len(acknowledged) // 3 + 2]:
            name = picture_name(picture)
            size, whole = held(server, author, name)
            if not whole:
                assert server.client.upload(author, name, picture[size:], size).json()["whole"]
            assert fetched(server, author, name) == picture


@rule("R69")
def test_two_processes_share_a_bucket(run: Run) -> None:
    picture = Author().picture(9000)
    name = picture_name(picture)
    with run() as one, run() as two:
        author = enrolled(one, picture)
        assert one.client.upload(author, name, picture[:4000]).json() == {"size": 4000, "whole": False}
        assert held(two, author, name) == (4000, False)
        assert two.client.upload(author, name, picture[4000:], 4000).json()["whole"]
        assert held(one, author, name) == (len(picture), True)
        assert fetched(one, author, name) == picture


@rule("R41")
def test_a_bucket_that_is_away_keeps_pictures_waiting_and_rows_not(
    run: Run, tmp_path: Path, store: ObjectStore, bucket: str
) -> None:
    with run() as server:
        stage = Stage(tmp_path, str(server.client.http.base_url), clock_of_today())
        device = stage.first(registered=False)
        with device.diary as diary, device.line:
            contract = diary.new_contract(title="Practice")
            record_slot(diary, contract, Slot(SLOT), picture=os.urandom(600_000))
            register(diary, device.line)
            record_slot(diary, contract, Slot(SLOT + 1), picture=os.urandom(600_000))
            with store.away(), pytest.raises(ServerFailedError, match=r"503|cannot be reached"):
                device.sync()
            assert diary.queue().versions == 0
            assert len(diary.pictures_to_send()) == 2
            assert device.sync().pictures_left == 0
    assert len(store.objects(bucket)) == 4


@rule("R41")
@rule("R25")
def test_a_bucket_that_answers_nothing_holds_up_no_rows_and_no_deletion(
    run: Run, store: ObjectStore, bucket: str
) -> None:
    pictures = [Author().picture(9000) for _ in range(3)]
    with run() as server:
        author = enrolled(server, *pictures)
        kept, gone = picture_name(pictures[0]), picture_name(pictures[1])
        for picture in pictures[:2]:
            assert server.client.upload(author, picture_name(picture), picture).json()["whole"]
        with store.stuck():
            asking = [threading.Thread(target=lambda: fetched(server, author, kept)) for _ in range(20)]
            for thread in asking:
                thread.start()
            # Every one of these would wait for the store's own time limit, 30 s, behind those.
            with httpx.Client(base_url=server.client.http.base_url, timeout=25) as http:
                client = type(server.client)(http)
                assert reasons(client.push(author, author.capture(SLOT - 10))) == ["received"]
                assert reasons(client.push(author, author.entry(SLOT - 1, life=1))) == ["received"]
                assert len(client.pull_all(author)[author.contract]) == 6
        for thread in asking:
            thread.join()
        for _ in range(300):
            if not any(gone in path for path in store.objects(bucket)):
                break
            time.sleep(0.1)
        assert [kept in path for path in store.objects(bucket)] == [True]


@rule("R25")
def test_a_deletion_while_the_bucket_is_away_is_finished_once_it_is_back(
    run: Run, store: ObjectStore, bucket: str
) -> None:
    picture = Author().picture(9000)
    with run() as server:
        author = enrolled(server, picture)
        assert server.client.upload(author, picture_name(picture), picture).json()["whole"]
        with store.away():
            assert reasons(server.client.push(author, author.entry(SLOT, life=1))) == ["received"]
        for _ in range(900):
            if not store.objects(bucket):
                break
            time.sleep(0.1)
        assert store.objects(bucket) == {}


def refused_start(folder: Path, url: str, environment: dict[str, str]) -> str:
    """Return what a server says that ends at its start instead of serving."""
    done = subprocess.run(
        serve_command(folder, free_port(), pictures_url=url),
        env={name: value for name, value in {**os.environ, **environment}.items() if value},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 2, said
    assert "Traceback" not in said
    assert SECRET not in said
    return said


@rule("R69")
@pytest.mark.parametrize(
    ("url", "changed", "named"),
    [
        (f"s3://{BUCKET}/x", {"AWS_SECRET_ACCESS_KEY": "wrong"}, "SignatureDoesNotMatch"),
        (f"s3://{BUCKET}/x", {"AWS_ACCESS_KEY_ID": "nobody"}, "InvalidAccessKeyId"),
        ("s3://no-such-bucket", {}, "NoSuchBucket"),
        (f"s3://{BUCKET}/x", {"AWS_ACCESS_KEY_ID": ""}, "AWS_ACCESS_KEY_ID"),
        (f"s3://{BUCKET}/x", NO_KEYS, "AWS_ACCESS_KEY_ID"),
        (f"s3://{BUCKET}/x", {"AWS_ALLOW_HTTP": "false"}, "AWS_ALLOW_HTTP"),
        (f"s3://{KEY}:{SECRET}@{BUCKET}", {}, "AWS_ACCESS_KEY_ID"),
        (f"https://{BUCKET}/x", {}, "s3://bucket/folder"),
        ("s3://", {}, "s3://bucket/folder"),
    ],
)
def test_a_server_that_may_not_use_its_bucket_says_so_and_how_to_mend_it(
    tmp_path: Path, store: ObjectStore, url: str, changed: dict[str, str], named: str
) -> None:
    said = refused_start(tmp_path / "server", url, {**store.environment, **changed})
    assert named in " ".join(said.split())


@rule("R69")
def test_a_server_starts_while_its_bucket_is_away(run: Run, store: ObjectStore) -> None:
    picture = Author().picture()
    with store.away():
        starting = run()
        server = starting.__enter__()
        author = enrolled(server, picture)
        answer = server.client.upload(author, picture_name(picture), picture)
        assert (answer.status_code, answer.json()["reason"]) == (503, "busy")
    assert server.client.upload(author, picture_name(picture), picture).json()["whole"]
    starting.__exit__(None, None, None)
