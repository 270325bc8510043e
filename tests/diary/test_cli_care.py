"""`backup`, `restore`, `key restore`: a lost machine, a forgotten passphrase, a damaged file (R42, R70)."""

import base64
from pathlib import Path

import pytest

from diary.diary import Diary
from diary.rules.ids import Slot
from diary.sealing.key_tree import DeviceKeys, Root, new_phrase
from diary.sealing.recovery import open_keys, seal_keys
from tests.diary.typed import Typist, typist_with_a_morning
from tests.practice import instant, practice_diary, record_slot, slot
from tests.rule import rule


@pytest.fixture
def typist(tmp_path: Path) -> Typist:
    found = typist_with_a_morning(tmp_path)
    found.clock.put(instant("2026-11-16T10:00Z"))
    return found


def phrase_of(typist: Typist) -> str:
    with Diary.open(typist.home, clock=typist.clock) as diary:
        phrase = diary.phrase()
    assert phrase is not None
    return phrase


def memos(typist: Typist) -> list[str]:
    return [one["memo"] for one in typist.json("week")["segments"]]


def replica(typist: Typist) -> str:
    with Diary.open(typist.home, clock=typist.clock) as diary:
        return diary.replica


@rule("R70")
def test_a_backup_of_a_diary_in_use_is_whole_and_for_its_owner_alone(typist: Typist, tmp_path: Path) -> None:
    file = tmp_path / "backup.diary"
    with Diary.open(typist.home, clock=typist.clock) as in_use:
        said = typist.types("backup", str(file))
        in_use.edit([(in_use.contracts()[0].id, slot("2026-11-16T09:00Z"))], memo="Written after it")
    assert f"diary restore {file}" in said.out
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["backup.diary"]
    typist.types("restore", str(file), "--yes")
    assert memos(typist) == ["Invoice page"] * 3


@rule("R42")
@rule("R70")
def test_a_restored_diary_is_a_replica_of_its_own_and_the_other_is_put_aside(
    typist: Typist, tmp_path: Path
) -> None:
    file, before = tmp_path / "backup.diary", replica(typist)
    typist.types("backup", str(file))
    typist.types("edit", "9:00", "--memo", "After the backup")
    said = typist.types("restore", str(file), "--yes").out
    assert memos(typist) == ["Invoice page"] * 3
    assert replica(typist) != before
    (aside,) = typist.home.glob("diary.db.replaced-*")
    assert str(aside) in said
    aside.rename(typist.home / "diary.db")
    assert memos(typist) == ["After the backup", "Invoice page", "Invoice page"]


@rule("R50")
@rule("R70")
def test_on_another_computer_the_phrase_opens_a_backup(typist: Typist, tmp_path: Path) -> None:
    file, phrase = tmp_path / "backup.diary", phrase_of(typist)
    typist.types("backup", str(file))
    other = Typist(tmp_path / "elsewhere", typist.clock)
    wrong = new_phrase(bytes(16))
    assert (
        "another account" in other.types("restore", str(file), "--key-file", given=f"{wrong}\n", says=2).err
    )
    assert not (other.home / "diary.db").exists()
    said = other.types("restore", str(file), "--passphrase", given=f"{phrase}\nopen sesame\n").out
    assert "newest week is 2026-W47" in said
    other.types("week", given="open sesame\n")


@rule("R50")
def test_a_forgotten_passphrase_is_replaced_by_the_phrase(tmp_path: Path) -> None:
    typist = typist_with_a_morning(tmp_path)
    phrase = phrase_of(typist)
    (typist.home / "device.key").unlink()
    assert typist.types("week", says=4).err
    assert "The keys are back." in typist.types("key", "restore", "--key-file", given=f"{phrase}\n").out
    assert memos(typist) == ["Invoice page"] * 3
    assert replica(typist) == replica(typist)


