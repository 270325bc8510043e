"""The embedded database's tables, and what makes a file of an earlier format one of today's (R45, R69).

The account is the first column of every key. Content (`body`, `wrap`) is taken from a row by UPDATE; with
`secure_delete` the freed bytes are overwritten, and a truncated WAL keeps no older copy (R25).

That is all of it only because no row of `version` ever moves from its page to another, which would leave a
copy in the first one's gap: a row comes behind the last one, and only ever loses its content, which makes it
shorter where it stands. The triggers hold the table to it; they cost an insert nothing, and an update that
names no other column reads none.
"""

from sync.server.storage_sqlite_money_schema import HEALING, INVOICES, KNOW_HEALING, KNOW_INVOICES

SCHEMA_VERSION = 15

SEALS = """
    CREATE TABLE seal (
        account TEXT NOT NULL REFERENCES account,
        contract TEXT NOT NULL,
        number INTEGER NOT NULL CHECK (number >= 1),
        week TEXT NOT NULL CHECK (length(week) = 8),
        text TEXT NOT NULL,
        signature BLOB NOT NULL CHECK (length(signature) = 64),
        PRIMARY KEY (account, contract, number)
    ) STRICT;
    CREATE INDEX seal_week ON seal (account, week);
"""

ACTS = """
    CREATE INDEX version_acts
        ON version (account, contract, log_index)
     WHERE type IN ('request', 'acceptance', 'dispute', 'redaction', 'bonus', 'payment');
"""

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

OPERATOR = """
    CREATE TABLE account_rule (
        account TEXT NOT NULL PRIMARY KEY CHECK (length(account) = 32),
        suspended_at_ms INTEGER,
        because TEXT NOT NULL,
        picture_quota_bytes INTEGER CHECK (picture_quota_bytes >= 0),
        admitted INTEGER NOT NULL CHECK (admitted IN (0, 1))
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX account_rule_suspended ON account_rule (suspended_at_ms) WHERE suspended_at_ms IS NOT NULL;

    CREATE TABLE operator_act (
        account TEXT NOT NULL CHECK (length(account) IN (0, 32)),
        n INTEGER NOT NULL CHECK (n >= 1),
        at_ms INTEGER NOT NULL,
        who TEXT NOT NULL,
        deed TEXT NOT NULL,
        detail TEXT NOT NULL,
        before TEXT NOT NULL CHECK (length(before) = 64),
        hash TEXT NOT NULL CHECK (length(hash) = 64),
        PRIMARY KEY (account, n)
    ) STRICT, WITHOUT ROWID;
    CREATE TRIGGER operator_act_stays
    BEFORE UPDATE ON operator_act
    BEGIN
        SELECT RAISE(ABORT, 'what an operator did stays written');
    END;
    CREATE TRIGGER operator_act_never_goes
    BEFORE DELETE ON operator_act
    BEGIN
        SELECT RAISE(ABORT, 'what an operator did stays written');
    END;
"""

