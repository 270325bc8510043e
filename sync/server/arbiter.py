"""One pushed version, what is held, and the instant: a decision (R37, R40, R44, R50).

This file decides; it never asks the time, the disk or the network. The order of the checks is part of the
protocol: the name first, so that a lost reply changes nothing (R40); then whose it is and of what shape;
then what the rules say about it (`diary.rules.change`). `Books` are what one push can depend on; a version
that was accepted is entered into them, so that its neighbours see it.
"""

from dataclasses import dataclass, field

import msgspec

from diary.evidence import device_list
from diary.evidence.list_leaf import check_leaf
from diary.evidence.receipt import Receipt, Refusal
from diary.evidence.seats import JoiningError, Seats
from diary.rules.act_change import REVIEW_MILLIS, InvoiceName, Said, refused_act, refused_payment
from diary.rules.act_parts import VersionName
from diary.rules.acts import ACT_TYPES, accepted_slots, redactions
from diary.rules.change import Allowed, decide
from diary.rules.change import Refused as RefusedByRule
from diary.rules.contract import TermsHistory, versions_of
from diary.rules.devices import DeviceListInClear, ListedDevice
from diary.rules.ids import AccountId, ContractId, Millis, Place, ReplicaId, Slot
from diary.rules.merge import Held, ended_by
from diary.rules.parties import wrong_side
from diary.rules.payments import contract_of
from diary.rules.seat import SEAT_TYPES, types_of
from diary.rules.segment import Header
from sync.protocol import MESSAGE_BODY_BYTES_MAX, PICTURE_BYTES_MAX
from sync.server.pushed import Pushed

# What the device mends by itself and sends again, perhaps under the same name: never stored (R40).
PASSING_REASONS = frozenset({"clock_unsure", "slot_in_future", "clock_ahead", "quota"})

# What stands in the account's own log beside the device lists, for its devices to write.
OWN_TYPES = frozenset({"grant", "membership"})


class Known(msgspec.Struct, frozen=True):
    """What was answered to a name before (R40)."""

    header_hash: bytes
    body_hash: bytes
    answer: Receipt | Refusal


class Answered(msgspec.Struct, frozen=True):
    """The name is known with this content: its first answer stands (R40)."""

    answer: Receipt | Refusal


class Accepted(msgspec.Struct, frozen=True):
    """The version enters the log of its contract, which it may open.

    `destroys` are the names whose content goes with it (R25, R35): its own too, when a version that
    descends from it, or a greater life, came first.
    """

    header: Header
    destroys: tuple[tuple[ReplicaId, int], ...] = ()


class Refused(msgspec.Struct, frozen=True):
    """The version does not enter; `stored` says whether its name is answered so for ever (R40)."""

    reason: str
    because: str
    stored: bool


Decision = Answered | Accepted | Refused