@rule("R70")
def test_what_cannot_be_restored_is_said_and_changes_nothing(typist: Typist, tmp_path: Path) -> None:
    file = tmp_path / "backup.diary"
    before = memos(typist)
    assert "no such file" in typist.types("restore", str(file), "--yes", says=4).err
    file.write_bytes(b"something else entirely" * 100)
    assert "cannot be restored" in typist.types("restore", str(file), "--yes", says=4).err
    file.unlink()
    typist.types("backup", str(file))
    assert "already" in typist.types("backup", str(file), says=2).err
    half = file.read_bytes()
    file.write_bytes(half[: len(half) // 2 // 4096 * 4096])
    assert "cannot be restored" in typist.types("restore", str(file), "--yes", says=4).err
    assert memos(typist) == before
    assert not list(typist.home.glob("diary.db.replaced-*"))


@rule("R70")
def test_a_diary_that_is_open_or_anothers_does_not_give_way(typist: Typist, tmp_path: Path) -> None:
    file = tmp_path / "backup.diary"
    typist.types("backup", str(file))
    with Diary.open(typist.home, clock=typist.clock):
        assert "open in another program" in typist.types("restore", str(file), "--yes", says=6).err
    diary, clock, _ = practice_diary(tmp_path / "another", "2026-11-16T10:00Z")
    diary.close()
    other = Typist(tmp_path / "another" / "diary", clock)
    phrase = phrase_of(typist)
    said = other.types("restore", str(file), "--key-file", "--yes", given=f"{phrase}\n", says=2).err
    assert "another account" in said
    other.types("status")


@rule("R19")
@rule("R70")
def test_a_damaged_diary_gives_way_to_a_backup_and_is_kept(typist: Typist, tmp_path: Path) -> None:
    file = tmp_path / "backup.diary"
    typist.types("backup", str(file))
    path = typist.home / "diary.db"
    raw = bytearray(path.read_bytes())
    raw[4096:8192] = bytes(4096)
    path.write_bytes(raw)
    for beside in typist.home.glob("diary.db-*"):
        beside.unlink()
    typist.types("restore", str(file), "--yes")
    assert memos(typist) == ["Invoice page"] * 3
    assert list(typist.home.glob("diary.db.replaced-*"))


@rule("R46")
@rule("R50")
def test_a_backup_shows_nothing_without_the_phrase(typist: Typist, tmp_path: Path) -> None:
    file = tmp_path / "backup.diary"
    typist.types("backup", str(file))
    raw = file.read_bytes()
    key_file = (typist.home / "device.key").read_text().strip().removeprefix("workdiary-keys-1:")
    keys = base64.b64decode(key_file)
    parts = [keys[at : at + 32] for at in range(0, 96, 32)]
    for secret in (b"Invoice page", b"Orchard", b"Design", key_file.encode(), *parts):
        assert secret not in raw


@rule("R50")
def test_sealed_device_keys_open_by_their_own_root_only() -> None:
    keys = DeviceKeys(bytes([1]) * 32, bytes([2]) * 32, bytes([3]) * 32)
    root, other = (Root.from_phrase(new_phrase(bytes([seed]) * 16)) for seed in (1, 2))
    sealed = seal_keys(keys, root.recovery_public, root.account)
    assert open_keys(sealed, root) == keys
    for bad, by in ((sealed, other), (sealed[:-1] + bytes([sealed[-1] ^ 1]), root), (b"", root)):
        with pytest.raises(Exception, match="do not open"):
            open_keys(bad, by)


@rule("R25")
@rule("R70")
def test_a_backup_holds_no_room_that_destroyed_contents_left_and_restoring_it_gives_that_back(
    typist: Typist, tmp_path: Path
) -> None:
    file = tmp_path / "backup.diary"
    with Diary.open(typist.home, clock=typist.clock) as diary:
        contract = diary.contracts()[0]
        places = [
            record_slot(diary, contract, Slot(slot("2026-11-16T10:00Z") + at), picture=bytes([at]) * 100_000)
            for at in range(30)
        ]
        diary.remove(places)
    before = (typist.home / "diary.db").stat().st_size
    typist.types("backup", str(file))
    assert file.stat().st_size < before / 5
    typist.types("restore", str(file), "--yes")
    assert (typist.home / "diary.db").stat().st_size < before / 5
    assert memos(typist) == ["Invoice page"] * 3
