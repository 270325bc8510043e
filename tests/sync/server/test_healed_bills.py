"""Seals and invoices that a restored server is shown again, and when its numbers go on (R43, R57, R61)."""

from contextlib import suppress
from pathlib import Path

import msgspec

from diary.clock import GivenClock
from diary.evidence.invoice_statement import own_invoice
from diary.evidence.opening import SignedOpening
from diary.evidence.seal import Seal, own_seal
from diary.evidence.statement import SignedStatement
from diary.rules.ids import ContractId, Millis
from diary.rules.invoice import LIFE, part_of
from diary.rules.invoice_parts import Invoice
from diary.rules.ledger_entry import balances
from diary.rules.week import Week, slot_at
from sync.protocol import Heal
from sync.server import closing
from sync.server.clock_watch import ClockWatch
from sync.server.healed_bills import bills_shown, settle, take_bills
from sync.server.log import ServerKey
from sync.server.storage import Storage
from tests.diary.rules.billed import invoice, line
from tests.rule import rule
from tests.sync.server.versions import (
    ACCOUNT,
    CONTRACT,
    OTHER_ACCOUNT,
    OTHER_CONTRACT,
    REPLICA,
    ROOT,
    append,
    capture,
    terms,
)

KEY, FORGER = ServerKey(bytes(32)), ServerKey(b"f" * 32)
OPENING = SignedOpening(text="opening", signature=bytes(64))
EPOCH = 5


def billed(number: int, **fields: object) -> Invoice:
    return invoice(line(600, contract=CONTRACT), account=ACCOUNT, number=number, **fields)


def part(number: int, contract: ContractId = CONTRACT, key: ServerKey = KEY) -> SignedStatement:
    whole = invoice(line(600, contract=contract), account=ACCOUNT, number=number)
    of_it = part_of(whole, contract)
    assert of_it is not None
    return key.invoice_part(of_it)


def message(*invoices: SignedStatement, is_all: bool = False, log_epoch: int = EPOCH) -> Heal:
    return Heal(
        account=ACCOUNT,
        replica=REPLICA,
        nonce="",
        token_hash="",
        signature=b"",
        rows=[],
        pushes={},
        answers=[],
        pages=[],
        log_epoch=log_epoch,
        invoices=list(invoices),
        is_all=is_all,
    )


@rule("R43")
@rule("R61")
def test_only_what_the_server_itself_signed_for_the_account_is_taken() -> None:
    own, foreign = billed(3), invoice(line(600), account=OTHER_ACCOUNT, number=9)
    shown = message(KEY.invoice(own), FORGER.invoice(billed(7)), KEY.invoice(foreign), part(8))
    found = bills_shown(shown, KEY.public, None, EPOCH)
    assert [new.invoice for new in found.invoices] == [own]
    assert (found.numbers, found.is_all) == (frozenset(), False)


@rule("R43")
@rule("R51")
@rule("R61")
def test_a_clients_seat_shows_the_numbers_of_its_own_contract_and_never_that_all_was_shown() -> None:
    shown = message(
        part(3), part(4, OTHER_CONTRACT), part(5, key=FORGER), KEY.invoice(billed(6)), is_all=True
    )
    found = bills_shown(shown, KEY.public, CONTRACT, EPOCH)
    assert (list(found.invoices), found.numbers, found.is_all) == ([], frozenset({3}), False)


@rule("R43")
def test_all_is_shown_only_in_the_newest_epoch() -> None:
    said = {epoch: message(is_all=True, log_epoch=epoch) for epoch in (1, EPOCH)}
    assert {epoch: bills_shown(one, KEY.public, None, EPOCH).is_all for epoch, one in said.items()} == {
        1: False,
        EPOCH: True,
    }


