"""What gives alarm, and what shows it: two statements that cannot both be true (R56).

Apart from what finds it, since whoever only counts alarms loads nothing of that.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import msgspec

from diary.errors import PeerError
from diary.evidence.signature import Domain

if TYPE_CHECKING:
    from diary.rules.ids import ContractId

AlarmKind = Literal[
    "hole", "log_shrank", "log_epoch", "bad_signature", "unlisted_device", "wrong_place", "version_reused",
    "device_list", "log_forked", "bad_joining", "wrong_side", "unsigned_head", "retimed", "bad_receipt",
    "deletion_dropped", "withheld", "heads_differ", "seal_differs", "invoice_differs",
    "invoice_missing", "unanswered",
]  # fmt: skip


class Evidence(msgspec.Struct, frozen=True):
    """One signed statement that shows a lie: its domain, its exact text and its signature (R56)."""

    domain: Domain
    text: str
    signature: bytes


class FeedFaultError(PeerError):
    """A feed is not what honest devices and an honest server could have made; `kind` names the alarm.

    `evidence` are the statements that cannot both be true, as they were signed. Where no alarm was raised
    yet, `contract` says of whose log it is to be.
    """

    says = "The server shows something that cannot be right: {what}."
    mend = "Nothing of it was taken. Trust this server no further until you know why."

    def __init__(self, kind: AlarmKind, what: str, evidence: Sequence[Evidence] = ()) -> None:
        self.kind = kind
        self.evidence = tuple(evidence)
        self.contract: ContractId | None = None
        super().__init__(what=what)
