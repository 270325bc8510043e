"""The account's devices as their owner knows them: by name, since when, and when they last wrote (R50).

The device list names keys and no names: those are sealed, in what each device captured. So a device that
never captured anything is known by its number alone, or by the name of the one whose place it took.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from diary import envelope
from diary.errors import DamageError, UsageError
from diary.rules.devices import DeviceListInClear
from diary.rules.ids import Millis, ReplicaId
from diary.rules.sealed_content import CaptureContent
from diary.state import OpenDiary
from diary.store import device_traces, versions

ID_PREFIX_MIN = 4  # shorter ones name too much by chance
_ID_PREFIX = re.compile(rf"[0-9a-f]{{{ID_PREFIX_MIN},32}}")


class UnknownDeviceError(UsageError):
    """No device has this number, name or id."""

    says = "There is no device “{name}”."
    mend = (
        "See them with `diary devices list`: its number, its name or the start of its id names a device. One "
        "that has recorded nothing yet has no name on others."
    )


class AmbiguousDeviceError(UsageError):
    """Several devices fit a name."""

    says = "“{name}” may be any of {count} devices: {which}."
    mend = "Use the number that `diary devices list` gives it, or the start of its id."


@dataclass(frozen=True, slots=True)
class Device:
    """One device of the account; `number` is its place in the list, from 1.

    `name` is empty where none is known. `added_at_ms` and `revoked_at_ms` are when the server took the list
    that says so, None where that is not known here or not so; `wrote_at_ms` is when it took what the device
    wrote last, as far as that was read.
    """

    number: int
    replica: ReplicaId
    name: str
    is_this: bool
    added_at_ms: Millis | None
    wrote_at_ms: Millis | None
    is_revoked: bool
    revoked_at_ms: Millis | None
    successor_of: ReplicaId | None


def devices(diary: OpenDiary) -> tuple[Device, ...]:
    """Return the devices of the account in the order of its newest list (R50)."""
    with diary.reading():
        lists = _lists(diary)
        newest = envelope.device_list(diary)
        names: dict[ReplicaId, str] = {}
        found = []
        for number, listed in enumerate(newest.devices, start=1):
            replica = listed.replica
            followed = names.get(listed.successor_of, "") if listed.successor_of else ""
            names[replica] = _name_of(diary, replica) or followed
            found.append(
                Device(
                    number=number,
                    replica=replica,
                    name=names[replica],
                    is_this=replica == diary.replica,
                    added_at_ms=_first(lists, replica, revoked=False),
                    wrote_at_ms=device_traces.newest_received_ms(diary.connection, replica),
                    is_revoked=listed.revoked_from is not None,
                    revoked_at_ms=_first(lists, replica, revoked=True),
                    successor_of=listed.successor_of,
                )
            )
        return tuple(found)


def named(found: Sequence[Device], name: str) -> Device:
    """Return the device of a number, a name, or the start of an id; case does not matter.

    Raises:
        UnknownDeviceError: None fits.
        AmbiguousDeviceError: Several do.
    """
    wanted = name.strip().casefold()
    ways = (
        [one for one in found if str(one.number) == wanted],
        [one for one in found if one.name.casefold() == wanted and wanted],
        [one for one in found if _ID_PREFIX.fullmatch(wanted) and one.replica.startswith(wanted)],
    )
    fitting = next((way for way in ways if way), [])
    if not fitting:
        raise UnknownDeviceError(name=name)
    if len(fitting) > 1:
        which = ", ".join(f"{one.number} ({one.replica[:8]})" for one in fitting)
        raise AmbiguousDeviceError(name=name, count=len(fitting), which=which)
    return fitting[0]


def _lists(diary: OpenDiary) -> list[tuple[DeviceListInClear, Millis | None]]:
    """Return the account's lists in their order, each with when the server took it."""
    held = versions.slotless(diary.connection, "device_list", diary.log_of_lists)
    lists = [(stored.header.devices, stored.received_at_ms) for stored in held]
    return sorted(
        ((devices, at_ms) for devices, at_ms in lists if devices is not None),
        key=lambda found: found[0].number,
    )


def _first(
    lists: Sequence[tuple[DeviceListInClear, Millis | None]], replica: ReplicaId, *, revoked: bool
) -> Millis | None:
    """Return when the server took the first list that names a device, or that revokes it."""
    for listed, at_ms in lists:
        for one in listed.devices:
            if one.replica == replica and (one.revoked_from is not None or not revoked):
                return at_ms
    return None


def _name_of(diary: OpenDiary, replica: ReplicaId) -> str:
    """Return the name that a device's newest capture bears; empty where there is none that opens."""
    if replica == diary.replica:
        return diary.device_name
    capture = device_traces.newest_capture(diary.connection, replica)
    if capture is None:
        return ""
    try:
        content = envelope.open_content(diary, capture.header, capture.sealed)
    except DamageError:
        return ""
    return content.device if isinstance(content, CaptureContent) else ""
