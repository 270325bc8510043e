"""Slots end at one instant for everybody; devices do not come at one instant (R3, R17, R41)."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diary.diary import Diary
from diary.rules.ids import Slot
from sync.enrolment import register
from sync.schedule import LOCK_NEAR_MS, SETTLE_MS, SPREAD_MS, after_change, after_success, spread_ms
from sync.transport import Transport, is_this_machine
from sync.watch import Worker
from tests.practice import record_slot, slot
from tests.rule import rule
from tests.sync.forward_proxy import forward_proxy
from tests.sync.stage import Stage

HOST = "diary.test"  # RFC 6761: nobody has it, so only a proxy leads there
NOW = 1_800_000_000_000
MINUTE = 60_000
CHANCES = st.floats(min_value=0, max_value=1, exclude_max=True)
FAR_LOCKS = st.none() | st.integers(min_value=LOCK_NEAR_MS + 1, max_value=10**12)
NEAR_LOCKS = st.integers(min_value=0, max_value=LOCK_NEAR_MS)


@given(CHANCES, FAR_LOCKS)
def test_what_a_tracker_wrote_goes_within_a_minute(chance: float, lock_in_ms: int | None) -> None:
    later_ms = spread_ms(chance, by_hand=False, lock_in_ms=lock_in_ms, shared=True)
    assert 0 <= later_ms <= SPREAD_MS < MINUTE


@given(chance=CHANCES, lock_in_ms=FAR_LOCKS, shared=st.booleans())
def test_what_a_person_did_goes_at_once(*, chance: float, lock_in_ms: int | None, shared: bool) -> None:
    assert spread_ms(chance, by_hand=True, lock_in_ms=lock_in_ms, shared=shared) == 0


@rule("R3")
@given(chance=CHANCES, lock_in_ms=NEAR_LOCKS, by_hand=st.booleans())
def test_near_a_lock_nothing_waits(*, chance: float, lock_in_ms: int, by_hand: bool) -> None:
    assert spread_ms(chance, by_hand=by_hand, lock_in_ms=lock_in_ms, shared=True) == 0


@given(chance=CHANCES, by_hand=st.booleans())
def test_at_a_server_on_this_machine_is_no_crowd(*, chance: float, by_hand: bool) -> None:
    assert spread_ms(chance, by_hand=by_hand, lock_in_ms=None, shared=False) == 0


@given(st.lists(CHANCES, min_size=60, max_size=60, unique=True))
def test_devices_come_as_far_apart_as_their_chances(chances: list[float]) -> None:
    waits = [spread_ms(chance, by_hand=False, lock_in_ms=None, shared=True) for chance in chances]
    assert waits == [round(SPREAD_MS * chance) for chance in chances]


@given(CHANCES, CHANCES, st.integers(min_value=0, max_value=SPREAD_MS))
def test_looking_again_does_not_put_off_what_waits(chance: float, polls: float, passed_ms: int) -> None:
    later_ms = spread_ms(chance, by_hand=False, lock_in_ms=None, shared=True)
    resting = after_success(NOW, polls, next_release_ms=None)
    first = after_change(resting, NOW, sendable=True, next_release_ms=None, later_ms=later_ms)
    again = after_change(first, NOW + passed_ms, sendable=True, next_release_ms=None, later_ms=later_ms)
    assert again == first
    assert first.wait_ms(NOW) <= SETTLE_MS + SPREAD_MS
    by_hand = after_change(first, NOW + passed_ms, sendable=True, next_release_ms=None)
    assert by_hand.due_at_ms == min(first.due_at_ms, NOW + passed_ms + SETTLE_MS)


@rule("R17")
@given(CHANCES, st.integers(min_value=0, max_value=MINUTE))
def test_a_slots_rows_leave_within_two_minutes_after_it(chance: float, release_in_ms: int) -> None:
    """A snapshot of the last minute is held for the notice period, a minute, and goes when that ends."""
    later_ms = spread_ms(chance, by_hand=False, lock_in_ms=None, shared=True)
    resting = after_success(NOW, 0.999, next_release_ms=None)
    seen = after_change(resting, NOW, sendable=True, next_release_ms=NOW + release_in_ms, later_ms=later_ms)
    assert seen.wait_ms(NOW) <= MINUTE


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:8440", True),
        ("http://localhost", True),
        ("http://[::1]:8440", True),
        ("https://diary.example.org", False),
        ("http://127.0.0.1.example.org", False),
        ("http://[", False),
    ],
)
def test_a_server_on_this_machine_is_known_by_its_address(url: str, *, here: bool) -> None:
    assert is_this_machine(url) == here


def fresh(diary: Diary) -> frozenset[int]:
    return frozenset(due.id for due in diary.due())


@rule("R41")
def test_a_recorded_slot_waits_a_moment_and_an_edit_or_a_removal_does_not(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    device = stage.first(registered=False)
    contract = device.diary.new_contract(title="Practice")
    first = slot("2026-11-18T10:00Z")
    with forward_proxy() as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        with Transport(stage.url.replace("127.0.0.1", HOST)) as line:
            register(device.diary, line)
    worker = Worker(lambda: Diary.open(device.diary.home, clock=device.clock))
    places = [record_slot(device.diary, contract, Slot(first + number), memo="x") for number in range(2)]
    recorded = fresh(device.diary)
    assert len(recorded) == 4  # two captures and the entries first written with them
    assert worker.later_ms(recorded, 0.5, None) == SPREAD_MS // 2
    assert worker.later_ms(recorded, 0.5, 60_000) == 0
    device.diary.edit(places[:1], memo="changed by hand")
    edited = fresh(device.diary)
    assert worker.later_ms(edited, 0.5, None) == 0
    assert worker.later_ms(edited & recorded, 0.5, None) == SPREAD_MS // 2
    worker.close()
