"""Clients on the stage: invited by a device, joined in a folder of their own."""

from diary.clock import GivenClock
from diary.contracts import Contract
from diary.rules.timesheet import SegmentView, Totals
from diary.rules.week import Week
from diary.sealing.invitation import Link
from diary.sealing.keyring import choose_place
from sync.join import join
from tests.sync.stage import Device, Stage

Shown = tuple[list[SegmentView], list[Totals]]


def invited(device: Device, contract: Contract, **asked: bool) -> Link:
    """Return the link to a contract, its invitation at the server."""
    link = device.diary.invite(contract.id, **asked).link
    device.sync()
    return link


def join_in(stage: Stage, link: Link, name: str = "client") -> Device:
    """Return a client's replica, joined by the link; it stands among the stage's devices."""
    home = stage.folder / f"{name}-{len(stage.devices) + 1}"
    line, failing = stage.line()
    clock = GivenClock(stage.clock.now_ms())
    place = choose_place(home, "file")
    home.mkdir()
    try:
        diary, _ = join(home, link, line, clock=clock, place=place, name=name)
    except BaseException:
        line.close()
        raise
    stage.devices.append(Device(diary, clock, line, failing))
    return stage.devices[-1]


def shown(device: Device, contract: Contract, week: Week) -> Shown:
    """Return what a diary shows of a contract's week; deleted time looks like no time to a client (R65)."""
    view = device.diary.week(week)
    segments = [one for one in view.segments if one.contract == contract.id and one.state != "deleted"]
    return segments, [one for one in view.totals if one.contract == contract.id]
