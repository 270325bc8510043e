"""Invoices on this replica: taken as the server signed them, borne out by its own rows, shown (R57, R61-R63).

What a server bills is believed as far as this replica comes to it by itself: the hours by the week's seal,
late time and bonuses by the rows that made them due. One that differs is an alarm, and nothing of it is due.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from diary import agency as agencies_side
from diary import billing_methods, contracts, parties, seating, witnessing
from diary.errors import NothingError, PeerError
from diary.evidence.alarm import Evidence, FeedFaultError
from diary.evidence.invoice_statement import read_invoice, read_part
from diary.evidence.signature import INVOICE, INVOICE_PART, Domain
from diary.evidence.statement import SignedStatement
from diary.own_charges import own_charges
from diary.rules.ids import AccountId, ContractId, Slot
from diary.rules.invoice_borne import Borne, borne
from diary.rules.invoice_parts import Invoice, InvoicePart
from diary.rules.invoice_shown import Known, shown
from diary.rules.invoice_view import InvoiceView
from diary.rules.statement import Statement, statements
from diary.rules.week import Week
from diary.state import OpenDiary
from diary.store import feed, invoices, meta, seals
from diary.store.invoices import KeptInvoice

if TYPE_CHECKING:
    from diary.rules.ledger import GatewayEvent

SETTLED_MS = 3_600_000  # an hour after a lock the server has closed the week of who never writes, too
_ASKED_OF_SEALS = "seals when invoices were asked for"
_ASKED_AT = "invoices asked for at"


class NoSuchInvoiceError(NothingError):
    """No invoice has this number here (R61)."""

    says = "There is no invoice {number} here."
    mend = "See which there are: diary invoice. Sync first where a week has just locked: diary sync."


def newest_number(diary: OpenDiary) -> int:
    """Return the greatest number of the invoices that are here, 0 for none."""
    with diary.reading():
        return invoices.newest_number(diary.connection, diary.account, _part_of(diary))


def are_wanted(diary: OpenDiary) -> bool:
    """Return whether the server may have invoices that are not here (R61).

    It has new ones where it sealed something since it was asked; and, of late time and bonuses alone, some
    time after a lock at the latest.
    """
    with diary.reading():
        sealed = seals.count(diary.connection)
        asked = meta.number(diary.connection, _ASKED_OF_SEALS)
        asked_ms = meta.number(diary.connection, _ASKED_AT) or 0
        may_be = sealed > 0 or invoices.may_be_any(diary.connection) or agencies_side.is_one(diary)
    settled_ms = _last_lock_ms(diary.now_ms() - SETTLED_MS) + SETTLED_MS
    return sealed != (asked or 0) or (may_be and asked_ms < settled_ms)


def note_asked(diary: OpenDiary, at_ms: int) -> None:
    """Note that the server was asked for all its invoices at an instant."""
    with diary.writing():
        meta.put(diary.connection, _ASKED_OF_SEALS, seals.count(diary.connection))
        meta.put(diary.connection, _ASKED_AT, at_ms)


def agencies(diary: OpenDiary) -> dict[AccountId, int]:
    """Return the agencies that may bill a contract known here, with their newest invoice of which a part is.

    They are those whose managers were ever let in (R51, R61); mostly there are none.
    """
    with diary.reading():
        found = {
            seat.agency
            for contract in contracts.known(diary)
            for seat in seating.seats(diary, contract).seats.values()
            if seat.agency is not None and seat.agency != diary.account
        }
        return {agency: invoices.newest_of_issuer(diary.connection, agency) for agency in sorted(found)}


def take_invoices(
    diary: OpenDiary,
    shown_here: Sequence[SignedStatement],
    server_key: str,
    *,
    agency: AccountId | None = None,
) -> int:
    """Keep the invoices that the server shows; return how many are new here (R61).

    With `agency` they are what that agency bills of contracts that are here.

    Raises:
        FeedFaultError: One is not signed by the server, is another's, or has another form than before.
    """
    if not shown_here:
        return 0
    with witnessing.alarms_kept(diary, ContractId(_part_of(diary) or diary.account)), diary.writing():
        before = (
            invoices.newest_number(diary.connection, diary.account, _part_of(diary))
            if agency is None
            else invoices.newest_of_issuer(diary.connection, agency)
        )
        taken = [_read(diary, signed, bytes.fromhex(server_key), agency) for signed in shown_here]
        for kept in taken:
            if not invoices.keep(diary.connection, kept):
                _note(diary, kept, f"invoice {kept.invoice.number} is another one than it was")
        return sum(kept.invoice.number > before for kept in taken)


def judge_invoices(diary: OpenDiary) -> int:
    """Hold every invoice that was not borne out yet to this replica's rows; return how many differ.

    For the end of a sync that read all there was. What differs once is looked at again after the next sync,
    as rows may have come to the server between two questions of this one.
    """
    with diary.reading():
        if not invoices.any_unjudged(diary.connection):
            return 0
        kept = invoices.everything(diary.connection)
    open_ones = [one for one in kept if one.agrees is None]
    own = own_charges(diary, _weeks_of(open_ones))
    differing = 0
    with diary.writing():
        for one in open_ones:
            found = borne(one.invoice, [each.invoice for each in kept], own)
            differs = found.agrees is False
            if differs and one.doubted:
                _note(diary, one, _differs_says(one, found))
                differing += 1
            agrees = None if differs and not one.doubted else found.agrees
            invoices.judge(diary.connection, one, agrees=agrees, doubted=differs)
    return differing


def everything(diary: OpenDiary) -> tuple[InvoiceView, ...]:
    """Return the invoices, the newest first (R61)."""
    with diary.reading():
        kept = invoices.everything(diary.connection)
    if not kept:
        return ()
    known, now_ms = _known(diary, kept), diary.now_ms()
    views = [
        replace(
            shown(one.invoice, known, _shown_borne(diary, one, kept), now_ms),
            agency=None if one.invoice.account == diary.account else one.invoice.account,
        )
        for one in kept
    ]
    return tuple(sorted(views, key=lambda view: -view.number))


def one(diary: OpenDiary, number: int, agency: str | None = None) -> InvoiceView:
    """Return an invoice by its number: that agency's, else the account's own, else any agency's (R61).

    An agency is named by its account's id, or the start of it.

    Raises:
        NoSuchInvoiceError: It is not here.
    """
    numbered = [view for view in everything(diary) if view.number == number]
    if agency:
        found = next((view for view in numbered if (view.agency or "").startswith(agency)), None)
    else:
        found = next((view for view in numbered if view.agency is None), next(iter(numbered), None))
    if found is None:
        raise NoSuchInvoiceError(number=number)
    return found


def all_statements(diary: OpenDiary) -> tuple[Statement, ...]:
    """Return what each client and this freelancer have between them, where it is borne out (R62, R63)."""
    with diary.reading():
        kept = invoices.everything(diary.connection)
    known = _known(diary, kept)
    # What a client owes an agency is no account between that client and its member.
    ours = [one for one in kept if diary.is_seat or one.invoice.account == diary.account]
    return statements([one.invoice for one in ours if one.agrees], known, diary.now_ms())


def _last_lock_ms(at_ms: int) -> int:
    """Return the newest lock that has passed at the instant (R3)."""
    before = Week.at(at_ms).previous()
    return before.locked_at_ms if before.locked_at_ms <= at_ms else before.previous().locked_at_ms


def _part_of(diary: OpenDiary) -> str:
    """Return the contract whose part of invoices a client's replica holds, "" for a device."""
    return diary.seat_in or ""


