"""What the backends of Windows and macOS make of what their systems answer (fakes: tests/capture/systems)."""

import pytest

from capture.draft import Sample
from capture.edges import ActiveWindow, VisibleWindow
from capture.examination import explained
from capture.macos.edges import macos_edges
from capture.win32.edges import windows_edges
from tests.capture.systems import macos, windows
from tests.capture.systems.camera import Camera
from tests.rule import rule

BANK = r"C:\Program Files\Bank\Bank.exe"
DAY_TICKS = 24 * 60 * 60_000


@rule("R22")
def test_on_windows_only_windows_that_are_to_be_seen_are_listed_the_lowest_first() -> None:
    desk = windows.Windows(
        [
            windows.Window("Behind", BANK, (-640, 100, 640, 480)),
            windows.Window("Hidden", BANK, (0, 0, 10, 10), visible=False),
            windows.Window("Minimised", BANK, (-32000, -32000, 160, 28), iconic=True),
            windows.Window("On another virtual desktop", BANK, (0, 0, 800, 600), cloaked=True),
            windows.Window("A helper without a size", BANK, (0, 0, 0, 0)),
            windows.Window("Before", r"C:\edit.exe", (100, 50, 800, 600)),
        ],
        focus=5,
    )
    edges = windows_edges(desk.libraries(), Camera)
    # Places are from the corner of the whole, which begins at a monitor left of the main one.
    assert edges.windows.visible() == (
        VisibleWindow("Bank", "Behind", (0, 100, 640, 480)),
        VisibleWindow("edit", "Before", (740, 50, 800, 600)),
    )
    assert edges.windows.active() == ActiveWindow("edit", "Before", (1140, 350))
    assert desk.open_handles == 0


@rule("R14")
def test_on_windows_idle_time_goes_on_where_its_clock_begins_anew() -> None:
    desk = windows.Windows(ticks=(1 << 32) + 500, last_input=(1 << 32) - 1_500)
    assert windows_edges(desk.libraries(), Camera).idle.idle_ms() == 2_000
    desk.ticks += DAY_TICKS
    assert windows_edges(desk.libraries(), Camera).idle.idle_ms() == DAY_TICKS + 2_000


@rule("R18")
def test_on_windows_a_lock_screen_has_no_active_window() -> None:
    desk = windows.Windows([windows.Window("Ledger", BANK, (0, 0, 800, 600))], focus=0, locked=True)
    edges = windows_edges(desk.libraries(), Camera)
    assert edges.windows.active() == ActiveWindow()
    assert edges.idle.is_locked()


@rule("R14")
@rule("R15")
def test_on_windows_each_kind_of_message_counts_once_and_motion_and_presses_never() -> None:
    desk = windows.Windows()
    with windows.on_windows(desk):
        counts = windows_edges(desk.libraries(), Camera).input_counts
        assert counts.start()
        for message in (0x0100, 0x0100, 0x0101, 0x0104, 0x0105):  # held, released; the same with Alt
            desk.sends(windows.KEYBOARD, message)
        for message in set(range(0x0200, 0x020F)) - {0x0203, 0x0206, 0x0209, 0x020D}:  # all but double clicks
            desk.sends(windows.MOUSE, message)
        assert counts.take_minute() == Sample(2, 4, 2)
        counts.stop()
        assert desk.hooks == 0


@rule("R16")
def test_on_a_mac_without_the_permission_for_pictures_it_is_asked_for_and_said() -> None:
    quartz = macos.Quartz([macos.Window("Ledger", "Editor", (0, 0, 800, 600))], may_take_pictures=False)
    edges = macos_edges(quartz, Camera)
    assert edges.screen.grab("all", None) == "no_permission"
    assert quartz.asked == ["pictures"]
    assert edges.windows.active() == ActiveWindow("Editor", "", (1040, 300))
    assert edges.windows.visible() is None  # without titles no rule on titles could hold (R22)
    assert "Screen" in explained(edges)["no_permission"][1]


@rule("R14")
def test_on_a_mac_without_the_permission_to_count_nothing_is_counted_and_it_is_asked_for() -> None:
    quartz = macos.Quartz(may_count=False)
    counts = macos_edges(quartz, Camera).input_counts
    assert not counts.start()
    assert quartz.asked == ["input"]
    assert counts.take_minute() == Sample()
    quartz.may_count = True
    assert counts.start()
    counts.stop()


@rule("R14")
@rule("R15")
def test_on_a_mac_a_tap_that_the_system_disabled_counts_on() -> None:
    quartz = macos.Quartz()
    counts = macos_edges(quartz, Camera).input_counts
    assert counts.start()
    for kind in (10, 11, 1, 2, 3, 25, 5, 22):
        quartz.sends(kind)
    assert counts.take_minute() == Sample(1, 3, 1)
    quartz.disables()
    quartz.sends(11)
    assert counts.take_minute() == Sample(1, 0, 0)
    counts.stop()


@rule("R22")
def test_on_a_mac_menus_are_windows_of_their_application_and_never_the_active_one() -> None:
    quartz = macos.Quartz(
        [
            macos.Window("Behind", "Bank", (-640, 100, 640, 480)),
            macos.Window("Before", "Editor", (100, 50, 800, 600)),
            macos.Window("", "Bank", (10, 20, 200, 300), layer=101),
            macos.Window("", "Shade", (0, 0, 1280, 800), layer=200, alpha=0.0),
        ]
    )
    edges = macos_edges(quartz, Camera)
    assert edges.windows.active() == ActiveWindow("Editor", "Before", (1140, 350))
    assert edges.windows.visible() == (
        VisibleWindow("Bank", "Behind", (0, 100, 640, 480)),
        VisibleWindow("Editor", "Before", (740, 50, 800, 600)),
        VisibleWindow("Bank", "", (650, 20, 200, 300)),
    )


@rule("R18")
@pytest.mark.parametrize(
    "session", [None, {"kCGSSessionOnConsoleKey": False}, {"CGSSessionScreenIsLocked": True}]
)
def test_on_a_mac_another_user_in_front_or_nobody_counts_as_locked(session: dict[str, object] | None) -> None:
    quartz = macos.Quartz(session=session)
    assert macos_edges(quartz, Camera).idle.is_locked()
    quartz.session = {"kCGSSessionOnConsoleKey": True}
    assert not macos_edges(quartz, Camera).idle.is_locked()
