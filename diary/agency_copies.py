"""The copies of contracts that an agency's manager reads, as one looks at them (SPEC, section 1).

Each is a diary of its own in a folder below the agency's, made by `diary agency add`. A contract that was
granted anew after its member left has several: the newest is shown.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from diary.clock import Clock
from diary.contracts import Contract
from diary.diary import Diary
from diary.rules.ids import ContractId, Millis
from diary.rules.timesheet import Totals
from diary.rules.week import Week
from diary.sealing.invitation import Link
from diary.store.connection import FILE_NAME

FOLDER = "agency"
COPIES_MAX = 10_000  # a folder in which somebody put anything else is not read to its end


@dataclass(frozen=True, slots=True)
class CopyView:
    """What a copy shows of its contract in one week; `totals` is None where the week has nothing."""

    folder: Path
    contract: Contract
    joined_at_ms: Millis
    totals: Totals | None


def folder_of(home: Path, link: Link) -> Path:
    """Return where the copy that a link makes is to lie, in the agency's own folder."""
    return home / FOLDER / f"{link.contract}-{link.keys.auth[:8]}"


def folders(home: Path) -> Iterator[Path]:
    """Yield the folders in which an agency's copies lie, in the order of their names."""
    found = sorted((home / FOLDER).glob("*"))[:COPIES_MAX]
    return (folder for folder in found if (folder / FILE_NAME).exists())


def views(
    home: Path, week: Week, *, clock: Clock, ask_passphrase: Callable[[], str] | None = None
) -> dict[ContractId, CopyView]:
    """Return what the newest copy of each contract shows of a week."""
    found: dict[ContractId, CopyView] = {}
    for folder in folders(home):
        with Diary.open(folder, clock=clock, ask_passphrase=ask_passphrase) as copy:
            view = _view(copy, folder, week)
        if view is None:
            continue
        known = found.get(view.contract.id)
        if known is None or known.joined_at_ms < view.joined_at_ms:
            found[view.contract.id] = view
    return found


def _view(copy: Diary, folder: Path, week: Week) -> CopyView | None:
    contract = next(iter(copy.contracts()), None)
    if contract is None:  # its joining was cut short, or its key is still to come
        return None
    seats = copy.joined(contract.id)
    joined_at_ms = next((seat.joined_at_ms for seat in seats if seat.replica == copy.replica), Millis(0))
    totals = next((one for one in copy.week(week).totals if one.contract == contract.id), None)
    return CopyView(folder, contract, joined_at_ms, totals)
