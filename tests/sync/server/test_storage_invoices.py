"""What every backend keeps of invoices and of the ledger (R61, R62)."""

from dataclasses import replace

import pytest

from diary.clock import GivenClock
from diary.evidence.invoice_statement import own_invoice
from diary.rules.ids import ContractId, Millis
from diary.rules.invoice_parts import Invoice
from diary.rules.ledger import Facts, entries
from diary.rules.week import DAY_MILLIS
from sync.server.kept_invoices import NO_STEP, NewInvoice
from sync.server.log import ServerKey
from sync.server.payment import Money, MoneyEvent, PaymentNames
from sync.server.storage import Storage
from sync.server.storage_postgres import PostgresStorage
from sync.server.storage_sqlite import SqliteStorage
from tests.diary.rules.billed import AVAILABLE, CLOSED, PAYER, REVIEW_ENDS, invoice, line, position
from tests.diary.rules.made import WEEK
from tests.rule import rule
from tests.sync.server.versions import ACCOUNT, CONTRACT, OTHER_ACCOUNT, OTHER_CONTRACT, ROOT

KEY = ServerKey(bytes(32))
NEXT = WEEK.next().name


def issued(
    number: int, *contracts: ContractId, week: str = WEEK.name, corrects: int | None = None
) -> Invoice:
    lines = [line(100 * number + at, contract=contract) for at, contract in enumerate(contracts)]
    return invoice(*lines, account=ACCOUNT, number=number, week=week, corrects=corrects)


def keep(storage: Storage, *made: Invoice) -> None:
    with storage.hold(ACCOUNT) as hold:
        hold.invoices.keep([NewInvoice(one, KEY.invoice(one)) for one in made])


FIRST = issued(1, CONTRACT, OTHER_CONTRACT)
SECOND = issued(2, CONTRACT, week=NEXT)
CORRECTION = issued(3, OTHER_CONTRACT, corrects=1)


@rule("R61")
def test_invoices_are_kept_as_signed_and_found_by_number_contract_and_week(storage: Storage) -> None:
    keep(storage, FIRST, SECOND)
    keep(storage)
    keep(storage, CORRECTION)
    with storage.hold(ACCOUNT) as hold:
        assert hold.invoices.issued == 3
        assert hold.invoices.of({CONTRACT}) == [FIRST, SECOND]
        assert hold.invoices.of({CONTRACT, OTHER_CONTRACT}) == [FIRST, SECOND, CORRECTION]
        assert hold.invoices.of(set()) == []
        assert hold.invoices.of_weeks({WEEK.name}) == [FIRST, CORRECTION]
        assert hold.invoices.of_weeks({NEXT, "2026-W01"}) == [SECOND]
    read = storage.invoices
    assert read.invoices(ACCOUNT, 0, 2) == [KEY.invoice(FIRST), KEY.invoice(SECOND)]
    assert [own_invoice(one.text).number for one in read.invoices(ACCOUNT, 2, 9)] == [3]
    assert [own_invoice(one.text).number for one in read.invoices(ACCOUNT, 0, 9, only=OTHER_CONTRACT)] == [
        1,
        3,
    ]
    assert (read.last(ACCOUNT), read.last(ACCOUNT, only=CONTRACT)) == (3, 2)
    assert (read.invoices(OTHER_ACCOUNT, 0, 9), read.last(OTHER_ACCOUNT)) == ([], 0)


@rule("R62")
def test_the_next_step_of_all_is_known_before_anything_is_asked(storage: Storage) -> None:
    with storage.hold(ACCOUNT) as hold:
        assert hold.invoices.due_ms == NO_STEP
    keep(storage, FIRST, replace_dates(SECOND, 7 * DAY_MILLIS))
    with storage.hold(ACCOUNT) as hold:
        assert hold.invoices.due_ms == REVIEW_ENDS
        assert hold.invoices.stepping(Millis(REVIEW_ENDS - 1)) == []
        assert hold.invoices.stepping(REVIEW_ENDS) == [FIRST]
        hold.invoices.note_steps({1: AVAILABLE})
    assert storage.invoices.due(Millis(AVAILABLE - 1), 9) == []
    assert storage.invoices.due(AVAILABLE, 9) == [ACCOUNT]
    with storage.hold(ACCOUNT) as hold:
        assert hold.invoices.due_ms == AVAILABLE
        hold.invoices.note_steps({1: NO_STEP, 2: NO_STEP})
    with storage.hold(ACCOUNT) as hold:
        assert hold.invoices.due_ms == NO_STEP
    assert storage.invoices.due(Millis(AVAILABLE * 2), 9) == []


