"""Whatever is pushed and destroyed, no byte of a content that is gone is left in the server's file (R25).

Rows of `version` never move: they are added behind the last one and only lose body and wrap. SQLite would
otherwise leave copies in the gaps of its pages, where `secure_delete` does not reach.
"""

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import apsw
import msgspec
import pytest

from diary.clock import GivenClock
from diary.rules.ids import Millis
from sync.server.storage_sqlite import SqliteStorage
from tests.rule import rule
from tests.sync.server.versions import ACCOUNT, REPLICA, ROOT, SLOT, append, capture, entry, leaf, refused

if TYPE_CHECKING:
    from sync.server.storage import Name

START = Millis(1_800_000_000_000)
MARK = b"planted:"
PLANTED = re.compile(re.escape(MARK) + rb"(.{8})", re.DOTALL)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[tuple[Path, SqliteStorage]]:
    path = tmp_path / "server.db"
    storage = SqliteStorage(path, GivenClock(START))
    with storage.hold(ACCOUNT) as hold:
        hold.open_account(ROOT)
    yield path, storage
    storage.close()


def planted(chance: random.Random, sizes: tuple[int, ...]) -> tuple[bytes, bytes]:
    """Return a name of its own and a content of one of the sizes: its mark and name again and again."""
    name, size = chance.randbytes(8), chance.choice(sizes)
    return name, ((MARK + name) * (size // 16 + 1))[:size]


@rule("R25")
@pytest.mark.parametrize("seed", range(4))
def test_no_byte_of_what_is_gone_is_left_in_the_file(file: tuple[Path, SqliteStorage], seed: int) -> None:
    path, storage = file
    chance = random.Random(seed)
    alive: dict[Name, set[bytes]] = {}
    every: set[bytes] = set()
    n = index = 0
    for _ in range(60):
        with storage.hold(ACCOUNT) as hold:
            leaves = []
            for _ in range(chance.randrange(1, 30)):
                n += 1
                made = capture if chance.random() < 0.5 else entry
                body_name, body = planted(chance, (272, 528, 1_040, 5_000, 9_000, 20_000))
                wrap_name, wrap = planted(chance, (60,))
                slot = SLOT + chance.randrange(100)
                row = leaf(made(n, slot=slot), index=index, at_ms=hold.received_at_ms, body=body)
                leaves.append(msgspec.structs.replace(row, wrap=wrap))
                index += 1
                alive[REPLICA, n] = {body_name, wrap_name}
                every |= {body_name, wrap_name}
            append(hold, leaves=leaves)
            n += 1
            hold.refuse([refused(n)])
        with storage.hold(ACCOUNT) as hold:
            gone = chance.sample(list(alive), len(alive) // chance.choice((2, 5, 20)))
            hold.destroy(gone)
        for name in gone:
            del alive[name]
    assert storage.sweep()
    still = {name for names in alive.values() for name in names}
    assert every.intersection(PLANTED.findall(path.read_bytes())) == still
    assert not path.with_name("server.db-wal").read_bytes()


@rule("R25")
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM version",
        "UPDATE version SET body = zeroblob(9000)",
        "UPDATE version SET wrap = zeroblob(9000)",
        "UPDATE version SET log_epoch = 2",
        "UPDATE version SET body = NULL, header = header",
        "UPDATE version SET rowid = rowid + 100",
    ],
)
def test_the_file_itself_refuses_what_would_move_a_row(
    file: tuple[Path, SqliteStorage], statement: str
) -> None:
    path, storage = file
    with storage.hold(ACCOUNT) as hold:
        append(hold, capture(1))
    connection = apsw.Connection(str(path))
    with pytest.raises(apsw.ConstraintError, match="must not move"):
        connection.execute(statement)
    connection.close()