@dataclass(slots=True)
class Books:
    """What one push can depend on, as it stands; `accept` enters what was accepted.

    `written` is, for each device that a pushed list revokes, the greatest n that stands in the logs.
    `contracts` are those of the pushed ones that the account has, `foreign` those that others have;
    `standing` holds every version of each pushed place, in log order. `seats` are invitations and seats of
    the contracts in which they matter, `acts` what the parties said there; `is_seats` says that a client's
    seat pushes (R51). `review_ms` is the length of a review here and `reviews`
    that of weeks whose invoices say it (R62), `invoices` what may be paid (R63).
    """

    account: AccountId
    replica: ReplicaId
    devices: DeviceListInClear | None
    known: dict[int, Known] = field(default_factory=dict)
    standing: dict[Place, list[Held]] = field(default_factory=dict)
    contracts: set[ContractId] = field(default_factory=set)
    foreign: set[ContractId] = field(default_factory=set)
    written: dict[ReplicaId, int] = field(default_factory=dict)
    terms: dict[ContractId, TermsHistory] = field(default_factory=dict)
    seats: dict[ContractId, Seats] = field(default_factory=dict)
    acts: dict[ContractId, list[Held]] = field(default_factory=dict)
    is_seats: bool = False
    review_ms: int = REVIEW_MILLIS
    reviews: dict[str, int] = field(default_factory=dict)
    invoices: dict[ContractId, dict[InvoiceName, str]] = field(default_factory=dict)
    _listed: ListedDevice | None = None

    def __post_init__(self) -> None:
        """Look the pushing replica up in the device list."""
        self._list(self.devices)

    def _list(self, devices: DeviceListInClear | None) -> None:
        self.devices = devices
        self._listed = None if devices is None else device_list.device(devices, self.replica)

    def ends(self, header: Header) -> frozenset[ReplicaId]:
        """Return the seats whose right ends with this version: none with most (R51)."""
        there = self.seats.get(header.contract)
        return frozenset() if there is None else there.ended_by(header)

    def counts(self, n: int) -> bool:
        """Return whether the device list counts the pushing replica's version `n` (R50)."""
        return self._listed is not None and device_list.counts_at(self._listed, n)

    def lists(self, replica: ReplicaId) -> bool:
        """Return whether the device list names the replica, revoked or not."""
        return self.devices is not None and device_list.device(self.devices, replica) is not None

    def accept(self, pushed: Pushed, header: Header, receipt: Receipt) -> None:
        """Enter an accepted version: what comes after it in the same push is judged by it."""
        self.known[header.n] = Known(pushed.header_hash, pushed.body_hash, receipt)
        self.contracts.add(header.contract)
        at_ms = Millis(receipt.received_at_ms)
        if header.slot is not None:  # a capture or an entry, which says nothing of what follows
            self.standing.setdefault((header.contract, header.slot), []).append(Held(header, at_ms))
            return
        if header.devices is not None and header.in_own_log:
            self._list(header.devices)
        if header.grant is not None or header.seat is not None:
            there = self.seats.setdefault(header.contract, Seats())
            there.learn(header, pushed.text.encode(), pushed.body or b"", at_ms)
        if header.type in ACT_TYPES:
            self.acts.setdefault(contract_of(header), []).append(Held(header, at_ms))
        if header.type == "terms":
            known = self.terms.get(header.contract)
            if known is not None:
                self.terms[header.contract] = known.followed_by(header, at_ms)
            elif versions := versions_of([(header, at_ms)]):
                self.terms[header.contract] = TermsHistory(versions)

    def refuse(self, pushed: Pushed, refusal: Refusal) -> None:
        """Enter a refusal that is final: a doubled version in the same push gets it too (R40)."""
        self.known[pushed.n] = Known(pushed.header_hash, pushed.body_hash, refusal)


def judge(pushed: Pushed, books: Books, at_ms: Millis) -> Decision:
    """Return what becomes of one version; the books stay as they are (R40)."""
    header = pushed.header
    if header is not None and header.replica != books.replica:
        # Not stored: a name of another replica is not this one's to spoil.
        return Refused("not_yours", "the version bears another replica's name", stored=False)
    known = books.known.get(pushed.n)
    if known is not None:
        return _judge_name(pushed, known)
    if header is None:
        return Refused("bad_header", pushed.fault, stored=pushed.n > 0)
    return _judge_shape(pushed, header, books) or _judge_type(pushed, header, books, at_ms)


def _judge_name(pushed: Pushed, known: Known) -> Decision:
    """Answer as before to the same content, also to a header whose body was destroyed since (R40)."""
    same_body = pushed.body is None or pushed.body_hash == known.body_hash
    if pushed.header_hash == known.header_hash and same_body:
        return Answered(known.answer)
    return Refused("version_reused", "the name was already used for other content", stored=False)


def _judge_shape(pushed: Pushed, header: Header, books: Books) -> Refused | None:
    """Return why the version cannot be this account's, or None."""
    if header.account != books.account:
        return Refused("not_yours", "the version names another account", stored=True)
    if books.is_seats:
        return _judge_seats(pushed, header, books)
    # A device list may be the one that lists its own writer: its check knows whom it lists.
    if not books.counts(header.n) and not (header.type == "device_list" and header.in_own_log):
        return Refused("device_revoked", "the device list does not count this version", stored=True)
    return _judge_content(pushed, header)


