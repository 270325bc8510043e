"""The name under which a file that somebody else sent may be saved (R68). Pure."""

import re

from diary.rules.plain_text import plain_line

NAME_BYTES_MAX = 180  # file systems take 255; a number and an ending may come to it
NO_NAME = "file"

# What separates folders, what Windows takes for something else, and what a shell would ask about.
_TAKEN = re.compile(r'[\x00-\x1f/\\:*?"<>|]+')
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def safe_file_name(given: str) -> str:
    """Return a name that stays in its folder, is shown by no desktop as hidden, and turns nothing around."""
    name = _TAKEN.sub("_", plain_line(given, NAME_BYTES_MAX)).strip(" .")
    name = name.encode()[:NAME_BYTES_MAX].decode(errors="ignore").strip(" .")
    if not name or _DEVICES.fullmatch(name):
        return f"{NO_NAME} {name}".strip()
    return name


def free_name(given: str, taken: set[str]) -> str:
    """Return a safe name that is none of those taken, whatever the case, and take it."""
    name = safe_file_name(given)
    stem, dot, ending = name.rpartition(".")
    number = 1
    while name.casefold() in taken:
        number += 1
        name = f"{stem} ({number}).{ending}" if dot else f"{ending} ({number})"
    taken.add(name.casefold())
    return name
