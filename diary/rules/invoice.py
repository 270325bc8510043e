"""The invoice of a week: what its lock makes due, a line a contract (R38, R61, R62).

Server and devices make it by the same functions, from reckoned weeks, terms and what the parties said (R29).
A charge is a line and its currency before it is known on which invoice it stands. Pure.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from diary.rules.act_parts import VersionName
from diary.rules.contract import TermsHistory
from diary.rules.ids import AccountId, ContractId, Millis, Slot
from diary.rules.invoice_parts import Invoice, InvoiceLine, InvoicePart, LineWhat
from diary.rules.payments import Bonus
from diary.rules.timesheet import amount_minor
from diary.rules.week import DAY_MILLIS, Week

LineKey = tuple[ContractId, str, LineWhat, str, VersionName | None]
"""What a line is about: contract, currency, what, week, and the act that made it due."""


@dataclass(frozen=True, slots=True)
class Life:
    """How long an invoice is in review from its week's lock, and then in its security period (R62).

    Raises:
        ValueError: One of them is below nothing.
    """

    review_ms: int = 9 * DAY_MILLIS // 2  # Monday 12:00 to the end of Friday, UTC
    security_ms: int = 4 * DAY_MILLIS  # to the Wednesday after, 00:00 UTC

    def __post_init__(self) -> None:
        """Refuse a life that would end before it begins."""
        if self.review_ms < 0 or self.security_ms < 0:
            raise ValueError("neither a review nor a security period is shorter than nothing")

    def dates(self, week: Week) -> tuple[Millis, Millis]:
        """Return when the week's invoice is in review no more, and when it is available."""
        review_ends_at_ms = week.locked_at_ms + self.review_ms
        return Millis(review_ends_at_ms), Millis(review_ends_at_ms + self.security_ms)


LIFE = Life()
"""What holds where an operator sets nothing else (R62)."""


@dataclass(frozen=True, slots=True)
class Charge:
    """A line with its currency, on its way to an invoice."""

    currency: str
    line: InvoiceLine

    @property
    def key(self) -> LineKey:
        """Return what it is about: of that it is due once."""
        line = self.line
        return line.contract, self.currency, line.what, line.week, line.act


@dataclass(frozen=True, slots=True)
class Issue:
    """Of whom and of when the invoices of one lock are: issuing account, week, closing, life, next number."""

    account: AccountId
    week: Week
    closed_at_ms: Millis
    life: Life
    first_number: int


def hours_charge(
    contract: ContractId, week: Week, billable: int, rate_minor: int, currency: str, amount: int
) -> Charge:
    """Return what a contract's reckoned week comes to, as the seal says it (R57, R61)."""
    line = InvoiceLine(
        contract=contract,
        what="hours",
        week=week.name,
        segments=billable,
        rate_minor=rate_minor,
        amount_minor=amount,
    )
    return Charge(currency, line)


def late_charges(
    contract: ContractId,
    accepted: Mapping[Slot, VersionName],
    billing: Collection[Slot],
    history: TermsHistory,
) -> list[Charge]:
    """Return what accepted late time comes to: a line for each week and acceptance (R38).

    `accepted` are the accepted slots with the row that accepted each first, `billing` those of them that
    bill: one that another contract has does not (R28). The rate is that of the slots' own week.
    """
    counted: dict[tuple[Week, VersionName], int] = defaultdict(int)
    for slot, act in accepted.items():
        if slot in billing:
            counted[Week.of(slot), act] += 1
    charges = []
    for (week, act), segments in sorted(counted.items()):
        rate_minor, currency = history.rate_of(week)
        line = InvoiceLine(
            contract=contract,
            what="late",
            week=week.name,
            segments=segments,
            rate_minor=rate_minor,
            amount_minor=amount_minor(segments, rate_minor),
            act=act,
        )
        charges.append(Charge(currency, line))
    return charges


def bonus_charges(contract: ContractId, bonuses: Iterable[Bonus]) -> list[Charge]:
    """Return what the client's bonuses come to, a line each (R62)."""
    return [
        Charge(
            bonus.currency,
            InvoiceLine(
                contract=contract,
                what="bonus",
                week=bonus.week,
                segments=0,
                rate_minor=0,
                amount_minor=bonus.minor,
                act=bonus.name,
            ),
        )
        for bonus in bonuses
    ]


