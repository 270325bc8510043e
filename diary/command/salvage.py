"""`salvage`: what can be read of a damaged diary is saved, and what was lost is named (R19, R70)."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer

from diary.command.desk import AsJson, Utc, Yes, agree, ask_passphrase, desk_of, print_json, say, tell
from diary.rules.counted import counted
from diary.rules.ids import ContractId, Slot
from diary.rules.week import starts_at_ms

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from diary.salvaging import Salvaged
    from diary.store.salvage import Lost

app = typer.Typer(rich_markup_mode=None)

LINES_MAX = 40  # what one looks through; --json has all of it
_SAID = "what was recorded or said"
_WHAT = {"version": _SAID, "content": _SAID, "picture": "a picture"}


@app.command()
def salvage(ctx: typer.Context, *, as_json: AsJson = False, utc: Utc = False, yes: Yes = False) -> None:
    """Save what can be read of a damaged diary and name what is lost; the damaged file is put aside.

    It reads all of the diary, finds what holds, and asks before it changes anything. What a server received
    comes back with the next sync.
    """
    from diary.salvaging import accept, give_up, try_salvage

    desk = desk_of(ctx)
    found = try_salvage(desk.home, clock=desk.clock, ask_passphrase=ask_passphrase)
    accepted = False
    try:
        zone = _zone(utc=utc)
        if as_json:
            print_json(_as_json(found))
        else:
            for line in _lines(found, zone):
                tell(line)
        if found.is_whole:
            return
        agree("Put the damaged file aside and go on with what was saved?", yes=yes)
        aside = accept(found, now_ms=desk.clock.now_ms())
        accepted = True
    finally:
        if not accepted:
            give_up(found)
    desk.open_diary().close()
    say(f"The damaged file: {aside}. What you removed may still lie in it: delete it when you are done.")
    if found.comes_back:
        say("What the server received comes back with the next sync: diary sync.")


def _zone(*, utc: bool) -> "ZoneInfo":
    from zoneinfo import ZoneInfo

    from diary.zone import machine_zone

    return ZoneInfo("UTC") if utc else machine_zone()


def _lines(found: "Salvaged", zone: "ZoneInfo") -> Iterator[str]:
    if found.is_whole:
        yield f"The diary is whole: {found.segments:,} segments, {found.pictures:,} pictures."
        yield "Nothing was changed."
        return
    yield f"Saved: {found.segments:,} segments, {found.pictures:,} pictures."
    if found.wal_lost:
        yield f"The newest of it was in {found.wal_lost} pages that do not hold."
    back = [one for one in found.lost if one.at_server and found.comes_back]
    if back:
        yield f"Lost here, and at the server: {_counted(back)}."
    gone = [one for one in found.lost if one not in back]
    if not gone and not back and not found.settings_lost:
        yield "Nothing that was recorded or said is lost."
    if gone:
        yield f"Lost: {_counted(gone)}."
        yield from _places(gone, found, zone)
    for count, one, many in (
        (found.drafts_lost, "the segment under way", "segments under way"),
        (found.texts_lost, "an old memo", "old memos"),
        (found.receipts_lost, "a proof of receipt", "proofs of receipt"),
    ):
        if count:
            yield f"Lost: {one if count == 1 else f'{count} {many}'}."
    if found.settings_lost:
        yield f"Lost: {', '.join(sorted(found.settings_lost))}."


def _counted(lost: "list[Lost]") -> str:
    segments = {(one.contract, one.slot) for one in lost if one.slot is not None and one.kind != "picture"}
    pictures = sum(one.kind == "picture" for one in lost)
    others = sum(one.slot is None and one.kind != "picture" for one in lost)
    counts = ((len(segments), "segment"), (pictures, "picture"), (others, "other version"))
    return ", ".join(counted(count, word) for count, word in counts if count)


def _places(lost: "list[Lost]", found: "Salvaged", zone: "ZoneInfo") -> Iterator[str]:
    by_place: dict[tuple[Slot, str], set[str]] = {}
    for one in lost:
        title = found.titles.get(one.contract or ContractId(""), "a contract that is lost too")
        by_place.setdefault((one.slot or Slot(0), title), set()).add(_WHAT[one.kind])
    listed = sorted(by_place.items())
    for (slot, title), whats in listed[:LINES_MAX]:
        if not slot:
            yield f"  {title}: of its terms or keys"
            continue
        at = datetime.fromtimestamp(starts_at_ms(slot) / 1000, tz=zone)
        yield f"  {at:%Y-%m-%d %H:%M}  {title}: {', '.join(sorted(whats))}"
    if len(listed) > LINES_MAX:
        yield f"  and {len(listed) - LINES_MAX} more: diary salvage --json lists all"


def _as_json(found: "Salvaged") -> dict[str, Any]:
    return {
        "whole": found.is_whole,
        "segments": found.segments,
        "pictures": found.pictures,
        "lost": [
            {
                "what": one.kind,
                "contract": one.contract,
                "slot": one.slot,
                "start": None
                if one.slot is None
                else f"{datetime.fromtimestamp(starts_at_ms(one.slot) / 1000, tz=UTC):%Y-%m-%dT%H:%M:%SZ}",
                "at_server": one.at_server and found.comes_back,
            }
            for one in found.lost
        ],
        "settings_lost": found.settings_lost,
        "drafts_lost": found.drafts_lost,
        "texts_lost": found.texts_lost,
        "receipts_lost": found.receipts_lost,
    }
