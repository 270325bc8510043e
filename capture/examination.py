"""What `diary doctor` looks at on the desktop: picture, input, title, presence, notification (R13-R17, R70).

Nothing of it is kept: the picture is measured and dropped, and of input only how often is ever known.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from capture.alone import holder, is_tracked
from capture.edges import Edges, Lack, edges_of
from capture.notification import Button, Notice, Notifier, NotShown, Offers, Shown, notifier_of
from diary.diary import Diary
from diary.doctor import Check

LISTEN_SECONDS = 1.5
POLL_SECONDS = 0.1
NOTICE_SECONDS = 1.5
NOTICE = Notice("Work Diary", "Snapshots will be shown like this.", buttons=(Button("fine", "Fine"),))
LACKING: dict[Lack, str] = {
    "counts": "Where counts matter to a client, record in an X11 session.",
    "picture": "Record in an X11 session, or on a desktop with a portal for pictures.",
    "titles": "Where titles matter, record in an X11 session or on sway.",
    "positions": "With private rules, record in an X11 session or on sway to keep the rest of the picture.",
    "presence": "Record in an X11 session, or on a desktop that tells it.",
}
WHY_NO_PICTURE = {
    "no_permission": (
        "The desktop allows no picture.",
        "Allow it when the desktop asks, or in its privacy settings.",
    ),
    "locked": ("The screen is locked.", "Unlock it and look again."),
    "black": ("The picture is all black.", "Wake the screen; on a Wayland desktop log in to an X11 session."),
    "no_display": ("There is no display to take a picture of.", "Run it on the desktop that you work on."),
    "failed": ("The picture failed.", "See `diary tracker log`."),
}
# macOS asks by itself, once; what was refused then is mended in its settings only.
ON_MACOS = {
    "no_permission": (
        "macOS allows no picture yet; it has asked for it now.",
        "System Settings, Privacy & Security, Screen Recording: allow it, then start the tracker anew.",
    ),
}
NO_COUNTS = {
    "X11": "The X server needs its RECORD extension.",
    "Windows": "Security software may forbid it: allow Work Diary there.",
    "macOS": "System Settings, Privacy & Security, Input Monitoring: allow it, then start the tracker anew.",
}


def checks(diary: Diary) -> Iterator[Check]:
    """Yield the checks of tracker, notification, camera, screen, input, titles and presence."""
    yield _tracker(diary)
    yield _notification(diary)
    if diary.setting("camera"):
        yield _camera(str(diary.setting("camera_source")))
    edges = edges_of()
    if edges.blind_because:
        mend = "Run it on the desktop that you work on; everything but recording works without one."
        yield Check("desktop", "warning", edges.blind_because, mend)
        return
    try:
        yield _screen(edges)
        yield _title(edges)
        if lacking := _lacking(edges, "positions", "windows"):
            yield lacking
        yield _input(edges)
        yield _presence(edges)
    finally:
        edges.close()


def explained(edges: Edges) -> Mapping[str, tuple[str, str]]:
    """Return why there is no picture, each reason with what mends it on this desktop (R16)."""
    return WHY_NO_PICTURE | (ON_MACOS if edges.desktop == "macOS" else {})


def _lacking(edges: Edges, lack: Lack, name: str) -> Check | None:
    """Return what is to be said where the desktop cannot give this; None where it can."""
    return Check(name, "warning", edges.lacks[lack], LACKING[lack]) if lack in edges.lacks else None


def _tracker(diary: Diary) -> Check:
    if is_tracked(diary.home):
        return Check("tracker", "fine", f"The tracker runs as process {holder(diary.home)}.")
    if diary.tracking().on:
        return Check("tracker", "fault", "Tracking is on, and no tracker runs.", "Start it: diary continue.")
    return Check("tracker", "fine", "Tracking is off, and no tracker runs.")


def _notification(diary: Diary) -> Check:
    """Show one for a moment, and say what a snapshot's can have here (R17)."""
    if not diary.setting("notify"):
        return Check("notification", "fine", "Snapshots are not notified: the setting notify is off.")
    with ThreadPoolExecutor(1) as own:  # a loop of its own, also where one runs in this thread
        offers, shown = own.submit(asyncio.run, _shown_for_a_moment(notifier_of())).result()
    otherwise = "Remove a snapshot with diary remove @last, or on the pages."
    if because := offers.because or (shown.because if isinstance(shown, NotShown) else ""):
        return Check("notification", "warning", because, otherwise)
    lacking = [name for name, has in (("buttons", offers.buttons), ("pictures", offers.pictures)) if not has]
    if lacking:
        says = f"A notification was shown, but {offers.service} offers no {' and no '.join(lacking)}."
        return Check("notification", "warning", says, otherwise)
    if offers.is_quiet:
        says = f"Notifications are told not to disturb ({offers.service})."
        return Check("notification", "warning", says, otherwise)
    return Check("notification", "fine", f"A notification was shown by {offers.service}, with a button.")


