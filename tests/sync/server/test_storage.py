"""One suite for every storage: what `Storage` promises (R3, R25, R40, R45, R69)."""

import hashlib
from pathlib import Path

import pytest

from diary.clock import GivenClock
from diary.evidence.receipt import Cursor, Receipt
from diary.rules.ids import AccountId, ContractId, ReplicaId, Slot
from sync.server.faults import BusyError
from sync.server.sqlite_file import DamagedDatabaseError, DatabaseFileError, UnknownSchemaError
from sync.server.storage import Credential, PictureRow, Storage
from sync.server.storage_sqlite import SqliteStorage
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
    entry,
    refused,
    terms,
)

PICTURE = "9" * 64
EVERYTHING = 1 << 30


class OnPurposeError(Exception):
    """A test interrupts a transaction."""


@rule("R69")
class TestEveryStorage:
    def test_a_new_account_is_known_by_its_device_list(self, storage: Storage) -> None:
        row = storage.newest_device_list(ACCOUNT)
        assert row is not None
        assert row.header == device_list(1).to_bytes().decode()
        assert row.body == b"s" * 64
        assert storage.newest_device_list(OTHER_ACCOUNT) is None

    @rule("R3")
    def test_the_instant_of_receipt_never_falls(self, storage: Storage, clock: GivenClock) -> None:
        with storage.hold(ACCOUNT) as hold:
            append(hold, terms(2))
        clock.put(START - 60_000)
        with storage.hold(ACCOUNT) as hold:
            assert hold.received_at_ms == START
        clock.put(START + 5)
        with storage.hold(ACCOUNT) as hold:
            assert hold.received_at_ms == START + 5

    @rule("R6")
    def test_the_newest_receipt_of_all_accounts_is_known(self, storage: Storage, clock: GivenClock) -> None:
        assert storage.last_received_ms() == START
        clock.put(START + 5)
        with storage.hold(OTHER_ACCOUNT) as hold:
            hold.open_account(ROOT)
        assert storage.last_received_ms() == START + 5

    def test_a_transaction_that_breaks_off_leaves_nothing(self, storage: Storage) -> None:
        def break_off() -> None:
            with storage.hold(ACCOUNT) as hold:
                append(hold, terms(2))
                hold.admit(REPLICA, b"t" * 32)
                raise OnPurposeError

        with pytest.raises(OnPurposeError):
            break_off()
        with storage.hold(ACCOUNT) as hold:
            assert hold.answers(REPLICA, {2}) == {}
            assert hold.logs({CONTRACT}) == {}
        assert storage.credential(ACCOUNT, REPLICA) is None

    @rule("R40")
    def test_a_name_is_answered_as_it_was(self, storage: Storage) -> None:
        with storage.hold(ACCOUNT) as hold:
            (item,) = append(hold, terms(2))
            hold.refuse([refused(9)])
        with storage.hold(ACCOUNT) as hold:
            known = hold.answers(REPLICA, {2, 9, 4})
        assert known[2].answer == item.receipt
        assert known[2].header_hash == hashlib.sha256(item.header_text.encode()).digest()
        assert known[2].body_hash == item.body_hash
        found = refused(9)
        assert (known[9].answer, known[9].header_hash) == (found.refusal, found.header_hash)
        assert known[9].body_hash == found.body_hash
        assert set(known) == {2, 9}

    @rule("R42")
    def test_the_highest_n_counts_refused_ones(self, storage: Storage) -> None:
        with storage.hold(ACCOUNT) as hold:
            append(hold, terms(2))
        assert storage.highest_n(ACCOUNT, REPLICA) == 2
        with storage.hold(ACCOUNT) as hold:
            hold.refuse([refused(9)])
        assert storage.highest_n(ACCOUNT, REPLICA) == 9
        assert storage.highest_n(ACCOUNT, ReplicaId("7" * 32)) == 0
        with storage.hold(ACCOUNT) as hold:  # of a refused one no reader knows
            assert hold.written_up_to(REPLICA) == 2
            assert hold.written_up_to(ReplicaId("7" * 32)) == 0

    def test_a_place_holds_its_captures_and_entries_in_log_order(self, storage: Storage) -> None:
        with storage.hold(ACCOUNT) as hold:
            append(hold, terms(2), capture(3), entry(4), capture(5, slot=SLOT + 1))
        with storage.hold(ACCOUNT) as hold:
            found = hold.standing({(CONTRACT, SLOT), (CONTRACT, Slot(SLOT + 2)), (OTHER_CONTRACT, SLOT)})
        assert [item.header for item in found[CONTRACT, SLOT]] == [capture(3), entry(4)]
        assert [item.received_at_ms for item in found[CONTRACT, SLOT]] == [START, START]
        assert found[CONTRACT, Slot(SLOT + 2)] == []
        assert found[OTHER_CONTRACT, SLOT] == []

    def test_terms_come_in_log_order(self, storage: Storage, clock: GivenClock) -> None:
        with storage.hold(ACCOUNT) as hold:
            append(hold, terms(2), capture(3))
        clock.put(START + 1000)
        with storage.hold(ACCOUNT) as hold:
            append(hold, terms(4, state="paused"))
        with storage.hold(ACCOUNT) as hold:
            history = hold.terms({CONTRACT, OTHER_CONTRACT})
        assert set(history) == {CONTRACT}
        assert [(item.terms.state, item.received_at_ms, item.name) for item in history[CONTRACT]] == [
            ("active", START, (REPLICA, 2)),
            ("paused", START + 1000, (REPLICA, 4)),
        ]

    def test_a_contract_belongs_to_one_account(self, storage: Storage) -> None:
        with storage.hold(ACCOUNT) as hold:
            append(hold, terms(2))
            assert hold.foreign({CONTRACT}) == set()
        with storage.hold(OTHER_ACCOUNT) as hold:
            assert hold.device_list() is None
            assert hold.foreign({CONTRACT, OTHER_CONTRACT, ContractId(ACCOUNT)}) == {CONTRACT, ACCOUNT}
            assert hold.logs({CONTRACT}) == {}

    def test_a_replica_keeps_its_first_token(self, storage: Storage) -> None:
        with storage.hold(ACCOUNT) as hold:
            assert hold.admit(REPLICA, b"1" * 32) == b"1" * 32
            assert hold.admit(REPLICA, b"2" * 32) == b"1" * 32
        assert storage.credential(ACCOUNT, REPLICA) == Credential(b"1" * 32, revoked=False)
        assert storage.credential(OTHER_ACCOUNT, REPLICA) is None

    @rule("R50")
    def test_a_list_that_revokes_a_replica_takes_its_access(self, storage: Storage) -> None:
        with storage.hold(ACCOUNT) as hold:
            hold.admit(REPLICA, b"1" * 32)
            append(hold, device_list(2, number=2, revoked_from=9), body=b"t" * 64)
        assert storage.credential(ACCOUNT, REPLICA) == Credential(b"1" * 32, revoked=True)
        row = storage.newest_device_list(ACCOUNT)
        assert row is not None
        assert row.body == b"t" * 64

    @rule("R45")
    def test_a_feed_is_read_in_log_order_without_holes(self, storage: Storage) -> None:
        with storage.hold(ACCOUNT) as hold:
            leaves = append(hold, terms(2), *(capture(n, slot=SLOT + n) for n in range(3, 12)))
        read: list[int] = []
        cursors: dict[ContractId, Cursor] = {ContractId(ACCOUNT): Cursor(1, 1)}
        for _ in range(20):
            feed = storage.feed(ACCOUNT, cursors, 3, EVERYTHING)
            for page in feed.pages:
                read += [row.index for row in page.rows]
                assert [row.header for row in page.rows] == [
                    leaves[row.index].header_text for row in page.rows
                ]
                cursors[page.contract] = Cursor(1, page.rows[-1].index + 1)
                assert page.head == Cursor(1, 10)
                assert {row.push for row in page.rows} == set(page.pushes)
            if not feed.more:
                break
        assert read == list(range(10))
        assert storage.feed(ACCOUNT, cursors, 3, EVERYTHING).pages == []

    @rule("R45")
    def test_the_accounts_own_log_comes_first(self, storage: Storage) -> None:
        with storage.hold(ACCOUNT) as hold:
            append(hold, terms(2, contract=OTHER_CONTRACT), terms(3))
        feed = storage.feed(ACCOUNT, {}, 100, EVERYTHING)
        assert [page.contract for page in feed.pages] == [ACCOUNT, OTHER_CONTRACT, CONTRACT]
        assert not feed.more

    def test_a_page_is_cut_by_bytes_but_never_to_nothing(self, storage: Storage) -> None:
        with storage.hold(ACCOUNT) as hold:
            append(hold, terms(2), capture(3), capture(4, slot=SLOT + 1), body=b"x" * 5000)
        cursors = {ContractId(ACCOUNT): Cursor(1, 1)}
        feed = storage.feed(ACCOUNT, cursors, 100, 1)
        assert [len(page.rows) for page in feed.pages] == [1]
        assert feed.more

    @rule("R45")
    def test_a_cursor_past_the_end_is_shown_the_true_head(self, storage: Storage) -> None:
        feed = storage.feed(ACCOUNT, {ContractId(ACCOUNT): Cursor(1, 5)}, 100, EVERYTHING)
        assert [(page.rows, page.head) for page in feed.pages] == [([], Cursor(1, 1))]

    @rule("R43")
    def test_a_cursor_of_another_log_epoch_is_read_from_the_start(self, storage: Storage) -> None:
        feed = storage.feed(ACCOUNT, {ContractId(ACCOUNT): Cursor(7, 1)}, 100, EVERYTHING)
        assert [[row.index for row in page.rows] for page in feed.pages] == [[0]]

    def test_a_feed_of_an_account_is_no_other_accounts(self, storage: Storage) -> None:
        with storage.hold(ACCOUNT) as hold:
            append(hold, terms(2))
        assert storage.feed(OTHER_ACCOUNT, {}, 100, EVERYTHING).pages == []

    @rule("R25")
    def test_destroying_leaves_leaf_and_header(self, storage: Storage) -> None:
        with storage.hold(ACCOUNT) as hold:
            leaves = append(hold, terms(2), capture(3, pictures=((PICTURE, 4096),)))
        assert storage.picture(ACCOUNT, PICTURE) is not None
        assert storage.picture_arrived(ACCOUNT, PICTURE)
        with storage.hold(ACCOUNT) as hold:
            hold.destroy([(REPLICA, 3)])
        feed = storage.feed(ACCOUNT, {ContractId(ACCOUNT): Cursor(1, 1)}, 100, EVERYTHING)
        row = feed.pages[0].rows[1]
        assert (row.body, row.wrap) == (None, None)
        assert row.header == leaves[1].header_text
        assert row.body_hash == hashlib.sha256(b"sealed").hexdigest()
        assert storage.picture(ACCOUNT, PICTURE) is None
        assert storage.doomed(10) == storage.doomed(10, ACCOUNT) == [(ACCOUNT, PICTURE)]
        assert storage.doomed(10, OTHER_ACCOUNT) == []
        storage.pictures_removed([(ACCOUNT, PICTURE)])
        assert storage.doomed(10) == []
        with storage.hold(ACCOUNT) as hold:
            assert isinstance(hold.answers(REPLICA, {3})[3].answer, Receipt)

    @rule("R25")
    def test_a_picture_that_arrives_after_the_deletion_is_not_kept(self, storage: Storage) -> None:
        with storage.hold(ACCOUNT) as hold:
            append(hold, terms(2), capture(3, pictures=((PICTURE, 4096),)))
            hold.destroy([(REPLICA, 3)])
        assert not storage.picture_arrived(ACCOUNT, PICTURE)

    @rule("R41")
    def test_a_picture_is_known_by_its_row_until_the_last_row_goes(self, storage: Storage) -> None:
        other = AccountId(OTHER_ACCOUNT)
        with storage.hold(ACCOUNT) as hold:
            append(
                hold,
                terms(2),
                capture(3, pictures=((PICTURE, 4096),)),
                capture(4, slot=SLOT + 1, pictures=((PICTURE, 4096),)),
            )
        found = storage.picture(ACCOUNT, PICTURE)
        assert found is not None
        assert (found.size, found.whole) == (4096, False)
        assert storage.picture(other, PICTURE) is None
        assert storage.picture_arrived(ACCOUNT, PICTURE)
        with storage.hold(ACCOUNT) as hold:
            hold.destroy([(REPLICA, 3)])
        found = storage.picture(ACCOUNT, PICTURE)
        assert found is not None
        assert found.whole
        assert storage.doomed(10) == []

    @rule("R41")
    def test_a_row_that_came_without_content_lets_no_picture_in(self, storage: Storage) -> None:
        with storage.hold(ACCOUNT) as hold:
            append(hold, terms(2))
            append(hold, capture(3, pictures=((PICTURE, 4096),)), body=None)
        assert storage.picture(ACCOUNT, PICTURE) is None

    @rule("R44")
    def test_a_whole_picture_is_counted_once_until_its_last_row_goes(self, storage: Storage) -> None:
        pictures = ((PICTURE, 4096),)
        with storage.hold(ACCOUNT) as hold:
            append(
                hold, terms(2), capture(3, pictures=pictures), capture(4, slot=SLOT + 1, pictures=pictures)
            )
        assert storage.picture_bytes(ACCOUNT) == 0
        assert storage.picture_arrived(ACCOUNT, PICTURE)
        assert storage.picture_arrived(ACCOUNT, PICTURE)
        assert storage.picture_bytes(ACCOUNT) == 4096
        assert storage.picture_bytes(OTHER_ACCOUNT) == 0
        with storage.hold(ACCOUNT) as hold:
            hold.destroy([(REPLICA, 3)])
        assert storage.picture_bytes(ACCOUNT) == 4096
        with storage.hold(ACCOUNT) as hold:
            hold.destroy([(REPLICA, 4)])
        assert storage.picture_bytes(ACCOUNT) == 0

    @rule("R44")
    def test_room_is_made_once_and_never_beyond_the_quota(self, storage: Storage) -> None:
        other = "8" * 64
        with storage.hold(ACCOUNT) as hold:
            append(
                hold,
                terms(2),
                capture(3, pictures=((PICTURE, 4096), (other, 8192))),
                capture(4, slot=SLOT + 1, pictures=((PICTURE, 4096),)),
            )
        assert not storage.make_room(ACCOUNT, PICTURE, 4095)
        assert storage.picture_bytes(ACCOUNT) == 0
        for _ in range(2):
            assert storage.make_room(ACCOUNT, PICTURE, 4096)
            assert storage.picture_bytes(ACCOUNT) == 4096
        assert not storage.make_room(ACCOUNT, other, 12287)
        assert storage.pictures(ACCOUNT, {PICTURE, other, "7" * 64}) == {
            PICTURE: PictureRow(4096, whole=False, counted=True),
            other: PictureRow(8192, whole=False, counted=False),
        }
        assert storage.picture_arrived(ACCOUNT, PICTURE)
        assert storage.picture_bytes(ACCOUNT) == 4096
        assert storage.make_room(ACCOUNT, "7" * 64, 0)
        assert storage.picture_bytes(ACCOUNT) == 4096

    @rule("R44")
    def test_room_that_was_made_is_free_again_when_the_last_row_goes(self, storage: Storage) -> None:
        with storage.hold(ACCOUNT) as hold:
            append(hold, terms(2), capture(3, pictures=((PICTURE, 4096),)))
        assert storage.make_room(ACCOUNT, PICTURE, 5000)
        with storage.hold(ACCOUNT) as hold:
            append(hold, capture(4, slot=SLOT + 1, pictures=((PICTURE, 4096),)))
            hold.destroy([(REPLICA, 3)])
        assert storage.picture_bytes(ACCOUNT) == 4096
        with storage.hold(ACCOUNT) as hold:
            hold.destroy([(REPLICA, 4)])
        assert storage.picture_bytes(ACCOUNT) == 0

    @rule("R44")
    def test_a_later_row_cannot_change_a_pictures_size(self, storage: Storage) -> None:
        with storage.hold(ACCOUNT) as hold:
            append(hold, terms(2), capture(3, pictures=((PICTURE, 4096),)))
        assert storage.picture_arrived(ACCOUNT, PICTURE)
        with storage.hold(ACCOUNT) as hold:
            append(hold, capture(4, slot=SLOT + 1, pictures=((PICTURE, 8192),)))
            hold.destroy([(REPLICA, 3), (REPLICA, 4)])  # at once: the room is given back once
        assert storage.picture_bytes(ACCOUNT) == 0
        assert storage.doomed(10) == [(ACCOUNT, PICTURE)]

    def test_sweeping_succeeds(self, storage: Storage) -> None:
        assert storage.sweep()


