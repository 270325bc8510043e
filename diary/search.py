"""Search over memos, labels, applications and titles (R31).

There is no index on disk (R52): the first search opens everything, and keeps what it read in memory, each
version's texts folded to one case. A version never changes under its name, so later searches open only what
came since. Whether a text still stands is asked of the place itself before it is shown.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

from diary import contracts, envelope, looking
from diary.rules.ids import ContractId, ReplicaId, Slot
from diary.rules.progress import Progress
from diary.rules.timesheet import Place
from diary.search_reading import EpochKey, Folded, Half, cores, folded
from diary.state import OpenDiary
from diary.store import versions
from diary.store.versions import Name, WithContent

TOLD_EVERY = 2_000  # versions between two words of progress: about thirty a second
SOUGHT_ONE_BY_ONE_MAX = 500  # more than these are read in one pass over the file
SHARED_FROM = (
    50_000  # versions, half a second's reading: from here on it pays to begin a process for half of it
)
TEXT_CHARACTERS_MAX = 200  # a longer search finds nothing that a shorter one does not


@dataclass(frozen=True, slots=True)
class Hit:
    """A segment that holds the text, as it stands now; `thumbnail` is "" where there is none."""

    contract: ContractId
    contract_title: str
    slot: Slot
    memo: str
    label: str
    applications: tuple[str, ...]
    titles: tuple[str, ...]
    thumbnail: str


@dataclass(frozen=True, slots=True)
class Found:
    """The newest hits that were asked for, and whether there are older ones."""

    hits: tuple[Hit, ...]
    more: bool


@dataclass(slots=True)
class Texts:
    """What was read, by the version's name: where it belongs and its folded texts, in memory only.

    `without` are the names that had no content when they were looked at; a feed may bring it back (R37d).
    """

    by_name: dict[Name, tuple[Slot, ContractId, str]] = field(default_factory=dict, repr=False)
    without: set[Name] = field(default_factory=set, repr=False)
    file_state: tuple[int, int] | None = None
    shared_from: int = SHARED_FROM


def search(
    diary: OpenDiary,
    texts: Texts,
    text: str,
    *,
    limit: int | None,
    skip: int = 0,
    progress: Progress | None = None,
) -> Found:
    """Return the segments that hold `text`, the newest first, large and small letters alike (R31).

    `skip` of them are left out first, then at most `limit` are returned, None for all. Drafts, refused
    changes and deleted segments are no hits; an empty text has none. `texts` is what earlier searches of this
    thread read; it is brought up to date.
    """
    wanted = text[:TEXT_CHARACTERS_MAX].casefold()
    with diary.reading():
        bring_up_to_date(diary, texts, progress)
        places = {
            (slot, contract) for slot, contract, held in texts.by_name.values() if wanted and wanted in held
        }
        titles = {each.id: each.title for each in contracts.contracts(diary)}
        in_order = (
            _hit(diary, (contract, slot), wanted, titles) for slot, contract in sorted(places, reverse=True)
        )
        # One more than is shown tells whether there are older ones; no further ones are looked at.
        end = None if limit is None else skip + limit + 1
        hits = tuple(islice((hit for hit in in_order if hit is not None), skip, end))
    return Found(hits[:limit], limit is not None and len(hits) > limit)


def bring_up_to_date(diary: OpenDiary, texts: Texts, progress: Progress | None = None) -> None:
    """Read the versions that came since the last time, and forget those that are gone (R25, R31)."""
    file_state = diary.file_state()
    if texts.file_state == file_state:
        return
    if texts.file_state is None:  # the first time there is nothing to compare with: all is read
        _read_all(diary, texts, progress)
        texts.without = versions.without_content(diary.connection)
    else:
        held = versions.names(diary.connection)
        for gone in texts.by_name.keys() - held:
            del texts.by_name[gone]
        unread = held - texts.by_name.keys()
        found = folded(_read(diary, unread, unread - texts.without), partial(envelope.epoch_key, diary))
        _keep(texts, found, len(unread), progress)
        texts.without = unread - texts.by_name.keys()
    texts.file_state = file_state


def _read_all(diary: OpenDiary, texts: Texts, progress: Progress | None) -> None:
    """Read all versions; of very many, another process reads one half meanwhile (R31)."""
    total, end, half = versions.count(diary.connection), None, None
    key_of = partial(envelope.epoch_key, diary)
    if total >= texts.shared_from and cores() > 1:
        end = versions.middle(diary.connection)
        half = Half.begin(diary.home, _epoch_keys(diary), after=end)
    try:
        mine = folded(versions.all_with_content(diary.connection, until=end), key_of)
        _keep(texts, mine, total // 2 if half else total, progress)
        theirs: Iterable[Folded] | None = half.result() if half else None
    except BaseException:
        if half:
            half.give_up()
        raise
    if end is not None:
        # Where it could not be begun, or did not finish, nothing is missing for that.
        rest = versions.all_with_content(diary.connection, after=end)
        _keep(texts, folded(rest, key_of) if theirs is None else theirs, total, None)


def _epoch_keys(diary: OpenDiary) -> list[EpochKey]:
    """Return every key by which this device's contracts open."""
    contracts.contracts(diary)  # to open them is to learn their keys
    return [(contract, epoch, key) for (contract, epoch), key in diary.epoch_keys.items()]


def _keep(texts: Texts, found: Iterable[Folded], total: int, progress: Progress | None) -> None:
    """Keep folded texts; `total` is how many they are at most."""
    # Hundreds of thousands stay in memory: equal ids are one text there.
    replicas: dict[ReplicaId, ReplicaId] = {}
    of: dict[ContractId, ContractId] = {}
    for done, (replica, n, slot, contract, text) in enumerate(found):
        name = replicas.setdefault(replica, replica), n
        texts.by_name[name] = slot, of.setdefault(contract, contract), text
        if progress is not None and done % TOLD_EVERY == 0:
            progress(done, total)


def _read(diary: OpenDiary, unread: set[Name], new: set[Name]) -> Iterator[WithContent]:
    """Yield what of the unread versions has content; where many are new, in one pass over the file."""
    if len(new) <= SOUGHT_ONE_BY_ONE_MAX:
        return versions.with_content(diary.connection, unread)
    return (each for each in versions.all_with_content(diary.connection) if each[6:] in unread)


def _hit(diary: OpenDiary, place: Place, wanted: str, titles: dict[ContractId, str]) -> Hit | None:
    """Return the segment as it stands, if the text is still in it."""
    stood = looking.stood_at(diary, place, versions.at_place(diary.connection, *place))
    if stood.stands.kind is None or place[0] not in titles:
        return None
    content = stood.content
    memo = content.memo.text if content.memo else ""
    label = content.label.text if content.label else ""
    if not any(wanted in held.casefold() for held in (memo, label, *content.applications, *content.titles)):
        return None
    return Hit(
        contract=place[0],
        contract_title=titles[place[0]],
        slot=place[1],
        memo=memo,
        label=label,
        applications=content.applications,
        titles=content.titles,
        thumbnail=next((shot.thumbnail for shot in content.snapshots if shot.thumbnail), ""),
    )
