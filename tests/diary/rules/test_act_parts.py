"""What the parties of a contract say, as headers: read back, or refused (R10, R38, R46, R54, R62)."""

from typing import Any, Literal

import msgspec
import pytest

from diary.rules.act_parts import (
    SLOTS_NAMED_MAX,
    AcceptanceInClear,
    DisputeInClear,
    RedactionInClear,
    RequestInClear,
)
from diary.rules.ids import Slot
from diary.rules.sealed_content import ReasonContent, content_bytes
from diary.rules.segment import Header, MalformedHeaderError, parse_header
from tests.diary.rules.made import ACCOUNT, COMMIT, CONTRACT, LAPTOP, PHONE, SLOT
from tests.rule import rule
from tests.vector_file import vectors


class HeaderCase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One header's text, and whether it is one."""

    name: str
    header: str
    expect: Literal["header", "bad_header"]


class HeaderFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The vectors of the headers that two parties write."""

    about: str
    cases: list[HeaderCase]


CASES = vectors("party_header", HeaderFile).cases


def act(kind: Any, *, sealed: bool = True, **parts: Any) -> Header:
    made = Header(v=1, type=kind, account=ACCOUNT, contract=CONTRACT, replica=PHONE, n=1, head=None, **parts)
    return msgspec.structs.replace(made, epoch=1, commit=COMMIT) if sealed else made


REQUEST = RequestInClear(kind="manual_time", week="2026-W47")
ANSWER = AcceptanceInClear(request=(LAPTOP, 7), allows=False)
LATE = AcceptanceInClear(slots=(SLOT, Slot(SLOT + 1)))
DISPUTE = DisputeInClear(act="raised", slots=(SLOT,))
REDACTION = RedactionInClear(slots=(SLOT,))
NEXT = Slot(SLOT + 1)
WEEK_OF_SLOTS = tuple(map(Slot, range(SLOT, SLOT + SLOTS_NAMED_MAX)))
TOO_MANY = (*WEEK_OF_SLOTS, Slot(WEEK_OF_SLOTS[-1] + 1))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@rule("R46")
def test_a_header_of_the_vectors_is_one_or_none(case: HeaderCase) -> None:
    raw = case.header.encode()
    if case.expect == "header":
        assert parse_header(raw).to_bytes() == raw
    else:
        with pytest.raises(MalformedHeaderError):
            parse_header(raw)


@rule("R10")
@rule("R38")
@rule("R54")
@rule("R62")
@pytest.mark.parametrize(
    "header",
    [
        act("request", request=REQUEST),
        act("request", request=RequestInClear(kind="manual_time")),
        act("request", sealed=False, request=RequestInClear(kind="manual_time", withdraws=(LAPTOP, 7))),
        act("acceptance", acceptance=ANSWER),
        act("acceptance", acceptance=LATE, sealed=False),
        act("dispute", dispute=DISPUTE),
        act("dispute", sealed=False, dispute=DisputeInClear(act="withdrawn", slots=(SLOT,))),
        act("redaction", sealed=False, redaction=REDACTION),
        act("redaction", redaction=RedactionInClear(slots=WEEK_OF_SLOTS)),
    ],
)
def test_what_the_parties_say_is_read_back_as_it_was_written(header: Header) -> None:
    assert parse_header(header.to_bytes()) == header


@rule("R46")
@pytest.mark.parametrize(
    ("header", "says"),
    [
        (act("request"), "carries its own part"),
        (act("request", request=REQUEST, sealed=False), "is sealed"),
        (act("request", request=RequestInClear(kind="manual_time", week="2026-W54")), "written like"),
        (act("request", request=RequestInClear(kind="manual_time", week="W47")), "written like"),
        (act("acceptance"), "carries its own part"),
        (act("acceptance", acceptance=AcceptanceInClear()), "answers a request or names"),
        (act("acceptance", acceptance=AcceptanceInClear(request=(LAPTOP, 7))), "answers a request or names"),
        (act("acceptance", acceptance=AcceptanceInClear(allows=True)), "answers a request or names"),
        (
            act("acceptance", acceptance=msgspec.structs.replace(ANSWER, slots=(SLOT,))),
            "answers a request or names",
        ),
        (act("acceptance", acceptance=AcceptanceInClear(slots=())), "slots are named"),
        (act("dispute"), "carries its own part"),
        (act("dispute", dispute=DISPUTE, sealed=False), "is sealed"),
        (act("dispute", dispute=DISPUTE, commit=COMMIT, sealed=False), "together or not at all"),
        (act("dispute", dispute=DISPUTE, slot=SLOT), "only a capture or an entry"),
        (act("dispute", dispute=DisputeInClear(act="replied", slots=(SLOT, SLOT))), "in order, each once"),
        (act("redaction"), "carries its own part"),
        (act("redaction", redaction=RedactionInClear(slots=(NEXT, SLOT))), "in order, each once"),
        (act("redaction", redaction=RedactionInClear(slots=(Slot(-1),))), "in order, each once"),
        (act("redaction", redaction=RedactionInClear(slots=(Slot(2**28),))), "in order, each once"),
        (
            act("redaction", redaction=RedactionInClear(slots=TOO_MANY)),
            "slots are named",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_and_says_why(header: Header, says: str) -> None:
    with pytest.raises(MalformedHeaderError, match=f"(?i){says}"):
        parse_header(header.to_bytes())


@rule("R46")
def test_a_reason_is_read_back_as_it_was_sealed() -> None:
    reason = ReasonContent(contract=CONTRACT, reason="The tracker was off on the train.")
    assert msgspec.json.decode(content_bytes(reason), type=ReasonContent) == reason
