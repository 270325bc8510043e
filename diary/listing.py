"""The device list: in the account's own log by the root, and in every contract's where it is missing (R50).

Whoever reads one contract alone learns from it which devices may write there (see `evidence.list_leaf`). In
closed ones too: a new device writes grants there, and may delete until the lock. Everything runs within the
caller's transaction.
"""

from collections import defaultdict

from diary import envelope
from diary.evidence.list_leaf import leaf_body, since_root
from diary.evidence.signature import DEVICE_LIST, signed_message
from diary.rules.devices import DeviceListInClear
from diary.rules.ids import ContractId, Millis
from diary.rules.segment import Sealed
from diary.sealing.key_tree import Root
from diary.state import OpenDiary
from diary.store import versions
from diary.store.versions import StoredVersion


def write_by_root(diary: OpenDiary, devices: DeviceListInClear, root: Root, *, at_ms: Millis) -> None:
    """Write a device list into the account's own log, signed by the root (R50)."""
    header = envelope.draw_header(diary, "device_list", diary.contract_of_account, devices=devices)
    raw = header.to_bytes()
    sealed = Sealed(header=raw, body=root.sign(signed_message(DEVICE_LIST, raw)), wrap=None)
    envelope.keep_sealed(diary, header, sealed, at_ms=at_ms)


def write_leaf(diary: OpenDiary, contract: ContractId, *, at_ms: Millis) -> None:
    """Write the newest device list this diary holds, with its proof, into a contract's log (R50)."""
    _write(diary, contract, _account_lists(diary), at_ms)


def write_missing_leaves(diary: OpenDiary, *, at_ms: Millis) -> int:
    """Write the newest list into each contract's log that lacks it; return how many (R50)."""
    lists = _account_lists(diary)
    shown: dict[ContractId, int] = defaultdict(int)
    for stored, devices in _lists(diary, None):
        if not stored.header.in_own_log:
            shown[stored.header.contract] = max(shown[stored.header.contract], devices.number)
    newest = lists[-1][1].number if lists else 0
    contracts = {stored.header.contract for stored in versions.slotless(diary.connection, "terms")}
    lacking = sorted(contract for contract in contracts if shown[contract] < newest)
    for contract in lacking:
        _write(diary, contract, lists, at_ms)
    return len(lacking)


def drop_waiting_leaves(diary: OpenDiary) -> None:
    """Take back the leaves that nobody has seen: the list they show will never be (R42, R50)."""
    for stored in versions.slotless(diary.connection, "device_list"):
        if not stored.header.in_own_log and stored.waits and stored.is_ours_alone:
            versions.drop(diary.connection, stored.header.name)


def _write(
    diary: OpenDiary,
    contract: ContractId,
    lists: list[tuple[StoredVersion, DeviceListInClear]],
    at_ms: Millis,
) -> None:
    devices = [listed for _, listed in lists]
    proof = [stored.sealed for stored, _ in lists[since_root(devices) :]]
    header = envelope.draw_header(diary, "device_list", contract, devices=devices[-1])
    sealed = Sealed(header=header.to_bytes(), body=leaf_body(proof), wrap=None)
    envelope.keep_sealed(diary, header, sealed, at_ms=at_ms)


def _account_lists(diary: OpenDiary) -> list[tuple[StoredVersion, DeviceListInClear]]:
    """Return the lists of the account's own log in their order, this device's unsent one included.

    Up to the first that is missing: a copy of a copy may hold a list whose predecessor was never sent, and
    nobody could check it. It is written once it has its place (see `renewing.finish_renewal`).
    """
    found = sorted(_lists(diary, diary.contract_of_account), key=lambda each: each[1].number)
    whole = found[:1]
    for each in found[1:]:
        if each[1].number != whole[-1][1].number + 1:
            break
        whole.append(each)
    return whole


def _lists(diary: OpenDiary, contract: ContractId | None) -> list[tuple[StoredVersion, DeviceListInClear]]:
    """Return a log's device lists; all logs' for None."""
    return [
        (stored, stored.header.devices)
        for stored in versions.slotless(diary.connection, "device_list", contract)
        if stored.header.devices is not None
    ]
