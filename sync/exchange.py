"""What to send next, given what came back (R40, R41, R45). Pure: no clock, disk, network or chance.

One run of the exchange between a diary and its server, as a machine: `step` takes what happened and returns
the effects to carry out. There are two places of work. The **line** carries requests (`Ask`, `Push`,
`SendPicture`, `FetchPicture`), one at a time but for pushes; the **desk** is the diary (`Take`, `Grant`,
`Read`, `Settle`, `ListPictures`). An effect of the line always stands before those of the desk in the list,
so that the line is busy while the desk writes: the next page is asked for before this one is stored, the
next push is read and signed while this one is under way.

A second push joins the one that is under way where neither needs the other, so that the server judges one
while the next travels: which of them it takes first changes nothing but their places in the log. Whether
that is so is the desk's to say; terms and grants always go alone, since they must be there before the rows
that need them, and what a segment's versions say may depend on the one before. Answers are settled in the
order in which the pushes went.

Pull first: deletions and new terms are learnt before anything is sent. Then rows, then pictures, and rows
again before the next picture when some were written meanwhile (R41). With nothing to do a run is one
request. Every request may be doubled, lost or repeated without harm (R40); a run that broke off is simply
begun again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, assert_never

from diary.evidence.receipt import Cursor, Page
from diary.rules.ids import ContractId

FIRST_PUSH_VERSIONS = 120  # before a line has shown how fast it is
REQUEST_FAST_MS = 1_000  # a request that was answered sooner may grow
REQUEST_SLOW_MS = 10_000  # one that took longer must shrink: what breaks off is sent again
REQUEST_ITEMS_MIN = 10
PUSHES_UNDER_WAY_MAX = 2  # one is judged while the next travels; a third would only wait at the server
PULLS_AFTER_PUSH_MAX = 3  # another device that pushes all the time must not keep this run from ending


# What happened.


@dataclass(frozen=True, slots=True)
class PagesCame:
    """The answer to `Ask`: pages, rows in them, and whether the server has more.

    A page without rows is one to look at all the same: it says that a log shrank (R45).
    """

    pages: int
    rows: int
    more: bool


@dataclass(frozen=True, slots=True)
class Taken:
    """Rows are checked and stored; `new_devices` when the device list grew (R50)."""

    new_devices: bool


@dataclass(frozen=True, slots=True)
class Granted:
    """Keys were granted to the devices that lacked them."""


@dataclass(frozen=True, slots=True)
class OutboxRead:
    """A push lies ready with this many versions; 0 when all that may be sent was sent in this run.

    `beside`: it may be under way beside those that are: neither needs the other.
    """

    versions: int
    beside: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """The push that has been under way for longest was answered."""


@dataclass(frozen=True, slots=True)
class Settled:
    """The answers are stored; `behind` when another device's rows lie between ours in a feed (R45).

    `sealed_anew`: what was stamped ahead of the server's clock waits under a new number (R40).
    """

    behind: bool
    sealed_anew: bool = False


@dataclass(frozen=True, slots=True)
class PicturesListed:
    """What is to be sent and fetched, the most urgent first; names are SHA-256 of the ciphertext."""

    to_send: tuple[str, ...]
    to_fetch: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PictureDone:
    """A picture was sent, fetched or turned away; `rows_wait` when rows may be sent meanwhile (R41).

    `unfinished` is what is to be gone on with where only a part was sent or fetched.
    """

    rows_wait: bool
    unfinished: "SendPicture | FetchPicture | None" = None


Event: TypeAlias = (
    PagesCame | Taken | Granted | OutboxRead | Answered | Settled | PicturesListed | PictureDone
)


# What to do.


@dataclass(frozen=True, slots=True)
class Ask:
    """Line: ask for the rows after the cursors."""


@dataclass(frozen=True, slots=True)
class Push:
    """Line: send the push that lies ready."""


@dataclass(frozen=True, slots=True)
class SendPicture:
    """Line: send one picture, from where its upload stopped, for some seconds."""

    name: str


@dataclass(frozen=True, slots=True)
class FetchPicture:
    """Line: fetch one picture, from where it stopped, for some seconds."""

    name: str


@dataclass(frozen=True, slots=True)
class Take:
    """Desk: check and store the pages that came."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Desk: write grants for devices that lack keys."""


