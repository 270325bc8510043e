"""Taking what the server's feeds hold: checked, stored, merged, destroyed where it must be (R25, R45, R48).

All pages of one answer are one transaction: after a crash they are simply asked for again. Rows that are
held already change nothing. Content is opened only where a memo is displaced (R26).
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import msgspec

from diary import envelope, sealed_weeks, witnessing
from diary.arriving import Arrival, compare, give_way
from diary.correcting import keep_before
from diary.deciding import opened_entries, what_of
from diary.destroying import displaced_at_server, forget_texts
from diary.errors import DamageError
from diary.evidence.alarm import AlarmKind
from diary.evidence.feed import CheckedRow
from diary.evidence.opening import FIRST_EPOCH
from diary.evidence.receipt import Cursor, Page
from diary.feed_reader import reader_at
from diary.granting import want_grants
from diary.healing import check_goes_on, count_kept
from diary.redacting import redact_agreed
from diary.rules.change import is_deletion
from diary.rules.ids import ContractId, Millis, Slot
from diary.rules.merge import Held, present, standing
from diary.rules.merge import displaced as displaced_by_others
from diary.rules.sealed_content import EntryContent
from diary.rules.segment import Header
from diary.rules.week import Week
from diary.showing import BeforeText
from diary.state import OpenDiary, mark_destroying
from diary.store import (
    epochs,
    feed,
    history,
    log_trees,
    outbox,
    pictures,
    receipts,
    refusals,
    versions,
)
from diary.store.sealed import Content
from diary.store.versions import ContentState, Name, held_of


@dataclass(frozen=True, slots=True)
class Taken:
    """What one answer brought: rows that are new here, contracts that are, and whether devices are."""

    rows: int
    new_contracts: int
    new_devices: bool


def take_pages(diary: OpenDiary, pages: Sequence[Page], spared: Collection[AlarmKind] = ()) -> Taken:
    """Check and store what came, in one transaction (R45, R48).

    Raises:
        FeedFaultError: Something of it is not to be believed. Nothing was stored but the alarm, which stays
            (none of a kind in `spared`).
    """
    contract = next((page.contract for page in pages), ContractId(diary.account))
    with witnessing.alarms_kept(diary, contract, spared), diary.writing():
        return _take(diary, pages)


def _take(diary: OpenDiary, pages: Sequence[Page]) -> Taken:
    cursors = receipts.cursors(diary.connection)
    reader = reader_at(diary, cursors)
    server_key = witnessing.pinned_key(diary)
    rows, new_contracts, new_devices = 0, 0, False
    for page in pages:
        if server_key is not None:
            witnessing.take_head(diary, page, server_key)
        checked = reader.check(page, cursors.get(page.contract))
        new = _take_rows(diary, page, checked, cursors.get(page.contract)) if checked else []
        witnessing.compare_heads(diary, page.contract, page.head.log_epoch)
        if server_key is not None:
            sealed_weeks.take_seals(diary, page, server_key)
        if not checked:
            continue
        rows += len(new)
        new_contracts += page.contract not in cursors and page.contract != ContractId(diary.account)
        if not diary.is_seat and any(_is_of_a_stranger(header) for header in new):
            new_devices = True
            want_grants(diary)
    feed.add_pushes(diary.connection, {name: push.signed for name, push in reader.pushes.items()})
    return Taken(rows=rows, new_contracts=new_contracts, new_devices=new_devices)


def _is_of_a_stranger(header: Header) -> bool:
    """Return whether a row tells of somebody who may lack keys: a new device, or a client (R50, R51)."""
    return header.type == "joining" or (header.type == "device_list" and header.in_own_log)


def _take_rows(
    diary: OpenDiary, page: Page, checked: Sequence[CheckedRow], cursor: Cursor | None
) -> list[Header]:
    """Store a page's new rows, and hold the server to them; return the headers that are new here (R56)."""
    check_goes_on(diary, page, cursor)
    witnessing.check_rows(diary, page, checked)
    arrivals = compare(diary, page.contract, checked)
    count_kept(diary, page.contract, ((one.checked.row, one.known) for one in arrivals))
    regained = give_way(diary, arrivals)
    _store(diary, page.contract, arrivals)
    for name, ciphertext in regained.items():
        pictures.mark_absent(diary.connection, name)
        pictures.keep(diary.connection, name, ciphertext)
    redact_agreed(diary, page.contract)
    log_trees.grow(diary.connection, page.contract, page.head.log_epoch, [row.leaf for row in checked])
    witnessing.compare_claims(diary, page, checked)
    if page.proof is not None:
        first, count = page.rows[0].index, len(page.rows)
        epochs.keep_proof(diary.connection, page.contract, first, count, page.proof)
    return [arrival.header for arrival in arrivals if arrival.known is None]


