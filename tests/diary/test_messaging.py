"""Writing messages in one diary: what is refused, what waits, what can be read back (R44, R46, R68)."""

from pathlib import Path

import pytest

from diary.contracts import UnknownContractError
from diary.messaging import (
    BadLinkError,
    EmptyMessageError,
    FilesTooLargeError,
    NewFile,
    NoCallError,
    TooLongMessageError,
)
from diary.rules.ids import ContractId
from diary.rules.message import FILE_BYTES_MAX
from tests.hostile_texts import TEXTS
from tests.practice import practice_diary
from tests.rule import rule


@rule("R68")
def test_what_anybody_may_write_comes_back_as_it_was(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path)
    with diary:
        for text in TEXTS:
            if text.strip():
                diary.send_message(contract.id, text)
        shown = diary.conversation(contract.id).messages
        wanted = [text for text in TEXTS if text.strip()]
        assert [one.text for one in shown] == [
            text.replace("\r\n", "\n").encode("utf-8", "replace").decode().strip() for text in wanted
        ]
        assert {one.state for one in shown} == {"waiting"}


@rule("R44")
@rule("R68")
def test_limits_are_said_by_name_and_nothing_is_written(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path)
    small = NewFile("a", "text/plain", b"a")
    large = NewFile("film.mp4", "video/mp4", bytes(FILE_BYTES_MAX + 1))
    with diary:
        with pytest.raises(EmptyMessageError):
            diary.send_message(contract.id, " \n ")
        with pytest.raises(TooLongMessageError, match="8000 characters; this one has 8001"):
            diary.send_message(contract.id, "x" * 8001)
        with pytest.raises(FilesTooLargeError, match="these are 9"):
            diary.send_message(contract.id, "files", [small] * 9)
        with pytest.raises(FilesTooLargeError, match=r"“film\.mp4” has 16\.8 MB"):
            diary.send_message(contract.id, "", [large])
        with pytest.raises(UnknownContractError):
            diary.send_message(ContractId("0" * 32), "hello")
        assert diary.conversation(contract.id).messages == ()
        assert diary.status().unsynced == 0


@rule("R68")
def test_an_address_of_a_call_is_https_and_can_be_taken_away(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path)
    with diary:
        with pytest.raises(NoCallError):
            diary.call(contract.id)
        for link in ("http://meet.example/", "javascript:alert(1)", "meet.example", "https://a@b.example/"):
            with pytest.raises(BadLinkError):
                diary.set_call(contract.id, link)
        diary.set_call(contract.id, "https://meet.example/orchard")
        assert diary.call(contract.id) == "https://meet.example/orchard"
        diary.set_call(contract.id, "")
        with pytest.raises(NoCallError):
            diary.call(contract.id)


@rule("R46")
@rule("R68")
def test_nothing_of_a_message_lies_open_in_the_file(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path)
    with diary:
        diary.send_message(
            contract.id, "a pomegranate", [NewFile("medlar.txt", "text/x-rowan", b"damson" * 9)]
        )
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for secret in (b"pomegranate", b"medlar", b"rowan", b"damson"):
        assert secret not in stored
