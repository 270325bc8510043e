"""One suite for every place that pictures lie in: a folder, and a real object store's bucket (R41, R69)."""

import hashlib
import os
import resource
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from diary.rules.ids import AccountId
from sync.server.blobs import Blobs, Elsewhere, Upload, Whole, WrongHash
from sync.server.blobs_folder import FolderBlobs
from sync.server.blobs_s3 import S3Blobs
from sync.server.faults import BusyError
from tests.rule import rule
from tests.sync.server.conftest import Opener
from tests.sync.server.object_store import ObjectStore, put_environment

ACCOUNT, OTHER = AccountId("a" * 32), AccountId("b" * 32)


@pytest.fixture
def blobs(place: Opener) -> Blobs:
    return place()


def picture(size: int = 9000) -> tuple[str, bytes]:
    content = os.urandom(size)
    return hashlib.sha256(content).hexdigest(), content


def there(blobs: Blobs) -> list[tuple[str, str, bool]]:
    return [(found.account, found.name, found.is_part) for found in blobs.listed("")]


@rule("R41")
def test_an_upload_goes_on_where_it_stopped_in_another_process(place: Opener) -> None:
    name, content = picture()
    assert place().upload(ACCOUNT, name) == Upload(0, whole=False)
    assert place().append(ACCOUNT, name, 0, content[:4000]) == 4000
    assert place().upload(ACCOUNT, name) == Upload(4000, whole=False)
    assert place().append(ACCOUNT, name, 4000, content[4000:5000]) == 5000
    assert place().finish(ACCOUNT, name, 5000, content[5000:]) == Whole()
    assert place().upload(ACCOUNT, name) == Upload(9000, whole=True)
    assert place().read(ACCOUNT, name, 0, 9000) == content


@rule("R41")
def test_a_part_that_does_not_continue_changes_nothing(blobs: Blobs) -> None:
    name, content = picture()
    blobs.append(ACCOUNT, name, 0, content[:4000])
    for offset in (0, 3999, 4001):
        assert blobs.append(ACCOUNT, name, offset, content[offset:8000]) == 4000
    for offset in (3999, 4001):
        assert blobs.finish(ACCOUNT, name, offset, content[offset:]) == Elsewhere(4000)
    assert blobs.upload(ACCOUNT, name) == Upload(4000, whole=False)
    assert blobs.append(ACCOUNT, name, 4000, b"") == 4000


@rule("R41")
def test_a_finished_upload_leaves_nothing_but_the_picture(blobs: Blobs) -> None:
    name, content = picture()
    blobs.append(ACCOUNT, name, 0, content[:4000])
    blobs.finish(ACCOUNT, name, 4000, content[4000:])
    assert there(blobs) == [(ACCOUNT, name, False)]


@rule("R41")
def test_a_picture_in_one_piece_takes_the_place_of_what_was_held(blobs: Blobs) -> None:
    name, content = picture()
    blobs.append(ACCOUNT, name, 0, content[:4000])
    assert blobs.finish(ACCOUNT, name, 0, content) == Whole()
    assert blobs.upload(ACCOUNT, name) == Upload(9000, whole=True)
    assert blobs.read(ACCOUNT, name, 0, 9000) == content


@rule("R41")
@pytest.mark.parametrize("offset", [0, 4000])
def test_a_wrong_hash_drops_all_of_the_upload(blobs: Blobs, offset: int) -> None:
    name, content = picture()
    blobs.append(ACCOUNT, name, 0, content[:4000])
    assert blobs.finish(ACCOUNT, name, offset, os.urandom(5000)) == WrongHash()
    assert there(blobs) == []
    assert blobs.upload(ACCOUNT, name) == Upload(0, whole=False)


@rule("R40")
def test_what_is_whole_stays_so_whatever_is_sent_again(place: Opener) -> None:
    name, content = picture()
    one, two = place(), place()
    one.append(ACCOUNT, name, 0, content[:4000])
    assert one.finish(ACCOUNT, name, 4000, content[4000:]) == Whole()
    assert two.finish(ACCOUNT, name, 4000, content[4000:]) == Whole()
    assert two.finish(ACCOUNT, name, 0, content) == Whole()
    assert two.append(ACCOUNT, name, 4000, content[4000:5000]) == 9000
    assert two.upload(ACCOUNT, name) == Upload(9000, whole=True)
    assert there(one) == [(ACCOUNT, name, False)]