def _store(diary: OpenDiary, contract: ContractId, arrivals: Sequence[Arrival]) -> None:
    """Store the rows of one feed and bring their places to what now stands there (R34, R35)."""
    places = _places(diary, contract, arrivals)
    fallen = {name: state for place in places for name, state in place.fallen.items()}
    new = [arrival.checked for arrival in arrivals if arrival.known is None]
    _withdraw_refusals(diary, new, fallen)
    feed.add(diary.connection, [_new_row(row, fallen.get(row.header.name)) for row in new])
    named = (row for row in new if row.header.pictures)  # most pages are texts
    standing_pictures = (_pictures(row) for row in named if row.header.name not in fallen)
    feed.add_pictures(diary.connection, chain.from_iterable(standing_pictures))
    for arrival in arrivals:
        row = arrival.checked.row
        if arrival.known and arrival.known.place != (row.log_epoch, row.index, row.received_at_ms):
            feed.note_received(diary.connection, arrival.known.id, _new_row(arrival.checked, None)[0])
    _give_up(diary, [arrival.header for arrival in arrivals if arrival.came_bare])
    _destroy(diary, [fall for place in places for fall in _bring_to_standing(diary, place)])


def _give_up(diary: OpenDiary, removed: Sequence[Header]) -> None:
    """Destroy what its writer removed before a restored server took it by its header alone (R25, R43)."""
    if not removed:
        return
    mark_destroying(diary)
    for header in removed:
        diary.contents.pop(header.name, None)
        pictures.destroy(diary.connection, header.name)
        versions.empty(diary.connection, [header.name], "destroyed")


def _withdraw_refusals(diary: OpenDiary, new: Sequence[CheckedRow], fallen: Collection[Name]) -> None:
    """Take back what a restored server refused of rows that it turns out to have received (R37d, R43).

    Another device has shown it the receipt: what was done here then has one end, and it is this one.
    """
    if epochs.newest(diary.connection) == FIRST_EPOCH:
        return
    refused = refusals.names(diary.connection)
    for name in [row.header.name for row in new if row.header.name in refused]:
        refusals.withdraw(diary.connection, name)
        if name in fallen:
            pictures.destroy(diary.connection, name)
        mark_destroying(diary)


class _Place(msgspec.Struct, frozen=True, gc=False):
    """One segment at which versions meet: those held, those that came, and the life they make together.

    `fallen` are the names whose content must be destroyed, and as what (R25).
    """

    contract: ContractId
    slot: Slot
    held: Sequence[feed.HeldRow]
    came: Sequence[Arrival]
    life: int
    fallen: dict[Name, ContentState]


def _places(diary: OpenDiary, contract: ContractId, arrivals: Sequence[Arrival]) -> list[_Place]:
    """Return the places at which something may fall or rise; elsewhere all that came stands."""
    came: dict[Slot, list[Arrival]] = defaultdict(list)
    for arrival in arrivals:
        if arrival.header.slot is not None:
            came[arrival.header.slot].append(arrival)
    held: dict[Slot, list[feed.HeldRow]] = defaultdict(list)
    for version in feed.held(diary.connection, contract, came):
        held[version.slot].append(version)
    return [
        _merged(contract, slot, held[slot], there)
        for slot, there in came.items()
        if held[slot] or not _all_stand(there)
    ]


