"""A device's keys brought back by the recovery phrase, without a server (R49, R50).

The diary's file keeps this device's secrets sealed to the account's recovery key. Whoever forgot a
passphrase, lost a keyring or restores a backup on a new machine opens them by the phrase alone.
"""

import base64
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from diary import envelope
from diary.beginning import WrongAccountError
from diary.errors import DamageError
from diary.opening import ACCOUNT, RECOVERABLE, is_recoverable
from diary.sealing.key_tree import DeviceKeys, Root
from diary.sealing.keyring import KeyPlace
from diary.sealing.recovery import open_keys, seal_keys
from diary.state import OpenDiary
from diary.store import connection as files
from diary.store import meta


class NotRecoverableError(DamageError):
    """The file was made by a version that kept no keys for recovery, and was not opened since."""

    says = "{path} keeps no keys that the phrase could open."
    mend = "Fetch what was synced instead: diary login URL."


def keep_recoverable(diary: OpenDiary) -> None:
    """Keep this device's secrets sealed to the recovery key, where that is not done yet (R50)."""
    if is_recoverable(diary):
        return
    with diary.writing():
        public = bytes.fromhex(envelope.device_list(diary).recovery)
        sealed = base64.b64encode(seal_keys(diary.keys, public, diary.account)).decode()
        meta.put(diary.connection, RECOVERABLE, f"{diary.keys.digest} {sealed}")


def recovered_keys(connection: sqlite3.Connection, path: Path, phrase: str) -> DeviceKeys:
    """Return the secrets that a diary's file keeps for the phrase (R50).

    Raises:
        WrongPhraseError: The phrase is none.
        WrongAccountError: It is another account's.
        NotRecoverableError: The file keeps none.
        WrongRecoveryError: What it keeps does not open.
    """
    root = Root.from_phrase(phrase)
    with files.told(path):
        account, kept = meta.word(connection, ACCOUNT), meta.word(connection, RECOVERABLE)
    if account != root.account:
        raise WrongAccountError
    if kept is None:
        raise NotRecoverableError(path=path)
    return open_keys(base64.b64decode(kept.partition(" ")[2]), root)


def recover_keys(home: Path, phrase: str, place: Callable[[], KeyPlace]) -> str:
    """Put this device's keys back in a place of their owner's choice; return where that is (R49, R50).

    Raises: as `recovered_keys`; NoDiaryError where there is none.
    """
    with closing(files.connect(home)) as connection:
        keys = recovered_keys(connection, home / files.FILE_NAME, phrase)
    chosen = place()
    chosen.save(keys)
    return chosen.describes()
