"""Lock, sleep, another user and idle time, told over a real D-Bus by services in the desktop's place."""

import os
import threading
import time
from collections.abc import Iterator

import pytest

from capture.edges import Nothing
from capture.linux import bus as bus_line
from capture.linux.idle import LinuxIdle
from diary.clock import SystemClock
from tests.buses import MOCK, Bus, own_bus
from tests.patience import until
from tests.rule import rule

LOGIND = "org.freedesktop.login1"
MANAGER = "/org/freedesktop/login1"
OWN = "/org/freedesktop/login1/session/c2"
SESSION = f"{LOGIND}.Session"
LOCKER = "org.gnome.ScreenSaver"
LOCKER_PATH = "/org/gnome/ScreenSaver"


class Drawn(Nothing):
    """A desktop whose idle time is given."""

    def __init__(self) -> None:
        self.given_ms: int | None = None

    def idle_ms(self) -> int | None:  # type: ignore[override]  # `Nothing` always says None
        return self.given_ms


class Watched:
    """Presence that is being watched, and how often it woke."""

    def __init__(self, bus: Bus) -> None:
        self.drawn = Drawn()
        self.woken = threading.Event()
        self.idle = LinuxIdle(self.drawn, {**bus.environment(), "XDG_SESSION_ID": "c2"}, SystemClock())
        self.idle.watch(self.woken.set)

    def becomes(self, *, locked: bool) -> bool:
        """Return whether it wakes the tracker and is then so."""
        return until(lambda: self.woken.is_set() and self.idle.is_locked() is locked)


@pytest.fixture
def bus() -> Iterator[Bus]:
    with own_bus() as running:
        yield running


@pytest.fixture
def logind(bus: Bus) -> Bus:
    """Start a login manager with a session of another user, and this one's."""
    bus.serve("--system", "--template", "logind")
    for session, uid in (("c1", os.getuid() + 1), ("c2", os.getuid())):
        bus.call(LOGIND, MANAGER, MOCK, "AddSession", "ssusb", session, "seat0", uid, "somebody", True)
    return bus


@pytest.fixture
def watched(bus: Bus) -> Iterator[Watched]:
    found = Watched(bus)
    yield found
    found.idle.close()
    assert not [thread for thread in threading.enumerate() if thread.name.endswith(" bus")]


@rule("R18")
def test_a_locked_session_counts_as_locked_at_once_and_until_it_is_unlocked(
    logind: Bus, watched: Watched
) -> None:
    assert not watched.idle.is_locked()
    watched.woken.clear()
    logind.call(LOGIND, OWN, SESSION, "SetLockedHint", "b", True)
    assert watched.becomes(locked=True)
    watched.woken.clear()
    logind.call(LOGIND, OWN, SESSION, "SetLockedHint", "b", False)
    assert watched.becomes(locked=False)


@rule("R18")
def test_a_session_that_was_locked_before_the_tracker_came_is_locked(logind: Bus, watched: Watched) -> None:
    logind.call(LOGIND, OWN, SESSION, "SetLockedHint", "b", True)
    assert watched.idle.is_locked()


@rule("R18")
def test_the_lock_of_another_users_session_is_not_ours(logind: Bus, watched: Watched) -> None:
    assert not watched.idle.is_locked()
    logind.call(LOGIND, OWN.replace("c2", "c1"), SESSION, "SetLockedHint", "b", True)
    logind.call(LOGIND, OWN.replace("c2", "c1"), SESSION, "Lock", "")
    time.sleep(0.3)
    assert not watched.idle.is_locked()


