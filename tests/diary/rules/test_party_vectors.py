"""The vectors that bind Python and JavaScript to one reading of a contract's log (R8, R10, R38, R54, R62)."""

from typing import Any

import msgspec
import pytest

from diary.rules.acts import ACT_TYPES, accepted_slots, disputed_slots, redactions, requests
from diary.rules.contract import TermsHistory, versions_of
from diary.rules.ids import Millis, ReplicaId, Slot
from diary.rules.merge import Held
from diary.rules.parties import wrong_side
from diary.rules.payments import bonuses, payments
from diary.rules.seat import SeatRole
from diary.rules.segment import parse_header
from diary.rules.week import Week
from tests.rule import rule
from tests.vector_file import vectors


class LogRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A row of a log; `expect` is "taken", or the word by which its writer's side is refused."""

    header: str
    received_at_ms: Millis
    expect: str


class WeekSays(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the terms say of a week; `manual_until` are instants and whether manual time may be added then."""

    limit_minutes: int | None
    rate_minor: int
    currency: str
    kind: str
    manual_at: list[tuple[int, bool]]


class LogCase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A log, and what it amounts to once the refused rows are left out."""

    name: str
    seats_from: dict[ReplicaId, int]  # the place in the log at which each seat had joined
    managers: list[ReplicaId] = []  # those of them that are a manager's; the others are the client's
    rows: list[LogRow]
    states: list[tuple[int, str]]
    weeks: dict[str, WeekSays]
    requests: list[tuple[ReplicaId, int, str | None, str]]
    accepted: list[Slot]
    disputed: list[Slot]
    redacted: list[Slot]
    bonuses: list[tuple[str, int, str]] = []
    payments: list[tuple[str, str, int | None, int | None]] = []


class LogFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The vectors of contracts' logs."""

    about: str
    cases: list[LogCase]


CASES = vectors("party_log", LogFile).cases


def role_in(case: LogCase, seat: ReplicaId) -> SeatRole:
    """Return who sits on a seat of the case."""
    return "manager" if seat in case.managers else "client"


def taken_of(case: LogCase) -> list[Held]:
    """Return the rows that are their writers' to write, each judged by those before it."""
    taken: list[Held] = []
    for place, row in enumerate(case.rows):
        header = parse_header(row.header.encode())
        seats = {seat: role_in(case, seat) for seat, joined in case.seats_from.items() if joined <= place}
        versions = versions_of((held.header, held.received_at_ms or Millis(0)) for held in taken)
        refused = wrong_side(header, seats, TermsHistory(versions) if versions else None)
        assert ("taken" if refused is None else refused.reason) == row.expect, (place, row.header)
        if refused is None:
            taken.append(Held(header, row.received_at_ms))
    return taken


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@rule("R8")
@rule("R10")
@rule("R38")
@rule("R54")
@rule("R61")
@rule("R62")
@rule("R63")
def test_a_log_amounts_to_what_the_vectors_say(case: LogCase) -> None:
    taken = taken_of(case)
    acts = [held for held in taken if held.header.type in ACT_TYPES]
    history = TermsHistory(versions_of((held.header, held.received_at_ms or Millis(0)) for held in taken))
    assert [(at_ms, history.state_at(at_ms)) for at_ms, _ in case.states] == case.states
    for name, says in case.weeks.items():
        assert _says(history, Week.parse(name), [at_ms for at_ms, _ in says.manual_at]) == says
    assert [(*one.name, one.week, one.state) for one in requests(acts)] == case.requests
    assert sorted(accepted_slots(acts)) == case.accepted
    assert sorted(disputed_slots(acts)) == case.disputed
    agreed = [slot for slot, one in redactions(acts, case.seats_from).items() if one.is_agreed]
    assert sorted(agreed) == case.redacted
    assert [(one.week, one.minor, one.currency) for one in bonuses(acts)] == case.bonuses
    paid = [(one.id, one.state, one.claimed_minor, one.settled_minor) for one in payments(acts)]
    assert paid == case.payments


def _says(history: TermsHistory, week: Week, at: list[int]) -> WeekSays:
    rate_minor, currency = history.rate_of(week)
    return WeekSays(
        limit_minutes=history.limit_minutes(week),
        rate_minor=rate_minor,
        currency=currency,
        kind=history.at(week.starts_at_ms).kind,
        manual_at=[(at_ms, history.manual_allowed_for(week, at_ms)) for at_ms in at],
    )


def test_the_vectors_hold_both_what_is_taken_and_what_is_refused() -> None:
    words: set[Any] = {row.expect for case in CASES for row in case.rows}
    assert words == {"taken", "not_yours", "contract_closed", "contract_paused", "payer_fixed"}
