"""`late` and `audit`: what waits for an answer, what left, and what gave alarm."""

from pathlib import Path

import pytest

from diary.diary import Diary
from diary.evidence.opening import SignedOpening
from diary.rules.ids import ContractId, Millis
from diary.rules.json_form import iso
from diary.store import epochs, feed
from diary.unanswered import Suspicion
from tests.diary.typed import Typist, typist_with_a_morning
from tests.practice import instant
from tests.rule import rule

AFTER_THE_LOCK = "2026-11-23T12:00:01Z"


@pytest.fixture
def typist(tmp_path: Path) -> Typist:
    typist = typist_with_a_morning(tmp_path)
    with Diary.open(typist.home, clock=typist.clock) as diary:
        diary.link_server("https://diary.example", "00" * 32)
    return typist


@rule("R38")
def test_late_time_is_listed_and_sent_by_one_word(typist: Typist) -> None:
    assert typist.types("late").out == "Nothing waits for an answer.\n"
    typist.clock.put(instant(AFTER_THE_LOCK))
    assert "3 late and held (diary late)" in typist.types("status").out
    assert typist.types("late").out.count("Invoice page") == 3
    assert {one["why"] for one in typist.json("late")} == {"late"}
    assert typist.types("late", "send").out == "3 segments will be sent.\n"
    assert typist.json("late") == []
    assert typist.json("status")["late_held"] == 0


@rule("R38")
def test_late_time_is_dropped_only_once_that_is_agreed_to(typist: Typist) -> None:
    typist.clock.put(instant(AFTER_THE_LOCK))
    typist.types("late", "drop", given="n\n", says=1)
    assert len(typist.json("late")) == 3
    assert typist.types("late", "drop", "--yes").out == "3 segments destroyed.\n"
    assert typist.json("week", "2026-W47")["segments"] == []


@rule("R38")
def test_late_time_is_answered_for_by_line_time_and_contract(typist: Typist) -> None:
    typist.clock.put(instant(AFTER_THE_LOCK))
    listed = typist.types("late").out
    assert [line.split()[0] for line in listed.splitlines()[1:4]] == ["@1", "@2", "@3"]
    assert typist.types("late", "send", "@2").out == "1 segment will be sent.\n"
    waiting = [one["start"] for one in typist.json("late")]
    assert waiting == ["2026-11-16T09:00:00Z", "2026-11-16T09:20:00Z"]
    assert typist.types("late", "drop", "2026-11-16 9:20", "--yes").out == "1 segment destroyed.\n"
    assert [one["start"] for one in typist.json("late")] == waiting[:1]
    typist.types("late", "send", "--contract", "Elsewhere", says=2)
    assert typist.types("late", "send", "--contract", "Orchard").out == "1 segment will be sent.\n"


@rule("R38")
def test_what_does_not_wait_is_not_answered_for(typist: Typist) -> None:
    typist.clock.put(instant(AFTER_THE_LOCK))
    typist.types("late")
    said = typist.types("late", "drop", "2026-11-16 10:00", "--yes", says=1).err
    assert "Nothing that waits for an answer stands at 2026-11-16 10:00." in said
    typist.types("late", "send", "@4", says=2)
    typist.types("late", "drop", "@1", given="n\n", says=1)
    assert len(typist.json("late")) == 3


@rule("R50")
def test_without_a_server_nothing_is_asked(tmp_path: Path) -> None:
    typist = typist_with_a_morning(tmp_path)
    typist.clock.put(instant(AFTER_THE_LOCK))
    assert typist.json("late") == []


def test_another_answer_is_a_usage_error(typist: Typist) -> None:
    assert "perhaps" in typist.types("late", "perhaps", says=2).err


@rule("R55")
def test_an_audit_shows_what_is_stored_and_that_nothing_was_sent(typist: Typist) -> None:
    out = typist.types("audit").out
    assert "No alarms." in out
    assert "Nothing was ever sent." in out
    stored = {one["what"]: one["count"] for one in typist.json("audit")["stored"]}
    assert (stored["capture"], stored["entry"], stored["picture"]) == (3, 3, 6)


@rule("R43")
@rule("R55")
def test_what_a_restored_server_lacks_is_said_until_it_is_back(typist: Typist) -> None:
    assert typist.json("audit")["restorings"] == []
    with Diary.open(typist.home, clock=typist.clock) as diary:
        contract = diary.contracts()[0].id
        lost = epochs.LostHead(contract, had_epoch=1, had_size=120, kept_size=100)
        statement = SignedOpening(text="{}", signature=b"s" * 64)
        with diary._state.writing():
            connection = diary._state.connection
            epochs.keep(connection, 1_763_770_300_000, statement, [lost], Millis(1_763_770_300_000))
            connection.execute(
                "UPDATE version SET received_at_ms = 5, log_epoch = -1, leaf_index = id"
                " WHERE type = 'capture'"
            )
    said = typist.types("audit").out
    assert f"log {contract[:8]}: from 120 rows back to 100" in said
    assert "Not at the server again yet: 3 versions" in said
    (restoring,) = typist.json("audit")["restorings"]
    assert restoring["lost"] == [{"contract": contract, "from": [1, 120], "to": 100}]
    assert "lacks 3 versions that it had received: diary audit." in typist.types("status").out
    assert "lacks 3 versions" in typist.types("devices").err


@rule("R43")
@rule("R56")
def test_a_server_that_does_not_answer_for_its_log_is_said_from_the_first_day_on(typist: Typist) -> None:
    assert typist.json("status")["unanswered_since"] is None
    with Diary.open(typist.home, clock=typist.clock) as diary:
        diary.note_unanswered(Suspicion("its log went back"), is_clock_unsure=False)
        since = iso(diary.now_ms())
    said = "the server does not answer for its log"
    assert f"{said}: its log went back. Nothing is sent to it" in typist.types("status").out
    assert f"{said} (diary status)" in typist.types().out
    assert said in typist.types("devices").err
    (check,) = (one for one in typist.json("doctor") if one["name"] == "alarms")
    assert (check["outcome"], said in check["says"]) == ("warning", True)
    assert typist.json("status")["unanswered_since"] == since
    with Diary.open(typist.home, clock=typist.clock) as diary:
        diary.note_answered()
    assert typist.json("status")["unanswered_since"] is None


@rule("R55")
@rule("R48")
def test_an_alarm_stays_in_the_audit_and_the_status_says_there_is_one(typist: Typist) -> None:
    with Diary.open(typist.home, clock=typist.clock) as diary:
        alarm = feed.Alarm(Millis(0), ContractId("0" * 32), "log_shrank", "the log of a contract shrank")
        with diary._state.writing():
            feed.raise_alarm(diary._state.connection, alarm)
    assert "ALARM log_shrank" in typist.types("audit").out
    assert typist.json("audit")["alarms"][0]["kind"] == "log_shrank"
    assert "diary audit" in typist.types("status").out
    assert "ALARM (diary audit)" in typist.types().out