def _all_stand(came: Sequence[Arrival]) -> bool:
    """Return whether these versions, alone at their place, all stand: captures and one entry of life 0."""
    entries = [arrival.header for arrival in came if arrival.header.type == "entry"]
    return not entries or (len(entries) == 1 and not entries[0].life)


def _merged(
    contract: ContractId, slot: Slot, held: Sequence[feed.HeldRow], came: Sequence[Arrival]
) -> _Place:
    all_there = [
        *(Held(version.header, version.received_at_ms) for version in held),
        *(Held(arrival.header, Millis(arrival.checked.row.received_at_ms)) for arrival in came),
    ]
    stands = present(all_there)
    life, standing_names = stands.life, stands.kept
    fallen: dict[Name, ContentState] = {}
    if len(standing_names) == len(all_there):
        return _Place(contract, slot, held, came, life, fallen)
    gone = {version.header.name for version in held if version.content != "standing"}
    whole: list[Name] = []
    for version in all_there:
        name = version.header.name
        if name in standing_names:
            continue
        if version.life < life:
            fallen[name] = "destroyed"
        elif name in gone:
            fallen[name] = "superseded"
        else:
            whole.append(name)
    if whole:  # it stays so until the server holds what displaces it (see `destroy_what_fell`)
        displaced = displaced_at_server(all_there)
        fallen.update((name, "superseded") for name in whole if name in displaced)
    return _Place(contract, slot, held, came, life, fallen)


class _Fall(msgspec.Struct, frozen=True, gc=False):
    """One held version whose content goes, and as what; `is_unanswered` when nobody said that it arrived."""

    version: feed.HeldRow
    place: _Place
    is_unanswered: bool

    @property
    def fell_as(self) -> ContentState:
        return self.place.fallen[self.version.header.name]


def _bring_to_standing(diary: OpenDiary, place: _Place) -> list[_Fall]:
    """Put back what stands at a place after all; return what falls (R25, R35, R37d)."""
    falling = _falling(place)
    _put_back(diary, place)
    _remember_displaced(diary, place, falling)
    # Texts of a life that is over go wherever they lie, old memos and refused changes too (R25).
    if place.life and forget_texts(diary, (place.contract, place.slot)):
        mark_destroying(diary)
    return falling


def _falling(place: _Place) -> list[_Fall]:
    """Return what is held at a place whose content is to be destroyed now (R25)."""
    # A deletion has no content to destroy, and the server takes a later life only after it.
    fallen = [
        version
        for version in place.held
        if version.content == "standing"
        and version.header.name in place.fallen
        and not is_deletion(version.header)
    ]
    if not fallen:  # at most places
        return []
    answered = {arrival.header.name for arrival in place.came if arrival.known is not None}
    return [
        _Fall(version, place, version.received_at_ms is None and version.header.name not in answered)
        for version in fallen
    ]


def _put_back(diary: OpenDiary, place: _Place) -> None:
    """Store the content of what is held without it and stands after all (R37d)."""
    for arrival in place.came:
        name, row = arrival.header.name, arrival.checked.row
        if arrival.known is None or row.body is None or name in place.fallen:
            continue
        if any(version.header.name == name and version.content != "standing" for version in place.held):
            feed.refill(diary.connection, arrival.known.id, row.body, row.wrap)
            feed.add_pictures(diary.connection, _pictures(arrival.checked))