def closing_week(received_at_ms: int) -> Week:
    """Return the week on whose invoices stands what was received then: its lock is the first after that.

    So it is for late time that was accepted and for bonuses (R38, R62).
    """
    week = Week.at(received_at_ms).previous()
    return week if received_at_ms < week.locked_at_ms else week.next()


def charges_of(invoices: Iterable[Invoice | InvoicePart]) -> list[Charge]:
    """Return the lines of invoices as charges."""
    return [Charge(invoice.currency, line) for invoice in invoices for line in invoice.lines]


def still_due(due: Iterable[Charge], billed: Iterable[Charge]) -> list[Charge]:
    """Return what is due and not billed yet, and what was billed and is not due, as differences (R43, R61).

    Nothing billed: it is what is due. `billed` are the charges of earlier invoices about the same things;
    what was billed too much comes below nothing.
    """
    wanted = {charge.key: charge for charge in due}
    had: dict[LineKey, list[InvoiceLine]] = defaultdict(list)
    for charge in billed:
        had[charge.key].append(charge.line)
    found = [charge for key, charge in wanted.items() if key not in had]
    for key, lines in had.items():
        amount = sum(line.amount_minor for line in lines)
        segments = sum(line.segments for line in lines)
        now = wanted[key].line if key in wanted else None
        more = (now.amount_minor if now else 0) - amount
        if more:
            line = msgspec.structs.replace(
                now or lines[-1],
                amount_minor=more,
                segments=(now.segments if now else 0) - segments,
            )
            found.append(Charge(key[1], line))
    return found


def invoices(
    issue: Issue,
    charges: Iterable[Charge],
    payers: Mapping[ContractId, str],
    corrects: Mapping[tuple[str, str], int] | None = None,
) -> list[Invoice]:
    """Return the invoices of one lock, one a payer and currency, numbered in that order (R61).

    `payers` are those of contracts that have one; a contract that has none is its own. None is issued for
    nothing. `corrects` gives for payer and currency the invoice of this week that is corrected, if any (R43).
    """
    grouped: dict[tuple[str, str], list[InvoiceLine]] = defaultdict(list)
    for charge in charges:
        payer = payers.get(charge.line.contract, str(charge.line.contract))
        grouped[payer, charge.currency].append(charge.line)
    review_ends_at_ms, available_at_ms = issue.life.dates(issue.week)
    found: list[Invoice] = []
    for payer, currency in sorted(grouped):
        lines = sorted(grouped[payer, currency], key=_place)
        if not any(line.amount_minor for line in lines):
            continue
        found.append(
            Invoice(
                account=issue.account,
                payer=payer,
                currency=currency,
                week=issue.week.name,
                number=issue.first_number + len(found),
                lines=tuple(lines),
                total_minor=sum(line.amount_minor for line in lines),
                closed_at_ms=issue.closed_at_ms,
                review_ends_at_ms=review_ends_at_ms,
                available_at_ms=available_at_ms,
                corrects=(corrects or {}).get((payer, currency)),
            )
        )
    return found


def part_of(invoice: Invoice, contract: ContractId) -> InvoicePart | None:
    """Return what one contract's seat sees of an invoice; None where nothing of it is that contract's."""
    lines = tuple(line for line in invoice.lines if line.contract == contract)
    if not lines:
        return None
    return InvoicePart(
        account=invoice.account,
        contract=contract,
        payer=invoice.payer,
        currency=invoice.currency,
        week=invoice.week,
        number=invoice.number,
        lines=lines,
        closed_at_ms=invoice.closed_at_ms,
        review_ends_at_ms=invoice.review_ends_at_ms,
        available_at_ms=invoice.available_at_ms,
        corrects=invoice.corrects,
    )


def payers_of(histories: Mapping[ContractId, TermsHistory]) -> dict[ContractId, str]:
    """Return by which payer contracts go on one bill; one that has none is no key (R61)."""
    found = {contract: history.first.payer for contract, history in histories.items()}
    return {contract: payer for contract, payer in found.items() if payer is not None}


_ORDER: Sequence[LineWhat] = ("hours", "late", "bonus")


def _place(line: InvoiceLine) -> tuple[str, int, str, VersionName | tuple[()]]:
    return str(line.contract), _ORDER.index(line.what), line.week, line.act or ()
