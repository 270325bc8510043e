"""The embedded database's tables and statements (R45, R69).

The account is the first column of every key. Content (`body`, `wrap`) is taken from a row by UPDATE; with
`secure_delete` the freed bytes are overwritten, and a truncated WAL keeps no older copy (R25).

That is all of it only because no row of `version` ever moves from its page to another, which would leave a
copy in the first one's gap: a row comes behind the last one, and only ever loses its content, which makes it
shorter where it stands. The triggers hold the table to it; they cost an insert nothing, and an update that
names no other column reads none.
"""

SCHEMA_VERSION = 6

VERSIONS_STAY = """
    CREATE TRIGGER version_never_goes
    BEFORE DELETE ON version
    BEGIN
        SELECT RAISE(ABORT, 'a row of the log stays: its neighbours must not move');
    END;

    CREATE TRIGGER version_stays_where_it_is
    BEFORE UPDATE ON version
    WHEN NEW.rowid <> OLD.rowid
    BEGIN
        SELECT RAISE(ABORT, 'a row of the log stays: its neighbours must not move');
    END;

    CREATE TRIGGER version_stays_as_it_is
    BEFORE UPDATE OF account, contract, log_epoch, log_index, received_at_ms, replica, n, type, slot, push,
                     leaf, header, body_hash
    ON version
    BEGIN
        SELECT RAISE(ABORT, 'a row of the log only loses its content: its neighbours must not move');
    END;

    CREATE TRIGGER version_only_loses_content
    BEFORE UPDATE OF body, wrap ON version
    WHEN NEW.body IS NOT NULL OR NEW.wrap IS NOT NULL
    BEGIN
        SELECT RAISE(ABORT, 'a row of the log only loses its content: its neighbours must not move');
    END;
"""

SCHEMA = (
    """
    CREATE TABLE account (
        account TEXT NOT NULL PRIMARY KEY CHECK (length(account) = 32),
        root TEXT NOT NULL CHECK (length(root) = 64),
        list_index INTEGER CHECK (list_index >= 0),
        received_at_ms INTEGER NOT NULL CHECK (received_at_ms >= 0),
        picture_bytes INTEGER NOT NULL DEFAULT 0 CHECK (picture_bytes >= 0),
        list_epoch INTEGER NOT NULL DEFAULT 1 CHECK (list_epoch >= 1),
        log_epoch INTEGER NOT NULL DEFAULT 1 CHECK (log_epoch >= 1)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE opening (
        account TEXT NOT NULL REFERENCES account,
        log_epoch INTEGER NOT NULL CHECK (log_epoch > 1),
        text TEXT NOT NULL,
        signature BLOB NOT NULL CHECK (length(signature) = 64),
        PRIMARY KEY (account, log_epoch)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE replica (
        account TEXT NOT NULL REFERENCES account,
        replica TEXT NOT NULL CHECK (length(replica) = 32),
        token_hash BLOB NOT NULL CHECK (length(token_hash) = 32),
        revoked INTEGER NOT NULL DEFAULT 0 CHECK (revoked IN (0, 1)),
        PRIMARY KEY (account, replica)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE contract (
        account TEXT NOT NULL REFERENCES account,
        contract TEXT NOT NULL CHECK (length(contract) = 32),
        log_epoch INTEGER NOT NULL CHECK (log_epoch >= 1),
        size INTEGER NOT NULL CHECK (size >= 0),
        PRIMARY KEY (account, contract)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX contract_alone ON contract (contract);

    CREATE TABLE push (
        account TEXT NOT NULL REFERENCES account,
        hash BLOB NOT NULL CHECK (length(hash) = 32),
        replica TEXT NOT NULL,
        hashes BLOB NOT NULL CHECK (length(hashes) % 64 = 0),
        signature BLOB NOT NULL CHECK (length(signature) = 64),
        PRIMARY KEY (account, hash)
    ) STRICT;

    CREATE TABLE version (
        account TEXT NOT NULL,
        contract TEXT NOT NULL,
        log_epoch INTEGER NOT NULL CHECK (log_epoch >= 1),
        log_index INTEGER NOT NULL CHECK (log_index >= 0),
        received_at_ms INTEGER NOT NULL,
        replica TEXT NOT NULL CHECK (length(replica) = 32),
        n INTEGER NOT NULL CHECK (n >= 1),
        type TEXT NOT NULL,
        slot INTEGER,
        push BLOB NOT NULL CHECK (length(push) = 32),
        leaf BLOB NOT NULL CHECK (length(leaf) = 32),
        header TEXT NOT NULL,
        body_hash BLOB NOT NULL CHECK (length(body_hash) = 32),
        body BLOB,
        wrap BLOB CHECK (wrap IS NULL OR body IS NOT NULL),
        UNIQUE (account, contract, log_epoch, log_index),
        UNIQUE (account, replica, n)
    ) STRICT;
    CREATE INDEX version_slot ON version (account, contract, slot) WHERE slot IS NOT NULL;
    CREATE INDEX version_terms ON version (account, contract, log_index) WHERE type = 'terms';

    CREATE TABLE refusal (
        account TEXT NOT NULL REFERENCES account,
        replica TEXT NOT NULL CHECK (length(replica) = 32),
        n INTEGER NOT NULL CHECK (n >= 1),
        header_hash BLOB NOT NULL CHECK (length(header_hash) = 32),
        body_hash BLOB NOT NULL CHECK (length(body_hash) = 32),
        reason TEXT NOT NULL,
        because TEXT NOT NULL,
        refused_at_ms INTEGER NOT NULL,
        PRIMARY KEY (account, replica, n)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE picture (
        account TEXT NOT NULL REFERENCES account,
        name TEXT NOT NULL CHECK (length(name) = 64),
        replica TEXT NOT NULL,
        n INTEGER NOT NULL,
        size INTEGER NOT NULL CHECK (size > 0),
        whole INTEGER NOT NULL DEFAULT 0 CHECK (whole IN (0, 1)),
        counted INTEGER NOT NULL DEFAULT 0 CHECK (counted IN (0, 1)),
        PRIMARY KEY (account, name, replica, n)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX picture_version ON picture (account, replica, n);

    CREATE TABLE doomed (
        account TEXT NOT NULL REFERENCES account,
        name TEXT NOT NULL,
        PRIMARY KEY (account, name)
    ) STRICT, WITHOUT ROWID;
"""
    + VERSIONS_STAY
)

