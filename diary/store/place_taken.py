"""One place of a log for two versions: no two rows of the file may have it (R43, R56)."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from diary.errors import PeerError
from diary.evidence.receipt import Receipt

if TYPE_CHECKING:
    from diary.evidence.alarm import Evidence
    from diary.rules.ids import ContractId


class PlaceTakenError(PeerError):
    """The server gave a place in a log that it had given to another version: it lost that one (R43).

    `heads` are the logs that it gave places in, and how many rows at most it had kept of each. `evidence` is
    what it signed of both, where whoever was answered adds it.
    """

    says = "The server gave a place in its log a second time: it was restored from a backup meanwhile."
    mend = "Sync again: what it lost is then shown to it."

    def __init__(self, receipts: Iterable[Receipt]) -> None:
        self.heads: dict[ContractId, int] = {}
        for receipt in receipts:
            known = self.heads.get(receipt.contract, receipt.index)
            self.heads[receipt.contract] = min(known, receipt.index)
        self.evidence: tuple[Evidence, ...] = ()
        super().__init__()
