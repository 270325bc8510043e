"""What may be drawn: where, when and how something happens in the model."""

from hypothesis import strategies as st

from tests import practice
from tests.model.device import FAILING
from tests.model.world import HOUR_MS, MINUTE_MS

SLOTS = [
    practice.slot(text)
    for text in (
        "2026-11-15T20:00Z",  # its week is locked: what comes of it is late
        "2026-11-22T23:30Z",
        "2026-11-22T23:40Z",
        "2026-11-22T23:50Z",
        "2026-11-23T00:00Z",
        "2026-11-23T12:00Z",  # has not begun at first
    )
]
WRITERS_MAX = 4
BACKUPS_MAX = 3
OFFSETS_MS = [0, 3 * MINUTE_MS, -3 * MINUTE_MS, 2 * HOUR_MS, -2 * HOUR_MS, 6 * HOUR_MS, -6 * HOUR_MS]
LOCKS_MS = [practice.instant("2026-11-23T12:00Z"), practice.instant("2026-11-30T12:00Z")]
SETTLING_MS = 14 * HOUR_MS  # after this no stamp is ahead, no slot to come, no notice period under way

# A sync that goes well is a pull, a push, and two requests a picture: what fails should fail at any of them.
FATE = st.sampled_from([*sorted(FAILING), "double", "crash before", "crash after"])
FATES = st.builds(
    lambda well, fates: [*["pass"] * well, *fates], st.integers(0, 9), st.lists(FATE, min_size=1, max_size=3)
)
READING_FATES = st.lists(st.sampled_from([*sorted(FAILING - {"delay"}), "double"]), max_size=1)
STEPS = st.integers(0, 6)  # of the server's storage in one request
HAPPENINGS = st.sampled_from(
    [
        *(("crash", reboot) for reboot in (0, 1)),
        *(("restart the server", killed) for killed in (0, 1)),
        *(("set a clock", offset_ms) for offset_ms in OFFSETS_MS[:5]),
        *(("set the server's clock", by_ms) for by_ms in (1000, -1000, -90_000, HOUR_MS, -HOUR_MS)),
        *(("pass", by_ms) for by_ms in (1000, 10 * MINUTE_MS, 30 * MINUTE_MS, 5 * HOUR_MS)),
        *(("pass until", LOCKS_MS[0] + off_ms) for off_ms in (-1, 0, 0, 0, 1)),
        ("pass until", LOCKS_MS[1]),
        ("log in", 0),
        *[("be updated", 0)] * 2,
        *[("rest", 0)] * 2,
    ]
)
DEVICE = st.integers(0, WRITERS_MAX - 1)
# Most happens in few places, so that devices meet there.
SLOT = st.sampled_from([*SLOTS, *SLOTS[1:4] * 2])
PLACE = st.tuples(st.integers(0, 1), SLOT)
CHOSEN = st.lists(st.integers(0, 13), min_size=1, max_size=3, unique=True)
