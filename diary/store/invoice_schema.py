"""The table of the invoices that the server signed (R61)."""

import sqlite3

# contract is '' for a whole invoice, and else names the contract whose part it is. `agrees` is
# NULL until it could be worked out here; `doubted`: what would make it another one may still be on its way.
INVOICE = """
CREATE TABLE invoice (
    account TEXT NOT NULL CHECK (length(account) = 32),
    number INTEGER NOT NULL CHECK (number >= 1),
    contract TEXT NOT NULL DEFAULT '' CHECK (length(contract) IN (0, 32)),
    week TEXT NOT NULL,
    text TEXT NOT NULL,
    signature BLOB NOT NULL CHECK (length(signature) = 64),
    agrees INTEGER CHECK (agrees IN (0, 1)),
    doubted INTEGER NOT NULL DEFAULT 0 CHECK (doubted IN (0, 1)),
    PRIMARY KEY (account, number, contract)
) STRICT, WITHOUT ROWID
"""


def lay_invoices(connection: sqlite3.Connection) -> None:
    """Lay the table of what was billed (R61)."""
    connection.execute(INVOICE)