def _judge_content(pushed: Pushed, header: Header) -> Refused | None:
    """Return why what the version holds, or names, is not taken, or None (R44)."""
    if header.pictures and any(size > PICTURE_BYTES_MAX for _, size in header.pictures):
        return Refused("too_large", f"a picture has at most {PICTURE_BYTES_MAX} bytes", stored=True)
    if header.type == "message" and len(pushed.body or b"") > MESSAGE_BODY_BYTES_MAX:
        return Refused("too_large", f"a message has at most {MESSAGE_BODY_BYTES_MAX} bytes", stored=True)
    fault = _fault_of_content(pushed, header)
    return Refused("bad_header", fault, stored=True) if fault else None


def _judge_seats(pushed: Pushed, header: Header, books: Books) -> Refused | None:
    """Return why a seat may not write this version, or None (R48, R51)."""
    if header.type not in SEAT_TYPES:
        return Refused("not_yours", f"a client writes no {header.type}", stored=True)
    # A seat that joins is in force by its joining, which is judged by the invitations of its contract.
    if header.type != "joining":
        there = books.seats.get(header.contract)
        seat = there.in_force(header.replica) if there is not None else None
        if seat is None:
            return Refused("not_yours", "a client writes in their own contract only", stored=True)
        if header.type not in types_of(seat.role):
            return Refused("not_yours", f"a {seat.role} writes no {header.type}", stored=True)
    return _judge_content(pushed, header)


def _judge_joining(pushed: Pushed, header: Header, books: Books, at_ms: Millis) -> Decision:
    """Return whether a seat may join; a refusal is never kept: what it names is nobody's yet (R51)."""
    if not books.is_seats or books.lists(header.replica):
        return Refused("not_yours", "that id is a device's", stored=False)
    try:
        there = books.seats.get(header.contract, Seats())
        there.check(header, pushed.text.encode(), pushed.body or b"", at_ms)
    except JoiningError as error:
        return Refused(error.reason, error.what_happened, stored=False)
    return Accepted(header)


def _fault_of_content(pushed: Pushed, header: Header) -> str:
    """Return what is wrong with the content's parts, or an empty string."""
    body, wrap = pushed.body is not None, pushed.wrap is not None
    match header.type:
        case "capture" | "entry":
            # Content that its device already destroyed may stay away: the deletion follows (R25).
            return "" if body == wrap else "content and its key come together or not at all"
        case "terms":
            # A change of nothing but the state seals nothing.
            sealed = header.terms is not None
            return "" if body == wrap == sealed else "terms come with their sealed part"
        case "request" | "acceptance" | "dispute" | "redaction" | "bonus" | "payment" | "membership":
            sealed = header.commit is not None
            return "" if body == wrap == sealed else "what is sealed comes whole, and nothing else does"
        case "message":
            return "" if body and wrap else "a message comes with its sealed part"
        case "grant" | "device_list" | "joining":
            return "" if body and not wrap else f"a {header.type} has a body and no wrap"
        case _:
            return f"this server takes no {header.type}"


def _judge_type(pushed: Pushed, header: Header, books: Books, at_ms: Millis) -> Decision:
    if header.contract in books.foreign:
        return Refused("not_yours", "the contract is another account's", stored=True)
    if header.slot is not None and not header.in_own_log:
        return _judge_segment(header, header.slot, books, at_ms)
    if header.type == "device_list":
        return _judge_device_list(pushed, header, books)
    if header.in_own_log:
        return _judge_own(header, books)
    if header.type == "joining":
        return _judge_joining(pushed, header, books, at_ms)
    return Accepted(header) if header.type in OWN_TYPES else _judge_said(header, books, at_ms)


def _judge_own(header: Header, books: Books) -> Decision:
    """Return whether a row may stand in the account's own log, a device list apart (R49, R50, R61)."""
    if header.type == "payment":
        return _judge_received(header, books)
    if header.type in OWN_TYPES:
        return Accepted(header)
    because = "the account's own log holds device lists, grants, memberships and an agency's payments"
    return Refused("bad_header", because, stored=True)


