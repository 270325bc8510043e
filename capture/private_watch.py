"""Whether tracking pauses now, because a private window is shown that nobody may mask (R22)."""

import asyncio
from collections.abc import Callable

from capture.edges import Edges, Monitors
from capture.photograph import is_private_shown
from capture.privacy import Privacy
from diary.rules.ids import ContractId

PRIVACY_MS_MAX = 60_000  # terms change with the week; rules and contract wake the tracker


class PrivateWatch:
    """Looks at the desktop each second, under a contract that allows no masking and where there are rules."""

    def __init__(
        self,
        edges: Edges,
        privacy_of: Callable[[ContractId], Privacy],
        monitors: Callable[[], Monitors],
        group: asyncio.TaskGroup,
    ) -> None:
        self._edges = edges
        self._privacy_of = privacy_of
        self._monitors = monitors
        self._group = group
        self._privacy = Privacy()
        self._contract: ContractId | None = None  # whose privacy it is
        self._until_ms = 0
        self._is_looking = False
        self.is_shown = False

    def look(self, contract: ContractId | None, now_ms: int, *, is_on: bool, is_woken: bool) -> None:
        """Look once, if there is anything to look for; `is_shown` tells what was seen last."""
        if self._is_looking:
            return
        if contract is not None and (is_woken or now_ms >= self._until_ms or contract != self._contract):
            self._contract, self._until_ms = contract, now_ms + PRIVACY_MS_MAX
            self._privacy = self._privacy_of(contract)
        if not is_on or self._privacy.may_mask or not self._privacy.hides_anything:
            self.is_shown = False
            return
        self._is_looking = True
        self._group.create_task(self._see())

    async def _see(self) -> None:
        try:
            # In a thread, as there may be many windows to ask about: one at a time, and nobody else asks.
            self.is_shown = await asyncio.to_thread(
                is_private_shown, self._edges, self._monitors(), self._privacy
            )
        finally:
            self._is_looking = False
