"""Which segments a command means: times, lines of the last list, perhaps of one contract (CLI.md)."""

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from diary.command.desk import Desk
from diary.errors import NothingError
from diary.rules.ids import ContractId, Slot
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
    chosen: list[Slot | Place] = []
    if others:
        chosen += selection_of(others, now_ms=diary.now_ms(), zone=zone, listed=desk.listed())
    if len(others) < len(words) and (last := diary.last_snapshot()):
        chosen.append(last)
    weeks = sorted({Week.of(each[1] if isinstance(each, tuple) else each) for each in chosen})
    standing = [
        (one.contract, one.slot)
        for week in weeks
        for one in diary.week(week).segments
        if one.state != "deleted" and contract in {None, one.contract}
    ]
    found = among(standing, chosen)
    if not found:
        raise NothingThereError(words=" ".join(words))
    return found


def among(places: Iterable[Place], chosen: Collection[Slot | Place]) -> list[Place]:
    """Return those of the places that were chosen, by their slot or as lines of a list, in their order."""
    wanted = set(chosen)
    return [place for place in places if place in wanted or place[1] in wanted]
