"""`diary message`, `messages` and `call` at the command line (R68)."""

from pathlib import Path

import pytest

from diary.rules.file_name import free_name, safe_file_name
from tests.diary.typed import Typist, typist_with_a_morning
from tests.hostile_texts import TEXTS
from tests.rule import rule


@pytest.fixture
def typist(tmp_path: Path) -> Typist:
    return typist_with_a_morning(tmp_path)


@rule("R68")
def test_a_message_is_written_listed_and_waits(typist: Typist, tmp_path: Path) -> None:
    assert "no messages yet" in typist.types("messages", says=1).err
    plan = tmp_path / "plan.txt"
    plan.write_bytes(b"three trees\n")
    said = typist.types("message", "Orchard", "Good morning", "--file", str(plan))
    assert said.out == (
        "Written to the other party of Orchard website, with 1 file; "
        "it waits until the diary is registered: diary register URL.\n"
    )
    typist.types("message", "Orchard", "-", given="From a pipe\nin two lines\n")
    shown = typist.types("messages", "Orchard").out
    assert "you (waiting to be sent):\n    Good morning\n    [file] plan.txt (12 bytes)" in shown
    assert "    From a pipe\n    in two lines\n" in shown
    assert typist.types("messages").out.startswith("Orchard website: 2, all read; last 2026-11-16T")
    found = typist.json("messages", "Orchard")
    assert [one["state"] for one in found["messages"]] == ["waiting", "waiting"]
    assert found["messages"][0]["files"] == [
        {"name": "plan.txt", "media_type": "text/plain", "size": 12, "here": True}
    ]
    assert typist.json("messages") == [
        {"contract": "Orchard website", "id": found["id"], "messages": 2, "unread": 0}
    ]


@rule("R68")
def test_only_the_last_are_shown_unless_all_are_asked_for(typist: Typist) -> None:
    for number in range(32):
        typist.clock.put(typist.clock.now_ms() + 1)
        typist.types("message", "Orchard", f"number {number}")
    shown = typist.types("messages", "Orchard").out
    assert shown.startswith("(2 earlier: --all)\n")
    assert "number 1\n" not in shown
    assert "    number 0\n" in typist.types("messages", "Orchard", "--all").out


@rule("R68")
def test_files_are_saved_under_names_that_stay_in_the_folder(typist: Typist, tmp_path: Path) -> None:
    first, second = tmp_path / "a.txt", tmp_path / "sub" / "a.txt"
    second.parent.mkdir()
    first.write_bytes(b"one")
    second.write_bytes(b"two")
    typist.types("message", "Orchard", "both", "--file", str(first), "--file", str(second))
    folder = tmp_path / "saved"
    said = typist.types("messages", "Orchard", "--save", str(folder))
    assert said.err == f"2 files saved in {folder}.\n"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        "a.txt": b"one",
        "a (2).txt": b"two",
    }
    typist.types("messages", "Orchard", "--save", str(folder))
    assert len(list(folder.iterdir())) == 4, "what is there is kept"


@rule("R68")
def test_a_senders_name_for_a_file_leads_nowhere_else(tmp_path: Path) -> None:
    hostile = (
        *TEXTS,
        "../../etc/passwd",
        "..\\..\\x",
        ".bashrc",
        "CON",
        "nul.txt",
        "",
        "   ",
        "/",
        "a" * 5_000,
    )
    for given in hostile:
        name = safe_file_name(given)
        assert name == Path(name).name
        assert not name.startswith(".")
        (tmp_path / name).write_bytes(b"")
    assert safe_file_name("../../etc/passwd") == "_.._etc_passwd"
    assert safe_file_name("nul.txt") == "file nul.txt"
    taken = {"plan.pdf"}
    assert [free_name("Plan.pdf", taken), free_name("plan.pdf", taken)] == ["Plan (2).pdf", "plan (3).pdf"]


@rule("R44")
@rule("R68")
def test_what_cannot_be_sent_is_said_by_name(typist: Typist, tmp_path: Path) -> None:
    assert "says nothing" in typist.types("message", "Orchard", says=2).err
    assert "8000 characters" in typist.types("message", "Orchard", "x" * 8001, says=2).err
    missing = typist.types("message", "Orchard", "see", "--file", str(tmp_path / "none.pdf"), says=2)
    assert "none.pdf cannot be read: No such file or directory." in missing.err
    assert "no contract “Pear”" in typist.types("message", "Pear", "hello", says=2).err
    assert "no messages yet" in typist.types("messages", "Orchard", says=1).err


@rule("R68")
def test_a_call_has_an_address_that_both_parties_can_set(typist: Typist) -> None:
    assert "no address of a video call" in typist.types("call", "Orchard", says=1).err
    assert "no address of a video call" in typist.types("call", "Orchard", "--set", "http://x/", says=2).err
    said = typist.types("call", "Orchard", "--set", "https://meet.example/orchard")
    assert said.out == "Orchard website has this address for video calls from now on.\n"
    assert typist.types("call", "Orchard", "--show").out == "https://meet.example/orchard\n"
    assert "Video call: https://meet.example/orchard" in typist.types("messages", "Orchard").out
    typist.types("call", "Orchard", "--clear")
    assert typist.types("call", "Orchard", says=1).err


@rule("R24")
@rule("R68")
def test_no_text_of_a_message_moves_the_terminal(typist: Typist) -> None:
    for text in TEXTS:
        if text.strip() and not text.startswith("-") and len(text) <= 8_000 and "\0" not in text:
            typist.types("message", "Orchard", "--", text)
    shown = typist.types("messages", "Orchard", "--all").out
    assert not any(sign in shown for sign in "\x1b\u202e\u2066\x07\x9b")
