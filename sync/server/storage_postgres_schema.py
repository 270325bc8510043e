"""PostgreSQL's tables, and how older ones become those of today (R69)."""

from sync.server.storage_postgres_money_schema import HEALING, INVOICES, KNOW_HEALING, KNOW_INVOICES

SCHEMA_VERSION = 12

# Held while the tables are made: processes that start at once make them once.
SCHEMA_LOCK = "SELECT pg_advisory_xact_lock(7264919)"

SCHEMA_FOUND = "SELECT to_regclass('schema_version') IS NOT NULL"

SCHEMA_VERSION_FOUND = "SELECT version FROM schema_version"

OPERATOR = """
    CREATE TABLE account_rule (
        account TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (length(account) = 32),
        suspended_at_ms BIGINT,
        because TEXT NOT NULL,
        picture_quota_bytes BIGINT CHECK (picture_quota_bytes >= 0),
        admitted BOOLEAN NOT NULL
    );
    CREATE INDEX account_rule_suspended ON account_rule (suspended_at_ms) WHERE suspended_at_ms IS NOT NULL;

    CREATE TABLE operator_act (
        account TEXT COLLATE "C" NOT NULL CHECK (length(account) IN (0, 32)),
        n BIGINT NOT NULL CHECK (n >= 1),
        at_ms BIGINT NOT NULL,
        who TEXT NOT NULL,
        deed TEXT NOT NULL,
        detail TEXT NOT NULL,
        before TEXT NOT NULL CHECK (length(before) = 64),
        hash TEXT NOT NULL CHECK (length(hash) = 64),
        PRIMARY KEY (account, n)
    );
    CREATE RULE operator_act_stays AS ON UPDATE TO operator_act DO INSTEAD NOTHING;
    CREATE RULE operator_act_never_goes AS ON DELETE TO operator_act DO INSTEAD NOTHING;
"""

SEALS = """
    CREATE TABLE seal (
        account TEXT COLLATE "C" NOT NULL REFERENCES account,
        contract TEXT COLLATE "C" NOT NULL,
        number BIGINT NOT NULL CHECK (number >= 1),
        week TEXT COLLATE "C" NOT NULL CHECK (length(week) = 8),
        text TEXT NOT NULL,
        signature BYTEA NOT NULL CHECK (length(signature) = 64),
        PRIMARY KEY (account, contract, number)
    );
    CREATE INDEX seal_week ON seal (account, week);
"""

PAYMENTS = """
    CREATE TABLE gateway_payment (
        account TEXT COLLATE "C" NOT NULL REFERENCES account,
        key TEXT COLLATE "C" NOT NULL CHECK (length(key) = 32),
        contract TEXT COLLATE "C" NOT NULL CHECK (length(contract) = 32),
        invoice BIGINT NOT NULL CHECK (invoice >= 1),
        gateway TEXT NOT NULL,
        minor BIGINT NOT NULL CHECK (minor > 0),
        currency TEXT NOT NULL CHECK (length(currency) = 3),
        state TEXT NOT NULL CHECK (state IN ('started', 'paid', 'ended')),
        started_at_ms BIGINT NOT NULL,
        looked_at_ms BIGINT NOT NULL CHECK (looked_at_ms >= started_at_ms),
        reference TEXT,
        url TEXT CHECK (url IS NULL OR reference IS NOT NULL),
        PRIMARY KEY (account, key)
    );
    CREATE UNIQUE INDEX gateway_payment_open
        ON gateway_payment (account, contract, invoice)
     WHERE state = 'started';
    CREATE INDEX gateway_payment_looked ON gateway_payment (looked_at_ms) WHERE state = 'started';

    CREATE TABLE gateway_event (
        account TEXT COLLATE "C" NOT NULL REFERENCES account,
        key TEXT COLLATE "C" NOT NULL,
        kind TEXT NOT NULL,
        contract TEXT COLLATE "C" NOT NULL CHECK (length(contract) = 32),
        invoice BIGINT NOT NULL CHECK (invoice >= 1),
        payment TEXT NOT NULL,
        minor BIGINT NOT NULL CHECK (minor > 0),
        currency TEXT NOT NULL CHECK (length(currency) = 3),
        at_ms BIGINT NOT NULL,
        received_at_ms BIGINT NOT NULL,
        PRIMARY KEY (account, key)
    );
    CREATE RULE gateway_event_stays AS ON UPDATE TO gateway_event DO INSTEAD NOTHING;
    CREATE RULE gateway_event_never_goes AS ON DELETE TO gateway_event DO INSTEAD NOTHING;

    CREATE TABLE billing_method (
        account TEXT COLLATE "C" NOT NULL REFERENCES account,
        payer TEXT COLLATE "C" NOT NULL CHECK (length(payer) = 32),
        gateway TEXT NOT NULL,
        customer TEXT,
        verified BOOLEAN,
        asked_at_ms BIGINT CHECK ((asked_at_ms IS NULL) = (verified IS NULL)),
        stated_at_ms BIGINT,
        PRIMARY KEY (account, payer)
    );
    CREATE INDEX billing_method_asked ON billing_method (asked_at_ms) WHERE customer IS NOT NULL;
"""

