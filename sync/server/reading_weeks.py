"""A first look at a contract: some of its weeks before its log is read from the front (R28, R45, R64).

The rows are those of the log, with their pushes, under the same signed head; a reader checks each as always,
and what only the whole log shows (that none was left out) once they have read it.
"""

import msgspec

from diary.evidence.head import LogHead
from diary.rules.act_parts import SLOT_END
from diary.rules.ids import Millis
from diary.rules.week import Week
from sync.protocol import WEEKS_MAX, WEEKS_ROWS_MAX, Weeks, WeeksAnswer
from sync.server import seats
from sync.server.accounts import Caller
from sync.server.faults import NotFoundError, NotYoursError, TooLargeError, UnreadableError
from sync.server.log import ServerKey
from sync.server.storage import Storage


def weeks(storage: Storage, key: ServerKey, asking: Caller, asked: Weeks, now_ms: Millis) -> WeeksAnswer:
    """Return weeks of a contract that the caller may read.

    Raises:
        NotYoursError: A seat asks for another contract (R51).
        NotFoundError: The account has no such log.
        TooLargeError: More weeks, or more rows, than one answer holds: they come with the log.
        UnreadableError: A week of a slot that there is not.
    """
    if asking.contract not in {None, asked.contract}:
        raise NotYoursError
    if len(asked.first_slots) > WEEKS_MAX:
        raise TooLargeError(what=f"One question is about at most {WEEKS_MAX} weeks.")
    if not all(0 <= slot < SLOT_END for slot in asked.first_slots):
        raise UnreadableError(what="A week is named by a slot of it.")
    wanted = sorted({Week.of(slot) for slot in asked.first_slots})
    part = storage.weeks(asking.account, asked.contract, wanted, WEEKS_ROWS_MAX)
    if part is None:
        raise NotFoundError(what="There is no log of that contract.")
    if part.page is None:
        raise TooLargeError(what=f"These weeks have more than {WEEKS_ROWS_MAX} rows: read the log.")
    head = LogHead(
        contract=asked.contract,
        log_epoch=part.page.head.log_epoch,
        size=part.page.head.size,
        root=part.root.hex(),
        at_ms=now_ms,
    )
    overlapping = [
        slot
        for week in part.shown
        for slot in seats.overlapping(storage, asking.account, asked.contract, week.slots)
    ]
    return WeeksAnswer(
        server_ms=now_ms,
        page=msgspec.structs.replace(part.page, signed_head=key.head(head)),
        first_slots=part.first_slots,
        overlapping=overlapping,
    )