@rule("R18")
def test_a_locker_that_confirms_nothing_locks_until_the_unlock_or_the_first_input(
    logind: Bus, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("capture.linux.logind.HINT_MS_MAX", 300)
    assert not watched.idle.is_locked()
    logind.call(LOGIND, OWN, SESSION, "Lock", "")
    assert watched.becomes(locked=True)
    logind.call(LOGIND, OWN, SESSION, "Unlock", "")
    assert watched.becomes(locked=False)
    logind.call(LOGIND, OWN, SESSION, "Lock", "")
    assert watched.becomes(locked=True)
    time.sleep(0.5)
    watched.drawn.given_ms = 60_000  # nothing came since
    assert watched.idle.is_locked()
    watched.drawn.given_ms = 0
    assert not watched.idle.is_locked()


@rule("R18")
def test_another_user_in_front_counts_as_locked(logind: Bus, watched: Watched) -> None:
    assert not watched.idle.is_locked()
    for active in (False, True):
        watched.woken.clear()
        logind.call(LOGIND, OWN, MOCK, "UpdateProperties", "sa{sv}", SESSION, {"Active": ("b", active)})
        assert watched.becomes(locked=not active)


@rule("R18")
def test_sleep_waits_until_the_tracker_has_noted_it_and_no_longer(logind: Bus, watched: Watched) -> None:
    def held() -> list[str]:
        (found,) = logind.call(LOGIND, MANAGER, f"{LOGIND}.Manager", "ListInhibitors", "")
        return [f"{what} {mode}" for what, _, _, mode, _, _ in found]

    assert not watched.idle.is_locked()
    assert held() == ["sleep delay"]
    watched.woken.clear()
    logind.tell(LOGIND, MANAGER, f"{LOGIND}.Manager", "PrepareForSleep", "b", True)
    assert watched.woken.wait(20)
    assert held() == ["sleep delay"]
    assert watched.idle.is_locked()
    assert until(lambda: held() == [])
    logind.tell(LOGIND, MANAGER, f"{LOGIND}.Manager", "PrepareForSleep", "b", False)
    assert watched.becomes(locked=False)
    assert until(lambda: held() == ["sleep delay"])


@rule("R18")
def test_the_desktops_own_locker_counts_too_and_its_end_unlocks(bus: Bus, watched: Watched) -> None:
    service = bus.serve(LOCKER, LOCKER_PATH, LOCKER)
    bus.call(LOCKER, LOCKER_PATH, MOCK, "AddMethod", "sssss", LOCKER, "GetActive", "", "b", "ret = True")
    assert watched.idle.is_locked()
    watched.woken.clear()
    bus.tell(LOCKER, LOCKER_PATH, LOCKER, "ActiveChanged", "b", False)
    assert watched.becomes(locked=False)
    bus.tell(LOCKER, LOCKER_PATH, LOCKER, "ActiveChanged", "b", True)
    assert watched.becomes(locked=True)
    service.kill()  # a locker that crashed covers nothing any longer
    assert watched.becomes(locked=False)


@rule("R19")
def test_a_bus_that_goes_away_locks_nobody_out_and_is_listened_to_when_it_is_back(
    logind: Bus, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus_line, "RETRY_SECONDS", 0.1)
    logind.call(LOGIND, OWN, SESSION, "SetLockedHint", "b", True)
    assert watched.idle.is_locked()
    logind.kill()
    assert watched.becomes(locked=False)
    logind.start()
    logind.serve("--system", "--template", "logind")
    logind.call(LOGIND, MANAGER, MOCK, "AddSession", "ssusb", "c2", "seat0", os.getuid(), "somebody", True)
    logind.call(LOGIND, OWN, SESSION, "SetLockedHint", "b", True)
    logind.tell(LOGIND, MANAGER, f"{LOGIND}.Manager", "SessionNew", "so", "c2", OWN)
    assert watched.becomes(locked=True)


@rule("R14")
def test_gnomes_idle_time_is_asked_for_where_nothing_else_tells_it(bus: Bus, watched: Watched) -> None:
    name, path = "org.gnome.Mutter.IdleMonitor", "/org/gnome/Mutter/IdleMonitor/Core"
    bus.serve(name, path, name)
    bus.call(name, path, MOCK, "AddMethod", "sssss", name, "GetIdletime", "", "t", "ret = 4711")
    assert watched.idle.idle_ms() == 4711
    watched.drawn.given_ms = 12
    assert watched.idle.idle_ms() == 12


@rule("R14")
def test_without_any_bus_nothing_is_known_and_nothing_fails() -> None:
    idle = LinuxIdle(Nothing(), {"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent"}, SystemClock())
    assert (idle.idle_ms(), idle.is_locked()) == (None, False)
    idle.close()
