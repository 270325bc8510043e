"""The books of a story, kept apart from the product: what is billed, and what is owed (R61, R62).

An oracle: nothing of the product is imported, weeks are numbers of the story, amounts are fractions until a
line is rounded. Week `w` is billed by closing `w`; what is said while week `w` is in review comes with the
closing of the week after it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from typing import Literal

LineOf = tuple[str, str, int, int, int]
"""Title, what, week, segments, amount in minor units."""

Word = Literal["bills", "over_limit", "overlapping", "late"]

Work = tuple[str, int, int]
"""Title, week, and which of the week's ten minutes of work it was."""


@dataclass(frozen=True, slots=True)
class Deal:
    """A contract of the story; `rate` is an hour's, as written, `limit` in segments a week."""

    title: str
    freelancer: str
    client: str
    currency: str
    digits: int
    rate: str
    limit: int | None = None
    agency: str | None = None

    @property
    def issuer(self) -> str:
        """Return whose invoices it is on."""
        return self.agency or self.freelancer

    def amount(self, segments: int) -> int:
        """Return what so many segments come to: exact, then rounded half up."""
        units: int = 10**self.digits
        exact = Fraction(self.rate) * units * segments / 6
        return floor(exact + Fraction(1, 2))


@dataclass(frozen=True, slots=True)
class Part:
    """What one contract's part of one invoice has come to."""

    amount: int
    credited: int
    disputed: int
    paid: int
    refunded: int

    @property
    def owed(self) -> int:
        """Return what the client owes; below nothing is what they paid too much and did not get back."""
        owed = self.amount - self.credited - self.paid
        return min(owed + self.refunded, 0) if owed < 0 else owed

    @property
    def due(self) -> int:
        """Return what the client is to pay now, disputed amounts apart."""
        return self.owed - self.disputed


@dataclass(slots=True)
class Books:
    """All that happened, as the story tells it."""

    deals: dict[str, Deal]
    worked: list[Work] = field(default_factory=list)  # in the order in which the server had it
    late: set[Work] = field(default_factory=set)
    accepted: dict[Work, int] = field(default_factory=dict)  # the closing that bills it
    bonuses: list[tuple[str, int, int, int]] = field(default_factory=list)  # title, week, closing, minor
    disputed: set[Work] = field(default_factory=set)
    conceded: set[Work] = field(default_factory=set)
    paid: list[tuple[str, int, int]] = field(default_factory=list)  # title, closing, minor
    refunded: list[tuple[str, int, int]] = field(default_factory=list)

    def verdicts(self, title: str, week: int) -> dict[int, Word]:
        """Return of each ten minutes of a contract's week whether they bill, or why not."""
        deal = self.deals[title]
        found: dict[int, Word] = {}
        mine = sorted(work[2] for work in self.worked if work[:2] == (title, week))
        counted = 0
        for place in mine:
            if (title, week, place) in self.late:
                found[place] = "late"
            elif self._owner(deal.freelancer, week, place) != title:
                found[place] = "overlapping"
            elif deal.limit is not None and counted >= deal.limit:
                found[place] = "over_limit"
            else:
                found[place] = "bills"
                counted += 1
        return found

    def lines(self, title: str, closing: int) -> list[LineOf]:
        """Return a contract's lines of the invoice that a closing makes."""
        deal = self.deals[title]
        found = []
        segments = self._billing(title, closing)
        if segments:
            found.append((title, "hours", closing, len(segments), deal.amount(len(segments))))
        for week in range(closing + 1):
            late = [w for w, by in self.accepted.items() if w[:2] == (title, week) and by == closing]
            if late:
                found.append((title, "late", week, len(late), deal.amount(len(late))))
        found += [
            (title, "bonus", week, 0, minor)
            for of, week, by, minor in self.bonuses
            if (of, by) == (title, closing)
        ]
        return found

    def invoices(self, issuer: str, closing: int) -> dict[tuple[str, str], list[LineOf]]:
        """Return the invoices of a closing by client and currency: none for nothing."""
        found: dict[tuple[str, str], list[LineOf]] = {}
        for deal in self.deals.values():
            if deal.issuer == issuer:
                found.setdefault((deal.client, deal.currency), []).extend(self.lines(deal.title, closing))
        return {key: lines for key, lines in found.items() if any(line[4] for line in lines)}

    def part(self, title: str, closing: int) -> Part:
        """Return what a contract's part of a closing's invoice has come to."""
        deal, billing = self.deals[title], self._billing(title, closing)
        kept = [place for place in billing if (title, closing, place) not in self.conceded]
        calm = [place for place in kept if (title, closing, place) not in self.disputed]
        whole, left = deal.amount(len(billing)), deal.amount(len(kept))
        return Part(
            amount=sum(line[4] for line in self.lines(title, closing)),
            credited=whole - left,
            disputed=left - deal.amount(len(calm)),
            paid=_sum(self.paid, title, closing),
            refunded=_sum(self.refunded, title, closing),
        )

    def _billing(self, title: str, week: int) -> list[int]:
        return [place for place, word in self.verdicts(title, week).items() if word == "bills"]

    def _owner(self, freelancer: str, week: int, place: int) -> str:
        """Return the contract that had the freelancer's ten minutes first."""
        return next(
            work[0]
            for work in self.worked
            if work[1:] == (week, place)
            and self.deals[work[0]].freelancer == freelancer
            and work not in self.late
        )


def _sum(moved: Iterable[tuple[str, int, int]], title: str, closing: int) -> int:
    return sum(minor for of, by, minor in moved if (of, by) == (title, closing))
