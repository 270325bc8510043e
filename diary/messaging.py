"""What is written to the other party of a contract: messages, files, what was read, a call's address (R68).

Devices and seats write through the same functions, offline too: what was written waits in the outbox, and is
sealed under the contract's key as everything is. Each is one transaction.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from diary import contracts, conversations, envelope
from diary.errors import NothingError, UsageError
from diary.rules.act_parts import VersionName
from diary.rules.ids import ContractId, Millis, ReplicaId
from diary.rules.message import (
    FILE_BYTES_MAX,
    FILE_NAME_CHARACTERS_MAX,
    FILES_MAX,
    MEDIA_TYPE_CHARACTERS_MAX,
    TEXT_CHARACTERS_MAX,
    is_link,
)
from diary.rules.plain_text import plain_line
from diary.rules.sealed_content import MessageContent, MessageFile
from diary.sealing import row
from diary.state import OpenDiary

_TOLD = "messages told"


class EmptyMessageError(UsageError):
    """A message says something, or brings a file."""

    says = "This message says nothing."
    mend = "Write something, or add a file."


class TooLongMessageError(UsageError):
    """A message has a bound (R44)."""

    says = "A message has at most {most} characters; this one has {found}."
    mend = "Send it in parts, or as a file."


class FilesTooLargeError(UsageError):
    """A message's files have bounds (R44)."""

    says = "A message takes at most {count} files of {megabytes} MB each: {because}."
    mend = "Send them in several messages, or make them smaller."


class BadLinkError(UsageError):
    """A video call's address is not one that may be opened."""

    says = "“{text}” is no address of a video call."
    mend = "It begins with https:// and has at most 2,000 plain characters, without blanks or a user's name."


class NoCallError(NothingError):
    """A contract has no video call."""

    says = "“{title}” has no address of a video call."
    mend = "Either of you can set one: diary call CONTRACT --set https://…"


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file to go with a message: its name, the media type its sender believes it to have, its bytes."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class News:
    """What came and was not told yet: of which contract, how many, and of the last who wrote it and what."""

    contract: ContractId
    title: str
    writer: str
    count: int
    text: str


def send(diary: OpenDiary, contract: ContractId, text: str, files: Sequence[NewFile] = ()) -> VersionName:
    """Write a message; it waits until the server takes it, and nobody can take it back (R68).

    Raises:
        UnknownContractError: There is no such contract.
        EmptyMessageError: It says nothing and brings nothing.
        TooLongMessageError: The text is too long.
        FilesTooLargeError: A file is too large, or there are too many.
    """
    with diary.writing():
        return send_within(diary, contract, text, files)


def send_within(
    diary: OpenDiary, contract: ContractId, text: str, files: Sequence[NewFile] = ()
) -> VersionName:
    """Write a message within the caller's transaction (see `send`)."""
    said = _checked(text)
    if not said and not files:
        raise EmptyMessageError
    _check_files(files)
    return _write(diary, contract, "text", said, files)


def set_call(diary: OpenDiary, contract: ContractId, link: str) -> VersionName:
    """Set the address at which both parties meet by video, "" for none any more (R68).

    Raises:
        UnknownContractError: There is no such contract.
        BadLinkError: It is no https address, or one that hides where it leads.
    """
    if link and not is_link(link):
        raise BadLinkError(text=plain_line(link, 100))
    with diary.writing():
        return _write(diary, contract, "call", link)


def call(diary: OpenDiary, contract: ContractId) -> str:
    """Return the address of a contract's video call.

    Raises:
        NoCallError: It has none.
    """
    with diary.reading():
        found = conversations.conversation(diary, contract)
    if not found.call:
        raise NoCallError(title=found.title)
    return found.call


def mark_read(diary: OpenDiary, contract: ContractId, up_to: VersionName | None = None) -> int:
    """Say that this party has read a contract's messages, up to one of them or all; return how many more.

    The mark is a message too, sealed as every one: the server cannot tell it from another.
    """
    with diary.writing():
        unread = conversations.unread_in(diary, contract)
        names = [said.name for said in unread]
        if up_to is not None:
            names = names[: names.index(up_to) + 1] if up_to in names else []
        if names:
            _write_row(
                diary,
                contract,
                MessageContent(
                    contract=contract, kind="read", written_at_ms=diary.now_ms(), read_up_to=names[-1]
                ),
            )
    return len(names)


