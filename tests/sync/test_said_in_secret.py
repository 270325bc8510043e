"""What the parties say about work and money: no word of it is in the clear at the server (R46, R62, R63)."""

import base64

from diary.messaging import NewFile
from diary.rules.week import Week
from tests.practice import SCREEN, record_slot, slot
from tests.rule import rule
from tests.sync.clients import invited, join_in
from tests.sync.restoring import RestoringStage
from tests.sync.server.conftest import stored_at
from tests.sync.stage import Device

NINE, TEN, LATE = (slot(f"2026-11-18T{hour}:00Z") for hour in ("09", "10", "15"))
WEEK = Week.of(NINE)
# Each where a person types it; a word that nobody else here says.
SAID = (
    "memo-marzipan", "message-mulberry", "address-tamarind", "request-rosella", "answer-apricot",
    "dispute-damson", "reply-rambutan", "concession-citron", "acceptance-acerola", "bonus-bergamot",
    "claim-cherimoya", "confirmation-carambola", "receipt-redcurrant", "receiptname-raspberry",
    "refund-feijoa", "title-tangerine", "client-calamondin",
)  # fmt: skip


def _synced(*devices: Device) -> None:
    for device in devices * 2:
        device.sync()
        assert device.diary.alarms() == ()


def _forms(word: str) -> list[bytes]:
    """Return a word as it could lie in a file: bare, wide, as hexadecimal digits, in base64."""
    raw = word.encode()
    coded = [base64.b64encode(bytes(start) + raw)[4:-4] for start in range(3)]
    return [raw, word.encode("utf-16-le"), raw.hex().encode(), *coded]


@rule("R46")
@rule("R62")
@rule("R63")
@rule("R68")
def test_no_word_about_work_or_money_is_in_the_servers_files_or_on_the_line(either: RestoringStage) -> None:
    device = either.first()
    contract = device.diary.new_contract(
        title="title-tangerine", client="client-calamondin", rate_minor=6000, currency="EUR"
    )
    for at in (NINE, TEN):
        picture = SCREEN + str(at).encode()
        record_slot(device.diary, contract, at, memo="memo-marzipan", picture=picture)
    client = join_in(either, invited(device, contract))
    asked = device.diary.ask_manual_time(contract.id, "request-rosella")
    device.diary.send_message(contract.id, "message-mulberry")
    device.diary.set_call(contract.id, "https://meet.example/address-tamarind")
    _synced(device, client)
    client.diary.answer_request(contract.id, asked, allows=False, reason="answer-apricot")
    _synced(client, device)
    either.put_clocks("2026-11-24T09:00Z")
    record_slot(device.diary, contract, LATE, memo="memo-marzipan", picture=SCREEN + b"late")
    device.diary.send_asked()
    _synced(device, client)
    client.diary.accept_late([(contract.id, LATE)], "acceptance-acerola")
    client.diary.give_bonus(contract.id, WEEK, 500, "bonus-bergamot")
    client.diary.dispute([(contract.id, NINE), (contract.id, TEN)], "dispute-damson")
    receipt = NewFile("receiptname-raspberry.txt", "text/plain", b"receipt-redcurrant" * 50)
    client.diary.mark_paid(1, 700, "claim-cherimoya", [receipt])
    _synced(client, device)
    device.diary.reply([(contract.id, NINE)], "reply-rambutan")
    device.diary.concede([(contract.id, TEN)], "concession-citron")
    (claim,) = device.diary.invoice(1).payments
    assert claim.reference == "claim-cherimoya"
    *_, sent = device.diary.conversation(contract.id).messages
    file, whole = device.diary.message_file(contract.id, sent.files[0].sealed_name)
    assert (file.name, whole) == (receipt.name, receipt.content)
    device.diary.confirm_payment(1, claim.id, reference="confirmation-carambola")
    device.diary.refund(1, 100, "refund-feijoa")
    _synced(device, client)
    # Both parties read all of it.
    (raised,) = client.diary.disputes(contract.id)
    assert [words for _, words in raised.replies] == ["reply-rambutan", "concession-citron"]
    assert {"refund-feijoa"} <= {one.reference for one in client.diary.invoice(1).payments}
    assert either.server is not None
    stored = stored_at(either.server.folder, either.server.database_url)
    traffic = b"".join(part for each in either.devices for part in each.failing.traffic)
    for where, seen in (("files", stored), ("line", traffic)):
        found = [word for word in SAID if any(form in seen for form in _forms(word))]
        assert found == [], where
    plain = stored.replace(b"\\", b"")
    for kind in ("message", "request", "acceptance", "dispute", "bonus", "payment"):
        assert f'"type":"{kind}"'.encode() in plain, "the search would find what is there"