@rule("R40")
def test_uploads_of_one_picture_at_once_from_several_processes_end_in_it(place: Opener) -> None:
    step, processes = 1000, [place() for _ in range(4)]
    for _ in range(3):
        name, content = picture(8000)

        def send(blobs: Blobs, name: str = name, content: bytes = content) -> None:
            for _ in range(200):
                held = blobs.upload(ACCOUNT, name)
                if held.whole:
                    return
                part = content[held.size : held.size + step]
                if held.size + len(part) < len(content):
                    blobs.append(ACCOUNT, name, held.size, part)
                else:
                    blobs.finish(ACCOUNT, name, held.size, part)
            raise AssertionError("the uploads hold each other up")

        with ThreadPoolExecutor(len(processes)) as pool:
            list(pool.map(send, processes))
        assert processes[0].read(ACCOUNT, name, 0, 8000) == content


@rule("R41")
def test_a_range_of_a_picture_is_read(blobs: Blobs) -> None:
    name, content = picture()
    blobs.append(ACCOUNT, name, 0, content[:4000])
    with pytest.raises(FileNotFoundError):
        blobs.read(ACCOUNT, name, 0, 10)
    blobs.finish(ACCOUNT, name, 0, content)
    assert blobs.read(ACCOUNT, name, 10, 20) == content[10:30]
    assert blobs.read(ACCOUNT, name, 8990, 100) == content[8990:]
    assert blobs.read(ACCOUNT, name, 10, 0) == b""
    with pytest.raises(FileNotFoundError):
        blobs.read(OTHER, name, 0, 10)


@rule("R25")
def test_removing_takes_pictures_and_parts_and_can_be_done_again(blobs: Blobs) -> None:
    whole, part, other = picture(), picture(), picture()
    for account, (name, content) in ((ACCOUNT, whole), (OTHER, whole), (OTHER, other)):
        blobs.finish(account, name, 0, content)
    blobs.append(ACCOUNT, part[0], 0, part[1][:4000])
    blobs.append(ACCOUNT, part[0], 4000, part[1][4000:5000])
    gone = [(ACCOUNT, whole[0]), (ACCOUNT, part[0]), (OTHER, other[0]), (OTHER, "0" * 64)]
    for _ in range(2):
        blobs.remove(gone)
        assert there(blobs) == [(OTHER, whole[0], False)]
    with pytest.raises(FileNotFoundError):
        blobs.read(ACCOUNT, whole[0], 0, 10)
    assert blobs.upload(ACCOUNT, part[0]) == Upload(0, whole=False)
    assert blobs.finish(ACCOUNT, whole[0], 0, whole[1]) == Whole()


@rule("R41")
def test_dropping_parts_leaves_pictures(blobs: Blobs) -> None:
    whole, part = picture(), picture()
    blobs.finish(ACCOUNT, whole[0], 0, whole[1])
    blobs.append(ACCOUNT, part[0], 0, part[1][:4000])
    blobs.drop_parts([(ACCOUNT, whole[0]), (ACCOUNT, part[0]), (ACCOUNT, "0" * 64)])
    assert there(blobs) == [(ACCOUNT, whole[0], False)]


@rule("R41")
def test_what_lies_there_is_listed_in_order_and_from_anywhere(blobs: Blobs) -> None:
    before_ms = time.time() * 1000
    made = sorted((account, picture(100)) for account in (ACCOUNT, OTHER) for _ in range(4))
    for account, (name, content) in made:
        blobs.finish(account, name, 0, content)
    blobs.append(OTHER, "f" * 64, 0, b"a part")
    keys = [f"{account}/{name}" for account, (name, _) in made] + [f"{OTHER}/{'f' * 64}"]
    found = list(blobs.listed(""))
    assert [one.key for one in found] == keys
    assert [one.is_part for one in found] == [False] * 8 + [True]
    # An object store's clock counts whole seconds.
    assert all(before_ms - 1000 <= one.written_ms <= time.time() * 1000 + 1000 for one in found)
    for at, key in enumerate(keys):
        assert [one.key for one in blobs.listed(key)] == keys[at + 1 :]
    assert [one.key for one in blobs.listed("c")] == []


