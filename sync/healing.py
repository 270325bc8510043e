"""A server restored from an old backup is noticed, and shown what it lost, before anything else (R43).

It is noticed by its own statement, by a log that is shorter than it was, by a place that it gives twice, or
by its not knowing a device that it had enrolled. In each case the device shows the server its own signatures:
a server that lost something then states where its logs go on. One that shows less than it signed and states
nothing is not believed: the feed's check raises the alarm that stays.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from diary.diary import Diary
from diary.errors import PeerError
from diary.evidence.alarm import AlarmKind, FeedFaultError
from diary.evidence.opening import SignedOpening
from diary.evidence.receipt import Cursor, Page
from diary.evidence.statement import SignedStatement
from diary.exchanging import ServerLink
from diary.proving import Showing
from diary.rules.ids import ContractId
from diary.store.place_taken import PlaceTakenError
from diary.store.versions import Name
from diary.unanswered import Suspicion
from sync.protocol import Heal, PullAnswer, ShownPage, heal_payload
from sync.server_address import require_key
from sync.transport import NotEnrolledError, Transport
from sync.unanswered import answering

HEALINGS_MAX = (
    6  # restored, again meanwhile, a place given twice, read anew, shown, and a run that goes through
)
# What a server shows that lost rows and has received others in their places since (R43).
_FAULTS_OF_A_RESTORED: frozenset[AlarmKind] = frozenset(
    {"log_shrank", "log_forked", "deletion_dropped", "retimed"}
)
_RESTORED = Suspicion("it was restored from a backup, and does not take back what it lost")
_UNKNOWN = Suspicion("it does not know this device, which it had enrolled")


@dataclass(frozen=True, slots=True)
class Looks:
    """What a run looks for that a restored server lost: each until it was shown in vain.

    `at_heads`: logs that shrank, and own versions. `at_refusals`: the newest number that was refused.
    """

    at_heads: bool = True
    at_refusals: bool = True


class ServerRestoredError(PeerError):
    """The server lost something, or says so; the sync heals it and begins again.

    `openings` are its statements; `heads` the sizes of logs that are shorter than they were; `names` are
    versions that it lacks. With none of them it does not even know this device. `anew`: a statement that is
    known says why a log is another one; it is read from its start. `refusals`: it lacks some, and may lack
    nothing else. `fault` is what it is to be blamed for if it has nothing to state. `shown` are the heads of
    the logs that are shorter, or others.
    """

    says = "The server was restored from a backup and lacks what it had received since."
    mend = "Sync again: what it lost is shown to it."

    def __init__(
        self,
        openings: Sequence[SignedOpening] = (),
        heads: Mapping[ContractId, int] | None = None,
        names: Sequence[Name] = (),
        *,
        anew: bool = False,
        refusals: bool = False,
        fault: FeedFaultError | None = None,
        shown: Sequence[SignedStatement] = (),
    ) -> None:
        self.fault = fault
        self.shown = shown
        self.anew = anew
        self.refusals = refusals
        self.openings = openings
        self.heads = heads
        self.names = names
        super().__init__()

    @property
    def suspicion(self) -> Suspicion:
        """Return what the server has to answer for (R56)."""
        if self.fault is not None:
            about = [self.fault.contract] if self.fault.contract else []
            return Suspicion(str(self.fault.details["what"]), about, evidence=self.fault.evidence)
        if self.heads:
            about = list(self.heads)
            what = f"the log of contract {about[0]} is not the one that it had signed"
            return Suspicion(what, about, self.shown)
        if self.names:
            ((replica, n), *_) = self.names
            what = f"it lacks version {replica}:{n}, which it had received"
            return Suspicion(what, lacks=self.names)
        return _RESTORED


def check_whole(diary: Diary, answer: PullAnswer, cursors: Mapping[ContractId, Cursor]) -> None:
    """Check that the server still knows what the cursors say it showed.

    Raises:
        ServerRestoredError: It does not, or says that its logs go on in a new epoch.
    """
    if answer.openings:
        raise ServerRestoredError(openings=answer.openings)
    lacking: dict[ContractId, int] = {}
    shown: list[SignedStatement] = []
    anew = False
    for page in answer.pages:
        cursor = cursors.get(page.contract)
        if cursor is None:
            continue
        if (page.head.log_epoch, page.head.size) < (cursor.log_epoch, cursor.size):
            lacking[page.contract] = page.head.size if page.head.log_epoch == cursor.log_epoch else 0
        elif _is_another_log(diary, page, cursor):
            # It went back, and grew again with other rows.
            if diary.read_anew(page.contract, cursor):
                anew = True
            else:
                lacking[page.contract] = cursor.size - 1
        if page.contract in lacking and page.signed_head is not None:
            shown.append(page.signed_head)
    if lacking or anew:
        raise ServerRestoredError(heads=lacking, anew=anew, shown=shown)


def _is_another_log(diary: Diary, page: Page, cursor: Cursor) -> bool:
    """Return whether what stands before the cursor is not what was read: by its last leaf, or its root."""
    if page.rows:
        follows = page.before is not None and page.rows[0].index == cursor.size
        return follows and not diary.stands_at(page.contract, cursor.size - 1, page.before or "")
    same_size = (page.head.log_epoch, page.head.size) == (cursor.log_epoch, cursor.size)
    return same_size and not diary.is_log_of(page)


@contextmanager
def suspecting(diary: Diary, looks: Looks) -> Iterator[frozenset[AlarmKind]]:
    """Take a log that is not the one which was read for a restored one, until it was shown that in vain.

    Yielded are the kinds of fault that raise no alarm before.

    Raises:
        ServerRestoredError: There was such a fault.
    """
    spared = _FAULTS_OF_A_RESTORED if looks.at_heads else frozenset[AlarmKind]()
    try:
        yield spared
    except FeedFaultError as fault:
        if fault.kind not in spared:
            raise
        ends = {contract: max(cursor.size - 1, 0) for contract, cursor in diary.cursors().items()}
        raise ServerRestoredError(heads=ends, fault=fault) from fault


def check_own(diary: Diary, replica_n: int, looks: Looks) -> None:
    """Check that the server still knows this replica's newest version that it had answered (R40, R42).

    Raises:
        ServerRestoredError: It does not; its logs may have grown again meanwhile.
        FeedFaultError: Nor does it, and it had nothing to state.
    """
    if not looks.at_heads:
        diary.require_own(replica_n)
        return
    own = diary.newest_own()
    if replica_n < own:
        raise ServerRestoredError(names=((diary.replica, own),))
    if looks.at_refusals and replica_n < diary.newest_refused():
        raise ServerRestoredError(refusals=True)


def run_healed(diary: Diary, line: Transport, link: ServerLink, run: Callable[[Looks], None]) -> None:
    """Run a sync, and heal the server where it turns out that it was restored.

    `run` is told what to look for. A log that shrank is looked at as such until the server had nothing to
    state; then the check of the feed raises its alarm.

    Raises:
        PeerError: As `run` does; or the server was restored over and over.
    """
    looks, shows, was_unknown = Looks(), True, False
    found = ServerRestoredError()
    for _ in range(HEALINGS_MAX):
        try:
            if shows and diary.is_showing_due():
                with answering(diary, _RESTORED):
                    show_lost(diary, line, link)
            shows = True
            run(looks)
            if not diary.is_showing_due():
                diary.note_answered()
                return
        except (ServerRestoredError, PlaceTakenError) as suspected:
            found = _found(suspected)
            # What is read anew comes back by itself; only what is lost after that is shown.
            shows = not found.anew
            with answering(diary, found.suspicion):
                looks = _looks_after(diary, line, link, looks, found)
        except NotEnrolledError:
            if was_unknown:
                raise
            was_unknown = True
            require_key(line.url, line.server().key, link.key)  # what it lost is shown to no other server
            with answering(diary, _UNKNOWN):
                heal(diary, line, link, ServerRestoredError())
    with answering(diary, found.suspicion):
        raise ServerRestoredError


def _found(suspected: ServerRestoredError | PlaceTakenError) -> ServerRestoredError:
    """Return what a server is suspected of: giving a place twice, it lost a row or has two logs (R43)."""
    if isinstance(suspected, ServerRestoredError):
        return suspected
    first = next(iter(suspected.heads))
    fault = FeedFaultError(
        "log_forked", f"a place in the log of contract {first} was given twice", suspected.evidence
    )
    fault.contract = first
    return ServerRestoredError(heads=suspected.heads, fault=fault)


def _looks_after(
    diary: Diary, line: Transport, link: ServerLink, looks: Looks, found: ServerRestoredError
) -> Looks:
    """Heal the server; return what is still to be looked for, now that it stated something or nothing.

    Raises:
        FeedFaultError: It has nothing to state of a fault.
        PeerError: As `heal` does.
    """
    if found.refusals:
        show_refused(diary, line, link)
        return replace(looks, at_refusals=False)
    looks = replace(looks, at_heads=found.anew or heal(diary, line, link, found))
    if found.fault is not None and not looks.at_heads:
        # What it signed once it may never show again.
        diary.raise_alarm(found.fault)
        diary.note_answered()
        raise found.fault from found
    return looks


def heal(diary: Diary, line: Transport, link: ServerLink, found: ServerRestoredError) -> bool:
    """Have the server state where its logs go on, then show it all that it lost; False: it states nothing.

    Raises:
        PeerError: The server cannot be reached, does not take it now, or states what is not to be believed.
    """
    openings = list(found.openings)
    if not openings:
        names = found.names or diary.to_show(found.heads)
        for showing in _provoking(diary, names, link):
            openings = _show(diary, line, link, showing)
            if openings:
                break
    if not openings:
        return False
    diary.take_openings(openings, link.key)
    with answering(diary, _RESTORED):
        show_lost(diary, line, link)
    return True


def show_lost(diary: Diary, line: Transport, link: ServerLink) -> None:
    """Show everything that the server lost and this diary can prove.

    What was sealed and billed comes before the rows that would have it sealed and billed anew (R57, R61). At
    last the server is told that this was all: until then it gives out no number.
    """
    for showing in diary.bills_to_show(link.key):
        if openings := _show(diary, line, link, showing):
            raise ServerRestoredError(openings=openings)
    for showing in diary.showings(diary.lost_by_server(), link.key):
        openings = _show(diary, line, link, showing)
        if openings:  # restored once more, in the middle of it
            raise ServerRestoredError(openings=openings)
    show_refused(diary, line, link)
    if openings := _show(diary, line, link, Showing(), is_all=True):
        raise ServerRestoredError(openings=openings)
    diary.note_all_shown()


def show_refused(diary: Diary, line: Transport, link: ServerLink) -> None:
    """Show what the server refused for good: it is to answer those names alike, whatever it lost (R40)."""
    for showing in diary.refusals_to_show(link.key):
        openings = _show(diary, line, link, showing)
        if openings:
            raise ServerRestoredError(openings=openings)


def _provoking(diary: Diary, names: Sequence[Name], link: ServerLink) -> Iterator[Showing]:
    """Yield what a server that lost it must answer with a statement; in the end heads and an earlier one."""
    yield from diary.showings(names, link.key)
    heads = diary.newest_heads()
    if heads or diary.newest_opening() is not None:
        yield Showing(heads=heads)


def _show(
    diary: Diary, line: Transport, link: ServerLink, showing: Showing, *, is_all: bool = False
) -> list[SignedOpening]:
    """Show some of what was lost; return the statements that this diary does not have yet."""
    predecessor = diary.predecessor()
    replica = predecessor.replica if predecessor else diary.replica
    token = predecessor.token if predecessor else diary.token
    token_hash = hashlib.sha256(token.encode()).hexdigest()
    nonce = line.nonce().nonce
    if showing.rows:
        diary.note_shown(showing, link.url)
    answer = line.heal(
        Heal(
            account=diary.account,
            replica=replica,
            nonce=nonce,
            token_hash=token_hash,
            signature=diary.sign_healing(replica, heal_payload(diary.account, replica, nonce, token_hash)),
            rows=showing.rows,
            pushes=showing.pushes,
            answers=list(showing.answers.values()),
            pages=[
                ShownPage(
                    contract=page.contract,
                    first=page.first,
                    leaves=page.leaves or b"",
                    signature=page.signature,
                )
                for page in showing.pages.values()
            ],
            opening=diary.newest_opening(),
            log_epoch=diary.log_epoch(),
            seals=showing.seals,
            invoices=showing.invoices,
            heads=showing.heads,
            is_all=is_all,
        )
    )
    return answer.openings
