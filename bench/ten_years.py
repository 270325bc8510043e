"""A diary of ten years, made once and used by the figures that need a long one.

125,000 segments: weekdays, 08:00 to 16:00 UTC and a little more, three contracts in turn, each segment a
capture with an entry of its memo, as the tracker writes them. Pictures are left out; `add_day_of_pictures`
adds a day that has them.
"""

import io
import random
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import msgspec
from PIL import Image

from diary import envelope
from diary.clock import GivenClock
from diary.contracts import Contract
from diary.diary import Diary
from diary.rules.ids import Millis, Slot
from diary.rules.json_form import at as at_utc
from diary.rules.sealed_content import CaptureContent, EntryContent, MinuteCounts, Moment, StampedText
from diary.rules.week import DAY_MILLIS, SLOTS_PER_DAY, slot_at, starts_at_ms
from diary.sealing.keyring import choose_place
from diary.state import OpenDiary
from tests.practice import draft_of

SEGMENTS = 125_000
SEGMENTS_A_DAY = 48
SEGMENTS_WITH_PICTURES = 60
WRITTEN_AT_ONCE = 2_000
WORDS = tuple(
    word
    for line in (
        "invoice rounding ledger orchard review deploy staging refund calendar booking layout login export",
        "bridge harbour lantern meadow parser quota ribbon signal timber velvet walnut yellow zephyr",
    )
    for word in line.split()
)
NEEDLE = "persimmon"  # a word that a handful of memos have


TITLES = ("Orchard website", "Mill bookkeeping", "Night shelter")


def make(home: Path, segments: int = SEGMENTS, titles: tuple[str, ...] = TITLES) -> Diary:
    """Return a new diary of so many segments that ends yesterday, its contracts a day each in turn."""
    home.mkdir(parents=True)
    today = int(time.time() * 1000) // DAY_MILLIS * DAY_MILLIS
    clock = GivenClock(Millis(today))
    diary = Diary.create(home, clock=clock, place=choose_place(home, "file"), device_name="bench")
    contracts = [
        diary.new_contract(
            title=title, client=title.split()[0], labels=("Design", "Code"), manual_allowed=True
        )
        for title in titles
    ]
    chance = random.Random(2026)  # the same diary each time
    slots = _slots(slot_at(today), segments)
    while batch := list(islice(slots, WRITTEN_AT_ONCE)):
        state = diary._state  # noqa: SLF001  # no verb of the door writes whole batches
        with state.writing():
            for number, slot in enumerate(batch):
                _write(state, contracts[slot // SLOTS_PER_DAY % len(contracts)], slot, chance, number)
    return diary


def _slots(before: Slot, segments: int) -> Iterator[Slot]:
    day = before // SLOTS_PER_DAY * SLOTS_PER_DAY
    left = segments
    while left > 0:
        day -= SLOTS_PER_DAY
        if (day // SLOTS_PER_DAY + 3) % 7 < 5:  # 1970-01-01 was a Thursday
            for at in range(min(SEGMENTS_A_DAY, left)):
                yield Slot(day + SLOTS_PER_DAY // 3 + at)
            left -= SEGMENTS_A_DAY


def _write(state: OpenDiary, contract: Contract, slot: Slot, chance: random.Random, number: int) -> None:
    at_ms = starts_at_ms(slot)
    minutes = tuple(
        MinuteCounts(chance.randrange(200), chance.randrange(9), chance.randrange(9), os_active=True)
        for _ in range(10)
    )
    capture = CaptureContent(
        contract=contract.id,
        slot=slot,
        minutes=minutes,
        application=chance.choice(("Code", "Chromium", "Terminal")),
        title=" ".join(chance.choices(WORDS, k=5)),
        moment=Moment(wall_ms=at_ms, monotonic_ms=0, boot=""),
        masked=False,
        no_picture=None,
        roles=("screen", "thumbnail"),
        picture_names=("1" * 64, "2" * 64),
        device="bench",
    )
    header = envelope.draw_header(state, "capture", contract.id, slot=slot)
    pictures = (("1" * 64, 98_304), ("2" * 64, 4_096))
    envelope.write(state, msgspec.structs.replace(header, pictures=pictures), capture, at_ms=at_ms)
    memo = " ".join(chance.choices(WORDS, k=4)) + (f" {NEEDLE}" if number == 7 else "")
    stamp = (at_ms, state.replica)
    entry = EntryContent(
        contract=contract.id, slot=slot, memo=StampedText(memo, stamp), label=StampedText("Code", stamp)
    )
    header = envelope.draw_header(state, "entry", contract.id, slot=slot, life=0, stamp=stamp)
    vector = {state.replica: header.n}
    envelope.write(state, msgspec.structs.replace(header, vector=vector, manual=False), entry, at_ms=at_ms)


def add_day_of_pictures(diary: Diary) -> tuple[str, int]:
    """Record a day of ten hours with real pictures before all others; return the day and how many it has."""
    contract = diary.contracts()[0]
    first = Slot(int(min(week.first_slot for week in diary.weeks())) - 7 * SLOTS_PER_DAY + 54)
    screen = Image.effect_noise((640, 360), 40).convert("RGB")
    for number in range(SEGMENTS_WITH_PICTURES):
        at = Slot(first + number)
        draft = draft_of(contract, at, memo="With a picture", replica=diary.replica)
        file = io.BytesIO()
        screen.rotate(number).resize((320, 180)).save(file, "AVIF", quality=45)
        pictures = (("screen", file.getvalue()), ("thumbnail", file.getvalue()))
        diary.record(msgspec.structs.replace(draft, pictures=pictures))
    return at_utc(starts_at_ms(first)).date().isoformat(), SEGMENTS_WITH_PICTURES
