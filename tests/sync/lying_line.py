"""A line to a server that lies: it bends what the honest one answers."""

from collections.abc import Callable
from typing import TypeVar

import httpx
import msgspec

from sync.protocol import DeviceLists, PullAnswer
from tests.sync.stage import FailingTransport

_Message = TypeVar("_Message")


class LyingLine(FailingTransport):
    """Passes requests on and bends the answers to pulls, and to who asks for the newest device lists."""

    def __init__(self) -> None:
        super().__init__()
        self.pull: Callable[[PullAnswer], PullAnswer] = lambda answer: answer
        self.lists: Callable[[DeviceLists], DeviceLists] = lambda answer: answer

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = super().handle_request(request)
        if answer.status_code != httpx.codes.OK:
            return answer
        match request.url.path:
            case "/v1/pull":
                return _bent(answer, PullAnswer, self.pull)
            case "/v1/device-list":
                return _bent(answer, DeviceLists, self.lists)
            case _:
                return answer


def _bent(
    answer: httpx.Response, kind: type[_Message], bend: Callable[[_Message], _Message]
) -> httpx.Response:
    told = bend(msgspec.json.decode(answer.content, type=kind))
    return httpx.Response(
        200, headers={"Content-Type": "application/json"}, content=msgspec.json.encode(told)
    )