def _remember_displaced(diary: OpenDiary, place: _Place, falling: Sequence[_Fall]) -> None:
    """Keep the memos that another device's edit displaces, sealed, until the week freezes (R26)."""
    displaced = [fall.version for fall in falling if fall.fell_as == "superseded"]
    if not displaced or diary.is_seat:  # old texts stay on the freelancer's devices and nowhere else
        return
    # What an edit made here displaces was remembered then.
    before = displaced_by_others(version.header for version in place.held)
    displaced = [version for version in displaced if version.header.name not in before]
    if not displaced:
        return
    at_ms = diary.now_ms()
    if Week.of(place.slot).is_frozen(at_ms):
        return
    where = (place.contract, place.slot)
    held = versions.at_place(diary.connection, *where)
    say_now = {entry.memo for _, entry in opened_entries(diary, held, standing(map(held_of, held)))}
    for version in displaced:
        entry = next(stored for stored in held if stored.header.name == version.header.name)
        try:
            said = envelope.content_of(diary, entry)
        except DamageError:
            continue  # what does not open was never shown: there is nothing to remember
        if isinstance(said, EntryContent) and said.memo is not None and said.memo not in say_now:
            act = history.begin(diary.connection, "edit", at_ms)
            keep_before(diary, act, where, BeforeText(memo=said.memo, label=said.label))
            # Not this device's act, so not for it to undo.
            history.mark_undone(diary.connection, act)


def _destroy(diary: OpenDiary, falls: Sequence[_Fall]) -> None:
    """Destroy the contents of held versions (R25); one that nobody else saw leaves an unused number.

    One that is unanswered is asked about by its header alone: it may never have arrived, and then the
    server's refusal says what became of it (R37d).
    """
    if not falls:
        return
    mark_destroying(diary)
    emptied: dict[ContentState, list[Name]] = defaultdict(list)
    for fall in falls:
        header = fall.version.header
        diary.contents.pop(header.name, None)
        if not fall.version.seen:
            _list_as_deleted(diary, fall)
            continue
        if header.pictures:
            pictures.destroy(diary.connection, header.name)
        emptied[fall.fell_as].append(header.name)
    for state, names in emptied.items():
        versions.empty(diary.connection, names, state)
    outbox.leave_all(diary.connection, _answered(falls))


def _answered(falls: Sequence[_Fall]) -> Iterator[Name]:
    return (fall.version.header.name for fall in falls if fall.version.seen and not fall.is_unanswered)


def _list_as_deleted(diary: OpenDiary, fall: _Fall) -> None:
    """Move what never left this device to the refusals: another device had deleted its segment (R37d)."""
    name = fall.version.header.name
    refused = refusals.KeptRefusal(
        name=name,
        contract=fall.place.contract,
        slot=fall.place.slot,
        what=what_of(fall.version.header),
        reason="slot_deleted",
        because="another device deleted this segment before this was sent",
        refused_at_ms=diary.now_ms(),
        sealed=None,
    )
    refusals.keep(diary.connection, refused)
    versions.drop(diary.connection, name)


def _new_row(checked: CheckedRow, fell_as: ContentState | None) -> tuple[feed.NewRow, Content]:
    """Return the row as it is added; one that fell, or came without content, keeps header and hashes."""
    row, header = checked.row, checked.header
    stays = fell_as is None and (row.body is not None or is_deletion(header))
    new = feed.NewRow(
        header.replica,
        header.n,
        header.type,
        header.account,
        header.contract,
        header.slot,
        header.life,
        Millis(row.received_at_ms),
        Millis(row.received_at_ms),  # when it was written is not known here
        row.log_epoch,
        row.index,
        row.push,
        "standing" if stays else fell_as or "superseded",
        checked.body_hash,
        checked.raw,
    )
    return new, (row.body, row.wrap) if stays else (None, None)


def _pictures(checked: CheckedRow) -> Iterator[feed.NewPicture]:
    """Yield the pictures or files that a row with content names (R41)."""
    header = checked.header
    if checked.row.body is None:
        return
    slot = envelope.slot_of(header, Millis(checked.row.received_at_ms))
    for index, (name, size) in enumerate(header.pictures or ()):
        yield {
            "replica": header.replica,
            "n": header.n,
            "idx": index,
            "name": name,
            "contract": header.contract,
            "slot": slot,
            "size": size,
        }
