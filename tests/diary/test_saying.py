"""What a freelancer says before a client joined, and what is not theirs to say (R8, R10, R38, R54, R62)."""

from pathlib import Path

import pytest

from diary.contracts import BadTermsError
from diary.diary import Diary
from diary.parties import RefusedSayingError
from diary.rules.ids import Slot
from diary.rules.week import Week
from diary.saying import NoReasonError, NoSuchRequestError
from diary.store import versions
from tests.practice import draft_of, instant, practice_diary, slot
from tests.rule import rule

NINE = slot("2026-11-16T09:00Z")
WEEK = Week.of(NINE)


def word(error: pytest.ExceptionInfo[RefusedSayingError]) -> str:
    assert error.value.how_to_mend
    return error.value.reason


@rule("R10")
def test_a_request_stands_open_with_its_reason_until_it_is_taken_back(tmp_path: Path) -> None:
    diary, clock, contract = practice_diary(tmp_path)
    with diary:
        of_week = diary.ask_manual_time(contract.id, " The tracker was off. ", week=WEEK)
        clock.put(clock.now_ms() + 1)
        of_all = diary.ask_manual_time(contract.id, "Workshops have no screen.")
        newest, first = diary.requests(contract.id)
        assert (first.name, first.week, first.reason, first.state) == (
            of_week, WEEK.name, "The tracker was off.", "open",
        )  # fmt: skip
        assert (newest.name, newest.week, newest.synced, newest.answered_at_ms) == (of_all, None, False, None)
        diary.take_request_back(contract.id, of_week)
        assert [one.state for one in diary.requests(contract.id)] == ["open", "withdrawn"]
        with pytest.raises(RefusedSayingError) as error:
            diary.take_request_back(contract.id, of_week)
        assert word(error) == "unknown_request"


@rule("R10")
def test_a_request_says_why_and_is_refused_when_it_is_too_late(tmp_path: Path) -> None:
    diary, clock, contract = practice_diary(tmp_path)
    with diary:
        with pytest.raises(NoReasonError):
            diary.ask_manual_time(contract.id, "  ")
        clock.put(WEEK.locked_at_ms)
        with pytest.raises(RefusedSayingError) as error:
            diary.ask_manual_time(contract.id, "Why not", week=WEEK)
        assert word(error) == "week_locked"
        assert diary.requests(contract.id) == ()


@rule("R8")
@rule("R48")
def test_the_clients_words_are_not_the_freelancers(tmp_path: Path) -> None:
    diary, clock, contract = practice_diary(tmp_path)
    with diary:
        place = diary.record(draft_of(contract, NINE))
        asked = diary.ask_manual_time(contract.id, "Please")
        clock.put(WEEK.locked_at_ms)
        for say in (
            lambda: diary.answer_request(contract.id, asked, allows=False),
            lambda: diary.answer_request(contract.id, asked, allows=True),
            lambda: diary.accept_late([place]),
            lambda: diary.dispute([place], "No"),
            lambda: diary.take_dispute_back([place]),
        ):
            with pytest.raises(RefusedSayingError) as error:
                say()
            assert word(error) == "not_yours"
        assert diary.contract("Practice").history.newest.manual_allowed is False, "nothing was half done"
        with pytest.raises(NoSuchRequestError):
            diary.answer_request(contract.id, (diary.replica, 99), allows=True)


@rule("R8")
def test_a_change_of_state_alone_is_a_row_that_seals_nothing(tmp_path: Path) -> None:
    diary, clock, contract = practice_diary(tmp_path, limit_minutes=600)
    with diary:
        clock.put(clock.now_ms() + 1)
        paused = diary.change_terms(contract.id, state="paused")
        assert (paused.terms.state, paused.terms.limit_minutes, paused.title) == ("paused", 600, "Practice")
        rows = versions.slotless(diary._state.connection, "terms", contract.id)
        assert [(row.header.state, row.sealed.body is None) for row in rows] == [
            (None, False), ("paused", True),
        ]  # fmt: skip
        with pytest.raises(BadTermsError):
            diary.change_terms(contract.id, state="ended")  # type: ignore[arg-type]  # what a page's form might send
    with Diary.open(diary.home, clock=clock) as again:
        assert again.contract("Practice") == paused


@rule("R10")
def test_weeks_with_manual_time_are_named_until_they_are_frozen(tmp_path: Path) -> None:
    diary, clock, contract = practice_diary(tmp_path)
    with diary:
        named = diary.change_terms(contract.id, manual_weeks=[WEEK.next().name, WEEK.name])
        assert named.terms.manual_weeks == (WEEK.name, WEEK.next().name)
        assert diary.add_manual(contract.id, [Slot(NINE - 6)], "Workshop").done
        clock.put(WEEK.locked_at_ms)
        renamed = diary.change_terms(contract.id, title="Practice, renamed")
        assert renamed.terms.manual_weeks == (WEEK.next().name,)
        with pytest.raises(BadTermsError):
            diary.change_terms(contract.id, manual_weeks=["2026-W60"])


@rule("R54")
def test_a_freelancer_signs_a_redaction_that_waits_for_the_client(tmp_path: Path) -> None:
    diary, clock, contract = practice_diary(tmp_path)
    with diary:
        place = diary.record(draft_of(contract, NINE))
        with pytest.raises(RefusedSayingError) as error:
            diary.redact([place])
        assert word(error) == "week_open"
        clock.put(WEEK.locked_at_ms)
        assert diary.redact([place], "A passer-by's face") == 0
        (signed,) = diary.redactions(contract.id).values()
        assert (signed.freelancer is not None, signed.client, signed.is_agreed) == (True, None, False)
        segment = diary.segment(place)
        assert segment is not None
        assert (segment.redacted, len(segment.snapshots)) == (False, 1)


@rule("R62")
def test_a_reply_has_words_and_a_week_in_review_is_not_needed(tmp_path: Path) -> None:
    diary, clock, contract = practice_diary(tmp_path)
    with diary:
        place = diary.record(draft_of(contract, NINE))
        clock.put(instant("2027-01-01T00:00Z"))
        with pytest.raises(NoReasonError):
            diary.reply([place], "")
        assert diary.reply([place], "It was the invoice page.") == 1
        assert diary.disputes(contract.id) == ()
