"""A server that shows what it likes and does not answer for it: who asks it to ends as `ends` says (R43)."""

from typing import Literal

import httpx

from tests.sync.stage import Device

Ends = Literal["failed", "hangs", "no such door", "nonsense", "unsure", "unknown", "answers"]
_STATUS: dict[Ends, tuple[int, bytes]] = {
    "failed": (503, b""),
    "no such door": (404, b'{"reason": "not_found", "because": "There is nothing here."}'),
    "nonsense": (200, b"<h1>It works</h1>"),
    "unsure": (503, b'{"reason": "clock_unsure", "because": "The clock jumped."}'),
    "unknown": (401, b'{"reason": "not_enrolled", "because": "Who are you?"}'),
}


class Silent(httpx.BaseTransport):
    """Stands where a device's line ends; `rows_only` answers for the log and takes no row back."""

    def __init__(self, inner: httpx.BaseTransport, ends: Ends, *, rows_only: bool = False) -> None:
        self._inner = inner
        self.ends = ends
        self.rows_only = rows_only
        self.asked = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        is_asked = request.url.path == "/v1/heal" and self.ends != "answers"
        if not is_asked or (self.rows_only and self.asked == 0):
            self.asked += is_asked
            return self._inner.handle_request(request)
        self.asked += 1
        if self.ends == "hangs":
            raise httpx.ReadTimeout("nothing came", request=request)
        status, content = _STATUS[self.ends]
        return httpx.Response(status, headers={"Content-Type": "application/json"}, content=content)

    def close(self) -> None:
        self._inner.close()


def silence_before(device: Device, ends: Ends, *, rows_only: bool = False) -> Silent:
    """Have the stage's server answer this device no more when it is asked for its log."""
    silent = Silent(device.failing._inner, ends, rows_only=rows_only)
    device.failing._inner = silent  # type: ignore[assignment]  # any transport will do
    return silent
