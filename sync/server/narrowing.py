"""What a client is told of a restored server: of their own contract's log and no other (R43, R51)."""

from diary.evidence.opening import Opening, SignedOpening, read_opening
from diary.rules.ids import ContractId
from sync.server.log import ServerKey


def narrowed(signed: SignedOpening, key: ServerKey, contract: ContractId) -> SignedOpening:
    """Return a statement of a new epoch that names one contract's head alone, signed anew (R43, R51).

    The whole one would tell a client which other contracts there are, and how long their logs.
    """
    whole = read_opening(signed, key.public)
    heads = {name: head for name, head in whole.heads.items() if name == contract}
    return key.opening(
        Opening(
            account=whole.account,
            log_epoch=whole.log_epoch,
            opened_at_ms=whole.opened_at_ms,
            heads=heads,
        )
    )
