"""Records the slot that is just over, as the tracker would, by the clock of the process it runs in,
corrected by what the diary knows of the server's.

`python -m tests.journeys.recorder HOME CONTRACT MEMO`
"""

import sys
from pathlib import Path

import msgspec

from diary.clock import SystemClock
from diary.diary import Diary
from diary.rules.ids import Millis, Slot
from diary.rules.sealed_content import Moment
from diary.rules.week import slot_at
from tests.practice import draft_of


def main(home: str, title: str, memo: str) -> None:
    """Record one slot; its number goes to stdout."""
    clock = SystemClock()
    with Diary.open(Path(home), clock=clock) as diary:
        slot = Slot(slot_at(diary.now_ms()) - 1)
        draft = draft_of(diary.contract(title), slot, memo=memo, picture=memo.encode() * 500)
        assert draft.moment is not None
        since_ms = diary.now_ms() - draft.moment.wall_ms
        moment = Moment(
            wall_ms=Millis(clock.now_ms() - since_ms),
            monotonic_ms=clock.monotonic_ms() - since_ms,
            boot=clock.boot(),
        )
        diary.record(msgspec.structs.replace(draft, moment=moment))
    print(slot)


if __name__ == "__main__":
    main(*sys.argv[1:])
