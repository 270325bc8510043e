"""When a sync sweeps out of the file what it destroyed: at its end, and before it waits for long (R25)."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from diary.evidence.receipt import read_answer
from diary.exchanging import ReadyPush
from diary.rules.ids import Slot
from diary.rules.timesheet import Place
from diary.state import is_destroying
from diary.store import versions
from diary.store.versions import Name
from sync.succession import message_of
from sync.transport import UnreachableError
from tests.practice import slot
from tests.rule import rule
from tests.sync.stage import Device, Stage, two_devices

TEN = slot("2026-11-18T10:00Z")
PATIENCE_SECONDS = 60.0  # this machine may be busy with much else


def learns_of_an_edit_and_has_one_to_send(stage: Stage) -> Device:
    """Return a device whose next run destroys what another's edit displaced, then pushes its own."""
    a, b, contract = two_devices(stage, [TEN, Slot(TEN + 1)])
    b.sync()
    a.diary.edit([(contract.id, TEN)], memo="edited")
    a.sync()
    b.diary.edit([(contract.id, Slot(TEN + 1))], memo="edited here")
    return b


def waiting_until_swept(file: Path, seen: list[bool]) -> Callable[[str], None]:
    """Return what holds a push back until the file bears no mark of destroying, and notes whether it does."""

    def before(path: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while path == "/v1/push" and is_marked(file) and time.monotonic() < deadline:
            time.sleep(0.2)
        if path == "/v1/push":
            seen.append(is_marked(file))

    return before


def is_marked(file: Path) -> bool:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute("SELECT 1 FROM meta WHERE key = 'destroying'").fetchone() is not None


@rule("R25")
def test_what_a_sync_destroyed_is_swept_out_when_it_is_through(stage: Stage) -> None:
    b = learns_of_an_edit_and_has_one_to_send(stage)
    b.sync()
    assert not is_destroying(b.diary._state)


@rule("R25")
def test_a_sync_that_breaks_off_sweeps_out_what_it_destroyed_before(stage: Stage) -> None:
    b = learns_of_an_edit_and_has_one_to_send(stage)
    b.failing.fates = ["pass", "refuse"]
    with pytest.raises(UnreachableError):
        b.sync()
    assert not is_destroying(b.diary._state)


@rule("R25")
def test_a_sync_that_waits_for_the_line_sweeps_out_while_it_waits(stage: Stage) -> None:
    b = learns_of_an_edit_and_has_one_to_send(stage)
    seen: list[bool] = []
    b.failing.before = waiting_until_swept(b.diary.home / "diary.db", seen)
    b.sync()
    assert seen == [False]


def signed_edit(device: Device, place: Place, memo: str) -> ReadyPush:
    """Return the push of an edit, which has left the device as far as that knows."""
    device.diary.edit([place], memo=memo)
    newest = max(due.id for due in device.diary.due())
    return device.diary.sign_push([newest], device.line.url)


def push_alone(device: Device, push: ReadyPush) -> None:
    """Send a push beside those that a sync would send, and store the answer."""
    link = device.diary.server()
    assert link is not None
    answer = device.line.push(msgspec.json.encode(message_of(device.diary.account, push)))
    answers = read_answer(answer.answers, bytes.fromhex(link.key))
    device.diary.settle(push, answers, answer.answers, answer.heads)


def is_whole(device: Device, name: Name) -> bool:
    stored = versions.find(device.diary._state.connection, name)
    assert stored is not None
    return stored.sealed.body is not None


@rule("R25")
@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["as written", "the later one first"])
def test_an_edit_and_the_one_upon_it_leave_one_content_whichever_the_server_took_first(
    stage: Stage, order: tuple[int, int]
) -> None:
    a, _, contract = two_devices(stage, [TEN])
    a.sync()
    pushes = [signed_edit(a, (contract.id, TEN), memo) for memo in ("edited", "edited again")]
    (first,), (second,) = (push.names for push in pushes)
    assert is_whole(a, first), "it stays whole until the server holds what displaces it"
    for at in order:
        push_alone(a, pushes[at])
    assert (is_whole(a, first), is_whole(a, second)) == (False, True)
    assert a.segment((contract.id, TEN)).memo == "edited again"
