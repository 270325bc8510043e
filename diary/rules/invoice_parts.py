"""An invoice as it is signed and kept: exact JSON text, its lines' amounts in minor units (R61). Pure."""

from typing import Literal

import msgspec

from diary.rules.act_parts import VersionName, is_week
from diary.rules.ids import AccountId, ContractId, Millis

LineWhat = Literal["hours", "late", "bonus"]


class InvoiceLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One line: a contract's reckoned week, late time that was accepted, or a bonus (R38, R61, R62).

    `week` is that of the time, for a bonus that for which it is given. `act` names the row that made it due.
    `member` is the account of the freelancer whose line it is on an agency's bill. On an invoice that
    corrects another, `segments` and `amount_minor` are differences and may be below nothing.
    """

    contract: ContractId
    what: LineWhat
    week: str
    segments: int
    rate_minor: int
    amount_minor: int
    act: VersionName | None = None
    member: AccountId | None = None


class _Dated(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What every form of an invoice says."""

    account: AccountId
    payer: str
    currency: str
    week: str
    number: int
    lines: tuple[InvoiceLine, ...]
    closed_at_ms: Millis
    review_ends_at_ms: Millis
    available_at_ms: Millis
    corrects: int | None = None

    def fault(self) -> str | None:
        """Return why this can be no invoice, None where it can."""
        if self.number < 1 or (self.corrects is not None and not 1 <= self.corrects < self.number):
            return "invoices are numbered from 1, and one corrects an earlier one"
        if not is_week(self.week) or not all(is_week(line.week) for line in self.lines):
            return "a week is written like 2026-W47"
        if not self.closed_at_ms >= 0 or self.review_ends_at_ms > self.available_at_ms:
            return "an invoice is available after its review"
        return None


class Invoice(_Dated, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What one payer owes an account for a week, in one currency (R61).

    `number` counts the account's invoices from 1, without a gap. `payer` is the contracts' common one, or the
    contract's id where it has none. `closed_at_ms` is when the server made it, `review_ends_at_ms` until when
    it may be disputed, `available_at_ms` when its security period is over (R62). `corrects` is the number of
    the invoice of the same payer, currency and week whose lines these are differences to (R43).
    """

    total_minor: int

    def fault(self) -> str | None:
        """Return why this can be no invoice, None where it can."""
        if self.total_minor != sum(line.amount_minor for line in self.lines):
            return "the total is the sum of the lines"
        if not any(line.amount_minor for line in self.lines):
            return "there is no invoice for nothing"
        return _Dated.fault(self)


class InvoicePart(_Dated, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What one contract's seat sees of an invoice: all but the sum and other contracts' lines (R51)."""

    contract: ContractId

    def fault(self) -> str | None:
        """Return why this can be no part of an invoice, None where it can."""
        if not self.lines or any(line.contract != self.contract for line in self.lines):
            return "a contract's part holds the lines of that contract"
        return _Dated.fault(self)
