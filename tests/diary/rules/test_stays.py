"""How long a contract stands on an agency's bill, and when it is settled who bills a week (R61)."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diary.rules.ids import AccountId, ContractId, Millis
from diary.rules.membership import MembershipInClear, fault_of_membership
from diary.rules.merge import Held
from diary.rules.segment import MalformedHeaderError, parse_header
from diary.rules.stays import Stay, decided_at_ms, stays
from diary.rules.week import Week
from tests.diary.rules.made import ACCOUNT, CONTRACT
from tests.diary.rules.said import row
from tests.rule import rule

MEMBER, OTHER = AccountId("1" * 32), AccountId("2" * 32)
PAYER = "3" * 32
OWN_LOG = ContractId(ACCOUNT)
WEEK = Week.parse("2026-W47")


def said(at_ms: int | None, member: AccountId = MEMBER, n: int = 1, **changed: object) -> Held:
    part = msgspec.structs.replace(MembershipInClear(account=member, contract=CONTRACT), **changed)
    header = row("membership", "a" * 32, n, sealed=False, membership=part)  # type: ignore[arg-type]
    return Held(msgspec.structs.replace(header, contract=OWN_LOG), None if at_ms is None else Millis(at_ms))


@rule("R61")
def test_a_contract_is_on_the_bill_from_one_row_until_the_one_that_ends_it() -> None:
    assert stays([said(10, payer=PAYER), said(20, ends=True)]) == (
        Stay(MEMBER, CONTRACT, PAYER, Millis(10), Millis(20)),
    )


@rule("R61")
def test_another_payer_ends_a_stay_and_begins_one() -> None:
    assert stays([said(10), said(20, payer=PAYER)]) == (
        Stay(MEMBER, CONTRACT, None, Millis(10), Millis(20)),
        Stay(MEMBER, CONTRACT, PAYER, Millis(20)),
    )


@rule("R61")
def test_an_end_without_a_beginning_and_what_was_not_received_are_nothing() -> None:
    assert stays([said(10, ends=True), said(None)]) == ()


@rule("R61")
def test_members_of_one_contract_id_are_told_apart() -> None:
    assert [one.member for one in stays([said(10), said(11, OTHER), said(12, ends=True)])] == [MEMBER, OTHER]


@rule("R61")
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 9)), max_size=12), st.integers(0, 110))
def test_at_any_instant_the_last_word_before_it_counts(words: Sequence[tuple[bool, int]], at_ms: int) -> None:
    instants, now = [], 0
    for _, step in words:
        now += step
        instants.append(now)
    rows = [said(at, ends=ends) for at, (ends, _) in zip(instants, words, strict=True)]
    before = [ends for at, (ends, _) in zip(instants, words, strict=True) if at < at_ms]
    covered = any(one.covers(at_ms) for one in stays(rows))
    assert covered == (bool(before) and not before[-1])


@rule("R61")
@rule("R8")
def test_who_bills_a_week_is_settled_at_its_start_and_in_the_contracts_first_at_its_end() -> None:
    assert decided_at_ms(WEEK, WEEK.starts_at_ms - 1) == WEEK.starts_at_ms
    assert decided_at_ms(WEEK, WEEK.starts_at_ms) == WEEK.ends_at_ms
    assert decided_at_ms(WEEK.next(), WEEK.starts_at_ms) == WEEK.next().starts_at_ms
    assert decided_at_ms(WEEK, WEEK.ends_at_ms - 1) < WEEK.locked_at_ms, "nothing decides after the lock"


@rule("R46")
@pytest.mark.parametrize(
    "changed",
    [
        {"account": "1" * 31},
        {"contract": "A" * 32},
        {"payer": "brown"},
        {"payer": PAYER, "ends": True},
    ],
)
def test_what_names_nobody_is_no_membership(changed: dict[str, object]) -> None:
    good = MembershipInClear(account=MEMBER, contract=CONTRACT)
    assert fault_of_membership(good) is None
    assert fault_of_membership(msgspec.structs.replace(good, **changed)) is not None
    assert fault_of_membership(None) is not None


@rule("R46")
def test_a_membership_stands_in_the_accounts_own_log_and_seals_nothing() -> None:
    header = said(1).header
    assert parse_header(header.to_bytes()) == header
    for changed in (
        msgspec.structs.replace(header, contract=CONTRACT),
        msgspec.structs.replace(header, epoch=1, commit="0" * 64),
        msgspec.structs.replace(header, membership=None),
    ):
        with pytest.raises(MalformedHeaderError):
            parse_header(changed.to_bytes())
