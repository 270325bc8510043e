"""What devices can prove to a server whose place a backup took, and what must have come of it (R43)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from diary.rules.ids import AccountId, ContractId
from tests.model.device import Device
from tests.model.oracle import Name, Row
from tests.model.world import World

_RECEIVED = """
    SELECT replica, n, abs(log_epoch), header, received_at_ms
      FROM version
     WHERE received_at_ms IS NOT NULL
"""
_UNANSWERED = """
    SELECT replica, n
      FROM version
     WHERE received_at_ms IS NULL AND push IS NOT NULL
"""
_LISTS = """
    SELECT header
      FROM version
     WHERE type = 'device_list' AND contract = account AND received_at_ms IS NOT NULL
"""


@dataclass
class Proofs:
    """What each device can prove since a backup took the server's place, by its folder's name.

    `answered_anew` may have been taken again before a proof came: then its first answer there stands (R40).
    `first` is the epoch and the time in which a version was first received, `healed` what came back by proof.
    `ended` are the logs of which a device knew more than the backup, and how many rows it knew.
    """

    was_restored: bool = False
    held: dict[str, dict[Name, tuple[bytes, int]]] = field(default_factory=dict)
    answered_anew: set[Name] = field(default_factory=set)
    first: dict[Name, tuple[int, int]] = field(default_factory=dict)
    healed: set[Name] = field(default_factory=set)
    ended: dict[str, dict[ContractId, int]] = field(default_factory=dict)

    def note_restoring(self, world: World) -> None:
        """Remember what is known of the server as it is, just before a backup takes its place."""
        self.was_restored = True
        for device in world.devices:
            self.note_held(device)
            for replica, n, epoch, _, at_ms in device.rows(_RECEIVED):
                known, _ = self.first.setdefault((replica, n), (epoch, at_ms))
                if epoch < known:
                    self.first[replica, n] = (epoch, at_ms)
            self.answered_anew |= {(replica, n) for replica, n in device.rows(_UNANSWERED)}
        self.answered_anew |= _on_their_way(world)

    def note_held(self, device: Device) -> None:
        """Remember what a device can prove now; of one that was put back itself, no more than that."""
        if self.was_restored:
            self.ended.pop(device.home.name, None)
            self.held[device.home.name] = {
                (replica, n): (header, at_ms) for replica, n, _, header, at_ms in device.rows(_RECEIVED)
            }

    def note_kept(self, world: World) -> None:
        """Remember which devices know more of a log than the backup that is served now."""
        with world.serving.storage.hold(AccountId(world.readers[0].diary.account)) as hold:
            kept = {contract: head.size for contract, head in hold.all_logs().items()}
        for device in world.devices:
            cursors = device.diary.cursors()
            self.ended[device.home.name] = {
                contract: cursor.size
                for contract, cursor in cursors.items()
                if cursor.size > kept.get(contract, 0)
            }

    def check(self, world: World, log: Sequence[Row]) -> None:
        """Check that all that a device could prove is in the log, with the time of its receipt."""
        found = {row.name: row for row in log}
        for home, held in self.held.items():
            for name, (header, at_ms) in held.items():
                row = found.get(name)
                if name in self.answered_anew and (row is None or row.received_at_ms != at_ms):
                    continue
                assert row is not None, f"{name} was lost by the server, and {home} can prove it"
                assert (row.raw, row.received_at_ms) == (header, at_ms)
        for row in log:
            if row.name in self.first:
                epoch, at_ms = self.first[row.name]
                if row.log_epoch > epoch and row.received_at_ms == at_ms:
                    self.healed.add(row.name)
        for device in world.devices:
            shown = [head for each in device.diary.restorings() for head in each.lost]
            for contract, size in self.ended.get(device.home.name, {}).items():
                assert any(head.contract == contract and head.had_size >= size for head in shown), (
                    f"{device.home.name} does not say that a log of {size} rows was lost"
                )
        self.was_restored = False
        self.held.clear()
        self.answered_anew.clear()
        self.ended.clear()


def _on_their_way(world: World) -> set[Name]:
    """Return the names of the versions in requests that may still arrive."""
    found: set[Name] = set()
    for request in world.delayed:
        if request.url.path in {"/v1/push", "/v1/enrol"}:
            body = json.loads(request.read())
            headers = [json.loads(one["header"]) for one in body.get("push", body)["versions"]]
            found |= {(header["replica"], header["n"]) for header in headers}
    return found


def bring_back_device_list(world: World) -> None:
    """Let a device that knows the newest device list sync first, where the backup has an older one.

    Who comes before and enrols a device writes another list of the same number: an alarm that stays (R50).
    """
    knowing = max(world.devices, key=_newest_list)
    while _newest_list(knowing) > _newest_list_of_server(world):
        knowing.crash_at(None)
        assert knowing.sync() is not None


def forks_device_lists(world: World, held: str | bytes | None) -> bool:
    """Return whether a backup holds a device list beside which a device knows another of its number.

    So it is where the server went on from an older backup after this one was made: two histories, of which
    each has its devices. No server can heal that; it is an alarm that stays (R50).
    """
    if held is None:
        return False
    known = [raw for device in world.devices for (raw,) in device.rows(_LISTS)]
    return any(_number(raw) == _number(held) and json.loads(raw) != json.loads(held) for raw in known)


def device_list_of_server(world: World) -> str | bytes | None:
    """Return the header of the device list that the server holds."""
    with world.serving.storage.hold(AccountId(world.readers[0].diary.account)) as hold:
        held = hold.device_list()
    return None if held is None else held.header


def _newest_list(device: Device) -> int:
    return max((_number(header) for (header,) in device.rows(_LISTS)), default=0)


def _newest_list_of_server(world: World) -> int:
    held = device_list_of_server(world)
    return 0 if held is None else _number(held)


def _number(header: str | bytes) -> int:
    return int(json.loads(header)["devices"]["number"])