def replace_dates(one: Invoice, later_ms: int) -> Invoice:
    from msgspec.structs import replace as changed

    return changed(
        one,
        review_ends_at_ms=Millis(one.review_ends_at_ms + later_ms),
        available_at_ms=Millis(one.available_at_ms + later_ms),
    )


@rule("R62")
def test_entries_are_kept_with_their_postings_and_read_in_the_order_of_time(storage: Storage) -> None:
    keep(storage, FIRST)
    ours = entries(replace(position(), contract=CONTRACT), Facts(), AVAILABLE)
    others = entries(replace(position(50), contract=OTHER_CONTRACT), Facts(), CLOSED)
    with storage.hold(ACCOUNT) as hold:
        hold.invoices.post(ours[1:])
        hold.invoices.post(others)
        hold.invoices.post(ours[:1])
        hold.invoices.post(())
    with storage.hold(ACCOUNT) as hold:
        assert tuple(hold.invoices.entries({CONTRACT}, {1})) == ours
        assert hold.invoices.entries({CONTRACT}, {2}) == []
        assert hold.invoices.entries(set(), {1}) == []
    everything = sorted([*ours, *others], key=lambda entry: (entry.at_ms, entry.contract, entry.key))
    assert storage.invoices.entries(ACCOUNT) == everything
    assert storage.invoices.entries(OTHER_ACCOUNT) == []


@rule("R61")
@rule("R62")
def test_what_was_not_committed_left_neither_a_number_nor_an_entry(storage: Storage) -> None:
    def fail() -> None:
        with storage.hold(ACCOUNT) as hold:
            hold.invoices.keep([NewInvoice(FIRST, KEY.invoice(FIRST))])
            hold.invoices.post(entries(replace(position(), contract=CONTRACT), Facts(), CLOSED))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with storage.hold(ACCOUNT) as hold:
        assert (hold.invoices.issued, hold.invoices.due_ms) == (0, NO_STEP)
        assert hold.invoices.of({CONTRACT}) == []
        assert hold.invoices.entries({CONTRACT}, {1}) == []


@rule("R61")
def test_another_account_has_numbers_of_its_own(storage: Storage) -> None:
    keep(storage, FIRST)
    with storage.hold(OTHER_ACCOUNT) as hold:
        hold.open_account(ROOT)
        assert hold.invoices.issued == 0
        theirs = invoice(account=OTHER_ACCOUNT)
        hold.invoices.keep([NewInvoice(theirs, KEY.invoice(theirs))])
    assert storage.invoices.last(OTHER_ACCOUNT) == 1
    assert storage.invoices.invoices(ACCOUNT, 0, 9) == [KEY.invoice(FIRST)]


@rule("R63")
def test_the_ledger_hears_of_the_gateway_by_the_time_of_receipt(storage: Storage) -> None:
    names = PaymentNames(ACCOUNT, CONTRACT, 1, "1" * 32)
    told = MoneyEvent("paid/1", "paid", names, Money(600, "USD"), Millis(5))
    with storage.hold(ACCOUNT) as hold:
        hold.payments.keep_event(told, CLOSED)
    with storage.hold(ACCOUNT) as hold:
        (event,) = hold.invoices.gateway_events({CONTRACT, OTHER_CONTRACT})
        assert (event.id, event.at_ms, event.what, event.minor) == ("paid/1", CLOSED, "paid", 600)
        assert (event.contract, event.invoice, event.currency) == (CONTRACT, 1, "USD")
        assert hold.invoices.gateway_events({OTHER_CONTRACT}) == []


@rule("R61")
@rule("R62")
def test_the_databases_refuse_a_second_invoice_a_second_entry_and_any_change(
    storage: Storage, clock: GivenClock
) -> None:
    if not isinstance(storage, SqliteStorage | PostgresStorage):
        pytest.skip("plain dictionaries check their keys")
    keep(storage, FIRST)
    again = issued(2, CONTRACT)  # the same payer, currency and week, and no correction
    assert (again.payer, again.currency) == (PAYER, FIRST.currency)
    for made in (again, issued(1, CONTRACT, week=NEXT)):
        with pytest.raises(Exception, match=r"(?i)unique|duplicate"):
            keep(storage, made)
    posted = entries(replace(position(), contract=CONTRACT), Facts(), CLOSED)
    with storage.hold(ACCOUNT) as hold:
        hold.invoices.post(posted)
    with pytest.raises(Exception, match=r"(?i)unique|duplicate"), storage.hold(ACCOUNT) as hold:
        hold.invoices.post(posted)
    if isinstance(storage, SqliteStorage):
        for change in (
            "UPDATE posting SET amount_minor = 5",
            "DELETE FROM ledger_entry",
            "DELETE FROM posting",
        ):
            with pytest.raises(Exception, match="stays"):
                storage._connection.execute(change)
    assert tuple(storage.invoices.entries(ACCOUNT)) == posted