ACTS = """
    CREATE INDEX version_acts
        ON version (account, contract, log_index)
     WHERE type IN ('request', 'acceptance', 'dispute', 'redaction', 'bonus', 'payment');
"""

_TABLES = """
    CREATE TABLE schema_version (version INTEGER NOT NULL);
    INSERT INTO schema_version (version) VALUES (12);

    CREATE TABLE account (
        account TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (length(account) = 32),
        root TEXT NOT NULL CHECK (length(root) = 64),
        list_index BIGINT CHECK (list_index >= 0),
        received_at_ms BIGINT NOT NULL CHECK (received_at_ms >= 0),
        picture_bytes BIGINT NOT NULL DEFAULT 0 CHECK (picture_bytes >= 0),
        list_epoch BIGINT NOT NULL DEFAULT 1 CHECK (list_epoch >= 1),
        log_epoch BIGINT NOT NULL DEFAULT 1 CHECK (log_epoch >= 1),
        sealed_until_ms BIGINT NOT NULL DEFAULT 0 CHECK (sealed_until_ms >= 0),
        invoices BIGINT NOT NULL DEFAULT 0 CHECK (invoices >= 0),
        ledger_due_ms BIGINT NOT NULL DEFAULT 0 CHECK (ledger_due_ms >= 0),
        healing_from BIGINT CHECK (healing_from >= 0)
    ) WITH (fillfactor = 70);

    CREATE TABLE opening (
        account TEXT COLLATE "C" NOT NULL REFERENCES account,
        log_epoch BIGINT NOT NULL CHECK (log_epoch > 1),
        text TEXT NOT NULL,
        signature BYTEA NOT NULL CHECK (length(signature) = 64),
        PRIMARY KEY (account, log_epoch)
    );

    CREATE TABLE replica (
        account TEXT COLLATE "C" NOT NULL REFERENCES account,
        replica TEXT COLLATE "C" NOT NULL CHECK (length(replica) = 32),
        token_hash BYTEA NOT NULL CHECK (length(token_hash) = 32),
        revoked BOOLEAN NOT NULL DEFAULT false,
        contract TEXT COLLATE "C" CHECK (length(contract) = 32),
        PRIMARY KEY (account, replica)
    );

    CREATE TABLE contract (
        account TEXT COLLATE "C" NOT NULL REFERENCES account,
        contract TEXT COLLATE "C" NOT NULL CHECK (length(contract) = 32),
        log_epoch BIGINT NOT NULL CHECK (log_epoch >= 1),
        size BIGINT NOT NULL CHECK (size >= 0),
        peaks BYTEA CHECK (length(peaks) % 32 = 0),
        seals BIGINT NOT NULL DEFAULT 0 CHECK (seals >= 0),
        PRIMARY KEY (account, contract)
    ) WITH (fillfactor = 70);
    CREATE INDEX contract_alone ON contract (contract);

    CREATE TABLE push (
        account TEXT COLLATE "C" NOT NULL REFERENCES account,
        hash BYTEA NOT NULL CHECK (length(hash) = 32),
        replica TEXT COLLATE "C" NOT NULL,
        hashes BYTEA NOT NULL CHECK (length(hashes) % 64 = 0),
        signature BYTEA NOT NULL CHECK (length(signature) = 64),
        PRIMARY KEY (account, hash)
    );

    CREATE TABLE version (
        account TEXT COLLATE "C" NOT NULL,
        contract TEXT COLLATE "C" NOT NULL,
        log_epoch BIGINT NOT NULL CHECK (log_epoch >= 1),
        log_index BIGINT NOT NULL CHECK (log_index >= 0),
        received_at_ms BIGINT NOT NULL,
        replica TEXT COLLATE "C" NOT NULL CHECK (length(replica) = 32),
        n BIGINT NOT NULL CHECK (n >= 1),
        type TEXT NOT NULL,
        slot BIGINT,
        push BYTEA NOT NULL CHECK (length(push) = 32),
        leaf BYTEA NOT NULL CHECK (length(leaf) = 32),
        header TEXT NOT NULL,
        body_hash BYTEA NOT NULL CHECK (length(body_hash) = 32),
        body BYTEA,
        wrap BYTEA CHECK (wrap IS NULL OR body IS NOT NULL),
        PRIMARY KEY (account, log_epoch, contract, log_index),
        UNIQUE (account, replica, n)
    );
    CREATE INDEX version_slot ON version (account, contract, slot) WHERE slot IS NOT NULL;
    CREATE INDEX version_terms ON version (account, contract, log_index) WHERE type = 'terms';
    CREATE INDEX version_seats ON version (account, contract, log_index) WHERE type IN ('grant', 'joining');
    CREATE INDEX version_slotless ON version (account, contract, type, log_index) WHERE slot IS NULL;
    -- Sealed bytes do not shrink: trying would only take time.
    ALTER TABLE version ALTER COLUMN body SET STORAGE EXTERNAL;
    ALTER TABLE push ALTER COLUMN hashes SET STORAGE EXTERNAL;

    CREATE TABLE refusal (
        account TEXT COLLATE "C" NOT NULL REFERENCES account,
        replica TEXT COLLATE "C" NOT NULL CHECK (length(replica) = 32),
        n BIGINT NOT NULL CHECK (n >= 1),
        header_hash BYTEA NOT NULL CHECK (length(header_hash) = 32),
        body_hash BYTEA NOT NULL CHECK (length(body_hash) = 32),
        reason TEXT NOT NULL,
        because TEXT NOT NULL,
        refused_at_ms BIGINT NOT NULL,
        PRIMARY KEY (account, replica, n)
    );

    CREATE TABLE picture (
        account TEXT COLLATE "C" NOT NULL REFERENCES account,
        name TEXT COLLATE "C" NOT NULL CHECK (length(name) = 64),
        replica TEXT COLLATE "C" NOT NULL,
        n BIGINT NOT NULL,
        size BIGINT NOT NULL CHECK (size > 0),
        whole BOOLEAN NOT NULL DEFAULT false,
        counted BOOLEAN NOT NULL DEFAULT false,
        PRIMARY KEY (account, name, replica, n)
    );
    CREATE INDEX picture_version ON picture (account, replica, n);

    CREATE TABLE doomed (
        account TEXT COLLATE "C" NOT NULL REFERENCES account,
        name TEXT COLLATE "C" NOT NULL,
        PRIMARY KEY (account, name)
    );
"""

