"""Which desktop the edges belong to."""

import pytest

from capture.draft import Sample
from capture.edges import ActiveWindow, edges_of
from tests.rule import rule


@rule("R14")
@pytest.mark.parametrize(
    "environment",
    [
        {"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"},
        {"DISPLAY": ":0", "XDG_SESSION_TYPE": "wayland"},
        {},
    ],
)
def test_a_desktop_that_cannot_be_seen_counts_nothing_rather_than_zero(environment: dict[str, str]) -> None:
    edges = edges_of(environment)
    assert edges.blind_because
    assert not edges.input_counts.start()
    assert edges.input_counts.take_minute() == Sample(None, None, None, None)
    assert edges.windows.active() == ActiveWindow()
    assert edges.screen.grab("all", None) == "no_display"


@rule("R16")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # python-xlib's failed sockets
def test_a_display_that_is_not_there_gives_reasons_and_no_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":4711")
    edges = edges_of({"DISPLAY": ":4711"})
    assert edges.windows.active() == ActiveWindow()
    assert edges.screen.grab("all", None) == "no_display"
    assert edges.idle.idle_ms() is None
    assert not edges.idle.is_locked()
    edges.close()
