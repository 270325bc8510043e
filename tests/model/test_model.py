"""Whatever people, lines, clocks and crashes do, the promises of ARCHITECTURE.md hold (R6, R25, R33-R45).

A Hypothesis state machine lets one to four replicas act and sync over lines that fail, and then, in a quiet
hour, compares every one of them with an oracle that folds the server's log by lines of its own. A failure
prints the fewest steps that were found, and the seed: MODEL_SEED runs all of it again, MODEL_EXAMPLES says
for how long, MODEL_RAW=1 leaves the steps as they came.
"""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest
import structlog
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from diary.correcting import Acts, NoSegmentError, NothingToUndoError
from diary.rules.ids import ContractId, Slot
from diary.rules.segment import MinuteCounts
from diary.rules.week import Week
from tests import practice
from tests.model.book import Book, pending
from tests.model.oracle import Place, Terms
from tests.model.world import FAILING, HOUR_MS, MINUTE_MS, Fate, Replica, World
from tests.rule import rule as holds

BEGIN = practice.instant("2026-11-23T09:00Z")  # three hours before the week before is locked
SLOTS = [
    practice.slot(text)
    for text in (
        "2026-11-15T20:00Z",  # its week is locked: what comes of it is late
        "2026-11-22T23:30Z",
        "2026-11-22T23:40Z",
        "2026-11-22T23:50Z",
        "2026-11-23T00:00Z",
        "2026-11-23T12:00Z",  # has not begun at first
    )
]
REPLICAS_MAX = 4
OFFSETS_MS = [0, 3 * MINUTE_MS, -3 * MINUTE_MS, 2 * HOUR_MS, -2 * HOUR_MS, 6 * HOUR_MS, -6 * HOUR_MS]
LOCKS_MS = [practice.instant("2026-11-23T12:00Z"), practice.instant("2026-11-30T12:00Z")]
QUIET_ROUNDS = 8
SETTLING_MS = 14 * HOUR_MS  # after this no stamp is ahead, no slot to come, no notice period under way

# A sync that goes well is a pull, a push, and two requests a picture: what fails should fail at any of them.
FATE = st.sampled_from([*sorted(FAILING), "double", "crash before", "crash after"])
FATES = st.builds(
    lambda well, fates: [*["pass"] * well, *fates], st.integers(0, 9), st.lists(FATE, min_size=1, max_size=3)
)
HAPPENINGS = st.sampled_from(
    [
        *(("crash", reboot) for reboot in (0, 1)),
        *(("restart the server", killed) for killed in (0, 1)),
        *(("set a clock", offset_ms) for offset_ms in OFFSETS_MS[:5]),
        *(("set the server's clock", by_ms) for by_ms in (1000, -1000, -90_000, HOUR_MS, -HOUR_MS)),
        *(("pass", by_ms) for by_ms in (1000, 10 * MINUTE_MS, 30 * MINUTE_MS, 5 * HOUR_MS)),
        *(("pass until", LOCKS_MS[0] + off_ms) for off_ms in (-1, 0, 0, 0, 1)),
        ("pass until", LOCKS_MS[1]),
        ("log in", 0),
        *[("rest", 0)] * 2,
    ]
)
REPLICA = st.integers(0, REPLICAS_MAX - 1)
# Most happens in few places, so that replicas meet there.
SLOT = st.sampled_from([*SLOTS, *SLOTS[1:4] * 2])
PLACE = st.tuples(st.integers(0, 1), SLOT)
CHOSEN = st.lists(st.integers(0, 13), min_size=1, max_size=3, unique=True)


class Ground:
    """Where worlds lie while they last; each is made anew, since a copied diary is another replica (R42)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.worlds = 0

    def world(self, count: int) -> tuple[World, str, list[ContractId]]:
        """Return a world of so many replicas, the account's phrase, and its two contracts."""
        self.worlds += 1
        world, phrase = World.begin(self.folder / f"world-{self.worlds}", BEGIN)
        diary = world.replicas[0].diary
        first = diary.new_contract(title="A", manual_allowed=True, limit_minutes=20, labels=("x", "y"))
        other = diary.new_contract(title="B", labels=("x", "y"))
        world.replicas[0].sync()
        for _ in range(count - 1):
            world.log_in(phrase)
        world.replicas[0].sync()
        return world, phrase, [first.id, other.id]


