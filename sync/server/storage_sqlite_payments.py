"""SQLite's statements about payments and billing methods (see `PaymentStatements`; R63)."""

UNDER_WAY = """
    SELECT account, contract, invoice, key, gateway, minor, currency, state, started_at_ms, looked_at_ms,
           reference, url
      FROM gateway_payment
     WHERE account = :account AND contract = :contract AND invoice = :invoice AND state = 'started'
"""

PAYMENT = """
    SELECT account, contract, invoice, key, gateway, minor, currency, state, started_at_ms, looked_at_ms,
           reference, url
      FROM gateway_payment
     WHERE account = :account AND key = :key
"""

UNFINISHED = """
    SELECT account, contract, invoice, key, gateway, minor, currency, state, started_at_ms, looked_at_ms,
           reference, url
      FROM gateway_payment
     WHERE state = 'started' AND looked_at_ms < :before_ms
     ORDER BY looked_at_ms
     LIMIT :limit
"""

KEEP_PAYMENT = """
    INSERT INTO gateway_payment (account, key, contract, invoice, gateway, minor, currency, state,
                                 started_at_ms, looked_at_ms, reference, url)
    VALUES (:account, :key, :contract, :invoice, :gateway, :minor, :currency, :state, :started_at_ms,
            :looked_at_ms, :reference, :url)
        ON CONFLICT (account, key) DO UPDATE
       SET state = excluded.state,
           looked_at_ms = excluded.looked_at_ms,
           reference = excluded.reference,
           url = excluded.url
"""

KEEP_EVENT = """
    INSERT INTO gateway_event (account, key, kind, contract, invoice, payment, minor, currency, at_ms,
                               received_at_ms)
    VALUES (:account, :key, :kind, :contract, :invoice, :payment, :minor, :currency, :at_ms,
            :received_at_ms)
        ON CONFLICT (account, key) DO NOTHING
 RETURNING key
"""

EVENTS = """
    SELECT account, key, kind, contract, invoice, payment, minor, currency, at_ms, received_at_ms
      FROM gateway_event
     WHERE account = :account AND (:contract IS NULL OR contract = :contract)
     ORDER BY key
"""

METHOD = """
    SELECT payer, gateway, customer, verified, asked_at_ms, stated_at_ms
      FROM billing_method
     WHERE account = :account AND payer = :payer
"""

METHODS = """
    SELECT payer, gateway, customer, verified, asked_at_ms, stated_at_ms
      FROM billing_method
     WHERE account = :account
     ORDER BY payer
"""

OUTDATED = """
    SELECT account, payer, gateway, customer, verified, asked_at_ms, stated_at_ms
      FROM billing_method
     WHERE customer IS NOT NULL AND (asked_at_ms IS NULL OR asked_at_ms < :before_ms)
     ORDER BY asked_at_ms
     LIMIT :limit
"""

KEEP_METHOD = """
    INSERT INTO billing_method (account, payer, gateway, customer, verified, asked_at_ms, stated_at_ms)
    VALUES (:account, :payer, :gateway, :customer, :verified, :asked_at_ms, :stated_at_ms)
        ON CONFLICT (account, payer) DO UPDATE
       SET gateway = excluded.gateway,
           customer = excluded.customer,
           verified = excluded.verified,
           asked_at_ms = excluded.asked_at_ms,
           stated_at_ms = excluded.stated_at_ms
"""