@dataclass(frozen=True, slots=True)
class Read:
    """Desk: read and sign the next push."""


@dataclass(frozen=True, slots=True)
class Settle:
    """Desk: store the answers that came."""


@dataclass(frozen=True, slots=True)
class ListPictures:
    """Desk: say which pictures are to be sent and fetched."""


@dataclass(frozen=True, slots=True)
class Finish:
    """The run is over."""


LineEffect: TypeAlias = Ask | Push | SendPicture | FetchPicture
DeskEffect: TypeAlias = Take | Grant | Read | Settle | ListPictures
Effect: TypeAlias = LineEffect | DeskEffect | Finish


@dataclass(frozen=True, slots=True)
class Exchange:
    """Where a run stands.

    `asking` and `under_way`: a question, and how many pushes, are on the line. `ready`: a push lies signed,
    and `beside` may join them. `exhausted`: the outbox gave nothing more. `behind`: rows of others are known
    to be unread. `pulls_left` bounds how often a push is followed by another pull.
    """

    phase: Literal["pulling", "pushing", "pictures", "done"] = "pulling"
    asking: bool = False
    new_devices: bool = False
    ready: bool = False
    beside: bool = False
    under_way: int = 0
    exhausted: bool = False
    behind: bool = False
    pulls_left: int = PULLS_AFTER_PUSH_MAX
    to_send: tuple[str, ...] = ()
    to_fetch: tuple[str, ...] = ()


class UnexpectedEventError(AssertionError):
    """The driver reported something that it was not told to do: our own mistake."""


Step: TypeAlias = tuple[Exchange, list[Effect]]


def begin(*, grants_wanted: bool = False) -> Step:
    """Return a run at its start and its first effect: learn before sending (R40, R41).

    `grants_wanted`: an earlier run learnt of devices and ended before it granted them keys (R50).
    """
    return Exchange(asking=True, new_devices=grants_wanted), [Ask()]


def step(exchange: Exchange, event: Event) -> Step:
    """Return the run after `event` and what to do next, the line's effect first.

    Raises:
        UnexpectedEventError: The event answers nothing that was asked for.
    """
    match event:
        case PagesCame():
            after = _pages_came(exchange, event)
        case Taken():
            after = _taken(exchange, event)
        case Granted():
            after = _start_pushing(_in(exchange, "pulling"))
        case OutboxRead():
            after = _outbox_read(_in(exchange, "pushing"), event)
        case Answered():
            after = _answered(exchange)
        case Settled():
            after = _settled(_in(exchange, "pushing"), event)
        case PicturesListed():
            listed = replace(_in(exchange, "pictures"), to_send=event.to_send, to_fetch=event.to_fetch)
            after = _next_picture(listed)
        case PictureDone():
            pictures = _in(exchange, "pictures")
            if event.rows_wait:
                after = _start_pushing(pictures)
            else:
                after = (pictures, [event.unfinished]) if event.unfinished else _next_picture(pictures)
        case _:
            assert_never(event)
    return after


def cursors_after(cursors: Mapping[ContractId, Cursor], pages: Iterable[Page]) -> dict[ContractId, Cursor]:
    """Return how far the feeds are read once `pages` are stored (R45).

    Only what the next question needs: that the rows follow each other without holes is for the diary to
    check when it takes them.
    """
    known = dict(cursors)
    for page in pages:
        if page.rows or page.seals:
            epoch = page.head.log_epoch
            read = known.get(page.contract, Cursor(epoch, 0))
            if read.log_epoch != epoch:
                read = Cursor(epoch, 0)
            size = page.rows[-1].index + 1 if page.rows else read.size
            known[page.contract] = Cursor(epoch, size, read.seals + len(page.seals))
    return known


