"""What one device does, told to a server again and again: over disks that fail, and through power cuts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import apsw

from diary.clock import GivenClock
from diary.evidence.receipt import Page
from diary.rules.ids import Millis
from diary.rules.week import slot_at
from diary.sealing.row import picture_name
from sync.protocol import Pull
from sync.server.faults import FaultError
from sync.server.server import Server
from sync.server.settings import Settings
from tests.sync.server.author import Author
from tests.sync.server.conftest import WEDNESDAY
from tests.sync.server.faulty_disk import faulty_disk

SLOT = slot_at(WEDNESDAY) - 3
PART = 5000
A_SECOND_LATER = Millis(WEDNESDAY + 1000)

Answer = str | bool | list[Page]
Act = Callable[[Server], Answer]


@dataclass
class Story:
    """What one device does, from its first request to the removal of a segment."""

    author: Author = field(default_factory=Author)
    acts: list[Act] = field(default_factory=list)

    def __post_init__(self) -> None:
        author = self.author
        kept, removed = author.picture(9000), author.picture(9000)
        self.kept = picture_name(kept)
        captures = author.capture(SLOT, pictures=[kept]), author.capture(SLOT - 1, pictures=[removed])
        self.destroyed = [
            removed[:200],
            *(part[:64] for part in (captures[1].body, captures[1].wrap) if part),
        ]
        enrolment = author.enrol(author.terms(), author.grant())
        pushes = [
            author.push(*captures, author.entry(SLOT, memo="kept"), author.capture(SLOT)),
            author.push(author.entry(SLOT, memo="again")),
            author.push(author.entry(SLOT - 1, life=1)),
        ]
        self.acts = [
            lambda server: server.enrol(enrolment).answers.text,
            lambda server: server.push(self.token, pushes[0]).answers.text,
            lambda server: self.upload(server, kept),
            lambda server: self.upload(server, removed),
            lambda server: server.push(self.token, pushes[1]).answers.text,
            lambda server: server.push(self.token, pushes[2]).answers.text,
        ]

    @property
    def token(self) -> str:
        return self.author.authorization["Authorization"]

    def upload(self, server: Server, picture: bytes) -> bool:
        """Send a picture as a device does: from where the server says that it goes on."""
        name = picture_name(picture)
        try:
            held = server.picture_part(self.token, name)
            while not held.whole:
                part = picture[held.size : held.size + PART]
                held = server.take_picture(self.token, name, held.size, part)
        except FaultError as fault:
            if fault.reason == "not_found":
                return True  # removed meanwhile
            raise
        return server.picture(self.token, name, 0, None).content == picture

    def pull(self, server: Server) -> list[Page]:
        return server.pull(self.token, Pull(account=self.author.account, cursors={})).pages


def started(folder: Path, at_ms: Millis = WEDNESDAY) -> Server:
    return Server.at(Settings(folder=folder), GivenClock(at_ms))


def told(server: Server, story: Story) -> list[Answer]:
    """Tell the story; return what was answered, and in the end what the feeds hold."""
    return [*(act(server) for act in story.acts), story.pull(server)]


def tried(act: Act, server: Server) -> Answer | None:
    """Return what is answered; None where the disk failed and the server said so by its word."""
    try:
        return act(server)
    except FaultError as fault:
        if (fault.status, fault.reason) != (503, "busy"):
            raise
    return None


@dataclass
class Undisturbed:
    """The story over a disk that never fails: its answers, and how many passages it has."""

    key: str
    answers: list[Answer]
    passages: int


def undisturbed(story: Story, folder: Path) -> Undisturbed:
    """Tell the story to a new server in the folder, over a disk that counts and never fails."""
    with faulty_disk() as disk:
        server = started(folder)
        answers = told(server, story)
        server.close()
        return Undisturbed((folder / "server.key").read_text(), answers, len(disk.labels))


def prepared(folder: Path, undisturbed: Undisturbed) -> Path:
    """Return a new server's folder that holds the key of the undisturbed one: answers can be compared."""
    folder.mkdir()
    (folder / "server.key").write_text(undisturbed.key)
    return folder


def check_files(folder: Path, story: Story) -> None:
    """Check that the files hold together, and nothing of what was removed."""
    connection = apsw.Connection(str(folder / "server.db"))
    assert connection.pragma("integrity_check") == "ok"
    connection.close()
    files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    found = [
        (path.name, story.destroyed.index(gone), content.find(gone), len(content))
        for path, content in files.items()
        for gone in story.destroyed
        if gone in content
    ]
    assert not found
