"""What a diary has to show, told from the server's log alone, by a few lines of its own (R27, R28, R33-R38).

Nothing of `diary.rules` is imported here: a mistake there must not be repeated. Headers are JSON as they were
logged; the contents are what their keys open. The fold is naive: it starts from nothing at every question.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Place = tuple[str, int]
Name = tuple[str, int]

SLOT_MS = 600_000
DAY_MS = 86_400_000
WEEK_MS = 7 * DAY_MS
FIRST_MONDAY_MS = 4 * DAY_MS  # 1970-01-05


@dataclass(frozen=True)
class Row:
    """One row of a contract's log: `raw` is its header as it came, `content` None where it is gone."""

    contract: str
    log_epoch: int
    index: int
    received_at_ms: int
    raw: bytes
    header: Mapping[str, Any]
    content: Mapping[str, Any] | None

    @property
    def name(self) -> Name:
        return self.header["replica"], self.header["n"]

    @property
    def place(self) -> Place | None:
        return (self.contract, self.header["slot"]) if self.is_capture or self.is_entry else None

    @property
    def is_capture(self) -> bool:
        return bool(self.header["type"] == "capture")

    @property
    def is_entry(self) -> bool:
        return bool(self.header["type"] == "entry")

    @property
    def life(self) -> int:
        return int(self.header.get("life", 0))


@dataclass(frozen=True)
class Terms:
    """What the practised contracts agree on; it never changes here."""

    manual_allowed: bool
    limit_minutes: int | None


@dataclass(frozen=True)
class Shown:
    """What every honest replica shows of one place, once all is quiet."""

    state: str
    life: int
    kind: str | None = None
    memo: str = ""
    label: str = ""
    activity: int = 0
    pictures: tuple[str, ...] = ()
    received_at_ms: int | None = None
    bills: bool = False
    why_not: str | None = None


def week_of(slot: int) -> int:
    return (slot * SLOT_MS - FIRST_MONDAY_MS) // WEEK_MS


def lock_of(slot: int) -> int:
    """Return the Monday after the slot's week, 12:00 UTC."""
    return FIRST_MONDAY_MS + (week_of(slot) + 1) * WEEK_MS + DAY_MS // 2


def at_places(rows: Iterable[Row]) -> dict[Place, list[Row]]:
    places: dict[Place, list[Row]] = defaultdict(list)
    for row in rows:
        if row.place is not None:
            places[row.place].append(row)
    return dict(places)


def life_of(rows: Iterable[Row]) -> int:
    return max((row.life for row in rows), default=0)


def counting(rows: Sequence[Row]) -> list[Row]:
    """Return the captures and entries that stand: of the greatest life, and known to no later one."""
    life = life_of(rows)
    entries = [row for row in rows if row.is_entry and row.life == life]
    standing = [row for row in entries if not any(_knows(other, row) for other in entries)]
    return standing + [row for row in rows if row.is_capture and life == 0]


def _knows(later: Row, earlier: Row) -> bool:
    replica, n = earlier.name
    return later.name != earlier.name and later.header["vector"].get(replica, 0) >= n


def is_time(rows: Sequence[Row]) -> bool:
    """Return whether a segment stands: a capture, or a claim of manual time, in a life that is not over."""
    life = life_of(rows)
    return life % 2 == 0 and any(
        (row.is_capture and life == 0) or (row.life == life and row.header.get("manual")) for row in rows
    )


def frozen_part(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row.received_at_ms < lock_of(row.header["slot"])]


def expected(rows: Iterable[Row], terms: Mapping[str, Terms], gone: Collection[Name]) -> dict[Place, Shown]:
    """Return what is to be shown of every place of every week; of what is `gone`, nobody has the content."""
    shown = {
        place: _of_place(place, there, gone)
        for place, there in at_places(rows).items()
        if life_of(there) % 2 == 1 or is_time(there)
    }
    may_bill = {
        place: one
        for place, one in shown.items()
        if one.state == "synced" and (one.kind == "automatic" or terms[place[0]].manual_allowed)
    }
    owners = dict(_owners(may_bill))
    within = set(_within_limits(owners, terms))
    return {
        place: _with_verdict(place, one, owner=owners.get(place[1]), may_bill=may_bill, within=within)
        for place, one in shown.items()
    }


def _of_place(place: Place, rows: Sequence[Row], gone: Collection[Name]) -> Shown:
    life = life_of(rows)
    if life % 2 == 1:
        return Shown(state="deleted", life=life)
    stands = counting(rows)
    captures = [row for row in stands if row.is_capture]
    claims = [row for row in rows if row in captures or (row.life == life and row.header.get("manual"))]
    received_at_ms = min(row.received_at_ms for row in claims)
    contents = {row.name: _content(row) for row in stands if row.name not in gone}
    entries = [contents[row.name] for row in stands if row.is_entry and row.name in contents]
    seen = [contents[row.name] for row in captures if row.name in contents]
    # Whose content is gone, of that no picture opens: their keys went with it.
    names = [name for row in captures if row.name in contents for name, _ in row.header["pictures"]]
    return Shown(
        state="synced" if received_at_ms < lock_of(place[1]) else "late",
        life=life,
        kind="automatic" if any(row.header["pictures"] for row in captures) else "manual",
        memo=_latest(entries, "memo"),
        label=_latest(entries, "label"),
        activity=sum(any(_is_active(content["minutes"][minute]) for content in seen) for minute in range(10)),
        pictures=tuple(sorted(names)),
        received_at_ms=received_at_ms,
    )


def _content(row: Row) -> Mapping[str, Any]:
    assert row.content is not None, f"what stands has its content: {row.header}"
    return row.content


def _latest(entries: Iterable[Mapping[str, Any]], field: str) -> str:
    said = [entry[field] for entry in entries if entry[field] is not None]
    return str(max(said, key=lambda text: tuple(text[1]))[0]) if said else ""


def _is_active(minute: Sequence[Any] | None) -> bool:
    return minute is not None and any(minute)


def _owners(may_bill: Mapping[Place, Shown]) -> Iterator[tuple[int, str]]:
    """Yield whose each slot is: the contract whose time was received first."""
    for slot in sorted({slot for _, slot in may_bill}):
        rivals = [(one.received_at_ms, place[0]) for place, one in may_bill.items() if place[1] == slot]
        yield slot, min(rivals, key=lambda rival: (rival[0] or 0, rival[1]))[1]


def _within_limits(owners: Mapping[int, str], terms: Mapping[str, Terms]) -> Iterator[Place]:
    used: dict[tuple[str, int], int] = defaultdict(int)
    for slot, contract in sorted(owners.items()):
        limit = terms[contract].limit_minutes
        used[contract, week_of(slot)] += 10
        if limit is None or used[contract, week_of(slot)] <= limit:
            yield contract, slot


def _with_verdict(
    place: Place, one: Shown, *, owner: str | None, may_bill: Mapping[Place, Shown], within: set[Place]
) -> Shown:
    if one.state in {"deleted", "late"}:
        why_not: str | None = one.state
    elif place not in may_bill:
        why_not = "manual_not_allowed"
    elif owner != place[0]:
        why_not = "overlapping"
    else:
        why_not = None if place in within else "over_limit"
    return Shown(**{**one.__dict__, "bills": why_not is None, "why_not": why_not})