def news(diary: OpenDiary) -> tuple[News, ...]:
    """Return what came unread and was not told yet, and note that it is told now.

    Who tells it asks once: what nobody could be shown then stays unread and is no news again.
    """
    with diary.reading():
        waiting = conversations.unread(diary)
    if not waiting:
        return ()
    found: list[News] = []
    with diary.writing():
        told = _told(diary)
        for contract in waiting:
            known = contracts.known(diary).get(contract)
            unread = conversations.unread_in(diary, contract)
            names = [said.name for said in unread]
            first = names.index(told[contract]) + 1 if told.get(contract) in names else 0
            if known is None or first >= len(names):
                continue
            told[contract] = names[-1]
            writer = conversations.writer_says(unread[-1].by, ours=False, client=known.client)
            text = conversations.text_of(diary, names[-1])
            found.append(News(contract, known.title, writer, len(names) - first, text))
        if found:
            diary.keep(_TOLD, {of: list(name) for of, name in told.items()})
    return tuple(found)


def _told(diary: OpenDiary) -> dict[ContractId, VersionName]:
    kept = diary.kept(_TOLD)
    if not isinstance(kept, dict):
        return {}
    return {ContractId(of): (ReplicaId(str(name[0])), int(name[1])) for of, name in kept.items()}


def _checked(text: str) -> str:
    # What no text can be sent as is no character of anybody's.
    said = text.replace("\r\n", "\n").encode("utf-8", "replace").decode().strip()
    if len(said) > TEXT_CHARACTERS_MAX:
        raise TooLongMessageError(most=TEXT_CHARACTERS_MAX, found=len(said))
    return said


def _check_files(files: Sequence[NewFile]) -> None:
    because = ""
    if len(files) > FILES_MAX:
        because = f"these are {len(files)}"
    large = next((one for one in files if len(one.content) > FILE_BYTES_MAX), None)
    if large is not None:
        because = f"“{plain_line(large.name, 60)}” has {len(large.content) / 1_000_000:.1f} MB"
    if because:
        raise FilesTooLargeError(count=FILES_MAX, megabytes=FILE_BYTES_MAX // 1_000_000, because=because)


def _write(
    diary: OpenDiary, contract: ContractId, kind: str, text: str, files: Sequence[NewFile] = ()
) -> VersionName:
    assert kind in {"text", "call"}, "a mark of what was read is written by mark_read"
    contracts.by_id(diary, contract)
    content = MessageContent(
        contract=contract,
        kind="call" if kind == "call" else "text",
        written_at_ms=diary.now_ms(),
        text=text,
    )
    return _write_row(diary, contract, content, files)


def _write_row(
    diary: OpenDiary, contract: ContractId, content: MessageContent, files: Sequence[NewFile] = ()
) -> VersionName:
    """Seal a message and its files under one key, and let it wait to be sent (R41, R47)."""
    at_ms = Millis(content.written_at_ms)
    header = envelope.draw_header(diary, "message", contract)
    if not files:
        envelope.write(diary, header, content, at_ms=at_ms)
        return header.name
    key = secrets.token_bytes(32)
    ciphertexts = [
        row.seal_picture(file.content, row_key=key, place=envelope.picture_place(header, index))
        for index, file in enumerate(files)
    ]
    header = envelope.with_pictures(header, ciphertexts)
    described = tuple(
        MessageFile(
            name=file.name[:FILE_NAME_CHARACTERS_MAX],
            media_type=file.media_type[:MEDIA_TYPE_CHARACTERS_MAX],
            size=len(file.content),
            picture=name,
        )
        for file, (name, _) in zip(files, header.pictures or (), strict=True)
    )
    content = MessageContent(
        contract=contract,
        kind=content.kind,
        written_at_ms=content.written_at_ms,
        text=content.text,
        files=described,
    )
    envelope.write_with_pictures(diary, header, content, ciphertexts, key, at_ms=at_ms)
    return header.name
