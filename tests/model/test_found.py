"""Histories that the model found, each played again as it was: what they broke holds (R33-R45)."""

from collections.abc import Iterator

import pytest

from diary.rules.ids import Slot
from tests import practice
from tests.model.drawn import LOCKS_MS
from tests.model.ground import ground
from tests.model.machine import Model
from tests.rule import rule

EVENING = practice.slot("2026-11-22T23:40Z")
ON_TIME = [0] * 5
HOUR_MS = 3_600_000


@pytest.fixture
def model() -> Iterator[Model]:
    """Yield a model that has not begun; in the end all is compared, as after any history."""
    with ground("sqlite") as laid:
        Model.ground = laid
        model = Model()
        yield model
        model.teardown()


def begin(model: Model, *, told: list[tuple[int, tuple[int, Slot], bool]]) -> None:
    model.begin(
        chance=0, writers=2, readers=1, offsets=ON_TIME, told=told, holds_s=[0, 0, 0], goes_back=bool(told)
    )


@rule("R42")
@rule("R37")
def test_a_copys_deletion_that_comes_too_late_ends_as_refused_though_its_original_sent_the_time(
    model: Model,
) -> None:
    begin(model, told=[])
    model.add(at=0, contract=0, slots=[EVENING])
    model.go_on_beside_a_copy(at=0)
    copy = model.world.writers[-1]
    model.sync_well(at=0)
    copy.offset_ms = -2 * HOUR_MS  # it does not know yet that the week is locked
    model.happen(at=0, what=("pass until", LOCKS_MS[0]))
    model.remove(at=2, chosen=[0])
    model.sync_well(at=2)
    assert [(one.what, one.reason) for one in copy.diary.refusals()] == [("deletion", "week_locked")]


@rule("R35")
@rule("R42")
def test_a_deletion_of_what_was_added_again_and_never_arrived_is_taken_from_a_restored_diary(
    model: Model,
) -> None:
    begin(model, told=[(0, (0, EVENING), True)])
    model.remove(at=0, chosen=[0])
    model.sync_well(at=0)
    model.add(at=0, contract=0, slots=[EVENING])
    model.sync_badly(at=0, fates=["pass", "refuse"], steps=0)
    model.remove(at=0, chosen=[0])
    model.keep_a_copy(at=0)
    model.restore(which=0, way="anew")
    model.sync_well(at=0)
    model.quiet()
    lives = [row.life for row in model.book.log if row.place == (model.contracts[0], EVENING)]
    assert lives[-2:] == [1, 3]


@rule("R43")
@rule("R25")
def test_an_edit_that_is_refused_leaves_whole_what_a_restored_server_has_lost(model: Model) -> None:
    begin(model, told=[(0, (0, EVENING), True)])
    place = (model.contracts[0], EVENING)
    device = model.world.writers[0]
    model.edit(at=0, chosen=[0], label="x", memo=True)
    model.sync_well(at=0)
    model.restore_the_server(which=0, told=False, with_pictures=False)
    model.edit(at=0, chosen=[0], label="y", memo=True)
    model.happen(at=0, what=("pass until", LOCKS_MS[0]))
    model.quiet()
    assert [(one.what, one.reason) for one in device.diary.refusals()] == [("entry", "week_locked")]
    shown = device.diary.segment(place)
    assert shown is not None
    assert shown.label == "x"


@rule("R3")
@rule("R57")
def test_a_servers_clock_that_is_set_back_opens_no_week_that_it_has_sealed(model: Model) -> None:
    begin(model, told=[(0, (0, EVENING), True)])
    device = model.world.writers[0]
    model.happen(at=0, what=("pass until", LOCKS_MS[0]))
    model.edit(at=0, chosen=[0], label="x", memo=False)
    model.sync_well(at=0)
    model.happen(at=0, what=("set the server's clock", -HOUR_MS))
    model.world.calm()
    model.happen(at=0, what=("set a clock", -2 * HOUR_MS))
    model.remove(at=0, chosen=[0])
    model.sync_well(at=0)
    assert {(one.what, one.reason) for one in device.diary.refusals()} >= {("deletion", "week_locked")}


@rule("R43")
@rule("R37")
def test_a_deletion_that_is_refused_leaves_a_restored_server_with_the_bare_row(model: Model) -> None:
    begin(model, told=[(0, (0, EVENING), True)])
    device = model.world.writers[0]
    model.record(at=0, place=(1, EVENING), active=7, memo=False, picture=True)
    model.sync_well(at=0)
    place = (model.contracts[1], EVENING)
    model.remove(at=0, chosen=[[*model.shown(device)].index(place)])
    model.restore_the_server(which=0, told=False, with_pictures=False)
    model.happen(at=0, what=("pass until", LOCKS_MS[0]))
    model.quiet()
    shown = device.diary.segment(place)
    assert shown is not None
    assert (shown.kind, shown.state, shown.snapshots) == ("automatic", "synced", ())


@rule("R43")
@rule("R37")
def test_a_restored_server_waits_for_who_holds_whole_what_it_is_shown_bare(model: Model) -> None:
    begin(model, told=[(0, (1, EVENING), True)])
    device, reader = model.world.writers[0], model.world.readers[0]
    model.record(at=0, place=(0, EVENING), active=7, memo=True, picture=True)
    model.sync_well(at=0)
    model.read(at=0, fates=[], steps=0)
    place = (model.contracts[0], EVENING)
    model.remove(at=0, chosen=[[*model.shown(device)].index(place)])
    model.restore_the_server(which=0, told=False, with_pictures=False)
    model.happen(at=0, what=("pass until", LOCKS_MS[0]))
    model.quiet()
    shown = [one.diary.segment(place) for one in (device, reader)]
    assert [one and (one.state, len(one.snapshots)) for one in shown] == [("synced", 1), ("synced", 1)]


@rule("R42")
@rule("R41")
def test_a_picture_that_was_not_sent_before_its_diary_was_put_back_is_sent_by_the_copy(model: Model) -> None:
    begin(model, told=[])
    model.record(at=0, place=(0, EVENING), active=7, memo=True, picture=True)
    model.keep_a_copy(at=0)
    model.sync_badly(at=0, fates=["pass", "pass", "refuse"], steps=0)
    model.restore(which=0, way="anew")
    model.quiet()
    shown = model.world.readers[0].diary.segment((model.contracts[0], EVENING))
    assert shown is not None
    (shot,) = shown.snapshots
    assert model.world.readers[0].diary.picture(shot.screen) in model.book.shots
