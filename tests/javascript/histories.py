"""Histories of a contract, drawn by chance: what honest and careless devices may have written (R33-R38)."""

from random import Random
from typing import Any, Literal

import msgspec

from diary.rules.content import MergedContent, agrees, merged
from diary.rules.contract import TermsHistory, TermsVersion
from diary.rules.ids import AccountId, ContractId, Millis, ReplicaId, Slot
from diary.rules.merge import Held, Standing
from diary.rules.sealed_content import CaptureContent, EntryContent, MinuteCounts, Moment, StampedText
from diary.rules.segment import Header, TermsInClear
from diary.rules.vector import join
from diary.rules.week import DAY_MILLIS, Week, starts_at_ms

ACCOUNT = AccountId("ac" * 16)
REPLICAS = tuple(ReplicaId(letter * 32) for letter in "abcd")
MEMOS = ("Review", "Übersetzung", "\U0001d54f beyond", "\uff5e before", "=SUM(A1);\x00=1\n\u200b-2\x9b", "")

Role = Literal["screen", "thumbnail", "camera"]
Contents = dict[tuple[ReplicaId, int], CaptureContent | EntryContent | None]


class Author:
    """Writes versions as honest and careless devices would: concurrent, late, doubled, of many lives."""

    def __init__(self, chance: Random, week: Week) -> None:
        self.chance = chance
        self.week = week
        self.numbers = dict.fromkeys(REPLICAS, 0)
        self.contents: Contents = {}

    def held(self, contract: ContractId, slots: list[Slot]) -> list[Held]:
        """Return what is held of the slots, in an order that says nothing."""
        found = [held for slot in slots for held in self._of_slot(contract, slot)]
        self.chance.shuffle(found)
        return found

    def _of_slot(self, contract: ContractId, slot: Slot) -> list[Held]:
        chance = self.chance
        found = [self._capture(contract, slot) for _ in range(chance.choice((0, 1, 1, 1, 2)))]
        entries: list[Held] = []
        for _ in range(chance.choice((0, 1, 1, 2, 3, 4))):
            entries.append(self._entry(contract, slot, entries))
        both = found + entries
        return both + chance.sample(both, k=min(len(both), chance.choice((0, 0, 1))))

    def _received(self, slot: Slot) -> Millis:
        in_time = starts_at_ms(slot) + self.chance.randrange(600_000, 3 * DAY_MILLIS)
        late = self.week.locked_at_ms + self.chance.randrange(-2, 3) * 1000
        return Millis(self.chance.choice((in_time, in_time, in_time, late)))

    def _header(self, kind: Any, contract: ContractId, slot: Slot, **fields: Any) -> Header:
        replica = self.chance.choice(REPLICAS)
        self.numbers[replica] += 1
        return Header(
            v=1,
            type=kind,
            account=ACCOUNT,
            contract=contract,
            replica=replica,
            n=self.numbers[replica],
            head=None,
            slot=slot,
            epoch=1,
            commit="22" * 32,
            **fields,
        )

    def _capture(self, contract: ContractId, slot: Slot) -> Held:
        chance = self.chance
        roles: tuple[Role, ...] = chance.choice(
            ((), ("screen", "thumbnail"), ("screen", "thumbnail", "camera", "screen"))
        )
        names = tuple(f"{chance.getrandbits(256):064x}" for _ in roles)
        pictures = tuple((name, 4096 * (1 + place)) for place, name in enumerate(names))
        header = self._header("capture", contract, slot, pictures=pictures)
        content = CaptureContent(
            contract=contract,
            slot=slot if chance.random() < 0.95 else Slot(slot + 1),  # a defect, now and then
            minutes=tuple(self._minute() for _ in range(10)),
            application=chance.choice(("editor", "browser", "")),
            title=chance.choice(("notes — editor", "Übersicht", "")),
            moment=Moment(
                wall_ms=Millis(starts_at_ms(slot) + chance.randrange(600_000)), monotonic_ms=1, boot="b"
            ),
            masked=chance.random() < 0.2,
            no_picture=None if roles else chance.choice(("the screen was locked", "no permission")),
            roles=roles,
            picture_names=names,
            device=chance.choice(("laptop", "desk")),
            zone=chance.choice(("", "Asia/Kathmandu")),
        )
        self.contents[header.name] = content if chance.random() < 0.97 else None
        return Held(header, self._received(slot))

    def _minute(self) -> MinuteCounts | None:
        chance = self.chance
        if chance.random() < 0.2:
            return None
        counts = [chance.choice((None, 0, 0, 3, 41)) for _ in range(3)]
        return MinuteCounts(counts[0], counts[1], counts[2], chance.random() < 0.3)

    def _entry(self, contract: ContractId, slot: Slot, before: list[Held]) -> Held:
        chance = self.chance
        known = chance.sample(before, k=chance.randrange(len(before) + 1)) if before else []
        header = self._header("entry", contract, slot, life=0, manual=chance.random() < 0.4)
        vector = join([*(held.vector for held in known), {header.replica: header.n}])
        life = max((held.life for held in known), default=0) + chance.choice((0, 0, 0, 0, 0, 0, 1, 2))
        texts = [self._text(slot), self._text(slot)]
        stamp = max((text.stamp for text in texts if text), default=None)
        header = msgspec.structs.replace(header, vector=vector, life=life, stamp=stamp)
        self.contents[header.name] = EntryContent(contract=contract, slot=slot, memo=texts[0], label=texts[1])
        return Held(header, self._received(slot))

    def _text(self, slot: Slot) -> StampedText | None:
        chance = self.chance
        if chance.random() < 0.3:
            return None
        at_ms = starts_at_ms(slot) + chance.randrange(3)  # few instants, so that stamps meet
        return StampedText(chance.choice(MEMOS), (at_ms, chance.choice(REPLICAS)))


def terms_drawn(chance: Random, week: Week) -> TermsHistory:
    """Return terms that change within the week and around it, sometimes twice in one instant."""
    instants = [
        week.starts_at_ms + chance.randrange(-9, 9) * DAY_MILLIS for _ in range(chance.randrange(1, 5))
    ]
    made = [
        TermsVersion(
            TermsInClear(
                state=chance.choice(("active", "paused")),
                kind=chance.choice(("hourly", "hourly", "hourly", "fixed_price")),
                limit_minutes=chance.choice((None, 0, 35, 60, 90)),
                manual_allowed=chance.random() < 0.5,
                masking_allowed=True,
                label_required=False,
                rate_minor=chance.choice((0, 6000, 4999, 7777, 2**40 + 1)),
                currency=chance.choice(("USD", "JPY", "TND")),
            ),
            Millis(at_ms),
            (REPLICAS[0], number + 1),
        )
        for number, at_ms in enumerate(instants)
    ]
    return TermsHistory(tuple(made))


def opened(contents: Contents, stands: Standing) -> tuple[MergedContent, bool]:
    """Return what opens of what stands, merged as `diary.looking` does it, and whether it is defective."""
    captures: list[tuple[Header, CaptureContent]] = []
    entries: list[tuple[Header, EntryContent]] = []
    defective = False
    for each in (*stands.captures, *stands.frontier):
        match contents[each.header.name]:
            case None:
                defective = True
            case CaptureContent() as content:
                captures.append((each.header, content))
                defective = defective or not agrees(each.header, content)
            case EntryContent() as content:
                entries.append((each.header, content))
                defective = defective or not agrees(each.header, content)
    return merged(captures, entries), defective
