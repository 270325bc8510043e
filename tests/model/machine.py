"""What people, machines, lines and clocks may do, as a Hypothesis state machine (R6, R25, R33-R45).

One to four devices act and sync over lines that fail; one or two more only read, and a naive reader follows
the feeds. Any process may end at any commit, any send and any receive; files go back to older copies, and the
server to its backups; clocks differ and jump. In a quiet hour all is compared with an oracle of its own.
"""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from diary.correcting import Acts, NoSegmentError
from diary.rules.ids import ContractId, Slot
from diary.rules.sealed_content import MinuteCounts
from diary.rules.week import Week
from diary.undoing import NothingToUndoError
from tests import practice
from tests.model.basis import check_basis, check_rebuilt
from tests.model.book import Book, Kept, pending
from tests.model.device import CrashError, Device, Fate, Way
from tests.model.drawn import (
    BACKUPS_MAX,
    CHOSEN,
    DEVICE,
    FATES,
    HAPPENINGS,
    OFFSETS_MS,
    PLACE,
    READING_FATES,
    SETTLING_MS,
    SLOT,
    SLOTS,
    STEPS,
    WRITERS_MAX,
)
from tests.model.follower import Follower
from tests.model.ground import TERMS, Ground
from tests.model.healing import bring_back_device_list, device_list_of_server, forks_device_lists
from tests.model.looks import Watched, check_looks
from tests.model.oracle import Place
from tests.model.world import World