# What makes a file of that version one of the next.
MIGRATIONS = {
    1: """
        ALTER TABLE account ADD COLUMN picture_bytes INTEGER NOT NULL DEFAULT 0 CHECK (picture_bytes >= 0);
        UPDATE account
           SET picture_bytes = held.size
          FROM (SELECT one.account, sum(one.size) AS size
                  FROM (SELECT account, max(size) AS size
                          FROM picture
                         WHERE whole
                         GROUP BY account, name) AS one
                 GROUP BY one.account) AS held
         WHERE held.account = account.account;
    """,
    2: """
        ALTER TABLE account ADD COLUMN list_epoch INTEGER NOT NULL DEFAULT 1 CHECK (list_epoch >= 1);
        ALTER TABLE account ADD COLUMN log_epoch INTEGER NOT NULL DEFAULT 1 CHECK (log_epoch >= 1);
        CREATE TABLE opening (
            account TEXT NOT NULL REFERENCES account,
            log_epoch INTEGER NOT NULL CHECK (log_epoch > 1),
            text TEXT NOT NULL,
            signature BLOB NOT NULL CHECK (length(signature) = 64),
            PRIMARY KEY (account, log_epoch)
        ) STRICT, WITHOUT ROWID;
    """,
    3: "",  # the triggers that came with it are replaced below
    4: """
        ALTER TABLE picture ADD COLUMN counted INTEGER NOT NULL DEFAULT 0 CHECK (counted IN (0, 1));
        UPDATE picture SET counted = whole;
    """,
    5: """
        DROP TRIGGER IF EXISTS version_never_goes;
        DROP TRIGGER IF EXISTS version_only_loses_content;
    """
    + VERSIONS_STAY,
}

LAST_RECEIVED = "SELECT received_at_ms, log_epoch FROM account WHERE account = :account"