class Model(RuleBasedStateMachine):
    """What people, machines and lines may do, and what must hold after it."""

    ground: ClassVar[Ground]
    world: World

    @initialize(
        count=st.integers(1, 3),
        offsets=st.lists(st.sampled_from(OFFSETS_MS), min_size=3, max_size=3),
        told=st.lists(st.tuples(REPLICA, PLACE, st.booleans()), max_size=6),
        holds_s=st.lists(st.sampled_from([0, 0, 1800]), min_size=3, max_size=3),
    )
    def begin(
        self,
        count: int,
        offsets: list[int],
        holds_s: list[int],
        told: list[tuple[int, tuple[int, Slot], bool]],
    ) -> None:
        self.world, self.phrase, self.contracts = self.ground.world(count)
        limits = [
            Terms(manual_allowed=True, limit_minutes=20),
            Terms(manual_allowed=False, limit_minutes=None),
        ]
        self.book = Book(dict(zip(self.contracts, limits, strict=True)))
        self.typed = 0
        for replica, offset_ms, hold_s in zip(self.world.replicas, offsets, holds_s, strict=False):
            replica.offset_ms = offset_ms
            replica.diary.set_setting("hold_seconds", hold_s)
        self.world.set_clocks()
        for at, place, picture in told:  # what the server has from the start, received one after the other
            self.record(at, place, memo=True, picture=picture, active=7)
            self.sync_well(at)
            self.world.move(1)
        for replica in self.world.replicas:
            replica.sync()

    # Acts.

    @rule(at=REPLICA, place=PLACE, memo=st.booleans(), picture=st.booleans(), active=st.integers(0, 1023))
    def record(self, at: int, place: tuple[int, Slot], active: int, *, memo: bool, picture: bool) -> None:
        replica, there = self.replica(at), self.place(place)
        shot = f"picture {self.text()}".encode() * 20
        contract = replica.diary.contract(there[0])
        draft = practice.draft_of(
            contract,
            place[1],
            memo=self.text() if memo else None,
            picture=shot if picture else None,
            replica=replica.diary.replica,
        )
        minutes = tuple(MinuteCounts(0, active >> minute & 1, 0, os_active=False) for minute in range(10))
        # Of a boot whose clock nobody compared, so that no capture is brought to another slot (R20).
        assert draft.moment is not None
        moment = msgspec.structs.replace(draft.moment, boot="never compared")
        replica.diary.record(msgspec.structs.replace(draft, minutes=minutes, moment=moment))
        new = self.book.note(replica)
        assert new or self.book.was_recorded_or_removed(replica, there)
        segment = replica.diary.segment(there)
        for snapshot in segment.snapshots if segment else ():
            self.book.pictures.setdefault(snapshot.screen, shot)
            self.book.pictures.setdefault(snapshot.thumbnail, shot[:16])

    @rule(at=REPLICA, chosen=CHOSEN, memo=st.booleans(), label=st.sampled_from([None, "x", "y", ""]))
    def edit(self, at: int, chosen: list[int], label: str | None, *, memo: bool) -> None:
        replica = self.replica(at)
        there = self.chosen(replica, chosen)
        text = self.text() if memo else None
        try:
            acts = replica.diary.edit(there, memo=text, label=label)
        except NoSegmentError:
            return
        self.ended(replica, there, acts)
        for place in acts.done:
            segment = replica.diary.segment(place)
            assert segment is not None
            assert text is None or segment.memo == text
            assert label is None or segment.label == label

    @rule(at=REPLICA, contract=st.integers(0, 1), slots=st.lists(SLOT, min_size=1, max_size=2))
    def add(self, at: int, contract: int, slots: list[Slot]) -> None:
        replica, memo = self.replica(at), self.text()
        acts = replica.diary.add_manual(self.contracts[contract], slots, memo)
        there = [(self.contracts[contract], slot) for slot in slots]
        self.ended(replica, there, acts)
        for place in acts.done:
            segment = replica.diary.segment(place)
            assert segment is not None
            assert (segment.kind, segment.memo) == ("manual", memo)

    @rule(at=REPLICA, chosen=CHOSEN)
    def remove(self, at: int, chosen: list[int]) -> None:
        replica = self.replica(at)
        there = self.chosen(replica, chosen)
        try:
            acts = replica.diary.remove(there)
        except NoSegmentError:
            return
        self.ended(replica, there, acts)
        for place in acts.done:
            self.gone(replica, place)

    @rule(at=REPLICA)
    def undo(self, at: int) -> None:
        replica = self.replica(at)
        try:
            acts = replica.diary.undo()
        except NothingToUndoError:
            return
        self.ended(replica, None, acts)
        for place in acts.done:
            segment = replica.diary.segment(place)
            if segment is None or segment.state in {"deleted", "refused"}:
                self.gone(replica, place)

    def ended(self, replica: Replica, places: Sequence[Place] | None, acts: Acts) -> None:
        """Check that every place of an act ended in one way."""
        self.book.note(replica)
        ends = [*acts.done, *(place for place, _ in acts.refused)]
        assert len(set(ends)) == len(ends)
        assert places is None or set(ends) == set(places)

    def gone(self, replica: Replica, place: Place) -> None:
        """Check that nothing of a removed place is shown, and remember that it may be gone."""
        self.book.note_removed(replica, place)
        segment = replica.diary.segment((ContractId(place[0]), Slot(place[1])))
        assert segment is None or segment.state in {"deleted", "refused"}
        assert segment is None or (segment.memo, segment.snapshots) == ("", ())

    # Lines, machines and time.

    @rule(at=REPLICA, fates=FATES)
    def sync_badly(self, at: int, fates: list[Fate]) -> None:
        self.replica(at).sync(fates)

    @rule(at=REPLICA, asks_left=st.integers(0, 60))
    def crash_while_syncing(self, at: int, asks_left: int) -> None:
        self.replica(at).sync((), asks_left)

    @rule(at=REPLICA)
    def sync_well(self, at: int) -> None:
        self.replica(at).sync()

    @precondition(lambda self: self.world.delayed)
    @rule(which=st.integers(0, 50))
    def deliver(self, which: int) -> None:
        self.world.deliver(which)

    @rule(at=REPLICA, what=HAPPENINGS)
    def happen(self, at: int, what: tuple[str, int]) -> None:
        """Let something befall a machine, a clock, or everybody's time."""
        match what:
            case "crash", reboot:
                self.replica(at).crash(reboot=bool(reboot))
            case "restart the server", killed:
                self.world.restart_server(killed=bool(killed))
            case "log in", _:
                if len(self.world.replicas) < REPLICAS_MAX:
                    self.world.log_in(self.phrase)
            case "set a clock", offset_ms:
                self.replica(at).offset_ms = offset_ms
                self.world.set_clocks()
            case "set the server's clock", by_ms:
                self.world.clock.put(self.world.clock.now_ms() + by_ms)
            case "pass", by_ms:
                self.world.move(by_ms)
            case "pass until", at_ms:
                self.world.move(max(0, at_ms - self.world.clock.now_ms()))
            case "rest", _:
                self.quiet()

    # What must hold.

    def quiet(self) -> None:
        """Sync all until nothing moves, then compare."""
        self.world.calm()
        for replica in self.world.replicas:
            # Late time waits for a word where a diary asks for one (R38).
            replica.diary.send_asked()
        for _ in range(QUIET_ROUNDS):
            reports = [replica.sync() for replica in self.world.replicas]
            if not any(
                report is None or report.pushed or report.pulled or report.refused or report.pictures_fetched
                for report in reports
            ):
                break
        else:
            raise AssertionError("the replicas do not come to rest")
        for replica in self.world.replicas:
            self.book.note(replica)  # a stamp that was ahead is corrected under a new number (R44)
        self.book.check_log(self.world)
        self.book.check_views(self.world)
        self.book.check_outcomes(self.world)
        self.book.check_destroyed(self.world)

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            while self.world.delayed:
                self.world.deliver(0)
            self.quiet()
            self.world.move(SETTLING_MS)
            self.quiet()
            assert not any(pending(replica) for replica in self.world.replicas)
            self.world.log_in(self.phrase)
            self.quiet()
        finally:
            self.world.close()
            shutil.rmtree(self.world.folder)

    def replica(self, at: int) -> Replica:
        return self.world.replicas[at % len(self.world.replicas)]

    def place(self, place: tuple[int, Slot]) -> tuple[ContractId, Slot]:
        return self.contracts[place[0]], place[1]

    def chosen(self, replica: Replica, chosen: Sequence[int]) -> list[tuple[ContractId, Slot]]:
        """Return some of the places that the replica shows, or any where it shows none."""
        weeks = {Week.of(slot): None for slot in SLOTS}
        shown = [(one.contract, one.slot) for week in weeks for one in replica.diary.week(week).segments]
        places = shown or [self.place((at % 2, slot)) for at, slot in enumerate(SLOTS)]
        return list(dict.fromkeys(places[which % len(places)] for which in chosen))

    def text(self) -> str:
        self.typed += 1
        return f"text {self.typed}"


