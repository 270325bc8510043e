"""Seats of a contract: which joining its log allows, and what ends with it (R48, R51)."""

import msgspec
import pytest

from diary.evidence.seats import JoiningError, Seats
from diary.rules.ids import Millis
from diary.rules.segment import Header, parse_header
from tests.rule import rule
from tests.vector_file import SealedText, raw, vectors


class RowText(SealedText, frozen=True, kw_only=True):
    received_at_ms: int


class JoiningCase(msgspec.Struct, frozen=True):
    name: str
    log: list[RowText]
    joining: RowText
    expect: str
    ended: list[str]
    roles: dict[str, str]


class JoiningFile(msgspec.Struct, frozen=True):
    joinings: list[JoiningCase]


CASES = vectors("invitation", JoiningFile).joinings
NAMED = {case.name: case for case in CASES}


def parts(row: RowText) -> tuple[Header, bytes, bytes, Millis]:
    text = row.header.encode()
    return parse_header(text), text, raw(row.body) or b"", Millis(row.received_at_ms)


def after(rows: list[RowText]) -> Seats:
    seats = Seats()
    for row in rows:
        seats.learn(*parts(row))
    return seats


@rule("R51")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_seat_joins_by_an_invitation_of_its_log_or_the_fault_is_named(case: JoiningCase) -> None:
    seats = after(case.log)
    header = parse_header(case.joining.header.encode())
    if case.expect == "joins":
        seats.learn(*parts(case.joining))
        assert seats.in_force(header.replica) is not None
        assert [one for one, seat in seats.seats.items() if seat.ended] == case.ended
        assert seats.roles == case.roles
        assert seats.has_client == ("client" in case.roles.values())
        return
    before = after(case.log)
    with pytest.raises(JoiningError) as fault:
        seats.learn(*parts(case.joining))
    assert fault.value.reason == case.expect
    assert seats == before


@rule("R51")
def test_a_seat_that_was_ended_may_do_nothing_any_more() -> None:
    case = NAMED["a client who lost their key joins again: the old seat ends"]
    seats = after([*case.log, case.joining])
    ended = [replica for replica, seat in seats.seats.items() if seat.ended]
    assert [seats.in_force(replica) for replica in ended] == [None]


@rule("R51")
def test_a_managers_seat_is_in_force_between_joining_and_the_end_of_its_invitation() -> None:
    case = NAMED["a manager's invitation that is taken back after it was used ends their seat"]
    seats = after([*case.log, case.joining])
    (manager,) = (seat for seat in seats.seats.values() if seat.role == "manager")
    taken_back_ms = case.log[-1].received_at_ms
    assert (manager.joined_at_ms, manager.ended_at_ms) == (case.log[1].received_at_ms, taken_back_ms)
    instants = (manager.joined_at_ms, manager.joined_at_ms + 1, taken_back_ms, taken_back_ms + 1)
    assert [manager.in_force_at(at_ms) for at_ms in instants] == [False, True, True, False]


@rule("R51")
@pytest.mark.parametrize(
    "name",
    [
        "a client who lost their key joins again: the old seat ends",
        "a manager's invitation that is taken back after it was used ends their seat",
    ],
)
def test_a_log_that_is_read_again_from_its_start_says_the_same(name: str) -> None:
    case = NAMED[name]
    rows = [*case.log, case.joining]
    seats = after(rows)
    once = after(rows)
    for row in rows:
        seats.learn(*parts(row))
    assert seats == once
