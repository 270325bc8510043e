"""A freelancer's life before a session, and what should come of it by the rules alone.

`lived` feeds a session with a life, tick by tick, and keeps what it has sealed and recorded. `expected` works
the same life out in another way: it never steps a machine. It asks of each instant who was there and what was
wanted, rewrites what was wanted by the answers about absences (R18), and reads each slot off that (R12).
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from capture.absence import Absence, Answer
from capture.draft import Draft, Sample, Snapshot, Wish
from capture.session import GAP_MS_MAX, Session
from capture.steps import (
    Answered,
    Ask,
    Begun,
    DropDraft,
    Effect,
    FinishCapture,
    KeepDraft,
    PictureTaken,
    Settle,
    TakePicture,
    Tick,
    Wished,
)
from diary.rules.ids import ContractId, Millis, Slot
from diary.rules.sealed_content import Moment

MINUTE = 60_000
TICK = 20_000
IDLE = 10 * MINUTE
EIGHT_HOURS = 8 * 60 * MINUTE
BEGIN = Millis(2_950_000 * 600_000)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some minutes of one kind: "work", "quiet" (nobody there), "locked", "private", "asleep"."""

    kind: str
    minutes: int


@dataclass(frozen=True, slots=True)
class Choice:
    """What the freelancer wants from here on: a contract, or None for off."""

    contract: ContractId | None


