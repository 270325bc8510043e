"""The room that pictures take on this device: old ones give way to their thumbnails, and come again (R31)."""

from collections.abc import Iterable, Iterator

from diary import envelope, parties, settings
from diary.errors import DamageError
from diary.rules.ids import Millis, ReplicaId
from diary.rules.sealed_content import CaptureContent
from diary.rules.thinning import Budget, HeldPicture, giving_way
from diary.rules.week import Week, slot_at
from diary.state import OpenDiary
from diary.store import meta, thinned, versions

GIGABYTE = 1_000_000_000
LOOK_AGAIN_MS = 3_600_000  # what takes room grows by a few hundred kilobytes an hour
AT_ONCE = 2_000  # pictures of one transaction: others write meanwhile
_LOOKED_AT = "thinning looked at"


def thin_pictures(diary: OpenDiary, *, at_once: bool = False) -> int:
    """Let old pictures give way where all together take more room than they may; return how many did.

    It looks at most once an hour, unless `at_once`. A page in use is not disturbed: what gives way is at the
    server, and comes again when it is asked for.
    """
    with diary.reading():
        now_ms = diary.now_ms()
        looked_at_ms = meta.number(diary.connection, _LOOKED_AT)
        if not at_once and looked_at_ms is not None and 0 <= now_ms - looked_at_ms < LOOK_AGAIN_MS:
            return 0
        budget = Budget(
            int(settings.setting(diary, "picture_gigabytes")) * GIGABYTE,
            int(settings.setting(diary, "picture_days")),
        )
        total = thinned.total_bytes(diary.connection)
        gone: list[str] = []
        if total > budget.bytes:
            held = _can_be_missed(diary, now_ms)
            gone = [one.name for one in giving_way(held, total, now_ms, budget, _disputed(diary))]
    for first in range(0, len(gone), AT_ONCE):
        with diary.writing():
            thinned.thin(diary.connection, gone[first : first + AT_ONCE], now_ms)
    with diary.writing():
        meta.put(diary.connection, _LOOKED_AT, now_ms)
    return len(gone)


def _disputed(diary: OpenDiary) -> set[Week]:
    """Return the weeks of which something is disputed: their pictures stay whole (R31, R62)."""
    said = parties.marks(diary).values()
    return {Week.of(slot) for found in said for slot in found.disputed}


def want_pictures(diary: OpenDiary, names: Iterable[str]) -> int:
    """Let thinned pictures be fetched with the next sync; return how many of these were thinned (R31)."""
    wanted = list(names)
    with diary.writing():
        return max(0, thinned.want(diary.connection, wanted, diary.now_ms())) if wanted else 0


def _can_be_missed(diary: OpenDiary, now_ms: Millis) -> Iterator[HeldPicture]:
    """Yield the pictures that leave a thumbnail here, the oldest first."""
    roles: dict[tuple[ReplicaId, int], tuple[str, ...]] = {}
    for name, index, picture in list(thinned.held(diary.connection, slot_at(now_ms))):
        if name not in roles:
            roles = {name: _roles(diary, name)}
        of_version = roles[name]
        if "thumbnail" in of_version and index < len(of_version) and of_version[index] != "thumbnail":
            yield picture


def _roles(diary: OpenDiary, name: versions.Name) -> tuple[str, ...]:
    """Return what each picture of a version is; nothing of one that does not open: it stays as it is."""
    stored = versions.find(diary.connection, name)
    if stored is None or stored.sealed.body is None:
        return ()
    try:
        content = envelope.open_content(diary, stored.header, stored.sealed)
    except DamageError:
        return ()
    return content.roles if isinstance(content, CaptureContent) else ()
