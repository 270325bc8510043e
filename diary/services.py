"""What `diary up` runs: the shape in which other rooms name their services by entry point.

Entry point group "workdiary.services": each object is a function `service() -> Service`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Service:
    """A part of `diary up`: `name` as it is shown, `arguments` what `diary --home DIR` is called with."""

    name: str
    arguments: tuple[str, ...]