class Lost:
    """A server that billed a week, lost that, and holds the week's rows again."""

    def __init__(self, storage: Storage, clock: GivenClock, folder: Path) -> None:
        self.storage, self.folder, self.clock = storage, folder, clock
        worked_ms = clock.now_ms()
        self.week, slot = Week.at(worked_ms), slot_at(worked_ms) - 6
        with storage.hold(ACCOUNT) as hold:
            hold.open_account(ROOT)
            hold.open_epoch(EPOCH, OPENING)
            append(hold, terms(2), *(capture(3 + at, slot=slot + at) for at in range(3)))
        clock.put(Millis(self.week.locked_at_ms + 1))
        self.watch = ClockWatch(clock, None, folder / "confirmed")

    def take(self, *shown: Invoice, seals: tuple[Seal, ...] = (), is_all: bool = False) -> None:
        heal = message(*map(KEY.invoice, shown), is_all=is_all)
        heal = msgspec.structs.replace(heal, seals=[KEY.seal(seal) for seal in seals])
        with self.storage.hold(ACCOUNT) as hold:
            bills = bills_shown(heal, KEY.public, None, hold.log_epoch)
            touched = take_bills(hold, bills)
            settle(hold, ACCOUNT, KEY, self.watch, LIFE, touched, is_all=bills.is_all)

    def sealed(self) -> list[Seal]:
        pages = self.storage.feed(ACCOUNT, {}, 99, 1 << 30, only=CONTRACT).pages
        return [own_seal(signed) for page in pages for signed in page.seals]

    def billed(self) -> list[tuple[int, int | None, int]]:
        kept = [own_invoice(one.text) for one in self.storage.invoices.invoices(ACCOUNT, 0, 9)]
        return [(one.number, one.corrects, one.total_minor) for one in kept]

    def due(self) -> int:
        with self.storage.hold(ACCOUNT) as hold:
            return closing.seal_due(hold, ACCOUNT, KEY, self.watch)


@rule("R43")
@rule("R61")
def test_nothing_is_sealed_or_billed_until_a_device_has_shown_all(
    storage: Storage, clock: GivenClock, tmp_path: Path
) -> None:
    server = Lost(storage, clock, tmp_path)
    assert server.due() == 0
    server.take()
    assert (server.sealed(), server.billed()) == ([], [])
    server.take(is_all=True)
    assert len(server.sealed()) == 1
    assert server.billed() == [(1, None, 3000)]


@rule("R43")
@rule("R57")
@rule("R61")
def test_what_was_billed_is_billed_no_second_time_and_a_lost_seal_is_named_by_the_new_one(
    storage: Storage, clock: GivenClock, tmp_path: Path
) -> None:
    server = Lost(storage, clock, tmp_path)
    seal, bill = signed_before(server)
    server.take(bill, seals=(seal,))
    assert server.sealed() == []
    server.take(is_all=True)
    (anew,) = server.sealed()
    assert anew.replaces == (seal.number, seal.log_epoch)
    assert server.billed() == [(3, None, 3000)]
    assert balances(storage.invoices.entries(ACCOUNT)) == {"client_owes": 3000, "in_review": -3000}
    server.take(bill, seals=(seal,), is_all=True)
    assert (len(server.sealed()), server.billed()) == (1, [(3, None, 3000)])


@rule("R43")
@rule("R61")
def test_what_the_lost_invoice_billed_too_little_is_corrected_by_the_next_number(
    storage: Storage, clock: GivenClock, tmp_path: Path
) -> None:
    server = Lost(storage, clock, tmp_path)
    _, bill = signed_before(server)
    less = msgspec.structs.replace(bill.lines[0], segments=2, amount_minor=2000)
    server.take(msgspec.structs.replace(bill, lines=(less,), total_minor=2000), is_all=True)
    assert server.billed() == [(3, None, 2000), (4, 3, 1000)]


@rule("R43")
@rule("R61")
def test_what_was_billed_once_more_before_it_was_known_to_be_lost_is_taken_back(
    storage: Storage, clock: GivenClock, tmp_path: Path
) -> None:
    server = Lost(storage, clock, tmp_path)
    _, bill = signed_before(server)
    server.take(is_all=True)
    assert server.billed() == [(1, None, 3000)]
    server.take(bill)
    assert server.billed() == [(1, None, 3000), (3, None, 3000), (4, 1, -3000)]
    assert balances(storage.invoices.entries(ACCOUNT)) == {"client_owes": 3000, "in_review": -3000}
    other = msgspec.structs.replace(bill, number=1)
    server.take(other)
    assert server.billed()[0] == (1, None, 3000), "the number that was given twice keeps what stands there"


def signed_before(server: Lost) -> tuple[Seal, Invoice]:
    """Return what the server signed of the week before it lost it: a seal of the first epoch, invoice 3."""
    found: list[tuple[Seal, Invoice]] = []
    with suppress(TakenBackError), server.storage.hold(ACCOUNT) as hold:
        hold.healing.note(None)
        closing.seal_due(hold, ACCOUNT, KEY, server.watch)
        (signed,) = hold.newest_seals(server.week.name).values()
        (bill,) = hold.invoices.of_weeks([server.week.name])
        seal = msgspec.structs.replace(own_seal(signed), log_epoch=1, number=7)
        found.append((seal, msgspec.structs.replace(bill, number=3)))
        raise TakenBackError
    return found[0]


class TakenBackError(Exception):
    """Takes back what a hold stored."""
