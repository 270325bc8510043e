"""What happens to a picture while it is on its way: its row is deleted, its process killed (R25, R40, R41).

The storage is the toy one that passes the real suite; where the pictures lie is real.
"""

import hashlib
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from diary.clock import GivenClock
from diary.rules.ids import AccountId, Millis
from sync.protocol import PICTURE_TAG_BYTES, PicturePart
from sync.server.blobs import Upload
from sync.server.faults import NotFoundError, QuotaError, UploadOffsetError
from sync.server.pictures import ORPHAN_MILLIS, Pictures
from sync.server.storage import PictureRow, Storage
from tests.rule import rule
from tests.sync.server.conftest import Opener
from tests.sync.server.toy_storage import ToyStorage
from tests.sync.server.versions import ACCOUNT, OTHER_ACCOUNT, REPLICA, ROOT, SLOT, append, capture, terms

NOW = Millis(int(time.time() * 1000))


class Interrupted(ToyStorage):
    """A storage at which something else happens right after or before it is asked about a picture."""

    after_a_look: Callable[[], None] | None = None
    before_the_note: Callable[[], None] | None = None

    def picture(self, account: AccountId, name: str) -> PictureRow | None:
        found = super().picture(account, name)
        meanwhile, self.after_a_look = self.after_a_look, None
        if meanwhile is not None:
            meanwhile()
        return found

    def picture_arrived(self, account: AccountId, name: str) -> bool:
        meanwhile, self.before_the_note = self.before_the_note, None
        if meanwhile is not None:
            meanwhile()
        return super().picture_arrived(account, name)


@dataclass
class Scene:
    """One picture that a row names, and two server processes over the same storage and place."""

    open_place: Opener
    storage: Interrupted = field(default_factory=lambda: Interrupted(GivenClock(NOW)))
    content: bytes = field(default_factory=lambda: os.urandom(4096 + PICTURE_TAG_BYTES))

    def __post_init__(self) -> None:
        self.name = hashlib.sha256(self.content).hexdigest()
        self.place = self.open_place()
        self.one = Pictures(self.storage, self.place)
        self.other = Pictures(self.storage, self.open_place())
        with self.storage.hold(ACCOUNT) as hold:
            hold.open_account(ROOT)
            append(hold, terms(1), capture(2, pictures=((self.name, 4096),)))

    def delete(self) -> None:
        """Delete the segment at the other process, which removes the bytes at once."""
        with self.storage.hold(ACCOUNT) as hold:
            hold.destroy([(REPLICA, 2)])
        self.other.remove_doomed()

    def send(self, start: int = 0, stop: int | None = None, to: Pictures | None = None) -> PicturePart:
        return (to or self.one).take_part(ACCOUNT, self.name, start, self.content[start:stop])

    def stored(self) -> list[str]:
        return [found.name for found in self.place.listed("")]


@pytest.fixture
def scene(place: Opener) -> Scene:
    return Scene(place)


@rule("R44")
def test_uploads_at_once_never_share_the_last_room(storage: Storage, place: Opener) -> None:
    """Two devices of one account, at two server processes."""
    pictures = [os.urandom(4096 + PICTURE_TAG_BYTES) for _ in range(6)]
    names = [hashlib.sha256(content).hexdigest() for content in pictures]
    with storage.hold(ACCOUNT) as hold:
        append(hold, terms(2))
        for at, name in enumerate(names):
            append(hold, capture(3 + at, slot=SLOT + at, pictures=((name, 4096),)))
    processes = [Pictures(storage, place(), quota_bytes=3 * 4096 + 100) for _ in range(2)]

    def send(at: int) -> bool:
        process, name, content = processes[at % 2], names[at], pictures[at]
        try:
            if at % 3:
                process.take_part(ACCOUNT, name, 0, content[:1000])
                return process.take_part(ACCOUNT, name, 1000, content[1000:]).whole
            return process.take_part(ACCOUNT, name, 0, content).whole
        except QuotaError:
            return False

    with ThreadPoolExecutor(6) as pool:
        came = list(pool.map(send, range(6)))
    assert came.count(True) == 3
    assert storage.picture_bytes(ACCOUNT) == 3 * 4096
    # What found no room left nothing behind.
    assert {found.name for found in place().listed("")} == {
        name for name, is_in in zip(names, came, strict=True) if is_in
    }
    with storage.hold(ACCOUNT) as hold:
        hold.destroy([(REPLICA, 3 + came.index(True))])
    assert send(came.index(False))
    assert not all(send(at) for at in range(6) if not came[at])


@rule("R44")
def test_a_picture_on_its_way_has_its_room_until_its_row_goes(scene: Scene) -> None:
    rationed = Pictures(scene.storage, scene.open_place(), quota_bytes=4096)
    scene.send(0, 1000, to=rationed)
    assert scene.storage.picture_bytes(ACCOUNT) == 4096
    assert scene.send(1000, to=rationed).whole
    scene.delete()
    assert scene.storage.picture_bytes(ACCOUNT) == 0


@rule("R25")
@pytest.mark.parametrize("stop", [1000, None])
def test_a_deletion_while_a_part_is_written_wins(scene: Scene, stop: int | None) -> None:
    scene.storage.after_a_look = scene.delete
    with pytest.raises(NotFoundError):
        scene.send(0, stop)
    assert scene.stored() == []


