"""The window and the tray in Qt: lays out what `panel` says, and passes acts on.

Qt's own widgets bring keyboard, screen reader, dark theme and scaling with them; nothing is drawn by hand but
the tray's icon, whose state is its tooltip's first word too.
"""

import io
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from PIL import Image
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import (
    QAction,
    QCloseEvent,
    QColor,
    QIcon,
    QImage,
    QKeySequence,
    QPainter,
    QPixmap,
    QShortcut,
)
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QMenu,
    QMessageBox,
    QPushButton,
    QScrollArea,
    QSystemTrayIcon,
    QVBoxLayout,
    QWidget,
)

from capture.window.acting import Acting
from capture.window.panel import PAUSE_MINUTES, Act, Panel, State
from diary.errors import DiaryError

if TYPE_CHECKING:
    from diary.rules.ids import ContractId, Place

REFRESH_MS = 1_000
THUMBNAIL_WIDTH = 160
TITLE_BAR = 40
_COLOURS: Mapping[State, str] = {"on": "#2e7d32", "paused": "#b26a00", "off": "#757575"}  # 3:1 on any panel


class Window(QWidget):
    """The window; it closes into the tray where there is one."""

    def __init__(self, acting: Acting) -> None:
        super().__init__()
        self._acting = acting
        self._shown: Panel | None = None
        self._wanted: ContractId | None = None
        self._pictured = ""
        self.setWindowTitle("Work Diary")
        self._lay_out()
        self._tray = _Tray(self) if QSystemTrayIcon.isSystemTrayAvailable() else None
        timer = QTimer(self)
        timer.timeout.connect(self.refresh)
        timer.start(REFRESH_MS)
        self.resize(0, 0)  # Qt's own guess is larger than what is shown
        self.refresh()
        self._fit()

    def refresh(self) -> None:
        """Show what the diary says now; what is being typed stays."""
        try:
            panel = self._acting.panel(self._wanted)
        except DiaryError as fault:
            self._say(fault.in_full)
            return
        if panel != self._shown:
            self._shown = panel
            self._show(panel)
            QTimer.singleShot(0, self._fit)  # once what was shown or hidden is laid out
        if self._tray:
            self._tray.show_state(panel)

    def act(self, act: Act, text: str = "", place: "Place | None" = None) -> None:
        """Do an act with what stands in the fields, and show what came of it."""
        shown = self._shown
        said = self._acting.do(
            act,
            contract=self._contracts.currentData(),
            text=text or self._memo.currentText(),
            label=self._labels.currentText() if self._labels.isEnabled() else "",
            place=place,
            asked_until_ms=shown.idle_until_ms if shown else None,
        )
        if act in {"start", "switch"}:
            self._wanted = None
        self._say(said)
        self.refresh()

    def open_diary(self) -> None:
        """Open the diary in the browser."""
        self._say(self._acting.open_diary())

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802  # Qt's name
        """Hide into the tray where there is one; else end. Tracking goes on either way."""
        if self._tray:
            event.ignore()
            self.hide()
        else:
            QApplication.quit()

    def _lay_out(self) -> None:
        self._contents = QWidget()
        whole = QVBoxLayout(self._contents)
        self._scrolled = QScrollArea()
        self._scrolled.setWidgetResizable(True)
        self._scrolled.setFrameShape(QScrollArea.Shape.NoFrame)
        self._scrolled.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scrolled.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # it follows what has the focus
        self._scrolled.setWidget(self._contents)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._scrolled)
        self._headline = _label("State", whole)
        font = self._headline.font()
        font.setBold(True)
        font.setPointSizeF(font.pointSizeF() * 1.2)
        self._headline.setFont(font)
        form = QFormLayout()
        whole.addLayout(form)
        self._contracts = _combo("Contract", "&Contract", form)
        self._contracts.activated.connect(self._choose)
        self._memo = _combo("Memo", "&Memo", form)
        self._memo.setEditable(True)
        self._memo.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self._memo.setToolTip("What you are working on; Enter sets it.")
        self._labels = _combo("Activity label", "&Label", form)
        self._labels.activated.connect(lambda _: self._set_label())
        self._buttons: dict[Act, QPushButton] = {}
        row = _row(whole)
        for act, text in _BUTTONS.items():
            self._buttons[act] = self._button(text, row, partial(self.act, act))
        line = self._memo.lineEdit()
        assert line is not None, "an editable combo has one"
        line.returnPressed.connect(self._enter_memo)
        self._idle = QGroupBox("Time away")
        whole.addWidget(self._idle)
        self._lay_out_idle(QVBoxLayout(self._idle))
        self._times = _label("Times", whole)
        self._waiting = _label("Waiting", whole)
        self._notes = _label("Notes", whole)
        self._snapshot = QGroupBox("Last snapshot")
        whole.addWidget(self._snapshot)
        shot = QHBoxLayout(self._snapshot)
        self._thumbnail = QLabel()
        self._thumbnail.setAccessibleName("Thumbnail of the last snapshot")
        shot.addWidget(self._thumbnail)
        self._snapshot_says = _label("Last snapshot", shot)
        shot.setStretchFactor(self._snapshot_says, 1)
        self._button("&Remove", shot, self._remove)
        row = _row(whole)
        self._button("&Open diary", row, self.open_diary)
        self._button("&Quit", row, QApplication.quit)
        # Beside the button's own key: setting it as the button's shortcut would take that one away.
        QShortcut(QKeySequence(QKeySequence.StandardKey.Quit), self).activated.connect(QApplication.quit)
        self._said = _label("Message", whole)

    def _lay_out_idle(self, inside: QVBoxLayout) -> None:
        self._idle_asks = _label("Question", inside)
        row = _row(inside)
        for text, word in (
            ("&Keep it", "keep"),
            ("&Drop it", "drop"),
            ("Mo&ve it to the contract above", "move"),
        ):
            self._button(text, row, partial(self.act, "answer_idle", word))

    def _button(self, text: str, row: QHBoxLayout, act: Callable[[], object]) -> QPushButton:
        button = QPushButton(text)
        button.setAutoDefault(True)  # Enter presses the button that has the focus
        button.clicked.connect(lambda: act())  # noqa: PLW0108  # Qt would hand it its own argument
        row.addWidget(button)
        return button

    def _show(self, panel: Panel) -> None:
        self._headline.setText(panel.headline)
        self.setWindowTitle(f"Work Diary – {panel.headline}")
        _fill(self._contracts, [(choice.title, choice.id) for choice in panel.choices], panel.chosen)
        _fill(self._labels, [(label, label) for label in ("", *panel.labels)], panel.label)
        self._labels.setEnabled(bool(panel.labels))
        if not self._memo.hasFocus() or not self._memo.currentText():
            _fill(self._memo, [(memo, memo) for memo in panel.recent_memos], None)
            self._memo.setEditText(panel.memo)
        for act, button in self._buttons.items():
            button.setEnabled(act in panel.acts)
        self._idle.setVisible(bool(panel.idle_asks))
        self._idle_asks.setText(panel.idle_asks)
        self._times.setText(panel.times)
        self._waiting.setText(panel.waiting)
        self._notes.setText("\n".join(panel.notes))
        self._notes.setVisible(bool(panel.notes))
        self._snapshot.setVisible(panel.snapshot is not None)
        self._snapshot_says.setText(panel.snapshot_says)
        if panel.snapshot is not None and panel.snapshot.thumbnail != self._pictured:
            self._pictured = panel.snapshot.thumbnail
            pixmap = _pixmap(self._acting.thumbnail(panel.snapshot), self.devicePixelRatioF())
            self._thumbnail.setPixmap(pixmap)
            self._thumbnail.setVisible(not pixmap.isNull())

    def _fit(self) -> None:
        """Be as large as what is shown, and no higher than the screen: there the rest is scrolled to."""
        wanted, bar = self._contents.sizeHint(), self._scrolled.verticalScrollBar().sizeHint().width()
        self._scrolled.setMinimumWidth(self._contents.minimumSizeHint().width() + bar)
        room = self.screen().availableGeometry().height() - TITLE_BAR
        wide, high = max(self.width(), wanted.width()), max(self.height(), wanted.height())
        self.resize(wide, min(high, room))

    def _choose(self, _index: int) -> None:
        self._wanted = self._contracts.currentData()
        self.refresh()

    def _set_label(self) -> None:
        if self._shown and "set_label" in self._shown.acts:
            self.act("set_label")

    def _enter_memo(self) -> None:
        """Set the memo of what is tracked; start with it where nothing is."""
        acts = self._shown.acts if self._shown else frozenset()
        self.act("switch" if "switch" in acts else "set_memo" if "set_memo" in acts else "start")

    def _remove(self) -> None:
        panel = self._shown
        if panel is None or panel.snapshot is None:
            return
        asked = QMessageBox.question(
            self,
            "Remove the snapshot",
            f"Remove the snapshot and its time? {panel.snapshot_says}. This cannot be undone.",
            defaultButton=QMessageBox.StandardButton.No,
        )
        if asked == QMessageBox.StandardButton.Yes:
            # The one that was asked about: by now another may be the newest.
            self.act("remove", place=panel.snapshot.place)

    def _say(self, text: str) -> None:
        self._said.setText(text)
        self._said.setVisible(bool(text))


