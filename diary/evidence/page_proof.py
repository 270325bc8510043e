"""What lets any reader prove that a row was in the log: the server signs the leaves of each page (R43, R56).

A receipt goes to the row's writer alone. With the signature over a page's leaves every other device can show
a server that was restored from an old backup what it had received, and when. Pure.
"""

import hashlib

from diary.evidence import signature
from diary.rules.ids import ContractId

LEAF_BYTES = 32


def sign_page(contract: ContractId, first: int, leaves: bytes, key: signature.SigningKey) -> bytes:
    """Return the server's signature over a page's leaves, 32 bytes each; `first` is its first index."""
    return signature.sign(key, signature.PAGE, _payload(contract, first, leaves))


def proves_page(contract: ContractId, first: int, leaves: bytes, signed: bytes, *, server_key: bytes) -> bool:
    """Return whether the server's key signed that these leaves stood there, in this order."""
    return signature.verify(server_key, signature.PAGE, _payload(contract, first, leaves), signed)


def _payload(contract: ContractId, first: int, leaves: bytes) -> bytes:
    return f"{contract}/{first}/{hashlib.sha256(leaves).hexdigest()}".encode()
