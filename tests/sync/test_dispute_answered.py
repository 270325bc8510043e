"""A dispute answered with a bundle in one step, and what the client then has in hand (R59, R62, R68)."""

from diary.evidence.verify import verify
from tests.diary.typed import Typist
from tests.practice import SCREEN, record_slot, slot
from tests.rule import rule
from tests.sync.clients import invited, join_in
from tests.sync.stage import Stage

NINE, TEN = slot("2026-11-18T09:00Z"), slot("2026-11-18T10:00Z")


@rule("R59")
@rule("R62")
def test_the_freelancer_answers_with_the_proof_and_the_client_checks_it(stage: Stage) -> None:
    device = stage.first()
    contract = device.diary.new_contract(title="Orchard", client="Ada", rate_minor=6000)
    for at in (NINE, TEN):
        record_slot(device.diary, contract, at, picture=SCREEN + str(at).encode())
    client = join_in(stage, invited(device, contract))
    freelancer, theirs = Typist(device.diary.home, device.clock), Typist(client.diary.home, client.clock)
    device.sync()
    stage.put_clocks("2026-11-24T09:00Z")
    client.sync()
    theirs.types("dispute", "2026-11-18 9:00", "--reason", "Nothing moves in it")
    client.sync()
    device.sync()
    words = ("dispute", "2026-11-18 9:00", "--reply")
    assert "reason" in freelancer.types(*words, "--bundle", says=2).err
    assert device.diary.conversation(contract.id).messages == (), "a reply that is refused sends nothing"
    assert freelancer.types("dispute", "2026-11-18 9:00", "--bundle", says=2).err
    said = freelancer.types(*words, "--bundle", "--reason", "I was reading the plan").out
    assert said == "1 segment replied about, with 2026-W47-dispute.bundle.zip as a message.\n"
    device.sync()
    client.sync()
    client.sync()
    (raised,) = client.diary.disputes(contract.id)
    assert raised.replies[0][1].startswith("I was reading the plan\n(With it: 2026-W47-dispute.bundle.zip")
    (message,) = client.diary.conversation(contract.id).messages
    file, whole = client.diary.message_file(contract.id, message.files[0].sealed_name)
    assert file.name == "2026-W47-dispute.bundle.zip"
    found = verify(whole)
    assert found.holds
    assert found.record is not None


@rule("R62")
def test_what_is_conceded_is_disputed_no_more(stage: Stage) -> None:
    device = stage.first()
    contract = device.diary.new_contract(title="Orchard", client="Ada", rate_minor=6000)
    record_slot(device.diary, contract, NINE, picture=SCREEN)
    client = join_in(stage, invited(device, contract))
    device.sync()
    stage.put_clocks("2026-11-24T09:00Z")
    client.sync()
    client.diary.dispute([(contract.id, NINE)], "Not agreed")
    client.sync()
    device.sync()
    freelancer = Typist(device.diary.home, device.clock)
    assert freelancer.types("dispute", "2026-11-18 9:00", "--concede").out == (
        "1 segment conceded and credited.\n"
    )
    assert freelancer.types("dispute", "2026-11-18 9:00", "--concede", says=3).err.startswith("not_disputed")
    device.sync()
    client.sync()
    (raised,) = client.diary.disputes(contract.id)
    assert raised.open_slots == ()