_BUTTONS: Mapping[Act, str] = {
    "start": "&Start",
    "switch": "S&witch",
    "stop": "S&top",
    "pause": f"&Pause {PAUSE_MINUTES} minutes",
    "continue": "Co&ntinue",
}


class _Tray:
    """The tray's icon and menu: the same acts."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._icon = QSystemTrayIcon(window)
        self._menu = QMenu()
        self._headline = self._add("", window.show)
        self._menu.addSeparator()
        self._acts: dict[Act, QAction] = {
            act: self._add(text, partial(window.act, act)) for act, text in _BUTTONS.items()
        }
        self._menu.addSeparator()
        self._add("Show &window", self._toggle)
        self._add("&Open diary", window.open_diary)
        self._add("&Quit", QApplication.quit)
        self._icon.setContextMenu(self._menu)
        self._icon.activated.connect(self._activated)
        self._state: State | None = None

    def show_state(self, panel: Panel) -> None:
        """Bring icon, tooltip and menu to what is shown."""
        self._headline.setText(panel.headline)
        self._icon.setToolTip(f"{panel.headline}\n{panel.times}")
        for act, action in self._acts.items():
            action.setEnabled(act in panel.acts)
        if panel.state != self._state:
            self._state = panel.state
            self._icon.setIcon(_icon(panel.state))
            self._icon.show()

    def _add(self, text: str, act: Callable[[], object]) -> QAction:
        action = self._menu.addAction(text)
        action.triggered.connect(lambda: act())  # noqa: PLW0108  # as above
        return action

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason == QSystemTrayIcon.ActivationReason.Trigger:
            self._toggle()

    def _toggle(self) -> None:
        window = self._window
        window.hide() if window.isVisible() else window.showNormal()
        window.activateWindow()


def application() -> QApplication:
    """Return the one application of this process."""
    app = QApplication.instance() or QApplication(["Work Diary"])
    assert isinstance(app, QApplication)
    app.setApplicationName("Work Diary")
    app.setDesktopFileName("workdiary")
    app.setQuitOnLastWindowClosed(False)
    return app


def run(acting: Acting, *, hidden: bool = False) -> int:
    """Show the window until it is quit; `hidden` starts in the tray where there is one."""
    app = application()
    window = Window(acting)
    if not (hidden and QSystemTrayIcon.isSystemTrayAvailable()):
        window.show()
    return app.exec()


def _label(name: str, inside: QVBoxLayout | QHBoxLayout) -> QLabel:
    label = QLabel()
    label.setAccessibleName(name)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)  # a memo or title is text and never markup
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    inside.addWidget(label)
    return label


def _combo(name: str, text: str, form: QFormLayout) -> QComboBox:
    combo = QComboBox()
    combo.setAccessibleName(name)
    label = QLabel(text)
    label.setBuddy(combo)
    form.addRow(label, combo)
    return combo


def _row(inside: QVBoxLayout) -> QHBoxLayout:
    row = QHBoxLayout()
    inside.addLayout(row)
    return row


def _fill(combo: QComboBox, items: list[tuple[str, str]], chosen: str | None) -> None:
    """Put items into a list, where they are others than before, and choose one."""
    present = [(combo.itemText(at), combo.itemData(at)) for at in range(combo.count())]
    combo.blockSignals(True)
    if present != items:
        combo.clear()
        for text, data in items:
            combo.addItem(text, data)
    if chosen is not None:
        combo.setCurrentIndex(combo.findData(chosen))
    combo.blockSignals(False)


def _icon(state: State) -> QIcon:
    """Return a disc (on), two bars (paused) or a ring (off): told apart without colour."""
    pixmap = QPixmap(64, 64)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(_COLOURS[state]))
    if state == "paused":
        painter.drawRect(14, 10, 13, 44)
        painter.drawRect(37, 10, 13, 44)
    else:
        painter.drawEllipse(6, 6, 52, 52)
    if state == "off":
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Clear)
        painter.drawEllipse(18, 18, 28, 28)
    painter.end()
    return QIcon(pixmap)


def _pixmap(picture: bytes, scale: float) -> QPixmap:
    """Return a thumbnail for the window; Qt reads no AVIF, so Pillow does. Empty where there is none.

    `scale` is how many of the screen's pixels one of the window's is.
    """
    if not picture:
        return QPixmap()
    try:
        image = Image.open(io.BytesIO(picture)).convert("RGBA")
    except (OSError, ValueError):
        return QPixmap()  # whoever wrote it: a picture that cannot be shown takes nothing else with it
    side = round(THUMBNAIL_WIDTH * scale)
    image.thumbnail((side, side))
    raw = QImage(image.tobytes(), image.width, image.height, QImage.Format.Format_RGBA8888).copy()
    raw.setDevicePixelRatio(scale)
    return QPixmap.fromImage(raw)
