"""The pages of messages: a contract's conversation, written, read and with its files (R24, R52, R68)."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from datasette.utils.asgi import BadRequest, NotFound, Response

from datasette_work_diary.edit_form import form_of, led_on
from datasette_work_diary.frame import Handler, crumbs, reading_of, show, viewer_here
from datasette_work_diary.reading import Reading, counted
from datasette_work_diary.uploads import uploaded
from diary.conversations import ConversationView, FileView, MessageView
from diary.diary import Diary
from diary.errors import DiaryError
from diary.json_lists import conversation_json, conversations_json
from diary.rules.act_parts import VersionName
from diary.rules.file_name import safe_file_name
from diary.rules.ids import ContractId, ReplicaId
from diary.rules.message import FILE_BYTES_MAX, FILES_MAX, TEXT_CHARACTERS_MAX

PATH = "/-/diary/messages"
SHOWN_AT_ONCE = 200  # what a browser lays out in a moment; earlier ones are a link away
INLINE_BYTES_MAX = 8 * 1024 * 1024
STATE_WORDS = {"waiting": "Waiting to be sent", "sent": "Sent", "delivered": "Delivered", "read": "Read"}
# By their first bytes, whatever the sender says: nothing that could hold a script is ever shown in its place.
PICTURES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
}
SHOWN_TYPES = frozenset({*PICTURES.values(), "image/webp", "image/avif"})


@dataclass(frozen=True, slots=True)
class FileShown:
    """A file of a message: `href` is empty where it is not here yet, `picture` where it is shown as none."""

    name: str
    about: str
    href: str
    picture: str


@dataclass(frozen=True, slots=True)
class MessageShown:
    """A message as a line of the conversation; `call` is an address that was set, "" elsewhere."""

    id: str
    ours: bool
    writer: str
    when: str
    state: str
    word: str
    text: str
    call: str
    fault: str
    files: tuple[FileShown, ...]


@dataclass(frozen=True, slots=True)
class MessagesPage:
    """A contract's conversation; `earlier` leads to what came before, `newest` is what a mark names."""

    reading: Reading
    contract: ContractId
    title: str
    other: str
    has_client: bool
    messages: tuple[MessageShown, ...]
    earlier: str
    later: bool
    unread: int
    newest: str
    call: str
    characters_max: int = TEXT_CHARACTERS_MAX
    files_max: int = FILES_MAX
    megabytes_max: int = FILE_BYTES_MAX // 1_000_000


@dataclass(frozen=True, slots=True)
class ContractLine:
    """A contract in the list of conversations."""

    href: str
    title: str
    client: str
    says: str
    unread: int


def messages_page(diary: Diary, contract: ContractId, before: int | None) -> MessagesPage:
    """Return the page: the last messages, or those before one by its place."""
    reading = reading_of(diary)
    found = diary.conversation(contract)
    count = len(found.messages)
    end = count if before is None else max(0, min(before, count))
    first = max(0, end - SHOWN_AT_ONCE)
    return MessagesPage(
        reading=reading,
        contract=contract,
        title=found.title,
        other=found.other,
        has_client=found.has_client,
        messages=tuple(_message(found, one, reading) for one in found.messages[first:end]),
        earlier=f"{PATH}/{contract}?before={first}" if first else "",
        later=end < count,
        unread=found.unread,
        newest="" if found.newest is None else _name(found.newest),
        call=found.call,
    )


def _message(found: ConversationView, one: MessageView, reading: Reading) -> MessageShown:
    is_call = one.kind == "call"
    return MessageShown(
        id=_name(one.name).replace("/", "-"),
        ours=one.ours,
        writer="You" if one.ours else one.writer,
        when=reading.instant(one.at_ms),
        state=one.state,
        word=STATE_WORDS[one.state] if one.ours else "New" if one.state == "unread" else "",
        text="" if is_call else one.text,
        call=(one.text or "ended") if is_call else "",
        fault=one.fault,
        files=tuple(_file(found.contract, each) for each in one.files),
    )


def _file(contract: ContractId, file: FileView) -> FileShown:
    href = f"{PATH}/{contract}/file/{file.sealed_name}"
    may_show = file.is_here and file.media_type in SHOWN_TYPES and file.size <= INLINE_BYTES_MAX
    size = f"{file.size / 1_000_000:.1f} MB" if file.size >= 100_000 else f"{file.size:,} bytes"
    return FileShown(
        name=file.name,
        about=size if file.is_here else f"{size}, not here yet",
        href=href if file.is_here else "",
        picture=f"{href}?show=1" if may_show else "",
    )


def _name(name: VersionName) -> str:
    return f"{name[0]}/{name[1]}"


def contract_lines(diary: Diary) -> tuple[Reading, tuple[ContractLine, ...]]:
    """Return every contract with what was written on it."""
    reading, lines = reading_of(diary), []
    for one in diary.contracts():
        found = diary.conversation(one.id)
        last = found.messages[-1] if found.messages else None
        says = "Nothing was written yet." if last is None else f"Last {reading.instant(last.at_ms)}"
        by = "" if last is None else f", by {'you' if last.ours else last.writer}."
        lines.append(ContractLine(f"{PATH}/{one.id}", one.title, one.client, says + by, found.unread))
    return reading, tuple(lines)


