"""The messages between a device and the server, their limits and their words (R44, R45).

JSON by msgspec; bytes travel as base64, headers as the text whose bytes are signed. All but `/v1/enrol`,
`/v1/join`, `/v1/heal`, `/v1/nonce`, `/v1/device-list`, `/v1/server` and `/health` want
`Authorization: Bearer <account>.<replica>.<token>`: it names its account, so that every question can be
answered where that account lies.

Every answer that is no success carries a `Fault`: 400 for what cannot be read or is not authentic
(`bad_request`, `bad_header`, `bad_signature`), 401 `not_enrolled`, 403 `device_revoked`, `not_yours`,
`invitation_unknown`, `invitation_expired`, `invitation_used`, `registration_closed` and, for pictures alone,
`account_suspended`, 404 `not_found`, 409 `upload_offset`, `bad_device_list`, `nothing_due` and `cannot_pay`,
413 `too_large`, `too_many_versions` and `quota`, 422 `wrong_hash`, 429 `too_many_requests` with
`Retry-After`, 503 `busy`, `gateway_away` and `clock_unsure`.

Pictures (R41): `PUT /v1/pictures/{name}` with the header `Upload-Offset` (0 when absent) appends a part of
raw bytes and answers `PicturePart`; `HEAD` says the same in the headers `Upload-Offset` (bytes held so far)
and `Upload-Whole` (`true` or `false`), 404 when no live row names the picture; a 409 carries `Upload-Offset`
too; `GET` gives the whole picture, or what one `Range` asks for.
"""

import msgspec

from diary.evidence.opening import FIRST_EPOCH, SignedOpening
from diary.evidence.receipt import Cursor, LogRow, Page, SignedAnswer, SignedPush
from diary.evidence.statement import SignedStatement
from diary.rules.ids import AccountId, ContractId, ReplicaId, Slot
from sync.money_messages import Billing

PROTOCOL_VERSION = 1
PUSH_VERSIONS_MAX = 500  # R44: a reply stays under a second on a slow server
PUSH_BYTES_MAX = 1024 * 1024  # R44
PULL_ROWS_MAX = 1000  # a page stays near a megabyte
AWAITED_MAX = 500  # pictures one pull asks about
WEEKS_MAX = 8  # weeks one question is about
WEEKS_ROWS_MAX = 4000  # what has more is read with its log
CONTRACTS_MAX = 10_000  # feeds one account may follow; a request with more is refused
PICTURE_BYTES_MAX = 32 * 1024 * 1024  # a 4K lossless screen fits; what is larger is refused by name
MESSAGE_BODY_BYTES_MAX = 64 * 1024  # R68: the longest text in any script, and the names of its files
PICTURE_TAG_BYTES = 16  # a header states a picture's padded size; what travels is this much longer
PICTURE_PART_BYTES_MAX = 4 * 1024 * 1024  # one request of a resumable upload
UPLOAD_OFFSET = "Upload-Offset"
UPLOAD_WHOLE = "Upload-Whole"


class WireVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One sealed version on the wire."""

    header: str
    body: bytes | None
    wrap: bytes | None


class Push(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """POST /v1/push: versions of one replica and its signature over their hashes (R48)."""

    account: AccountId
    replica: ReplicaId
    versions: list[WireVersion]
    signature: bytes


class PushAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One receipt or refusal a version, in the order of the push, signed by the server's key.

    `answers.text` is the JSON of a list of `Receipt` and `Refusal`. `heads` are the signed heads of the logs
    that the push made grow (R56).
    """

    server_ms: int
    answers: SignedAnswer
    heads: list[SignedStatement] = []


