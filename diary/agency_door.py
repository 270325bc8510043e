"""Agencies, as methods of the one door: who reads along for one, and until when (SPEC, section 1; R51)."""

from diary import agency, inviting, joining
from diary.agency import MemberView
from diary.inviting import Invited
from diary.rules.ids import AccountId, ContractId
from diary.state_door import StateDoor


class AgencyDoor(StateDoor):
    """What a freelancer grants an agency's manager, and takes back."""

    def invite_manager(
        self, contract_id: ContractId, of: AccountId, *, days: int = inviting.EXPIRES_DAYS
    ) -> Invited:
        """Invite an agency's manager to read a contract (see `inviting.invite`; R51)."""
        freelancers = joining.require_freelancer(self._state)
        return inviting.invite(freelancers, contract_id, days=days, agency=of)

    def end_managers(self, contract_id: ContractId) -> int:
        """End every manager's reading of a contract from here on; return how many (R51)."""
        return inviting.end_managers(joining.require_freelancer(self._state), contract_id)

    def put_on_bill(self, member: AccountId, contract_id: ContractId, *, name: str, client: str) -> None:
        """Put a member's contract on this agency's bill (see `agency.put_on_bill`; R61)."""
        freelancers = joining.require_freelancer(self._state)
        agency.put_on_bill(freelancers, member, contract_id, name=name, client=client)

    def take_off_bill(self, contract_id: ContractId) -> MemberView:
        """Take a contract off this agency's bill: the week under way is the last one on it (R61)."""
        return agency.take_off_bill(joining.require_freelancer(self._state), contract_id)

    def members(self) -> tuple[MemberView, ...]:
        """Return the contracts on this agency's bill, by member (R61)."""
        return agency.members(self._state)
