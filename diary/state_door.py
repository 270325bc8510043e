"""The least of the one door: a diary opened, and its state in one look (CLI.md, R19, R42).

Prompts and status bars ask no more than this, many times a day, and wait for each import; so what corrects,
shows or syncs stands in the doors built on this one.
"""

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from diary import opening, settings, status
from diary.clock import Clock
from diary.rules.ids import AccountId, ContractId, Millis, ReplicaId
from diary.state import OpenDiary
from diary.status import Status


class StateDoor:
    """An open diary, in one thread; a context manager that closes it."""

    def __init__(self, state: OpenDiary) -> None:
        self._state = state

    @classmethod
    def open(
        cls, home: Path, *, clock: Clock | None = None, ask_passphrase: Callable[[], str] | None = None
    ) -> Self:
        """Open the diary in a folder (see `opening.open_diary`; R19); a copy is renewed first (R42)."""
        state = opening.open_diary(home, clock=clock, ask_passphrase=ask_passphrase)
        try:
            cls._prepare(state)
        except BaseException:
            state.connection.close()
            raise
        return cls(state)

    @classmethod
    def _prepare(cls, state: OpenDiary) -> None:
        """Do what the door does as soon as the file is open."""
        # Hardly ever true of a file that was opened before, and each loads a good part of the diary.
        if opening.lies_elsewhere(state):
            from diary import renewing

            renewing.renew_if_copied(state)
        if not opening.is_recoverable(state):
            from diary import recovering

            recovering.keep_recoverable(state)

    def forget_opened(self) -> None:
        """Let go of opened contents and weeks that are at hand in memory; asked for again they are opened.

        Who runs for weeks and shows little of the diary, as the tracker does, holds none of it that long.
        """
        self._state.contents.clear()
        self._state.weeks.clear()

    def close(self) -> None:
        """Close the file and forget what was opened."""
        self.forget_opened()
        self._state.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def home(self) -> Path:
        """Return the folder in which the diary lies."""
        return self._state.home

    @property
    def account(self) -> AccountId:
        """Return the account's id."""
        return self._state.account

    @property
    def seat_in(self) -> ContractId | None:
        """Return the contract of which this is a client's replica; None for a freelancer's diary (R67)."""
        return self._state.seat_in

    @property
    def replica(self) -> ReplicaId:
        """Return the id under which this file writes (R33)."""
        return self._state.replica

    @property
    def clock(self) -> Clock:
        """Return the clock this diary was opened with."""
        return self._state.clock

    @property
    def device_name(self) -> str:
        """Return this device's name as its owner gave it."""
        with self._state.reading():
            return self._state.device_name

    def now_ms(self) -> Millis:
        """Return the clock corrected by the known difference to the server's (R20, R39)."""
        with self._state.reading():
            return self._state.now_ms()

    def status(self) -> Status:
        """Return the state in one look (CLI.md)."""
        return status.status(self._state)

    def setting(self, name: str) -> settings.Value:
        """Return a setting's value, its default where it was never set."""
        return settings.setting(self._state, name)
