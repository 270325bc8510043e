"""A day's page shows every slot once and in its place, wherever its reader lives; totals never move (R2, R5).

Real pages of a real diary whose every slot around a day is filled: where clocks change by an hour or by half
of one, where hours begin at :45, on the far side of the date line, in a week 53.
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest

from diary.rules.ids import Millis, Slot
from diary.rules.week import Week, starts_at_ms
from tests.plugins.conftest import Served, serve
from tests.practice import practice_diary
from tests.rule import rule

ZONES = ("UTC", "Asia/Kathmandu", "Pacific/Chatham", "Australia/Lord_Howe", "Pacific/Honolulu")
DAYS = [
    ("Asia/Kathmandu", date(2026, 11, 18), 144),
    ("Pacific/Honolulu", date(2026, 11, 22), 144),  # its evening is Greenwich's next week
    ("Europe/Berlin", date(2026, 10, 25), 150),
    ("Europe/Berlin", date(2026, 3, 29), 138),
    ("Pacific/Chatham", date(2026, 4, 5), 150),
    ("Pacific/Chatham", date(2026, 9, 27), 138),
    ("Australia/Lord_Howe", date(2026, 4, 5), 147),
    ("Australia/Lord_Howe", date(2026, 10, 4), 141),
    ("America/New_York", date(2026, 11, 1), 150),
    ("UTC", date(2027, 1, 1), 144),  # in 2026-W53
]
HOUR = r'<th scope="row(?:group)?"[^>]*class="hour-name">(?P<hour>[^<]*)'
CELL = re.compile(rf'<td(?: class="\w+")?>(?P<inside>.*?)</td>|{HOUR}', re.DOTALL)
PLACE = re.compile(r'<a href="/-/diary/segment/[0-9a-f]{32}/(?P<slot>\d+)"')
TIME = re.compile(r'<span class="time">(?P<time>\d\d:\d\d)')


def slots_of(day: date, zone: str) -> list[Slot]:
    """Return the slots that start within a local day: the oracle, slot by slot by the zone's rules."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone))
    middle = int(noon.timestamp()) // 600
    around = (Slot(middle + number) for number in range(-100, 100))
    return [one for one in around if local(one, zone).date() == day]


def local(slot: Slot, zone: str) -> datetime:
    return datetime.fromtimestamp(starts_at_ms(slot) / 1000, tz=ZoneInfo(zone))


@dataclass
class Reader:
    """Somebody who reads the pages of a diary in which every slot around a day is filled."""

    served: Served
    client: httpx.Client
    slots: list[Slot]

    def page(self, path: str) -> str:
        answer = self.client.get(self.served.address(path))
        assert answer.status_code == 200
        return answer.text

    def shown(self, day: date) -> list[tuple[str, Slot, str]]:
        """Return hour, slot and time of each segment on a day's page, in the page's order."""
        hour, found = "", []
        for cell in CELL.finditer(self.page(f"/-/diary/day/{day}?hours=all")):
            hour = cell["hour"] or hour
            for place in PLACE.finditer(cell["inside"] or ""):
                time = TIME.search(cell["inside"])
                found.append((hour, Slot(int(place["slot"])), time["time"] if time else ""))
        return found


@contextmanager
def reading(home: Path, zone: str, day: date) -> Iterator[Reader]:
    slots = slots_of(day, zone)
    filled = [Slot(number) for number in range(slots[0] - 18, slots[-1] + 19)]
    with ExitStack() as stack:
        at = datetime.fromtimestamp(starts_at_ms(Slot(filled[-1] + 2)) / 1000, tz=ZoneInfo("UTC"))
        begun = at - timedelta(days=2)
        diary, clock, contract = practice_diary(
            home, f"{begun:%Y-%m-%dT%H:%MZ}", title="Orchard", manual_allowed=True, rate_minor=6000
        )
        stack.enter_context(diary)
        end_ms = starts_at_ms(Slot(filled[-1] + 2))
        for week in sorted({Week.of(slot) for slot in filled}):
            clock.put(Millis(min(week.locked_at_ms - 60_000, end_ms)))
            acts = diary.add_manual(contract.id, [slot for slot in filled if slot in week.slots], "by hand")
            assert not acts.refused
        clock.put(end_ms)
        diary.set_setting("zone", zone)
        served = serve(home / "diary", diary, clock, contract, stack)
        client = stack.enter_context(httpx.Client(follow_redirects=True, timeout=60))
        client.get(served.door.url)
        yield Reader(served, client, filled)


@rule("R5")
@pytest.mark.parametrize(("zone", "day", "count"), DAYS)
def test_each_slot_stands_once_in_its_hour_on_the_page_of_its_day(
    tmp_path: Path, zone: str, day: date, count: int
) -> None:
    with reading(tmp_path, zone, day) as reader:
        shown = reader.shown(day)
        assert [slot for _, slot, _ in shown] == slots_of(day, zone)
        assert len(shown) == count
        for hour, slot, time in shown:
            assert time == f"{local(slot, zone):%H:%M}"
            assert hour.strip() == f"{local(slot, zone):%H}:00"
        around = [
            slot
            for other in (day - timedelta(days=1), day, day + timedelta(days=1))
            for _, slot, _ in reader.shown(other)
        ]
        assert around == reader.slots


@rule("R2")
@rule("R5")
def test_totals_are_the_same_in_every_zone(tmp_path: Path) -> None:
    with reading(tmp_path, "Pacific/Honolulu", date(2026, 11, 22)) as reader:
        weeks = sorted({Week.of(slot) for slot in reader.slots})
        assert [week.name for week in weeks] == ["2026-W47", "2026-W48"]
        told = set()
        for zone in ZONES:
            reader.served.diary.set_setting("zone", zone)
            paths = [f"/-/diary/week/{week.name}" for week in weeks]
            sums = [reader.client.get(reader.served.address(f"{path}.json")).json() for path in paths]
            csv = [reader.page(f"{path}/totals.csv") for path in paths]
            told.add(repr(([one["totals"] for one in sums], csv)))
        assert len(told) == 1