@pytest.fixture
def ground() -> Iterator[Ground]:
    # In memory where that is to be had: thousands of durable commits would only wear the disk.
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    try:
        yield Ground(folder)
    finally:
        structlog.reset_defaults()
        shutil.rmtree(folder)


def seeded(ground: Ground) -> type[Model]:
    """Return the model on its ground, under a seed that is printed."""
    number = int(os.environ.get("MODEL_SEED") or secrets.randbits(32))
    print(f"MODEL_SEED={number}")
    Model.ground = ground
    return seed(number)(Model)


def bounds(*, examples: int, steps: int) -> settings:
    return settings(
        max_examples=int(os.environ.get("MODEL_EXAMPLES", examples)),
        stateful_step_count=steps,
        deadline=None,
        derandomize=False,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        phases=[Phase.generate, *([] if os.environ.get("MODEL_RAW") else [Phase.shrink])],
    )


@pytest.mark.timeout(900)  # it takes under a minute; a failure is then made small
@holds("R6")
@holds("R25")
@holds("R33")
@holds("R34")
@holds("R35")
@holds("R36")
@pytest.mark.soak
@holds("R37")
@holds("R40")
@holds("R45")
def test_whatever_happens_all_replicas_come_to_show_what_the_log_holds(ground: Ground) -> None:
    run_state_machine_as_test(seeded(ground), settings=bounds(examples=70, steps=40))


@pytest.mark.soak
@pytest.mark.timeout(4 * 3600)
@holds("R40")
def test_whatever_happens_for_an_hour_all_replicas_come_to_show_what_the_log_holds(ground: Ground) -> None:
    run_state_machine_as_test(seeded(ground), settings=bounds(examples=3000, steps=60))
