"""Invoices, statements and what the parties say of money, as methods of the one door (R61, R62, R63).

A freelancer's device and a client's replica have the same methods: what is the other party's to say is
refused by name.
"""

from typing import TYPE_CHECKING

from diary import settings
from diary.rules.ids import ContractId
from diary.rules.week import Week
from diary.state_door import StateDoor

if TYPE_CHECKING:  # loaded when an invoice is asked for: recording waits for none of it
    from collections.abc import Sequence

    from diary.evidence.statement import SignedStatement
    from diary.messaging import NewFile
    from diary.rules.ids import AccountId
    from diary.rules.invoice_view import InvoiceView, Letterhead
    from diary.rules.statement import Statement


class BillDoor(StateDoor):
    """What is billed, paid and given; every method is one transaction or one snapshot."""

    def invoices(self) -> "tuple[InvoiceView, ...]":
        """Return the invoices, the newest first (R61)."""
        from diary import billing

        return billing.everything(self._state)

    def invoice(self, number: int, agency: str | None = None) -> "InvoiceView":
        """Return an invoice by its number: that agency's where one is named, else the own one (R61)."""
        from diary import billing

        return billing.one(self._state, number, agency)

    def statements(self) -> "tuple[Statement, ...]":
        """Return what each client and the freelancer have between them (R62, R63)."""
        from diary import billing

        return billing.all_statements(self._state)

    def letterhead(self, view: "InvoiceView") -> "Letterhead":
        """Return what a freelancer's invoices say of them; nothing on an agency's, or for a client (R61)."""
        from diary.rules.invoice_view import Letterhead

        names = ("bill_name", "bill_address", "bill_pay")
        if self._state.is_seat or view.agency is not None:
            return Letterhead("", "", "")
        return Letterhead(*(str(settings.setting(self._state, name)) for name in names))

    def invoices_whole_up_to(self) -> int:
        """Return the last own invoice's number before which none is missing; a seat's newest (R61)."""
        from diary import billed_whole, billing

        return (
            billing.newest_number(self._state)
            if self._state.is_seat
            else billed_whole.whole_up_to(self._state)
        )

    def are_invoices_wanted(self) -> bool:
        """Return whether the server may have invoices that are not here (R61)."""
        from diary import billing

        return billing.are_wanted(self._state)

    def note_invoices_asked(self, at_ms: int) -> None:
        """Note when the server was asked for all its invoices, and look for missing ones (R61)."""
        from diary import billed_whole, billing

        billing.note_asked(self._state, at_ms)
        billed_whole.look_for_missing(self._state)

    def agencies(self) -> "dict[AccountId, int]":
        """Return the agencies that may bill contracts known here, each with its newest invoice here (R61)."""
        from diary import billing

        return billing.agencies(self._state)

    def take_invoices(
        self, shown: "Sequence[SignedStatement]", server_key: str, *, agency: "AccountId | None" = None
    ) -> int:
        """Check and keep the invoices that the server shows, its own or an agency's (R61)."""
        from diary import billing

        return billing.take_invoices(self._state, shown, server_key, agency=agency)

    def judge_invoices(self) -> int:
        """Hold invoices to this replica's rows; return how many differ, each an alarm (R61)."""
        from diary import billing

        return billing.judge_invoices(self._state)

    def give_bonus(self, contract_id: ContractId, week: Week, minor: int, reason: str) -> None:
        """Add a bonus for a week in review, as the client (R62)."""
        from diary import paying

        paying.give_bonus(self._state, contract_id, week, minor, reason)

    def mark_paid(
        self,
        number: int,
        minor: int,
        reference: str = "",
        receipts: "Sequence[NewFile]" = (),
        *,
        agency: str | None = None,
    ) -> None:
        """Say that an invoice was paid, as the client; receipts go as files of a message (R63, R68)."""
        from diary import paying

        paying.mark_paid(self._state, number, minor, reference, receipts, agency=agency)

    def note_received(
        self,
        number: int,
        minor: int,
        reference: str = "",
        receipts: "Sequence[NewFile]" = (),
        *,
        agency: str | None = None,
    ) -> None:
        """Say that money came in, as the freelancer; receipts go as files of a message (R63, R68)."""
        from diary import paying

        paying.note_received(self._state, number, minor, reference, receipts, agency=agency)

    def confirm_payment(
        self,
        number: int,
        payment: str,
        minor: int | None = None,
        reference: str = "",
        *,
        agency: str | None = None,
    ) -> int:
        """Confirm what the client claims, as the freelancer; return the amount (R63)."""
        from diary import paying

        return paying.confirm_payment(self._state, number, payment, minor, reference, agency=agency)

    def take_payment_back(self, number: int, payment: str, *, agency: str | None = None) -> None:
        """Say that a claimed payment was not made, as the client (R63)."""
        from diary import paying

        paying.take_payment_back(self._state, number, payment, agency=agency)

    def refund_at_gateway(self, number: int, minor: int) -> ContractId | None:
        """Return of which contract's part the gateway holds that much, None for none (R63)."""
        from diary import refunding

        return refunding.contract_with(self._state, number, minor)

    def begin_refund(self, number: int, contract: ContractId, minor: int) -> str:
        """Return the id by which the gateway is asked for a refund, kept before it is (R63)."""
        from diary import refunding

        return refunding.begin(self._state, number, contract, minor)

    def finish_refund(self, number: int, contract: ContractId, minor: int) -> None:
        """Note that the refund was answered (R63)."""
        from diary import refunding

        refunding.finish(self._state, number, contract, minor)

    def refund(self, number: int, minor: int, reference: str = "", *, agency: str | None = None) -> None:
        """Say that money was given back, as the freelancer (R63)."""
        from diary import paying

        paying.refund(self._state, number, minor, reference, agency=agency)