SCHEMA = f"{_TABLES}{ACTS}{OPERATOR}{SEALS}{PAYMENTS}{INVOICES}{HEALING}"

_IS_FIFTH = "UPDATE schema_version SET version = 5"

_KNOW_LOGS = """
    ALTER TABLE account
      ADD COLUMN sealed_until_ms BIGINT NOT NULL DEFAULT 0 CHECK (sealed_until_ms >= 0);
    ALTER TABLE contract
      ADD COLUMN peaks BYTEA CHECK (length(peaks) % 32 = 0),
      ADD COLUMN seals BIGINT NOT NULL DEFAULT 0 CHECK (seals >= 0);
    UPDATE schema_version SET version = 7;
"""

_IS_NINTH = "UPDATE schema_version SET version = 9"

_IS_TENTH = "UPDATE schema_version SET version = 10"

_IS_ELEVENTH = "UPDATE schema_version SET version = 11"

_IS_TWELFTH = "UPDATE schema_version SET version = 12"

# What makes tables of that version those of the next.
MIGRATIONS = {
    1: """
        ALTER TABLE account
          ADD COLUMN list_epoch BIGINT NOT NULL DEFAULT 1 CHECK (list_epoch >= 1),
          ADD COLUMN log_epoch BIGINT NOT NULL DEFAULT 1 CHECK (log_epoch >= 1);
        CREATE TABLE opening (
            account TEXT COLLATE "C" NOT NULL REFERENCES account,
            log_epoch BIGINT NOT NULL CHECK (log_epoch > 1),
            text TEXT NOT NULL,
            signature BYTEA NOT NULL CHECK (length(signature) = 64),
            PRIMARY KEY (account, log_epoch)
        );
        UPDATE schema_version SET version = 2;
    """,
    2: """
        ALTER TABLE picture ADD COLUMN counted BOOLEAN NOT NULL DEFAULT false;
        UPDATE picture SET counted = whole;
        UPDATE schema_version SET version = 3;
    """,
    3: """
        ALTER TABLE replica ADD COLUMN contract TEXT COLLATE "C" CHECK (length(contract) = 32);
        CREATE INDEX version_seats
            ON version (account, contract, log_index)
         WHERE type IN ('grant', 'joining');
        UPDATE schema_version SET version = 4;
    """,
    4: f"{OPERATOR}{_IS_FIFTH}",
    5: """
        CREATE INDEX version_acts
            ON version (account, contract, log_index)
         WHERE type IN ('request', 'acceptance', 'dispute', 'redaction');
        UPDATE schema_version SET version = 6;
    """,
    6: f"{SEALS}{_KNOW_LOGS}",
    7: """
        CREATE INDEX version_slotless ON version (account, contract, type, log_index) WHERE slot IS NULL;
        UPDATE schema_version SET version = 8;
    """,
    8: f"{PAYMENTS}{_IS_NINTH}",
    9: f"DROP INDEX version_acts; {ACTS}{_IS_TENTH}",
    10: f"{KNOW_INVOICES}{_IS_ELEVENTH}",
    11: f"{KNOW_HEALING}{_IS_TWELFTH}",
}
