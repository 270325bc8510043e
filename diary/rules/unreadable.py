"""What reading JSON raises for bytes that are none: also for what is nested more deeply than can be read.

Whoever reads what another side sent catches these: a thousand opening brackets are an easy attack.
"""

import msgspec

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
