"""Whether the account is in good standing at its server, as its operator last said (R30).

A suspended account's time is taken as ever; its pictures wait on this device, and the checklist says so.
"""

from dataclasses import dataclass

from diary.rules.ids import Millis
from diary.state import SERVER, OpenDiary
from diary.store import meta

SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Suspension:
    """Since when the account is suspended, and why, in the operator's words."""

    since_ms: Millis
    because: str

    @property
    def says(self) -> str:
        """Return what is said of it wherever attention is asked for."""
        return (
            f"The server's operator has suspended this account: {self.because.rstrip('.')}. Time is taken as "
            "ever, pictures wait on this device. Write to whoever runs the server."
        )


def note_standing(diary: OpenDiary, suspended: Suspension | None) -> None:
    """Keep what the server said, when that is news."""
    if suspended == suspension(diary):
        return
    with diary.writing():
        if suspended is None:
            meta.remove(diary.connection, SUSPENDED)
        else:
            diary.keep(SUSPENDED, [suspended.since_ms, suspended.because])


def suspension(diary: OpenDiary) -> Suspension | None:
    """Return the suspension, None for an account in good standing or one of which nothing was said."""
    kept = diary.kept(SUSPENDED)
    if not isinstance(kept, list):
        return None
    since_ms, because = kept
    return Suspension(Millis(since_ms), because)


def good_standing(diary: OpenDiary) -> bool | None:
    """Return whether the account is in good standing, None where there is no server to say so (R30)."""
    if meta.get(diary.connection, SERVER) is None:
        return None
    return meta.blob(diary.connection, SUSPENDED) is None
