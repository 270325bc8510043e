"""Which pages of a damaged file hold the rows of which table (R70).

Each table is walked from its root; what damage has cut off is known again by what its records look like.
Freed pages are zeros (R25), so a page that nothing leads to and that holds records was cut off.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from diary.store.pages import Pages
from diary.store.records import (
    INDEX_INSIDE,
    LEAVES,
    TABLE_INSIDE,
    TABLE_LEAF,
    Page,
    Row,
    UnreadableError,
    parse_page,
    rows,
)
from diary.store.shapes import Shape

_SCHEMA_COLUMNS = 5


@dataclass(slots=True)
class Tree:
    """A damaged file's pages by the table or index whose rows they hold.

    `broken` are the tables and indexes of which something cannot be read; `unreadable` are the pages.
    """

    pages: Pages
    reserved: int = 0
    holding: dict[str, list[int]] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    unreadable: set[int] = field(default_factory=set)

    def rows(self, name: str) -> Iterator[Row]:
        """Yield the rows of a table that can be read, by rowid where it has one; a lost one breaks it."""
        for number in self.holding.get(name, ()):
            page = self.parsed(number)
            if page is None:
                continue
            for row in rows(page, self.pages.page, self.reserved):
                if row is None:
                    self.broken.add(name)
                    self.unreadable.add(number)
                else:
                    yield row

    def parsed(self, number: int) -> Page | None:
        """Return a page as a b-tree page, None where it is none or cannot be read."""
        content = self.pages.page(number)
        if content is None:
            return None
        try:
            return parse_page(content, is_first=number == 1)
        except UnreadableError:
            return None


def tree_of(pages: Pages, known: Mapping[str, Shape]) -> Tree:
    """Return what lies where in a file whose tables and indexes are those of `known`."""
    first = pages.page(1)
    tree = Tree(pages, reserved=0 if first is None or first[20] > 64 else first[20])
    seen: set[int] = set()
    roots = _roots(tree, known, seen)
    for name, shape in known.items():
        if name in roots:
            _walk(tree, name, roots[name], shape, seen)
        else:
            tree.broken.add(name)
    _find_cut_off(tree, known, seen)
    for name, numbers in tree.holding.items():
        if name in known and known[name].has_rowid:
            numbers.sort(key=lambda number: _first_rowid(tree, number))
    return tree


def _roots(tree: Tree, known: Mapping[str, Shape], seen: set[int]) -> dict[str, int]:
    """Return the page at which each table and index begins, as far as the file's schema can be read."""
    schema = Shape("sqlite_schema", (), has_rowid=True)
    _walk(tree, schema.name, 1, schema, seen)
    roots: dict[str, int] = {}
    for row in tree.rows(schema.name):
        if len(row.record) == _SCHEMA_COLUMNS and row.record[1] in known and isinstance(row.record[3], int):
            roots[str(row.record[1])] = row.record[3]
    return roots


def _walk(tree: Tree, name: str, root: int, shape: Shape, seen: set[int]) -> None:
    to_do = [root]
    while to_do:
        number = to_do.pop()
        if number in seen:
            tree.broken.add(name)
            continue
        page = tree.parsed(number)
        if page is None:
            tree.broken.add(name)
            tree.unreadable.add(number)
            seen.add(number)
            continue
        if not _may_hold(tree, page, shape):
            tree.broken.add(name)  # the way to it is damaged: whose it is, its own tree or its rows will tell
            continue
        seen.add(number)
        to_do += reversed(page.below)
        if page.kind in LEAVES or page.kind == INDEX_INSIDE:
            tree.holding.setdefault(name, []).append(number)


def _may_hold(tree: Tree, page: Page, shape: Shape) -> bool:
    """Return whether a page is of a tree's kind, and the rows on it are of its shape."""
    if (page.kind in {TABLE_LEAF, TABLE_INSIDE}) != shape.has_rowid:
        return False
    found = rows(page, tree.pages.page, tree.reserved)
    return not shape.columns or all(shape.fits(row.record) for row in found if row is not None)


def _find_cut_off(tree: Tree, known: Mapping[str, Shape], seen: set[int]) -> None:
    """Give each page that nothing leads to to the one table of a broken tree that its records fit."""
    missing = [known[name] for name in sorted(tree.broken) if name in known]
    for number in range(1, tree.pages.count + 1) if missing else ():
        if number in seen:
            continue
        page = tree.parsed(number)
        if page is None or page.kind == TABLE_INSIDE:
            continue
        found = [row for row in rows(page, tree.pages.page, tree.reserved) if row is not None]
        shape = _shape_of(found, [one for one in missing if one.has_rowid == (page.kind == TABLE_LEAF)])
        if shape is not None:
            tree.holding.setdefault(shape.name, []).append(number)


def _shape_of(found: Sequence[Row], among: Sequence[Shape]) -> Shape | None:
    """Return the one shape that all of some rows have; None where none or several have.

    Of two tables that look alike nothing tells whose rows these are: none is better than a wrong one.
    """
    fitting = [shape for shape in among if found and all(shape.fits(row.record) for row in found)]
    # A record may lack the columns that came later, and then looks like that of a smaller table.
    whole = [shape for shape in fitting if all(len(row.record) == len(shape.columns) for row in found)]
    return next(iter(whole or fitting), None) if len(whole or fitting) == 1 else None


def _first_rowid(tree: Tree, number: int) -> int:
    page = tree.parsed(number)
    found = rows(page, tree.pages.page, tree.reserved) if page is not None else iter(())
    return next((row.rowid for row in found if row is not None and row.rowid is not None), 0)
