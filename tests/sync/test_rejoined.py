"""A revoked device becomes one of the account again, and sends what it had not sent (R50)."""

import pytest

from diary.sealing.keyring import choose_place
from sync.enrolment import login
from sync.line_faults import RevokedError
from sync.revocation import revoke
from sync.transport import UnreachableError
from tests.practice import SCREEN, record_slot, slot
from tests.rule import rule
from tests.sync.stage import Device, Stage, two_devices
from tests.sync.test_lists_in_contracts import as_a_client_reads
from tests.sync.test_revoked import shown_by_server

NINE = slot("2026-11-18T09:00Z")
TEN = slot("2026-11-18T10:00Z")
ELEVEN = slot("2026-11-18T11:00Z")


def log_in_again(stage: Stage, device: Device, phrase: str, fates: list[str]) -> Device:
    """Log in once more in the device's own folder."""
    home = device.diary.home
    device.diary.close()
    line, failing = stage.line()
    failing.fates = fates
    try:
        place = choose_place(home, "file")
        diary, _ = login(home, line, phrase, clock=device.clock, place=place, device_name="again")
    except UnreachableError:
        line.close()
        raise
    stage.devices.append(Device(diary, device.clock, line, failing))
    return stage.devices[-1]


def revoked_with_work(stage: Stage) -> tuple[Device, Device, str]:
    a, b, _ = two_devices(stage, [NINE])
    phrase = a.diary.phrase() or ""
    revoke(a.diary, a.line, phrase, b.diary.replica)
    for at in (TEN, ELEVEN):
        record_slot(b.diary, b.diary.contract("Practice"), at, memo="kept", picture=SCREEN)
    with pytest.raises(RevokedError, match="takes nothing of this device"):
        b.sync()
    return a, b, phrase


@rule("R50")
@rule("R49")
def test_what_was_kept_is_sent_under_the_accounts_present_keys(stage: Stage) -> None:
    a, b, phrase = revoked_with_work(stage)
    before = shown_by_server(a)
    old = b.diary.replica
    again = log_in_again(stage, b, phrase, [])
    a.sync()
    contract = a.diary.contract("Practice").id
    for at in (TEN, ELEVEN):
        shown = a.segment((contract, at))
        assert (shown.state, shown.memo) == ("synced", "kept")
        assert a.diary.picture(shown.snapshots[0].screen) == SCREEN
    new = {epoch for name, epoch in shown_by_server(a).items() if name not in before and epoch is not None}
    assert new.isdisjoint(set(before.values()))
    assert [(one.is_revoked, one.successor_of) for one in a.diary.devices_seen()] == [
        (False, None),
        (True, None),
        (False, old),
    ]
    assert again.diary.queue().versions == 0
    assert a.diary.alarms() == again.diary.alarms() == ()
    assert as_a_client_reads(a, contract)[-1].header.replica == again.diary.replica


@rule("R50")
@rule("R40")
@pytest.mark.parametrize("fate", ["refuse", "lose"])
@pytest.mark.parametrize("broken", range(3, 12, 2))
def test_coming_back_that_broke_off_is_gone_on_with(stage: Stage, broken: int, fate: str) -> None:
    a, b, phrase = revoked_with_work(stage)
    try:
        again = log_in_again(stage, b, phrase, ["pass"] * broken + [fate])
    except UnreachableError:
        again = log_in_again(stage, b, phrase, [])
    a.sync()
    contract = a.diary.contract("Practice").id
    assert [a.segment((contract, at)).memo for at in (TEN, ELEVEN)] == ["kept", "kept"]
    assert len(a.diary.week(a.diary.weeks()[0]).segments) == 3
    assert again.diary.queue().versions == 0
    assert a.diary.alarms() == again.diary.alarms() == ()