class Enrol(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """POST /v1/enrol: a push whose first version is a device list signed by the root (R50).

    It opens the account when the server does not know it. `token_hash` is SHA-256 of the enrolling
    replica's token, in hexadecimal: the server never stores a token.
    """

    push: Push
    token_hash: str


class Join(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """POST /v1/join: a push of one joining, signed by the seat that joins (R51).

    `token_hash` is SHA-256 of the seat's token, in hexadecimal. Answered with `PushAnswer`.
    """

    push: Push
    token_hash: str


class Pull(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """POST /v1/pull: how far each feed was read; feeds not named are read from the start.

    `log_epoch` is the newest epoch whose statement the asker has; while there is a later one, the answer
    holds the statements and no pages, for the cursors change with them (R43). `awaited` are pictures that
    the asker was told are not there yet (R41). A seat may say from which slot on it wants to be told what
    overlaps; else it is told for the weeks that are not locked (R28). `billing`: how clients pay is asked
    too, a device about all of them, a seat about itself (R11). `roots` are those of the logs as far as they
    were read, in hexadecimal: one that is as long and another one comes with its head and no rows (R43).
    """

    account: AccountId
    cursors: dict[ContractId, Cursor]
    roots: dict[ContractId, str] = {}
    rows_max: int = PULL_ROWS_MAX
    log_epoch: int = FIRST_EPOCH
    awaited: list[str] = []
    overlapping_from: Slot | None = None
    billing: bool = False
    moved_from_ms: int = 0


class Suspended(msgspec.Struct, frozen=True, kw_only=True):
    """The account is not in good standing: since when, and why in the operator's words (R30)."""

    since_ms: int
    because: str


class PullAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Pages of the feeds that grew, the account's own log first; `more` when the limit cut it.

    `replica_n` is the greatest n the server holds of the asking replica, refused ones included (R42).
    `clock_sure` is false while the server doubts its clock: `server_ms` then corrects nobody's (R6).
    `openings` say that the server was restored and from where its logs go on, the earliest first (R43).
    `arrived` are those of the awaited pictures that are whole now (R41). To a seat, with the last page,
    `overlapping` names the slots of its contract from `overlapping_from` on that do not bill because another
    contract of the account has them; both are null to a device, and before the last page (R28).
    `arrived` are those of the awaited pictures that are whole now (R41).
    `billing` is there where it was asked for (R11).
    `suspended` says that the account is not in good standing; its rows are taken all the same (R30).
    """

    server_ms: int
    pages: list[Page]
    more: bool
    replica_n: int
    clock_sure: bool = True
    openings: list[SignedOpening] = []
    arrived: list[str] = []
    overlapping: dict[ContractId, list[Slot]] | None = None
    overlapping_from: Slot | None = None
    suspended: Suspended | None = None
    billing: Billing | None = None


class Weeks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """POST /v1/weeks: some weeks of one contract before its log is read, by their first slots (R64).

    Without any it is the newest week that has rows.
    """

    account: AccountId
    contract: ContractId
    first_slots: list[Slot] = []


class WeeksAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of those weeks in log order, with all that stands in no slot, messages apart (R64).

    That nothing was left out of them only the whole log shows. `first_slots` are those of every week that has
    rows; `overlapping` are slots of the weeks shown that do not bill because another contract has them (R28).
    """

    server_ms: int
    page: Page
    first_slots: list[Slot]
    overlapping: list[Slot]


class ShownPage(msgspec.Struct, frozen=True, kw_only=True):
    """The leaves of a page as the server once gave it, 32 bytes each, and its signature over them (R43)."""

    contract: ContractId
    first: int
    leaves: bytes
    signature: bytes


class Heal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """POST /v1/heal: a device shows a restored server what it had received, by its own signatures (R43).

    `rows` are shown as they stood in the log, with the `pushes` that signed them by their hash; `answers` and
    `pages` prove them: a leaf that neither holds is not taken. `opening` is the newest statement the device
    has. `signature` is the replica's, over `heal_payload` in the domain "workdiary/1/heal": a server that
    lost the device list knows no token, and admits the replica by it once the list is healed.

    `seals` and `invoices` are what the server signed of weeks, of which it may have lost some: a seat shows
    its contract's parts of invoices. They come before the rows that change those weeks. `is_all`: the device
    has shown all that it holds, in the newest epoch that it knows; then a restored server seals and bills.

    `heads` are what the server signed of its logs. One by which a log was longer, or another one, than it is
    now shows that the server was restored: a client's page holds nothing else, devices show them last.
    """

    account: AccountId
    replica: ReplicaId
    nonce: str
    token_hash: str
    signature: bytes
    rows: list[LogRow]
    pushes: dict[str, SignedPush]
    answers: list[SignedAnswer]
    pages: list[ShownPage]
    opening: SignedOpening | None = None
    log_epoch: int = FIRST_EPOCH
    seals: list[SignedStatement] = []
    invoices: list[SignedStatement] = []
    heads: list[SignedStatement] = []
    is_all: bool = False


class HealAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How many of the rows entered again, and the statements of all epochs after `Heal.log_epoch` (R43)."""

    server_ms: int
    healed: int
    openings: list[SignedOpening]


def heal_payload(account: AccountId, replica: ReplicaId, nonce: str, token_hash: str) -> bytes:
    """Return what a replica signs to prove itself to a server that may have lost it (R43)."""
    return f"{account}/{replica}/{nonce}/{token_hash}".encode()


class ServerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """GET /v1/server: who answers; `key` is its Ed25519 public key in hexadecimal."""

    protocol: int
    key: str
    server_ms: int


class Nonce(msgspec.Struct, frozen=True, kw_only=True):
    """GET /v1/nonce: what the root key signs to read its device list before it is enrolled."""

    nonce: str


class RootProof(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """POST /v1/device-list: the root proves itself; answered with `DeviceLists` (R50).

    `root` is its public key in hexadecimal, `signature` is over the nonce's text as UTF-8 in the domain
    "workdiary/1/root-proof".
    """

    account: AccountId
    root: str
    nonce: str
    signature: bytes


class DeviceLists(msgspec.Struct, frozen=True, kw_only=True):
    """The newest list the root signed, and those by which devices named successors since, in order (R42).

    Who knows only the root can believe the later ones by the earlier alone.
    """

    versions: list[WireVersion]


class PicturePart(msgspec.Struct, frozen=True, kw_only=True):
    """What the server holds of one picture's upload: bytes so far, and whether it is whole (R41)."""

    size: int
    whole: bool


class Invoices(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """POST /v1/invoices: the account's invoices with numbers greater than `after` (R61).

    With `issuer`, an agency's account, what stands on that agency's invoices of the account's contracts.
    """

    account: AccountId
    after: int = 0
    issuer: AccountId | None = None


class InvoicesAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Invoices by their numbers, as signed: whole for a device, a contract's part for its seat (R51, R61).

    Of another issuer's every caller gets parts.

    `last` is the number of the last one here; more are to be asked for while that is less than `issued`, the
    greatest that the caller may see.
    """

    invoices: list[SignedStatement]
    last: int
    issued: int


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Every error's body: one of the refusal words or a plain word, and a sentence."""

    reason: str
    because: str
