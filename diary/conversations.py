"""The messages of contracts as they are shown here: opened, in order, with what is known of each (R56, R68).

Everything here reads, within the caller's snapshot or transaction.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from diary import contracts, envelope, seating
from diary.errors import DamageError, NothingError
from diary.rules import message
from diary.rules.act_parts import VersionName
from diary.rules.ids import ContractId, Millis, ReplicaId
from diary.rules.message import Conversation, LogPlace, Party, Said, State
from diary.rules.sealed_content import MessageContent
from diary.rules.seat import SeatRole
from diary.state import OpenDiary
from diary.store import message_rows, pictures, versions
from diary.store.versions import StoredVersion

Roles = Mapping[ReplicaId, SeatRole]
"""Who sits on each seat of a contract; every other writer is a device of the freelancer's."""


class NoFileError(NothingError):
    """A message has no such file, or it is not here."""

    says = "There is no such file in this diary."
    mend = "It may not be fetched yet: sync, and look again."


@dataclass(frozen=True, slots=True)
class FileView:
    """A file of a message: as its sender called it, its size in bytes, whether it is here (R68).

    `sealed_name` is the name by which it is stored and fetched.
    """

    name: str
    media_type: str
    size: int
    sealed_name: str
    is_here: bool


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message: whose, when, what it says, and its state (see `rules.message.State`; R68).

    `writer` is "you", or who else wrote it. `at_ms` is when the server received it, or when it was written
    where it has not. `kind` "call" sets the address of the video call, in `text`. `fault` says what is wrong
    with one that does not open or does not fit its header (R47); nothing of it is shown then.
    """

    name: VersionName
    by: Party
    ours: bool
    writer: str
    kind: str
    at_ms: Millis
    text: str
    files: tuple[FileView, ...]
    state: State
    fault: str


@dataclass(frozen=True, slots=True)
class ConversationView:
    """All messages of a contract, the oldest first, for whoever holds this diary (R68).

    `other` is the other party as it is called. `newest` names the last message that somebody else wrote,
    which a mark of what was read names. `call` is the address of the video call, "" for none; `has_client`
    says that a client has joined, who can read.
    """

    contract: ContractId
    title: str
    other: str
    messages: tuple[MessageView, ...]
    unread: int
    newest: VersionName | None
    call: str
    has_client: bool


def party(diary: OpenDiary, roles: Roles) -> Party:
    """Return whose diary this is."""
    return roles.get(diary.replica, "client") if diary.is_seat else "freelancer"


def writer_says(by: Party, *, ours: bool, client: str) -> str:
    """Return who wrote, as it is shown; `client` is their name, "" where none is known."""
    if ours:
        return "you"
    return (client or "the client") if by == "client" else f"the {by}"


def conversation(diary: OpenDiary, contract: ContractId) -> ConversationView:
    """Return a contract's messages (R68).

    Raises:
        UnknownContractError: There is no such contract.
    """
    known = contracts.by_id(diary, contract)
    roles = seating.seats(diary, contract).roles
    opened = [_opened(diary, stored) for stored in versions.slotless(diary.connection, "message", contract)]
    stands = _stands(diary, contract, roles, [one.said(roles) for one in opened])
    by_name = {one.stored.header.name: one for one in opened}
    return ConversationView(
        contract=contract,
        title=known.title,
        other=known.client or "the client" if not diary.is_seat else "the freelancer",
        messages=tuple(
            by_name[name].view(diary, roles, known.client, stands.states[name]) for name in stands.order
        ),
        unread=stands.unread,
        newest=stands.newest,
        call=stands.call,
        has_client="client" in roles.values(),
    )


def unread(diary: OpenDiary) -> dict[ContractId, int]:
    """Return how many messages of the other party are unread in each contract that has any (R68).

    It opens what came behind the last mark of what was read, and no more: prompts ask it.
    """
    found: dict[ContractId, int] = {}
    for contract in message_rows.contracts(diary.connection):
        count = len(unread_in(diary, contract))
        if count:
            found[contract] = count
    return found


def unread_in(diary: OpenDiary, contract: ContractId) -> list[Said]:
    """Return the other party's unread messages of a contract, the oldest first.

    From the end backwards to the latest message that a mark of ours names: no mark before that one names a
    later message, since it was written before it.
    """
    roles = seating.seats(diary, contract).roles
    ours = party(diary, roles)
    names = message_rows.newest_first(diary.connection, contract)
    at = {name: place for place, name in enumerate(names)}
    end = len(names)
    found: list[Said] = []
    for place, name in enumerate(names):
        if place >= end:
            break
        stored = versions.find(diary.connection, name)
        if stored is None:
            continue
        said = _opened(diary, stored).said(roles)
        if said.by == ours and said.read_up_to is not None:
            end = min(end, at.get(said.read_up_to, end))
        elif said.by != ours and said.kind != "read":
            found.append(said)
    return [said for said in reversed(found) if at[said.name] < end]


def text_of(diary: OpenDiary, name: VersionName) -> str:
    """Return what a message says, "" where it does not open."""
    stored = versions.find(diary.connection, name)
    content = None if stored is None else _opened(diary, stored).content
    return "" if content is None else content.text


def file(diary: OpenDiary, contract: ContractId, sealed_name: str) -> tuple[FileView, bytes]:
    """Return a file of a contract's messages, opened (R47, R68).

    Raises:
        NoFileError: No message names it, or it is not here.
        AlteredPictureError: It does not open.
    """
    from diary.showing import picture

    with diary.reading():
        stored = pictures.find(diary.connection, sealed_name)
        row = None if stored is None else versions.find(diary.connection, stored.version)
        if row is None or row.header.contract != contract or row.header.type != "message":
            raise NoFileError
        opened = _opened(diary, row)
        views = opened.files(diary)
    found = next((view for view in views if view.sealed_name == sealed_name), None)
    if found is None or not found.is_here:
        raise NoFileError
    return found, picture(diary, sealed_name)


@dataclass(frozen=True, slots=True)
class _Opened:
    """A stored message and what it says; `content` is None where `fault` says why nothing of it is shown."""

    stored: StoredVersion
    content: MessageContent | None
    fault: str

    def said(self, roles: Roles) -> Said:
        """Return it as the rules see it; what does not open is a message all the same."""
        stored, content = self.stored, self.content
        return Said(
            name=stored.header.name,
            by=_by(stored, roles),
            kind="text" if content is None else content.kind,
            written_at_ms=stored.written_at_ms if content is None else content.written_at_ms,
            place=_place(stored),
            text="" if content is None else content.text,
            read_up_to=None if content is None else content.read_up_to,
        )

    def view(self, diary: OpenDiary, roles: Roles, client: str, state: State) -> MessageView:
        """Return it as it is shown."""
        stored, content = self.stored, self.content
        by = _by(stored, roles)
        ours = by == party(diary, roles)
        return MessageView(
            name=stored.header.name,
            by=by,
            ours=ours,
            writer=writer_says(by, ours=ours, client=client),
            kind="text" if content is None else content.kind,
            at_ms=stored.received_at_ms or stored.written_at_ms,
            text="" if content is None else content.text,
            files=self.files(diary),
            state=state,
            fault=self.fault,
        )

    def files(self, diary: OpenDiary) -> tuple[FileView, ...]:
        """Return its files, in the sender's order."""
        return tuple(
            FileView(
                file.name,
                file.media_type,
                file.size,
                file.picture,
                (kept := pictures.find(diary.connection, file.picture)) is not None and kept.is_here,
            )
            for file in (self.content.files if self.content is not None else ())
        )


