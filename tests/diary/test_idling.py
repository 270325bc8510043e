"""The question about time away: asked once, answered by any process, sealed."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from diary.clock import GivenClock
from diary.contracts import Contract, UnknownContractError, UnknownLabelError
from diary.diary import Diary
from diary.errors import RefusedError
from diary.idling import IdleQuestion, NoContractToMoveToError, NothingAskedError
from diary.rules.ids import ContractId
from tests.diary.typed import Typist, typist_with_a_morning
from tests.practice import draft_of, instant, practice_diary, slot
from tests.rule import rule

SINCE, UNTIL = instant("2026-11-18T09:04Z"), instant("2026-11-18T09:14Z")


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[tuple[Diary, GivenClock, Contract]]:
    diary, clock, contract = practice_diary(tmp_path, at="2026-11-18T09:20Z")
    with diary:
        yield diary, clock, contract


def ask(diary: Diary, contract: Contract, minutes: int = 10) -> IdleQuestion:
    return diary.ask_idle(contract.id, since_ms=SINCE, until_ms=UNTIL, minutes=minutes)


@rule("R18")
def test_a_question_stands_until_it_is_settled_and_is_open_until_it_is_answered(
    practice: tuple[Diary, GivenClock, Contract],
) -> None:
    diary, clock, contract = practice
    assert diary.idle_question() is None
    asked = ask(diary, contract)
    with Diary.open(diary.home, clock=clock) as other:
        assert other.idle_question() == asked
        assert other.status().idle == asked
        assert other.attention().idle == asked
        other.answer_idle("keep")
    assert diary.idle_question() == msgspec.structs.replace(asked, answer="keep")
    assert diary.status().idle is None
    diary.settle_idle()
    assert diary.idle_question() is None


@rule("R18")
def test_an_answer_to_another_question_than_was_seen_is_not_taken(
    practice: tuple[Diary, GivenClock, Contract],
) -> None:
    diary, _, contract = practice
    with pytest.raises(NothingAskedError):
        diary.answer_idle("keep")
    ask(diary, contract)
    with pytest.raises(NothingAskedError):
        diary.answer_idle("drop", until_ms=SINCE)
    found = diary.idle_question()
    assert found
    assert found.answer is None


@rule("R18")
def test_a_move_names_an_active_contract_and_one_of_its_labels(
    practice: tuple[Diary, GivenClock, Contract],
) -> None:
    diary, _, contract = practice
    other = diary.new_contract(title="Mill", labels=("Books",))
    closed = diary.new_contract(title="Old")
    diary.change_terms(closed.id, state="closed")
    ask(diary, contract)
    with pytest.raises(NoContractToMoveToError):
        diary.answer_idle("move")
    with pytest.raises(UnknownContractError):
        diary.answer_idle("move", move_to=ContractId("f" * 32))
    with pytest.raises(UnknownLabelError):
        diary.answer_idle("move", move_to=other.id, label="Ovens")
    with pytest.raises(RefusedError, match="contract_closed"):
        diary.answer_idle("move", move_to=closed.id)
    assert diary.status().idle
    found = diary.answer_idle("move", move_to=other.id, memo=" ledger ", label="Books")
    assert found.memo
    assert found.label
    assert (found.move_to, found.memo.text, found.label.text) == (other.id, "ledger", "Books")


@rule("R12")
@rule("R18")
def test_a_moved_draft_leaves_nothing_with_its_old_contract_and_a_removed_one_goes_nowhere(
    practice: tuple[Diary, GivenClock, Contract],
) -> None:
    diary, _, contract = practice
    other = diary.new_contract(title="Mill")
    first, second = slot("2026-11-18T09:00Z"), slot("2026-11-18T09:10Z")
    for at in (first, second):
        diary.keep_draft(draft_of(contract, at))
    diary.remove([(contract.id, second)])
    for at, kept in ((first, True), (second, False)):
        moved = msgspec.structs.replace(draft_of(contract, at), contract=other.id)
        assert diary.keep_draft(moved, contract.id) is kept
    assert [(draft.contract, draft.slot, draft.removed) for draft in diary.drafts()] == [
        (other.id, first, False),
        (contract.id, second, True),
    ]
    assert diary.drafts()[0].pictures == draft_of(contract, first).pictures


@rule("R46")
def test_what_is_asked_and_answered_lies_in_no_file_in_clear(
    practice: tuple[Diary, GivenClock, Contract],
) -> None:
    diary, _, contract = practice
    ask(diary, contract)
    diary.answer_idle("move", move_to=diary.new_contract(title="Mill").id, memo="zwiebelfisch")
    for path in diary.home.rglob("*"):
        if path.is_file():
            assert b"zwiebelfisch" not in path.read_bytes(), path


@pytest.fixture
def typist(tmp_path: Path) -> Typist:
    return typist_with_a_morning(tmp_path)


@rule("R18")
def test_the_command_shows_what_is_asked_and_takes_the_answer(typist: Typist) -> None:
    assert typist.types("idle").out == "Nothing is asked about time away.\n"
    assert typist.types("idle", "keep", says=1).err == "Nothing is asked about time away.\n"
    with Diary.open(typist.home, clock=typist.clock) as diary:
        contract = diary.contracts()[0]
        diary.new_contract(title="Zither")
        ask(diary, contract, minutes=7)
    assert "7 minutes without you (09:04–09:14): diary idle keep" in typist.types("status", "--utc").out
    assert f"7 minutes without you, 09:04–09:14 on {contract.title}" in typist.types("idle", "--utc").out
    assert typist.json("status")["idle_minutes"] == 7
    shown = {
        "contract": contract.title,
        "since": "2026-11-18T09:04:00Z",
        "until": "2026-11-18T09:14:00Z",
        "minutes": 7,
        "answer": None,
    }
    assert typist.json("idle") == shown
    assert "goes to the other contract" in typist.types("idle", "move", "Zither", "tuning").out
    assert typist.json("idle") == shown | {"answer": "move"}
    assert typist.json("status")["idle_minutes"] == 0
    assert "The tracker does it" in typist.types("idle").out


@rule("R18")
def test_a_move_without_a_contract_says_how_it_is_typed(typist: Typist) -> None:
    with Diary.open(typist.home, clock=typist.clock) as diary:
        ask(diary, diary.contracts()[0])
    assert "diary idle move CONTRACT" in typist.types("idle", "move", says=2).err
