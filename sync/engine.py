"""One sync: the exchange's effects, carried out between the diary and the line (R37d, R40, R41, R45, R48).

The line's requests run in threads of their own, two pushes at a time at most, but for the first, beside which
there is nothing to do; everything that touches the diary stays in the caller's thread, to which it belongs.
A run that fails anywhere has stored only what is true, and is simply begun again: what was still on the line
is asked about by its name.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from typing import assert_never

import msgspec

from diary.billing_methods import ToldBilling, ToldMethod, event_of, state_of
from diary.diary import Diary
from diary.errors import UsageError
from diary.evidence.opening import FIRST_EPOCH
from diary.evidence.receipt import Cursor, Page, read_answer
from diary.exchanging import OlderCopyError, ReadyPush, ServerLink
from diary.good_standing import Suspension
from diary.rules.ids import AccountId, ContractId, Millis, Slot
from diary.store.sending import Due
from sync.exchange import (
    PUSHES_UNDER_WAY_MAX,
    Answered,
    Ask,
    DeskEffect,
    Event,
    FetchPicture,
    Finish,
    Grant,
    Granted,
    LineEffect,
    ListPictures,
    OutboxRead,
    PagesCame,
    PictureDone,
    PicturesListed,
    Push,
    Read,
    SendPicture,
    Settle,
    Settled,
    Take,
    Taken,
    begin,
    cursors_after,
    step,
)
from sync.fetching import Fetches
from sync.healing import Looks, check_own, check_whole, run_healed, suspecting
from sync.money_messages import Billing
from sync.protocol import PUSH_BYTES_MAX, Invoices, Pull, PullAnswer, PushAnswer
from sync.report import Progress, SyncReport, Tally
from sync.succession import message_of, succeed
from sync.transport import Transport, UnreachableError
from sync.uploading import Upload, Uploads

SWEPT_WITHIN_SECONDS = 1.0  # a fast line is never waited for so long: then all is swept out at the end
CLOCK_SAMPLE_MS = 5_000  # an answer that took longer says little about the server's clock

Came = PullAnswer | PushAnswer | bytes | Upload | bool


class NotRegisteredError(UsageError):
    """The diary belongs to no server yet (R50)."""

    says = "This diary is not registered with a server."
    mend = "Everything stays on this device until then. Register it: diary register URL."


@dataclass(slots=True)
class _Desk:
    """What lies between line and diary during one run."""

    cursors: dict[ContractId, Cursor]
    log_epoch: int = FIRST_EPOCH
    looks: Looks = field(default_factory=Looks)
    pages: deque[list[Page]] = field(default_factory=deque)
    queue: deque[Due] = field(default_factory=deque)
    tried: set[int] = field(default_factory=set)
    ready: ReadyPush | None = None
    message: bytes = b""  # of what lies ready: made while the line is busy, since then the server waits
    under_way: deque[ReadyPush] = field(default_factory=deque)
    answers: deque[tuple[ReadyPush, PushAnswer]] = field(default_factory=deque)
    copy_checked: bool = False
    no_room: bool = False


class Engine:
    """Syncs one diary with its server, as often as `run` is called.

    `progress` is told after each answer. Diary and engine belong to one thread.
    """

    def __init__(
        self, diary: Diary, line: Transport, *, progress: Callable[[Progress], None] | None = None
    ) -> None:
        self._diary = diary
        self._line = line
        # The pace of the line is kept from run to run.
        self._uploads = Uploads(line, diary.clock)
        self._fetches = Fetches(line, diary.clock)
        self._progress = progress
        self._tally = Tally()
        self._desk = _Desk({})

    def run(self) -> SyncReport:
        """Sync once (see the module).

        Raises:
            NotRegisteredError: There is no server to sync with.
            PeerError: The server cannot be reached, or cannot be trusted.
            MachineError: The diary cannot be written.
        """
        link = self._diary.server()
        if link is None:
            raise NotRegisteredError
        self._tally = Tally()
        alarms = len(self._diary.alarms())
        with self._diary.noting_sync():
            run_healed(self._diary, self._line, link, partial(self._sync, link))
            self._diary.judge_seals()
            self._bill(link)
        raised = len(self._diary.alarms()) - alarms
        return self._tally.report(len(self._diary.pictures_to_send()), self._diary.cursors(), raised)

    def _bill(self, link: ServerLink) -> None:
        """Fetch the invoices where there may be new ones, and hold them to the diary's own rows (R61)."""
        if self._diary.are_invoices_wanted():
            asked_ms = self._diary.now_ms()
            self._fetch_bills(link, None, self._diary.invoices_whole_up_to())
            for agency, last in self._diary.agencies().items():
                self._fetch_bills(link, agency, last)
            self._diary.note_invoices_asked(asked_ms)
        self._diary.judge_invoices()

    def _fetch_bills(self, link: ServerLink, agency: AccountId | None, last: int) -> None:
        """Fetch the invoices behind a number: the account's own, or what an agency bills of its contracts."""
        issued: int | None = None
        while issued is None or last < issued:
            asked = Invoices(account=self._diary.account, after=last, issuer=agency)
            answer = self._line.invoices(asked)
            self._diary.take_invoices(answer.invoices, link.key, agency=agency)
            issued = answer.issued if answer.last > last else last
            last = max(last, answer.last)

    @property
    def tried(self) -> frozenset[int]:
        """Return the rows of the outbox that the last run sent, whatever was answered."""
        return frozenset(self._desk.tried)

    def _sync(self, link: ServerLink, looks: Looks) -> None:
        succeed(self._diary, self._line, link.key, looks_at_heads=looks.at_heads)
        try:
            self._once(link, looks)
        except OlderCopyError:
            # Found before anything was sent: the file goes on as a replica of its own (R42).
            self._diary.renew()
            succeed(self._diary, self._line, link.key, looks_at_heads=looks.at_heads)
            self._once(link, looks)

    def _once(self, link: ServerLink, looks: Looks) -> None:
        self._desk = _Desk(self._diary.cursors(), self._diary.log_epoch(), looks)
        self._line.authorise(self._diary.account, self._diary.replica, self._diary.token)
        try:
            with (
                self._diary.destroying_later(),
                ThreadPoolExecutor(PUSHES_UNDER_WAY_MAX, thread_name_prefix="line") as pool,
            ):
                self._drive(pool, link)
        except UnreachableError:
            self._uploads.pace = self._uploads.pace.after_break()
            raise

    def _drive(self, pool: ThreadPoolExecutor, link: ServerLink) -> None:
        exchange, effects = begin(grants_wanted=self._diary.are_grants_wanted())
        assert effects == [Ask()], "a run begins by asking"
        # There is nothing to do beside the first question, and mostly nothing after it: it needs no thread.
        came, took_ms = self._timed(self._request(Ask()))
        exchange, effects = step(exchange, self._came(Ask(), came, took_ms, link))
        self._tell()
        desk: deque[DeskEffect | Finish] = deque()
        line: deque[tuple[LineEffect, Future[tuple[Came, int]]]] = deque()
        while True:
            for effect in effects:
                if isinstance(effect, Ask | Push | SendPicture | FetchPicture):
                    line.append((effect, pool.submit(self._timed, self._request(effect))))
                else:
                    desk.append(effect)
            if desk:
                work = desk.popleft()
                if isinstance(work, Finish):
                    return
                event = self._work(work, link)
            else:
                assert line, "with an empty desk something is on the line"
                asked, coming = line.popleft()
                came, took_ms = self._result_of(coming)
                event = self._came(asked, came, took_ms, link)
                self._tell()
            exchange, effects = step(exchange, event)

    def _result_of(self, coming: Future[tuple[Came, int]]) -> tuple[Came, int]:
        """Wait for what the line brings; what fell is swept out before the wait becomes long (R25)."""
        while not wait((coming,), timeout=SWEPT_WITHIN_SECONDS).done:
            self._diary.finish_destroying()
        return coming.result()

    # On the line.

    def _request(self, effect: LineEffect) -> Callable[[], Came]:
        """Return the request as a function of nothing: all that it needs of the diary is read here."""
        desk, line = self._desk, self._line
        match effect:
            case Ask():
                # Once a run: what comes while it lasts, the next one asks about.
                awaited = [] if desk.copy_checked else self._diary.awaited_pictures()
                pull = Pull(
                    account=self._diary.account,
                    cursors=desk.cursors,
                    roots={} if desk.copy_checked else self._diary.roots(),
                    rows_max=self._uploads.pace.pull_rows,
                    log_epoch=desk.log_epoch,
                    awaited=awaited,
                    overlapping_from=self._diary.overlapping_from(),
                    billing=not desk.copy_checked and self._diary.is_billing_due(),
                    moved_from_ms=self._diary.moved_from_ms(),
                )
                return lambda: line.pull(pull)
            case Push():
                assert desk.ready is not None, "a push is sent when it lies ready"
                desk.under_way.append(desk.ready)
                desk.ready, message = None, desk.message
                return lambda: line.push(message)
            case SendPicture() if desk.no_room:
                return lambda: "no_room"
            case SendPicture(name):
                ciphertext = self._diary.sealed_picture(name)
                return lambda: self._uploads.send(name, ciphertext)
            case FetchPicture(name):
                return lambda: self._fetches.fetch(name)
            case _:
                assert_never(effect)

    def _timed(self, request: Callable[[], Came]) -> tuple[Came, int]:
        began_ms = self._diary.clock.monotonic_ms()
        came = request()
        return came, self._diary.clock.monotonic_ms() - began_ms

    # What came.

    def _came(self, asked: LineEffect, came: Came, took_ms: int, link: ServerLink) -> Event:
        desk = self._desk
        match asked:
            case Ask():
                assert isinstance(came, PullAnswer), "an ask is answered with pages"
                return self._pages_came(came, took_ms)
            case Push():
                assert isinstance(came, PushAnswer), "a push is answered"
                pushed = desk.under_way.popleft()
                desk.answers.append((pushed, came))
                self._uploads.pace = self._uploads.pace.after_push(len(pushed.names), pushed.size, took_ms)
                return Answered()
            case SendPicture(name):
                if came == "whole":
                    size = len(self._diary.sealed_picture(name) or b"")
                    self._diary.picture_sent(name, link.url, size)
                    self._tally.pictures_sent += 1
                # Each further one would only be carried there to be turned away: next run (R44).
                desk.no_room = came == "no_room"
                return self._picture_done(asked if came == "unfinished" else None)
            case FetchPicture(name):
                if came is False:
                    self._diary.picture_absent(name)
                elif isinstance(came, bytes) and self._diary.keep_picture(name, came):
                    self._tally.pictures_fetched += 1
                return self._picture_done(asked if came is True else None)
            case _:
                assert_never(asked)

    def _picture_done(self, unfinished: SendPicture | FetchPicture | None) -> PictureDone:
        return PictureDone(rows_wait=self._rows_wait(), unfinished=unfinished)

    def _pages_came(self, answer: PullAnswer, took_ms: int) -> Event:
        desk = self._desk
        if desk.looks.at_heads or answer.openings:
            check_whole(self._diary, answer, desk.cursors)  # before anything is sent (R43)
        if not desk.copy_checked:
            # Once a run, and before anything is pushed (R42, R43).
            check_own(self._diary, answer.replica_n, desk.looks)
            self._diary.check_copy(answer.replica_n)
            desk.copy_checked = True
            if answer.clock_sure and took_ms <= CLOCK_SAMPLE_MS:
                here_ms = self._diary.clock.now_ms() - took_ms // 2
                self._diary.note_server_clock(answer.server_ms - here_ms)
            self._diary.correct_slots()
            self._diary.note_standing(_suspension(answer))
            if answer.billing is not None:
                self._diary.note_billing(told_billing(answer.billing, self._diary.account))
        if answer.overlapping is not None:
            slots = [slot for told in answer.overlapping.values() for slot in told]
            self._diary.note_overlapping(answer.overlapping_from or Slot(0), slots)
        if answer.arrived:
            self._diary.pictures_arrived(answer.arrived)
        if not answer.more:
            self._diary.require_whole(answer.pages, desk.cursors)
        rows = sum(len(page.rows) + len(page.seals) for page in answer.pages)
        desk.cursors = cursors_after(desk.cursors, answer.pages)
        if answer.pages:
            desk.pages.append(answer.pages)
        self._uploads.pace = self._uploads.pace.after_pull(took_ms)
        return PagesCame(pages=len(answer.pages), rows=rows, more=answer.more)

    # At the desk.

    def _work(self, effect: DeskEffect, link: ServerLink) -> Event:
        diary, desk = self._diary, self._desk
        match effect:
            case Take():
                with suspecting(diary, desk.looks) as spared:
                    taken = diary.take_pages(desk.pages.popleft(), spared=spared)
                self._tally.pulled += taken.rows
                return Taken(new_devices=taken.new_devices)
            case Grant():
                diary.grant_missing()
                return Granted()
            case Read():
                desk.ready = self._next_push(link)
                if desk.ready is None:
                    return OutboxRead(versions=0)
                beside = self._uploads.pace.is_fast and all(map(desk.ready.is_apart_from, desk.under_way))
                return OutboxRead(versions=len(desk.ready.names), beside=beside)
            case Settle():
                return self._settle(link)
            case ListPictures():
                return PicturesListed(
                    to_send=tuple(picture.name for picture in diary.pictures_to_send()),
                    to_fetch=tuple(picture.name for picture in diary.pictures_to_fetch()),
                )
            case _:
                assert_never(effect)

    def _next_push(self, link: ServerLink) -> ReadyPush | None:
        """Return the next push, signed; None when all that may be sent was tried in this run."""
        desk = self._desk
        while True:
            if not desk.queue:
                desk.queue.extend(due for due in self._diary.due() if due.id not in desk.tried)
            if not desk.queue:
                return None
            ids: list[int] = []
            room = PUSH_BYTES_MAX
            while desk.queue and len(ids) < self._uploads.pace.push_versions:
                if ids and desk.queue[0].size > room:
                    break
                due = desk.queue.popleft()
                ids.append(due.id)
                room -= due.size
            desk.tried.update(ids)
            push = self._diary.sign_push(ids, link.url)
            # What was removed since it was listed is not there to be sent: then the next ones are read.
            if push.names:
                desk.message = msgspec.json.encode(message_of(self._diary.account, push))
                return push

    def _rows_wait(self) -> bool:
        return any(due.id not in self._desk.tried for due in self._diary.due())

    def _settle(self, link: ServerLink) -> Event:
        push, answer = self._desk.answers.popleft()
        answers = read_answer(answer.answers, bytes.fromhex(link.key))
        with suspecting(self._diary, self._desk.looks) as spared:
            settled = self._diary.settle(push, answers, answer.answers, answer.heads, spared=spared)
        self._tally.settled(settled)
        self._desk.cursors = self._diary.cursors()
        return Settled(behind=settled.behind, sealed_anew=settled.sealed_anew > 0)

    def _tell(self) -> None:
        if self._progress is not None:
            self._progress(self._tally.progress(len(self._desk.queue)))


def told_billing(billing: Billing, account: AccountId) -> ToldBilling:
    """Return what the server told of how clients pay, as the diary keeps it (R11)."""
    methods = (ToldMethod(one.payer, state_of(one.state), Millis(one.at_ms)) for one in billing.methods)
    moved = (event_of(msgspec.structs.asdict(one), account) for one in billing.moved)
    known = tuple(event for event in moved if event is not None)
    return ToldBilling(
        billing.gateway, state_of(billing.otherwise), tuple(methods), known, tuple(billing.said)
    )


def _suspension(answer: PullAnswer) -> Suspension | None:
    told = answer.suspended
    return None if told is None else Suspension(Millis(told.since_ms), told.because)
