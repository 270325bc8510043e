"""The server's answers: signed once a push, read only when its key signed them."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diary.errors import PeerError
from diary.evidence import signature
from diary.evidence.receipt import (
    BrokenAnswerError,
    ForgedAnswerError,
    Receipt,
    Refusal,
    SignedAnswer,
    read_answer,
    sign_answer,
)
from diary.rules.ids import ContractId, ReplicaId
from tests.rule import rule
from tests.vector_file import vectors

FAULTS: dict[str, type[PeerError]] = {"bad_signature": ForgedAnswerError, "broken_answer": BrokenAnswerError}


class AnswerCase(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    public: str
    text: str
    signature: str
    expect: str
    seed: str = ""
    answers: list[Receipt | Refusal] = []


class AnswerFile(msgspec.Struct, frozen=True):
    cases: list[AnswerCase]


CASES = vectors("answer", AnswerFile).cases
GOOD = [case for case in CASES if case.expect == "verifies"]


def signed(case: AnswerCase) -> SignedAnswer:
    return SignedAnswer(text=case.text, signature=bytes.fromhex(case.signature))


@rule("R37d")
@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.name)
def test_the_same_answers_give_the_same_text_and_signature(case: AnswerCase) -> None:
    assert sign_answer(case.answers, bytes.fromhex(case.seed)) == signed(case)


@rule("R37d")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_answers_are_read_only_as_the_server_signed_them(case: AnswerCase) -> None:
    key = bytes.fromhex(case.public)
    if case.expect == "verifies":
        assert read_answer(signed(case), key) == case.answers
        return
    with pytest.raises(FAULTS[case.expect]):
        read_answer(signed(case), key)


NAMES = st.tuples(
    st.text("0123456789abcdef", min_size=32, max_size=32).map(ReplicaId), st.integers(1, 2**53 - 1)
)
RECEIPTS = st.builds(
    lambda name, index: Receipt(
        replica=name[0],
        n=name[1],
        contract=ContractId("c" * 32),
        log_epoch=1,
        index=index,
        received_at_ms=1_763_770_300_000,
        leaf="0" * 64,
    ),
    NAMES,
    st.integers(0, 2**40),
)
REFUSALS = st.builds(
    lambda name, because: Refusal(
        replica=name[0], n=name[1], reason="week_locked", because=because, refused_at_ms=1_763_770_300_000
    ),
    NAMES,
    st.text(max_size=40),
)


@rule("R56")
@given(st.lists(st.one_of(RECEIPTS, REFUSALS), max_size=5))
def test_every_answer_comes_back_in_its_order(answers: list[Receipt | Refusal]) -> None:
    seed = bytes(range(32))
    assert read_answer(sign_answer(answers, seed), signature.public_of(seed)) == answers
