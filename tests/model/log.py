"""The server's log as it gives it out, and what must hold of it (R3, R32, R35, R37, R38, R43, R45)."""

import json
from collections.abc import Collection, Sequence

import msgspec

from diary import envelope
from diary.evidence.opening import FIRST_EPOCH
from diary.evidence.receipt import Cursor, LogRow
from diary.rules.segment import Sealed, parse_header
from sync.protocol import Pull
from tests.model.device import Device
from tests.model.oracle import Name, Row, at_places, counting, frozen_part, is_time, life_of, lock_of
from tests.model.world import World


def read_log(world: World) -> list[Row]:
    """Return every contract's log as the server gives it out, read from its start, in order of receipt."""
    reader = world.readers[0]
    cursors: dict[str, Cursor] = {}
    rows: list[Row] = []
    log_epoch, more = FIRST_EPOCH, True
    with world.witness() as line:
        while more:
            asked = Pull(account=reader.diary.account, cursors=dict(cursors), log_epoch=log_epoch)  # type: ignore[arg-type]
            answer = line.pull(asked)
            if answer.openings:
                assert not rows, "the server states in the middle of a quiet hour that it was restored"
                log_epoch = json.loads(answer.openings[-1].text)["log_epoch"]
                continue
            for page in answer.pages:
                rows += [_row(reader, page.contract, row) for row in page.rows]
                cursors[page.contract] = Cursor(log_epoch, page.rows[-1].index + 1)
            more = answer.more
    return rows


def _row(device: Device, contract: str, row: LogRow) -> Row:
    raw = row.header.encode()
    header = json.loads(raw)
    content = None
    if row.body is not None and header["type"] in {"capture", "entry"}:
        sealed = Sealed(header=raw, body=row.body, wrap=row.wrap)
        opened = envelope.open_content(device.diary._state, parse_header(raw), sealed)
        content = msgspec.to_builtins(opened)
    return Row(contract, row.log_epoch, row.index, row.received_at_ms, raw, header, content)


def check_grown(before: Sequence[Row], now: Sequence[Row]) -> None:
    """Check that a log only grew, as it must where no backup took the server's place (R56)."""
    kept = {(row.contract, row.index): row for row in now}
    for old in before:
        new = kept[old.contract, old.index]
        assert (new.raw, new.received_at_ms) == (old.raw, old.received_at_ms), "a log only grows"


def check_log(now: Sequence[Row], healed: Collection[Name]) -> None:
    """Check that a log has no holes, and holds nothing that a rule forbids.

    What was healed was judged when it was received; in the log it stands where it came back (R43).
    """
    assert len({row.name for row in now}) == len(now), "a version counts once"
    for contract in {row.contract for row in now}:
        rows = [row for row in now if row.contract == contract]
        assert [row.index for row in rows] == list(range(len(rows))), "a feed has no holes"
        for epoch in {row.log_epoch for row in rows}:
            received = [
                row.received_at_ms for row in rows if row.log_epoch == epoch and row.name not in healed
            ]
            assert received == sorted(received), "received_at never falls"
    for rows in at_places(now).values():
        _check_order(rows, healed)
        if not any(row.name in healed for row in rows):
            _check_lock(rows)
        _check_destroyed_at_server(rows)


def _check_order(rows: Sequence[Row], healed: Collection[Name]) -> None:
    """Check that lives rise by one, and that no capture enters a slot that was deleted (R32, R35).

    A deletion may jump: the time that it ends was added here, and removed before any server had it.
    """
    life = 0
    recorded = set()
    for row in rows:
        assert row.life <= life + 1 or row.life % 2 == 1 or row.name in healed
        life = max(life, row.life)
        if row.is_capture:
            assert life == 0 or row.name in healed, "a capture entered a deleted slot"
            assert row.name[0] not in recorded, "a replica recorded a slot twice"
            recorded.add(row.name[0])


def _check_lock(rows: Sequence[Row]) -> None:
    """Check that what came after the lock is late time of a slot that held nothing (R37, R38)."""
    late = [row for row in rows if row.received_at_ms >= lock_of(row.header["slot"])]
    if late:
        frozen = frozen_part(rows)
        assert not is_time(frozen), "a frozen segment was changed"
        assert life_of(frozen) == 0, "a frozen deletion was changed"
        assert late[0].is_capture or any(row.is_capture for row in frozen), "late time begins by a capture"
        assert not any(row.header.get("manual") for row in late), "manual time was claimed after the lock"


def _check_destroyed_at_server(rows: Sequence[Row]) -> None:
    standing = {row.name for row in counting(rows)}
    for row in rows:
        assert row.content is None or row.name in standing, f"the server gives out {row.name}"
