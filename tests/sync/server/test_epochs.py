"""New epochs of the logs, on every storage: they go on behind the rows that are there (R43, R45)."""

from diary.clock import GivenClock
from diary.evidence.merkle import root_of
from diary.evidence.opening import SignedOpening
from diary.evidence.receipt import Cursor, Refusal
from diary.rules.ids import ContractId
from sync.server.storage import AccountHold, NewRefusal, Storage
from tests.rule import rule
from tests.sync.server.conftest import START
from tests.sync.server.versions import (
    ACCOUNT,
    CONTRACT,
    OTHER_ACCOUNT,
    OTHER_CONTRACT,
    REPLICA,
    ROOT,
    SLOT,
    append,
    capture,
    device_list,
    leaf,
    terms,
)

EPOCH = int(START) + 7
EVERYTHING = 1 << 30
STATEMENT = SignedOpening(text="{}", signature=b"s" * 64)


def enter_epoch(hold: AccountHold) -> None:
    hold.open_epoch(EPOCH, STATEMENT)


def test_an_account_begins_in_its_first_epoch(storage: Storage) -> None:
    with storage.hold(ACCOUNT) as hold:
        assert hold.log_epoch == 1
    assert storage.openings(ACCOUNT, 0) == []
    assert storage.last_opened() == 1


@rule("R43")
def test_a_log_goes_on_in_the_new_epoch_by_the_same_indexes(storage: Storage) -> None:
    with storage.hold(ACCOUNT) as hold:
        append(hold, terms(2), capture(3))
    with storage.hold(ACCOUNT) as hold:
        enter_epoch(hold)
        assert hold.log_epoch == EPOCH
        logs = {contract: log.cursor for contract, log in hold.all_logs().items()}
        assert logs == {ContractId(ACCOUNT): Cursor(EPOCH, 1), CONTRACT: Cursor(EPOCH, 2)}
        append(hold, capture(4, slot=SLOT + 1))
    feed = storage.feed(ACCOUNT, {}, 1000, EVERYTHING)
    page = next(page for page in feed.pages if page.contract == CONTRACT)
    assert page.head == Cursor(EPOCH, 3)
    assert [row.index for row in page.rows] == [0, 1, 2]
    assert [row.log_epoch for row in page.rows] == [1, 1, EPOCH]
    (rest,) = storage.feed(
        ACCOUNT, {ContractId(ACCOUNT): Cursor(EPOCH, 1), CONTRACT: Cursor(EPOCH, 2)}, 1000, EVERYTHING
    ).pages
    assert [(row.log_epoch, row.index) for row in rest.rows] == [(EPOCH, 2)]
    assert storage.last_opened() == EPOCH


@rule("R43")
def test_a_page_ends_at_its_limit_within_either_epoch(storage: Storage) -> None:
    with storage.hold(ACCOUNT) as hold:
        append(hold, terms(2), capture(3))
        enter_epoch(hold)
        append(hold, capture(4, slot=SLOT + 1), capture(5, slot=SLOT + 2))
    cursor = Cursor(EPOCH, 0)
    read = []
    for _ in range(4):
        cursors = {ContractId(ACCOUNT): Cursor(EPOCH, 1), CONTRACT: cursor}
        (page,) = storage.feed(ACCOUNT, cursors, 1, EVERYTHING).pages
        read += [(row.log_epoch, row.index) for row in page.rows]
        cursor = Cursor(EPOCH, page.rows[-1].index + 1)
    assert read == [(1, 0), (1, 1), (EPOCH, 2), (EPOCH, 3)]


@rule("R43")
@rule("R56")
def test_a_page_says_which_leaf_stands_before_it(storage: Storage) -> None:
    with storage.hold(ACCOUNT) as hold:
        items = append(hold, terms(2), capture(3))
        enter_epoch(hold)
        items += append(hold, capture(4, slot=SLOT + 1), capture(5, slot=SLOT + 2))
    found = []
    for size in range(4):
        cursors = {ContractId(ACCOUNT): Cursor(EPOCH, 1), CONTRACT: Cursor(EPOCH, size)}
        (page,) = storage.feed(ACCOUNT, cursors, 1, EVERYTHING).pages
        assert [row.index for row in page.rows] == [size]
        found.append(page.before)
    assert found == [None, *(item.receipt.leaf for item in items[:3])]
    assert [row.index for row in storage.feed(ACCOUNT, {}, 100, EVERYTHING).pages[1].rows] == [0, 1, 2, 3]


