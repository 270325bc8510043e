"""The device's disk takes no more at any block: nothing acknowledged is lost or half stored (R19, R25).

One story is told on a disk that has room for so many blocks and no more, and under a bound that lets no file
grow past so many: the first is full (SQLITE_FULL), the second fails at a write (SQLITE_IOERR). What fails
says so, and is done again once there is room.
"""

import resource
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from diary.clock import GivenClock
from diary.diary import Diary
from diary.errors import MachineError
from diary.evidence.receipt import Page, Receipt, Refusal, SignedAnswer, read_answer
from diary.rules.ids import ContractId, Slot
from diary.rules.week import Week
from diary.store.connection import DiskError, DiskFullError
from sync.fetching import Fetches
from sync.protocol import Pull
from sync.succession import message_of
from tests.practice import instant, record_slot, slot
from tests.rule import rule
from tests.small_disk import fill, small_disk
from tests.sync.stage import stage_in, two_devices

TEN = slot("2026-11-18T10:00Z")
NOW = instant("2026-11-18T12:00Z")
BLOCK = 4096
PICTURE = b"what the screen showed " * 1000
SAMPLE = 7  # blocks from one sampled to the next; make soak visits all
SOME_OR_ALL = [
    pytest.param(SAMPLE, id="some"),
    pytest.param(1, id="all", marks=[pytest.mark.soak, pytest.mark.timeout(3600)]),
]
Shown = list[tuple[Slot, str, str, int]]
Act = Callable[[Diary], object]


@dataclass(frozen=True)
class Story:
    """What a device does, its server's answers as they came, and how its diary lies before and after."""

    home: Path
    files: dict[str, bytes]
    contract: ContractId
    ids: list[int]
    answers: tuple[Receipt | Refusal, ...]
    signed: SignedAnswer
    pages: list[Page]
    pictures: dict[str, bytes]
    traces: list[bytes]

    @property
    def acts(self) -> list[Act]:
        return [
            self._settle,
            lambda diary: record_slot(diary, diary.contract("Practice"), Slot(TEN + 5), picture=PICTURE),
            lambda diary: diary.edit([(self.contract, Slot(TEN + 1))], memo="edited " * 500),
            lambda diary: diary.remove([(self.contract, TEN)]),
            lambda diary: diary.take_pages(self.pages),
            *(self._keeping(name) for name in self.pictures),
            lambda diary: diary.start(self.contract, memo="afterwards"),
        ]

    def put_back(self) -> None:
        """Put the diary back to before, in place: a moved file would take a new replica id (R42)."""
        for path in self.home.glob("diary.db-*"):
            path.unlink()
        for name, content in self.files.items():
            with (self.home / name).open("r+b") as file:
                file.truncate()
                file.write(content)

    def _settle(self, diary: Diary) -> None:
        diary.settle(diary.sign_push(self.ids, "https://sync.example"), self.answers, self.signed)

    def _keeping(self, name: str) -> Act:
        return lambda diary: diary.keep_picture(name, self.pictures[name])


