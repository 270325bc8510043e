"""Agencies, as methods of the one door: who reads along for one, and until when (SPEC, section 1; R51)."""

from diary import inviting, joining
from diary.inviting import Invited
from diary.rules.ids import AccountId, ContractId
from diary.state_door import StateDoor


class AgencyDoor(StateDoor):
    """What a freelancer grants an agency's manager, and takes back."""

    def invite_manager(
        self, contract_id: ContractId, agency: AccountId, *, days: int = inviting.EXPIRES_DAYS
    ) -> Invited:
        """Invite an agency's manager to read a contract (see `inviting.invite`; R51)."""
        freelancers = joining.require_freelancer(self._state)
        return inviting.invite(freelancers, contract_id, days=days, agency=agency)

    def end_managers(self, contract_id: ContractId) -> int:
        """End every manager's reading of a contract from here on; return how many (R51)."""
        return inviting.end_managers(joining.require_freelancer(self._state), contract_id)
