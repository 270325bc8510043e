"""The zone of this machine's wall clock, for showing and reading times only (R5)."""

import os
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from diary.rules.week import NAMES_OF_UTC

_LINK = Path("/etc/localtime")
_NAME = Path("/etc/timezone")


def machine_zone() -> ZoneInfo:
    """Return the zone that the machine's owner set; UTC where none can be found out (R5).

    `TZ` comes first, then the link or the name that Linux and macOS keep. A TZ that is a rule
    ("CET-1CEST") and no name is passed over.
    """
    for name in _names():
        try:
            return ZoneInfo("UTC" if name in NAMES_OF_UTC else name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    return ZoneInfo("UTC")


def _names() -> list[str]:
    names = [os.environ.get("TZ", "").removeprefix(":")]
    if _LINK.is_symlink():
        _, found, name = str(_LINK.resolve()).partition("/zoneinfo/")
        names += [name] if found else []
    if _NAME.is_file():
        names.append(_NAME.read_text(encoding="utf-8").strip())
    return [name for name in names if name]
