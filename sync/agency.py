"""An agency's copies: one of each contract that its manager reads, in a folder of its own (SPEC, section 1).

A copy is what `diary join` makes, by the same code. A contract that is granted anew after its member left
gets another copy; the earlier one stays what it was.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from diary.agency_copies import folder_of, folders
from diary.clock import Clock
from diary.contracts import Contract
from diary.diary import Diary
from diary.errors import PeerError, UsageError
from diary.sealing.invitation import Link
from diary.sealing.keyring import KeyPlace
from sync.engine import Engine, NotRegisteredError
from sync.join import join
from sync.report import Progress
from sync.transport import Transport


class ElsewhereError(UsageError):
    """The member's contract lies at another server than the agency's account (R61)."""

    says = (
        "This link leads to {link}, and your agency is registered with {own}: a bill is made by one server."
    )
    mend = "To read the contract without billing it: diary --home DIR join LINK."


class NotForUsError(UsageError):
    """The link lets in somebody else than this agency's manager (R51)."""

    says = "This link invites {whom}, not your agency's manager; what it opened lies in {folder}."
    mend = "Ask your member for a link by: diary agency grant CONTRACT {account}."


@dataclass(frozen=True, slots=True)
class CopySync:
    """What became of one copy's sync: how many rows came, or why none."""

    title: str
    pulled: int
    fault: PeerError | None


def take_in(
    diary: Diary,
    link: Link,
    place: KeyPlace,
    *,
    name: str,
    client: str,
    progress: Callable[[Progress], None] | None = None,
    ask_passphrase: Callable[[], str] | None = None,
) -> Contract:
    """Join a member's contract as the agency's manager, and put it on the agency's bill (R51, R61).

    `place` is where the copy's keys are to lie. Sent to the server at once.

    Raises:
        NotRegisteredError: The agency is registered with no server.
        ElsewhereError: The contract lies at another one.
        NotForUsError: The link is another's; the copy stays, and nothing is billed.
        PeerError: The server cannot be reached, or lets nobody in.
    """
    own = diary.server()
    if own is None:
        raise NotRegisteredError
    if own.key != link.server_key:
        raise ElsewhereError(link=link.server_url, own=own.url)
    folder = folder_of(diary.home, link)
    folder.mkdir(parents=True, exist_ok=True)
    with Transport(own.url) as line:
        copy, _ = join(
            folder,
            link,
            line,
            clock=diary.clock,
            place=place,
            name=diary.device_name,
            progress=progress,
            ask_passphrase=ask_passphrase,
        )
        with copy:
            (seat,) = (seat for seat in copy.joined(link.contract) if seat.replica == copy.replica)
            if seat.agency != diary.account:
                whom = "the client" if seat.agency is None else "another agency's manager"
                raise NotForUsError(whom=whom, folder=folder, account=diary.account)
            found = next(iter(copy.contracts()))
        diary.put_on_bill(link.account, link.contract, name=name, client=client)
        Engine(diary, line).run()
    return found


def sync_copies(
    home: Path, *, clock: Clock, ask_passphrase: Callable[[], str] | None = None
) -> Iterator[CopySync]:
    """Bring each copy up to date, and say of each what came; one that was turned away stops no other."""
    for folder in folders(home):
        with Diary.open(folder, clock=clock, ask_passphrase=ask_passphrase) as copy:
            title = next((one.title for one in copy.contracts()), folder.name[:8])
            link = copy.server()
            if link is None:
                continue
            try:
                with Transport(link.url) as line:
                    yield CopySync(title, Engine(copy, line).run().pulled, None)
            except PeerError as fault:
                yield CopySync(title, 0, fault)
