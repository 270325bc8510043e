"""A server that doubts its clock stores nothing, loses nothing, and comes back (R6, R40)."""

from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from litestar.testing import TestClient
from typer.testing import CliRunner

from diary.cli import app
from diary.clock import GivenClock
from diary.evidence.receipt import Receipt
from diary.rules.ids import Millis, Slot
from diary.rules.week import slot_at
from sync.enrolment import register
from sync.protocol import Fault, Push
from sync.server.app import create_app
from sync.server.clock_watch import ClockWatch, confirm, confirmed_at
from sync.server.faults import ClockUnsureError
from sync.server.settings import Settings
from sync.transport import ServerFailedError
from tests.practice import record_slot
from tests.rule import rule
from tests.sync.server.author import Author
from tests.sync.server.conftest import WEDNESDAY
from tests.sync.server.process import Client, reasons
from tests.sync.stage import Stage, serving

SLOT = Slot(slot_at(WEDNESDAY) - 2)
MINUTE = 60_000
DAY = 24 * 60 * MINUTE


@dataclass
class TwoClocks(GivenClock):
    """A wall clock that can be set, and a steady one that cannot."""

    at_ms: Millis = WEDNESDAY
    off_ms: int = 0

    def steady_ms(self) -> int:
        return int(self.at_ms) - self.off_ms

    def pass_by(self, millis: int) -> None:
        self.put(self.at_ms + millis)

    def set_by(self, millis: int) -> None:
        self.put(self.at_ms + millis)
        self.off_ms += millis


@pytest.fixture
def clock() -> TwoClocks:
    return TwoClocks()


def asked(client: Client, author: Author, push: Push) -> tuple[int, str]:
    answer = client.post("/v1/push", push, author)
    return answer.status_code, msgspec.json.decode(answer.content, type=Fault).reason


@rule("R6")
def test_a_jump_stores_neither_row_nor_refusal_until_it_is_over(tmp_path: Path, clock: TwoClocks) -> None:
    author = Author()
    with TestClient(create_app(Settings(folder=tmp_path / "server"), clock)) as http:
        client = Client(http)
        client.enrol(author, author.enrol(author.terms()))
        push = author.push(author.capture(SLOT), author.entry(SLOT, memo="kept"))
        clock.set_by(21 * DAY)  # by this clock the week is frozen long since
        assert asked(client, author, push) == (503, "clock_unsure")
        assert len(client.pull_all(author)[author.contract]) == 1
        clock.set_by(-21 * DAY)
        clock.pass_by(4 * MINUTE)
        assert asked(client, author, push) == (503, "clock_unsure")
        clock.pass_by(5 * MINUTE)
        assert reasons(client.send(author, push)) == ["received", "received"]


@rule("R6")
def test_no_account_is_opened_by_a_clock_in_doubt(tmp_path: Path, clock: TwoClocks) -> None:
    first, second = Author(), Author()
    with TestClient(create_app(Settings(folder=tmp_path / "server"), clock)) as http:
        client = Client(http)
        client.enrol(first)
        clock.set_by(3 * MINUTE)
        enrol = second.enrol()
        answer = client.post("/v1/enrol", enrol)
        assert answer.json()["reason"] == "clock_unsure"
        assert answer.headers["Retry-After"] == "30"
        clock.pass_by(5 * MINUTE)
        assert reasons(client.enrol(second, enrol)) == ["received"]


@rule("R40")
def test_what_was_answered_before_is_answered_whatever_the_clock(tmp_path: Path, clock: TwoClocks) -> None:
    author = Author()
    with TestClient(create_app(Settings(folder=tmp_path / "server"), clock)) as http:
        client = Client(http)
        client.enrol(author, author.enrol(author.terms()))
        push = author.push(author.capture(SLOT))
        before = client.send(author, push)
        clock.set_by(3 * MINUTE)
        assert client.send(author, push) == before
        assert isinstance(before[0], Receipt)