@rule("R40")
def test_a_full_disk_stores_nothing_and_says_so(tmp_path: Path, clock: GivenClock) -> None:
    storage = SqliteStorage(tmp_path / "server.db", clock)
    with storage.hold(ACCOUNT) as hold:
        hold.open_account(ROOT)
        append(hold, device_list(1), body=b"s" * 64)
    pages = storage._connection.pragma("page_count")
    storage._connection.pragma("max_page_count", pages)

    def fill() -> None:
        with storage.hold(ACCOUNT) as hold:
            append(hold, terms(2), *(capture(n, slot=SLOT + n) for n in range(3, 60)))

    with pytest.raises(BusyError, match="full"):
        fill()
    storage._connection.pragma("max_page_count", 1 << 30)
    assert storage.highest_n(ACCOUNT, REPLICA) == 1
    fill()
    assert storage.highest_n(ACCOUNT, REPLICA) == 59
    storage.close()


def test_a_database_of_another_version_is_not_opened(tmp_path: Path, clock: GivenClock) -> None:
    storage = SqliteStorage(tmp_path / "server.db", clock)
    storage._connection.pragma("user_version", 99)
    storage.close()
    with pytest.raises(UnknownSchemaError):
        SqliteStorage(tmp_path / "server.db", clock)


def test_a_file_that_is_no_database_or_cannot_be_opened_is_named(tmp_path: Path, clock: GivenClock) -> None:
    (tmp_path / "letter.db").write_bytes(b"a letter to my aunt" * 1000)
    with pytest.raises(DamagedDatabaseError) as damaged:
        SqliteStorage(tmp_path / "letter.db", clock)
    (tmp_path / "folder.db").mkdir()
    with pytest.raises(DatabaseFileError) as unopened:
        SqliteStorage(tmp_path / "folder.db", clock)
    assert (damaged.value.exit_code, unopened.value.exit_code) == (4, 6)
