"""The ids by which everything is named, and the one unit of time.

All are lower-case hexadecimal text so that they sort, compare and travel as they are.
"""

from typing import NewType

AccountId = NewType("AccountId", str)
"""32 hexadecimal digits: the first half of SHA-256 over the root signing key (R50)."""

ContractId = NewType("ContractId", str)
"""32 random hexadecimal digits; an account's own log bears the account's id in this place."""

ReplicaId = NewType("ReplicaId", str)
"""32 random hexadecimal digits: one diary file, or one client's browser (R33)."""

Millis = NewType("Millis", int)
"""An instant: whole milliseconds since 1970-01-01T00:00Z, POSIX time."""

Slot = NewType("Slot", int)
"""Ten minutes: `floor(POSIX seconds / 600)` (R1)."""

Place = tuple[ContractId, Slot]
"""Where a segment is: one contract's slot (R1)."""

MINUTES_PER_SLOT = 10
SLOT_MILLIS = 600_000
