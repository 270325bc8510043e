"""What each role is answered at each door about the owner's contract: the policy, as a table (R46, R51).

A status, with the word where it is a fault; of a push, what became of the one row. Own objects and another's
stand side by side: a role "of another contract" asks for the owner's as all others do, and by then there are
invoices of both contracts, work that came late, a dispute, a request and a claim to have paid.
"""

UNKNOWN = "401 not_enrolled"
REVOKED = "403 device_revoked"
STRANGER = "403 not_yours"
ROLES = (
    "nobody",
    "wrong token",
    "owner",
    "second device",
    "revoked device",
    "other account",
    "client",
    "client of another contract",
    "ended client",
    "manager",
    "ended manager",
    "manager of another contract",
)
Answers = dict[str, str]


def answered(
    owner: str, client: str, manager: str, others: str | tuple[str, str] = STRANGER, second: str | None = None
) -> Answers:
    """Return a door's row: `others` are the client and the manager of another contract of the owner's.

    Who has no token, or one that no longer holds, is told so at each of these doors.
    """
    elsewhere = (others, others) if isinstance(others, str) else others
    return {
        "nobody": UNKNOWN,
        "wrong token": UNKNOWN,
        "owner": owner,
        "second device": second or owner,
        "revoked device": REVOKED,
        "other account": STRANGER,
        "client": client,
        "client of another contract": elsewhere[0],
        "ended client": REVOKED,
        "manager": manager,
        "ended manager": REVOKED,
        "manager of another contract": elsewhere[1],
    }


def pushed(
    owner: str = "not_yours", client: str = "not_yours", manager: str = "not_yours", second: str | None = None
) -> Answers:
    """Return what becomes of a row in the owner's contract; nobody writes in another's."""
    told = f"200 {second}" if second else None
    return answered(f"200 {owner}", f"200 {client}", f"200 {manager}", "200 not_yours", told)


def of_picture(*, named: bool = True, missing: str = "404 not_found") -> Answers:
    """Return who has a picture: whoever reads its contract."""
    row = answered("200", "200", "200", missing)
    row["other account"] = missing
    return row if named else {role: told.split()[0] for role, told in row.items()}


POLICY: dict[str, Answers] = {
    "GET /health": dict.fromkeys(ROLES, "200"),
    "GET /health/ready": dict.fromkeys(ROLES, "200"),
    "GET /v1/server": dict.fromkeys(ROLES, "200"),
    "GET /v1/nonce": dict.fromkeys(ROLES, "200"),
    # By the root's signature over a nonce: only who holds the phrase.
    "POST /v1/device-list": {
        **dict.fromkeys(ROLES, STRANGER),
        **dict.fromkeys(("wrong token", "owner", "second device", "revoked device"), "200"),
    },
    # By a device list that the root signed.
    "POST /v1/enrol": {
        **dict.fromkeys(ROLES, STRANGER),
        **dict.fromkeys(("wrong token", "owner", "second device", "revoked device"), "409 bad_device_list"),
    },
    # By the secret of a link, which nobody here has.
    "POST /v1/join": dict.fromkeys(ROLES, "403 invitation_unknown"),
    "POST /v1/pull": answered("200 all", "200 contract", "200 contract", "200 another"),
    "POST /v1/weeks": answered("200", "200", "200"),
    # A seat gets its own contract's part, and of another's invoice not the number.
    "POST /v1/invoices": answered("200 1 2", "200 1", "200 1", "200 2"),
    # What an agency bills for somebody else's work is nobody's here.
    "POST /v1/invoices of an agency": answered("200", "200", "200", "200"),
    "POST /v1/push a capture": pushed("received"),
    "POST /v1/push a deletion": pushed("received"),
    # The client has joined: the terms are theirs (R8), and so is what only they may say (R66).
    "POST /v1/push terms": pushed(client="received"),
    "POST /v1/push a dispute": pushed(client="received"),
    "POST /v1/push that it is disputed no more": pushed(client="received"),
    "POST /v1/push that late time is accepted": pushed(client="received"),
    "POST /v1/push that manual time is allowed": pushed(client="received"),
    "POST /v1/push a bonus": pushed(client="received"),
    "POST /v1/push that they paid": pushed(client="received"),
    "POST /v1/push that they did not pay": pushed(client="received"),
    # Of whose bill it is the server knows: a number of another contract's is none here.
    "POST /v1/push that they paid another's bill": pushed(client="unknown_invoice"),
    "POST /v1/push that another's bill was paid": pushed("unknown_invoice"),
    # Only the freelancer asks, answers a dispute, and says what came and what was given back.
    "POST /v1/push a request": pushed("received"),
    "POST /v1/push a reply to a dispute": pushed("received"),
    "POST /v1/push that a dispute is right": pushed("received", second="not_disputed"),
    "POST /v1/push that it came": pushed("received"),
    "POST /v1/push that it was given back": pushed("received"),
    # Each party says it for itself: both are needed (R54).
    "POST /v1/push a redaction": pushed("received", client="received"),
    # Nobody but the freelancer lets anybody else read.
    "POST /v1/push an invitation": pushed("received"),
    # Both parties, and a manager, write messages, each in their own contract (R68).
    "POST /v1/push a message": pushed("received", "received", "received"),
    # Whose contracts an account bills as an agency stands in its own log.
    "POST /v1/push a membership": pushed("received"),
    # Either party may stop it (R8); after this there is no more to say here.
    "POST /v1/push a pause": pushed("received", client="received"),
    # A client pays what is due of their own contract, whatever invoice they name; nothing by another's.
    "POST /v1/payments": answered(STRANGER, "200", STRANGER, ("409 nothing_due", STRANGER)),
    "POST /v1/payments of another's bill": answered(STRANGER, "409 nothing_due", STRANGER, ("200", STRANGER)),
    "POST /v1/billing/page": answered(STRANGER, "409 cannot_pay", STRANGER, ("409 cannot_pay", STRANGER)),
    # What the freelancer states is theirs to state, of their own account's contracts.
    "PUT /v1/billing": answered("200 1", STRANGER, STRANGER),
    # By now it is stated: a device learns of all clients, a seat of its own contract's.
    "POST /v1/pull about billing": answered("200 1", "200 1", "200 1", "200 0"),
    "POST /v1/refunds": answered("409 cannot_pay", STRANGER, STRANGER),
    # By the gateway's signature over each message: no token lets anybody speak for it.
    "POST /v1/gateway/messages": dict.fromkeys(ROLES, "400 bad_signature"),
    # It takes nothing that is not proven by this server's own signatures, and admits who signs as listed.
    "POST /v1/heal": {
        **answered("200", "200", "200", "200"),
        **dict.fromkeys(("other account", "ended client", "ended manager"), UNKNOWN),
        "wrong token": "400 bad_signature",
    },
    "HEAD /v1/pictures/{name}": of_picture(named=False),
    "GET /v1/pictures/{name}": of_picture(),
    "GET /v1/pictures/{name} of a message's file": of_picture(),
    "GET /v1/pictures/{name} of a receipt": of_picture(),
    # A client brings no new picture, but back what a restored server lost: its name is its hash (R43).
    "PUT /v1/pictures/{name}": of_picture(),
}
