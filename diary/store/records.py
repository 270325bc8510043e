"""The records that lie in a page of SQLite's file format, read without trusting the page (R70).

This file reads bytes it is given; what does not fit into its page, or does not end where it says, is
`Unreadable`. Source: the SQLite database file format, sections 1.6 and 2.1.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

TABLE_LEAF: Final = 0x0D
TABLE_INSIDE: Final = 0x05
INDEX_LEAF: Final = 0x0A
INDEX_INSIDE: Final = 0x02
KINDS = frozenset((TABLE_LEAF, TABLE_INSIDE, INDEX_LEAF, INDEX_INSIDE))
LEAVES = frozenset((TABLE_LEAF, INDEX_LEAF))

RECORD_BYTES_MAX = 64_000_000  # the greatest picture that may be recorded is far below
_FIRST_PAGE_HEADER = 100
_INT_BYTES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}

Value = None | int | float | str | bytes
Record = tuple[Value, ...]


class UnreadableError(Exception):
    """Bytes that are no page or record of SQLite's."""


@dataclass(frozen=True, slots=True)
class Page:
    """One b-tree page: what kind it is, where its cells begin, and the pages below it."""

    kind: int
    content: bytes
    cells: tuple[int, ...]
    below: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A record; `rowid` is None in an index, and in a table without one. `pages` are those it lies on."""

    rowid: int | None
    record: Record
    overflow: tuple[int, ...]


def parse_page(content: bytes, *, is_first: bool = False) -> Page:
    """Return what a page says of itself.

    Raises:
        UnreadableError: It is no b-tree page, or its cells do not lie in it.
    """
    at = _FIRST_PAGE_HEADER if is_first else 0
    kind = content[at]
    if kind not in KINDS:
        raise UnreadableError("no b-tree page")
    count = int.from_bytes(content[at + 3 : at + 5], "big")
    pointers = at + (8 if kind in LEAVES else 12)
    end = pointers + 2 * count
    if end > len(content):
        raise UnreadableError("more cells than there is room for")
    cells = tuple(int.from_bytes(content[each : each + 2], "big") for each in range(pointers, end, 2))
    if any(not end <= cell < len(content) for cell in cells) or len(set(cells)) < count:
        raise UnreadableError("a cell that does not lie in its page")
    below: tuple[int, ...] = ()
    if kind not in LEAVES:
        right = int.from_bytes(content[at + 8 : at + 12], "big")
        below = (*(int.from_bytes(content[cell : cell + 4], "big") for cell in cells), right)
    return Page(kind, content, cells, below)


def rows(page: Page, fetch: Callable[[int], bytes | None], reserved: int = 0) -> Iterator[Row | None]:
    """Yield the records of a page in their order, None for each that cannot be read.

    `fetch` gives the page of a number, for what lies on others. Pages inside a table hold no record.
    """
    if page.kind == TABLE_INSIDE:
        return
    for cell in page.cells:
        try:
            yield _row(page, cell, fetch, len(page.content) - reserved)
        except (UnreadableError, IndexError, UnicodeDecodeError):
            yield None


def _row(page: Page, cell: int, fetch: Callable[[int], bytes | None], usable: int) -> Row:
    at = cell + (4 if page.kind == INDEX_INSIDE else 0)
    size, at = _varint(page.content, at)
    rowid: int | None = None
    if page.kind == TABLE_LEAF:
        rowid, at = _varint(page.content, at)
        rowid -= (rowid >> 63) << 64
    if size > RECORD_BYTES_MAX:
        raise UnreadableError("a record greater than any")
    here = _bytes_here(size, usable, in_table=page.kind == TABLE_LEAF)
    payload = page.content[at : at + here]
    if len(payload) < here:
        raise UnreadableError("a record that ends outside its page")
    chain: list[int] = []
    if here < size:
        rest, chain = _overflow(page.content[at + here : at + here + 4], size - here, fetch, usable)
        payload += rest
    return Row(rowid, _record(payload), tuple(chain))


def _bytes_here(size: int, usable: int, *, in_table: bool) -> int:
    most = usable - 35 if in_table else (usable - 12) * 64 // 255 - 23
    if size <= most:
        return size
    least = (usable - 12) * 32 // 255 - 23
    fitting = least + (size - least) % (usable - 4)
    return fitting if fitting <= most else least


def _overflow(
    first: bytes, size: int, fetch: Callable[[int], bytes | None], usable: int
) -> tuple[bytes, list[int]]:
    found = bytearray()
    chain: list[int] = []
    number = int.from_bytes(first, "big")
    while len(found) < size:
        content = fetch(number)
        if content is None or number in chain[-1:]:
            raise UnreadableError("a part that is not there")
        chain.append(number)
        number = int.from_bytes(content[:4], "big")
        found += content[4:usable]
    if number:
        raise UnreadableError("a record that goes on behind its end")
    return bytes(found[:size]), chain


def _record(payload: bytes) -> Record:
    header_end, at = _varint(payload, 0)
    if not at <= header_end <= len(payload):
        raise UnreadableError("a record's header that does not lie in it")
    values: list[Value] = []
    begin = header_end
    while at < header_end:
        code, at = _varint(payload, at)
        value, begin = _value(payload, begin, code)
        values.append(value)
    if at != header_end or begin != len(payload):
        raise UnreadableError("a record of another length than it says")
    return tuple(values)


def _value(payload: bytes, begin: int, code: int) -> tuple[Value, int]:
    if code == 0:
        return None, begin
    if code in {8, 9}:
        return code - 8, begin
    if code in _INT_BYTES:
        end = begin + _INT_BYTES[code]
        return int.from_bytes(_cut(payload, begin, end), "big", signed=True), end
    if code < 12:
        raise UnreadableError("a value of a type that no diary holds")
    end = begin + (code - 12) // 2
    raw = _cut(payload, begin, end)
    return (raw.decode() if code % 2 else raw), end


def _cut(payload: bytes, begin: int, end: int) -> bytes:
    if end > len(payload):
        raise UnreadableError("a value that ends outside its record")
    return payload[begin:end]


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value = 0
    for index in range(8):
        byte = content[at + index]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + index + 1
    return value << 8 | content[at + 8], at + 9
