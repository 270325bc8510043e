"""PostgreSQL's statements about payments and billing methods (see `PaymentStatements`; R63, R69)."""

UNDER_WAY = """
    SELECT account, contract, invoice, key, gateway, minor, currency, state, started_at_ms, looked_at_ms,
           reference, url
      FROM gateway_payment
     WHERE account = %(account)s AND contract = %(contract)s AND invoice = %(invoice)s AND state = 'started'
"""

PAYMENT = """
    SELECT account, contract, invoice, key, gateway, minor, currency, state, started_at_ms, looked_at_ms,
           reference, url
      FROM gateway_payment
     WHERE account = %(account)s AND key = %(key)s
"""

UNFINISHED = """
    SELECT account, contract, invoice, key, gateway, minor, currency, state, started_at_ms, looked_at_ms,
           reference, url
      FROM gateway_payment
     WHERE state = 'started' AND looked_at_ms < %(before_ms)s
     ORDER BY looked_at_ms
     LIMIT %(limit)s
"""

KEEP_PAYMENT = """
    INSERT INTO gateway_payment (account, key, contract, invoice, gateway, minor, currency, state,
                                 started_at_ms, looked_at_ms, reference, url)
    VALUES (%(account)s, %(key)s, %(contract)s, %(invoice)s, %(gateway)s, %(minor)s, %(currency)s,
            %(state)s, %(started_at_ms)s, %(looked_at_ms)s, %(reference)s, %(url)s)
        ON CONFLICT (account, key) DO UPDATE
       SET state = excluded.state,
           looked_at_ms = excluded.looked_at_ms,
           reference = excluded.reference,
           url = excluded.url
"""

KEEP_EVENT = """
    INSERT INTO gateway_event (account, key, kind, contract, invoice, payment, minor, currency, at_ms,
                               received_at_ms)
    SELECT %(account)s, %(key)s, %(kind)s, %(contract)s, %(invoice)s, %(payment)s, %(minor)s, %(currency)s,
           %(at_ms)s, %(received_at_ms)s
     WHERE NOT EXISTS (SELECT 1 FROM gateway_event WHERE account = %(account)s AND key = %(key)s)
 RETURNING key
"""

EVENTS = """
    SELECT account, key, kind, contract, invoice, payment, minor, currency, at_ms, received_at_ms
      FROM gateway_event
     WHERE account = %(account)s AND (%(contract)s::text IS NULL OR contract = %(contract)s)
     ORDER BY key
"""

METHOD = """
    SELECT payer, gateway, customer, verified, asked_at_ms, stated_at_ms
      FROM billing_method
     WHERE account = %(account)s AND payer = %(payer)s
"""

METHODS = """
    SELECT payer, gateway, customer, verified, asked_at_ms, stated_at_ms
      FROM billing_method
     WHERE account = %(account)s
     ORDER BY payer
"""

OUTDATED = """
    SELECT account, payer, gateway, customer, verified, asked_at_ms, stated_at_ms
      FROM billing_method
     WHERE customer IS NOT NULL AND (asked_at_ms IS NULL OR asked_at_ms < %(before_ms)s)
     ORDER BY asked_at_ms
     LIMIT %(limit)s
"""

KEEP_METHOD = """
    INSERT INTO billing_method (account, payer, gateway, customer, verified, asked_at_ms, stated_at_ms)
    VALUES (%(account)s, %(payer)s, %(gateway)s, %(customer)s, %(verified)s, %(asked_at_ms)s,
            %(stated_at_ms)s)
        ON CONFLICT (account, payer) DO UPDATE
       SET gateway = excluded.gateway,
           customer = excluded.customer,
           verified = excluded.verified,
           asked_at_ms = excluded.asked_at_ms,
           stated_at_ms = excluded.stated_at_ms
"""