def next_size(items: int, took_ms: int, *, items_max: int) -> int:
    """Return how many versions the next request should carry, given how long the last one took.

    A slow line gets small requests, since one that breaks off is sent again as a whole; a fast one grows
    to `items_max` (R44) within a few requests.
    """
    if took_ms > REQUEST_SLOW_MS:
        return max(REQUEST_ITEMS_MIN, items // 2)
    if took_ms < REQUEST_FAST_MS:
        return min(items_max, items * 2)
    return min(items_max, items)


def _in(exchange: Exchange, phase: str) -> Exchange:
    if exchange.phase != phase:
        raise UnexpectedEventError(f"an event of {phase} while {exchange.phase}")
    return exchange


def _pages_came(exchange: Exchange, event: PagesCame) -> Step:
    if not _in(exchange, "pulling").asking:
        raise UnexpectedEventError("pages that nobody asked for")
    # More without rows would ask the same question for ever: the server has nothing for us then.
    if event.rows and event.more:
        return exchange, [Ask(), Take()]
    if event.pages:
        return replace(exchange, asking=False), [Take()]
    return _pulled(replace(exchange, asking=False))


def _taken(exchange: Exchange, event: Taken) -> Step:
    now = replace(_in(exchange, "pulling"), new_devices=exchange.new_devices or event.new_devices)
    return (now, []) if now.asking else _pulled(now)


def _pulled(exchange: Exchange) -> Step:
    if exchange.new_devices:
        return replace(exchange, new_devices=False), [Grant()]
    return _start_pushing(exchange)


def _start_pushing(exchange: Exchange) -> Step:
    return replace(exchange, phase="pushing", ready=False, exhausted=False, behind=False), [Read()]


def _outbox_read(exchange: Exchange, event: OutboxRead) -> Step:
    if exchange.ready or exchange.exhausted:
        raise UnexpectedEventError("a second push was read before the first one went")
    if not event.versions:
        return _pushed_or_waiting(replace(exchange, exhausted=True))
    ready = replace(exchange, ready=True, beside=event.beside)
    return _sent(ready, [Read()]) if _may_go(ready) else (ready, [])


def _answered(exchange: Exchange) -> Step:
    if not _in(exchange, "pushing").under_way:
        raise UnexpectedEventError("an answer to no push")
    now = replace(exchange, under_way=exchange.under_way - 1)
    # The next push goes out first: the server works while the desk stores the last answers.
    return _sent(now, [Settle(), Read()]) if _may_go(now) else (now, [Settle()])


def _may_go(exchange: Exchange) -> bool:
    """Return whether a push lies ready that may be on the line with those that are."""
    most = PUSHES_UNDER_WAY_MAX if exchange.beside else 1
    return exchange.ready and exchange.under_way < most


def _sent(exchange: Exchange, then: list[Effect]) -> Step:
    return replace(exchange, ready=False, under_way=exchange.under_way + 1), [Push(), *then]


def _settled(exchange: Exchange, event: Settled) -> Step:
    now = replace(exchange, behind=exchange.behind or event.behind)
    if now.exhausted and event.sealed_anew:
        return replace(now, exhausted=False), [Read()]
    return _pushed_or_waiting(now) if now.exhausted else (now, [])


def _pushed_or_waiting(exchange: Exchange) -> Step:
    if exchange.under_way or exchange.ready:
        return exchange, []
    if exchange.behind and exchange.pulls_left:
        again = replace(exchange, phase="pulling", asking=True, pulls_left=exchange.pulls_left - 1)
        return again, [Ask()]
    return replace(exchange, phase="pictures", to_send=(), to_fetch=()), [ListPictures()]


def _next_picture(exchange: Exchange) -> Step:
    if exchange.to_send:
        name, *rest = exchange.to_send
        return replace(exchange, to_send=tuple(rest)), [SendPicture(name)]
    if exchange.to_fetch:
        name, *rest = exchange.to_fetch
        return replace(exchange, to_fetch=tuple(rest)), [FetchPicture(name)]
    return replace(exchange, phase="done"), [Finish()]
