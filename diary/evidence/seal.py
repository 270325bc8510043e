"""The seal of a frozen week: what a contract's week came to, signed by the server (R57).

The same code makes it at the server and recomputes it on every device, from clear headers, terms and times
of receipt alone (R29). What the log received before the lock counts, and nothing else (R37b). Pure.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

import msgspec

from diary.evidence import signature
from diary.evidence.statement import BrokenStatementError, SignedStatement, read_statement, sign_statement
from diary.rules.contract import TermsHistory
from diary.rules.ids import AccountId, ContractId, Millis, Slot
from diary.rules.merge import Held, Kind, standing
from diary.rules.timesheet import Place, WhyNot, amount_minor
from diary.rules.verdict import Fact, Verdict, fact_of, verdicts
from diary.rules.week import Week

WHAT = "seal"


class SealedTerms(msgspec.Struct, frozen=True, kw_only=True):
    """The terms by which the week bills (R8): its greatest limit, the rate of its start."""

    kind: Literal["hourly", "fixed_price"]
    limit_minutes: int | None
    rate_minor: int
    currency: str


class SealedSlot(msgspec.Struct, frozen=True, array_like=True):
    """One segment of a sealed week; `kind` is None where it was deleted.

    `digest` is SHA-256, in hexadecimal, over the leaves of all rows of the slot that came before the lock,
    one after the other as the log has them: who shows the week can keep none of them back. None in seals of
    before there were digests.
    """

    slot: Slot
    kind: Kind | None
    state: Literal["synced", "deleted"]
    bills: bool
    why_not: WhyNot | None
    digest: str | None = None


class Reckoning(msgspec.Struct, frozen=True, kw_only=True):
    """What a week of one contract comes to: its terms, its segments by slot, how many bill, the amount."""

    terms: SealedTerms
    slots: tuple[SealedSlot, ...]
    billable: int
    amount_minor: int

    @property
    def has_digests(self) -> bool:
        """Return whether it says over which rows it was made, as every one does by now."""
        return any(slot.digest is not None for slot in self.slots)


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """What the server signs when a contract's week freezes (R57).

    `number` counts the seals of the contract from 1. `log_epoch`, `size` and `root` are its log as it was
    then. `replaces` is the number of the seal that this one takes the place of, and its epoch (R43).
    """

    account: AccountId
    contract: ContractId
    week: str
    number: int
    log_epoch: int
    size: int
    root: str
    sealed_at_ms: Millis
    reckoning: Reckoning
    replaces: tuple[int, int] | None = None


_decoder = msgspec.json.Decoder(Seal)


@dataclass(frozen=True, slots=True)
class Records:
    """What an account's logs hold of one week: the versions of every contract's places, and the terms.

    Versions stand as their log has them, each with its leaf: without leaves a reckoning has no digests.
    Of another account's contracts only one may be known: then `overlapping` are those of its slots that the
    server states to be another contract's (R28); None where all contracts are known.
    """

    held: Mapping[ContractId, Sequence[Held]]
    histories: Mapping[ContractId, TermsHistory]
    overlapping: Collection[Slot] | None = None


def reckon(week: Week, records: Records) -> dict[ContractId, Reckoning]:
    """Return what the week came to for each contract that had anything in it before the lock (R37b, R57)."""
    found_facts = [
        each
        for contract, held in records.held.items()
        if contract in records.histories
        for each in _facts(week, contract, held)
    ]
    facts = [fact for fact, _ in found_facts]
    digests = {(fact.contract, fact.slot): digest for fact, digest in found_facts}
    judged = _judged(week, facts, records)
    found: dict[ContractId, Reckoning] = {}
    for contract, of_it in groupby(sorted(facts, key=lambda fact: fact.contract), lambda one: one.contract):
        slots = sorted(
            (
                _slot(fact, judged[place], digests[place])
                for fact in of_it
                for place in [(contract, fact.slot)]
            ),
            key=lambda one: one.slot,
        )
        terms = _terms(week, records.histories[contract])
        billable = sum(slot.bills for slot in slots)
        found[contract] = Reckoning(
            terms=terms,
            slots=tuple(slots),
            billable=billable,
            amount_minor=amount_minor(billable, terms.rate_minor),
        )
    return found


def says_the_same(stated: Reckoning, made: Reckoning | None) -> bool:
    """Return whether a seal's reckoning is what the rows make, digests apart where it has none (R57)."""
    if made is not None and not stated.has_digests:
        bare = tuple(msgspec.structs.replace(slot, digest=None) for slot in made.slots)
        made = msgspec.structs.replace(made, slots=bare)
    return stated == made


