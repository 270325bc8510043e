"""What an agency's account says of its members, in clear: whose contract it bills, to whom (SPEC, section 1).

Each row of the account's own log puts one contract of one member on the agency's bill, or takes it off again.
It counts only together with the member's own word: a manager of this agency who may read the contract. Pure.
"""

import re

import msgspec

from diary.rules.ids import AccountId, ContractId

_ID = re.compile(r"[0-9a-f]{32}")


class MembershipInClear(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """A contract of a member's account that the agency bills from here on, or with `ends` no more.

    `payer` is a random id that the agency gives one client: its contracts with one payer go on one bill.
    Without one a contract is billed alone.
    """

    account: AccountId
    contract: ContractId
    payer: str | None = None
    ends: bool = False


def fault_of_membership(part: MembershipInClear | None) -> str | None:
    """Return what is wrong with a membership, None where nothing is."""
    if part is None:
        return "a membership carries its own part"
    if not (_ID.fullmatch(part.account) and _ID.fullmatch(part.contract)):
        return "a member's account and contract are 32 hexadecimal digits each"
    if part.payer is not None and (part.ends or not _ID.fullmatch(part.payer)):
        return "a payer is 32 hexadecimal digits, and none is named at the end"
    return None
