"""The zone that a freelancer's captures tell, so that a client may read times by it (R5).

It is for showing alone: weeks, locks and limits never depend on it.
"""

from zoneinfo import available_timezones

from diary import envelope, settings
from diary.errors import DamageError
from diary.rules.sealed_content import CaptureContent
from diary.state import OpenDiary
from diary.store import device_traces
from diary.zone import machine_zone


def zone_to_tell(diary: OpenDiary) -> str:
    """Return the zone in which this device's owner reads times: the setting's, else the machine's (R5)."""
    return str(settings.setting(diary, "zone")) or machine_zone().key


def freelancers_zone(diary: OpenDiary) -> str | None:
    """Return the zone that the newest capture tells (R5).

    None where there is none that opens, it was made before captures told one, or its zone is not known here.
    """
    with diary.reading():
        capture = device_traces.newest_capture_of_all(diary.connection)
        if capture is None:
            return None
        try:
            content = envelope.open_content(diary, capture.header, capture.sealed)
        except DamageError:
            return None
    zone = content.zone if isinstance(content, CaptureContent) else ""
    return zone if zone in available_timezones() else None
