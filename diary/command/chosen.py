"""Which segments a command means: times, lines of the last list, perhaps of one contract (CLI.md)."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from diary.command.desk import Desk
from diary.errors import NothingError
from diary.rules.ids import ContractId
from diary.rules.timesheet import Place
from diary.rules.week import Week
from diary.when import selection_of

if TYPE_CHECKING:
    from diary.diary import Diary

LAST = "@last"


class NothingThereError(NothingError):
    """No segment stands where the command points."""

    says = "No segment stands at {words}."
    mend = "See what there is: diary today, diary week."


def places_of(
    diary: "Diary", desk: Desk, words: Iterable[str], zone: ZoneInfo, *, contract: ContractId | None = None
) -> Sequence[Place]:
    """Return the places of the live segments that the words select, in order of time.

    `@last` is the segment of the newest snapshot, that under way too: what a notification has just shown, on
    a desktop whose notifications have no buttons (R17).

    Raises:
        BadTimeError: The words are no times.
        NotListedError: `@3` names no line of the last list.
        NothingThereError: No live segment stands there.
    """
    words = list(words)
    others = [word for word in words if word != LAST]
    chosen = selection_of(others, now_ms=diary.now_ms(), zone=zone, listed=desk.listed()) if others else ()
    places = {each for each in chosen if isinstance(each, tuple)}
    if len(others) < len(words) and (last := diary.last_snapshot()):
        places.add(last)
    slots = {each for each in chosen if not isinstance(each, tuple)}
    weeks = sorted({Week.of(slot) for slot in slots} | {Week.of(slot) for _, slot in places})
    standing = [
        (one.contract, one.slot)
        for week in weeks
        for one in diary.week(week).segments
        if one.state != "deleted"
        and (one.slot in slots or (one.contract, one.slot) in places)
        and contract in {None, one.contract}
    ]
    if not standing:
        raise NothingThereError(words=" ".join(words))
    return standing
