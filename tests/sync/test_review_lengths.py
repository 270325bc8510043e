"""A server whose weeks are in review for another time: devices go by what its invoices say (R39, R62)."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from diary.contracts import Contract
from diary.parties import RefusedSayingError
from sync.enrolment import register
from tests.practice import record_slot, slot
from tests.rule import rule
from tests.sync.clients import invited, join_in
from tests.sync.stage import Device, Stage, serving

NINE = slot("2026-11-18T09:00Z")


@contextmanager
def reviewed_for(stage: Stage, hours: int) -> Iterator[tuple[Device, Device, Contract, Stage]]:
    """Return freelancer, client and contract with a billed week, at a server of such reviews."""
    with serving(stage.folder / "other", stage.clock, review_hours=hours) as url:
        there = Stage(stage.folder, url, stage.clock, stage.devices)
        device = there.first(registered=False)
        contract = device.diary.new_contract(title="Work", client="Ada", rate_minor=6000, currency="EUR")
        record_slot(device.diary, contract, NINE)
        register(device.diary, device.line)
        client = join_in(there, invited(device, contract))
        there.put_clocks("2026-11-23T12:30Z")
        device.diary.new_contract(title="After")
        for each in (device, client):
            each.sync()
        yield device, client, contract, there


@rule("R39")
@rule("R62")
def test_a_longer_review_lets_a_client_dispute_until_its_end_and_no_longer(stage: Stage) -> None:
    with reviewed_for(stage, 240) as (device, client, contract, there):
        there.put_clocks("2026-12-03T11:00Z")  # the tenth day; by default it ends on Friday 27 November
        client.diary.dispute([(contract.id, NINE)], "Not agreed")
        for each in (client, device, client):
            each.sync()
        for each in (client, device):
            (view,) = each.diary.invoices()
            assert (view.state, view.disputed_minor, view.due_minor) == ("in_review", 1000, 0)
        client.diary.take_dispute_back([(contract.id, NINE)])
        there.put_clocks("2026-12-03T12:30Z")
        with pytest.raises(RefusedSayingError, match="not_in_review"):
            client.diary.dispute([(contract.id, NINE)], "Too late")


@rule("R39")
@rule("R62")
def test_a_shorter_review_ends_for_the_client_when_the_server_ends_it(stage: Stage) -> None:
    with reviewed_for(stage, 24) as (_, client, contract, there):
        there.put_clocks("2026-11-24T13:00Z")
        with pytest.raises(RefusedSayingError, match="not_in_review"):
            client.diary.dispute([(contract.id, NINE)], "Too late")
