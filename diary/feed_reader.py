"""What a diary knows of its feeds up to its cursors, for who checks what comes next (R45, R50, R51)."""

from collections.abc import Mapping

from diary import seating
from diary.evidence.feed import Reader
from diary.evidence.receipt import Cursor
from diary.rules.contract import TermsHistory, versions_of
from diary.rules.devices import DeviceListInClear
from diary.rules.ids import ContractId
from diary.rules.segment import parse_header
from diary.state import OpenDiary
from diary.store import feed, versions


def reader_at(diary: OpenDiary, cursors: Mapping[ContractId, Cursor]) -> Reader:
    """Return a reader that knows what the logs have shown up to the cursors."""
    lists_in = diary.log_of_lists
    return Reader(
        diary.account,
        _devices(diary, cursors.get(lists_in)),
        {},
        lists_from="contract" if diary.is_seat else "account",
        seats_before=lambda contract: seating.seats_before(diary, contract, cursors.get(contract)),
        terms_before=lambda contract: _terms_before(diary, contract, cursors.get(contract)),
    )


def _terms_before(diary: OpenDiary, contract: ContractId, cursor: Cursor | None) -> TermsHistory | None:
    """Return a contract's terms as the first rows of its log show them, up to the cursor (R8)."""
    size = cursor.size if cursor is not None else 0
    found = versions_of(
        (stored.header, stored.received_at_ms)
        for stored in versions.slotless(diary.connection, "terms", contract)
        if stored.received_at_ms is not None and stored.leaf_index is not None and stored.leaf_index < size
    )
    return TermsHistory(found) if found else None


def _devices(diary: OpenDiary, cursor: Cursor | None) -> DeviceListInClear | None:
    """Return the newest device list that the log of lists has shown so far (R50)."""
    headers = feed.device_list_headers(diary.connection, diary.log_of_lists, cursor.size) if cursor else []
    lists = [listed for raw in headers if (listed := parse_header(raw).devices) is not None]
    # In a contract's log an older list may come behind a newer one, and is no news.
    return max(lists, key=lambda listed: listed.number, default=None)
