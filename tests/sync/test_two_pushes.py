"""Two pushes under way at once: whichever the server takes first, nothing is lost or refused (R40)."""

import threading
from dataclasses import dataclass, field
from typing import Literal

import httpx
import msgspec
import pytest

from diary.contracts import Contract
from diary.rules.ids import Slot
from diary.rules.segment import Header, parse_header
from sync.engine import Engine
from sync.pace import Pace
from sync.protocol import Push
from sync.report import SyncReport
from sync.transport import Transport, UnreachableError
from tests.practice import record_slot, slot
from tests.rule import rule
from tests.sync.stage import Device, Stage, two_devices

PATIENCE_SECONDS = 30.0  # for a push that must come, on a machine that is busy with much else
MOMENT_SECONDS = 0.5  # for one that must not
NINE = slot("2026-11-18T09:00Z")
SLOTS = [Slot(NINE - back) for back in range(8)]

Fate = Literal["pass", "refuse", "lose"]


@dataclass
class CrossingLine(httpx.BaseTransport):
    """Keeps a push until the next one is answered, so that the server takes them the other way round.

    It waits so long for the next one, then goes alone. The first that was overtaken has the `fate` then: it
    is delivered, or not, or its reply is lost. `pairs` are the headers of pushes that were under way at once.
    """

    waits_seconds: float
    fate: Fate = "pass"
    pairs: list[tuple[list[Header], list[Header]]] = field(default_factory=list)
    overtaken: int = 0
    _under_way: list[list[Header]] = field(default_factory=list)
    _change: threading.Condition = field(default_factory=threading.Condition)
    _inner: httpx.HTTPTransport = field(default_factory=httpx.HTTPTransport)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != "/v1/push":
            return self._inner.handle_request(request)
        pushed = msgspec.json.decode(request.read(), type=Push)
        headers = [parse_header(version.header.encode()) for version in pushed.versions]
        with self._change:
            self.pairs += [(before, headers) for before in self._under_way]
            is_first = not self._under_way
            self._under_way.append(headers)
            known = self.overtaken
            if is_first and self._change.wait_for(lambda: self.overtaken > known, self.waits_seconds):
                fate, self.fate = self.fate, "pass"
            else:
                fate = "pass"
        try:
            return self._delivered(request, fate)
        finally:
            with self._change:
                self._under_way.remove(headers)
                self.overtaken += not is_first
                self._change.notify_all()

    def _delivered(self, request: httpx.Request, fate: Fate) -> httpx.Response:
        if fate == "refuse":
            raise httpx.ConnectError("refused on purpose", request=request)
        answer = self._inner.handle_request(request)
        answer.read()
        if fate == "lose":
            raise httpx.ReadTimeout("lost on purpose", request=request)
        return answer

    def close(self) -> None:
        self._inner.close()


def sync(stage: Stage, device: Device, line: CrossingLine, push_versions: int) -> SyncReport:
    """Sync over a line that has shown that it is fast, in pushes as small as a test can bear."""
    client = httpx.Client(transport=line, timeout=PATIENCE_SECONDS * 3)
    with Transport(stage.url, client=client, attempts=1) as transport:
        engine = Engine(device.diary, transport)
        engine._uploads.pace = Pace(push_versions=push_versions, is_fast=True)
        return engine.run()


def claimed(stage: Stage) -> tuple[Device, Device, Contract]:
    """Return two devices, of which the first has claimed time in eight slots that the server lacks."""
    a, b, contract = two_devices(stage, [])
    a.diary.add_manual(contract.id, SLOTS, "claimed")
    return a, b, contract


def require_synced(a: Device, b: Device, contract: Contract) -> None:
    """Check that both devices show all eight, that nothing waits, and that the log holds nothing twice."""
    b.sync()
    assert a.diary.queue().versions == 0
    for device in (a, b):
        shown = [one for at in SLOTS for one in device.segments(at)]
        assert [(one.slot, one.state, one.memo) for one in shown] == [
            (at, "synced", "claimed") for at in SLOTS
        ]
    assert a.diary.cursors() == b.diary.cursors()
    held = [len(device.segment((contract.id, at)).versions) for device in (a, b) for at in SLOTS]
    assert held == [1] * 16


@rule("R40")
def test_a_push_that_overtakes_another_is_taken_and_so_is_the_other(stage: Stage) -> None:
    a, b, contract = claimed(stage)
    line = CrossingLine(PATIENCE_SECONDS)
    report = sync(stage, a, line, push_versions=4)
    assert line.overtaken == 1
    assert (report.pushed, report.refused, report.postponed) == (len(SLOTS), (), ())
    require_synced(a, b, contract)


@rule("R40")
@pytest.mark.parametrize("fate", ["refuse", "lose"])
def test_where_only_the_later_of_two_pushes_is_answered_the_next_run_makes_it_good(
    stage: Stage, fate: Fate
) -> None:
    a, b, contract = claimed(stage)
    line = CrossingLine(PATIENCE_SECONDS, fate)
    with pytest.raises(UnreachableError):
        sync(stage, a, line, push_versions=4)
    assert line.overtaken == 1
    report = a.sync()
    assert report.refused == report.postponed == ()
    require_synced(a, b, contract)


@rule("R40")
def test_terms_and_grants_travel_alone_and_before_the_rows_that_need_them(stage: Stage) -> None:
    a, _, _ = two_devices(stage, [])
    contract = a.diary.new_contract(title="Made offline", manual_allowed=True)
    a.diary.add_manual(contract.id, SLOTS, "claimed")
    line = CrossingLine(MOMENT_SECONDS)
    report = sync(stage, a, line, push_versions=2)
    assert report.refused == ()
    together = {header.type for pair in line.pairs for headers in pair for header in headers}
    assert together <= {"entry"}


@rule("R35")
def test_the_versions_of_one_segment_are_never_under_way_in_two_pushes(stage: Stage) -> None:
    a, _, contract = two_devices(stage, [])
    for at in sorted(SLOTS):
        record_slot(a.diary, contract, at, picture=None)  # a capture and an entry each: threes part them
    line = CrossingLine(MOMENT_SECONDS)
    report = sync(stage, a, line, push_versions=3)
    assert (report.pushed, report.refused) == (2 * len(SLOTS), ())
    for one, other in line.pairs:
        assert {header.slot for header in one}.isdisjoint(header.slot for header in other)
