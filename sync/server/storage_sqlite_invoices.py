"""SQLite's statements about invoices and the ledger (see `InvoiceStatements`; R61, R62)."""

STATE = "SELECT invoices FROM account WHERE account = :account"

KEEP = """
    INSERT INTO invoice (account, number, payer, currency, week, corrects, next_step_ms, text, signature,
                         healed)
    VALUES (:account, :number, :payer, :currency, :week, :corrects, :next_step_ms, :text, :signature,
            :healed)
"""

KEEP_CONTRACT = """
    INSERT INTO invoice_contract (account, contract, number)
    VALUES (:account, :contract, :number)
"""

NOTE_ISSUED = "UPDATE account SET invoices = max(invoices, :number) WHERE account = :account"

HELD = """
    SELECT number
      FROM invoice
     WHERE account = :account AND number IN (SELECT value FROM json_each(:numbers))
"""

OF = """
    SELECT text
      FROM invoice
     WHERE account = :account
       AND number IN (SELECT number
                        FROM invoice_contract
                       WHERE account = :account
                         AND contract IN (SELECT value FROM json_each(:contracts)))
     ORDER BY number
"""

OF_WEEKS = """
    SELECT text
      FROM invoice
     WHERE account = :account AND week IN (SELECT value FROM json_each(:weeks))
     ORDER BY number
"""

STEPPING = """
    SELECT text
      FROM invoice
     WHERE account = :account AND next_step_ms > 0 AND next_step_ms <= :until_ms
     ORDER BY number
"""

NOTE_STEP = "UPDATE invoice SET next_step_ms = :at_ms WHERE account = :account AND number = :number"

NOTE_DUE = """
    UPDATE account
       SET ledger_due_ms = coalesce((SELECT min(next_step_ms)
                                       FROM invoice
                                      WHERE account = :account AND next_step_ms > 0), 0)
     WHERE account = :account
"""

ENTRIES = """
    SELECT e.contract, e.key, e.invoice, e.currency, e.at_ms, e.what, p.ledger_account, p.amount_minor
      FROM ledger_entry AS e
      JOIN posting AS p
        ON p.account = e.account AND p.contract = e.contract AND p.key = e.key
     WHERE e.account = :account
       AND e.contract IN (SELECT value FROM json_each(:contracts))
       AND e.invoice IN (SELECT value FROM json_each(:invoices))
     ORDER BY e.at_ms, e.contract, e.key, p.ledger_account
"""

ALL_ENTRIES = """
    SELECT e.contract, e.key, e.invoice, e.currency, e.at_ms, e.what, p.ledger_account, p.amount_minor
      FROM ledger_entry AS e
      JOIN posting AS p
        ON p.account = e.account AND p.contract = e.contract AND p.key = e.key
     WHERE e.account = :account
     ORDER BY e.at_ms, e.contract, e.key, p.ledger_account
"""

POST_ENTRY = """
    INSERT INTO ledger_entry (account, contract, key, invoice, currency, at_ms, what)
    VALUES (:account, :contract, :key, :invoice, :currency, :at_ms, :what)
"""

POST = """
    INSERT INTO posting (account, contract, key, ledger_account, amount_minor)
    VALUES (:account, :contract, :key, :ledger_account, :amount_minor)
"""

GATEWAY_EVENTS = """
    SELECT key, kind, contract, invoice, minor, currency, received_at_ms
      FROM gateway_event
     WHERE account = :account AND contract IN (SELECT value FROM json_each(:contracts))
     ORDER BY key
"""

INVOICES = """
    SELECT text, signature
      FROM invoice
     WHERE account = :account AND number > :after
     ORDER BY number
     LIMIT :limit
"""

INVOICES_OF = """
    SELECT i.text, i.signature
      FROM invoice_contract AS c
      JOIN invoice AS i
        ON i.account = c.account AND i.number = c.number
     WHERE c.account = :account AND c.contract = :only AND c.number > :after
     ORDER BY c.number
     LIMIT :limit
"""

LAST = "SELECT coalesce(max(number), 0) FROM invoice WHERE account = :account"

LAST_OF = """
    SELECT coalesce(max(number), 0)
      FROM invoice_contract
     WHERE account = :account AND contract = :only
"""

DUE = """
    SELECT account
      FROM account
     WHERE ledger_due_ms > 0 AND ledger_due_ms <= :until_ms
     LIMIT :limit
"""
