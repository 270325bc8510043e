"""What one account must know of others to make an agency's bill (SPEC, section 1; R61).

An agency's account bills contracts that lie under its members' accounts, and a member's account leaves them
out. Each transaction writes its own account and no other; of others it sees what is committed.
"""

from typing import TYPE_CHECKING, Protocol

from diary.rules.ids import AccountId, ContractId
from diary.rules.merge import Held

if TYPE_CHECKING:
    from sync.server.storage import AccountHold


class HoldsMembers(Protocol):
    """An account's hold, as far as agencies go."""

    def memberships(self) -> list[Held]:
        """Return what the account, as an agency, says of its members' contracts, in its log's order."""
        ...

    def managed(self) -> set[ContractId]:
        """Return the account's contracts to which a manager was ever invited: of most accounts none."""
        ...

    def beside(self, account: AccountId) -> "AccountHold":
        """Return another account as this transaction sees it: to be read only, for its lock is not held.

        What is behind a lock of a week stands still there; one that is not open here has nothing.
        """
        ...
