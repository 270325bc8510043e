"""A file whose contents lay in the rows that name them becomes one where they never move (R25, R70)."""

import sqlite3
from contextlib import closing
from pathlib import Path

from diary.rules.ids import Slot
from diary.store import connection as files
from diary.store import drafts, history, meta, outbox, pictures, refusals, versions
from diary.store.migrations import MIGRATIONS
from tests.diary.rules.made import ACCOUNT, CONTRACT, LAPTOP, capture, entry
from tests.rule import rule

OLD_SCHEMA = 4
SLOT = Slot(7)
STALE = b"a copy that stayed in a page's gap"
CAPTURE = capture(LAPTOP, 1, slot=SLOT)
GONE = entry(LAPTOP, 2, slot=SLOT)
ENTRY = entry(LAPTOP, 3, slot=SLOT)
SEALED_VALUE = b"a value under the account's key"
ROWS: list[tuple[str, list[tuple[object, ...]]]] = [
    ("INSERT INTO replica VALUES (?, ?, ?)", [(LAPTOP, 3, 1)]),
    ("INSERT INTO meta VALUES (?, ?)", [("a number", 7), ("a word", "ours"), ("device name", SEALED_VALUE)]),
    (
        "INSERT INTO version VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                *(number, LAPTOP, header.n, header.type, ACCOUNT, CONTRACT, SLOT, header.life, 1),
                *(None, None, None, None, content, bytes(32), header.to_bytes(), wrap, body),
            )
            for number, header, content, wrap, body in (
                (3, CAPTURE, "standing", b"wrap 1", b"body 1"),
                (5, GONE, "superseded", None, None),
                (6, ENTRY, "standing", b"wrap 3", b"body 3"),
            )
        ],
    ),
    (
        "INSERT INTO picture VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (LAPTOP, 1, 0, "a" * 64, CONTRACT, SLOT, 4096, 0, b"screen" * 2000),
            (LAPTOP, 1, 1, "b" * 64, CONTRACT, SLOT, 4096, 1, None),
        ],
    ),
    (
        "INSERT INTO refusal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (2, LAPTOP, 9, CONTRACT, SLOT, "capture", "late", "so", 1, b"header 9", b"wrap 9", b"body 9", 5),
            (3, LAPTOP, 10, CONTRACT, SLOT, "deletion", "week_locked", "so", 2, None, None, None, None),
        ],
    ),
    ("INSERT INTO act VALUES (?, ?, ?, ?)", [(4, "edit", 1, 0)]),
    ("INSERT INTO history VALUES (?, ?, ?, ?)", [(4, CONTRACT, SLOT, b"old text")]),
    (
        "INSERT INTO draft VALUES (?, ?, ?, ?)",
        [(CONTRACT, SLOT + 1, 0, b"under way"), (CONTRACT, SLOT + 2, 1, None)],
    ),
    ("INSERT INTO draft_picture VALUES (?, ?, ?, ?)", [(CONTRACT, SLOT + 1, 0, b"seen" * 2000)]),
    ("INSERT INTO outbox VALUES (?, ?, ?, ?, ?)", [(LAPTOP, 1, 5, None, 1), (LAPTOP, 3, 0, "move", 0)]),
]


def old_file(home: Path) -> Path:
    """Return a file of the old schema with a row in every table, and a stale copy in a page of `version`."""
    path = files.create_file(home)
    connection = sqlite3.connect(path, isolation_level=None)
    files.prepare(connection)
    files.migrate(connection, path, MIGRATIONS[:OLD_SCHEMA])
    for statement, rows in ROWS:
        connection.executemany(statement, rows)
    page, page_bytes = connection.execute(
        "SELECT rootpage, page_size FROM sqlite_schema, pragma_page_size WHERE name = 'version'"
    ).fetchone()
    connection.close()
    content = bytearray(path.read_bytes())
    # Behind the page's header and its few pointers, far before its rows: where SQLite left copies.
    gap = (page - 1) * page_bytes + 100
    assert not any(content[gap : gap + len(STALE)])
    content[gap : gap + len(STALE)] = STALE
    path.write_bytes(content)
    return path


@rule("R70")
def test_an_old_file_keeps_all_its_rows_and_contents(tmp_path: Path) -> None:
    old_file(tmp_path)
    connection = files.connect(tmp_path)
    held = versions.at_place(connection, CONTRACT, SLOT)
    assert [(one.header, one.sealed.wrap, one.sealed.body, one.content) for one in held] == [
        (CAPTURE, b"wrap 1", b"body 1", "standing"),
        (GONE, None, None, "superseded"),
        (ENTRY, b"wrap 3", b"body 3", "standing"),
    ]
    assert [(one.waits, one.not_before_ms, one.held_for, one.late_answered) for one in held] == [
        (True, 5, None, True),
        (False, None, None, False),
        (True, 0, "move", False),
    ]
    assert pictures.ciphertext(connection, "a" * 64) == b"screen" * 2000
    assert [one.name for one in pictures.to_fetch(connection)] == ["b" * 64]
    newest, oldest = refusals.everything(connection)
    assert (newest.what, newest.sealed, newest.dismissed_at_ms) == ("deletion", None, None)
    assert oldest.dismissed_at_ms == 5
    assert oldest.sealed is not None
    assert (oldest.sealed.header, oldest.sealed.wrap, oldest.sealed.body) == (
        b"header 9",
        b"wrap 9",
        b"body 9",
    )
    assert history.at_place(connection, CONTRACT, SLOT) == (b"old text",)
    assert [(one.removed, one.sealed) for one in drafts.everything(connection)] == [
        (False, b"under way"),
        (True, None),
    ]
    assert drafts.pictures(connection, CONTRACT, Slot(SLOT + 1)) == (b"seen" * 2000,)
    connection.create_function("diary_opened", 3, lambda *_: None)
    assert connection.execute("SELECT week, start_utc FROM segment").fetchall() == [
        ("1970-W01", "1970-01-01T01:10:00Z"),
        ("1970-W01", "1970-01-01T01:20:00Z"),
    ]
    assert (meta.number(connection, "a number"), meta.word(connection, "a word")) == (7, "ours")
    assert meta.sealed(connection) == {"device name": SEALED_VALUE}
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    # A row that goes still takes with it what belongs to it.
    versions.drop(connection, ENTRY.name)
    outbox.leave(connection, CAPTURE.name)
    assert connection.execute("SELECT count(*) FROM outbox").fetchone() == (0,)
    connection.close()


@rule("R25")
def test_what_an_old_file_left_in_its_gaps_goes_with_the_migration(tmp_path: Path) -> None:
    path = old_file(tmp_path)
    assert STALE in path.read_bytes()
    connection = files.connect(tmp_path)
    assert connection.execute("SELECT value FROM meta WHERE key = 'destroying'").fetchone() == (1,)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert STALE not in path.read_bytes()
    (before,) = tmp_path.glob("diary.db.before-*")
    assert STALE in before.read_bytes()  # until the next good start
    files.forget_copies(connection, path)
    assert before.exists()  # this is the start that migrated
    connection.close()
    with closing(files.connect(tmp_path)) as again:
        files.forget_copies(again, path)
    assert not any(STALE in one.read_bytes() for one in tmp_path.iterdir())


@rule("R25")
def test_a_new_file_has_nothing_to_destroy(tmp_path: Path) -> None:
    files.create_file(tmp_path)
    connection = files.connect(tmp_path)
    assert connection.execute("SELECT count(*) FROM meta").fetchone() == (0,)
    connection.close()
