"""A dispute answered with a bundle in one step: the reply, and the proof as a file beside it (R59, R62, R68).

The bundle goes as the file of a message of the same contract, so that both parties can take it out and check
it anywhere; the reply names it.
"""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from diary import contracts, messaging, saying
from diary.bundling import make_bundle
from diary.errors import UsageError
from diary.rules.act_parts import VersionName
from diary.rules.timesheet import Place
from diary.rules.week import Week
from diary.state import OpenDiary

MEDIA_TYPE = "application/zip"


class OneWeekError(UsageError):
    """A bundle shows one week of one contract (R59)."""

    says = "A reply with a bundle is about one week of one contract."
    mend = "Reply to each week, and each contract, by itself: diary dispute SLOTS --reply --bundle."


def reply_with_bundle(
    diary: OpenDiary, places: Iterable[Place], reason: str, zone: ZoneInfo
) -> tuple[int, str]:
    """Reply to a dispute and send the disputed segments' bundle with it; return how many, and its name.

    Raises:
        OneWeekError: The segments are of several weeks or contracts.
        NoReasonError: The reply is empty.
        RefusedSayingError: It is not for this party to say; nothing was sent then.
        FilesTooLargeError: The bundle is too large for a message.
    """
    chosen = sorted(set(places))
    about = {(contract, Week.of(slot).name) for contract, slot in chosen}
    if len(about) != 1:
        raise OneWeekError
    ((contract_id, week),) = about
    slots = frozenset(slot for _, slot in chosen)
    known = next(one for one in contracts.contracts(diary) if one.id == contract_id)
    made = make_bundle(diary, known, Week.parse(week), slots, zone)
    name = f"{week}-dispute.bundle.zip"
    file = messaging.NewFile(name, MEDIA_TYPE, made.whole)
    words = f"What the dispute of {week} is about, with its proofs: {name}. Check it: diary verify {name}"

    def send() -> VersionName:
        return messaging.send_within(diary, known.id, words, [file])

    said = f"{reason.strip()}\n(With it: {name}, in the messages.)" if reason.strip() else ""
    count = saying.reply_with(diary, chosen, said, send)
    return count, name