def differing(stated: Reckoning, made: Reckoning | None) -> list[Slot]:
    """Return the slots of which a seal says otherwise than the rows do, in order of time."""
    ours = {slot.slot: slot for slot in made.slots} if made is not None else {}
    theirs = {slot.slot: slot for slot in stated.slots}
    return sorted(slot for slot in ours.keys() | theirs.keys() if ours.get(slot) != theirs.get(slot))


def overlapping(reckoning: Reckoning) -> frozenset[Slot]:
    """Return the slots that belong to another contract of the account, as the server stated them (R28)."""
    return frozenset(slot.slot for slot in reckoning.slots if slot.why_not == "overlapping")


def sign_seal(seal: Seal, key: signature.SigningKey) -> SignedStatement:
    """Return the seal under the server's signature (R57)."""
    return sign_statement(seal, signature.SEAL, key)


def read_seal(signed: SignedStatement, server_key: bytes) -> Seal:
    """Return the seal that the server's key signed (R57).

    Raises:
        ForgedStatementError: That key did not sign it.
        BrokenStatementError: It is no seal.
    """
    seal = read_statement(signed, signature.SEAL, _decoder, server_key, WHAT)
    try:
        slots = Week.parse(seal.week).slots
    except ValueError as error:
        raise BrokenStatementError(what=WHAT, because=error) from error
    if seal.number < 1 or seal.size < 0 or any(one.slot not in slots for one in seal.reckoning.slots):
        raise BrokenStatementError(what=WHAT, because="a number is none, or a slot is of another week")
    return seal


def own_seal(signed: SignedStatement) -> Seal:
    """Return a seal that was signed, or checked, by whoever asks."""
    return _decoder.decode(signed.text)


def _facts(week: Week, contract: ContractId, held: Iterable[Held]) -> Iterable[tuple[Fact, str | None]]:
    """Yield what stood in the week's slots before the lock, and over which rows (R37).

    What came later is late, or was refused.
    """
    before = [
        version
        for version in held
        if version.received_at_ms is not None
        and not week.is_frozen(version.received_at_ms)
        and version.header.slot in week.slots
    ]
    for slot, each in groupby(sorted(before, key=_slot_of), _slot_of):
        there = list(each)
        stands = standing(there)
        if stands.deleted or stands.kind is not None:
            yield fact_of(contract, slot, stands), _digest(there)


def _digest(there: Sequence[Held]) -> str | None:
    leaves = [version.leaf for version in there]
    return None if None in leaves else hashlib.sha256(b"".join(filter(None, leaves))).hexdigest()


def _judged(week: Week, facts: Sequence[Fact], records: Records) -> dict[Place, Verdict]:
    """Return the verdicts; overlapping ones as they are stated where not all contracts are known (R28)."""
    if not records.overlapping:
        return verdicts(week, facts, records.histories)
    others = frozenset(records.overlapping)
    judged = verdicts(week, [fact for fact in facts if fact.slot not in others], records.histories)
    for fact in (fact for fact in facts if fact.slot in others):
        # What could never bill overlaps nothing: it is judged first.
        alone = verdicts(week, [fact], records.histories)[fact.contract, fact.slot]
        never = alone.why_not is not None and alone.why_not != "over_limit"
        judged[fact.contract, fact.slot] = alone if never else Verdict(bills=False, why_not="overlapping")
    return judged


def _slot(fact: Fact, verdict: Verdict, digest: str | None) -> SealedSlot:
    state: Literal["synced", "deleted"] = "deleted" if fact.deleted else "synced"
    return SealedSlot(fact.slot, fact.kind, state, verdict.bills, verdict.why_not, digest)


def _terms(week: Week, history: TermsHistory) -> SealedTerms:
    rate_minor, currency = history.rate_of(week)
    return SealedTerms(
        kind=history.at(week.starts_at_ms).kind,
        limit_minutes=history.limit_minutes(week),
        rate_minor=rate_minor,
        currency=currency,
    )


def _slot_of(version: Held) -> Slot:
    assert version.header.slot is not None, "captures and entries name their slot"
    return version.header.slot
