"""What the server sealed, held to what this diary makes of the same log (R28, R43, R57).

A seal that differs is not shown as sealed, and is an alarm. It is judged once everything that the feeds held
was read: which of an account's contracts a slot belongs to may hang on rows of another log.
"""

from collections import defaultdict
from collections.abc import Iterable

from diary.errors import PeerError
from diary.evidence.alarm import Evidence, FeedFaultError
from diary.evidence.receipt import Page
from diary.evidence.seal import Reckoning, Records, Seal, overlapping, read_seal, reckon, says_the_same
from diary.evidence.signature import SEAL
from diary.evidence.tiles import Tiles
from diary.rules.contract import TermsHistory, versions_of
from diary.rules.ids import ContractId, Millis
from diary.rules.merge import Held
from diary.rules.timesheet import SealView
from diary.rules.week import Week
from diary.state import OpenDiary
from diary.store import feed, heads, log_trees, receipts, seals, versions
from diary.store.seals import KeptSeal
from diary.store.versions import StoredVersion
from diary.witnessing import evidence_of


def take_seals(diary: OpenDiary, page: Page, server_key: bytes) -> None:
    """Keep the seals that came with a page, within the caller's transaction.

    Raises:
        FeedFaultError: One is not signed by the server, or is another contract's.
    """
    for signed in page.seals:
        try:
            seal = read_seal(signed, server_key)
        except PeerError as error:
            raise FeedFaultError(
                "unsigned_head", f"a seal of contract {page.contract} is not signed"
            ) from error
        if (seal.account, seal.contract) != (diary.account, page.contract):
            raise FeedFaultError("wrong_place", f"a seal shown for contract {page.contract} is another's")
        seals.keep(diary.connection, KeptSeal(seal, signed))
    if page.seals:
        log_trees.note_seals(diary.connection, page.contract, len(page.seals))


def judge_seals(diary: OpenDiary) -> int:
    """Hold every seal that was not judged yet to the log; return how many differ.

    For the end of a sync that read all there was.
    """
    with diary.reading():
        if not seals.unjudged(diary.connection):
            return 0
    with diary.writing():
        return sum(_differs(diary, kept) for kept in seals.unjudged(diary.connection))


def seals_of(diary: OpenDiary, week: Week) -> tuple[SealView, ...]:
    """Return the week's seals that this diary bears out, each contract's newest; no others (R57)."""
    return tuple(
        SealView(
            contract=kept.seal.contract,
            number=kept.seal.number,
            sealed_at_ms=kept.seal.sealed_at_ms,
            billable=kept.seal.reckoning.billable,
            amount_minor=kept.seal.reckoning.amount_minor,
            currency=kept.seal.reckoning.terms.currency,
            replaces=kept.seal.replaces[0] if kept.seal.replaces else None,
        )
        for kept in seals.newest_of(diary.connection, week.name).values()
        if kept.agrees
    )


def _differs(diary: OpenDiary, kept: KeptSeal) -> bool:
    """Judge one seal, as far as it can be judged; return whether it differs."""
    seal, connection = kept.seal, diary.connection
    cursor = receipts.cursors(connection).get(seal.contract)
    tree = log_trees.tree(connection, seal.contract)
    if cursor is None or seal.size > tree.size:
        return False  # it names rows that are still to be read
    is_its_log = tree.root_at(seal.size).hex() == seal.root
    if not is_its_log and seal.log_epoch != cursor.log_epoch:
        return False  # of rows that a restored server lost: another seal takes its place (R43)
    if not is_its_log or not says_the_same(seal.reckoning, _made_here(diary, seal, tree, alone=True)):
        _note_difference(diary, kept)
        return True
    knows_all = ContractId(diary.account) in receipts.cursors(connection)
    newest = seals.newest_of(connection, seal.week)[seal.contract].seal
    is_newest = knows_all and newest == seal
    if is_newest and not says_the_same(seal.reckoning, _made_here(diary, seal, tree, alone=False)):
        if kept.doubted:
            _note_difference(diary, kept)
            return True
        # Another log may have been healed between two questions of this sync (R43).
        seals.doubt(connection, seal)
        return False
    seals.judge(connection, seal, agrees=True)
    return False


def _made_here(diary: OpenDiary, seal: Seal, tree: Tiles, *, alone: bool) -> Reckoning | None:
    """Return what this diary makes of the sealed week, as its log was then; None for nothing.

    `alone`: which slots are another contract's is taken as it is stated (R28).
    """
    week = Week.parse(seal.week)
    held: dict[ContractId, list[Held]] = defaultdict(list)
    logged = _logged(versions.in_slots(diary.connection, week.slots), seal, alone=alone)
    for stored in sorted(logged, key=lambda row: row.leaf_index or 0):
        is_own = stored.header.contract == seal.contract
        leaf = tree.leaf(stored.leaf_index or 0) if is_own else None
        held[stored.header.contract].append(Held(stored.header, stored.received_at_ms, leaf))
    terms: dict[ContractId, list[StoredVersion]] = defaultdict(list)
    for stored in _logged(versions.slotless(diary.connection, "terms"), seal, alone=alone):
        terms[stored.header.contract].append(stored)
    histories = {}
    for contract, rows in terms.items():
        in_order = sorted(rows, key=lambda row: row.leaf_index or 0)
        found = versions_of((row.header, Millis(row.received_at_ms or 0)) for row in in_order)
        if found:
            histories[contract] = TermsHistory(found)
    records = Records(held, histories, overlapping=overlapping(seal.reckoning) if alone else None)
    return reckon(week, records).get(seal.contract)


def _logged(rows: Iterable[StoredVersion], seal: Seal, *, alone: bool) -> Iterable[StoredVersion]:
    """Yield what the server holds: of the seal's contract what its log held then, of others all."""
    for row in rows:
        if row.received_at_ms is None or (row.log_epoch or 0) <= 0:
            continue
        is_own = row.header.contract == seal.contract
        if (is_own and (row.leaf_index or 0) < seal.size) or (not is_own and not alone):
            yield row


def _note_difference(diary: OpenDiary, kept: KeptSeal) -> None:
    seal = kept.seal
    seals.judge(diary.connection, seal, agrees=False)
    shown = heads.newest(diary.connection, seal.contract, seal.log_epoch)
    evidence = (Evidence(SEAL, kept.signed.text, kept.signed.signature), *evidence_of(shown))
    what = f"seal {seal.number} of week {seal.week} is not what the log of contract {seal.contract} comes to"
    alarm = feed.Alarm(diary.now_ms(), seal.contract, "seal_differs", what, evidence)
    feed.raise_alarm(diary.connection, alarm)
