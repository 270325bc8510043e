"""A file of an earlier format becomes one of today's when a server opens it (R25, R44, R69)."""

from pathlib import Path

from diary.clock import GivenClock
from sync.server.storage import Credential
from sync.server.storage_sqlite import SqliteStorage
from tests.rule import rule
from tests.sync.server.test_storage_seats import INVITATION, KEYS
from tests.sync.server.versions import ACCOUNT, CONTRACT, REPLICA, ROOT, SLOT, append, capture, terms

PICTURE = "9" * 64


def drop_what_came_later(storage: SqliteStorage) -> None:
    for (trigger,) in list(
        storage._connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
    ):
        storage._connection.execute(f"DROP TRIGGER {trigger}")
    storage._connection.execute("DROP TABLE lost_seal")  # the fifteenth's
    storage._connection.execute("ALTER TABLE account DROP COLUMN healing_from")
    for table in ("posting", "ledger_entry", "invoice_contract", "invoice"):  # the fourteenth's
        storage._connection.execute(f"DROP TABLE {table}")
    storage._connection.execute("ALTER TABLE account DROP COLUMN invoices")
    storage._connection.execute("ALTER TABLE account DROP COLUMN ledger_due_ms")
    for table in ("gateway_payment", "gateway_event", "billing_method"):  # the twelfth's
        storage._connection.execute(f"DROP TABLE {table}")
    storage._connection.execute("DROP INDEX version_slotless")  # the eleventh's
    storage._connection.execute("DROP TABLE seal")  # the tenth's, with the columns
    storage._connection.execute("ALTER TABLE account DROP COLUMN sealed_until_ms")
    storage._connection.execute("ALTER TABLE contract DROP COLUMN peaks")
    storage._connection.execute("ALTER TABLE contract DROP COLUMN seals")
    storage._connection.execute("DROP INDEX version_acts")  # the ninth's
    for table in ("account_rule", "operator_act"):  # which came with the eighth version
        storage._connection.execute(f"DROP TABLE {table}")
    # The seventh brought seats.
    storage._connection.execute("DROP INDEX version_seats")
    storage._connection.execute("ALTER TABLE replica DROP COLUMN contract")


@rule("R25")
def test_a_file_of_the_fifth_version_gets_the_triggers_of_today(tmp_path: Path, clock: GivenClock) -> None:
    storage = SqliteStorage(tmp_path / "server.db", clock)
    triggers = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY name"
    of_today = list(storage._connection.execute(triggers))
    drop_what_came_later(storage)
    for kind, name in (("DELETE", "version_never_goes"), ("UPDATE", "version_only_loses_content")):
        refuse = f"CREATE TRIGGER {name} BEFORE {kind} ON version BEGIN SELECT RAISE(ABORT, 'old'); END"
        storage._connection.execute(refuse)
    storage._connection.pragma("user_version", 5)
    storage.close()
    storage = SqliteStorage(tmp_path / "server.db", clock)
    assert list(storage._connection.execute(triggers)) == of_today
    storage.close()


@rule("R44")
def test_a_file_of_the_first_version_learns_how_much_it_holds(tmp_path: Path, clock: GivenClock) -> None:
    storage = SqliteStorage(tmp_path / "server.db", clock)
    with storage.hold(ACCOUNT) as hold:
        hold.open_account(ROOT)
        append(hold, terms(1), capture(2, pictures=((PICTURE, 4096), ("8" * 64, 8192))))
        append(hold, capture(3, slot=SLOT + 1, pictures=((PICTURE, 4096),)))
    storage.picture_arrived(ACCOUNT, PICTURE)
    for column in ("picture_bytes", "list_epoch", "log_epoch"):
        storage._connection.execute(f"ALTER TABLE account DROP COLUMN {column}")
    storage._connection.execute("ALTER TABLE picture DROP COLUMN counted")
    storage._connection.execute("DROP TABLE opening")
    drop_what_came_later(storage)
    storage._connection.pragma("user_version", 1)
    storage.close()
    storage = SqliteStorage(tmp_path / "server.db", clock)
    assert storage.picture_bytes(ACCOUNT) == 4096
    with storage.hold(ACCOUNT) as hold:
        hold.destroy([(REPLICA, 2), (REPLICA, 3)])
    assert storage.picture_bytes(ACCOUNT) == 0
    storage.close()


@rule("R69")
def test_a_file_from_before_there_were_seats_learns_of_them(tmp_path: Path, clock: GivenClock) -> None:
    storage = SqliteStorage(tmp_path / "server.db", clock)
    with storage.hold(ACCOUNT) as hold:
        hold.open_account(ROOT)
        hold.admit(REPLICA, b"1" * 32)
        append(hold, terms(2), INVITATION)
    drop_what_came_later(storage)
    storage._connection.pragma("user_version", 6)
    storage.close()
    storage = SqliteStorage(tmp_path / "server.db", clock)
    assert storage.credential(ACCOUNT, REPLICA) == Credential(b"1" * 32, revoked=False)
    with storage.hold(ACCOUNT) as hold:
        assert list(hold.seats({CONTRACT})[CONTRACT].invitations) == [KEYS.auth]
    storage.close()
