"""The seals and invoices that a restored server is shown again, and when it seals and bills again (R43, R61).

Only what bears this server's own signature is taken. Numbers that were given out stay given: an invoice
enters under its own, and what is issued next goes on above the greatest that anybody has shown. Until one of
the account's devices has shown all that it holds nothing is sealed or billed, since the number of it might be
another's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from diary.errors import PeerError
from diary.evidence.invoice_statement import read_invoice, read_part
from diary.evidence.opening import FIRST_EPOCH
from diary.evidence.seal import read_seal
from diary.evidence.statement import SignedStatement
from diary.rules.ids import AccountId, ContractId, Slot
from diary.rules.invoice import Life
from diary.rules.week import Week
from sync.protocol import Heal
from sync.server import billing, closing
from sync.server.clock_watch import ClockWatch
from sync.server.kept_healing import NOTHING_HEALED, LostSeal
from sync.server.kept_invoices import NewInvoice
from sync.server.log import ServerKey
from sync.server.storage import AccountHold


@dataclass(frozen=True, slots=True)
class ShownBills:
    """What a request shows of seals and invoices, as far as this server signed it for the account.

    `numbers` are those of invoices of which a seat holds a part; `is_all`: a device has shown all it holds.
    """

    seals: Sequence[tuple[LostSeal, SignedStatement]]
    invoices: Sequence[NewInvoice]
    numbers: frozenset[int]
    is_all: bool

    @property
    def slots(self) -> list[Slot]:
        """Return a slot of each week that it is about."""
        names = {one.week for one, _ in self.seals} | {new.invoice.week for new in self.invoices}
        return [Week.parse(name).first_slot for name in names]


def bills_shown(message: Heal, server_key: bytes, own: ContractId | None, log_epoch: int) -> ShownBills:
    """Return what of the message is this server's; `own` is the one contract of a seat, None for a device."""
    numbers: set[int] = set()
    found: list[NewInvoice] = []
    for signed in message.invoices:
        if own is None:
            found += _invoice_in(signed, server_key, message.account)
        else:
            numbers |= _number_in(signed, server_key, message.account, own)
    seals = [
        (lost, signed) for signed in message.seals for lost in _seal_in(signed, server_key, message.account)
    ]
    return ShownBills(
        seals=[(lost, signed) for lost, signed in seals if own in {None, lost.contract}],
        invoices=found,
        numbers=frozenset(numbers),
        is_all=message.is_all and own is None and message.log_epoch == log_epoch,
    )


def take_bills(hold: AccountHold, bills: ShownBills) -> list[Slot]:
    """Keep what was lost of it; return a slot of each week that it is about.

    A number under which this server signed another invoice meanwhile keeps that one: whoever holds both has
    the proof of it, and is alarmed.
    """
    if hold.log_epoch == FIRST_EPOCH:
        return []  # it never lost anything
    if lost_seals := _lost(hold, bills.seals):
        hold.healing.keep_seals(lost_seals)
    by_number = {new.invoice.number: new for new in bills.invoices}
    lost = by_number.keys() - (hold.invoices.held(by_number) if by_number else set())
    if lost:
        hold.invoices.keep([by_number[number] for number in sorted(lost)])
    if bills.numbers:
        hold.invoices.note_issued(max(bills.numbers))
    return bills.slots


def _lost(hold: AccountHold, shown: Sequence[tuple[LostSeal, SignedStatement]]) -> list[LostSeal]:
    """Return the seals that are not the newest of their weeks here.

    One that was signed anew before the loss was noticed bears the name of the lost one, over another log.
    """
    newest = {week: hold.newest_seals(week) for week in {seal.week for seal, _ in shown}}
    return [seal for seal, signed in shown if newest[seal.week].get(seal.contract) != signed]


def settle(
    hold: AccountHold,
    account: AccountId,
    key: ServerKey,
    watch: ClockWatch,
    life: Life,
    touched: Sequence[Slot],
    *,
    is_all: bool,
) -> None:
    """Seal and bill anew what was healed, once a device has shown all that it holds (R43, R57, R61).

    `touched` are slots of the weeks that this request may have changed.
    """
    waits_from = hold.healing.waits_from
    if waits_from is not None and not is_all:
        if touched:
            hold.healing.note(min(waits_from, *touched))
        return
    slots = [*touched]
    if waits_from is not None:
        hold.healing.note(None)
        slots += [] if waits_from == NOTHING_HEALED else [waits_from]
    closing.seal_due(hold, account, key, watch, life)
    if slots:
        closing.seal_anew(hold, account, key, slots, life)
        billing.post_all(hold, account)


def _seal_in(signed: SignedStatement, server_key: bytes, account: AccountId) -> list[LostSeal]:
    try:
        seal = read_seal(signed, server_key)
    except PeerError:
        return []  # it proves nothing
    is_own = seal.account == account
    return [LostSeal(seal.contract, seal.week, seal.log_epoch, seal.number)] if is_own else []


def _invoice_in(signed: SignedStatement, server_key: bytes, account: AccountId) -> list[NewInvoice]:
    try:
        invoice = read_invoice(signed, server_key)
    except PeerError:
        return []
    return [NewInvoice(invoice, signed, healed=True)] if invoice.account == account else []


def _number_in(
    signed: SignedStatement, server_key: bytes, account: AccountId, own: ContractId
) -> frozenset[int]:
    try:
        part = read_part(signed, server_key)
    except PeerError:
        return frozenset()
    is_own = (part.account, part.contract) == (account, own)
    return frozenset([part.number]) if is_own else frozenset()
