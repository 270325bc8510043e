"""A device's secrets sealed to the account's recovery key: only the phrase opens them (R49, R50).

HPKE (RFC 9180, base mode, X25519, HKDF-SHA256, AES-256-GCM): enc ‖ ciphertext of account key ‖ signing seed ‖
box key, 32 bytes each, with info "workdiary/1/recovery/keys" ‖ 0x00 ‖ account id. It lies in the diary's own
file, and so in every backup of it.
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from diary.errors import DamageError
from diary.rules.ids import AccountId
from diary.sealing.derive import KEY_BYTES
from diary.sealing.grant import SUITE
from diary.sealing.key_tree import DeviceKeys, Root

_PURPOSE = b"workdiary/1/recovery/keys\x00"


class WrongRecoveryError(DamageError):
    """The sealed secrets do not open by this phrase's root (R50)."""

    says = "The keys that this file keeps for recovery do not open."
    mend = "The file is damaged. Fetch what was synced instead: diary login URL."


def seal_keys(keys: DeviceKeys, recovery_public: bytes, account: AccountId) -> bytes:
    """Return a device's secrets sealed to the account's recovery key (R50)."""
    plain = keys.account_key + keys.sign_seed + keys.box_private
    return SUITE.encrypt(plain, X25519PublicKey.from_public_bytes(recovery_public), _info(account))


def open_keys(sealed: bytes, root: Root) -> DeviceKeys:
    """Return the secrets that were sealed to this root's recovery key (R50).

    Raises:
        WrongRecoveryError: They were altered, or sealed to another.
    """
    private = X25519PrivateKey.from_private_bytes(root.box_private)
    try:
        plain = SUITE.decrypt(sealed, private, _info(root.account))
    except (InvalidTag, ValueError) as error:
        raise WrongRecoveryError from error
    if len(plain) != 3 * KEY_BYTES:
        raise WrongRecoveryError
    return DeviceKeys(plain[:32], plain[32:64], plain[64:])


def _info(account: AccountId) -> bytes:
    return _PURPOSE + account.encode()
