"""Bundles of a real diary that synced with a real server, and what their maker could do to them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from diary.contracts import Contract
from diary.evidence import bundle
from diary.evidence.bundle import Record
from diary.evidence.bundle_zip import packed, unpacked
from diary.evidence.verify import Verification, verify
from diary.rules.ids import Slot
from diary.rules.week import Week
from tests.practice import SCREEN, record_slot, slot
from tests.sync.clients import invited, join_in
from tests.sync.stage import Device, Stage, stage_in

TEN = slot("2026-11-18T10:00Z")
WEEK = Week.of(TEN)
BERLIN = ZoneInfo("Europe/Berlin")
SECRET_MEMO = "planted: the second hour"
SEALED_AT = "2026-11-23T12:00:30Z"


@dataclass(frozen=True)
class Made:
    """One bundle, with the key of who made it: a freelancer who may wish it said something else."""

    whole: bytes
    seed: bytes
    server_key: str

    @property
    def files(self) -> dict[str, bytes]:
        return unpacked(self.whole)

    @property
    def record(self) -> Record:
        return bundle.read_record(self.files[bundle.RECORD])

    def signed_anew(self, files: Mapping[str, bytes]) -> bytes:
        """Return a bundle of these files that its maker signed, as honest makers do."""
        manifest = bundle.read_manifest(self.files[bundle.MANIFEST])
        content = {
            name: raw
            for name, raw in sorted(files.items())
            if name not in {bundle.MANIFEST, bundle.SIGNATURE}
        }
        signed = bundle.manifest_of(content, manifest.maker, manifest.made_at_ms, self.seed)
        return packed({**content, **signed})

    def with_file(self, name: str, content: bytes) -> bytes:
        return self.signed_anew({**self.files, name: content})

    def with_record(self, record: Record) -> bytes:
        return self.with_file(bundle.RECORD, bundle.record_bytes(record))


@dataclass(frozen=True)
class Bundles:
    """The same three segments of one week in three bundles."""

    open_week: Made
    one_slot: Made
    sealed: Made
    other: Made
    epoch_key: bytes


@dataclass(frozen=True)
class Parties:
    """A sealed week of which late time was accepted, one segment is disputed and one redacted by both."""

    whole_week: Made
    disputed: Made
    clients: Made


def parties_in(folder: Path) -> Parties:
    """Let both parties say what they may of a sealed week, and make bundles of it on either side."""
    with stage_in(folder) as stage:
        return _parties_on(stage)


def _parties_on(stage: Stage) -> Parties:
    a = stage.first()
    contract = a.diary.new_contract(title="Orchard", client="Orchard Ltd", rate_minor=6000)
    for at in range(3):
        record_slot(a.diary, contract, Slot(TEN + at), memo=f"hour {at}", picture=SCREEN + bytes([at]))
    a.sync()
    client = join_in(stage, invited(a, contract))
    a.sync()
    for at in (3, 4):
        record_slot(a.diary, contract, Slot(TEN + at), memo=f"late {at}", picture=SCREEN + bytes([at]))
    stage.put_clocks(SEALED_AT)
    a.sync()
    a.diary.send_asked()
    a.sync()
    client.sync()
    client.diary.accept_late([(contract.id, Slot(TEN + 3))], "Fine, but tell me earlier")
    client.diary.dispute([(contract.id, TEN)], "Nothing was done here")
    client.sync()
    a.sync()
    a.diary.reply([(contract.id, TEN)], "I read the contract, see the title")
    a.diary.redact([(contract.id, Slot(TEN + 1))], "A bystander's face")
    a.sync()
    client.sync()
    client.diary.redact([(contract.id, Slot(TEN + 1))])
    client.sync()
    a.sync()
    own = client.diary.contract("Orchard")
    return Parties(made(a, contract), made(a, contract, frozenset({TEN})), made(client, own))


def made(device: Device, contract: Contract, slots: frozenset[Slot] | None = None) -> Made:
    state = device.diary._state
    whole = device.diary.bundle(contract, WEEK, slots, BERLIN).whole
    link = device.diary.server()
    assert link is not None
    return Made(whole, state.keys.sign_seed, link.key)


def bundles_in(folder: Path) -> Bundles:
    """Record, delete, sync and seal, and make the bundles on the way."""
    with stage_in(folder) as stage:
        return _bundles_on(stage)


def _bundles_on(stage: Stage) -> Bundles:
    a = stage.first()
    contract = a.diary.new_contract(
        title="Orchard", client="Orchard Ltd", rate_minor=6000, manual_allowed=True
    )
    memos = ("the first hour", SECRET_MEMO, "the third hour", "deleted again")
    for at, memo in enumerate(memos):
        record_slot(a.diary, contract, Slot(TEN + at), memo=memo, picture=SCREEN + bytes([at]))
    a.sync()
    a.diary.remove([(contract.id, Slot(TEN + 3))])
    a.sync()
    epoch_key = next(key for (of, _), key in a.diary._state.epoch_keys.items() if of == contract.id)
    open_week, one_slot = made(a, contract), made(a, contract, frozenset({TEN}))
    phrase = a.diary.phrase()
    assert phrase is not None
    b = stage.another(phrase)
    stage.put_clocks(SEALED_AT)
    record_slot(b.diary, contract, slot("2026-11-23T11:00Z"), memo="the next week")
    b.sync()
    b.sync()
    other = made_of_next_week(b, contract)
    return Bundles(open_week, one_slot, made(b, contract), other, epoch_key)


def made_of_next_week(device: Device, contract: Contract) -> Made:
    whole = device.diary.bundle(contract, Week.of(slot("2026-11-23T11:00Z")), None, BERLIN).whole
    link = device.diary.server()
    assert link is not None
    return Made(whole, device.diary._state.keys.sign_seed, link.key)


def failing(whole: bytes) -> list[tuple[str, str]]:
    """Return what fails, as (about, says)."""
    return [(line.about, line.says) for line in verify(whole).lines if line.outcome == "fails"]


def outcomes(found: Verification, about: str) -> list[str]:
    return [line.outcome for line in found.lines if line.about == about]