def story_in(folder: Path) -> Story:
    """Return the story of a device with synced, unsent and unread segments."""
    with stage_in(folder) as stage:
        a, b, contract = two_devices(stage, [Slot(TEN + at) for at in range(3)])
        b.sync()
        record_slot(b.diary, contract, Slot(TEN + 4), picture=PICTURE + b"of the other")
        b.diary.edit([(contract.id, Slot(TEN + 2))], memo="edited by the other")
        b.sync()
        record_slot(a.diary, contract, Slot(TEN + 3), picture=PICTURE)
        removed = a.segment((contract.id, TEN)).snapshots[0].screen
        sealed = a.diary.sealed_picture(removed) or b""
        cursors = a.diary.cursors()
        a.diary.close()
        files = {path.name: path.read_bytes() for path in a.diary.home.iterdir() if path.is_file()}
        with Diary.open(a.diary.home, clock=GivenClock(NOW)) as diary:
            link = diary.server()
            assert link
            ids = [due.id for due in diary.due()]
            assert ids
            a.line.authorise(diary.account, diary.replica, diary.token)
            pages = a.line.pull(Pull(account=diary.account, cursors=cursors)).pages
            message = message_of(diary.account, diary.sign_push(ids, link.url))
            answer = a.line.push(msgspec.json.encode(message)).answers
            diary.take_pages(pages)
            fetches = Fetches(a.line, diary.clock)
            pictures = {each.name: fetches.fetch(each.name) for each in diary.pictures_to_fetch()}
        whole = {name: bytes_ for name, bytes_ in pictures.items() if isinstance(bytes_, bytes)}
        assert len(whole) == len(pictures) == 2
        answers = tuple(read_answer(answer, bytes.fromhex(link.key)))
        traces = [sealed[len(sealed) // 2 :][:64]]
    for other in (folder / "server", b.diary.home):
        shutil.rmtree(other)
    return Story(a.diary.home, files, contract.id, ids, answers, answer, pages, whole, traces)


class Disk:
    """A disk on which a diary lies; `bound` leaves it so many blocks, `free` all it had."""

    def __init__(self, folder: Path, *, is_small: bool) -> None:
        self.folder = folder
        self.is_small = is_small
        self.full: type[MachineError] = DiskFullError if is_small else DiskError
        self._limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def bound(self, blocks: int) -> None:
        if self.is_small:
            fill(self.folder, left=blocks * BLOCK)
        else:
            resource.setrlimit(resource.RLIMIT_FSIZE, (blocks * BLOCK, self._limits[1]))

    def free(self) -> None:
        (self.folder / "filler").unlink(missing_ok=True)
        resource.setrlimit(resource.RLIMIT_FSIZE, self._limits)


@contextmanager
def disk_in(folder: Path, *, is_small: bool) -> Iterator[Disk]:
    folder.mkdir()
    if not is_small:
        disk = Disk(folder, is_small=False)
        try:
            yield disk
        finally:
            disk.free()
        return
    with small_disk(folder, kibibytes=16384) as mounted:
        yield Disk(mounted, is_small=True)


def shown(diary: Diary) -> Shown:
    segments = diary.week(Week.of(TEN)).segments
    return [(one.slot, one.state, one.memo, len(one.snapshots)) for one in segments]


def check_destroyed(diary: Diary, story: Story) -> bool:
    """Check that what was removed is in no file, or that the diary says so; return whether it says so."""
    held = b"".join(path.read_bytes() for path in diary.home.iterdir() if path.is_file())
    is_there = any(trace in held for trace in story.traces)
    is_removed = dict(line[:2] for line in shown(diary)).get(TEN) in {None, "deleted"}
    assert not (is_removed and is_there) or diary.status().destroying
    return diary.status().destroying


def fault_of(act: Act, diary: Diary) -> MachineError | None:
    try:
        act(diary)
    except MachineError as fault:
        return fault
    return None


@dataclass
class Told:
    """How a telling went: what failed, how often the diary said that it was destroying, and the end."""

    failed: int = 0
    destroying: int = 0
    end: Shown | None = None


def tell(disk: Disk, story: Story, blocks: int | None, *, at_once: bool = True) -> Told:
    """Tell the story with room for so many blocks, None for all, until an act failed or all were tried."""
    story.put_back()
    told = Told()
    left: list[Act] = []
    with Diary.open(story.home, clock=GivenClock(NOW)) as diary:
        if blocks is not None:
            disk.bound(blocks)
        for act in story.acts:
            before = shown(diary), diary.queue().versions, diary.tracking()
            fault = fault_of(act, diary)
            if fault is not None:
                told.failed += 1
                assert (type(fault), fault.exit_code) == (disk.full, 6), blocks
                assert (shown(diary), diary.queue().versions, diary.tracking()) == before, blocks
                told.destroying += check_destroyed(diary, story)
                if at_once:
                    disk.free()
                    act(diary)
                else:
                    left.append(act)
            told.destroying += check_destroyed(diary, story)
        disk.free()
        for act in left:
            act(diary)
        diary.stop()
        assert not diary.status().destroying
        assert diary.file_fault() == ""
        assert diary.refusals() == ()
    with Diary.open(story.home, clock=GivenClock(NOW)) as diary:
        told.end = shown(diary)
        assert not check_destroyed(diary, story)
    return told


@rule("R19")
@rule("R25")
@pytest.mark.parametrize("at_once", [True, False], ids=["once", "often"])
@pytest.mark.parametrize("is_small", [True, False], ids=["full", "broken"])
@pytest.mark.parametrize("sample", SOME_OR_ALL)
def test_a_disk_that_takes_no_more_at_some_block_loses_nothing(
    tmp_path: Path, sample: int, *, is_small: bool, at_once: bool
) -> None:
    with disk_in(tmp_path / "disk", is_small=is_small) as disk:
        story = story_in(disk.folder)
        right = tell(disk, story, None)
        assert (right.failed, right.destroying) == (0, 0)
        tellings: list[Told] = []
        while not tellings or tellings[-1].failed:
            blocks = len(tellings) * sample
            tellings.append(tell(disk, story, blocks, at_once=at_once))
            assert tellings[-1].end == right.end, blocks
    assert any(each.destroying for each in tellings)
    assert len(tellings) > 60 // sample


def opened_and_shown(story: Story) -> Shown | MachineError:
    try:
        with Diary.open(story.home, clock=GivenClock(NOW)) as diary:
            return shown(diary)
    except MachineError as fault:
        return fault


@rule("R19")
@pytest.mark.parametrize("is_small", [True, False], ids=["full", "broken"])
def test_a_diary_that_finds_no_room_to_be_opened_says_so_and_opens_later(
    tmp_path: Path, *, is_small: bool
) -> None:
    with disk_in(tmp_path / "disk", is_small=is_small) as disk:
        story = story_in(disk.folder)
        story.put_back()
        whole = opened_and_shown(story)
        found = []
        for blocks in range(12):
            story.put_back()
            disk.bound(blocks)
            found.append(opened_and_shown(story))
            disk.free()
            assert opened_and_shown(story) == whole, blocks
    faults = [type(one) for one in found if one != whole]
    assert 0 < len(faults) < len(found)
    assert set(faults) == {disk.full}
