"""What a bill depends on, and what a diary can be made of anew: promises 6 and 10 of ARCHITECTURE.md (R29).

A bill depends on clear headers, terms and `received_at`: the verdict is asked once more of what the server
holds, which has no keys, and of a diary whose every plaintext was changed. A diary is made anew from its
versions alone, and read anew from the start of every feed; neither may change what is shown.
"""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager

import httpx
import msgspec

from diary import envelope, opening
from diary.diary import Diary
from diary.rules.contract import TermsHistory
from diary.rules.ids import AccountId, ContractId, Slot
from diary.rules.merge import standing
from diary.rules.sealed_content import (
    CaptureContent,
    Content,
    EntryContent,
    MessageContent,
    MinuteCounts,
    ReasonContent,
    StampedText,
    TermsContent,
    content_bytes,
)
from diary.rules.timesheet import Place, SegmentView
from diary.rules.verdict import fact_of, verdicts
from diary.rules.week import Week
from diary.sealing import row
from diary.state import OpenDiary
from diary.store import sealed as contents
from diary.store import versions
from sync.engine import Engine
from sync.transport import Transport
from tests.model.book import Book, pending
from tests.model.device import URL, Device, Line
from tests.model.world import World

_POINT_TO = "UPDATE version SET sealed = :sealed, body_hash = :body_hash WHERE replica = :replica AND n = :n"
_DERIVED = """
DELETE FROM receipt;
DELETE FROM answer;
DELETE FROM push;
DELETE FROM sent;
DELETE FROM renamed;
DELETE FROM log_head;
REINDEX;
VACUUM;
"""


def check_basis(book: Book, world: World) -> None:
    """Check that the server, which opens nothing, comes to every verdict that the devices show (R29)."""
    places = {(ContractId(row.place[0]), Slot(row.place[1])) for row in book.log if row.place}
    reader = world.readers[0].diary
    with world.serving.storage.hold(AccountId(reader.account)) as hold:
        held = hold.standing(places)
        terms = hold.terms({contract for contract, _ in places})
    histories = {contract: TermsHistory(found) for contract, found in terms.items()}
    for week in {Week.of(slot) for _, slot in places}:
        facts = [
            fact_of(place[0], place[1], standing(found))
            for place, found in held.items()
            if place[1] in week.slots
        ]
        judged = {place: (one.bills, one.why_not) for place, one in verdicts(week, facts, histories).items()}
        for device in world.devices:
            if not pending(device):
                shown = _verdicts(device.diary, week)
                assert shown == {place: judged[place] for place in shown}


def check_rebuilt(world: World, device: Device) -> None:
    """Check that other plaintexts bill alike, and that a diary made anew from its versions shows the same."""
    if pending(device):
        return
    before = _weeks(device.diary)
    with _copy(device, "other-words") as diary:
        _change_every_plaintext(diary._state)
        diary._state.contents.clear()
        after = _weeks(diary)
        assert [_bill(one) for one in after] == [_bill(one) for one in before]
        said = {one.memo for one in before if one.memo}
        assert not any(one.memo in said for one in after if one.state != "refused")
    with _copy(device, "made-anew") as diary:
        diary._state.connection.executescript(_DERIVED)
        assert _weeks(diary) == before
        with Transport(URL, client=httpx.Client(transport=Line(world)), attempts=1) as line:
            report = Engine(diary, line).run()
        assert (report.pushed, report.pulled, diary.alarms()) == (0, 0, ())
        assert _weeks(diary) == before


@contextmanager
def _copy(device: Device, name: str) -> Iterator[Diary]:
    """Open a copy of a device's diary that stays the replica it is: it looks, and writes nothing."""
    folder = device.home.with_name(f"{device.home.name}-{name}")
    device.copy_to(folder)
    try:
        with closing(Diary(opening.open_diary(folder, clock=device.clock))) as diary:
            yield diary
    finally:
        shutil.rmtree(folder)


def _weeks(diary: Diary) -> list[SegmentView]:
    return [
        one for week in sorted(diary.weeks(), key=lambda week: week.name) for one in diary.week(week).segments
    ]


def _verdicts(diary: Diary, week: Week) -> dict[Place, tuple[bool, str | None]]:
    return {
        (one.contract, one.slot): (one.bills, one.why_not)
        for one in diary.week(week).segments
        if one.state != "refused"
    }


def _bill(one: SegmentView) -> tuple[object, ...]:
    return (one.contract, one.slot, one.kind, one.state, one.received_at_ms, one.bills, one.why_not, one.life)


def _change_every_plaintext(diary: OpenDiary) -> None:
    """Seal other words and counts under the same headers and keys, as their writer could have."""
    stored = [
        *versions.in_slots(diary.connection, range(2**40)),
        *versions.slotless(diary.connection, "terms"),
    ]
    for each in stored:
        sealed, header = each.sealed, each.header
        if sealed.body is None or sealed.wrap is None:
            continue
        epoch = header.epoch or 0
        epoch_key = envelope.epoch_key(diary, header.contract, epoch)
        changed = row.seal(
            header,
            content_bytes(_other(envelope.content_of(diary, each))),
            epoch=epoch,
            epoch_key=epoch_key,
            row_key=row.row_key(sealed, epoch_key),
            wrap_nonce=sealed.wrap[: row.NONCE_BYTES],
        )
        assert (changed.header, changed.wrap) == (sealed.header, sealed.wrap)
        assert changed.body is not None
        digest = hashlib.sha256(changed.body).digest()
        at = contents.add(diary.connection, changed.body, changed.wrap)
        bound = {"sealed": at, "body_hash": digest, "replica": header.replica, "n": header.n}
        diary.connection.execute(_POINT_TO, bound)


def _other(content: Content) -> Content:
    match content:
        case CaptureContent():
            idle = MinuteCounts(keystrokes=0, clicks=0, scrolls=0, os_active=False)
            return msgspec.structs.replace(content, minutes=(idle,) * 10, application="other", title="other")
        case EntryContent():
            return msgspec.structs.replace(
                content, memo=_other_text(content.memo), label=_other_text(content.label)
            )
        case TermsContent():
            return msgspec.structs.replace(content, title="other", client="other", labels=("other",))
        case ReasonContent():
            return msgspec.structs.replace(content, reason="other")
        case MessageContent():
            return msgspec.structs.replace(content, text="other")


def _other_text(text: StampedText | None) -> StampedText | None:
    return None if text is None else StampedText("another text", text.stamp)
