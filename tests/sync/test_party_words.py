"""A client at the command line of a joined copy, and what the freelancer then reads (R10, R38, R62, R66)."""

from tests.diary.typed import Typist
from tests.practice import SCREEN, record_slot, slot
from tests.rule import rule
from tests.sync.clients import invited, join_in
from tests.sync.stage import Stage, two_devices

NINE, TEN = slot("2026-11-18T09:00Z"), slot("2026-11-18T10:00Z")


@rule("R38")
@rule("R62")
@rule("R66")
def test_a_client_sets_terms_answers_accepts_and_disputes_in_words(stage: Stage) -> None:
    a, _, _ = two_devices(stage, ())
    contract = a.diary.new_contract(title="Garden")
    record_slot(a.diary, contract, NINE, picture=SCREEN)
    client = join_in(stage, invited(a, contract))
    freelancer, theirs = Typist(a.diary.home, a.clock), Typist(client.diary.home, client.clock)
    freelancer.types("contract", "request", "Garden", "A workshop", "--week", "this")
    a.sync()
    record_slot(a.diary, contract, TEN, picture=SCREEN + b"2")
    stage.put_clocks("2026-11-24T09:00Z")
    assert "1 late and held" in freelancer.types("status").out
    freelancer.types("late", "send")
    for device in (a, client, a):
        device.sync()
    theirs.types("contract", "terms", "Garden", "--limit", "20h")
    assert theirs.types("contract", "answer", "Garden", "decline", "Too late").out == (
        "Manual time in 2026-W47 is declined.\n"
    )
    assert "10:00" in theirs.types("late").out
    assert theirs.types("late", "accept", "@1").out == "1 segment accepted; they bill as a bonus.\n"
    theirs.types("dispute", "2026-11-18 9:00", "--reason", "Nothing moves in it")
    assert theirs.types("late").out == "No late time waits for you.\n"
    for device in (client, a):
        device.sync()
    shown = freelancer.types("contract", "show", "Garden").out
    assert "by the client: 20:00 h a week from 2026-11-30" in shown
    assert "declined, “Too late”" in shown
    assert "1 of 1 segments from 2026-11-18T09:00:00Z. Why: Nothing moves in it" in shown
    assert "accepted 1 segment of late time" in freelancer.types("late").err
    first, second = freelancer.json("week", "2026-W47")["segments"]
    assert (first["disputed"], second["accepted"], second["bills"]) == (True, True, True)
    assert freelancer.types("contract", "terms", "Garden", "--limit", "90h", says=3).err.startswith(
        "not_yours: "
    )
    assert theirs.types("contract", "request", "Garden", "x", says=3).err.startswith("not_yours: ")
