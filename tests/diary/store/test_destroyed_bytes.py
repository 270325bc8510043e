"""Whatever rows come, grow, move and go, no byte of a content that is gone is left in the file (R25).

`secure_delete` zeroes what a row leaves behind, not the copies that stay in a page's gap when SQLite moves
rows from page to page. So contents are put where rows never move; here any history of rows is tried.
"""

import random
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from diary.rules.ids import Millis, Slot
from diary.rules.segment import Header, Sealed
from diary.store import connection as files
from diary.store import drafts, feed, history, meta, pictures, refusals, versions
from diary.store.history import Before
from diary.store.refusals import KeptRefusal
from diary.store.versions import Name
from tests.diary.answered import pushed, received
from tests.diary.rules.made import CONTRACT, capture, entry
from tests.rule import rule

# A content is its mark and a name of 8 random bytes again and again, so that any 31 bytes of it tell it.
MARK = b"planted:"
PLANTED = re.compile(re.escape(MARK) + rb"(.{8})", re.DOTALL)
SLOTS = range(2_999_000, 2_999_300)


class Rows:
    """A diary's file and what was put into it: `alive` are the names of the contents that still stand."""

    def __init__(self, home: Path, seed: int) -> None:
        self.chance = random.Random(seed)
        self.path = files.create_file(home)
        self.connection = files.connect(home)
        self.connection.execute("PRAGMA synchronous = OFF")  # no power will fail here
        self.planted: set[bytes] = set()
        self.last_n = 0
        self.alive: set[bytes] = set()
        self.versions: dict[Name, tuple[Header, set[bytes]]] = {}
        self.refused: dict[Slot, set[bytes]] = {}
        self.old_texts: dict[Slot, set[bytes]] = {}
        self.drafts: dict[Slot, set[bytes]] = {}
        self.values: dict[str, set[bytes]] = {}
        self.received = 0

    def plant(self, into: set[bytes], sizes: tuple[int, ...]) -> bytes:
        """Return a content of one of the sizes that is alive from now on."""
        name = self.chance.randbytes(8)
        for names in (into, self.alive, self.planted):
            names.add(name)
        size = self.chance.choice(sizes)
        return ((MARK + name) * (size // 16 + 1))[:size]

    def slot(self) -> Slot:
        return Slot(self.chance.choice(SLOTS))

    def version(self) -> Name | None:
        return self.chance.choice(list(self.versions)) if self.versions else None

    def capture(self, names: tuple[tuple[str, int], ...]) -> Header:
        return msgspec.structs.replace(capture(n=self.last_n, slot=self.slot()), pictures=names)

    def write(self) -> None:
        """Write a version with wrap and body, and perhaps pictures."""
        self.last_n += 1
        held: set[bytes] = set()
        count = self.chance.choice((0, 0, 1, 2))
        names = tuple((f"{self.last_n:062d}{index:02d}", 4096) for index in range(count))
        header = self.capture(names) if names else entry(n=self.last_n, slot=self.slot())
        sealed = Sealed(
            header=header.to_bytes(),
            body=self.plant(held, (272, 528, 784, 2_000, 6_000)),
            wrap=self.plant(held, (60,)),
        )
        versions.add(self.connection, header, sealed, written_at_ms=Millis(1))
        planted = tuple(self.plant(held, (600, 4_112, 9_000)) for _ in names)
        pictures.add(self.connection, header, planted, Slot(header.slot or 0))
        self.versions[header.name] = (header, held)

    def push(self) -> None:
        """Let a row grow where it stands."""
        name = self.version()
        if name is not None:
            pushed(self.connection, name, "f" * 64)

    def receive(self) -> None:
        name = self.version()
        if name is not None:
            self.received += 1
            received(self.connection, name, at_ms=1_800_000_000_000, index=self.received)

    def empty(self) -> None:
        name = self.version()
        if name is not None:
            versions.empty(self.connection, [name], "destroyed")
            pictures.destroy(self.connection, name)
            self.alive -= self.versions.pop(name)[1]

    def drop(self) -> None:
        name = self.version()
        if name is not None:
            versions.drop(self.connection, name)
            self.alive -= self.versions.pop(name)[1]

    def refuse(self) -> None:
        """Move a version into the refusals; its pictures stay."""
        name = self.version()
        if name is None:
            return
        header, held = self.versions.pop(name)
        stored = versions.find(self.connection, name)
        assert stored is not None
        assert header.slot is not None
        refused = KeptRefusal(
            name, CONTRACT, header.slot, "capture", "week_locked", "so", Millis(2), stored.sealed
        )
        refusals.keep(self.connection, refused)
        versions.move_out(self.connection, name)
        self.refused.setdefault(header.slot, set()).update(held)

    def forget_refused(self) -> None:
        if self.refused:
            slot = self.chance.choice(list(self.refused))
            refusals.forget_content(self.connection, CONTRACT, slot)
            self.alive -= self.refused.pop(slot)

    def keep_old_text(self) -> None:
        slot = self.slot()
        act = history.begin(self.connection, "edit", Millis(1))
        sealed = self.plant(self.old_texts.setdefault(slot, set()), (100, 300, 1_500))
        history.keep(self.connection, act, Before(CONTRACT, slot, sealed))

    def forget_old_texts(self) -> None:
        if self.old_texts:
            slot = self.chance.choice(list(self.old_texts))
            history.forget_place(self.connection, CONTRACT, slot)
            self.alive -= self.old_texts.pop(slot)

    def draft(self) -> None:
        """Seal a segment under way over its older self, with a picture of its own."""
        slot = Slot(SLOTS.start + self.chance.randrange(6))
        self.alive -= self.drafts.pop(slot, set())
        held: set[bytes] = set()
        if drafts.keep(self.connection, CONTRACT, slot, self.plant(held, (500, 700, 3_000, 9_000, 30_000))):
            for index, sizes in enumerate(((9_000, 90_000, 300_000), (700, 3_000, 9_000))):
                drafts.keep_picture(self.connection, CONTRACT, slot, index, self.plant(held, sizes))
            self.drafts[slot] = held
        else:
            self.alive -= held

    def draft_changes(self) -> None:
        """Seal a segment under way that has lost its second picture, its first one taken anew."""
        if self.drafts:
            slot = self.chance.choice(list(self.drafts))
            self.alive -= self.drafts[slot]
            held = self.drafts[slot] = set()
            assert drafts.keep(self.connection, CONTRACT, slot, self.plant(held, (500, 9_000)))
            drafts.keep_picture(self.connection, CONTRACT, slot, 0, self.plant(held, (3_000, 90_000)))
            drafts.drop_pictures(self.connection, CONTRACT, slot, 1)

    def end_draft(self) -> None:
        if self.drafts:
            slot = self.chance.choice(list(self.drafts))
            drafts.drop(self.connection, CONTRACT, slot)
            self.alive -= self.drafts.pop(slot)

    def remove_draft(self) -> None:
        if self.drafts and self.chance.random() < 0.1:
            slot = self.chance.choice(list(self.drafts))
            drafts.remove(self.connection, CONTRACT, slot)
            self.alive -= self.drafts.pop(slot)

    def fetch(self) -> None:
        """Take a row of another device from the feed, then its picture, which makes a row grow."""
        self.last_n += 1
        name = f"{self.last_n:063d}f"
        header = self.capture(((name, 4096),))
        held: set[bytes] = set()
        sealed = Sealed(
            header=header.to_bytes(), body=self.plant(held, (272, 784)), wrap=self.plant(held, (60,))
        )
        versions.add(self.connection, header, sealed, written_at_ms=Millis(1))
        pictures.add(self.connection, header, None, Slot(header.slot or 0))
        others = list(self.versions)
        for other in self.chance.sample(others, min(3, len(others))):
            pushed(self.connection, other, "e" * 64)
        assert pictures.keep(self.connection, name, self.plant(held, (4_112, 12_304)))
        self.versions[header.name] = (header, held)

    def give_back(self) -> None:
        """Destroy a content and put it back: it stands after all (R37d)."""
        name = self.version()
        if name is None or self.versions[name][0].type != "entry":
            return
        header, held = self.versions[name]
        versions.empty(self.connection, [name], "superseded")
        self.alive -= held
        held.clear()
        there = feed.held(self.connection, CONTRACT, [header.slot or 0])
        (row,) = (row for row in there if row.header.name == name)
        feed.refill(self.connection, row.id, self.plant(held, (272, 784)), self.plant(held, (60,)))

    def set_value(self) -> None:
        """Set one of a few sealed values of the file, as often longer as shorter than before."""
        key = f"value {self.chance.randrange(8)}"
        self.alive -= self.values.pop(key, set())
        held: set[bytes] = set()
        meta.put(self.connection, key, self.plant(held, (48, 90, 400, 1_200)))
        self.values[key] = held

    def forget_value(self) -> None:
        if self.values:
            key = self.chance.choice(list(self.values))
            meta.remove(self.connection, key)
            self.alive -= self.values.pop(key)

    def left(self) -> set[bytes]:
        """Return the names that lie in the file, its WAL truncated, and should not."""
        self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert self.connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        found = self.planted.intersection(PLANTED.findall(self.path.read_bytes()))
        assert self.alive <= found
        return found - self.alive


ACTS: list[tuple[Callable[[Rows], None], int]] = [
    (Rows.write, 30),
    (Rows.push, 15),
    (Rows.receive, 15),
    (Rows.empty, 5),
    (Rows.drop, 5),
    (Rows.refuse, 3),
    (Rows.forget_refused, 2),
    (Rows.keep_old_text, 6),
    (Rows.forget_old_texts, 4),
    (Rows.draft, 12),
    (Rows.draft_changes, 4),
    (Rows.end_draft, 4),
    (Rows.remove_draft, 1),
    (Rows.fetch, 4),
    (Rows.give_back, 3),
    (Rows.set_value, 0),
    (Rows.forget_value, 0),
]


def lived(home: Path, seed: int, acts: int, weights: dict[str, int]) -> set[bytes]:
    """Return what is left of what is gone after so many acts; `weights` are those that are not as usual."""
    rows = Rows(home, seed)
    kinds = [act for act, _ in ACTS]
    chances = [weights.get(act.__name__, weight) for act, weight in ACTS]
    with files.writing(rows.connection, rows.path):
        for act in rows.chance.choices(kinds, chances, k=acts):
            act(rows)
    left = rows.left()
    rows.connection.close()
    return left


# Among these are some that left copies behind while contents lay in the rows that name them.
LIVES = [
    ({}, 47, 1_500),
    ({"empty": 2, "drop": 2, "refuse": 1}, 16, 600),
    ({"empty": 2, "drop": 2, "refuse": 1}, 29, 600),
    ({"draft": 60, "end_draft": 20, "write": 5, "push": 3, "receive": 3}, 50, 600),
    ({"draft": 60, "end_draft": 20, "write": 5, "push": 3, "receive": 3}, 97, 600),
    ({"push": 40, "receive": 40, "empty": 10}, 44, 600),
    ({"set_value": 900, "forget_value": 300}, 1, 600),
]


@rule("R25")
@pytest.mark.parametrize(("weights", "seed", "acts"), LIVES)
def test_no_byte_of_what_is_gone_is_left_in_the_file(
    tmp_path: Path, weights: dict[str, int], seed: int, acts: int
) -> None:
    assert lived(tmp_path, seed, acts, weights) == set()


@pytest.mark.soak
@rule("R25")
@pytest.mark.parametrize(("weights", "seed", "acts"), LIVES)
def test_no_byte_of_what_is_gone_is_left_in_any_of_many_files(
    tmp_path: Path, weights: dict[str, int], seed: int, acts: int
) -> None:
    for other in range(seed + 1, seed + 100):
        assert lived(tmp_path / str(other), other, acts, weights) == set(), other


@rule("R25")
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM sealed WHERE id = 1",
        "UPDATE sealed SET body = zeroblob(9000) WHERE id = 1",
        "UPDATE sealed SET id = 9 WHERE id = 1",
        "INSERT INTO sealed (id, body) VALUES (0, x'00')",
        "DELETE FROM draft_block WHERE id = 1",
        "UPDATE draft_block SET id = 9 WHERE id = 1",
        "INSERT INTO draft_block (id, bytes) VALUES (0, zeroblob(8000))",
    ],
)
def test_the_file_itself_refuses_what_would_move_a_content(tmp_path: Path, statement: str) -> None:
    rows = Rows(tmp_path, 0)
    rows.write()
    rows.draft()
    with pytest.raises(sqlite3.IntegrityError, match="must not move"):
        rows.connection.execute(statement)
    rows.connection.close()
