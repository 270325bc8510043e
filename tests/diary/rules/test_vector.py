"""Version vectors: a partial order with least upper bounds (R33, R34)."""

from hypothesis import given
from hypothesis import strategies as st

from diary.rules.ids import ReplicaId
from diary.rules.vector import are_concurrent, descends_from, join
from tests.diary.rules.made import DESKTOP, LAPTOP, REPLICAS
from tests.rule import rule

vectors = st.dictionaries(st.sampled_from(REPLICAS), st.integers(1, 4))


def known(vector: dict[ReplicaId, int]) -> set[tuple[ReplicaId, int]]:
    """Return the versions a vector stands for, one by one: the oracle is the set."""
    return {(replica, number) for replica, n in vector.items() for number in range(1, n + 1)}


@rule("R34")
@given(vectors, vectors)
def test_a_vector_descends_from_another_when_it_knows_all_of_it(
    one: dict[ReplicaId, int], other: dict[ReplicaId, int]
) -> None:
    assert descends_from(one, other) == (known(one) >= known(other))
    assert are_concurrent(one, other) == (not known(one) >= known(other) and not known(one) <= known(other))


@rule("R34")
@given(st.lists(vectors, max_size=5))
def test_a_join_knows_all_that_any_of_them_knew_and_no_more(given_: list[dict[ReplicaId, int]]) -> None:
    joined = join(given_)
    assert known(joined) == set().union(*map(known, given_))
    assert list(joined) == sorted(joined)
    assert join([*reversed(given_), joined]) == joined


@rule("R33")
def test_a_change_made_offline_is_concurrent_and_not_older() -> None:
    shared = {LAPTOP: 1}
    on_the_laptop, on_the_desktop = shared | {LAPTOP: 2}, shared | {DESKTOP: 1}
    assert are_concurrent(on_the_laptop, on_the_desktop)
    assert descends_from(join([on_the_laptop, on_the_desktop]), on_the_laptop)
    assert not are_concurrent(shared, shared)
