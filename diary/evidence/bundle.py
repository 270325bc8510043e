"""What a bundle holds: a week of one contract with all that proves it (R59; docs/evidence.md).

`record.json` is the evidence, and everything else follows from it or is signed by its maker: `manifest.json`
names every other file by its hash, `manifest.sig` is the maker's signature over it. Pure: formats and limits;
`bundle_zip` is the container, `verify` checks it, `diary.bundling` makes it.
"""

import hashlib
from collections.abc import Collection, Mapping
from typing import Annotated, Final, Literal

import msgspec

from diary.evidence import signature
from diary.evidence.receipt import SignedPush
from diary.evidence.statement import SignedStatement
from diary.rules.ids import AccountId, ContractId, Millis, ReplicaId, Slot
from diary.rules.segment import Header
from diary.rules.unreadable import UNREADABLE
from diary.rules.week import Week

FORMAT: Final = 3
"""What is made now: since 2 a record shows what the parties said of its slots, since 3 its tables are safe in
a spreadsheet that splits them otherwise (`table_text`). All are read for ever."""

Format = Literal[1, 2, 3]
MANIFEST = "manifest.json"
SIGNATURE = "manifest.sig"
RECORD = "record.json"
SEGMENTS = "segments.csv"
TOTALS = "totals.csv"
REPORT = "report.html"
PRINT = "report.pdf"
STYLES = ("export.css", "grid.css")  # of the report
PICTURES = "pictures"
NEEDED = (RECORD, SEGMENTS, TOTALS)

VERSIONS_MAX = 50_000  # a week's slots with as many versions as R44 allows are fewer

Absence = Literal["missing", "thinned", "not_included"]
"""Why a picture that a row names is not in the bundle: never came, gave way to its thumbnail, left out."""


class Disclosed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of the contract's log, with the proof that it stands there.

    `key` is the version's own key, by which its body opens and nothing else; `body` and `key` are None where
    only the header counts. `push` names the push that signed it, `proof` is its audit path to the head's
    root, from the leaf up; hashes are hexadecimal.
    """

    log_epoch: int
    index: int
    received_at_ms: Millis
    push: str
    header: str
    body_hash: str
    body: bytes | None
    key: bytes | None
    proof: tuple[str, ...]


class PictureFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the picture of a name lies, or why it does not; exactly one of the two."""

    file: str | None = None
    absent: Absence | None = None


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The evidence for one week of one contract, or for some slots of it.

    `slots` is None for the whole week: then every row of its slots is there, and the seal where there is one.
    `head` is the server's signed head to whose root the proofs lead; `seal_proof` joins the seal's log to it.
    `overlapping` are the slots that the server says belong to another contract (R28); of some slots alone
    `stated` says what bills, since that depends on those that are not shown. `zone` is that of local times.
    """

    format: Format
    account: AccountId
    contract: ContractId
    week: str
    slots: tuple[Slot, ...] | None
    zone: str
    server_key: str
    head: SignedStatement
    versions: Annotated[tuple[Disclosed, ...], msgspec.Meta(max_length=VERSIONS_MAX)]
    pushes: dict[str, SignedPush]
    pictures: dict[str, PictureFile]
    seal: SignedStatement | None = None
    seal_proof: tuple[str, ...] = ()
    overlapping: tuple[Slot, ...] = ()
    stated: dict[str, str] | None = None  # by slot: "" where it bills, else a word of `why_not`


class FileSum(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file by its size in bytes and its SHA-256 in hexadecimal."""

    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every file of a bundle but this one and its signature, and who made it: a device or a seat."""

    format: Format
    maker: ReplicaId
    made_at_ms: Millis
    files: dict[str, FileSum]


ACT_TYPES: Final = frozenset({"acceptance", "dispute", "redaction"})
ACTS_SINCE: Final = 2  # the format in which they are shown first
TABLES_SINCE: Final = 3  # the format whose tables are written as all others are


def is_said_of(header: Header, week: Week, slots: Collection[Slot] | None) -> bool:
    """Return whether an act belongs into a record: it names slots of the week, or only those shown (R59)."""
    part = header.acceptance or header.dispute or header.redaction
    named = () if part is None else part.slots or ()
    if slots is None:
        return any(slot in week.slots for slot in named)
    return bool(named) and set(named) <= set(slots)


class UnreadablePartError(ValueError):
    """A part of a bundle is not what it should be; the text says where."""


_encoder = msgspec.json.Encoder(order="deterministic")
_records = msgspec.json.Decoder(Record)
_manifests = msgspec.json.Decoder(Manifest)


def record_bytes(record: Record) -> bytes:
    """Return the record as it is written."""
    return _encoder.encode(record)


def read_record(raw: bytes) -> Record:
    """Return the record that these bytes hold.

    Raises:
        UnreadablePartError: They hold none, or one that is written otherwise than `record_bytes` does.
    """
    try:
        record = _records.decode(raw)
    except UNREADABLE as error:
        raise UnreadablePartError(str(error)) from error
    if record_bytes(record) != raw:
        raise UnreadablePartError("it is not written as a record is")
    return record


def manifest_of(
    files: Mapping[str, bytes], maker: ReplicaId, made_at_ms: Millis, key: signature.SigningKey
) -> dict[str, bytes]:
    """Return the two files that name and sign all others."""
    sums = {name: _sum_of(content) for name, content in files.items()}
    raw = _encoder.encode(Manifest(format=FORMAT, maker=maker, made_at_ms=made_at_ms, files=sums))
    return {MANIFEST: raw, SIGNATURE: signature.sign(key, signature.BUNDLE, raw)}


def read_manifest(raw: bytes) -> Manifest:
    """Return the manifest that these bytes hold.

    Raises:
        UnreadablePartError: They hold none.
    """
    try:
        return _manifests.decode(raw)
    except UNREADABLE as error:
        raise UnreadablePartError(str(error)) from error


def is_signed_by(public: bytes, raw_manifest: bytes, signed: bytes) -> bool:
    """Return whether the maker's Ed25519 key signed the manifest."""
    return signature.verify(public, signature.BUNDLE, raw_manifest, signed)


def changed_files(manifest: Manifest, files: Mapping[str, bytes]) -> dict[str, str]:
    """Return what is wrong with each file that is not as the manifest has it, by its name."""
    found = {name: "it is missing" for name in manifest.files if name not in files}
    for name, content in files.items():
        if name in {MANIFEST, SIGNATURE}:
            continue
        known = manifest.files.get(name)
        if known is None:
            found[name] = "it was added: the bundle's maker did not list it"
        elif _sum_of(content) != known:
            found[name] = "it was changed after the bundle was made"
    return found


def _sum_of(content: bytes) -> FileSum:
    return FileSum(size=len(content), sha256=hashlib.sha256(content).hexdigest())