async def _shown_for_a_moment(notifier: Notifier) -> tuple[Offers, Shown | NotShown]:
    offers = await notifier.begin(lambda _answer: None)
    shown = await notifier.show(NOTICE)
    if isinstance(shown, Shown):
        await asyncio.sleep(NOTICE_SECONDS)
        await notifier.withdraw(shown.handle)
    await notifier.end()
    return offers, shown


def _camera(source: str) -> Check:
    """Take a frame and drop it; the camera's light goes on for it (R13)."""
    from capture.camera import CameraFault, take_frame

    try:
        frame = take_frame(source)
    except CameraFault as fault:
        return Check("camera", "fault", str(fault), "Or turn it off: diary config camera off.")
    says = f"A camera frame of {frame.width} by {frame.height} was taken, and dropped; its light was on."
    return Check("camera", "fine", says)


def _screen(edges: Edges) -> Check:
    shot = edges.screen.grab("all", None)
    if isinstance(shot, str):
        says, mend = explained(edges)[shot]
        return Check("screen", "fault", says, mend)
    picture = shot.picture
    return Check(
        "screen", "fine", f"A picture of {picture.width} by {picture.height} was taken, and dropped."
    )


def _title(edges: Edges) -> Check:
    if lacking := _lacking(edges, "titles", "titles"):
        return lacking
    window = edges.windows.active()
    if window.application or window.title:
        seen = f"{len(window.title)} characters of title, application “{window.application}”"
        says = f"The active window is read: {seen}."
        return Check("titles", "fine", says)
    mend = "Click into a window and look again; without a window manager none is known."
    return Check("titles", "warning", "No active window is known.", mend)


def _input(edges: Edges) -> Check:
    """Listen for a moment: that counting starts is checked, and what came meanwhile is said as a number."""
    if lacking := _lacking(edges, "counts", "input"):
        return lacking
    if not edges.input_counts.start():
        return Check("input", "fault", "Input cannot be counted.", NO_COUNTS.get(edges.desktop, ""))
    counted = 0
    for _ in range(int(LISTEN_SECONDS / POLL_SECONDS)):
        time.sleep(POLL_SECONDS)
        sample = edges.input_counts.take_minute()
        counted += sum(filter(None, (sample.keystrokes, sample.clicks, sample.scrolls)))
        if counted:
            break
    says = (
        "Input is counted: something came just now."
        if counted
        else "Input can be counted; nothing was typed now."
    )
    return Check("input", "fine", says)


def _presence(edges: Edges) -> Check:
    if lacking := _lacking(edges, "presence", "presence"):
        return lacking
    idle_ms = _idle_ms(edges)
    if idle_ms is None:
        mend = "Idle time then counts by input alone; the X server lacks MIT-SCREEN-SAVER."
        return Check("presence", "warning", "The desktop does not say how long nobody was there.", mend)
    return Check("presence", "fine", f"The desktop saw somebody {idle_ms / 1000:,.0f} s ago.")


def _idle_ms(edges: Edges) -> int | None:
    """Return the idle time; a desktop that tells it only by notice is given time for the first."""
    for _ in range(int(LISTEN_SECONDS / POLL_SECONDS)):
        if (idle_ms := edges.idle.idle_ms()) is not None:
            return idle_ms
        time.sleep(POLL_SECONDS)
    return None
