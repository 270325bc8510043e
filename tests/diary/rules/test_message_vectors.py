"""The vectors that bind Python and JavaScript to one reading of messages (R47, R56, R68)."""

import msgspec
import pytest

from diary.rules.act_parts import VersionName
from diary.rules.ids import Millis
from diary.rules.message import (
    LogPlace,
    Party,
    Said,
    ShownHead,
    State,
    conversation,
    fault_of_content,
    is_link,
)
from diary.rules.sealed_content import MessageContent
from diary.rules.segment import MalformedHeaderError, parse_header
from tests.rule import rule
from tests.vector_file import vectors


class HeaderCase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A header's text, and whether it is one."""

    name: str
    header: str
    expect: str


class LinkCase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An address, and whether it may be opened."""

    text: str
    opens: bool


class ContentCase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a message under a header says, and what is wrong with it."""

    name: str
    header: str
    content: MessageContent
    fault: str | None


class SaidRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message as it opened."""

    name: VersionName
    by: Party
    kind: str
    written_at_ms: Millis
    place: LogPlace | None
    text: str = ""
    read_up_to: VersionName | None = None

    @property
    def said(self) -> Said:
        """Return it as the rules take it."""
        return Said(**msgspec.structs.asdict(self))


class ConversationCase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Messages, and what they amount to for one party."""

    name: str
    ours: Party
    shown: list[ShownHead]
    rows: list[SaidRow]
    order: tuple[VersionName, ...]
    states: list[State]
    unread: int
    newest: VersionName | None
    call: str


class MessageFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The vectors of messages."""

    about: str
    headers: list[HeaderCase]
    links: list[LinkCase]
    contents: list[ContentCase]
    conversations: list[ConversationCase]


FILE = vectors("message", MessageFile)


@rule("R46")
@rule("R68")
@pytest.mark.parametrize("case", FILE.headers, ids=lambda case: case.name)
def test_a_messages_header_says_nothing_of_it(case: HeaderCase) -> None:
    if case.expect == "header":
        assert parse_header(case.header.encode()).to_bytes().decode() == case.header
    else:
        with pytest.raises(MalformedHeaderError):
            parse_header(case.header.encode())


@rule("R68")
@pytest.mark.parametrize("case", FILE.links, ids=lambda case: repr(case.text[:30]))
def test_only_https_addresses_that_hide_nothing_may_be_opened(case: LinkCase) -> None:
    assert is_link(case.text) is case.opens


@rule("R47")
@rule("R68")
@pytest.mark.parametrize("case", FILE.contents, ids=lambda case: case.name)
def test_a_content_fits_its_header_or_is_defective(case: ContentCase) -> None:
    assert fault_of_content(parse_header(case.header.encode()), case.content) == case.fault


@rule("R68")
@pytest.mark.parametrize("case", FILE.conversations, ids=lambda case: case.name)
def test_messages_amount_to_what_the_vectors_say(case: ConversationCase) -> None:
    for rows in (case.rows, case.rows[::-1]):
        found = conversation([row.said for row in rows], case.ours, case.shown)
        assert found.order == case.order
        assert [found.states[name] for name in found.order] == case.states
        assert (found.unread, found.newest, found.call) == (case.unread, case.newest, case.call)