async def conversations(datasette: Any, request: Any) -> Any:
    """List the contracts, and what is unread of each (R68); as JSON like `diary messages --json`."""
    room = viewer_here(datasette).room
    if request.url_vars["format"]:
        return Response.json(await room.ask(conversations_json))
    reading, lines = await room.ask(contract_lines)
    context: dict[str, object] = {
        "lines": lines,
        "room": "messages",
        "crumbs_here": crumbs((PATH, "messages")),
    }
    return await show(datasette, request, "conversations", reading, context)


async def conversation(datasette: Any, request: Any) -> Any:
    """Show a contract's messages, and where one is written (R68); all of them as JSON."""
    contract = ContractId(request.url_vars["contract"])
    if request.url_vars["format"]:
        room = viewer_here(datasette).room
        return Response.json(await room.ask(lambda diary: conversation_json(diary.conversation(contract))))
    given = request.args.get("before")
    if given is not None and not (given.isascii() and given.isdecimal() and len(given) < 10):
        raise BadRequest("Earlier messages are named by a number.")
    before = None if given is None else int(given)
    page = await viewer_here(datasette).room.ask(lambda diary: messages_page(diary, contract, before))
    way = crumbs((PATH, "messages"), (f"{PATH}/{contract}", page.title))
    context = {"page": page, "room": "messages", "crumbs_here": way}
    return await show(datasette, request, "messages", page.reading, context)


async def send(datasette: Any, request: Any) -> Any:
    """Write a message; it waits for the next sync, and cannot be taken back (R68)."""
    contract = ContractId(request.url_vars["contract"])
    sent = await uploaded(request)

    def write(diary: Diary) -> None:
        diary.send_message(contract, sent.text("text"), sent.files)

    return await _done(datasette, request, contract, write, "Written; it goes with the next sync.")


async def read(datasette: Any, request: Any) -> Any:
    """Say that a person here has read up to a message (R68)."""
    contract = ContractId(request.url_vars["contract"])
    form = await form_of(request)
    replica, _, n = form.text("newest", 60).partition("/")
    if not (n.isascii() and n.isdecimal()):
        raise BadRequest("A message is named by replica and number.")
    name = (ReplicaId(replica), int(n))
    count = await viewer_here(datasette).room.ask(lambda diary: diary.mark_read(contract, name))
    return led_on(datasette, request, f"{PATH}/{contract}", f"{counted(count, 'message')} marked as read.")


async def set_call(datasette: Any, request: Any) -> Any:
    """Set the address of the contract's video call, or have none any more (R68)."""
    contract = ContractId(request.url_vars["contract"])
    link = (await form_of(request)).text("link", 2_000)

    def write(diary: Diary) -> None:
        diary.set_call(contract, link)

    says = "The address is set for both of you." if link else "There is no address any more."
    return await _done(datasette, request, contract, write, says)


async def _done(datasette: Any, request: Any, contract: ContractId, write: Any, says: str) -> Any:
    """Write, and lead back to the conversation with what came of it."""
    try:
        await viewer_here(datasette).room.ask(write)
    except DiaryError as fault:
        return led_on(datasette, request, f"{PATH}/{contract}", fault.in_full, problem=True)
    return led_on(datasette, request, f"{PATH}/{contract}", says)


async def file(datasette: Any, request: Any) -> Any:
    """Send a file of a message, to be saved; a picture may be shown, by its first bytes alone (R52, R68)."""
    contract, name = ContractId(request.url_vars["contract"]), request.url_vars["name"]
    found, content = await viewer_here(datasette).room.ask(lambda diary: diary.message_file(contract, name))
    headers = {"content-length": str(len(content))}
    if request.args.get("show"):
        kind = picture_type(content)
        if kind is None:
            raise NotFound("This is no picture that may be shown here.")
        return Response(content, content_type=kind, headers=headers)
    called = quote(safe_file_name(found.name), safe="")
    headers["content-disposition"] = f"attachment; filename*=UTF-8''{called}"
    return Response(content, content_type="application/octet-stream", headers=headers)


def picture_type(content: bytes) -> str | None:
    """Return the media type of a picture that a browser shows and does not run, by its first bytes."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:12] in {b"ftypavif", b"ftypavis"}:
        return "image/avif"
    return next((kind for start, kind in PICTURES.items() if content.startswith(start)), None)


_CONTRACT = r"(?P<contract>[0-9a-f]{32})"

ROUTES: list[tuple[str, Handler]] = [
    (rf"^{PATH}(?P<format>\.json)?$", conversations),
    (rf"^{PATH}/{_CONTRACT}(?P<format>\.json)?$", conversation),
    (rf"^{PATH}/{_CONTRACT}/send$", send),
    (rf"^{PATH}/{_CONTRACT}/read$", read),
    (rf"^{PATH}/{_CONTRACT}/call$", set_call),
    (rf"^{PATH}/{_CONTRACT}/file/(?P<name>[0-9a-f]{{64}})$", file),
]
