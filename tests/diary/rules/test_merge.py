"""What stands in a slot, whatever was delivered when and how often (R34, R35, R36).

The oracle keeps, for every version, the set of versions its writer had seen: no vectors. The histories are
written by replicas that act, send and receive in any order.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from diary.rules.ids import ReplicaId
from diary.rules.merge import Held, destroyed, ended_by, present, standing
from diary.rules.segment import Header
from tests.diary.rules.made import DESKTOP, IN_TIME, LAPTOP, PHONE, capture, entry, received
from tests.rule import rule

Name = tuple[ReplicaId, int]


@dataclass
class Replica:
    """One device: what it holds, and its counter."""

    id: ReplicaId
    n: int = 0
    held: dict[Name, Header] = field(default_factory=dict)

    def versions(self) -> list[Held]:
        return [Held(header, None) for header in self.held.values()]


@dataclass
class World:
    """Three devices, and what each version's writer had seen."""

    replicas: list[Replica]
    written: dict[Name, Header] = field(default_factory=dict)
    seen: dict[Name, set[Name]] = field(default_factory=dict)

    def write(self, replica: Replica, make: Callable[..., Header], **fields: object) -> None:
        replica.n += 1
        header = make(replica.id, replica.n, **fields)
        self.seen[header.name] = set(replica.held)
        replica.held[header.name] = header
        self.written[header.name] = header

    def act(self, number: int, act: str, other: int) -> None:
        replica = self.replicas[number]
        stands = standing(replica.versions())
        claims = stands.life >= 2 or any(one.claims for one in stands.frontier)
        if act == "record" and stands.life == 0 and not any(one.claims for one in stands.captures):
            self.write(replica, capture, pictures=number)
        elif act in {"edit", "claim"} and not stands.deleted:
            manual = claims or act == "claim"
            self.write(replica, entry, covers=stands.vector, life=stands.life, manual=manual)
        elif act == "delete" and not stands.deleted:
            self.write(replica, entry, covers=stands.vector, life=stands.life + 1)
        elif act == "add again" and stands.deleted:
            self.write(replica, entry, covers=stands.vector, life=stands.life + 1, manual=True)
        elif act == "send":
            self.replicas[other].held.update(replica.held)


ACTS = ["record", "edit", "edit", "claim", "delete", "add again", "send", "send"]
acts = st.lists(st.tuples(st.integers(0, 2), st.sampled_from(ACTS), st.integers(0, 2)), max_size=25)


def world_of(steps: list[tuple[int, str, int]]) -> World:
    world = World([Replica(LAPTOP), Replica(DESKTOP), Replica(PHONE)])
    for step in steps:
        world.act(*step)
    return world


def all_of(world: World) -> list[Held]:
    return [received(header, IN_TIME + number) for number, header in enumerate(world.written.values())]


def names(held: Sequence[Held]) -> set[Name]:
    return {version.header.name for version in held}


@rule("R36")
@settings(max_examples=200, deadline=None)
@given(acts, st.randoms(use_true_random=False))
def test_what_stands_depends_neither_on_order_nor_on_repetition(
    steps: list[tuple[int, str, int]], chance: object
) -> None:
    held = all_of(world_of(steps))
    shuffled = held + held[::2]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis types its Random as object here
    assert standing(shuffled) == standing(held)
    assert destroyed(shuffled) == destroyed(held)


@rule("R34")
@settings(max_examples=200, deadline=None)
@given(acts)
def test_exactly_those_entries_stand_that_no_later_writer_of_their_life_had_seen(
    steps: list[tuple[int, str, int]],
) -> None:
    world = world_of(steps)
    entries = {name: header for name, header in world.written.items() if header.type == "entry"}
    life = max((header.life or 0 for header in entries.values()), default=0)
    present = {name for name, header in entries.items() if header.life == life}
    expected = {name for name in present if not any(name in world.seen[other] for other in present)}
    stands = standing(all_of(world))
    assert stands.life == life
    assert stands.deleted == (life in {1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25})
    assert names(stands.frontier) == expected
    assert names(stands.captures) == (set(world.written) - set(entries) if life == 0 else set())


@rule("R35")
@settings(max_examples=200, deadline=None)
@given(acts)
def test_what_is_destroyed_is_all_that_does_not_stand(steps: list[tuple[int, str, int]]) -> None:
    held = all_of(world_of(steps))
    stands = standing(held)
    assert names(destroyed(held)) == names(held) - names(stands.frontier) - names(stands.captures)
    stands_in_short = present([*held, *held[::2]])
    assert stands_in_short.life == stands.life
    assert stands_in_short.kept == names(stands.frontier) | names(stands.captures)


@rule("R25")
@settings(max_examples=200, deadline=None)
@given(acts, st.randoms(use_true_random=False))
def test_a_version_ends_what_stands_no_more_with_it_in_whatever_order_versions_come(
    steps: list[tuple[int, str, int]], chance: object
) -> None:
    held = all_of(world_of(steps))
    chance.shuffle(held)  # type: ignore[attr-defined]  # hypothesis types its Random as object here
    for number, version in enumerate(held):
        before, after = present(held[:number]), present(held[: number + 1])
        gone = (before.kept | {version.header.name}) - after.kept
        assert ended_by(version.header, before) == tuple(sorted(gone))