class Model(RuleBasedStateMachine):
    """What people, machines and lines may do, and what must hold after it."""

    ground: ClassVar[Ground]
    world: World

    @initialize(
        chance=st.integers(0, 2**32 - 1),
        writers=st.integers(1, 3),
        readers=st.integers(1, 2),
        offsets=st.lists(st.sampled_from(OFFSETS_MS), min_size=5, max_size=5),
        told=st.lists(st.tuples(DEVICE, PLACE, st.booleans()), max_size=6),
        holds_s=st.lists(st.sampled_from([0, 0, 1800]), min_size=3, max_size=3),
        goes_back=st.booleans(),
    )
    def begin(
        self,
        chance: int,
        writers: int,
        readers: int,
        offsets: list[int],
        holds_s: list[int],
        told: list[tuple[int, tuple[int, Slot], bool]],
        *,
        goes_back: bool,
    ) -> None:
        self.world, self.phrase, self.contracts = self.ground.world(chance, writers, readers)
        self.book = Book(dict(zip(self.contracts, TERMS, strict=True)))
        self.kept: list[Kept] = []
        self.watched = [Watched() for _ in self.world.readers]
        self.follower = Follower(self.world)
        self.typed = 0
        self.is_unhealed = False
        for device, offset_ms in zip(self.world.devices, offsets, strict=False):
            device.offset_ms = offset_ms
        for device, hold_s in zip(self.world.writers, holds_s, strict=False):
            device.diary.set_setting("hold_seconds", hold_s)
        self.world.set_clocks()
        for at, place, picture in told:  # what the server has from the start, received one after the other
            self.record(at, place, memo=True, picture=picture, active=7)
            self.sync_well(at)
            self.world.move(1)
        for device in self.world.devices:
            device.sync()
        if goes_back:
            self.world.back_up_server()

    # Acts.

    @rule(at=DEVICE, place=PLACE, memo=st.booleans(), picture=st.booleans(), active=st.integers(0, 1023))
    def record(self, at: int, place: tuple[int, Slot], active: int, *, memo: bool, picture: bool) -> None:
        device, there = self.device(at), self.place(place)
        shot = f"picture {self.text()}".encode() * 20
        self.book.shots |= {shot, shot[:16]}
        text = self.text() if memo else None
        with self.mortal(device):
            contract = device.diary.contract(there[0])
            draft = practice.draft_of(
                contract,
                place[1],
                memo=text,
                picture=shot if picture else None,
                replica=device.diary.replica,
            )
            minutes = tuple(MinuteCounts(0, active >> minute & 1, 0, os_active=False) for minute in range(10))
            # Of a boot whose clock nobody compared, so that no capture is brought to another slot (R20).
            assert draft.moment is not None
            moment = msgspec.structs.replace(draft.moment, boot="never compared")
            device.diary.record(msgspec.structs.replace(draft, minutes=minutes, moment=moment))
            assert self.book.note(device) or self.book.was_recorded_or_removed(device, there)

    @rule(at=DEVICE, chosen=CHOSEN, memo=st.booleans(), label=st.sampled_from([None, "x", "y", ""]))
    def edit(self, at: int, chosen: list[int], label: str | None, *, memo: bool) -> None:
        device = self.device(at)
        there = self.chosen(device, chosen)
        text = self.text() if memo else None
        with self.mortal(device):
            try:
                acts = device.diary.edit(there, memo=text, label=label)
            except NoSegmentError:
                return
            self.ended(device, there, acts)
            for place in acts.done:
                segment = device.diary.segment(place)
                assert segment is not None
                assert text is None or segment.memo == text
                assert label is None or segment.label == label

    @rule(at=DEVICE, contract=st.integers(0, 1), slots=st.lists(SLOT, min_size=1, max_size=2))
    def add(self, at: int, contract: int, slots: list[Slot]) -> None:
        device, memo = self.device(at), self.text()
        with self.mortal(device):
            acts = device.diary.add_manual(self.contracts[contract], slots, memo)
            there = [(self.contracts[contract], slot) for slot in slots]
            self.ended(device, there, acts)
            for place in acts.done:
                segment = device.diary.segment(place)
                assert segment is not None
                assert (segment.kind, segment.memo) == ("manual", memo)

    @rule(at=DEVICE, chosen=CHOSEN)
    def remove(self, at: int, chosen: list[int]) -> None:
        device = self.device(at)
        there = self.chosen(device, chosen)
        with self.mortal(device, there):
            try:
                acts = device.diary.remove(there)
            except NoSegmentError:
                return
            self.ended(device, there, acts)
            for place in acts.done:
                self.gone(device, place)

    @rule(at=DEVICE)
    def undo(self, at: int) -> None:
        device = self.device(at)
        # An addition is undone by a removal: whatever stands may be gone.
        with self.mortal(device, self.shown(device)):
            try:
                acts = device.diary.undo()
            except NothingToUndoError:
                return
            self.ended(device, None, acts)
            for place in acts.done:
                segment = device.diary.segment(place)
                if segment is None or segment.state in {"deleted", "refused"}:
                    self.gone(device, place)

    def ended(self, device: Device, places: Sequence[Place] | None, acts: Acts) -> None:
        """Check that every place of an act ended in one way."""
        self.book.note(device)
        ends = [*acts.done, *(place for place, _ in acts.refused)]
        assert len(set(ends)) == len(ends)
        assert places is None or set(ends) == set(places)

    def gone(self, device: Device, place: Place) -> None:
        """Check that nothing of a removed place is shown, and remember that it may be gone."""
        self.book.note_removed(device, place)
        segment = device.diary.segment((ContractId(place[0]), Slot(place[1])))
        assert segment is None or segment.state in {"deleted", "refused"}
        assert segment is None or (segment.memo, segment.snapshots) == ("", ())

    @contextmanager
    def mortal(self, device: Device, removing: Sequence[tuple[ContractId, Slot]] = ()) -> Iterator[None]:
        """Let the block end where the device's process does; what it left on the disk stands (R19)."""
        try:
            yield
        except CrashError:
            device.crash()
            self.book.note(device)
            for place in removing:
                segment = device.diary.segment(place)
                # What was refused before stays so, with its words, unless it was removed just now.
                says = segment is not None and (segment.memo != "" or segment.snapshots != ())
                if segment is None or (segment.state in {"deleted", "refused"} and not says):
                    self.gone(device, place)
        finally:
            device.crash_at(None)

    # Lines, machines and time.

    @rule(at=DEVICE, steps=st.integers(0, 2), after=st.booleans())
    def crash_in_the_next_act(self, at: int, steps: int, *, after: bool) -> None:
        self.device(at).crash_at(steps, after=after)

    @rule(at=DEVICE, fates=FATES, steps=STEPS)
    def sync_badly(self, at: int, fates: list[Fate], steps: int) -> None:
        self.sync(self.device(at), fates, steps)

    @rule(at=DEVICE, steps=st.integers(0, 30), after=st.booleans())
    def crash_while_syncing(self, at: int, steps: int, *, after: bool) -> None:
        self.device(at).crash_at(steps, after=after)
        self.sync(self.device(at))

    @rule(at=DEVICE)
    def sync_well(self, at: int) -> None:
        self.device(at).crash_at(None)
        self.sync(self.device(at))

    def sync(self, device: Device, fates: Sequence[Fate] = (), steps: int = 0) -> None:
        with self.mortal(device):
            if device.sync(fates, steps) is not None:
                device.is_put_back = False
        self.book.note(device)  # what was sealed anew

    @rule(at=st.integers(0, 1), fates=st.one_of(st.just([]), FATES), steps=STEPS)
    def read(self, at: int, fates: list[Fate], steps: int) -> None:
        at %= len(self.world.readers)
        reader = self.world.readers[at]
        self.sync(reader, fates, steps)
        self.watched[at].look(reader, {int(slot) for slot in SLOTS})

    @rule(rows=st.integers(1, 9), fates=READING_FATES, from_start=st.booleans())
    def follow(self, rows: int, fates: list[Fate], *, from_start: bool) -> None:
        self.follower.follow(rows, fates, from_start=from_start)

    @precondition(lambda self: self.world.delayed)
    @rule(which=st.integers(0, 50))
    def deliver(self, which: int) -> None:
        self.world.deliver(which)

    # Copies of files.

    @rule(at=DEVICE)
    def keep_a_copy(self, at: int) -> None:
        device = self.device(at)
        folder = self.world.folder / f"kept-{len(self.kept)}"
        device.keep(folder)
        self.kept.append(self.book.note_kept(device, folder))

    @precondition(lambda self: self.kept)
    @rule(which=st.integers(0, 9), way=st.sampled_from(["in place", "anew", "backup"]))
    def restore(self, which: int, way: Way) -> None:
        kept = self.kept[which % len(self.kept)]
        device = next(one for one in self.world.writers if one.home.name == kept.home)
        self.book.note(device)
        self.world.deliver_all()  # a machine that is restored is done with its old lines
        # Where both sides forget at once, nobody can know that a number was given away (R42).
        device.restore(kept.folder, "anew" if self.is_unhealed and way == "in place" else way)
        self.book.note_restored(device, kept)

    @precondition(lambda self: len(self.world.writers) < WRITERS_MAX)
    @rule(at=DEVICE)
    def go_on_beside_a_copy(self, at: int) -> None:
        device = self.device(at)
        copy = self.world.copy_of(device)
        self.world.writers.append(copy)
        self.book.note_copy(copy, device)

    @rule(at=DEVICE, steps=st.integers(0, 4), after=st.booleans())
    def crash_in_the_next_opening(self, at: int, steps: int, *, after: bool) -> None:
        self.device(at).dies_opening = (steps, after)

    # Backups of the server.

    @precondition(lambda self: 0 < len(self.world.backups) < BACKUPS_MAX)
    @rule()
    def back_up_the_server(self) -> None:
        self.world.back_up_server()

    @precondition(lambda self: self.world.backups)
    @rule(which=st.integers(0, BACKUPS_MAX - 1), told=st.booleans(), with_pictures=st.booleans())
    def restore_the_server(self, which: int, *, told: bool, with_pictures: bool) -> None:
        """Let a backup take the server's place; the operator says so, or the devices find out (R43)."""
        self.world.calm()
        for at, device in enumerate(self.world.writers):
            if device.is_put_back:  # see `restore`
                self.sync_well(at)
        self.book.proofs.note_restoring(self.world)
        backups = self.world.backups
        today = self.world.copy_server()
        self.world.restore_server(backups[which % len(backups)], with_pictures=with_pictures)
        if forks_device_lists(self.world, device_list_of_server(self.world)):
            self.world.restore_server(today, with_pictures=True)
        self.book.proofs.note_kept(self.world)
        self.is_unhealed = True
        self.follower = Follower(self.world)
        if told:
            self.world.serving.server.say_restored()
        self.world.calm()
        bring_back_device_list(self.world)

    @rule(at=DEVICE, what=HAPPENINGS)
    def happen(self, at: int, what: tuple[str, int]) -> None:
        """Let something befall a machine, a clock, or everybody's time."""
        match what:
            case "crash", reboot:
                self.device(at).crash(reboot=bool(reboot))
            case "restart the server", killed:
                self.world.restart_server(killed=bool(killed))
            case "be updated", _:
                self.device(at).be_updated()
            case "log in", _:
                if len(self.world.writers) < WRITERS_MAX:
                    self.world.writers.append(self.world.log_in(self.phrase))
            case "set a clock", offset_ms:
                self.device(at).offset_ms = offset_ms
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
        for device in self.world.devices:
            device.crash_at(None)
            # Late time waits for a word where a diary asks for one (R38).
            device.diary.send_asked()
        self.world.come_to_rest()
        for device in self.world.devices:
            self.book.note(device)  # a stamp that was ahead is corrected under a new number (R44)
        self.book.check_log(self.world)
        check_looks(self.book, self.world)
        for watched, reader in zip(self.watched, self.world.readers, strict=True):
            watched.look(reader, {int(slot) for slot in SLOTS})
        self.book.check_outcomes(self.world)
        self.book.check_destroyed(self.world)
        check_basis(self.book, self.world)
        self.is_unhealed = False

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            self.world.deliver_all()
            self.quiet()
            self.world.move(SETTLING_MS)
            self.quiet()
            assert not any(pending(device) for device in self.world.devices)
            while self.follower.follow(500, [], from_start=False):
                pass
            assert self.follower.size == len(self.book.log)
            check_rebuilt(self.world, self.world.devices[-1])
            check_rebuilt(self.world, self.world.devices[0])
            self.world.writers.append(self.world.log_in(self.phrase))
            self.quiet()
        finally:
            self.world.close()
            shutil.rmtree(self.world.folder)

    def device(self, at: int) -> Device:
        return self.world.writers[at % len(self.world.writers)]

    def place(self, place: tuple[int, Slot]) -> tuple[ContractId, Slot]:
        return self.contracts[place[0]], place[1]

    def shown(self, device: Device) -> list[tuple[ContractId, Slot]]:
        weeks = {Week.of(slot): None for slot in SLOTS}
        return [(one.contract, one.slot) for week in weeks for one in device.diary.week(week).segments]

    def chosen(self, device: Device, chosen: Sequence[int]) -> list[tuple[ContractId, Slot]]:
        """Return some of the places that the device shows, or any where it shows none."""
        places = self.shown(device) or [self.place((at % 2, slot)) for at, slot in enumerate(SLOTS)]
        return list(dict.fromkeys(places[which % len(places)] for which in chosen))

    def text(self) -> str:
        self.typed += 1
        return f"text {self.typed}"
