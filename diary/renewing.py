"""A diary that was restored or copied takes a new replica id before it writes (R42, R50).

Two files that write under one id would give one name to two contents. So the file remembers where it lies,
and asks the server for its replica's highest n before the first push of a run; where either disagrees it
begins a new replica with keys of its own. What the old one had not sent is sealed anew under the new id, and
the old one signs the device list that names its successor: nothing waits for the phrase. Until the server
has taken that list the old one, the **predecessor**, opens the server's door.
"""

import secrets
from dataclasses import dataclass

import msgspec

from diary import envelope, granting, listing
from diary.evidence import device_list
from diary.evidence.signature import DEVICE_LIST
from diary.opening import lies_elsewhere
from diary.resealing import Anew, forget, reseal
from diary.rules.devices import DeviceListInClear, ListedDevice
from diary.rules.ids import ReplicaId
from diary.rules.segment import Sealed
from diary.sealing.key_tree import DeviceKeys
from diary.state import KEYS_OF, OpenDiary
from diary.store import meta, outbox, renewal, replica, versions
from diary.store.versions import StoredVersion

PREDECESSOR = "predecessor"


@dataclass(frozen=True, slots=True)
class Predecessor:
    """The replica in whose name this file still has to ask, and what it shows to the server."""

    replica: ReplicaId
    token: str


def renew_if_copied(diary: OpenDiary) -> None:
    """Take a new replica id if this file lies elsewhere than when it was last opened (R42)."""
    if lies_elsewhere(diary):
        renew(diary, lies_at=renewal.lies_at(diary.path))


def renew(diary: OpenDiary, *, lies_at: str | None = None) -> None:
    """Take a new replica id and seal what was unsent anew under it, in one transaction (R42).

    `lies_at` names the place that this is for: where another process has taken note of it meanwhile, or
    none was noted yet, nothing is renewed.
    """
    old, old_keys = diary.replica, diary.keys
    try:
        with diary.writing():
            if lies_at is not None:
                known = meta.get(diary.connection, renewal.LIES_AT)
                meta.put(diary.connection, renewal.LIES_AT, lies_at)
                if known in {None, lies_at}:
                    return
            _renew(diary)
    except BaseException:
        diary.replica, diary.keys = old, old_keys
        raise


def _renew(diary: OpenDiary) -> None:
    old = diary.replica
    waiting = [
        stored
        for name in renewal.waiting(diary.connection, old)
        if (stored := versions.find(diary.connection, name)) is not None
    ]
    # What the log was read to hold is there, though its answer was lost: it keeps its name, and its row.
    for stored in waiting:
        if _stands_in_log(stored):
            outbox.leave(diary.connection, stored.header.name)
    waiting = [stored for stored in waiting if not _stands_in_log(stored)]
    has_keys = not granting.lacks_keys(diary)
    # Opened now: the grants by which they are known may be among what is written anew.
    held = granting.held_keys(diary) if has_keys else {}
    listing.drop_waiting_leaves(diary)
    begin_replica(diary)
    if meta.get(diary.connection, PREDECESSOR) is None:
        meta.put(diary.connection, PREDECESSOR, old)
    follow_device_list(diary)
    reseal_waiting(diary, waiting)
    if has_keys:
        granting.write_missing(diary, held)


def _stands_in_log(stored: StoredVersion) -> bool:
    return stored.log_epoch is not None and stored.log_epoch > 0  # below: a restored server lost it (R43)


def begin_replica(diary: OpenDiary) -> None:
    """Begin a replica with keys of its own: revoking one of two copies must not revoke the other."""
    diary.keep_keys(diary.replica, diary.keys)
    diary.keys = DeviceKeys(diary.keys.account_key, secrets.token_bytes(32), secrets.token_bytes(32))
    diary.replica = ReplicaId(secrets.token_hex(16))
    diary.keep_keys(diary.replica, diary.keys)
    replica.begin(diary.connection, diary.replica, diary.now_ms())


def reseal_waiting(diary: OpenDiary, waiting: list[StoredVersion]) -> None:
    """Seal what waits of an earlier replica of this file anew under the present one's name (R42)."""
    for stored in waiting:
        header = stored.header
        match header.type:
            case "device_list":
                # The root's own can be signed by nobody here: it goes out as it is, in its writer's name.
                signed_here = header.devices is not None and header.devices.signer != device_list.ROOT
                if signed_here or not header.in_own_log:
                    forget(diary, header.name)
            case _ if stored.content != "standing":
                # Its content fell: there is nothing to seal. Nobody asks for its answer any more, so it must
                # not stand here either: where the server has it, the feed brings it back.
                forget(diary, header.name)
            case "grant":
                forget(diary, header.name)  # granted anew, from what is held
            case _:
                anew = Anew(vector=_vector(diary, stored), held_for=stored.held_for)
                name = reseal(diary, stored, anew)
                renewal.keep_renamed(diary.connection, header.name, stored.sealed.header, name)


