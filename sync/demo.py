"""`diary demo`: three weeks of a sample diary on two devices, made through the real pipeline.

Real diaries, the real server on a socket of this computer, real syncs, real pictures; only the clock is given
and the screens are drawn. So every page has something to show: conflicts, late, manual, over the limit,
overlapping, masked, removed and refused.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from random import Random  # noqa: TID251  # seeded by an argument: the same story again
from typing import assert_never

import uvicorn

from capture.snapshot import encode
from diary.clock import GivenClock
from diary.diary import CaptureDraft, Contract, Diary
from diary.errors import MachineError, UsageError
from diary.rules.ids import Millis
from diary.rules.sealed_content import Moment, StampedText
from diary.rules.timesheet import Place
from diary.rules.week import Week, starts_at_ms
from diary.sealing.keyring import choose_place
from diary.store.drafts import PictureRole
from sync import demo_pictures, demo_story
from sync.demo_story import Act, Added, Edited, Removed, Synced, Worked
from sync.engine import Engine
from sync.enrolment import login, register
from sync.server.app import create_app
from sync.server.settings import Settings
from sync.transport import Transport

SEED = 2041
LAPTOP, TOWER = "laptop", "tower"
SERVER = "server"  # where `diary up` on the laptop finds the server's files again
TOLD_EVERY = 40  # acts: a line every few seconds

Tell = Callable[[str], None]


class NotEmptyError(UsageError):
    """A demo never writes into somebody's folder."""

    says = "{folder} is not empty."
    mend = "Name another folder with --out; a demo takes one of its own."


class NoServerError(MachineError):
    """The server of the demo ended before it began."""

    says = "The demo's server could not start on this computer."
    mend = "See why with: diary server run."


@dataclass(frozen=True, slots=True)
class Demo:
    """What was made: a home folder for each device."""

    laptop: Path
    tower: Path
    segments: int


@dataclass(slots=True)
class _Stage:
    """Everything that is open while the story is told."""

    url: str
    clocks: list[GivenClock]
    devices: dict[str, Diary] = field(default_factory=dict)
    jobs: dict[str, Contract] = field(default_factory=dict)


def make_demo(folder: Path, *, until_ms: int, progress: Tell, seed: int = SEED) -> Demo:
    """Make the sample diary in `folder`: the three weeks that end in the week of `until_ms` (R2).

    Nothing in it is later than `until_ms`. The same seed tells the same story; keys and ids differ.

    Raises:
        NotEmptyError: Something lies in the folder.
    """
    if folder.exists() and any(folder.iterdir()):
        raise NotEmptyError(folder=folder)
    laptop, tower = folder / LAPTOP, folder / TOWER
    for home in (laptop, tower):
        home.mkdir(mode=0o700, parents=True)
    last = Week.at(until_ms)
    begins_ms = Millis(last.previous().previous().starts_at_ms - 60 * 60_000)
    server_clock, clock_a, clock_b = (GivenClock(begins_ms) for _ in range(3))
    chance = Random(seed)  # noqa: S311  # it tells a story and guards nothing
    acts = [act for act in demo_story.story(last, chance) if act.at_ms <= until_ms]
    with ExitStack() as stack:
        url = stack.enter_context(_serving(laptop / SERVER, server_clock))
        stage = _Stage(url, [server_clock, clock_a, clock_b])
        a = Diary.create(laptop, clock=clock_a, place=choose_place(laptop, "file"), device_name=LAPTOP)
        stack.callback(a.close)
        stage.jobs = _contracts(a)
        phrase = a.phrase()
        assert phrase is not None, "a new account keeps its phrase until it is confirmed"
        with Transport(url) as line:
            register(a, line)
            b, _ = login(
                tower, line, phrase, clock=clock_b, place=choose_place(tower, "file"), device_name=TOWER
            )
        stack.callback(b.close)
        stage.devices = {LAPTOP: a, TOWER: b}
        _sync(stage, LAPTOP)
        for number, act in enumerate(acts):
            if number % TOLD_EVERY == 0:
                progress(
                    f"{datetime.fromtimestamp(act.at_ms / 1000, UTC):%a %d %b %Y}: {number} of {len(acts)}"
                )
            for clock in stage.clocks:
                clock.put(max(act.at_ms, clock.now_ms()))
            _do(stage, act)
    return Demo(laptop=laptop, tower=tower, segments=sum(isinstance(act, Worked) for act in acts))


def _contracts(diary: Diary) -> dict[str, Contract]:
    return {
        "orchard": diary.new_contract(
            title="Orchard website",
            client="Orchard Ltd",
            rate_minor=60_00,
            currency="USD",
            limit_minutes=12 * 60,
            manual_allowed=True,
            labels=("Design", "Code", "Review", "Meeting"),
        ),
        "mill": diary.new_contract(
            title="Mill bookkeeping", client="Mill & Daughters", rate_minor=45_00, currency="EUR"
        ),
    }


def _do(stage: _Stage, act: Act) -> None:
    """Let one act of the story happen, as the person or the tracker would do it."""
    diary = stage.devices[act.device]
    match act:
        case Worked():
            diary.record(_draft(diary, stage.jobs[act.job], act))
        case Synced():
            if act.sends_late:
                diary.send_asked()
            _sync(stage, act.device)
        case Edited():
            diary.edit(_standing(diary, stage, act), memo=act.memo)
        case Removed():
            diary.remove(_standing(diary, stage, act))
        case Added():
            diary.add_manual(stage.jobs[act.job].id, act.slots, act.memo, act.label)
        case _:
            assert_never(act)


def _standing(diary: Diary, stage: _Stage, act: Edited | Removed) -> list[Place]:
    places = [(stage.jobs[act.job].id, slot) for slot in act.slots]
    return [place for place in places if diary.segment(place) is not None]


def _sync(stage: _Stage, device: str) -> None:
    diary = stage.devices[device]
    with Transport(stage.url) as line:
        Engine(diary, line).run()


def _draft(diary: Diary, contract: Contract, act: Worked) -> CaptureDraft:
    scene = demo_pictures.SCENES[act.scene]
    typed = (Millis(starts_at_ms(act.slot)), diary.replica)
    is_masked = act.look == "masked"
    return CaptureDraft(
        contract=contract.id,
        slot=act.slot,
        minutes=act.minutes,
        application=scene.application,
        title="" if is_masked else scene.title,
        drawn_ms=Millis(act.taken_ms),
        moment=Moment(wall_ms=Millis(act.taken_ms), monotonic_ms=act.taken_ms, boot="given"),
        masked=is_masked,
        no_picture="locked" if act.look == "locked" else None,
        pictures=() if act.look == "locked" else _pictures(act.scene, act.number, masked=is_masked),
        memo=StampedText(act.memo, typed),
        label=StampedText(act.label, typed) if act.label else None,
    )


@cache
def _pictures(scene: str, number: int, *, masked: bool) -> tuple[tuple[PictureRole, bytes], ...]:
    """Return a scene's screen and thumbnail as the tracker would encode them; each is drawn once."""
    encoded = encode(demo_pictures.picture(demo_pictures.SCENES[scene], number, masked=masked))
    return ("screen", encoded.screen), ("thumbnail", encoded.thumbnail)


@contextmanager
def _serving(folder: Path, clock: GivenClock) -> Iterator[str]:
    """Run the real server on a free port of this computer, by the given clock; yield its address."""
    app = create_app(Settings(folder=folder), clock)
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", access_log=False)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise NoServerError
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
