"""A virtual desktop for the tests of this room."""

from collections.abc import Iterator

import pytest

from capture.edges import Edges, edges_of
from tests.desktop import Desktop
from tests.notification_desktop import NotificationDesktop


@pytest.fixture
def desktop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desktop]:
    """Start a desktop that this process is on."""
    with Desktop.start(1280, 800, title="Ledger — draft") as running:
        for name, value in running.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        yield running


@pytest.fixture
def edges(desktop: Desktop) -> Iterator[Edges]:
    """Give the desktop's edges, closed at the end."""
    found = edges_of()
    assert not found.blind_because
    yield found
    found.close()


@pytest.fixture(scope="module")
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NotificationDesktop]:
    """Start a desktop with a service of notifications, for all tests of a file."""
    folder = tmp_path_factory.mktemp("bus")
    with Desktop.start(1280, 800) as desktop, NotificationDesktop.on(desktop, folder) as running:
        yield running