@pytest.mark.parametrize(
    ("account", "name"),
    [(ACCOUNT, "../" * 10 + "1" * 34), (AccountId(".."), "1" * 64), (ACCOUNT, "A" * 64), (ACCOUNT, "")],
)
def test_no_name_from_the_network_leaves_the_place(blobs: Blobs, account: AccountId, name: str) -> None:
    for ask in (
        lambda: blobs.read(account, name, 0, 1),
        lambda: blobs.upload(account, name),
        lambda: blobs.append(account, name, 0, b"x"),
        lambda: blobs.finish(account, name, 0, b"x"),
        lambda: blobs.remove([(account, name)]),
    ):
        with pytest.raises(FileNotFoundError):
            ask()


@contextmanager
def no_file_over(size: int) -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@rule("R41")
def test_a_disk_that_takes_half_a_part_keeps_none_of_it(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path / "pictures")
    name, content = picture()
    blobs.append(ACCOUNT, name, 0, content[:4000])
    with no_file_over(6000):
        with pytest.raises(BusyError):
            blobs.append(ACCOUNT, name, 4000, content[4000:8000])
        with pytest.raises(BusyError):
            blobs.finish(ACCOUNT, name, 4000, content[4000:])
    assert blobs.upload(ACCOUNT, name) == Upload(4000, whole=False)
    assert blobs.finish(ACCOUNT, name, 4000, content[4000:]) == Whole()


@rule("R40")
@rule("R69")
def test_an_object_store_that_is_away_says_busy_and_keeps_what_it_had(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_environment(monkeypatch, store.environment)
    blobs = S3Blobs(store.new_place())
    name, content = picture()
    blobs.append(ACCOUNT, name, 0, content[:4000])
    with store.away():
        for ask in (
            lambda: blobs.upload(ACCOUNT, name),
            lambda: blobs.append(ACCOUNT, name, 4000, content[4000:5000]),
            lambda: blobs.finish(ACCOUNT, name, 4000, content[4000:]),
            lambda: blobs.finish(ACCOUNT, name, 0, content),
            lambda: blobs.read(ACCOUNT, name, 0, 10),
            lambda: blobs.remove([(ACCOUNT, name)]),
            lambda: list(blobs.listed("")),
        ):
            with pytest.raises(BusyError, match="cannot be reached"):
                ask()
    assert blobs.upload(ACCOUNT, name) == Upload(4000, whole=False)
    assert blobs.finish(ACCOUNT, name, 4000, content[4000:]) == Whole()
    blobs.close()


@rule("R25")
def test_a_bucket_that_keeps_versions_is_told_of_since_deleting_does_not_destroy_there(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_environment(monkeypatch, store.environment)
    bucket = store.new_bucket()
    for command, warned in (("", False), ("-enable", True)):
        if command:
            store.shell(f"s3.bucket.versioning -name {bucket} {command}")
        with capture_logs() as logs:
            S3Blobs(f"s3://{bucket}/x").close()
        assert any("keeps versions" in line["event"] for line in logs) == warned


@rule("R41")
def test_an_object_stores_leftovers_of_a_killed_process_harm_nobody(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_environment(monkeypatch, store.environment)
    url = store.new_place()
    blobs, line = S3Blobs(url), store.line(url)
    name, content = picture()
    # Two processes that saw the same upload end at different places, and one was killed.
    for offset, size in ((0, 4000), (4000, 2000), (5000, 1000)):
        line.put(f"{ACCOUNT}/{name}/part-{offset:08d}", content[offset : offset + size])
    assert blobs.upload(ACCOUNT, name) == Upload(6000, whole=False)
    assert blobs.finish(ACCOUNT, name, 6000, content[6000:]) == Whole()
    assert list(store.objects(url).values()) == [content]
    # Killed after the whole was written, before the parts were removed.
    line.put(f"{ACCOUNT}/{name}/part-00000000", content[:4000])
    assert blobs.upload(ACCOUNT, name) == Upload(9000, whole=True)
    blobs.drop_parts([(ACCOUNT, name)])
    assert list(store.objects(url).values()) == [content]
    blobs.close()
