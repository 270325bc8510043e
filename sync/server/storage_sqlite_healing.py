"""SQLite's statements about what an account is still to be shown (R43; `HealingStatements`)."""

NOTE = "UPDATE account SET healing_from = :first WHERE account = :account"

KEEP_SEALS = """
    INSERT INTO lost_seal (account, contract, week, log_epoch, number)
    VALUES (:account, :contract, :week, :log_epoch, :number)
        ON CONFLICT (account, contract, week) DO UPDATE
       SET log_epoch = excluded.log_epoch, number = excluded.number
     WHERE (excluded.log_epoch, excluded.number) > (lost_seal.log_epoch, lost_seal.number)
"""

SEALS = """
    SELECT contract, week, log_epoch, number
      FROM lost_seal
     WHERE account = :account AND week IN (SELECT value FROM json_each(:weeks))
"""
