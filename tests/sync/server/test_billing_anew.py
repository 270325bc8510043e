"""A seal that is issued anew corrects what was billed by an invoice of its own (R43, R61, R62)."""

from pathlib import Path

from diary.clock import GivenClock
from diary.evidence.invoice_statement import own_invoice
from diary.rules.ids import Millis, Slot
from diary.rules.ledger_entry import balances
from diary.rules.week import Week, slot_at
from sync.server import closing
from sync.server.clock_watch import ClockWatch
from sync.server.log import ServerKey
from sync.server.storage import Storage
from tests.rule import rule
from tests.sync.server.versions import ACCOUNT, CONTRACT, append, capture, leaf, terms

KEY = ServerKey(bytes(32))


@rule("R43")
@rule("R61")
@rule("R62")
def test_a_healed_row_of_a_billed_week_makes_a_correction_with_the_next_number(
    storage: Storage, clock: GivenClock, tmp_path: Path
) -> None:
    worked_ms = clock.now_ms()
    week, slot = Week.at(worked_ms), slot_at(worked_ms) - 6
    watch = ClockWatch(clock, None, tmp_path / "confirmed")
    with storage.hold(ACCOUNT) as hold:
        append(hold, terms(2), *(capture(3 + at, slot=slot + at) for at in range(3)))
    clock.put(Millis(week.locked_at_ms + 1))
    watch = ClockWatch(clock, None, tmp_path / "confirmed")
    with storage.hold(ACCOUNT) as hold:
        assert closing.seal_due(hold, ACCOUNT, KEY, watch) == 1
        assert closing.seal_due(hold, ACCOUNT, KEY, watch) == 0
    with storage.hold(ACCOUNT) as hold:
        size = hold.logs({CONTRACT})[CONTRACT].size
        lost = leaf(capture(9, slot=slot + 3), index=size, at_ms=Millis(worked_ms), body=b"sealed", epoch=1)
        append(hold, leaves=[lost])
        assert closing.seal_anew(hold, ACCOUNT, KEY, [Slot(slot + 3)]) == 1
    with storage.hold(ACCOUNT) as hold:
        assert closing.seal_anew(hold, ACCOUNT, KEY, [Slot(slot + 3)]) == 0
    kept = [own_invoice(one.text) for one in storage.invoices.invoices(ACCOUNT, 0, 9)]
    assert [(one.number, one.corrects, one.total_minor) for one in kept] == [(1, None, 3000), (2, 1, 1000)]
    assert [(line.segments, line.amount_minor) for line in kept[1].lines] == [(1, 1000)]
    assert balances(storage.invoices.entries(ACCOUNT)) == {"client_owes": 4000, "in_review": -4000}
