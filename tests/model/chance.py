"""What a machine's randomness gives, drawn from one number: a history is played again with the same ids.

Ids and keys are drawn by `secrets.token_bytes`; who comes first where ids decide hangs on them (R28, R36).
"""

import hashlib
import secrets

import pytest


def give_chance(machine: pytest.MonkeyPatch, number: int) -> None:
    """Let all that is drawn from now on follow from a number, until what was patched is undone."""
    drawn = 0

    def token_bytes(nbytes: int | None = None) -> bytes:
        nonlocal drawn
        drawn += 1
        return hashlib.shake_256(f"{number} {drawn}".encode()).digest(nbytes or secrets.DEFAULT_ENTROPY)

    machine.setattr(secrets, "token_bytes", token_bytes)