def _judge_said(header: Header, books: Books, at_ms: Millis) -> Decision:
    """Ask whose the row is to write, then the rules of its type (R8, R10, R38, R48, R54, R62)."""
    history = books.terms.get(header.contract)
    there = books.seats.get(header.contract, Seats())
    refused = wrong_side(header, there.roles, history)
    if refused is None and header.terms is None:
        if header.contract not in books.contracts or history is None:
            return Refused("unknown_contract", "this server has no terms of that contract", stored=True)
        acts = books.acts.get(header.contract, [])
        said = Said(
            acts,
            lambda slot: books.standing.get((header.contract, slot), ()),
            history,
            at_ms,
            review_ms=books.review_ms,
            reviews=books.reviews,
            invoices=books.invoices.get(header.contract, {}),
        )
        refused = refused_act(header, said)
    if refused is not None:
        return Refused(refused.reason, refused.because, stored=True)
    return Accepted(header, _redacted_by(header, there, books, at_ms))


def _judge_received(header: Header, books: Books) -> Decision:
    """Ask the rules about what an agency says in its own log of a payment of its bill (R61, R63)."""
    about = contract_of(header)
    refused = refused_payment(header, books.acts.get(about, []), books.invoices.get(about, {}))
    return Accepted(header) if refused is None else Refused(refused.reason, refused.because, stored=True)


def _redacted_by(header: Header, there: Seats, books: Books, at_ms: Millis) -> tuple[VersionName, ...]:
    """Return the names whose content goes because both parties have now signed its redaction (R54)."""
    if header.redaction is None:
        return ()
    before = books.acts.get(header.contract, [])
    after = redactions([*before, Held(header, at_ms)], there.seats)
    known = redactions(before, there.seats)
    agreed = [
        slot
        for slot in header.redaction.slots
        if after[slot].is_agreed and not (slot in known and known[slot].is_agreed)
    ]
    return tuple(
        held.header.name for slot in agreed for held in books.standing.get((header.contract, slot), ())
    )


def _judge_device_list(pushed: Pushed, header: Header, books: Books) -> Decision:
    """Let the account's list follow the known one in its own log, and go with it in a contract's (R50)."""
    try:
        if header.in_own_log:
            new = device_list.check(header, pushed.text.encode(), pushed.body or b"", books.devices)
            _check_revocations(new, books)
        else:
            check_leaf(header, pushed.body or b"", books.devices)
    except device_list.UnsignedDeviceListError as error:
        return Refused("bad_signature", error.what_happened, stored=True)
    except device_list.DeviceListError as error:
        return Refused("bad_header", error.what_happened, stored=True)
    return Accepted(header)


def _check_revocations(new: DeviceListInClear, books: Books) -> None:
    """Check that no version which every reader has believed would count no more (R50).

    A device may write between the look of who revokes it and the list: then the list is made anew.

    Raises:
        DeviceListError: One would.
    """
    known = books.devices.devices if books.devices is not None else ()
    before = {listed.replica: listed.revoked_from for listed in known}
    for listed in new.devices:
        written, ends = books.written.get(listed.replica, 0), listed.revoked_from
        if ends is not None and ends != before.get(listed.replica) and written >= ends:
            because = f"device {listed.replica} has written up to version {written} by now"
            raise device_list.DeviceListError(number=new.number, because=because)


def _judge_segment(header: Header, slot: Slot, books: Books, at_ms: Millis) -> Decision:
    """Ask the rules about a capture or an entry, and say whose content it ends (R25, R35, R37)."""
    history = books.terms.get(header.contract)
    if header.contract not in books.contracts or history is None:
        return Refused("unknown_contract", "this server has no terms of that contract", stored=True)
    held = books.standing.setdefault((header.contract, slot), [])
    acts = books.acts.get(header.contract)
    accepted = acts is not None and slot in accepted_slots(acts)
    decision = decide(header, held, history, at_ms, accepted=accepted)
    if isinstance(decision, RefusedByRule):
        return Refused(decision.reason, decision.because, stored=decision.reason not in PASSING_REASONS)
    assert isinstance(decision, Allowed)
    return Accepted(header, ended_by(header, decision.stands))
