"""What becomes of a week at its lock: it is sealed and billed, once, in the first transaction after it (R57).

A week without rows before its lock has no seal. What a restored server is shown later may change what a
frozen week came to: then its seal is issued anew, and names the one that it takes the place of (R43).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from diary.evidence.opening import FIRST_EPOCH
from diary.evidence.seal import Records, Seal, own_seal, reckon, says_the_same
from diary.rules.contract import TermsHistory
from diary.rules.ids import AccountId, ContractId, Millis, Slot
from diary.rules.invoice import LIFE, Life
from diary.rules.merge import Held
from diary.rules.week import LOCK_MILLIS_AFTER_WEEK, Week
from sync.server import agency_bills, billing
from sync.server.billing import Sealed
from sync.server.clock_watch import ClockWatch
from sync.server.kept_healing import LostSeal
from sync.server.kept_log import NewSeal
from sync.server.log import ServerKey
from sync.server.storage import AccountHold


def last_lock_ms(at_ms: int) -> Millis:
    """Return the newest lock that has passed at the instant, the instant itself included (R3)."""
    return Millis(Week.at(at_ms - LOCK_MILLIS_AFTER_WEEK).starts_at_ms + LOCK_MILLIS_AFTER_WEEK)


def seal_due(
    hold: AccountHold, account: AccountId, key: ServerKey, watch: ClockWatch, life: Life = LIFE
) -> int:
    """Seal and bill the account's weeks that are due; return how many seals were issued (R6, R57, R61).

    What time alone does to earlier invoices is posted too (R62). Most transactions find nothing of it: that
    costs them a comparison.
    """
    due_ms = last_lock_ms(hold.received_at_ms)
    known_ms = hold.sealed_until_ms
    steps_are_due = 0 < hold.invoices.due_ms <= hold.received_at_ms
    if (known_ms >= due_ms and not steps_are_due) or not watch.is_sure():
        return 0
    billing.take_steps(hold)
    if known_ms >= due_ms or hold.healing.waits_from is not None:
        return 0  # what was lost is shown first: a number is given out once (R43)
    if agency_bills.unsealed_members(hold, account, due_ms):
        return 0  # what an agency bills is sealed first, each member's weeks in a transaction of their own
    first = Slot(_locked_at(known_ms).next().first_slot if known_ms else 0)
    found = _reckoned(hold, account, key, first, due_ms, {})
    hold.keep_seals(found.seals)
    billing.close(hold, account, key, life, found.weeks, (known_ms, due_ms))
    hold.note_sealed(due_ms)
    return len(found.seals)


def seal_anew(
    hold: AccountHold, account: AccountId, key: ServerKey, slots: Iterable[Slot], life: Life = LIFE
) -> int:
    """Issue anew the seals that healed rows of these slots have changed; return how many (R43).

    Where that changes an amount, an invoice corrects the one that was issued (R61).
    """
    weeks = {Week.of(slot) for slot in slots}
    frozen = [week for week in weeks if week.locked_at_ms <= hold.sealed_until_ms]
    if not frozen:
        return 0
    # Of all later weeks too: terms that were lost hold until others came.
    known: dict[tuple[ContractId, str], Seal] = {}
    week = min(frozen)
    while week.locked_at_ms <= hold.sealed_until_ms:
        for contract, signed in hold.newest_seals(week.name).items():
            known[contract, week.name] = own_seal(signed)
        week = week.next()
    found = _reckoned(hold, account, key, min(frozen).first_slot, hold.sealed_until_ms, known)
    hold.keep_seals(found.seals)
    again = {(one.contract, one.week.name) for one in found.weeks}
    same = [
        Sealed(Week.parse(name), contract, seal.reckoning)
        for (contract, name), seal in known.items()
        if (contract, name) not in again
    ]
    # Those that say what they said too: an invoice that was shown again may have billed them already.
    billing.close_anew(hold, account, key, life, [*found.weeks, *same], min(frozen))
    return len(found.seals)


@dataclass(frozen=True, slots=True)
class _Reckoned:
    """Seals to be kept, and what each of them says of its week."""

    seals: list[NewSeal]
    weeks: list[Sealed]


def _reckoned(
    hold: AccountHold,
    account: AccountId,
    key: ServerKey,
    first: Slot,
    lock_ms: Millis,
    known: Mapping[tuple[ContractId, str], Seal],
) -> _Reckoned:
    """Return the seals of the weeks from a slot's to the one that froze at `lock_ms`, signed.

    One that says what the `known` one of its week says already is left out, unless a newer one was lost.
    """
    by_week = _by_week(hold.segments(first, Slot(_locked_at(lock_ms).next().first_slot)))
    if not by_week:
        return _Reckoned([], [])
    contracts = {contract for of_week in by_week.values() for contract in of_week}
    histories = {contract: TermsHistory(terms) for contract, terms in hold.terms(contracts).items()}
    logs = hold.all_logs()
    numbers = {contract: log.seals for contract, log in logs.items()}
    lost = hold.healing.seals({week.name for week in by_week}) if hold.log_epoch > FIRST_EPOCH else {}
    found = _Reckoned([], [])
    for week in sorted(by_week):
        for contract, reckoning in reckon(week, Records(by_week[week], histories)).items():
            earlier, shown = known.get((contract, week.name)), lost.get((contract, week.name))
            replaces = _newest(earlier, shown)
            # A lost one of the same name is another one, of a log that is not this.
            is_newest = earlier is not None and (shown is None or _order(earlier) > _order(shown))
            if earlier is not None and is_newest and says_the_same(earlier.reckoning, reckoning):
                continue
            numbers[contract] += 1
            log = logs[contract]
            seal = Seal(
                account=account,
                contract=contract,
                week=week.name,
                number=numbers[contract],
                log_epoch=log.log_epoch,
                size=log.size,
                root=log.leaves.root.hex(),
                sealed_at_ms=hold.received_at_ms,
                reckoning=reckoning,
                replaces=replaces,
            )
            found.seals.append(NewSeal(contract, seal.number, week.name, key.seal(seal)))
            found.weeks.append(Sealed(week, contract, reckoning))
    return found


def _newest(earlier: Seal | None, lost: LostSeal | None) -> tuple[int, int] | None:
    """Return the number and epoch of the seal that a new one takes the place of, a lost one too (R43)."""
    newest = max((_order(one) for one in (earlier, lost) if one is not None), default=None)
    return None if newest is None else (newest[1], newest[0])


def _order(seal: Seal | LostSeal) -> tuple[int, int]:
    """Return what is greater of the newer seal: its epoch, then its number."""
    return seal.log_epoch, seal.number


def _by_week(
    segments: Mapping[ContractId, Sequence[Held]],
) -> Mapping[Week, Mapping[ContractId, Sequence[Held]]]:
    by_week: dict[Week, dict[ContractId, list[Held]]] = defaultdict(lambda: defaultdict(list))
    for contract, held in segments.items():
        for version in held:
            assert version.header.slot is not None, "segments have slots"
            by_week[Week.of(version.header.slot)][contract].append(version)
    return by_week


def _locked_at(lock_ms: int) -> Week:
    """Return the week that froze at a lock."""
    return Week.at(lock_ms - LOCK_MILLIS_AFTER_WEEK).previous()