PAYMENTS = """
    CREATE TABLE gateway_payment (
        account TEXT NOT NULL REFERENCES account,
        key TEXT NOT NULL CHECK (length(key) = 32),
        contract TEXT NOT NULL CHECK (length(contract) = 32),
        invoice INTEGER NOT NULL CHECK (invoice >= 1),
        gateway TEXT NOT NULL,
        minor INTEGER NOT NULL CHECK (minor > 0),
        currency TEXT NOT NULL CHECK (length(currency) = 3),
        state TEXT NOT NULL CHECK (state IN ('started', 'paid', 'ended')),
        started_at_ms INTEGER NOT NULL,
        looked_at_ms INTEGER NOT NULL CHECK (looked_at_ms >= started_at_ms),
        reference TEXT,
        url TEXT CHECK (url IS NULL OR reference IS NOT NULL),
        PRIMARY KEY (account, key)
    ) STRICT, WITHOUT ROWID;
    CREATE UNIQUE INDEX gateway_payment_open
        ON gateway_payment (account, contract, invoice)
     WHERE state = 'started';
    CREATE INDEX gateway_payment_looked ON gateway_payment (looked_at_ms) WHERE state = 'started';

    CREATE TABLE gateway_event (
        account TEXT NOT NULL REFERENCES account,
        key TEXT NOT NULL,
        kind TEXT NOT NULL,
        contract TEXT NOT NULL CHECK (length(contract) = 32),
        invoice INTEGER NOT NULL CHECK (invoice >= 1),
        payment TEXT NOT NULL,
        minor INTEGER NOT NULL CHECK (minor > 0),
        currency TEXT NOT NULL CHECK (length(currency) = 3),
        at_ms INTEGER NOT NULL,
        received_at_ms INTEGER NOT NULL,
        PRIMARY KEY (account, key)
    ) STRICT, WITHOUT ROWID;
    CREATE TRIGGER gateway_event_stays
    BEFORE UPDATE ON gateway_event
    BEGIN
        SELECT RAISE(ABORT, 'what became of money stays written');
    END;
    CREATE TRIGGER gateway_event_never_goes
    BEFORE DELETE ON gateway_event
    BEGIN
        SELECT RAISE(ABORT, 'what became of money stays written');
    END;

    CREATE TABLE billing_method (
        account TEXT NOT NULL REFERENCES account,
        payer TEXT NOT NULL CHECK (length(payer) = 32),
        gateway TEXT NOT NULL,
        customer TEXT,
        verified INTEGER CHECK (verified IN (0, 1)),
        asked_at_ms INTEGER CHECK ((asked_at_ms IS NULL) = (verified IS NULL)),
        stated_at_ms INTEGER,
        PRIMARY KEY (account, payer)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX billing_method_asked ON billing_method (asked_at_ms) WHERE customer IS NOT NULL;
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
        log_epoch INTEGER NOT NULL DEFAULT 1 CHECK (log_epoch >= 1),
        sealed_until_ms INTEGER NOT NULL DEFAULT 0 CHECK (sealed_until_ms >= 0),
        invoices INTEGER NOT NULL DEFAULT 0 CHECK (invoices >= 0),
        ledger_due_ms INTEGER NOT NULL DEFAULT 0 CHECK (ledger_due_ms >= 0),
        healing_from INTEGER CHECK (healing_from >= 0)
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
        contract TEXT CHECK (length(contract) = 32),
        PRIMARY KEY (account, replica)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE contract (
        account TEXT NOT NULL REFERENCES account,
        contract TEXT NOT NULL CHECK (length(contract) = 32),
        log_epoch INTEGER NOT NULL CHECK (log_epoch >= 1),
        size INTEGER NOT NULL CHECK (size >= 0),
        peaks BLOB CHECK (length(peaks) % 32 = 0),
        seals INTEGER NOT NULL DEFAULT 0 CHECK (seals >= 0),
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
    CREATE INDEX version_seats ON version (account, contract, log_index) WHERE type IN ('grant', 'joining');
    CREATE INDEX version_slotless ON version (account, contract, type, log_index) WHERE slot IS NULL;

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
    + ACTS
    + SEALS
    + VERSIONS_STAY
    + OPERATOR
    + PAYMENTS
    + INVOICES
    + HEALING
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
    6: """
        ALTER TABLE replica ADD COLUMN contract TEXT CHECK (length(contract) = 32);
        CREATE INDEX version_seats
            ON version (account, contract, log_index)
         WHERE type IN ('grant', 'joining');
    """,
    7: OPERATOR,
    8: """
        CREATE INDEX version_acts
            ON version (account, contract, log_index)
         WHERE type IN ('request', 'acceptance', 'dispute', 'redaction');
    """,
    9: """
        ALTER TABLE account
          ADD COLUMN sealed_until_ms INTEGER NOT NULL DEFAULT 0 CHECK (sealed_until_ms >= 0);
        ALTER TABLE contract ADD COLUMN peaks BLOB CHECK (length(peaks) % 32 = 0);
        ALTER TABLE contract ADD COLUMN seals INTEGER NOT NULL DEFAULT 0 CHECK (seals >= 0);
    """
    + SEALS,
    10: "CREATE INDEX version_slotless ON version (account, contract, type, log_index) WHERE slot IS NULL;",
    11: PAYMENTS,
    12: f"DROP INDEX version_acts; {ACTS}",
    13: KNOW_INVOICES,
    14: KNOW_HEALING,
}