LAST_RECEIVED_OF_ALL = "SELECT max(received_at_ms) FROM account"

DEVICE_LIST = """
    SELECT v.header, v.body
      FROM account AS a
      JOIN version AS v
        ON v.account = a.account
       AND v.contract = a.account
       AND v.log_epoch = a.list_epoch
       AND v.log_index = a.list_index
     WHERE a.account = :account
"""

ACCEPTED = """
    SELECT n, header, body_hash, contract, log_epoch, log_index, received_at_ms, leaf
      FROM version
     WHERE account = :account AND replica = :replica AND n IN (SELECT value FROM json_each(:ns))
"""

REFUSED = """
    SELECT n, header_hash, body_hash, reason, because, refused_at_ms
      FROM refusal
     WHERE account = :account AND replica = :replica AND n IN (SELECT value FROM json_each(:ns))
"""

STANDING = """
    SELECT v.contract, v.slot, v.header, v.received_at_ms
      FROM json_each(:places) AS place
     CROSS JOIN version AS v
        ON v.account = :account AND v.contract = place.value ->> 0 AND v.slot = place.value ->> 1
     ORDER BY v.rowid
"""

LOGS = """
    SELECT contract, log_epoch, size
      FROM contract
     WHERE account = :account AND contract IN (SELECT value FROM json_each(:contracts))
"""

ALL_LOGS = """
    SELECT contract, log_epoch, size
      FROM contract
     WHERE account = :account
     ORDER BY contract <> account, contract
"""

FOREIGN = """
    SELECT DISTINCT contract
      FROM contract
     WHERE contract IN (SELECT value FROM json_each(:contracts)) AND account <> :account
"""

TERMS = """
    SELECT contract, header, received_at_ms
      FROM version
     WHERE account = :account
       AND contract IN (SELECT value FROM json_each(:contracts))
       AND type = 'terms'
     ORDER BY contract, log_index
"""

OPEN_ACCOUNT = """
    INSERT INTO account (account, root, list_index, received_at_ms)
    VALUES (:account, :root, NULL, :at_ms)
        ON CONFLICT (account) DO NOTHING
"""

ADMIT = """
    INSERT INTO replica (account, replica, token_hash)
    VALUES (:account, :replica, :token_hash)
        ON CONFLICT (account, replica) DO NOTHING
"""

ADMITTED = "SELECT token_hash FROM replica WHERE account = :account AND replica = :replica"

KEEP_PUSH = """
    INSERT INTO push (account, hash, replica, hashes, signature)
    VALUES (:account, :hash, :replica, :hashes, :signature)
        ON CONFLICT (account, hash) DO NOTHING
"""

APPEND = """
    INSERT INTO version (account, contract, log_epoch, log_index, received_at_ms, replica, n, type, slot,
                         push, leaf, header, body_hash, body, wrap)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

GROW = """
    INSERT INTO contract (account, contract, log_epoch, size)
    VALUES (:account, :contract, :log_epoch, :size)
        ON CONFLICT (account, contract) DO UPDATE SET log_epoch = excluded.log_epoch, size = excluded.size
"""

NOTE_RECEIVED = "UPDATE account SET received_at_ms = :at_ms WHERE account = :account"

NOTE_LIST = """
    UPDATE account
       SET list_epoch = :list_epoch, list_index = :list_index
     WHERE account = :account
"""

LEAVES = """
    SELECT leaf
      FROM version
     WHERE account = :account AND contract = :contract
     ORDER BY log_epoch, log_index
"""

KEEP_OPENING = """
    INSERT INTO opening (account, log_epoch, text, signature)
    VALUES (:account, :log_epoch, :text, :signature)
"""

ENTER_EPOCH = "UPDATE account SET log_epoch = :log_epoch WHERE account = :account"

LOGS_ENTER_EPOCH = "UPDATE contract SET log_epoch = :log_epoch WHERE account = :account"

EPOCHS = "SELECT log_epoch FROM opening WHERE account = :account ORDER BY log_epoch"

LOG_EPOCH = "SELECT log_epoch FROM account WHERE account = :account"

LAST_OPENED = "SELECT max(log_epoch) FROM account"

OPENINGS = """
    SELECT text, signature
      FROM opening
     WHERE account = :account AND log_epoch > :after_epoch
     ORDER BY log_epoch
