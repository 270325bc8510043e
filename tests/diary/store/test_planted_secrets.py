"""What a person wrote or the screen showed is found in no file as it is, nor sealed once it was removed."""

import secrets
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from diary.diary import Diary
from diary.store import meta, pictures, versions
from tests.diary.answered import pushed
from tests.model.older import say_older, upgrading
from tests.practice import draft_of, practice_diary, record_slot, slot
from tests.rule import rule

MEMO = "planted memo about the yellow submarine"
EDITED = "planted second thoughts on the walrus"
TITLE = "planted title — strawberry fields.odt"
CONTRACT = "planted contract Eleanor Rigby"
CLIENT = "planted client Father McKenzie"
LABEL = "planted label Lucy"
APPLICATION = "planted application octopus"
DEVICE = b"practice"
PICTURE = b"planted picture " + secrets.token_bytes(9000)
WORDS = [text.encode() for text in (MEMO, EDITED, TITLE, CONTRACT, CLIENT, LABEL, APPLICATION)]
NINE = slot("2026-11-16T09:00Z")


def found_in(home: Path, needles: Iterable[bytes]) -> list[tuple[str, bytes]]:
    """Return which needle lies in which file; every file of the folder is read whole, WAL included."""
    texts = {path.name: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    assert texts["diary.db"]
    return [(name, needle[:40]) for needle in needles for name, text in texts.items() if needle in text]


def planted(tmp_path: Path) -> Diary:
    diary, _, contract = practice_diary(
        tmp_path, title=CONTRACT, client=CLIENT, labels=[LABEL], manual_allowed=True
    )
    diary.start(contract.id, MEMO, LABEL)
    draft = draft_of(contract, NINE, memo=MEMO, label=LABEL, title=TITLE, application=APPLICATION)
    diary.keep_draft(draft)
    record_slot(diary, contract, NINE, memo=MEMO, label=LABEL, picture=PICTURE, title=TITLE)
    diary.edit([(contract.id, NINE)], memo=EDITED)
    return diary


def sealed_at(diary: Diary) -> list[bytes]:
    """Return pieces of everything that is sealed of the one recorded segment."""
    connection = diary._state.connection
    held = versions.at_place(connection, diary.contracts()[0].id, NINE)
    whole = [part for stored in held for part in (stored.sealed.body, stored.sealed.wrap) if part]
    for stored in held:
        whole += [pictures.ciphertext(connection, name) or b"" for name, _ in stored.header.pictures or ()]
    whole += [
        row[0]
        for row in connection.execute("SELECT body FROM sealed JOIN history ON history.sealed = sealed.id")
    ]
    pieces = [part[start : start + 32] for part in whole for start in range(0, len(part) - 32, 2048)]
    assert len(pieces) >= len(whole) > 4
    return pieces


@rule("R46")
def test_nothing_that_was_written_or_seen_lies_open_in_any_file(tmp_path: Path) -> None:
    with planted(tmp_path) as diary:
        assert found_in(diary.home, [*WORDS, PICTURE[:64], PICTURE[-64:], DEVICE]) == []
        sealed = sealed_at(diary)
        # Where the pages of a picture meet, a piece may lie across two of them.
        assert len(found_in(diary.home, sealed)) >= len(sealed) - 2
        diary.remove([(diary.contracts()[0].id, NINE)])
        assert found_in(diary.home, [*WORDS, PICTURE[:64], DEVICE]) == []


@rule("R25")
def test_what_was_never_sent_leaves_nothing_but_an_unused_number(tmp_path: Path) -> None:
    with planted(tmp_path) as diary:
        sealed = sealed_at(diary)
        diary.remove([(diary.contracts()[0].id, NINE)])
        assert found_in(diary.home, sealed) == []
        assert versions.at_place(diary._state.connection, diary.contracts()[0].id, NINE) == ()
        assert not diary.status().destroying


@rule("R25")
def test_what_was_sent_is_destroyed_with_pictures_and_history_but_its_header_stays(
    tmp_path: Path,
) -> None:
    with planted(tmp_path) as diary:
        place = (diary.contracts()[0].id, NINE)
        connection = diary._state.connection
        for stored in versions.at_place(connection, *place):
            pushed(connection, stored.header.name, "0" * 64)
        diary.edit([place], memo="planted third thought")
        sealed = sealed_at(diary)
        acts = diary.remove([place])
        assert acts.done == (place,)
        assert found_in(diary.home, sealed) == []
        left = versions.at_place(connection, *place)
        assert {stored.sealed.body for stored in left} == {None}
        assert connection.execute("SELECT count(*) FROM picture").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM history").fetchone() == (0,)
    with Diary.open(diary.home, clock=diary.clock) as again:
        assert found_in(diary.home, sealed) == []
        assert again.segment(place) is not None


@rule("R25")
def test_while_a_reader_holds_the_wal_the_diary_says_destroying_and_tries_again(tmp_path: Path) -> None:
    with planted(tmp_path) as diary:
        place = (diary.contracts()[0].id, NINE)
        sealed = sealed_at(diary)
        reader = sqlite3.connect(diary.home / "diary.db", isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM version").fetchone()
        diary.remove([place])
        assert diary.status().destroying
        reader.execute("ROLLBACK")
        reader.close()
        diary.set_setting("hold_seconds", 30)
        assert not diary.status().destroying
        assert found_in(diary.home, sealed) == []


@rule("R25")
@rule("R70")
def test_what_is_removed_goes_from_the_copy_that_an_upgrade_kept_too(tmp_path: Path) -> None:
    diary = planted(tmp_path)
    sealed = sealed_at(diary)
    diary.close()
    say_older(diary.home)
    with upgrading(), Diary.open(diary.home, clock=diary.clock) as upgraded:
        (copy,) = {name for name, _ in found_in(diary.home, sealed)} - {"diary.db"}
        assert copy.startswith("diary.db.before-")
        upgraded.remove([(upgraded.contracts()[0].id, NINE)])
        assert found_in(diary.home, sealed) == []
        assert not upgraded.status().destroying


@rule("R12")
def test_a_removed_draft_is_destroyed(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path)
    with diary:
        diary.keep_draft(draft_of(contract, NINE, picture=PICTURE))
        connection = diary._state.connection
        rows = connection.execute("SELECT bytes FROM draft_block").fetchall()
        sealed = [row[0][20:84] for row in rows]
        diary.remove([(contract.id, NINE)])
        assert len(sealed) == 4  # the text, two of the picture, the thumbnail
        assert found_in(diary.home, sealed) == []


@rule("R50")
def test_a_confirmed_phrase_lies_in_no_file_any_more(tmp_path: Path) -> None:
    diary, _, _ = practice_diary(tmp_path)
    with diary:
        phrase = diary.phrase()
        assert phrase is not None
        sealed = meta.blob(diary._state.connection, "root entropy")
        assert sealed is not None
        assert found_in(diary.home, [phrase.encode(), " ".join(phrase.split()[:2]).encode()]) == []
        diary.confirm_phrase(dict(list(enumerate(phrase.split(), start=1))[2:5]))
        assert diary.phrase() is None
        assert found_in(diary.home, [sealed[12:40]]) == []
