"""Beginnings die at each labelled point, and are made again by the same command in the same folder (R50)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from diary.clock import GivenClock
from diary.diary import Diary
from diary.rules.ids import Slot
from diary.rules.week import slot_at
from tests.kills.edges import Point
from tests.kills.nursery import Mortal, Nursery
from tests.kills.pair import WEDNESDAY, wait_until_it_answers
from tests.practice import instant, record_slot
from tests.rule import rule
from tests.sync.server.process import free_port
from tests.sync.stage import serving

NOW = instant(WEDNESDAY)
SLOT = Slot(slot_at(NOW) - 6)
REST_MS = 120_000  # after it an address and an account may ask as often again as two logins do (R44)
SAMPLE = 11  # points from one sampled to the next; make soak visits all
SOME_OR_ALL = [
    pytest.param(SAMPLE, id="some"),
    pytest.param(1, id="all", marks=[pytest.mark.soak, pytest.mark.timeout(3600)]),
]


class Beginner:
    """Begins an account on one device after the other, and takes it to a server and to a second device."""

    def __init__(self, nursery: Nursery, folder: Path, url: str, clock: GivenClock) -> None:
        self.nursery = nursery
        self.folder = folder
        self.url = url
        self.clock = clock
        self.homes = 0

    def home(self) -> Path:
        self.homes += 1
        return self.folder / f"home-{self.homes}"

    def begin(self, home: Path, *words: str, dies_at: Point | None = None) -> Mortal:
        at_ms = self.clock.now_ms()
        return self.nursery.diary("--home", str(home), *words, at_ms=at_ms, dies_at=dies_at)

    def points(self, home: Path, *words: str) -> list[Point]:
        ended = self.begin(home, *words).wait()
        assert ended.status == 0, ended.said
        return ended.points

    def check_killed(self, home: Path, *words: str, dies_at: Point) -> None:
        """Begin it, a while after what was begun before, and let it die at its point."""
        self.clock.put(self.clock.now_ms() + REST_MS)
        ended = self.begin(home, *words, dies_at=dies_at).wait()
        assert ended.killed, (dies_at, ended)

    def account(self) -> tuple[Path, str]:
        """Return the home of a new account with one segment, and its phrase."""
        home = self.home()
        self.points(home, "init", "--key-file")
        with Diary.open(home, clock=self.clock) as diary:
            diary.set_setting("hold_seconds", 0)
            record_slot(diary, diary.new_contract(title="Practice"), SLOT, memo="recorded")
            return home, diary.phrase() or ""

    def check(self, *homes: Path) -> None:
        for home in homes:
            with Diary.open(home, clock=self.clock) as diary:
                ((segment,),) = [diary.week(week).segments for week in diary.weeks()]
                assert (segment.memo, segment.state, len(segment.snapshots)) == ("recorded", "synced", 1)
                assert diary.queue().versions == 0
                assert diary.alarms() == ()


@pytest.fixture
def beginner(nursery: Nursery, folder: Path) -> Iterator[Beginner]:
    clock = GivenClock(NOW)
    with serving(folder / "server", clock) as url:
        yield Beginner(nursery, folder, url, clock)


@rule("R50")
@rule("R19")
@pytest.mark.parametrize("sample", SOME_OR_ALL)
def test_an_init_that_died_can_be_made_again(beginner: Beginner, sample: int) -> None:
    for point in beginner.points(beginner.home(), "init", "--key-file")[::sample]:
        home = beginner.home()
        beginner.check_killed(home, "init", "--key-file", dies_at=point)
        again = beginner.begin(home, "init", "--key-file").wait()
        # Where it died after its last commit the diary is there, and no second one is made over it.
        assert again.status == 0 or "There is a diary" in again.said, (point, again.said)
        with Diary.open(home, clock=beginner.clock) as diary:
            assert diary.phrase()
            assert diary.new_contract(title="Practice").title == "Practice"


@rule("R50")
@rule("R40")
@pytest.mark.parametrize("sample", SOME_OR_ALL)
def test_a_registration_that_died_goes_on(beginner: Beginner, sample: int) -> None:
    home, _ = beginner.account()
    words = "register", beginner.url
    for point in beginner.points(home, *words)[::sample]:
        home, _ = beginner.account()
        beginner.check_killed(home, *words, dies_at=point)
        beginner.points(home, *words)
        beginner.check(home)


@rule("R50")
@rule("R40")
@pytest.mark.parametrize("sample", SOME_OR_ALL)
def test_a_login_that_died_goes_on(beginner: Beginner, sample: int) -> None:
    first, phrase = beginner.account()
    beginner.points(first, "register", beginner.url)
    (beginner.folder / "phrase").write_text(phrase)
    words = "login", beginner.url, "--key-file", "--phrase-file", str(beginner.folder / "phrase")
    for point in beginner.points(beginner.home(), *words)[::sample]:
        home = beginner.home()
        beginner.check_killed(home, *words, dies_at=point)
        again = beginner.begin(home, *words).wait()
        assert again.status == 0 or "There is a diary" in again.said, (point, again.said)
        beginner.points(home, "sync")
        beginner.check(home)


@rule("R69")
@pytest.mark.parametrize("sample", SOME_OR_ALL)
def test_a_server_whose_first_start_died_starts(nursery: Nursery, folder: Path, sample: int) -> None:
    def start(name: str, dies_at: Point | None = None) -> tuple[Mortal, bool]:
        port = free_port()
        server = nursery.server(str(folder / name), str(port), at_ms=NOW, dies_at=dies_at)
        return server, wait_until_it_answers(f"http://127.0.0.1:{port}", lambda: server.is_alive)

    first, answers = start("whole")
    assert answers
    points = [point for point in first.kill().points if "/health" not in point.label]
    for at, point in enumerate(points[::sample]):
        server, answers = start(f"server-{at}", point)
        assert server.kill().killed
        again, answers = start(f"server-{at}")
        assert answers, (point, again.wait())
        again.kill()
        key = (folder / f"server-{at}" / "server.key").read_text()
        assert bytes.fromhex(key.strip())
