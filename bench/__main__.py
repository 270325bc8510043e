"""`make bench`: figures as JSON lines, each with its peer or limit in the same run.

    python -m bench                 everything, about twenty minutes
    python -m bench sync status     only these parts

These machines are noisy: read ratios, not seconds.
"""

import sys
from collections.abc import Callable

from bench import (
    bundling,
    client_page,
    closing,
    cold,
    crowd,
    encoding,
    log_rates,
    long_diary,
    messages,
    peers,
    picture_rates,
    scale,
    server_rates,
    sync_rates,
    sync_steps,
    tracker,
)

PARTS: dict[str, Callable[[], None]] = {
    "peers": peers.measure,
    "sync": sync_rates.measure,
    "sync_steps": sync_steps.measure,
    "server": server_rates.measure,
    "scale": scale.measure,
    "closing": closing.measure,
    "crowd": crowd.measure,
    "pictures": picture_rates.measure,
    "status": cold.measure_status,
    "week": cold.measure_week_page,
    "long_diary": long_diary.measure,
    "bundle": bundling.measure,
    "encoding": encoding.measure,
    "log": log_rates.measure,
    "tracker": tracker.measure,
    "client_page": client_page.measure,
    "messages": messages.measure,
}


def main(wanted: list[str]) -> int:
    unknown = set(wanted) - set(PARTS)
    if unknown:
        print(
            f"There is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}.", file=sys.stderr
        )
        return 2
    for name in wanted or list(PARTS):
        PARTS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
