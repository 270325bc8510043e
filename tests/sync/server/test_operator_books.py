"""What every backend keeps of an operator's decisions and acts (R44, R69)."""

from dataclasses import replace

import pytest

from diary.clock import GivenClock
from diary.rules.ids import AccountId, Millis
from sync.server.operating import AccountRule, Act, broken_at
from sync.server.storage import Storage
from tests.rule import rule
from tests.sync.server.versions import ACCOUNT, OTHER_ACCOUNT, ROOT

SUSPENDED = AccountRule(suspended_at_ms=Millis(7), because="The bill was not paid", picture_quota_bytes=5)


def act(deed: str = "suspend", account: str = ACCOUNT, at_ms: int = 7) -> Act:
    return Act(Millis(at_ms), "ada", deed, account, "detail")  # type: ignore[arg-type]  # one of the deeds


@rule("R44")
def test_an_account_that_nobody_decided_about_is_in_good_standing(storage: Storage) -> None:
    assert storage.operator.rule(ACCOUNT) == AccountRule()
    assert storage.operator.suspended() == {}


@rule("R44")
def test_a_rule_is_kept_with_its_act_and_gives_way_to_the_next(storage: Storage) -> None:
    books = storage.operator
    books.keep(act(), SUSPENDED)
    assert books.rule(ACCOUNT) == SUSPENDED
    assert books.suspended() == {ACCOUNT: SUSPENDED}
    books.keep(act("resume"), replace(SUSPENDED, suspended_at_ms=None, because=""))
    assert books.rule(ACCOUNT) == AccountRule(picture_quota_bytes=5)
    assert books.suspended() == {}
    assert books.rule(OTHER_ACCOUNT) == AccountRule()


@rule("R69")
def test_acts_are_chains_each_in_its_order(storage: Storage) -> None:
    books = storage.operator
    for deed, account in (
        ("suspend", ACCOUNT),
        ("restored", ""),
        ("resume", ACCOUNT),
        ("admit", OTHER_ACCOUNT),
    ):
        books.keep(act(deed, account))
    assert [(one.n, one.act.deed) for one in books.acts(ACCOUNT)] == [(1, "suspend"), (2, "resume")]
    assert sorted((one.act.account, one.n) for one in books.acts()) == [
        ("", 1),
        *sorted([(ACCOUNT, 1), (ACCOUNT, 2), (OTHER_ACCOUNT, 1)]),
    ]
    assert broken_at(books.acts()) is None


@rule("R69")
def test_an_act_that_was_changed_left_out_or_put_elsewhere_is_found(storage: Storage) -> None:
    books = storage.operator
    kept = [books.keep(act(deed)) for deed in ("suspend", "resume", "suspend")]
    changed = replace(kept[1], act=replace(kept[1].act, who="eve"))
    assert broken_at([kept[0], changed, kept[2]]) == changed
    assert broken_at([kept[0], kept[2]]) == kept[2]
    assert broken_at([kept[1], kept[0], kept[2]]) == kept[1]


@rule("R69")
def test_accounts_are_listed_by_their_ids_with_what_was_decided(storage: Storage, clock: GivenClock) -> None:
    for account in (OTHER_ACCOUNT, ACCOUNT):
        with storage.hold(account) as hold:
            hold.open_account(ROOT)
    storage.operator.keep(act(), SUSPENDED)
    first, second = storage.operator.lines(None, 10)
    assert [first.account, second.account] == sorted([ACCOUNT, OTHER_ACCOUNT])
    assert {line.account: line.rule for line in (first, second)} == {
        ACCOUNT: SUSPENDED,
        OTHER_ACCOUNT: AccountRule(),
    }
    assert first.received_at_ms == clock.now_ms()
    assert storage.operator.lines(first.account, 10) == [second]
    assert storage.operator.lines(AccountId("f" * 32), 10) == []


def test_the_database_itself_lets_no_act_be_changed(storage: Storage) -> None:
    kept = storage.operator.keep(act())
    lines = getattr(storage, "_lines", None)
    connection = getattr(storage, "_connection", None)
    for statement in ("UPDATE operator_act SET who = 'eve'", "DELETE FROM operator_act"):
        if lines is not None:
            lines.alone(lambda line, asked=statement: line.execute(asked))
        elif connection is not None:
            with pytest.raises(Exception, match="stays written"):
                connection.execute(statement)
    assert storage.operator.acts() == [kept]
