"""What messages amount to, whatever comes in which order (R68)."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from diary.rules.ids import Millis, ReplicaId
from diary.rules.message import Party, Said, conversation
from tests.rule import rule

REPLICAS: dict[Party, tuple[str, ...]] = {"freelancer": ("f1" * 16, "f2" * 16), "client": ("cc" * 16,)}


@st.composite
def logs(draw: st.DrawFn) -> list[Said]:
    """Draw a log of messages and marks, each mark naming a message that stood before it, some unsent."""
    rows: list[Said] = []
    at_ms = 0
    for index in range(draw(st.integers(0, 14))):
        by: Party = draw(st.sampled_from(("freelancer", "client")))
        named = [row.name for row in rows if row.by != by and row.kind != "read"]
        kind = draw(st.sampled_from(("text", "read"))) if named else "text"
        at_ms += draw(st.integers(0, 2))
        rows.append(
            Said(
                name=(ReplicaId(draw(st.sampled_from(REPLICAS[by]))), index + 1),
                by=by,
                kind="read" if kind == "read" else "text",
                written_at_ms=Millis(draw(st.integers(0, 50))),
                place=(Millis(at_ms), 1, index),
                read_up_to=draw(st.sampled_from(named)) if kind == "read" else None,
            )
        )
    return rows


@rule("R68")
@given(logs(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing(log: list[Said], chance: object) -> None:
    shuffled = list(log)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # Hypothesis types its randoms as objects
    for ours in ("freelancer", "client"):
        assert conversation(shuffled, ours) == conversation(log, ours)


@rule("R68")
@given(logs())
def test_what_was_read_stays_read_as_the_log_grows(log: list[Said]) -> None:
    for ours in ("freelancer", "client"):
        before: set[tuple[ReplicaId, int]] = set()
        for size in range(len(log) + 1):
            states = conversation(log[:size], ours).states
            read = {name for name, state in states.items() if state == "read"}
            assert before <= read
            before = read


@rule("R68")
@given(logs())
def test_each_message_of_theirs_is_read_or_counts_as_unread(log: list[Said]) -> None:
    for ours in ("freelancer", "client"):
        found = conversation(log, ours)
        theirs = [row.name for row in log if row.by != ours and row.kind != "read"]
        assert found.unread == sum(found.states[name] == "unread" for name in theirs)
        assert {found.states[name] for name in theirs} <= {"read", "unread"}
        assert found.newest == (theirs[-1] if theirs else None)


@rule("R68")
@given(logs())
def test_reading_the_newest_leaves_nothing_unread_for_us_and_all_read_for_them(log: list[Said]) -> None:
    newest = conversation(log, "client").newest
    if newest is None:
        return
    mark = Said((ReplicaId("cd" * 16), 1), "client", "read", Millis(99), None, read_up_to=newest)
    assert conversation([*log, mark], "client").unread == 0
    received = replace(mark, place=(Millis(1_000), 1, len(log)))
    states = conversation([*log, received], "freelancer").states
    assert {states[name] for name in _of(log, "freelancer")} == {"read"}


def _of(log: Sequence[Said], party: Party) -> list[tuple[ReplicaId, int]]:
    return [row.name for row in log if row.by == party and row.kind != "read"]
