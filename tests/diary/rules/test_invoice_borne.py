"""Whether a replica comes to an invoice by itself: more, less, twice or left out is found (R43, R57, R61)."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diary.rules.ids import AccountId, ContractId
from diary.rules.invoice import charges_of, part_of
from diary.rules.invoice_borne import Borne, Own, borne
from diary.rules.invoice_parts import Invoice, InvoiceLine
from tests.diary.rules.billed import PAYER, invoice, line
from tests.diary.rules.made import CONTRACT
from tests.rule import rule

OTHER = ContractId("c1" * 16)
MEMBER = AccountId("5e" * 16)
LATE = {"what": "late", "week": "2026-W45", "act": ("c" * 32, 7)}


def own(*lines: InvoiceLine) -> Own:
    """Return what a replica's rows make due, all of one payer."""
    charges = charges_of([invoice(*lines)]) if lines else []
    return Own({charge.key: charge for charge in charges}, {CONTRACT: PAYER, OTHER: PAYER})


@rule("R61")
def test_an_invoice_of_what_the_own_rows_make_due_is_borne_out() -> None:
    lines = (line(), line(1500, **LATE), line(777, contract=OTHER))
    whole = invoice(*lines)
    assert borne(whole, [whole], own(*lines)) == Borne()
    assert borne(whole, [whole], None).agrees is None


@rule("R61")
@pytest.mark.parametrize(
    ("lines", "due", "comes_to"),
    [
        ((line(6001),), (line(),), 6000),
        ((line(5999),), (line(),), 6000),
        ((line(), line(1500, **LATE)), (line(),), 6000),
        ((line(),), (line(), line(777, contract=OTHER)), 6777),
        ((line(),), (), 0),
        ((line(7000), line(5000, contract=OTHER)), (line(6000), line(6000, contract=OTHER)), 12000),
    ],
    ids=["more", "less", "a line too many", "a line left out", "nothing was due", "one for another"],
)
def test_one_that_says_anything_else_differs_and_the_right_sum_is_known(
    lines: tuple[InvoiceLine, ...], due: tuple[InvoiceLine, ...], comes_to: int
) -> None:
    whole = invoice(*lines)
    assert borne(whole, [whole], own(*due)) == Borne(agrees=False, own_total_minor=comes_to)


@rule("R61")
def test_a_members_line_on_an_agencys_bill_is_borne_out_where_its_rows_lie() -> None:
    theirs = line(777, contract=OTHER, member=MEMBER)
    whole = invoice(line(), theirs)
    assert borne(whole, [whole], own(line())) == Borne(), "the agency's device takes it as it is said"
    assert borne(whole, [whole], own(line(5999))) == Borne(agrees=False, own_total_minor=6776)
    part = part_of(whole, OTHER)
    assert part is not None
    assert borne(part, [part], own(line(777, contract=OTHER))) == Borne()
    assert borne(part, [part], own(line(776, contract=OTHER))) == Borne(agrees=False, own_total_minor=776)


@rule("R61")
def test_what_was_billed_before_is_not_billed_again() -> None:
    first, again = invoice(), invoice(number=2, week="2026-W48")
    assert borne(again, [first, again], own(line())) == Borne(agrees=False, own_total_minor=0)


@rule("R43")
def test_a_correction_is_borne_out_with_what_it_corrects() -> None:
    first = invoice()
    second = invoice(line(-2000, segments=-2), number=2, corrects=1)
    for each in (first, second):
        assert borne(each, [first, second], own(line(4000, segments=4))) == Borne()
    wrong = msgspec.structs.replace(second, lines=(line(-1000, segments=-1),), total_minor=-1000)
    assert borne(wrong, [first, wrong], own(line(4000, segments=4))).own_total_minor == -2000


AMOUNTS = st.lists(st.integers(-5000, 5000).filter(bool), min_size=1, max_size=6)


@rule("R43")
@given(AMOUNTS, st.integers(-3, 3))
def test_of_any_row_of_corrections_the_last_is_judged_by_the_sum(amounts: list[int], off: int) -> None:
    every: list[Invoice] = [
        invoice(line(amount), number=number, corrects=1 if number > 1 else None)
        for number, amount in enumerate(amounts, start=1)
    ]
    due = sum(amounts) + off
    found = borne(every[-1], every, own(line(due)))
    assert (found.agrees, found.own_total_minor) == ((True, None) if not off else (False, amounts[-1] + off))
