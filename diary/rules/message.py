"""What the messages of one contract amount to for one of its parties (R56, R68).

Messages are rows of the contract's log; what they say, and whether one says anything or only how far its
writer's party has read, is sealed. Their order is the log's: those that the server has not received yet stand
last, by when they were written. A message cannot be taken back. Pure.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from diary.rules.act_parts import VersionName
from diary.rules.ids import Millis
from diary.rules.sealed_content import MessageContent
from diary.rules.segment import Header

TEXT_CHARACTERS_MAX = 8_000  # a long letter; sealed it stays far under what the server takes of a message
FILES_MAX = 8  # as many as a header lists
FILE_BYTES_MAX = 16 * 1024 * 1024  # half of what one sealed picture may have: a phone's line carries it
FILE_NAME_CHARACTERS_MAX = 200  # what file systems take
MEDIA_TYPE_CHARACTERS_MAX = 100
LINK_CHARACTERS_MAX = 2_000

Party = Literal["freelancer", "client", "manager"]
"""Who writes: the two parties, and an agency's manager, who reads the contract and writes nothing else."""

State = Literal["waiting", "sent", "delivered", "read", "unread"]
"""Ours: waiting (the server has not received it), sent, delivered (the other party was shown it), read.
Those of others: unread, read."""

LogPlace = tuple[Millis, int, int]
"""When a row was first received, and its log epoch and index: the log's order (R43, R45)."""

ShownHead = tuple[int, int]
"""Log epoch and size of a head that a row of a party names: it was shown all rows before (R56)."""

# In plain characters, without a user's name, and nothing that two readers of addresses read differently.
_LINK = re.compile(
    r"https://[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?(?:[/?#][!#-;=?-\[\]_a-z~]*)?"
)


@dataclass(frozen=True, slots=True)
class Said:
    """One message as it opened: who wrote it, when by their clock, where it stands in the log.

    `place` is None until the server has received it. `text` counts where a call's address is said.
    """

    name: VersionName
    by: Party
    kind: Literal["text", "read", "call"]
    written_at_ms: Millis
    place: LogPlace | None
    text: str = ""
    read_up_to: VersionName | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """A contract's messages for one party: their order, the state of each, how many are unread.

    `newest` is the last message that somebody else wrote, None where nobody did: who has read it says so by
    naming it. `call` is the address at which the parties meet by video, "" for none.
    """

    order: tuple[VersionName, ...]
    states: dict[VersionName, State]
    unread: int
    newest: VersionName | None
    call: str


def other_of(party: Party) -> Party:
    """Return whose reading counts for a party's messages: the client's for the freelancer's, else theirs."""
    return "client" if party == "freelancer" else "freelancer"


def conversation(said: Iterable[Said], ours: Party, shown: Iterable[ShownHead] = ()) -> Conversation:
    """Return what the messages amount to for the party `ours`, in whatever order they come.

    `shown` are the newest heads that rows of the other party name. What a party has read is what stands no
    later than the latest message that any of its marks names: a mark never makes anything unread, and one
    that names what is not there says nothing.
    """
    rows = sorted(said, key=_order)
    at = {row.name: place for place, row in enumerate(rows)}
    read_by_us, read_by_them = (_read_up_to(rows, at, party) for party in (ours, other_of(ours)))
    heads = tuple(shown)
    messages = [row for row in rows if row.kind != "read"]
    states: dict[VersionName, State] = {}
    for row in messages:
        if row.by != ours:
            states[row.name] = "read" if at[row.name] <= read_by_us else "unread"
        else:
            states[row.name] = _state_of_ours(row, is_read=at[row.name] <= read_by_them, heads=heads)
    calls = [row.text for row in messages if row.kind == "call" and (not row.text or is_link(row.text))]
    return Conversation(
        order=tuple(row.name for row in messages),
        states=states,
        unread=sum(state == "unread" for state in states.values()),
        newest=next((row.name for row in reversed(messages) if row.by != ours), None),
        call=calls[-1] if calls else "",
    )


def is_link(text: str) -> bool:
    """Return whether a text is an address that may be opened: https, hiding nothing of where it leads."""
    return len(text) <= LINK_CHARACTERS_MAX and _LINK.fullmatch(text) is not None


def fault_of_content(header: Header, content: MessageContent) -> str | None:
    """Return how an opened message differs from its header or the format, None where it does not (R47)."""
    if content.contract != header.contract:
        return "it was sealed for another contract"
    if [file.picture for file in content.files] != [name for name, _ in header.pictures or ()]:
        return "its files are not those that its header names"
    if (content.kind == "read") != (content.read_up_to is not None):
        return "only a mark of what was read says how far"
    if len(content.text) > TEXT_CHARACTERS_MAX:
        return f"a message has at most {TEXT_CHARACTERS_MAX} characters"
    if any(_is_too_long(file.name, file.media_type) for file in content.files):
        return "the name of a file is too long"
    return None


def _is_too_long(name: str, media_type: str) -> bool:
    return len(name) > FILE_NAME_CHARACTERS_MAX or len(media_type) > MEDIA_TYPE_CHARACTERS_MAX


def _order(row: Said) -> tuple[bool, tuple[int, int, int], tuple[int, VersionName]]:
    return row.place is None, row.place or (0, 0, 0), (row.written_at_ms, row.name)


def _read_up_to(rows: Sequence[Said], at: dict[VersionName, int], party: Party) -> int:
    """Return the place of the last message that a party says it has read; -1 for none."""
    marks = (row.read_up_to for row in rows if row.by == party and row.read_up_to is not None)
    return max((at.get(name, -1) for name in marks), default=-1)


def _state_of_ours(row: Said, *, is_read: bool, heads: Sequence[ShownHead]) -> State:
    if row.place is None:
        return "waiting"
    if is_read:
        return "read"
    _, epoch, index = row.place
    # A later epoch's log begins with the rows that were kept of the earlier ones, in their places (R43).
    was_shown = any(of >= epoch and size > index for of, size in heads)
    return "delivered" if was_shown else "sent"