@rule("R43")
def test_the_leaves_of_all_epochs_make_the_logs_root(storage: Storage) -> None:
    with storage.hold(ACCOUNT) as hold:
        items = append(hold, terms(2), capture(3))
        enter_epoch(hold)
        items += append(hold, capture(4, slot=SLOT + 1))
        kept = [bytes.fromhex(item.receipt.leaf) for item in items]
        assert hold.logs({CONTRACT})[CONTRACT].leaves.root == root_of(kept)
    feed = storage.feed(ACCOUNT, {ContractId(ACCOUNT): Cursor(EPOCH, 1)}, 1000, EVERYTHING)
    assert feed.leaves == [b"".join(kept)]
    assert feed.roots == [root_of(kept)]


@rule("R43")
def test_statements_are_kept_in_their_order_and_for_one_account(storage: Storage) -> None:
    later = SignedOpening(text="[2]", signature=b"t" * 64)
    with storage.hold(ACCOUNT) as hold:
        enter_epoch(hold)
        hold.open_epoch(EPOCH + 1, later)
    assert storage.openings(ACCOUNT, 1) == [STATEMENT, later]
    assert storage.openings(ACCOUNT, EPOCH) == [later]
    assert storage.openings(OTHER_ACCOUNT, 1) == []


@rule("R43")
def test_a_log_that_is_not_there_is_told_to_who_has_rows_of_it(storage: Storage) -> None:
    with storage.hold(ACCOUNT) as hold:
        enter_epoch(hold)
    cursors = {ContractId(ACCOUNT): Cursor(EPOCH, 1), OTHER_CONTRACT: Cursor(1, 5), CONTRACT: Cursor(1, 0)}
    (page,) = storage.feed(ACCOUNT, cursors, 1000, EVERYTHING).pages
    assert (page.contract, page.rows, page.head) == (OTHER_CONTRACT, [], Cursor(EPOCH, 0))


@rule("R43")
@rule("R50")
def test_the_newest_device_list_is_found_in_whatever_epoch_it_came(storage: Storage) -> None:
    with storage.hold(ACCOUNT) as hold:
        enter_epoch(hold)
        assert hold.device_list() is not None
        append(hold, device_list(2, number=2), body=b"t" * 64)
    row = storage.newest_device_list(ACCOUNT)
    assert row is not None
    assert row.body == b"t" * 64


@rule("R3")
@rule("R43")
def test_a_healed_version_keeps_its_time_and_moves_no_clock(storage: Storage, clock: GivenClock) -> None:
    with storage.hold(ACCOUNT) as hold:
        append(hold, terms(2))
        enter_epoch(hold)
    clock.put(START + 1000)
    with storage.hold(ACCOUNT) as hold:
        healed = leaf(capture(3), index=1, at_ms=START + 60_000, epoch=EPOCH)
        append(hold, leaves=[healed])
    with storage.hold(ACCOUNT) as hold:
        assert hold.received_at_ms == START + 1000
        assert hold.answers(REPLICA, {3})[3].answer == healed.receipt
        (held,) = hold.standing({(CONTRACT, SLOT)})[CONTRACT, SLOT]
        assert held.received_at_ms == START + 60_000


def test_accounts_are_listed_by_their_ids(storage: Storage) -> None:
    with storage.hold(OTHER_ACCOUNT) as hold:
        hold.open_account(ROOT)
    assert storage.accounts(None, 10) == [OTHER_ACCOUNT, ACCOUNT]
    assert storage.accounts(None, 1) == [OTHER_ACCOUNT]
    assert storage.accounts(OTHER_ACCOUNT, 10) == [ACCOUNT]


@rule("R40")
@rule("R43")
def test_what_was_healed_is_answered_by_its_receipt_though_it_was_refused_meanwhile(storage: Storage) -> None:
    refusal = Refusal(replica=REPLICA, n=2, reason="week_locked", because="late", refused_at_ms=START)
    with storage.hold(ACCOUNT) as hold:
        hold.refuse([NewRefusal(b"h" * 32, b"b" * 32, refusal)])
        enter_epoch(hold)
        (item,) = append(hold, terms(2))
    with storage.hold(ACCOUNT) as hold:
        assert hold.answers(REPLICA, {2})[2].answer == item.receipt


@rule("R25")
@rule("R43")
def test_a_picture_is_doomed_that_was_never_expected_but_none_that_a_row_names(storage: Storage) -> None:
    named, unknown = "1" * 64, "2" * 64
    with storage.hold(ACCOUNT) as hold:
        append(hold, terms(2), capture(3, pictures=((named, 4096),)))
        hold.doom({named, unknown})
    assert storage.doomed(10, ACCOUNT) == [(ACCOUNT, unknown)]
