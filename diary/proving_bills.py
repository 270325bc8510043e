"""The seals and invoices that a restored server is shown: it signed them, and may lack them (R43, R61)."""

from collections.abc import Iterator

from diary.errors import PeerError
from diary.evidence.invoice_statement import read_invoice, read_part
from diary.evidence.seal import read_seal
from diary.proving import Showing
from diary.rules.ids import Millis
from diary.state import OpenDiary
from diary.store import epochs, invoices, seals
from diary.store.invoices import KeptInvoice
from diary.store.seals import KeptSeal


def bills_to_show(diary: OpenDiary, server_key: str) -> Iterator[Showing]:
    """Yield the seals and invoices that the server may have lost, as much at a time as one request carries.

    All invoices: they are few, and when one was issued none of them says. Of the seals those that were signed
    after the last row that the server is known to have, all where no row tells: a backup is of one instant.
    """
    key = bytes.fromhex(server_key)
    with diary.reading():
        kept_until_ms = epochs.kept_until_ms(diary.connection)
        sealed = seals.since(diary.connection, kept_until_ms or Millis(0))
        billed = invoices.everything(diary.connection)
    statements = [(kept.signed, True) for kept in sealed if _is_seal_of(kept, key)]
    own = [kept for kept in billed if kept.invoice.account == diary.account]
    statements += [(kept.signed, False) for kept in own if _is_invoice_of(kept, key)]
    showing = Showing()
    for signed, is_seal in statements:
        if not showing.has_room_for_text(signed.text):
            yield showing
            showing = Showing()
        showing.add_bill(signed, is_seal=is_seal)
    if showing.seals or showing.invoices:
        yield showing


def _is_seal_of(kept: KeptSeal, server_key: bytes) -> bool:
    """Return whether this server signed it: the diary may have been registered with another before."""
    try:
        read_seal(kept.signed, server_key)
    except PeerError:
        return False
    return True


def _is_invoice_of(kept: KeptInvoice, server_key: bytes) -> bool:
    try:
        if kept.contract:
            read_part(kept.signed, server_key)
        else:
            read_invoice(kept.signed, server_key)
    except PeerError:
        return False
    return True
