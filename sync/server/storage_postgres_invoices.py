"""PostgreSQL's statements about invoices and the ledger (see `InvoiceStatements`; R61, R62, R69)."""

STATE = "SELECT invoices FROM account WHERE account = %(account)s"

KEEP = """
    INSERT INTO invoice (account, number, payer, currency, week, corrects, next_step_ms, text, signature,
                         healed)
    SELECT %(account)s, new.*
      FROM unnest(%(number)s::bigint[], %(payer)s::text[], %(currency)s::text[], %(week)s::text[],
                  %(corrects)s::bigint[], %(next_step_ms)s::bigint[], %(text)s::text[],
                  %(signature)s::bytea[], %(healed)s::boolean[]) AS new
"""

KEEP_CONTRACT = """
    INSERT INTO invoice_contract (account, contract, number)
    SELECT %(account)s, new.*
      FROM unnest(%(contract)s::text[], %(number)s::bigint[]) AS new
"""

NOTE_ISSUED = "UPDATE account SET invoices = greatest(invoices, %(number)s) WHERE account = %(account)s"

HELD = """
    SELECT number
      FROM invoice
     WHERE account = %(account)s AND number = ANY(%(numbers)s::bigint[])
"""

OF = """
    SELECT text
      FROM invoice
     WHERE account = %(account)s
       AND number IN (SELECT number
                        FROM invoice_contract
                       WHERE account = %(account)s
                         AND contract = ANY(%(contracts)s))
     ORDER BY number
"""

OF_WEEKS = """
    SELECT text
      FROM invoice
     WHERE account = %(account)s AND week = ANY(%(weeks)s)
     ORDER BY number
"""

STEPPING = """
    SELECT text
      FROM invoice
     WHERE account = %(account)s AND next_step_ms > 0 AND next_step_ms <= %(until_ms)s
     ORDER BY number
"""

NOTE_STEP = "UPDATE invoice SET next_step_ms = %(at_ms)s WHERE account = %(account)s AND number = %(number)s"

NOTE_DUE = """
    UPDATE account
       SET ledger_due_ms = coalesce((SELECT min(next_step_ms)
                                       FROM invoice
                                      WHERE account = %(account)s AND next_step_ms > 0), 0)
     WHERE account = %(account)s
"""

ENTRIES = """
    SELECT e.contract, e.key, e.invoice, e.currency, e.at_ms, e.what, p.ledger_account, p.amount_minor
      FROM ledger_entry AS e
      JOIN posting AS p
        ON p.account = e.account AND p.contract = e.contract AND p.key = e.key
     WHERE e.account = %(account)s
       AND e.contract = ANY(%(contracts)s)
       AND e.invoice = ANY(%(invoices)s::bigint[])
     ORDER BY e.at_ms, e.contract, e.key, p.ledger_account
"""

ALL_ENTRIES = """
    SELECT e.contract, e.key, e.invoice, e.currency, e.at_ms, e.what, p.ledger_account, p.amount_minor
      FROM ledger_entry AS e
      JOIN posting AS p
        ON p.account = e.account AND p.contract = e.contract AND p.key = e.key
     WHERE e.account = %(account)s
     ORDER BY e.at_ms, e.contract, e.key, p.ledger_account
"""

POST_ENTRY = """
    INSERT INTO ledger_entry (account, contract, key, invoice, currency, at_ms, what)
    SELECT %(account)s, new.*
      FROM unnest(%(contract)s::text[], %(key)s::text[], %(invoice)s::bigint[], %(currency)s::text[],
                  %(at_ms)s::bigint[], %(what)s::text[]) AS new
"""

POST = """
    INSERT INTO posting (account, contract, key, ledger_account, amount_minor)
    SELECT %(account)s, new.*
      FROM unnest(%(contract)s::text[], %(key)s::text[], %(ledger_account)s::text[],
                  %(amount_minor)s::bigint[]) AS new
"""

GATEWAY_EVENTS = """
    SELECT key, kind, contract, invoice, minor, currency, received_at_ms
      FROM gateway_event
     WHERE account = %(account)s AND contract = ANY(%(contracts)s)
     ORDER BY key
"""

INVOICES = """
    SELECT text, signature
      FROM invoice
     WHERE account = %(account)s AND number > %(after)s
     ORDER BY number
     LIMIT %(limit)s
"""

INVOICES_OF = """
    SELECT i.text, i.signature
      FROM invoice_contract AS c
      JOIN invoice AS i
        ON i.account = c.account AND i.number = c.number
     WHERE c.account = %(account)s AND c.contract = %(only)s AND c.number > %(after)s
     ORDER BY c.number
     LIMIT %(limit)s
"""

LAST = "SELECT coalesce(max(number), 0) FROM invoice WHERE account = %(account)s"

LAST_OF = """
    SELECT coalesce(max(number), 0)
      FROM invoice_contract
     WHERE account = %(account)s AND contract = %(only)s
"""

DUE = """
    SELECT account
      FROM account
     WHERE ledger_due_ms > 0 AND ledger_due_ms <= %(until_ms)s
     LIMIT %(limit)s
"""
