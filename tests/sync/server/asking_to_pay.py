"""Who may ask what of payments: the part of the policy that is about money (R11, R51, R63).

The server of the table has no gateway and no invoice: what a role may ask is answered with what there is.
"""

from typing import Any

import msgspec

from diary.rules.ids import AccountId, ContractId
from sync.protocol import GiveBack, Pull, SetUpBilling, StartPayment, StateBilling

_OF_THE_CLIENT = {
    "nobody": "401 not_enrolled",
    "wrong token": "401 not_enrolled",
    "owner": "403 not_yours",
    "second device": "403 not_yours",
    "revoked device": "403 device_revoked",
    "other account": "403 not_yours",
    "ended client": "403 device_revoked",
    "manager": "403 not_yours",
    "ended manager": "403 device_revoked",
    "manager of another contract": "403 not_yours",
}
_OF_THE_FREELANCER = {
    **_OF_THE_CLIENT,
    "client": "403 not_yours",
    "client of another contract": "403 not_yours",
}
PAYING: dict[str, dict[str, str]] = {
    # A client pays what is due of their own contract, whatever invoice they name.
    "POST /v1/payments": {
        **_OF_THE_CLIENT,
        "client": "409 nothing_due",
        "client of another contract": "409 nothing_due",
    },
    "POST /v1/billing/page": {
        **_OF_THE_CLIENT,
        "client": "409 cannot_pay",
        "client of another contract": "409 cannot_pay",
    },
    # What the freelancer states is theirs to state, of their own account's contracts.
    "PUT /v1/billing": {**_OF_THE_FREELANCER, "owner": "200 1", "second device": "200 1"},
    # By now it is stated: a device learns of all clients, a seat of its own contract's.
    "POST /v1/pull about billing": {
        **_OF_THE_CLIENT,
        "owner": "200 1",
        "second device": "200 1",
        "client": "200 1",
        "client of another contract": "200 0",
        "manager": "200 1",
        "manager of another contract": "200 0",
    },
    "POST /v1/refunds": {
        **_OF_THE_FREELANCER,
        "owner": "409 cannot_pay",
        "second device": "409 cannot_pay",
    },
    # By the gateway's signature over each message: no token lets anybody speak for it.
    "POST /v1/gateway/messages": dict.fromkeys((*_OF_THE_FREELANCER,), "400 bad_signature"),
}


def message_at(door: str, account: AccountId, contract: ContractId) -> bytes:
    """Return what is asked at a door about a contract of the account."""
    messages: dict[str, msgspec.Struct] = {
        "POST /v1/payments": StartPayment(account=account, invoice=1),
        "POST /v1/billing/page": SetUpBilling(account=account),
        "PUT /v1/billing": StateBilling(account=account, contract=contract, by_hand=True),
        "POST /v1/pull about billing": Pull(account=account, cursors={}, billing=True),
        "POST /v1/refunds": GiveBack(account=account, contract=contract, invoice=1, id="1" * 32, minor=1),
    }
    return (
        msgspec.json.encode(messages[door]) if door in messages else b'{"type": "checkout.session.completed"}'
    )


def told_at(door: str, answer: dict[str, Any]) -> str:
    """Return how many billing methods the answer tells of."""
    billing = answer["billing"] if door == "POST /v1/pull about billing" else answer
    return str(len(billing["methods"]))
