"""Who may write what: the freelancer's devices and the client's seats (R8, R9, R48)."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diary.rules.contract import TermsHistory
from diary.rules.ids import ReplicaId
from diary.rules.parties import wrong_side
from diary.rules.seat import SeatRole
from diary.rules.segment import ContractState, Header
from tests.diary.rules.made import DESKTOP, LAPTOP, SLOT, capture, entry, terms
from tests.diary.rules.said import (
    AGENCY,
    BROWSER,
    MANAGER,
    acceptance,
    answer,
    bonus,
    dispute,
    new_state,
    new_terms,
    payment,
    redaction,
    request,
    row,
    terms_log,
    withdrawal,
)
from tests.rule import rule

CLIENT: dict[ReplicaId, SeatRole] = {BROWSER: "client"}
MANAGED: dict[ReplicaId, SeatRole] = {MANAGER: "manager"}
BOTH = CLIENT | MANAGED
NOBODY: dict[ReplicaId, SeatRole] = {}
ACTIVE = terms_log(new_terms())
PAUSED = new_state("paused", n=2)
RESUMED = new_state("active", BROWSER, 2)
STILL_PAUSED = terms(state="paused")


def reason(
    header: Header, seats: dict[ReplicaId, SeatRole], history: TermsHistory | None = ACTIVE
) -> str | None:
    refused = wrong_side(header, seats, history)
    assert refused is None or refused.because
    return None if refused is None else refused.reason


@rule("R8")
def test_until_a_client_has_joined_the_terms_are_the_freelancers() -> None:
    assert reason(new_terms(), NOBODY, None) is None
    assert reason(new_terms(DESKTOP, 1), NOBODY) is None
    assert reason(new_state("closed"), NOBODY) is None
    assert reason(new_state("active"), NOBODY, terms_log(new_terms(), new_state("closed", n=2))) is None


@rule("R8")
@rule("R48")
def test_from_then_on_they_are_the_clients() -> None:
    assert reason(new_terms(), CLIENT) == "not_yours"
    assert reason(new_terms(terms=terms(state="paused")), CLIENT) == "not_yours"
    assert reason(new_terms(BROWSER), CLIENT) is None
    assert reason(new_state("closed", BROWSER), CLIENT) is None


@rule("R48")
@pytest.mark.parametrize(
    "header",
    [
        capture(BROWSER),
        entry(BROWSER, 2),
        entry(BROWSER, 2, life=1, commit=None, epoch=None),
        request(by=BROWSER),
        row("grant", BROWSER, 1),
        row("device_list", BROWSER, 1),
        dispute(1, "replied", SLOT),
        dispute(1, "conceded", SLOT),
        payment(1, "received", by=BROWSER),
        payment(1, "refunded", by=BROWSER),
    ],
    ids=lambda header: header.type,
)
def test_a_client_never_writes_what_is_the_freelancers(header: Header) -> None:
    assert reason(header, CLIENT) == "not_yours"


@rule("R48")
@pytest.mark.parametrize(
    "header",
    [
        answer((LAPTOP, 1), 2, allows=True, by=LAPTOP),
        acceptance(2, SLOT, by=LAPTOP),
        dispute(2, "raised", SLOT, by=LAPTOP),
        bonus(2, 500, by=LAPTOP),
        payment(2, "paid", by=LAPTOP),
        payment(2, "withdrawn_claim", by=LAPTOP),
        payment(2, "received", issuer=AGENCY),
        payment(2, "refunded", issuer=AGENCY),
        dispute(2, "withdrawn", SLOT, by=LAPTOP),
    ],
)
@pytest.mark.parametrize("seats", [NOBODY, CLIENT])
def test_a_freelancer_says_nothing_for_the_client_or_for_an_agency(
    header: Header, seats: dict[ReplicaId, SeatRole]
) -> None:
    assert reason(header, seats) == "not_yours"


@rule("R10")
@rule("R54")
@rule("R62")
def test_each_writes_its_own() -> None:
    theirs = (
        answer((LAPTOP, 1), 2, allows=True),
        acceptance(2, SLOT),
        dispute(2, "raised", SLOT),
        dispute(2, "withdrawn", SLOT),
        bonus(2, 500),
        payment(2, "paid"),
        payment(2, "withdrawn_claim"),
        payment(3, "paid", issuer=AGENCY),
        redaction(BROWSER, 2, SLOT),
        row("message", BROWSER, 2),
    )
    ours = (
        capture(),
        entry(),
        request(),
        withdrawal((LAPTOP, 1), 2),
        dispute(2, "replied", SLOT, by=LAPTOP),
        dispute(2, "conceded", SLOT, by=LAPTOP),
        payment(2, "received"),
        payment(2, "refunded"),
        redaction(LAPTOP, 2, SLOT),
        row("message", LAPTOP, 2),
    )
    assert [reason(header, CLIENT) for header in (*theirs, *ours)] == [None] * (len(theirs) + len(ours))


@rule("R61")
def test_who_pays_is_what_the_first_terms_say_for_ever() -> None:
    payer, other = "b" * 32, "d" * 32
    log = terms_log(new_terms(terms=terms(payer=payer)), new_state("paused", n=2))
    assert reason(new_terms(LAPTOP, 3, terms(payer=payer, rate_minor=1)), NOBODY, log) is None
    assert reason(new_state("active", n=3), NOBODY, log) is None
    for by, seats in ((LAPTOP, NOBODY), (BROWSER, CLIENT)):
        for changed in (other, None):
            assert reason(new_terms(by, 3, terms(payer=changed)), seats, log) == "payer_fixed"
    assert reason(new_terms(BROWSER, 3, terms(payer=payer)), CLIENT, ACTIVE) == "payer_fixed"


@rule("R8")
@rule("R9")
@pytest.mark.parametrize(
    ("log", "wished", "expected"),
    [
        ([], "paused", None),
        ([], "closed", None),
        ([], "active", None),
        ([PAUSED], "active", None),
        ([PAUSED], "closed", None),
        ([new_state("paused", BROWSER)], "active", "contract_paused"),
        ([new_state("paused", BROWSER)], "paused", None),
        ([new_state("paused", BROWSER)], "closed", None),
        ([PAUSED, new_state("paused", BROWSER)], "active", "contract_paused"),
        ([new_state("paused", BROWSER), PAUSED], "active", "contract_paused"),
        ([PAUSED, new_terms(BROWSER, 2, STILL_PAUSED)], "active", "contract_paused"),
        ([new_state("paused", BROWSER), RESUMED, PAUSED], "active", None),
        ([new_state("closed", n=2)], "active", "contract_closed"),
        ([new_state("closed", n=2)], "paused", "contract_closed"),
        ([new_state("closed", BROWSER)], "closed", None),
    ],
)  # fmt: skip
def test_a_freelancer_pauses_and_closes_and_resumes_what_they_paused_themselves(
    log: Sequence[Header], wished: ContractState, expected: str | None
) -> None:
    history = terms_log(new_terms(), *log)
    assert reason(new_state(wished, DESKTOP), CLIENT, history) == expected
    assert reason(new_state(wished, BROWSER, 9), CLIENT, history) is None, "the client may do all of it"


@rule("R48")
@pytest.mark.parametrize(
    "header",
    [
        new_terms(MANAGER),
        new_state("closed", MANAGER),
        request(by=MANAGER),
        answer((LAPTOP, 1), 1, allows=True, by=MANAGER),
        acceptance(1, SLOT, by=MANAGER),
        dispute(1, "raised", SLOT, by=MANAGER),
        dispute(1, "replied", SLOT, by=MANAGER),
        redaction(MANAGER, 1, SLOT),
        capture(MANAGER),
        entry(MANAGER, 1),
        entry(MANAGER, 1, life=1),
        row("grant", MANAGER, 1),
        row("device_list", MANAGER, 1),
    ],
    ids=lambda header: header.type,
)
def test_a_manager_changes_nothing(header: Header) -> None:
    assert reason(header, MANAGED) == "not_yours"
    assert reason(header, BOTH) == "not_yours"


@rule("R48")
@rule("R8")
def test_a_manager_says_that_they_are_there_and_takes_no_terms_from_the_freelancer() -> None:
    assert reason(row("joining", MANAGER, 1), BOTH) is None
    assert reason(row("message", MANAGER, 2), BOTH) is None
    assert reason(new_terms(), MANAGED) is None
    assert reason(new_terms(), BOTH) == "not_yours"


steps = st.tuples(st.sampled_from([LAPTOP, BROWSER]), st.sampled_from(["active", "paused", "closed"]))


@rule("R8")
@rule("R9")
@settings(max_examples=300)
@given(st.lists(steps, max_size=12))
def test_a_freelancer_never_undoes_what_the_client_stopped(
    acts: list[tuple[ReplicaId, ContractState]],
) -> None:
    """The oracle keeps who stopped the contract since it was active last."""
    history = terms_log(new_terms())
    held_by: set[ReplicaId] = set()
    state: ContractState = "active"
    for n, (who, wished) in enumerate(acts, 2):
        header = new_state(wished, who, n)
        opens = wished == "active" and state != "active"
        reopens = state == "closed" and wished != "closed"
        forbidden = who != BROWSER and (reopens or (opens and BROWSER in held_by))
        assert (wrong_side(header, CLIENT, history) is not None) == forbidden
        if forbidden:
            continue
        state = wished
        held_by = set() if wished == "active" else held_by | {who}
        history = history.followed_by(header, history.versions[-1].received_at_ms)
        assert history.newest.state == state
