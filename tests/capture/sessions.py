"""A session before tests: a slot at nine, two contracts, and all that a run had done."""

from collections.abc import Callable, Iterable

from capture.absence import Absence
from capture.draft import Draft, Sample, Snapshot, Wish
from capture.session import Session
from capture.steps import (
    Ask,
    Begun,
    DropDraft,
    Effect,
    Event,
    FinishCapture,
    PictureTaken,
    PictureWithheld,
    Say,
    TakePicture,
    Tick,
    Wished,
)
from diary.rules.ids import ContractId, Millis, ReplicaId, Slot
from diary.rules.sealed_content import Moment, StampedText

SLOT = Slot(2_950_000)
NINE = SLOT * 600_000
MINUTE = 60_000
MILL = ContractId("a" * 32)
BAKERY = ContractId("b" * 32)
ME = ReplicaId("e" * 32)
AT_LEAST = Sample(0, 0, 0, idle_ms=0)
AWAY = Sample(0, 0, 0, idle_ms=100 * MINUTE)


def at(minutes: float) -> Millis:
    """The instant so many minutes after the slot's start."""
    return Millis(NINE + int(minutes * MINUTE))


def drawing(minutes: float) -> Callable[[int], int]:
    """Draw the moment this many minutes after whatever remains begins."""
    return lambda bound: min(bound - 1, int(minutes * MINUTE))


def typed(text: str, minutes: float = 0) -> StampedText:
    return StampedText(text, (at(minutes), ME))


def on(contract: ContractId = MILL, since: float = 0, **more: StampedText | Millis) -> Wish:
    return Wish(contract=contract, since_ms=at(since), **more)  # type: ignore[arg-type]  # tests name what they set


OFF = Wish(contract=None)


def snapshot(minutes: float, no_picture: str | None = None) -> Snapshot:
    moment = Moment(wall_ms=at(minutes), monotonic_ms=1, boot="b")
    pictures = () if no_picture else (("screen", b"pixels"),)
    return Snapshot(moment, "Editor", "a title", no_picture, pictures)


class Run:
    """A session and all that it had done."""

    def __init__(
        self,
        draw: Callable[[int], int],
        wish: Wish = OFF,
        start: float = 0,
        drafts: Iterable[Draft] = (),
        absence: Absence | None = None,
        *,
        withheld: bool = False,
        pictures_come: bool = True,
    ) -> None:
        self.session = Session(draw)
        self.effects: list[Effect] = []
        self.now = start
        self.picture: Snapshot | None = None  # instead of a plain one
        self.withheld = withheld
        self.pictures_come = pictures_come
        self.step(Begun(at(start), wish, tuple(drafts), absence))

    def step(self, event: Event) -> list[Effect]:
        done = self.session.step(event)
        self.effects += done
        for effect in done:
            if isinstance(effect, TakePicture) and self.pictures_come:
                taken = self.picture or snapshot(self.now)
                answer: Event = PictureTaken(event.at_ms, effect.slot, taken)
                if self.withheld:
                    answer = PictureWithheld(event.at_ms, effect.slot)
                self.effects += self.session.step(answer)
        return list(done)

    def until(self, minutes: float, sample: Sample = AT_LEAST, every: float = 1 / 6) -> "Run":
        while self.now + every < minutes:
            self.now += every
            self.step(Tick(at(self.now), sample))
        self.now = minutes
        self.step(Tick(at(minutes), sample))
        return self

    def wish(self, wish: Wish) -> list[Effect]:
        return self.step(Wished(at(self.now), wish))

    def finished(self) -> list[Draft]:
        return [effect.draft for effect in self.effects if isinstance(effect, FinishCapture)]

    def said(self) -> list[str]:
        return [effect.word for effect in self.effects if isinstance(effect, Say)]

    def pictures(self) -> list[Slot]:
        return [effect.slot for effect in self.effects if isinstance(effect, TakePicture)]


def asked(run: Run) -> list[Ask]:
    return [effect for effect in run.effects if isinstance(effect, Ask)]


def dropped(run: Run) -> list[int]:
    return [effect.slot - SLOT for effect in run.effects if isinstance(effect, DropDraft)]


def tracked(draft: Draft) -> str:
    return "".join("-" if minute is None else "x" for minute in draft.minutes)
