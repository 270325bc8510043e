"""The control of the search for what the tracker must not keep: a listener that keeps all of it.

It asks the X server for the same events as the tracker and keeps their bytes, and it reads the clipboard and
the active window's title. A search that does not find in it what was typed, clicked and copied finds nothing
anywhere.
"""

import subprocess
from typing import Any

from Xlib import X
from Xlib.display import Display
from Xlib.ext import record

NOTHING = {
    "core_requests": (0, 0),
    "core_replies": (0, 0),
    "ext_requests": (0, 0, 0, 0),
    "ext_replies": (0, 0, 0, 0),
    "delivered_events": (0, 0),
    "errors": (0, 0),
    "client_started": False,
    "client_died": False,
}
KEPT = bytearray()


def main() -> None:
    """Keep what comes, until it is ended."""
    copied = subprocess.run(
        ("xclip", "-o", "-selection", "clipboard"), stdout=subprocess.PIPE, check=True
    ).stdout.decode()
    display = Display()
    wanted = NOTHING | {"device_events": (X.KeyRelease, X.ButtonPress)}
    context = display.record_create_context(0, [record.AllClients], [wanted])

    def keep(reply: Any) -> None:
        if not KEPT:
            KEPT.extend(copied.encode())
            print("ready", flush=True)
        KEPT.extend(reply.data)

    display.record_enable_context(context, keep)


if __name__ == "__main__":
    main()