@rule("R36")
@settings(max_examples=200, deadline=None)
@given(acts, st.sets(st.integers(0, 25)))
def test_merging_what_stands_in_two_parts_is_merging_the_parts(
    steps: list[tuple[int, str, int]], chosen: set[int]
) -> None:
    held = all_of(world_of(steps))
    one = [version for number, version in enumerate(held) if number in chosen]
    other = [version for number, version in enumerate(held) if number not in chosen]
    stand_one, stand_other = standing(one), standing(other)
    merged = standing(
        [*stand_one.frontier, *stand_one.captures, *stand_other.frontier, *stand_other.captures]
    )
    whole = standing(held)
    assert (merged.life, merged.kind) == (whole.life, whole.kind)
    assert names(merged.frontier) == names(whole.frontier)
    assert names(merged.captures) == names(whole.captures)


@rule("R34")
@settings(max_examples=100, deadline=None)
@given(acts)
def test_devices_that_exchanged_all_show_the_same(steps: list[tuple[int, str, int]]) -> None:
    world = world_of(steps)
    for replica in world.replicas:
        replica.held = {}
        for header in reversed(world.written.values()):
            replica.held[header.name] = header
    first, *others = (standing(replica.versions()) for replica in world.replicas)
    assert all(other == first for other in others)


@rule("R36")
def test_an_empty_slot_stands_empty() -> None:
    stands = standing([])
    assert (stands.life, stands.deleted, stands.kind, stands.vector) == (0, False, None, {})
    assert (stands.frontier, stands.captures, stands.received_at_ms) == ((), (), None)


@rule("R36")
def test_a_segment_is_automatic_by_a_picture_manual_by_a_capture_or_a_claim_else_nothing() -> None:
    assert (
        standing([received(capture(pictures=1)), received(capture(DESKTOP, pictures=0))]).kind == "automatic"
    )
    assert standing([received(capture(pictures=0))]).kind == "manual"
    assert standing([received(entry(manual=True))]).kind == "manual"
    assert standing([received(entry(manual=False))]).kind is None


@rule("R35")
def test_a_deletion_wins_over_an_edit_that_did_not_know_it() -> None:
    deletion, edit = entry(LAPTOP, 3, covers={LAPTOP: 2}, life=1), entry(DESKTOP, 9, covers={LAPTOP: 2})
    stands = standing([received(capture()), received(entry(LAPTOP, 2)), received(deletion), received(edit)])
    assert (stands.deleted, stands.kind, stands.received_at_ms) == (True, None, None)
    assert names(stands.frontier) == {deletion.name}
    assert stands.vector == {LAPTOP: 3, DESKTOP: 9}


@rule("R35")
def test_what_is_added_again_is_manual_and_its_old_capture_counts_for_nothing() -> None:
    again = entry(LAPTOP, 4, covers={LAPTOP: 3}, life=2, manual=True)
    held = [
        received(capture(LAPTOP, 1), IN_TIME),
        received(entry(LAPTOP, 3, life=1), IN_TIME + 1),
        received(again, IN_TIME + 2),
    ]
    stands = standing(held)
    assert (stands.kind, stands.captures, stands.received_at_ms) == ("manual", (), IN_TIME + 2)
    assert names(destroyed(held)) == {(LAPTOP, 1), (LAPTOP, 3)}


@rule("R35")
def test_a_deletion_was_received_with_nothing_and_life_2_is_manual_whatever_they_claim() -> None:
    deletion = received(entry(LAPTOP, 3, life=1, manual=True))
    stands = standing([deletion])
    assert (stands.kind, stands.received_at_ms, stands.claimed_at_ms) == (None, None, None)
    assert standing([deletion, received(entry(LAPTOP, 4, covers={LAPTOP: 3}, life=2))]).kind == "manual"


@rule("R36")
def test_a_segment_was_received_with_its_first_capture_or_claim_not_with_its_memo() -> None:
    memo, claim = entry(LAPTOP, 1), entry(LAPTOP, 2, covers={LAPTOP: 1}, manual=True)
    stands = standing([received(memo, 5), received(claim, 7), received(capture(DESKTOP), 9)])
    assert (stands.received_at_ms, stands.claimed_at_ms) == (7, 9)


@rule("R36")
def test_a_claim_stands_for_its_life_though_a_later_edit_does_not_repeat_it() -> None:
    claim, edit = entry(LAPTOP, 1, manual=True), entry(LAPTOP, 2, covers={LAPTOP: 1})
    stands = standing([received(claim, 5), received(edit, 7)])
    assert (stands.kind, stands.received_at_ms, names(stands.frontier)) == ("manual", 5, {(LAPTOP, 2)})


@rule("R34")
def test_vectors_that_are_equal_leave_both_standing_so_that_nothing_vanishes() -> None:
    vector = {LAPTOP: 1, DESKTOP: 1}
    held = [received(entry(LAPTOP, 1, vector=vector)), received(entry(DESKTOP, 1, vector=vector))]
    assert names(standing(held).frontier) == {(LAPTOP, 1), (DESKTOP, 1)}


@rule("R34")
def test_a_version_that_is_known_to_be_received_counts_as_received() -> None:
    unsent, taken = received(capture(), None), received(capture(), 7)
    assert standing([unsent, taken]).received_at_ms == standing([taken, unsent]).received_at_ms == 7
    assert standing([unsent]).received_at_ms is None