def _read(
    diary: OpenDiary, signed: SignedStatement, server_key: bytes, agency: AccountId | None
) -> KeptInvoice:
    try:
        is_part = diary.is_seat or agency is not None
        invoice = read_part(signed, server_key) if is_part else read_invoice(signed, server_key)
    except PeerError as error:
        raise FeedFaultError("unsigned_head", "an invoice that is shown is not signed") from error
    own = {diary.seat_in} if diary.is_seat else contracts.known(diary).keys()
    is_anothers = isinstance(invoice, InvoicePart) and invoice.contract not in own
    if invoice.account != (agency or diary.account) or is_anothers:
        raise FeedFaultError("wrong_place", f"invoice {invoice.number} is another's")
    return KeptInvoice(invoice, signed)


def _weeks_of(kept: Iterable[KeptInvoice]) -> frozenset[str]:
    return frozenset(line.week for one in kept for line in one.invoice.lines) | frozenset(
        one.invoice.week for one in kept
    )


def _differs_says(one: KeptInvoice, found: Borne) -> str:
    said = sum(line.amount_minor for line in one.invoice.lines)
    return (
        f"invoice {one.invoice.number} says {said} {one.invoice.currency} in minor units,"
        f" and this diary comes to {found.own_total_minor}"
    )


def _note(diary: OpenDiary, kept: KeptInvoice, what: str) -> None:
    """Raise an alarm, within the caller's transaction, with the statement that shows it."""
    domain: Domain = INVOICE_PART if kept.contract else INVOICE
    evidence = (Evidence(domain, kept.signed.text, kept.signed.signature),)
    about = ContractId(kept.contract or diary.account)
    alarm = feed.Alarm(diary.now_ms(), about, "invoice_differs", what, evidence)
    feed.raise_alarm(diary.connection, alarm)


def _shown_borne(diary: OpenDiary, one: KeptInvoice, kept: Sequence[KeptInvoice]) -> Borne:
    if one.agrees is not False:
        return Borne(one.agrees)
    own = own_charges(diary, _weeks_of([one]))
    return Borne(False, borne(one.invoice, [each.invoice for each in kept], own).own_total_minor)


def _known(diary: OpenDiary, kept: Sequence[KeptInvoice]) -> dict[ContractId, Known]:
    """Return what this replica knows of the contracts, as far as invoices need it."""
    weeks = frozenset(one.invoice.week for one in kept)
    with diary.reading():
        billing: dict[ContractId, dict[str, frozenset[Slot]]] = defaultdict(dict)
        for week in weeks:
            for contract, sealed in seals.newest_of(diary.connection, week).items():
                slots = sealed.seal.reckoning.slots
                billing[contract][week] = frozenset(slot.slot for slot in slots if slot.bills)
        told: dict[ContractId, list[GatewayEvent]] = defaultdict(list)
        for event in billing_methods.moved(diary):
            told[event.contract].append(event)
        elsewhere = billing_methods.said_elsewhere(diary)
        of_members: dict[ContractId, Known] = {}
        for one in kept:
            if isinstance(one.invoice, Invoice) and any(line.member for line in one.invoice.lines):
                of_members |= agencies_side.known_of(diary, one.invoice)
        return of_members | {
            contract: Known(
                title=found.title,
                client=found.client,
                acts=[
                    *parties.held_acts(diary, contract),
                    *(one.held() for one in elsewhere if one.contract == contract),
                ],
                billing=billing[contract],
                words=parties.words_about_money(diary, contract),
                gateway=told[contract],
            )
            for contract, found in contracts.known(diary).items()
        }
