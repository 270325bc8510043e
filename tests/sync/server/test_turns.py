"""Writes of many accounts joined into one commit, each with its own answer (R3, R40)."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from diary.clock import GivenClock
from diary.rules.ids import AccountId
from sync.server.faults import BusyError
from sync.server.storage import Storage
from sync.server.storage_sqlite import SqliteStorage
from sync.server.turns import TURN_MAX, UNDER_WAY_MAX, Turns
from tests.event_loop import run
from tests.rule import rule
from tests.sync.server.conftest import START
from tests.sync.server.versions import ACCOUNT, OTHER_ACCOUNT, REPLICA, ROOT, SLOT, append, capture

ASKERS = 20
TOKEN = b"1" * 32
PATIENCE_SECONDS = 60.0  # instead of for ever


class OnPurposeError(Exception):
    """One of those that are joined fails."""


class BrokenDownError(BaseException):
    """What a library of another language raises when it breaks down: no `Exception`."""


def account(number: int) -> AccountId:
    return AccountId(f"{number + 1:032x}")


def enrolled(storage: Storage) -> set[AccountId]:
    """Return who of all that these tests admit is enrolled."""
    everyone = [OTHER_ACCOUNT, *map(account, range(TURN_MAX + 2))]
    return {one for one in everyone if storage.credential(one, REPLICA) is not None}


@rule("R69")
class TestEveryStorage:
    @rule("R40")
    def test_holds_that_are_joined_are_all_stored(self, storage: Storage) -> None:
        with storage.together():
            for n in (2, 3):
                with storage.hold(ACCOUNT) as hold:
                    assert set(hold.answers(REPLICA, {2, 3})) == set(range(2, n))
                    append(hold, capture(n, slot=SLOT + n))
            with storage.hold(OTHER_ACCOUNT) as hold:
                hold.open_account(ROOT)
                hold.admit(REPLICA, TOKEN)
        assert storage.highest_n(ACCOUNT, REPLICA) == 3
        assert enrolled(storage) == {OTHER_ACCOUNT}

    @rule("R40")
    def test_a_joined_hold_that_breaks_off_takes_back_its_own_alone(self, storage: Storage) -> None:
        def break_off() -> None:
            with storage.hold(ACCOUNT) as hold:
                append(hold, capture(3, slot=SLOT + 1))
                raise OnPurposeError

        with storage.together():
            with storage.hold(ACCOUNT) as hold:
                append(hold, capture(2))
            with pytest.raises(OnPurposeError):
                break_off()
            with storage.hold(ACCOUNT) as hold:
                append(hold, capture(4, slot=SLOT + 2))
        with storage.hold(ACCOUNT) as hold:
            assert set(hold.answers(REPLICA, {2, 3, 4})) == {2, 4}

    @rule("R3")
    def test_each_of_the_joined_holds_reads_the_clock(self, storage: Storage, clock: GivenClock) -> None:
        seen: list[int] = []
        with storage.together():
            for passed in (0, 7, 5):
                clock.put(START + passed)
                with storage.hold(ACCOUNT) as hold:
                    append(hold, capture(2 + len(seen), slot=SLOT + len(seen)))
                    seen.append(hold.received_at_ms)
        assert seen == [START, START + 7, START + 7]

    @rule("R40")
    def test_every_turn_is_answered_with_what_its_work_gave(self, storage: Storage) -> None:
        works = [admitting(storage, number, fails=number % 3 == 1) for number in range(ASKERS)]
        answers = run(taken_at_once(storage, works))
        assert [isinstance(answer, OnPurposeError) for answer in answers] == [
            number % 3 == 1 for number in range(ASKERS)
        ]
        assert enrolled(storage) == {account(number) for number in range(ASKERS) if number % 3 != 1}

    @rule("R44")
    def test_who_comes_when_too_many_wait_is_told_to_come_again(self, storage: Storage) -> None:
        works = [admitting(storage, number) for number in range(UNDER_WAY_MAX)]  # and the one they wait for
        answers = run(taken_at_once(storage, works))
        assert [isinstance(answer, BusyError) for answer in answers] == [False] * (UNDER_WAY_MAX - 1) + [True]


@rule("R40")
class TestTheEmbeddedOne:
    @pytest.fixture
    def embedded(self, tmp_path: Path, clock: GivenClock) -> SqliteStorage:
        return SqliteStorage(tmp_path / "server.db", clock)

    def test_those_who_waited_share_one_commit(self, embedded: SqliteStorage) -> None:
        commits = counted_commits(embedded)
        answers = run(taken_at_once(embedded, [admitting(embedded, number) for number in range(ASKERS)]))
        assert answers == [START] * ASKERS
        assert len(commits) == 2  # the one that held them up, and theirs

    def test_more_than_one_turn_holds_take_another(self, embedded: SqliteStorage) -> None:
        commits = counted_commits(embedded)
        run(taken_at_once(embedded, [admitting(embedded, number) for number in range(TURN_MAX + 1)]))
        assert len(commits) == 3
        assert len(enrolled(embedded)) == TURN_MAX + 1

    def test_nobody_is_answered_before_the_commit(
        self, embedded: SqliteStorage, tmp_path: Path, clock: GivenClock
    ) -> None:
        """Another process sees, when an answer comes, all that it says; and before it nothing."""
        other = SqliteStorage(tmp_path / "server.db", clock)
        before: list[set[AccountId]] = []

        def last() -> int:
            before.append(enrolled(other))
            return 0

        async def take() -> list[set[AccountId]]:
            turns: Turns[int] = Turns(embedded)

            async def see(number: int) -> set[AccountId]:
                await turns.take(admitting(embedded, number))
                return enrolled(other)

            seen = [asyncio.create_task(see(number)) for number in range(3)]
            await asyncio.sleep(0)
            await turns.take(last)
            return await asyncio.gather(*seen)

        assert run(take()) == [{account(0), account(1), account(2)}] * 3
        assert before == [set()]
        other.close()

    def test_what_follows_a_commit_is_done_before_the_answer_and_the_next_turn(
        self, embedded: SqliteStorage, tmp_path: Path, clock: GivenClock
    ) -> None:
        other = SqliteStorage(tmp_path / "server.db", clock)
        seen: list[set[AccountId]] = []

        def swept(result: int) -> int:
            seen.append(enrolled(other))
            return result + 1

        async def take() -> list[int]:
            turns: Turns[int] = Turns(embedded)
            first = asyncio.create_task(turns.take(admitting(embedded, 0), swept))
            await asyncio.sleep(0)  # its turn begins, and the second one waits for the next
            second = asyncio.create_task(turns.take(admitting(embedded, 1), swept))
            return [await first, await second]

        assert run(take()) == [START + 1, START + 1]
        assert {account(0)} in seen
        assert seen[-1] == {account(0), account(1)}
        other.close()

    def test_what_breaks_down_behind_a_commit_is_told_too(self, embedded: SqliteStorage) -> None:
        def break_down(_: int) -> int:
            raise BrokenDownError

        async def take() -> int:
            turns: Turns[int] = Turns(embedded)
            return await asyncio.wait_for(turns.take(admitting(embedded, 0), break_down), PATIENCE_SECONDS)

        with pytest.raises(BrokenDownError):
            run(take())
        assert enrolled(embedded) == {account(0)}

    def test_a_common_commit_that_is_broken_off_is_answered_busy(self, embedded: SqliteStorage) -> None:
        def lose_it() -> int:
            embedded._connection.execute("ROLLBACK")  # as SQLite does by itself when the disk fails
            return 0

        works = [admitting(embedded, 0), lose_it, admitting(embedded, 1)]
        answers = run(taken_at_once(embedded, works))
        assert [type(answer) for answer in answers] == [BusyError] * 3
        assert enrolled(embedded) == set()
        assert run(taken_at_once(embedded, works[:1])) == [START]
        assert enrolled(embedded) == {account(0)}

    def test_whatever_ends_a_turn_nobody_waits_for_ever(self, embedded: SqliteStorage) -> None:
        def break_down() -> int:
            raise BrokenDownError

        works = [admitting(embedded, 0), break_down, admitting(embedded, 1)]
        answers = run(asyncio.wait_for(taken_at_once(embedded, works), PATIENCE_SECONDS))
        assert [type(answer) for answer in answers] == [BrokenDownError] * 3
        assert enrolled(embedded) == set()

    def test_whoever_left_is_not_waited_for(self, embedded: SqliteStorage) -> None:
        async def leave() -> int:
            turns: Turns[int] = Turns(embedded)
            gone, stays = (
                asyncio.create_task(turns.take(admitting(embedded, number))) for number in range(2)
            )
            await asyncio.sleep(0)
            gone.cancel()
            return await stays

        assert run(leave()) == START
        assert enrolled(embedded) == {account(0), account(1)}


def admitting(storage: Storage, number: int, *, fails: bool = False) -> Callable[[], int]:
    """Return work that opens an account, admits a replica and returns its instant of receipt."""

    def work() -> int:
        with storage.hold(account(number)) as hold:
            hold.open_account(ROOT)
            hold.admit(REPLICA, TOKEN)
            if fails:
                raise OnPurposeError
            return hold.received_at_ms

    return work


async def taken_at_once(storage: Storage, works: list[Callable[[], int]]) -> list[int | BaseException]:
    """Return what became of works that all came while another was on its turn."""
    turns: Turns[int] = Turns(storage)
    held, let_go = threading.Event(), threading.Event()

    def hold_up() -> int:
        held.set()
        let_go.wait()
        return 0

    first = asyncio.create_task(turns.take(hold_up))
    await asyncio.to_thread(held.wait)
    others = [asyncio.create_task(turns.take(work)) for work in works]
    await asyncio.sleep(0)
    let_go.set()
    assert await first == 0
    return await asyncio.gather(*others, return_exceptions=True)


def counted_commits(storage: SqliteStorage) -> list[str]:
    """Return a list that grows by one with each commit of a transaction that could write."""
    commits: list[str] = []

    def note() -> bool:
        commits.append("commit")
        return False  # let it be committed

    storage._connection.set_commit_hook(note)
    return commits
