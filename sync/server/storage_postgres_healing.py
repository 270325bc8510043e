"""PostgreSQL's statements about what an account is still to be shown (R43, R69; `HealingStatements`)."""

NOTE = "UPDATE account SET healing_from = %(first)s WHERE account = %(account)s"

KEEP_SEALS = """
    INSERT INTO lost_seal (account, contract, week, log_epoch, number)
    SELECT DISTINCT ON (contract, week) %(account)s, contract, week, log_epoch, number
      FROM unnest(%(contract)s::text[], %(week)s::text[], %(log_epoch)s::bigint[], %(number)s::bigint[])
        AS shown (contract, week, log_epoch, number)
     ORDER BY contract, week, log_epoch DESC, number DESC
        ON CONFLICT (account, contract, week) DO UPDATE
       SET log_epoch = excluded.log_epoch, number = excluded.number
     WHERE (excluded.log_epoch, excluded.number) > (lost_seal.log_epoch, lost_seal.number)
"""

SEALS = """
    SELECT contract, week, log_epoch, number
      FROM lost_seal
     WHERE account = %(account)s AND week = ANY(%(weeks)s)
"""
