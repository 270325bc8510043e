"""What is sealed of a version: what the machine saw, what the person said, what terms say (R13, R32, R46).

JSON, sealed before it is written anywhere. A place that stands in a content stands in its header too: where
they differ, the segment is defective (R47).
"""

from typing import Literal

import msgspec

from diary.rules.act_parts import VersionName
from diary.rules.ids import ContractId, Millis, Slot
from diary.rules.segment import Stamp

_encoder = msgspec.json.Encoder(order="deterministic")


class MinuteCounts(msgspec.Struct, frozen=True, gc=False, array_like=True, forbid_unknown_fields=True):
    """One tracked minute: counts, or None where the desktop lets no program count (R14)."""

    keystrokes: int | None
    clicks: int | None
    scrolls: int | None
    os_active: bool

    @property
    def is_active(self) -> bool:
        """Return whether any of the four says the user was active (R14)."""
        return bool(self.keystrokes or self.clicks or self.scrolls or self.os_active)

    @property
    def is_counted(self) -> bool:
        """Return whether anything was counted at all; a count of 0 is one (R14)."""
        return any(count is not None for count in (self.keystrokes, self.clicks, self.scrolls))


class Moment(msgspec.Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """When the picture was taken, by every clock the machine has (R20)."""

    wall_ms: Millis
    monotonic_ms: int
    boot: str


class CaptureContent(
    msgspec.Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """What the machine saw in one slot (R13, R14, R16).

    `minutes` has ten items, None for a minute in which tracking was off. `roles` tells for each picture of
    the header, by index: "screen", "thumbnail" or "camera". `no_picture` says why there is none. The place
    (`contract`, `slot`) and the pictures' names stand here again: where they differ from the header's, the
    segment is defective (R47). `zone` is the IANA name of that in which the freelancer read times, so that a
    client can read by it (R5); empty in what was recorded before it was told.
    """

    contract: ContractId
    slot: Slot
    minutes: tuple[MinuteCounts | None, ...]
    application: str
    title: str
    moment: Moment
    masked: bool
    no_picture: str | None
    roles: tuple[Literal["screen", "thumbnail", "camera"], ...]
    picture_names: tuple[str, ...]
    device: str  # the device's name as its owner gave it
    zone: str = ""


class StampedText(msgspec.Struct, frozen=True, gc=False, array_like=True, forbid_unknown_fields=True):
    """A text and when it was typed (R36)."""

    text: str
    stamp: Stamp


class EntryContent(msgspec.Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """What the person said about one slot; None where nothing was ever said (R32, R36)."""

    contract: ContractId
    slot: Slot
    memo: StampedText | None
    label: StampedText | None


class TermsContent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The part of a contract's terms that the server must not see (R46)."""

    title: str
    client: str
    labels: tuple[str, ...]


class ReasonContent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why something is asked, answered, disputed, replied or redacted; may be empty (R10, R54, R62)."""

    contract: ContractId
    reason: str


class MessageFile(msgspec.Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """A file that came with a message: as its sender called it, its size in bytes, its sealed name (R68).

    `picture` is the name that the header gives it at the same place (R47). Name and media type are what the
    sender says: nobody may take them for more.
    """

    name: str
    media_type: str
    size: int
    picture: str


class MessageContent(msgspec.Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """What one party says to the other beside the diary: words and files, or how far it has read (R68).

    `kind` "text": `text` and `files`. "read": the writer's party has read up to the row `read_up_to`. "call":
    `text` is the address at which the parties meet by video, "" for none any more. `written_at_ms` is when
    it was written, by its writer's clock.
    """

    contract: ContractId
    kind: Literal["text", "read", "call"]
    written_at_ms: Millis
    text: str = ""
    files: tuple[MessageFile, ...] = ()
    read_up_to: VersionName | None = None


Content = CaptureContent | EntryContent | TermsContent | ReasonContent | MessageContent


def content_bytes(content: Content) -> bytes:
    """Return the content as it is sealed."""
    return _encoder.encode(content)
