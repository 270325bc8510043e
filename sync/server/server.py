"""The server without its door: everything a request can ask for, as plain calls (R40, R41, R45, R69)."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import msgspec
import structlog

from diary.clock import Clock
from diary.evidence.head import LogHead
from diary.evidence.opening import FIRST_EPOCH, SignedOpening
from diary.evidence.receipt import Cursor, Page
from diary.rules.act_parts import SLOT_END
from diary.rules.ids import AccountId, ContractId, Millis, Slot
from diary.rules.invoice import LIFE, Life
from sync.protocol import (
    AWAITED_MAX,
    CONTRACTS_MAX,
    PROTOCOL_VERSION,
    PULL_ROWS_MAX,
    DeviceLists,
    Enrol,
    Heal,
    HealAnswer,
    Invoices,
    InvoicesAnswer,
    Join,
    Nonce,
    PicturePart,
    Pull,
    PullAnswer,
    Push,
    PushAnswer,
    RootProof,
    ServerFacts,
    Weeks,
    WeeksAnswer,
)
from sync.server import accounts, billing, healing, idle, intake, reading_invoices, reading_weeks, seats
from sync.server.accounts import Caller
from sync.server.blobs import PICTURE_NAME, Blobs
from sync.server.blobs_folder import FolderBlobs
from sync.server.clock_watch import ClockWatch
from sync.server.counting import Counts, Uncounted
from sync.server.faults import (
    NotFoundError,
    RegistrationClosedError,
    TooLargeError,
    UnreadableError,
    again,
)
from sync.server.gateways import paying_of
from sync.server.log import ServerKey
from sync.server.narrowing import narrowed
from sync.server.opening_epochs import open_epochs
from sync.server.pictures import Pictures, Span
from sync.server.rates import Rates
from sync.server.remover import Remover
from sync.server.settings import GatewaySettings, Settings
from sync.server.standings import Standings
from sync.server.storage import Feed, Storage
from sync.server.storage_sqlite import SqliteStorage
from sync.server.turns import Turns

PICTURE_THREADS = 16  # requests for pictures under way at once, 4 MiB each and a picture in memory
PULL_BYTES_MAX = 4 * 1024 * 1024  # one answer stays a few megabytes, whatever its rows are
HEALING_MILLIS = 90 * 24 * 3_600_000  # devices may stay away for months, and thin out their own pictures
_INTEGER_MAX = 2**53  # what JSON, SQL and JavaScript all hold exactly

_log = structlog.get_logger("workdiary.server")


class Server:
    """One server process: storage, pictures, key and clock. Its calls may come from several threads."""

    def __init__(
        self,
        storage: Storage,
        pictures: Pictures,
        key: ServerKey,
        clock: Clock,
        watch: ClockWatch,
        counts: Counts | None = None,
        *,
        takes_new_accounts: bool = True,
        gateway: GatewaySettings | None = None,
        life: Life = LIFE,
    ) -> None:
        self._storage = storage
        self._pictures = pictures
        self._key = key
        self._clock = clock
        self._watch = watch
        self._counts = counts or Uncounted()
        self._counts.watch_clock(watch.is_sure)
        self._standings = Standings(storage.operator)
        self._standings.read()
        self._takes_new_accounts = takes_new_accounts
        self._life = life
        self.rates = Rates()
        self.paying = paying_of(storage, gateway or GatewaySettings(), clock, watch)
        self._nonces = accounts.Nonces(key.secret_for("nonce"))
        self._pushes: Turns[intake.TakenPush] = Turns(storage)
        # Requests for pictures may wait long for an object store: rows must not wait behind them (R41).
        self.picture_threads = ThreadPoolExecutor(PICTURE_THREADS, thread_name_prefix="picture")
        self._remover = Remover(storage.sweep, pictures.remove_doomed)

    @classmethod
    def at(cls, settings: Settings, clock: Clock, counts: Counts | None = None) -> "Server":
        """Return the server whose files lie in the settings' folder, made when it is new."""
        settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        storage = storage_of(settings, clock)
        return cls(
            storage,
            Pictures(storage, _blobs(settings), settings.picture_quota_bytes),
            ServerKey.at(settings.key),
            clock,
            ClockWatch(clock, storage.last_received_ms(), settings.clock_confirmation),
            counts,
            takes_new_accounts=settings.new_accounts == "open",
            gateway=settings.gateway,
            life=settings.life,
        )

    def monotonic_ms(self) -> int:
        """Return a clock that nobody sets, by which requests are counted (R44)."""
        return self._clock.monotonic_ms()

    def facts(self) -> ServerFacts:
        """Return who answers, and its clock."""
        return ServerFacts(
            protocol=PROTOCOL_VERSION, key=self._key.public.hex(), server_ms=self._clock.now_ms()
        )

    def check_ready(self) -> None:
        """Return when a request can be answered now.

        Raises:
            BusyError: The database does not answer.
            ClockUnsureError: The clock is not trusted: nothing new is taken (R6).
        """
        self._storage.last_received_ms()
        self._watch.require_sure()

    def nonce(self) -> Nonce:
        """Return what a root key is to sign within ten minutes (R50)."""
        return self._nonces.at(self._clock.now_ms())

    def device_lists(self, proof: RootProof) -> DeviceLists:
        """Return the newest device list to the root key's holder (R50)."""
        return accounts.device_lists_for(self._storage, self._nonces, proof, self._clock.now_ms())

    def enrol(self, message: Enrol) -> PushAnswer:
        """Open an account, or advance its device list, and admit a replica (R50)."""
        self._require_admitted(message.push.account)
        answer = again(
            lambda: accounts.enrol(self._storage, self._key, self._watch, message, life=self._life)
        )
        self._remover.finish(message.push.account)
        _log.info("enrolled", account=message.push.account, replica=message.push.replica)
        return answer

    def join(self, message: Join) -> PushAnswer:
        """Let a client's seat join a contract by an invitation, and admit it (R51)."""
        answer = again(lambda: seats.join(self._storage, self._key, self._watch, message, life=self._life))
        _log.info("joined", account=message.push.account, replica=message.push.replica)
        return answer

    def _require_admitted(self, account: AccountId) -> None:
        """Raise for an account that is not open here where only those that the operator admitted may be."""
        if self._takes_new_accounts or self._storage.newest_device_list(account) is not None:
            return
        if not self._storage.operator.rule(account).admitted:
            raise RegistrationClosedError(account=account)

    def push(self, authorization: str | None, push: Push) -> PushAnswer:
        """Take a push; answered row by row, after the commit (R40)."""
        taken = self._take(authorization, push)
        self._finish(push, taken)
        return taken.answer

    async def push_in_turn(self, authorization: str | None, push: Push) -> PushAnswer:
        """Take a push as `push` does, together with others that wait; from one event loop only (R40)."""
        swept = partial(intake.swept, self._storage, push.account)
        taken = await self._pushes.take(lambda: self._take(authorization, push), swept)
        if taken.destroyed_any or taken.agencies:
            await asyncio.to_thread(self._finish, push, taken)
        else:
            self._finish(push, taken)
        return taken.answer

    def _take(self, authorization: str | None, push: Push) -> intake.TakenPush:
        """Return what became of the push; until the commit nobody may see it."""
        asking = accounts.caller_for(self._storage, authorization, push.account)
        seat_of = asking.contract if asking.replica == push.replica else None
        # Begun again it changes nothing: what was committed is answered by its name (R40).
        return again(
            lambda: intake.take(self._storage, self._key, self._watch, push, seat_of, life=self._life)
        )

    def _finish(self, push: Push, taken: intake.TakenPush) -> None:
        """Do what follows the commit."""
        if taken.destroyed_any:
            self._remover.finish(push.account)
        billing.post_beside(self._storage, taken.agencies)
        self._counts.pushed(len(push.versions), taken.refusals)
        _log.info("pushed", account=push.account, replica=push.replica, versions=len(push.versions))

    def pull(self, authorization: str | None, pull: Pull) -> PullAnswer:
        """Return what the feeds hold past the cursors (R45)."""
        if len(pull.cursors) > CONTRACTS_MAX:
            raise TooLargeError(what=f"A pull follows at most {CONTRACTS_MAX} feeds.")
        if len(pull.awaited) > AWAITED_MAX:
            raise TooLargeError(what=f"A pull asks about at most {AWAITED_MAX} pictures.")
        if not all(_is_cursor(cursor) for cursor in pull.cursors.values()):
            raise UnreadableError(what="A cursor counts from 0, its epoch from 1.")
        asking = accounts.caller_for(self._storage, authorization, pull.account)
        rows_max = min(max(pull.rows_max, 1), PULL_ROWS_MAX)
        own = asking.contract
        feed = self._storage.feed(
            asking.account, pull.cursors, rows_max, PULL_BYTES_MAX, only=own, roots=pull.roots
        )
        openings: list[SignedOpening] = []
        if any(page.head.log_epoch > max(pull.log_epoch, FIRST_EPOCH) for page in feed.pages):
            openings = self._storage.openings(asking.account, pull.log_epoch)
            if own is not None:
                openings = [narrowed(opening, self._key, own) for opening in openings]
        now_ms = Millis(self._clock.now_ms())
        first: Slot | None = None
        if own is not None and not feed.more and not openings:
            first = seats.first_told(now_ms, pull.overlapping_from)
        return PullAnswer(
            server_ms=now_ms,
            pages=[] if openings else self._proven(feed),
            more=feed.more and not openings,
            replica_n=self._storage.highest_n(asking.account, asking.replica),
            clock_sure=self._watch.is_sure(),
            openings=openings,
            arrived=self._arrived(asking, pull.awaited) if pull.awaited else [],
            overlapping=self._overlapping(asking, first),
            overlapping_from=first,
            suspended=self._standings.told(asking.account) if asking.contract is None else None,
            billing=self.paying.billing(asking, pull.moved_from_ms) if pull.billing else None,
        )

    def weeks(self, authorization: str | None, asked: Weeks) -> WeeksAnswer:
        """Return some weeks of a contract before its log is read (R64)."""
        asking = accounts.caller_for(self._storage, authorization, asked.account)
        return reading_weeks.weeks(self._storage, self._key, asking, asked, Millis(self._clock.now_ms()))

    def invoices(self, authorization: str | None, asked: Invoices) -> InvoicesAnswer:
        """Return the account's invoices, to a seat what is its contract's of them (R61)."""
        asking = accounts.caller_for(self._storage, authorization, asked.account)
        return reading_invoices.invoices(self._storage, self._key, asking, asked)

    def _arrived(self, asking: Caller, awaited: list[str]) -> list[str]:
        arrived = self._pictures.arrived(asking.account, awaited)
        return [name for name in arrived if self._may_see(asking, name)]

    def _may_see(self, asking: Caller, name: str) -> bool:
        """Return whether a picture is one that the caller may know of (R51)."""
        own = asking.contract
        return own is None or (
            PICTURE_NAME.fullmatch(name) is not None
            and self._storage.is_picture_of(asking.account, own, name)
        )

    def _overlapping(self, asking: Caller, first: Slot | None) -> dict[ContractId, list[Slot]] | None:
        if asking.contract is None or first is None:
            return None
        own = asking.contract
        return {own: seats.overlapping(self._storage, asking.account, own, range(first, SLOT_END))}

    def _caller_of_picture(self, authorization: str | None, name: str) -> Caller:
        """Return who asks for a picture, sure that they may know of it.

        Raises:
            NotFoundError: A seat asks for a picture of another contract.
        """
        asking = accounts.caller(self._storage, authorization)
        if not self._may_see(asking, name):
            raise NotFoundError(what="No row that still has its content names this picture.")
        return asking

    def _proven(self, feed: Feed) -> list[Page]:
        """Return the pages with the signatures by which they can be shown: rows and heads (R43, R56)."""
        now_ms = Millis(self._clock.now_ms())
        return [
            msgspec.structs.replace(
                page,
                proof=self._key.page(page.contract, page.rows[0].index, leaves) if page.rows else None,
                signed_head=self._key.head(
                    LogHead(
                        contract=page.contract,
                        log_epoch=page.head.log_epoch,
                        size=page.head.size,
                        root=root.hex(),
                        at_ms=now_ms,
                    )
                ),
            )
            for page, leaves, root in zip(feed.pages, feed.leaves, feed.roots, strict=True)
        ]

    def heal(self, heal: Heal) -> HealAnswer:
        """Take again what a device proves that this server had received (R43)."""
        now_ms = Millis(self._clock.now_ms())
        healed = again(
            lambda: healing.heal(
                self._storage, self._key, self._watch, self._nonces, heal, now_ms, life=self._life
            )
        )
        if healed.destroyed_any:
            self._remover.finish(heal.account)
        billing.post_beside(self._storage, healed.agencies)
        _log.info("healed", account=heal.account, replica=heal.replica, versions=healed.answer.healed)
        return healed.answer

    def say_restored(self) -> int:
        """Open a new epoch for all accounts, since a backup was restored; return how many they are (R43)."""
        return open_epochs(self._storage, self._key)

    def picture_part(self, authorization: str | None, name: str) -> PicturePart:
        """Return what is held of a picture's upload (R41)."""
        asking = self._caller_of_picture(authorization, name)
        return self._pictures.part(asking.account, name)

    def take_picture(self, authorization: str | None, name: str, offset: int, part: bytes) -> PicturePart:
        """Take a part of a picture (R41); a client's seat may bring back one of its contract (R43, R51)."""
        asking = self._caller_of_picture(authorization, name)
        self._standings.require_good(asking.account)
        held = self._pictures.take_part(asking.account, name, offset, part)
        self._counts.picture_moved("in", len(part))
        return held

    def picture(self, authorization: str | None, name: str, first: int, last: int | None) -> Span:
        """Return a whole picture's bytes, `last` included and None to the end (R41)."""
        asking = self._caller_of_picture(authorization, name)
        span = self._pictures.span(asking.account, name, first, last)
        self._counts.picture_moved("out", len(span.content))
        return span

    def tidy(self) -> bool:
        """Finish what a killed process left: destroyed content in old pages, pictures without a row (R25).

        Return whether all of it is done; else it is to be tried again soon.
        """
        self._remover.finish(None)
        if self._watch.is_sure():  # how old a picture is, and what has frozen, is the clock's to say
            now_ms = Millis(self._clock.now_ms())
            idle.do_what_is_due(self._storage, self._key, self._watch, self._life, now_ms)
            self._collect_orphans(Millis(self._clock.now_ms()))
        return not self._storage.doomed(1)

    def _collect_orphans(self, now_ms: Millis) -> None:
        if self._storage.last_opened() > now_ms - HEALING_MILLIS:
            return  # a row that names it may still be healed (R43)
        removed = self._pictures.collect_orphans(now_ms)
        if removed:
            _log.info("orphans collected", pictures=removed)

    def look_at_clock(self) -> None:
        """See a jump of the clock even when nobody asks anything (R6)."""
        self._watch.is_sure()

    def look_at_standings(self) -> None:
        """Read which accounts are suspended (R44)."""
        self._standings.read()

    def close(self) -> None:
        """Release the files."""
        self.picture_threads.shutdown(cancel_futures=True)
        self._remover.close()
        self._pictures.close()
        self._storage.sweep()
        self._storage.close()


def storage_of(settings: Settings, clock: Clock) -> Storage:
    """Return the storage that the settings name: PostgreSQL's driver is loaded only where it is used."""
    if settings.database_url is None:
        return SqliteStorage(settings.database, clock)
    from sync.server.storage_postgres import PostgresStorage

    return PostgresStorage(settings.database_url, clock)


def _blobs(settings: Settings) -> Blobs:
    """Return the place for pictures that the settings name: obstore is loaded only where it is used."""
    if settings.pictures_url is None:
        return FolderBlobs(settings.pictures)
    from sync.server.blobs_s3 import S3Blobs

    return S3Blobs(settings.pictures_url)


def _is_cursor(cursor: Cursor) -> bool:
    return 1 <= cursor.log_epoch < _INTEGER_MAX and 0 <= cursor.size < _INTEGER_MAX