def _vector(diary: OpenDiary, stored: StoredVersion) -> dict[ReplicaId, int] | None:
    """Return what an entry covers of others, without the old names that are given up (R34).

    Of the old replica it covers what stays in its name: what was sealed anew before this is not held under
    it any more. A greater number might be that of a version that another copy wrote, and that this entry
    never saw.
    """
    header = stored.header
    if header.vector is None or header.slot is None:
        return None
    vector = dict(header.vector)
    own = vector.pop(header.replica, 0)
    stays = [
        held.header.n
        for held in versions.at_place(diary.connection, header.contract, header.slot)
        if held.header.replica == header.replica
        and held.header.type == "entry"
        and held.header.n <= own
        and held.header.name != header.name
    ]
    if stays:
        vector[header.replica] = max(stays)
    return vector


def predecessor(diary: OpenDiary) -> Predecessor | None:
    """Return the replica whose successor the server does not know yet, None where it knows (R42)."""
    with diary.reading():
        diary.follow_renewal()
        old = meta.word(diary.connection, PREDECESSOR)
        if old is None:
            return None
        return Predecessor(ReplicaId(old), diary.keys_of(ReplicaId(old)).token)


def follow_list_of_server(diary: OpenDiary) -> None:
    """Bring the list that names this replica, and the keys it holds, up to what was just read (R42, R50)."""
    with diary.writing():
        follow_device_list(diary)
        _take_keys_of_predecessor(diary)


def follow_device_list(diary: OpenDiary) -> None:
    """Write the successor's device list, unless the one that waits follows the newest known one (R50)."""
    old = ReplicaId(str(meta.get(diary.connection, PREDECESSOR)))
    mine: StoredVersion | None = None
    newest: DeviceListInClear | None = None
    for stored in versions.slotless(diary.connection, "device_list", diary.contract_of_account):
        if stored.header.replica == diary.replica and stored.received_at_ms is None:
            mine = stored
        elif stored.header.devices is not None and (
            newest is None or stored.header.devices.number > newest.number
        ):
            newest = stored.header.devices
    if newest is None or device_list.device(newest, diary.replica) is not None:
        return
    this = ListedDevice(
        replica=diary.replica,
        sign=diary.keys.sign_public.hex(),
        box=diary.keys.box_public.hex(),
        successor_of=old,
    )
    following = msgspec.structs.replace(
        newest, number=newest.number + 1, signer=old, devices=(*newest.devices, this)
    )
    if mine is not None:
        if mine.header.devices == following:
            return
        forget(diary, mine.header.name)
        listing.drop_waiting_leaves(diary)
    header = envelope.draw_header(diary, "device_list", diary.contract_of_account, devices=following)
    raw = header.to_bytes()
    sealed = Sealed(header=raw, body=diary.keys_of(old).sign(DEVICE_LIST, raw), wrap=None)
    at_ms = diary.now_ms()
    envelope.keep_sealed(diary, header, sealed, at_ms=at_ms)
    listing.write_missing_leaves(diary, at_ms=at_ms)


def _take_keys_of_predecessor(diary: OpenDiary) -> None:
    """Grant this replica what its predecessor was granted in the meantime (R49)."""
    old = ReplicaId(str(meta.get(diary.connection, PREDECESSOR)))
    if granting.lacks_keys(diary):
        return
    grants = versions.slotless(diary.connection, "grant")
    own = {
        (stored.header.contract, grant.epoch)
        for stored in grants
        if (grant := stored.header.grant) is not None and grant.to == diary.replica
    }
    keys = diary.keys_of(old)
    listing.write_missing_leaves(diary, at_ms=diary.now_ms())
    for stored in grants:
        grant, contract = stored.header.grant, stored.header.contract
        if grant is None or grant.to != old or stored.sealed.body is None or (contract, grant.epoch) in own:
            continue
        own.add((contract, grant.epoch))
        key = keys.open_grant(stored.sealed)
        box = diary.keys.box_public
        envelope.grant(diary, contract, grant.epoch, key, diary.replica, box, at_ms=diary.now_ms())


def finish_renewal(diary: OpenDiary) -> None:
    """Forget the predecessor and its keys: the server knows its successor (R42)."""
    with diary.writing():
        old = meta.word(diary.connection, PREDECESSOR)
        if old is not None:
            meta.remove(diary.connection, PREDECESSOR)
            meta.remove(diary.connection, KEYS_OF + old)
            listing.write_missing_leaves(diary, at_ms=diary.now_ms())
