"""PostgreSQL's tables of invoices, the ledger, and what is shown again (R43, R61, R62, R69)."""

INVOICES = """
    CREATE TABLE invoice (
        account TEXT COLLATE "C" NOT NULL REFERENCES account,
        number BIGINT NOT NULL CHECK (number >= 1),
        payer TEXT COLLATE "C" NOT NULL CHECK (length(payer) = 32),
        currency TEXT COLLATE "C" NOT NULL CHECK (length(currency) = 3),
        week TEXT COLLATE "C" NOT NULL CHECK (length(week) = 8),
        corrects BIGINT CHECK (corrects BETWEEN 1 AND number - 1),
        next_step_ms BIGINT NOT NULL CHECK (next_step_ms >= 0),
        text TEXT NOT NULL,
        signature BYTEA NOT NULL CHECK (length(signature) = 64),
        PRIMARY KEY (account, number)
    );
    CREATE UNIQUE INDEX invoice_once ON invoice (account, payer, currency, week) WHERE corrects IS NULL;
    CREATE INDEX invoice_week ON invoice (account, week);
    CREATE INDEX invoice_step ON invoice (account, next_step_ms) WHERE next_step_ms > 0;

    CREATE TABLE invoice_contract (
        account TEXT COLLATE "C" NOT NULL,
        contract TEXT COLLATE "C" NOT NULL CHECK (length(contract) = 32),
        number BIGINT NOT NULL,
        PRIMARY KEY (account, contract, number),
        FOREIGN KEY (account, number) REFERENCES invoice (account, number)
    );

    CREATE TABLE ledger_entry (
        account TEXT COLLATE "C" NOT NULL,
        contract TEXT COLLATE "C" NOT NULL CHECK (length(contract) = 32),
        key TEXT COLLATE "C" NOT NULL,
        invoice BIGINT NOT NULL,
        currency TEXT COLLATE "C" NOT NULL CHECK (length(currency) = 3),
        at_ms BIGINT NOT NULL,
        what TEXT NOT NULL,
        PRIMARY KEY (account, contract, key),
        FOREIGN KEY (account, invoice) REFERENCES invoice (account, number)
    );

    CREATE TABLE posting (
        account TEXT COLLATE "C" NOT NULL,
        contract TEXT COLLATE "C" NOT NULL,
        key TEXT COLLATE "C" NOT NULL,
        ledger_account TEXT COLLATE "C" NOT NULL,
        amount_minor BIGINT NOT NULL CHECK (amount_minor <> 0),
        PRIMARY KEY (account, contract, key, ledger_account),
        FOREIGN KEY (account, contract, key) REFERENCES ledger_entry (account, contract, key)
    );

    CREATE RULE ledger_entry_stays AS ON UPDATE TO ledger_entry DO INSTEAD NOTHING;
    CREATE RULE ledger_entry_never_goes AS ON DELETE TO ledger_entry DO INSTEAD NOTHING;
    CREATE RULE posting_stays AS ON UPDATE TO posting DO INSTEAD NOTHING;
    CREATE RULE posting_never_goes AS ON DELETE TO posting DO INSTEAD NOTHING;
"""

KNOW_INVOICES = (
    """
    ALTER TABLE account
      ADD COLUMN invoices BIGINT NOT NULL DEFAULT 0 CHECK (invoices >= 0),
      ADD COLUMN ledger_due_ms BIGINT NOT NULL DEFAULT 0 CHECK (ledger_due_ms >= 0);
"""
    + INVOICES
)
"""What gives older tables these."""

# What was issued once more, before it was known to be lost, stands beside what is shown again (R61).
HEALING = """
    ALTER TABLE invoice ADD COLUMN healed BOOLEAN NOT NULL DEFAULT false;
    DROP INDEX invoice_once;
    CREATE UNIQUE INDEX invoice_once
        ON invoice (account, payer, currency, week)
     WHERE corrects IS NULL AND NOT healed;

    CREATE TABLE lost_seal (
        account TEXT COLLATE "C" NOT NULL REFERENCES account,
        contract TEXT COLLATE "C" NOT NULL CHECK (length(contract) = 32),
        week TEXT COLLATE "C" NOT NULL CHECK (length(week) = 8),
        log_epoch BIGINT NOT NULL CHECK (log_epoch >= 1),
        number BIGINT NOT NULL CHECK (number >= 1),
        PRIMARY KEY (account, contract, week)
    );
"""

KNOW_HEALING = (
    """
    ALTER TABLE account ADD COLUMN healing_from BIGINT CHECK (healing_from >= 0);
"""
    + HEALING
)
"""What gives older tables these."""