@dataclass(frozen=True, slots=True)
class Life:
    """What happens, one after the other; `answers` go by the minute at which tracking paused, None for none.

    An answer is given as soon as somebody is there again. `draws` are parts of what remains of a slot.
    """

    events: Sequence[Stretch | Choice]
    answers: Sequence[Answer | None] = ()
    draws: Sequence[float] = (0.5,)

    def draw(self, slot: int, bound: int) -> int:
        return min(bound - 1, int(self.draws[slot % len(self.draws)] * bound))

    def answer(self, until_ms: int) -> Answer | None:
        return self.answers[until_ms // MINUTE % len(self.answers)] if self.answers else None


@dataclass(frozen=True, slots=True)
class Seen:
    """One capture: of which contract, which minutes are tracked, and whether the screen was locked."""

    contract: ContractId
    minutes: tuple[bool, ...]
    locked: bool


@dataclass(slots=True)
class Lived:
    """A session that lives a life; `disk` is what would be found after a crash."""

    life: Life
    session: Session
    now: Millis = BEGIN
    wish: Wish = field(default_factory=lambda: Wish(contract=None))
    seen: dict[Slot, Seen] = field(default_factory=dict)
    disk: dict[tuple[ContractId, Slot], Draft] = field(default_factory=dict)
    asked: Absence | None = None
    last_input: Millis = BEGIN
    is_locked: bool = False
    twice: list[Slot] = field(default_factory=list)
    woke: bool = False

    def step(self, event: Begun | Tick | Wished | PictureTaken | Answered) -> None:
        for effect in self.session.step(event):
            self._run(effect)

    def _run(self, effect: Effect) -> None:
        match effect:
            case KeepDraft(draft, instead_of):
                if instead_of:
                    self.disk.pop((instead_of, draft.slot), None)
                for place in [place for place in self.disk if place[1] == draft.slot]:
                    if self.disk[place].snapshot is None:  # the diary takes the slot over
                        del self.disk[place]
                self.disk[draft.contract, draft.slot] = draft
            case DropDraft(contract, slot):
                self.disk.pop((contract, slot), None)
            case FinishCapture(draft):
                self.disk.pop((draft.contract, draft.slot), None)
                if draft.slot in self.seen:
                    self.twice.append(draft.slot)
                minutes = tuple(minute is not None for minute in draft.minutes)
                assert draft.snapshot, "a capture has its moment"
                self.seen[draft.slot] = Seen(draft.contract, minutes, draft.snapshot.no_picture == "locked")
            case TakePicture(slot):
                moment = Moment(wall_ms=self.now, monotonic_ms=0, boot="b")
                why = "locked" if self.is_locked else None
                self.step(PictureTaken(self.now, slot, Snapshot(moment, no_picture=why)))
            case Ask(absence):
                self.asked = absence
            case Settle():
                self.asked = None
            case _:
                pass

    def tick(self, kind: str, *, has_input: bool) -> None:
        self.is_locked = kind == "locked"
        if has_input:
            self.last_input = self.now
        count = 1 if has_input else 0
        sample = Sample(count, 0, 0, idle_ms=self.now - self.last_input)
        self.step(Tick(self.now, sample, locked=self.is_locked, private=kind == "private"))
        if has_input:
            self.answer()

    def answer(self) -> None:
        if self.asked:
            answer = self.life.answer(self.asked.until_ms)
            if answer is not None:
                self.step(Answered(self.now, answer))

    def choose(self, choice: Choice) -> None:
        self.wish = Wish(contract=choice.contract, since_ms=self.now)
        self.last_input = self.now
        self.step(Wished(self.now, self.wish))
        self.answer()

    def live(self) -> None:
        for event in self.life.events:
            if isinstance(event, Choice):
                self.choose(event)
                continue
            end = Millis(self.now + event.minutes * MINUTE)
            if event.kind == "asleep":
                self.now, self.woke = end, True
                continue
            while self.now < end:
                due = max(self.session.wakes_at_ms, self.now + 1)
                at_tick = self.now + 1 if self.woke else self.now - self.now % TICK + TICK
                self.woke = False
                self.now = Millis(min(due, at_tick, end))
                self.tick(event.kind, has_input=event.kind == "work" and self.now % TICK == 0)


def to_its_end(life: Life) -> Life:
    """Return the life with all that is open at its end let run out."""
    return Life(
        [*life.events, Choice(None), Stretch("asleep", 9 * 60), Stretch("quiet", 1)], life.answers, life.draws
    )


def lived(life: Life) -> Lived:
    """Return what a session makes of a life."""
    run: Lived
    draw: Callable[[int], int] = lambda bound: life.draw(run.now // 600_000, bound)  # noqa: E731  # `run` comes next
    run = Lived(life, Session(draw))
    run.step(Begun(BEGIN, run.wish))
    run.live()
    return run


@dataclass(frozen=True, slots=True)
class Instant:
    """One instant as the oracle sees it: what is wanted, and who is there."""

    at: int
    contract: ContractId | None
    kind: str
    input: bool
    active_ms: int  # when somebody was there last

    @property
    def away(self) -> bool:
        return self.at - self.active_ms >= IDLE

    @property
    def tracks(self) -> bool:
        return self.contract is not None and not self.away and self.kind not in {"locked", "private"}

    @property
    def meets(self) -> bool:
        return self.tracks or (self.contract is not None and not self.away and self.kind == "locked")


def expected(life: Life) -> dict[Slot, Seen]:
    """Return the captures that the rules give."""
    instants = instants_of(life)
    by_slot: dict[int, list[Instant]] = {}
    for instant in instants:
        by_slot.setdefault(instant.at // 600_000, []).append(instant)
    changes = changes_of(life, instants)
    return {Slot(slot): seen for slot in by_slot if (seen := capture_of(life, slot, instants, changes))}


def instants_of(life: Life) -> list[Instant]:
    """Return each instant at which the desktop is looked at; of equal ones the later knows more."""
    found: list[Instant] = []
    now, contract, kind, active, slept = int(BEGIN), None, "work", int(BEGIN), False
    for event in life.events:
        if isinstance(event, Choice):
            found.append(Instant(now, contract, kind, input=False, active_ms=active))
            contract, active = event.contract, now
            found.append(Instant(now, contract, kind, input=True, active_ms=active))
            continue
        end = now + event.minutes * MINUTE
        if event.kind == "asleep":
            now, slept = end, True
            continue
        ticks = [*([now + 1] if slept else []), *range(now - now % TICK + TICK, end + 1, TICK)]
        for at in ticks:
            kind = event.kind
            if found and at - found[-1].at > GAP_MS_MAX:  # what came before the waking is an absence
                found.append(Instant(at, contract, kind, input=False, active_ms=active))
            has_input = kind == "work" and at % TICK == 0
            active = at if has_input else active
            found.append(Instant(at, contract, kind, input=has_input, active_ms=active))
        now, slept = end, False
    return found


def changes_of(life: Life, instants: Sequence[Instant]) -> list[tuple[int, int, Answer]]:
    """Return from when until when an answer changes what was wanted."""
    changes = []
    for at, (before, now) in enumerate(pairwise(instants), start=1):
        if now.away and not before.away:
            back = next((one.at for one in instants[at + 1 :] if one.input), None)
            in_time = back is not None and back - now.at < EIGHT_HOURS
            answer = life.answer(now.at) if in_time else None
            changes.append((now.active_ms, now.at, answer or Answer("drop")))
    return changes


def capture_of(
    life: Life, slot: int, instants: Sequence[Instant], changes: Sequence[tuple[int, int, Answer]]
) -> Seen | None:
    """Return what comes of a slot, None for nothing."""
    start, end = slot * 600_000, (slot + 1) * 600_000
    tracked = [one for one in instants if start <= one.at < end and one.tracks]
    if not tracked:
        return None
    drawn = tracked[0].at + life.draw(slot, end - tracked[0].at)
    first = instants.index(tracked[0])
    at, met = instant_of_moment(instants, first, drawn, end)
    if met is None or not met.meets:
        return None
    contract = next(one.contract for one in reversed((*instants[first:at], met)) if one.tracks)
    # The moment itself is looked at too, so its minute counts.
    minutes = {(one.at - start) // MINUTE for one in (*tracked, met) if one.tracks and one.at < end}
    busy = {(one.at - start) // MINUTE for one in tracked if one.input}
    for since, until, answer in changes:
        idle = {each for each in minutes - busy if since < start + each * MINUTE < until}
        if idle and answer.word == "drop":
            minutes -= idle
            if since < drawn < until:
                return None
        if idle and answer.word == "move" and since < drawn < until:
            contract = answer.contract
    assert contract is not None, "what tracks has a contract"
    return Seen(contract, tuple(each in minutes for each in range(10)), met.kind == "locked")


def instant_of_moment(
    instants: Sequence[Instant], first: int, drawn: int, end: int
) -> tuple[int, Instant | None]:
    """Return the first look at the desktop from the drawn moment on, within the slot or just after it.

    `first` is the look at which the slot began to be tracked; with the answer comes how many were before it.
    """
    at = bisect_left(instants, drawn, first, key=lambda one: one.at)
    if at == len(instants) or instants[at].at == drawn:
        return at, instants[at] if at < len(instants) else None
    before, after = instants[at - 1], instants[at]
    if after.at - before.at <= TICK:  # awake: the moment itself is looked at
        return at, replace(after, at=drawn, input=False, active_ms=before.active_ms)
    if after.at < end:
        return at, after
    return at, before if after.at - before.at <= GAP_MS_MAX else None
