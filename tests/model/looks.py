"""What devices show: what the log says, the same everywhere, never what was destroyed (R25, R34-R38)."""

import json
from dataclasses import dataclass, field, replace

from diary.rules.ids import Slot
from diary.rules.timesheet import SegmentView
from diary.rules.week import Week
from diary.showing import NoPictureError
from tests.model.book import Book, pending
from tests.model.device import Device
from tests.model.oracle import Place, Row, Shown, at_places, counting, expected
from tests.model.world import World

_HELD = """
    SELECT contract, abs(log_epoch), received_at_ms, leaf_index, header, sealed IS NOT NULL
      FROM version
     WHERE slot IS NOT NULL
"""


def check_looks(book: Book, world: World) -> None:
    """Check that every device shows what the log says, but for what it could not send yet."""
    should = expected(book.log, book.terms, book.gone())
    for device in world.devices:
        waits = {place for _, place in pending(device)}
        shown = view_of(device, {row.place[1] for row in book.log if row.place})
        differ = {
            place: (shown.get(place), should.get(place))
            for place in shown.keys() | should.keys()
            if place not in waits
            and (_unjudged(shown.get(place)) if waits else shown.get(place))
            != (_unjudged(should.get(place)) if waits else should.get(place))
        }
        assert not differ, f"{device.home.name} shows, and should show: {differ}"
        assert device.diary.alarms() == (), f"{device.home.name}: {device.diary.alarms()}"
        for place, one in should.items():
            for name in one.pictures if place not in waits else ():
                try:
                    assert device.diary.picture(name) == book.pictures[name]
                except NoPictureError:
                    assert book.has_lost(place, name), f"{device.home.name} has no {name}"


def _unjudged(one: Shown | None) -> Shown | None:
    """Return what is shown but for the verdict, which what waits may sway."""
    return None if one is None else replace(one, bills=False, why_not=None)


def view_of(device: Device, slots: set[int]) -> dict[Place, Shown]:
    """Return what a device shows of the weeks of some slots, refused changes left out."""
    weeks = {Week.of(Slot(slot)) for slot in slots}
    segments = (one for week in weeks for one in device.diary.week(week).segments)
    return {(one.contract, int(one.slot)): _shown(one) for one in segments if one.state != "refused"}


def _shown(one: SegmentView) -> Shown:
    assert not one.defective
    if one.state == "deleted":
        assert (one.memo, one.label, one.snapshots) == ("", "", ())
        return Shown("deleted", one.life, bills=one.bills, why_not=one.why_not)
    names = [name for shot in one.snapshots for name in (shot.screen, shot.thumbnail, shot.camera) if name]
    return Shown(
        state=one.state,
        life=one.life,
        kind=one.kind,
        memo=one.memo,
        label=one.label,
        activity=one.activity,
        pictures=tuple(sorted(names)),
        received_at_ms=one.received_at_ms,
        bills=one.bills,
        why_not=one.why_not,
    )


@dataclass
class Watched:
    """What a device that only reads has shown so far: at each place its life, and what each life said."""

    lives: dict[Place, int] = field(default_factory=dict)
    said: dict[Place, dict[int, set[str]]] = field(default_factory=dict)

    def look(self, device: Device, slots: set[int]) -> None:
        """Check that no life fell, no segment vanished, and nothing of an earlier life is shown again."""
        shown = view_of(device, slots)
        for place, life in self.lives.items():
            assert place in shown, f"{place} is not shown any more"
            assert shown[place].life >= life, f"the life of {place} fell to {shown[place].life}"
        for place, one in shown.items():
            self.lives[place] = one.life
            says = {one.memo, *one.pictures} - {""}
            lives = self.said.setdefault(place, {})
            before = set[str]().union(*(texts for life, texts in lives.items() if life < one.life))
            assert not says & before, f"{place} shows again what was destroyed: {says & before}"
            lives[one.life] = lives.get(one.life, set()) | says
        holds_what_fell = _fallen(device)
        assert not holds_what_fell, f"{device.home.name} holds what was destroyed: {holds_what_fell}"


def _fallen(device: Device) -> list[Row]:
    """Return the rows that a device holds with their content though, by the rows it holds, they fell."""
    held = [
        Row(contract, epoch, index, received_at_ms, raw, json.loads(raw), {} if has_body else None)
        for contract, epoch, received_at_ms, index, raw, has_body in device.rows(_HELD)
    ]
    return [
        row
        for rows in at_places(held).values()
        for row in rows
        if row.content is not None and row.name not in {other.name for other in counting(rows)}
    ]
