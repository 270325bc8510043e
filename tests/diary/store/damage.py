"""Damage as disks do it, done to a copy of a diary's file, and what was on the pages that it hit."""

import random
import shutil
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from diary.store.pages import pages_of
from diary.store.records import Row, rows
from diary.store.shapes import Shape
from diary.store.tree import Tree, tree_of


@dataclass(frozen=True)
class Hit:
    """One damage: what it is called, and the pages of the file that it changed."""

    name: str
    pages: frozenset[int]


def copy_of(home: Path, into: Path) -> Path:
    """Copy a diary's folder as it lies there, as a power cut would leave it; the shared memory is no file."""
    shutil.copytree(home, into, ignore=shutil.ignore_patterns("*-shm"))
    return into / "diary.db"


def flip_bytes(path: Path, page_bytes: int, chance: random.Random) -> Hit:
    """Change a few single bytes of one page."""
    raw = bytearray(path.read_bytes())
    page = chance.randrange(len(raw) // page_bytes)
    for _ in range(chance.randrange(1, 20)):
        raw[page * page_bytes + chance.randrange(page_bytes)] ^= chance.randrange(1, 256)
    path.write_bytes(raw)
    return Hit("flipped", frozenset((page + 1,)))


def lose_pages(path: Path, page_bytes: int, chance: random.Random) -> Hit:
    """Put zeros, or anything, in the place of one to three pages in a row."""
    raw = bytearray(path.read_bytes())
    count = len(raw) // page_bytes
    first = chance.randrange(count)
    last = min(count, first + chance.randrange(1, 4))
    begin, end = first * page_bytes, last * page_bytes
    raw[begin:end] = bytes(end - begin) if chance.random() < 0.5 else chance.randbytes(end - begin)
    path.write_bytes(raw)
    return Hit("lost", frozenset(range(first + 1, last + 1)))


def tear_page(path: Path, page_bytes: int, chance: random.Random) -> Hit:
    """Leave the first sectors of a page and lose the rest of it."""
    raw = bytearray(path.read_bytes())
    page = chance.randrange(len(raw) // page_bytes)
    sectors = chance.randrange(1, page_bytes // 512)
    begin, end = page * page_bytes + 512 * sectors, (page + 1) * page_bytes
    raw[begin:end] = chance.randbytes(end - begin)
    path.write_bytes(raw)
    return Hit("torn", frozenset((page + 1,)))


def cut_off(path: Path, page_bytes: int, chance: random.Random) -> Hit:
    """Lose the end of the file, in the middle of a page."""
    raw = path.read_bytes()
    count = len(raw) // page_bytes
    kept = chance.randrange(count * page_bytes // 2, len(raw))
    path.write_bytes(raw[:kept])
    return Hit("cut off", frozenset(range(kept // page_bytes + 1, count + 1)))


Damage = Callable[[Path, int, random.Random], Hit]
DAMAGES: tuple[Damage, ...] = (flip_bytes, lose_pages, tear_page, cut_off)


def untouched(whole: Path, known: dict[str, Shape], hit: Iterable[int]) -> dict[str, list[Row]]:
    """Return the rows of a whole file that lie on none of the pages that were hit, by table."""
    with closing(pages_of(whole)) as pages:
        tree = tree_of(pages, known)
        assert not tree.broken, "asked of a whole file"
        gone = set(hit)
        return {name: _left(tree, name, gone) for name, shape in known.items() if not shape.is_index}


def _left(tree: Tree, name: str, gone: set[int]) -> list[Row]:
    left: list[Row] = []
    for number in tree.holding.get(name, ()):
        page = tree.parsed(number)
        assert page is not None, "asked of a whole file"
        found = [row for row in rows(page, tree.pages.page) if row is not None]
        left += [row for row in found if number not in gone and not gone.intersection(row.overflow)]
    return left