def _opened(diary: OpenDiary, stored: StoredVersion) -> _Opened:
    try:
        content = envelope.content_of(diary, stored)
    except (DamageError, NothingError) as error:
        return _Opened(stored, None, error.what_happened)
    assert isinstance(content, MessageContent), "a message opens to the content of one"
    fault = message.fault_of_content(stored.header, content)
    return _Opened(stored, None if fault else content, f"The message is defective: {fault}." if fault else "")


def _by(stored: StoredVersion, roles: Roles) -> Party:
    return roles.get(stored.header.replica, "freelancer")


def _place(stored: StoredVersion) -> LogPlace | None:
    if stored.received_at_ms is None or stored.log_epoch is None or stored.leaf_index is None:
        return None
    return stored.received_at_ms, stored.log_epoch, stored.leaf_index


def _stands(diary: OpenDiary, contract: ContractId, roles: Roles, said: list[Said]) -> Conversation:
    """Return what the messages amount to, with the heads that the other party was shown."""
    ours = party(diary, roles)
    clients = (replica for replica, role in roles.items() if role == "client")
    theirs = clients if message.other_of(ours) == "client" else _devices(diary)
    shown = message_rows.heads_shown(diary.connection, contract, theirs)
    return message.conversation(said, ours, shown)


def _devices(diary: OpenDiary) -> Iterator[ReplicaId]:
    return (device.replica for device in envelope.device_list(diary).devices)