@rule("R25")
def test_a_deletion_between_the_last_part_and_the_note_of_it_wins(scene: Scene) -> None:
    scene.send(0, 1000)
    scene.storage.before_the_note = scene.delete
    with pytest.raises(NotFoundError):
        scene.send(1000)
    assert scene.stored() == []
    assert scene.storage.doomed(10) == []


@rule("R25")
@pytest.mark.parametrize("stop", [1000, None])
def test_a_deletion_right_after_an_upload_removes_what_it_wrote(scene: Scene, stop: int | None) -> None:
    scene.send(0, stop)
    scene.delete()
    assert scene.stored() == []
    with pytest.raises(NotFoundError):
        scene.send(0, stop)
    with pytest.raises(NotFoundError):
        scene.one.span(ACCOUNT, scene.name, 0, None)


@rule("R25")
def test_bytes_that_go_while_they_are_asked_for_are_not_found(scene: Scene) -> None:
    scene.send()
    scene.storage.after_a_look = scene.delete
    with pytest.raises(NotFoundError):
        scene.one.span(ACCOUNT, scene.name, 0, None)


@rule("R41")
def test_parts_go_to_whichever_process_answers(scene: Scene) -> None:
    assert scene.send(0, 1000) == PicturePart(size=1000, whole=False)
    assert scene.send(1000, 2000, to=scene.other) == PicturePart(size=2000, whole=False)
    assert scene.one.part(ACCOUNT, scene.name) == PicturePart(size=2000, whole=False)
    assert scene.send(2000) == PicturePart(size=len(scene.content), whole=True)
    assert scene.other.span(ACCOUNT, scene.name, 10, 19).content == scene.content[10:20]


@rule("R40")
def test_a_doubled_part_is_answered_as_the_first_one(scene: Scene) -> None:
    scene.send(0, 1000)
    for process in (scene.one, scene.other):
        with pytest.raises(UploadOffsetError):
            scene.send(0, 500, to=process)
        assert scene.send(0, 1000, to=process) == PicturePart(size=1000, whole=False)
    for process in (scene.one, scene.other):
        assert scene.send(1000, to=process) == PicturePart(size=len(scene.content), whole=True)


@rule("R40")
def test_a_picture_whose_process_was_killed_before_it_noted_it_is_not_sent_again(scene: Scene) -> None:
    scene.place.finish(ACCOUNT, scene.name, 0, scene.content)
    row = scene.storage.picture(ACCOUNT, scene.name)
    assert row is not None
    assert not row.whole
    assert scene.other.part(ACCOUNT, scene.name) == PicturePart(size=len(scene.content), whole=True)
    row = scene.storage.picture(ACCOUNT, scene.name)
    assert row is not None
    assert row.whole


@rule("R25")
def test_a_removal_that_a_killed_process_left_is_done_by_another(scene: Scene) -> None:
    scene.send()
    with scene.storage.hold(ACCOUNT) as hold:
        hold.destroy([(REPLICA, 2)])
    assert scene.stored() == [scene.name]
    scene.other.remove_doomed()
    assert scene.stored() == []


@rule("R41")
def test_what_no_row_names_is_collected_after_a_day(scene: Scene) -> None:
    scene.send(0, 1000)
    scene.place.append(ACCOUNT, "1" * 64, 0, b"a part of nothing")
    scene.place.finish(OTHER_ACCOUNT, hashlib.sha256(b"no row's").hexdigest(), 0, b"no row's")
    assert len(scene.stored()) == 3
    written_ms = int(time.time() * 1000)  # files have their times from the machine, a while after NOW
    assert scene.one.collect_orphans(Millis(written_ms + ORPHAN_MILLIS - 60_000)) == 0
    assert scene.one.collect_orphans(Millis(written_ms + ORPHAN_MILLIS + 1_000)) == 2
    assert scene.stored() == [scene.name]
    assert scene.send(1000).whole


@rule("R41")
def test_parts_that_a_late_request_left_beside_a_whole_picture_are_collected_too(scene: Scene) -> None:
    scene.send(0, 1000)
    late, name = scene.open_place(), scene.name
    scene.send(0)
    late.append(ACCOUNT, "2" * 64, 0, b"x")
    assert scene.place.upload(ACCOUNT, name) == Upload(len(scene.content), whole=True)
    assert scene.one.collect_orphans(Millis(NOW + 2 * ORPHAN_MILLIS)) == 1
    assert scene.stored() == [name]
    assert scene.one.span(ACCOUNT, name, 0, None).content == scene.content


@rule("R41")
def test_a_place_too_large_for_one_look_is_gone_through_from_look_to_look(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.server.pictures.LOOK_MAX", 3)
    for at in range(10):
        scene.place.append(ACCOUNT, hashlib.sha256(bytes([at])).hexdigest(), 0, b"a part of nothing")
    later = Millis(NOW + 2 * ORPHAN_MILLIS)
    looks = [scene.one.collect_orphans(later) for _ in range(4)]
    assert sum(looks) == 10
    assert max(looks) == 3
    assert scene.stored() == []
