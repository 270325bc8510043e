"""From an invoice and both parties' rows to what is shown: sums, states, payments, statements (R61-R63)."""

from diary.rules.ids import ContractId, Millis, Slot
from diary.rules.invoice import part_of
from diary.rules.invoice_borne import Borne
from diary.rules.invoice_shown import Known, shown
from diary.rules.invoice_view import InvoiceView
from diary.rules.segment import Header
from diary.rules.statement import Statement, statement_json, statements
from tests.diary.rules.billed import AVAILABLE, CLOSED, REVIEW_ENDS, invoice, line
from tests.diary.rules.made import CONTRACT, WEEK, received
from tests.diary.rules.said import bonus, dispute, payment
from tests.rule import rule

SLOTS = frozenset(map(Slot, WEEK.slots[:6]))
FIRST = WEEK.slots[0]
TUESDAY = Millis(CLOSED + 24 * 3600 * 1000)
OTHER = ContractId("c1" * 16)


def known(*headers: Header, **fields: object) -> dict[ContractId, Known]:
    acts = [received(header, TUESDAY + place) for place, header in enumerate(headers)]
    one = Known("Orchard", "Ada", acts, {WEEK.name: SLOTS}, **fields)  # type: ignore[arg-type]  # as named
    return {CONTRACT: one}


def seen(*headers: Header, at_ms: int = TUESDAY + 1000) -> InvoiceView:
    return shown(invoice(), known(*headers), Borne(), Millis(at_ms))


@rule("R62")
def test_an_invoice_goes_through_its_states_at_their_instants() -> None:
    states = [seen(at_ms=at).state for at in (CLOSED, REVIEW_ENDS - 1, REVIEW_ENDS, AVAILABLE)]
    assert states == ["in_review", "in_review", "security_period", "available"]
    paid = seen(payment(1, "received", 6000), at_ms=AVAILABLE)
    assert (paid.state, paid.due_minor, paid.paid_minor) == ("withdrawn", 0, 6000)


@rule("R62")
def test_a_disputed_segment_stands_apart_and_a_conceded_one_is_credited() -> None:
    disputed = seen(dispute(1, "raised", FIRST, FIRST + 1))
    assert (disputed.disputed_minor, disputed.owed_minor, disputed.due_minor) == (2000, 6000, 4000)
    conceded = seen(dispute(1, "raised", FIRST, FIRST + 1), dispute(2, "conceded", FIRST, by="a" * 32))  # type: ignore[arg-type]  # an id
    assert (conceded.credited_minor, conceded.disputed_minor, conceded.due_minor) == (1000, 1000, 4000)
    back = seen(dispute(1, "raised", FIRST), dispute(2, "withdrawn", FIRST))
    assert (back.disputed_minor, back.due_minor) == (0, 6000)


@rule("R63")
def test_a_claim_lessens_nothing_until_the_freelancer_has_confirmed_it() -> None:
    claimed = seen(payment(1, "paid", 5000))
    assert (claimed.due_minor, [one.state for one in claimed.payments]) == (6000, ["claimed"])
    settled = seen(payment(1, "paid", 5000), payment(2, "received", 4000))
    assert (settled.due_minor, settled.payments[0].state, settled.payments[0].amount_minor) == (
        2000, "disagrees", 4000,
    )  # fmt: skip
    refunded = seen(payment(1, "received", 6000), payment(2, "refunded", 1000, id_="8" * 32))
    assert (refunded.paid_minor, refunded.payments[1].state) == (6000, "refunded")
    assert refunded.payments[1].counted_minor == -1000


@rule("R61")
def test_the_words_of_a_payment_and_a_bonus_stand_where_they_open() -> None:
    said = payment(3, "paid", 5000)
    thanks = bonus(4, 500)
    words = {said.name: "SEPA 4711", thanks.name: "For the night shift"}
    whole = invoice(line(), line(500, what="bonus", segments=0, rate_minor=0, act=thanks.name))
    view = shown(whole, known(said, thanks, words=words), Borne(), TUESDAY)
    assert (view.payments[0].reference, view.lines[1].note) == ("SEPA 4711", "For the night shift")


@rule("R51")
def test_a_seat_sees_its_own_lines_and_their_sum() -> None:
    whole = invoice(line(), line(777, contract=OTHER))
    part = part_of(whole, CONTRACT)
    assert part is not None
    view = shown(part, known(), Borne(), TUESDAY)
    assert (view.is_part, view.total_minor, view.due_minor) == (True, 6000, 6000)
    assert view.due_by_contract == ((CONTRACT, 6000),)


@rule("R62")
def test_a_statement_is_the_ledger_in_the_order_of_time_and_owes_what_the_invoice_owes() -> None:
    rows = known(dispute(1, "raised", FIRST), payment(2, "received", 2500))
    (found,) = statements([invoice()], rows, Millis(AVAILABLE))
    assert isinstance(found, Statement)
    assert [entry.what for entry in found.lines] == [
        "closed", "disputed", "received", "review_ended", "available",
    ]  # fmt: skip
    assert [entry.owed_minor for entry in found.lines] == [6000, 6000, 3500, 3500, 3500]
    view = shown(invoice(), rows, Borne(), Millis(AVAILABLE))
    assert found.balances["client_owes"] == view.owed_minor == 3500
    assert sum(found.balances.values()) == 0
    assert statement_json(found)["balances"] == {
        "client_owes": 3500, "disputed": 1000, "available": 2500, "paid_by_hand": 2500, "withdrawn": 2500,
    }  # fmt: skip