"""

ACCOUNTS = "SELECT account FROM account WHERE account > :after ORDER BY account LIMIT :limit"

NOTE_REVOKED = """
    UPDATE replica
       SET revoked = replica IN (SELECT value FROM json_each(:revoked))
     WHERE account = :account
"""

EXPECT_PICTURE = """
    INSERT INTO picture (account, name, replica, n, size, whole, counted)
    VALUES (?1, ?2, ?3, ?4,
            coalesce((SELECT max(size) FROM picture WHERE account = ?1 AND name = ?2), ?5),
            EXISTS (SELECT 1 FROM picture WHERE account = ?1 AND name = ?2 AND whole),
            EXISTS (SELECT 1 FROM picture WHERE account = ?1 AND name = ?2 AND counted))
        ON CONFLICT (account, name, replica, n) DO NOTHING
"""

REFUSE = """
    INSERT INTO refusal (account, replica, n, header_hash, body_hash, reason, because, refused_at_ms)
    VALUES (:account, :replica, :n, :header_hash, :body_hash, :reason, :because, :refused_at_ms)
"""

DESTROY = """
    UPDATE version
       SET body = NULL, wrap = NULL
     WHERE account = :account AND replica = :replica AND n IN (SELECT value FROM json_each(:ns))
"""

FORGET_PICTURES = """
    DELETE FROM picture INDEXED BY picture_version
     WHERE account = :account AND replica = :replica AND n IN (SELECT value FROM json_each(:ns))
 RETURNING name, size, counted
"""

DOOM = """
    INSERT INTO doomed (account, name)
    SELECT :account, :name
     WHERE NOT EXISTS (SELECT 1 FROM picture WHERE account = :account AND name = :name)
        ON CONFLICT (account, name) DO NOTHING
"""

CREDENTIAL = "SELECT token_hash, revoked FROM replica WHERE account = :account AND replica = :replica"

HIGHEST_N = """
    SELECT max(coalesce((SELECT max(n) FROM version WHERE account = :account AND replica = :replica), 0),
               coalesce((SELECT max(n) FROM refusal WHERE account = :account AND replica = :replica), 0))
"""

FEED = """
    SELECT log_index, received_at_ms, push, header, body_hash, body, wrap, leaf
      FROM version
     WHERE account = :account AND contract = :contract AND log_epoch = :log_epoch AND log_index >= :first
     ORDER BY log_index
     LIMIT :rows_max
"""

PUSH = "SELECT replica, hashes, signature FROM push WHERE account = :account AND hash = :hash"

PICTURE = """
    SELECT max(size), max(whole), max(counted)
      FROM picture
     WHERE account = :account AND name = :name
"""

COUNT_PICTURE = """
    UPDATE picture
       SET counted = 1
     WHERE account = :account
       AND name = :name
       AND NOT counted
       AND (:quota_bytes IS NULL
            OR size + (SELECT picture_bytes FROM account WHERE account = :account) <= :quota_bytes)
 RETURNING size
"""

IS_COUNTED = "SELECT coalesce(max(counted), 1) FROM picture WHERE account = :account AND name = :name"

PICTURE_ARRIVED = "UPDATE picture SET whole = 1 WHERE account = :account AND name = :name"

PICTURE_EXISTS = "SELECT EXISTS (SELECT 1 FROM picture WHERE account = :account AND name = :name)"

PICTURE_BYTES = "SELECT picture_bytes FROM account WHERE account = :account"

USE_BYTES = "UPDATE account SET picture_bytes = picture_bytes + :size WHERE account = :account"

FREE_BYTES = """
    UPDATE account
       SET picture_bytes = picture_bytes - :size
     WHERE account = :account
       AND NOT EXISTS (SELECT 1 FROM picture WHERE account = :account AND name = :name)
"""

DOOMED_OF = "SELECT account, name FROM doomed WHERE account = :account LIMIT :limit"

DOOMED = "SELECT account, name FROM doomed LIMIT :limit"

PICTURE_REMOVED = "DELETE FROM doomed WHERE account = ? AND name = ?"
