"""PostgreSQL's statements about seals and what they are made of (R57, R69)."""

NOTE_SEALED = "UPDATE account SET sealed_until_ms = %(until_ms)s WHERE account = %(account)s"

KEEP_SEALS = """
    INSERT INTO seal (account, contract, number, week, text, signature)
    SELECT %(account)s, new.*
      FROM unnest(%(contracts)s::text[], %(numbers)s::bigint[], %(weeks)s::text[], %(texts)s::text[],
                  %(signatures)s::bytea[]) AS new
"""

COUNT_SEALS = """
    UPDATE contract
       SET seals = new.number
      FROM (SELECT contract, max(number) AS number
              FROM unnest(%(contracts)s::text[], %(numbers)s::bigint[]) AS kept (contract, number)
             GROUP BY contract) AS new
     WHERE contract.account = %(account)s AND contract.contract = new.contract
"""

NEWEST_SEALS = """
    SELECT contract, text, signature
      FROM seal
     WHERE account = %(account)s AND week = %(week)s
     ORDER BY contract, number
"""

SEALS = """
    SELECT text, signature
      FROM seal
     WHERE account = %(account)s AND contract = %(contract)s AND number > %(after)s
     ORDER BY number
     LIMIT %(seals_max)s
"""

UNSEALED = """
    SELECT account
      FROM account
     WHERE sealed_until_ms < %(lock_ms)s AND healing_from IS NULL
     LIMIT %(limit)s
"""

SEGMENTS = """
    SELECT c.contract, v.header, v.received_at_ms, v.leaf
      FROM contract AS c
     CROSS JOIN LATERAL (SELECT *
                           FROM version
                          WHERE version.account = %(account)s
                            AND version.contract = c.contract
                            AND version.slot >= %(first)s
                            AND version.slot < %(end)s
                         OFFSET 0) AS v
     WHERE c.account = %(account)s
     ORDER BY c.contract, v.log_epoch, v.log_index
"""
