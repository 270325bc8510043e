"""The embedded database's tables of invoices, the ledger, and what is shown again (R43, R61, R62)."""

INVOICES = """
    CREATE TABLE invoice (
        account TEXT NOT NULL REFERENCES account,
        number INTEGER NOT NULL CHECK (number >= 1),
        payer TEXT NOT NULL CHECK (length(payer) = 32),
        currency TEXT NOT NULL CHECK (length(currency) = 3),
        week TEXT NOT NULL CHECK (length(week) = 8),
        corrects INTEGER CHECK (corrects BETWEEN 1 AND number - 1),
        next_step_ms INTEGER NOT NULL CHECK (next_step_ms >= 0),
        text TEXT NOT NULL,
        signature BLOB NOT NULL CHECK (length(signature) = 64),
        PRIMARY KEY (account, number)
    ) STRICT;
    CREATE UNIQUE INDEX invoice_once ON invoice (account, payer, currency, week) WHERE corrects IS NULL;
    CREATE INDEX invoice_week ON invoice (account, week);
    CREATE INDEX invoice_step ON invoice (account, next_step_ms) WHERE next_step_ms > 0;

    CREATE TABLE invoice_contract (
        account TEXT NOT NULL,
        contract TEXT NOT NULL CHECK (length(contract) = 32),
        number INTEGER NOT NULL,
        PRIMARY KEY (account, contract, number),
        FOREIGN KEY (account, number) REFERENCES invoice (account, number)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE ledger_entry (
        account TEXT NOT NULL,
        contract TEXT NOT NULL CHECK (length(contract) = 32),
        key TEXT NOT NULL,
        invoice INTEGER NOT NULL,
        currency TEXT NOT NULL CHECK (length(currency) = 3),
        at_ms INTEGER NOT NULL,
        what TEXT NOT NULL,
        PRIMARY KEY (account, contract, key),
        FOREIGN KEY (account, invoice) REFERENCES invoice (account, number)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE posting (
        account TEXT NOT NULL,
        contract TEXT NOT NULL,
        key TEXT NOT NULL,
        ledger_account TEXT NOT NULL,
        amount_minor INTEGER NOT NULL CHECK (amount_minor <> 0),
        PRIMARY KEY (account, contract, key, ledger_account),
        FOREIGN KEY (account, contract, key) REFERENCES ledger_entry (account, contract, key)
    ) STRICT, WITHOUT ROWID;

    CREATE TRIGGER ledger_entry_stays BEFORE UPDATE ON ledger_entry
    BEGIN
        SELECT RAISE(ABORT, 'what was posted stays: a difference is an entry of its own');
    END;
    CREATE TRIGGER ledger_entry_never_goes BEFORE DELETE ON ledger_entry
    BEGIN
        SELECT RAISE(ABORT, 'what was posted stays: a difference is an entry of its own');
    END;
    CREATE TRIGGER posting_stays BEFORE UPDATE ON posting
    BEGIN
        SELECT RAISE(ABORT, 'what was posted stays: a difference is an entry of its own');
    END;
    CREATE TRIGGER posting_never_goes BEFORE DELETE ON posting
    BEGIN
        SELECT RAISE(ABORT, 'what was posted stays: a difference is an entry of its own');
    END;
"""

KNOW_INVOICES = (
    """
    ALTER TABLE account ADD COLUMN invoices INTEGER NOT NULL DEFAULT 0 CHECK (invoices >= 0);
    ALTER TABLE account ADD COLUMN ledger_due_ms INTEGER NOT NULL DEFAULT 0 CHECK (ledger_due_ms >= 0);
"""
    + INVOICES
)
"""What gives an older file these tables."""

# What was issued once more, before it was known to be lost, stands beside what is shown again (R61).
HEALING = """
    ALTER TABLE invoice ADD COLUMN healed INTEGER NOT NULL DEFAULT 0 CHECK (healed IN (0, 1));
    DROP INDEX invoice_once;
    CREATE UNIQUE INDEX invoice_once
        ON invoice (account, payer, currency, week)
     WHERE corrects IS NULL AND healed = 0;

    CREATE TABLE lost_seal (
        account TEXT NOT NULL REFERENCES account,
        contract TEXT NOT NULL CHECK (length(contract) = 32),
        week TEXT NOT NULL CHECK (length(week) = 8),
        log_epoch INTEGER NOT NULL CHECK (log_epoch >= 1),
        number INTEGER NOT NULL CHECK (number >= 1),
        PRIMARY KEY (account, contract, week)
    ) STRICT, WITHOUT ROWID;
"""

KNOW_HEALING = (
    """
    ALTER TABLE account ADD COLUMN healing_from INTEGER CHECK (healing_from >= 0);
"""
    + HEALING
)
"""What gives an older file these."""
