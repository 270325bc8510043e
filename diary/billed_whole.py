"""Whether the server left nothing out of what it bills, under numbers without a gap (R56, R61).

What is shown is held to the own rows elsewhere; this looks for what is not shown. Each thing that came before
a lock is billed by that lock's transaction, and a signed seal or invoice tells that the lock was dealt with:
what no invoice bills by then was left out. What an agency bills is left to who holds the agency's bills.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from diary import agency as agencies_side
from diary import contracts, seating
from diary.evidence.alarm import Evidence
from diary.evidence.opening import FIRST_EPOCH
from diary.evidence.signature import INVOICE, INVOICE_PART, SEAL
from diary.evidence.statement import SignedStatement
from diary.own_charges import said_charges, seal_charge
from diary.rules.act_parts import VersionName
from diary.rules.ids import ContractId, Millis
from diary.rules.invoice import Charge, LineKey, charges_of, closing_week
from diary.rules.invoice_parts import Invoice
from diary.rules.week import DAY_MILLIS
from diary.state import OpenDiary
from diary.store import epochs, feed, invoices, seals, versions
from diary.store.feed import Alarm
from diary.store.invoices import KeptInvoice
from diary.store.seals import KeptSeal
from diary.store.versions import StoredVersion

# What a restored server lost comes back with the devices that hold it, in the course of some days (R43).
HEALED_WITHIN_MS = 7 * DAY_MILLIS


def whole_up_to(diary: OpenDiary) -> int:
    """Return the last number of a device's own invoices before which none is missing, 0 for none (R61)."""
    with diary.reading():
        numbers = {one.invoice.number for one in _own(diary)}
    return next(number for number in range(len(numbers) + 1) if number + 1 not in numbers)


def look_for_missing(diary: OpenDiary) -> None:
    """Raise an alarm of each number, and of each thing that was to be billed, which is nowhere (R56, R61).

    For the moment after the server was asked for all invoices.
    """
    found = [*_numbers_missing(diary), *_bills_missing(diary)]
    if found:
        with diary.writing():
            for alarm in found:
                feed.raise_alarm(diary.connection, alarm)


def _own(diary: OpenDiary) -> list[KeptInvoice]:
    """Return the invoices of the own account: whole ones on a device, parts on a seat's replica."""
    kept = invoices.everything(diary.connection)
    return [one for one in kept if one.invoice.account == diary.account]


def _numbers_missing(diary: OpenDiary) -> Iterator[Alarm]:
    with diary.reading():
        restored_ms = epochs.newest(diary.connection)  # an epoch is the instant of its opening
        own = _own(diary)
    is_healing = restored_ms > FIRST_EPOCH and diary.now_ms() - restored_ms < HEALED_WITHIN_MS
    if diary.is_seat or is_healing:
        return
    kept = {one.invoice.number: one for one in own if isinstance(one.invoice, Invoice)}
    for number in range(1, max(kept, default=0)):
        if number not in kept:
            shown = kept[min(later for later in kept if later > number)]
            evidence = (Evidence(INVOICE, shown.signed.text, shown.signed.signature),)
            what = f"invoice {number} is missing, and invoice {shown.invoice.number} is there"
            yield Alarm(diary.now_ms(), ContractId(diary.account), "invoice_missing", what, evidence)


def _bills_missing(diary: OpenDiary) -> list[Alarm]:
    with diary.reading():
        known = _Known.by(diary)
    return [] if known is None else [*_hours_missing(diary, known), *_said_missing(diary, known)]


@dataclass(frozen=True, slots=True)
class _Known:
    """What is to be billed, and what is: of contracts that no agency may bill, in the newest epoch.

    What the server signed before it was restored says nothing of what it did after (R43). `dealt_with_ms` is
    by when all locks were dealt with, as `proof` shows; 0 for none.
    """

    contracts: frozenset[ContractId]
    seals: tuple[KeptSeal, ...]
    billed: frozenset[LineKey]
    received: Mapping[VersionName, StoredVersion]
    dealt_with_ms: Millis
    proof: tuple[Evidence, ...]

    @classmethod
    def by(cls, diary: OpenDiary) -> "_Known | None":
        """Return it; None for an agency, whose locks wait for its members' weeks."""
        if not diary.is_seat and agencies_side.is_one(diary):
            return None
        connection = diary.connection
        newest, own = epochs.newest(connection), _own(diary)
        found = frozenset(one for one in contracts.known(diary) if not _has_agency(diary, one))
        sealed = tuple(
            kept
            for kept in seals.everything(connection)
            if kept.seal.contract in found and kept.seal.log_epoch == newest
        )
        proofs = [(kept.seal.sealed_at_ms, Evidence(SEAL, *_said(kept.signed))) for kept in sealed]
        since_ms = 0 if newest == FIRST_EPOCH else newest
        proofs += [
            (
                one.invoice.closed_at_ms,
                Evidence(INVOICE_PART if one.contract else INVOICE, *_said(one.signed)),
            )
            for one in own
            if one.invoice.closed_at_ms >= since_ms
        ]
        dealt_with_ms = max((at_ms for at_ms, _ in proofs), default=Millis(0))
        return cls(
            contracts=found,
            seals=sealed,
            billed=frozenset(charge.key for charge in charges_of(one.invoice for one in own)),
            received={row.header.name: row for row in versions.acts(connection)},
            dealt_with_ms=dealt_with_ms,
            proof=tuple(evidence for at_ms, evidence in proofs if at_ms == dealt_with_ms)[:1],
        )


def _said(signed: SignedStatement) -> tuple[str, bytes]:
    return signed.text, signed.signature


def _has_agency(diary: OpenDiary, contract: ContractId) -> bool:
    return any(seat.agency is not None for seat in seating.seats(diary, contract).seats.values())


def _hours_missing(diary: OpenDiary, known: _Known) -> Iterator[Alarm]:
    """Yield an alarm of each sealed week that no invoice bills: both come of one transaction."""
    for kept in known.seals:
        charge = seal_charge(kept)
        if charge is not None and charge.key not in known.billed:
            what = f"no invoice bills the hours of {kept.seal.week} of contract {kept.seal.contract}"
            evidence = (Evidence(SEAL, *_said(kept.signed)),)
            yield Alarm(diary.now_ms(), kept.seal.contract, "invoice_missing", what, evidence)


def _said_missing(diary: OpenDiary, known: _Known) -> Iterator[Alarm]:
    """Yield an alarm of late time and bonuses that no invoice bills after their lock (R38, R62)."""
    for charge in said_charges(diary) if known.proof else ():
        line = charge.line
        row = known.received.get(line.act) if line.act is not None else None
        if row is None or row.received_at_ms is None or (row.log_epoch or 0) <= 0:
            continue  # it is not at the server, or lost by it
        lock_ms = closing_week(row.received_at_ms).locked_at_ms
        is_due = line.contract in known.contracts and lock_ms <= known.dealt_with_ms and line.amount_minor
        if is_due and charge.key not in known.billed:
            yield Alarm(diary.now_ms(), line.contract, "invoice_missing", _says(charge), known.proof)


def _says(charge: Charge) -> str:
    line = charge.line
    name = ":".join(map(str, line.act or ()))
    what = "a bonus" if line.what == "bonus" else "late time that was accepted"
    return f"no invoice bills {what} for {line.week} of contract {line.contract} (row {name})"