@rule("R6")
def test_a_server_that_was_off_for_nine_days_waits_for_its_operators_word(
    tmp_path: Path, clock: TwoClocks
) -> None:
    author, settings = Author(), Settings(folder=tmp_path / "server")
    with TestClient(create_app(settings, clock)) as http:
        Client(http).enrol(author, author.enrol(author.terms()))
    clock.pass_by(9 * DAY)
    with TestClient(create_app(settings, clock)) as http:
        client = Client(http)
        push = author.push(author.capture(slot_at(clock.now_ms()) - 1))
        assert asked(client, author, push) == (503, "clock_unsure")
        clock.pass_by(MINUTE)
        confirm(settings.clock_confirmation, clock.now_ms())
        assert reasons(client.send(author, push)) == ["received"]


@rule("R40")
def test_a_device_keeps_what_a_server_in_doubt_does_not_take(tmp_path: Path, clock: TwoClocks) -> None:
    with serving(tmp_path / "server", clock) as url:
        stage = Stage(tmp_path, url, clock)
        device = stage.first(registered=False)
        with device.diary as diary, device.line:
            contract = diary.new_contract(title="Practice")
            register(diary, device.line)
            place = record_slot(diary, contract, SLOT, memo="kept")
            clock.set_by(60 * DAY)
            with pytest.raises(ServerFailedError, match="does not trust its clock"):
                device.sync()
            assert diary.now_ms() == WEDNESDAY  # a clock in doubt corrects nobody's
            clock.set_by(-60 * DAY)
            with pytest.raises(ServerFailedError, match="does not trust its clock"):
                device.sync()
            clock.pass_by(5 * MINUTE)
            assert device.sync().pushed == 2
            assert device.segment(place).received_at_ms is not None
            assert diary.refusals() == ()


@rule("R6")
def test_a_sync_at_the_terminal_says_at_once_how_long_a_server_in_doubt_takes_nothing(
    tmp_path: Path, clock: TwoClocks
) -> None:
    with serving(tmp_path / "server", clock) as url:
        device = Stage(tmp_path, url, clock).first()
        with device.line, device.diary as diary:
            record_slot(diary, diary.new_contract(title="Practice"), SLOT)
            clock.set_by(3 * MINUTE)
            with pytest.raises(ServerFailedError):
                device.sync()
            clock.pass_by(MINUTE)
        done = CliRunner().invoke(app, ["--home", str(diary.home), "sync"], obj=device.clock)
    assert done.exit_code == 5
    assert "clock_unsure: The server does not trust its clock" in done.stderr
    assert "goes on in 240 s" in done.stderr


@rule("R6")
def test_the_operators_word_holds_for_a_start_soon_after_it(tmp_path: Path, clock: TwoClocks) -> None:
    path = tmp_path / "clock-confirmed"
    confirm(path, clock.now_ms())
    ClockWatch(clock, Millis(WEDNESDAY - 30 * DAY), path).require_sure()
    clock.pass_by(9 * DAY)
    with pytest.raises(ClockUnsureError, match="eight days"):
        ClockWatch(clock, Millis(WEDNESDAY - 30 * DAY), path).require_sure()


def test_a_file_that_holds_no_instant_confirms_nothing(tmp_path: Path) -> None:
    path = tmp_path / "clock-confirmed"
    for text in ("", "yes", "9" * 400, "-5"):
        path.write_text(text, encoding="ascii")
        assert confirmed_at(path) is None


@rule("R6")
def test_a_start_before_what_was_already_answered_waits(tmp_path: Path, clock: TwoClocks) -> None:
    """A server whose machine lost its clock's battery starts before what it already answered."""
    watch = ClockWatch(clock, Millis(WEDNESDAY + DAY), tmp_path / "clock-confirmed")
    assert not watch.is_sure()
    clock.pass_by(5 * MINUTE)
    assert watch.is_sure()


@rule("R6")
def test_a_server_that_doubts_its_clock_is_there_and_not_ready(tmp_path: Path, clock: TwoClocks) -> None:
    with TestClient(create_app(Settings(folder=tmp_path / "server"), clock)) as http:
        assert http.get("/health/ready").json() == {"health": "ready"}
        clock.set_by(DAY)
        doubting = http.get("/health/ready")
        assert (doubting.status_code, doubting.json()["reason"]) == (503, "clock_unsure")
        assert http.get("/health").status_code == 200
