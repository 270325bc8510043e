"""How a diary begins, opens again, and how a second device joins its account."""

from pathlib import Path

import pytest

from diary import beginning, opening, state
from diary.clock import GivenClock
from diary.contracts import UnknownContractError
from diary.diary import Diary
from diary.errors import DamageError
from diary.evidence import device_list
from diary.rules.segment import Sealed
from diary.sealing.key_tree import Root, WrongPhraseError
from diary.sealing.keyring import choose_place
from diary.sealing.local import LocalDamageError
from diary.sealing.passphrase import WrongPassphraseError
from diary.store import meta, versions
from diary.store.connection import DiaryExistsError, connect, create_file
from tests.practice import MONDAY_NINE, instant, practice_diary, record_slot, slot
from tests.rule import rule

PHRASE = "legal winner thank year wave sausage worth useful legal winner thank yellow"
CLOCK = GivenClock(instant(MONDAY_NINE))


def made(home: Path, phrase: str | None = None) -> Diary:
    home.mkdir(parents=True)
    return Diary.create(
        home, clock=CLOCK, place=choose_place(home, "file"), device_name="laptop", phrase=phrase
    )


def newest_list(diary: Diary) -> Sealed:
    return versions.slotless(diary._state.connection, "device_list")[-1].sealed


@rule("R50")
def test_an_account_begins_on_the_device_and_is_named_by_its_phrase(tmp_path: Path) -> None:
    with made(tmp_path / "one", PHRASE) as diary:
        assert diary.account == Root.from_phrase(PHRASE).account
        assert diary.phrase() is None
        assert [device.replica for device in diary.devices()] == [diary.replica]


@rule("R50")
def test_a_new_phrase_makes_the_account_that_it_names(tmp_path: Path) -> None:
    with made(tmp_path / "one") as diary:
        phrase = diary.phrase()
        assert phrase is not None
        assert Root.from_phrase(phrase).account == diary.account


@rule("R33")
def test_an_opened_diary_is_the_same_replica_with_the_same_content(tmp_path: Path) -> None:
    diary, clock, contract = practice_diary(tmp_path)
    with diary:
        place = record_slot(diary, contract, slot(MONDAY_NINE))
        before = diary.segment(place)
        replica = diary.replica
    with Diary.open(diary.home, clock=clock) as again:
        assert again.replica == replica
        assert again.device_name == "practice"
        assert again.segment(place) == before


@rule("R50")
def test_three_right_words_confirm_the_phrase_and_fewer_or_wrong_ones_do_not(tmp_path: Path) -> None:
    with made(tmp_path / "one") as diary:
        words = dict(enumerate((diary.phrase() or "").split(), start=1))
        with pytest.raises(beginning.WrongWordsError):
            diary.confirm_phrase({1: words[1], 2: words[2]})
        with pytest.raises(beginning.WrongWordsError, match="Word 3"):
            diary.confirm_phrase({1: words[1], 2: words[2], 3: "no"})
        assert diary.phrase() is not None
        diary.confirm_phrase({1: words[1], 5: words[5].upper(), 12: f" {words[12]} "})
        assert diary.phrase() is None


def test_a_diary_is_never_written_over(tmp_path: Path) -> None:
    made(tmp_path / "one").close()
    with pytest.raises(DiaryExistsError):
        Diary.create(
            tmp_path / "one",
            clock=CLOCK,
            place=choose_place(tmp_path / "one", "file"),
            device_name="another",
        )


def test_an_interrupted_making_is_taken_up_again(tmp_path: Path) -> None:
    home = tmp_path / "one"
    create_file(home)
    connect(home).close()
    with pytest.raises(opening.UnfinishedDiaryError):
        Diary.open(home)
    place = choose_place(home, "file")
    with Diary.create(home, clock=CLOCK, place=place, device_name="laptop") as diary:
        assert diary.device_name == "laptop"


def test_a_device_without_a_name_makes_nothing(tmp_path: Path) -> None:
    home = tmp_path / "one"
    with pytest.raises(beginning.BadDeviceNameError):
        Diary.create(home, clock=CLOCK, place=choose_place(home, "file"), device_name=" ")
    assert not home.exists()


@rule("R49")
def test_a_wrong_passphrase_opens_nothing(tmp_path: Path) -> None:
    place = choose_place(tmp_path, "passphrase", lambda: "correct horse battery")
    Diary.create(tmp_path, clock=CLOCK, place=place, device_name="laptop").close()
    with pytest.raises(WrongPassphraseError):
        Diary.open(tmp_path, ask_passphrase=lambda: "wrong")
    with Diary.open(tmp_path, ask_passphrase=lambda: "correct horse battery") as diary:
        assert diary.device_name == "laptop"


@rule("R50")
def test_a_second_device_is_listed_after_the_first_by_the_root(tmp_path: Path) -> None:
    with made(tmp_path / "one", PHRASE) as first:
        home = tmp_path / "two"
        second = Diary.join_account(
            home,
            clock=CLOCK,
            place=choose_place(home, "file"),
            device_name="desktop",
            phrase=PHRASE,
            device_lists=[newest_list(first)],
        )
        with second:
            assert second.account == first.account
            assert [device.replica for device in second.devices()] == [first.replica, second.replica]
            chain = [newest_list(first), newest_list(second)]
            devices = device_list.check_chain(chain, Root.from_phrase(PHRASE).sign_public)
            assert devices.number == 2
            assert versions.find(second._state.connection, (second.replica, 1)) is not None


@rule("R50")
def test_another_accounts_phrase_and_no_phrase_join_nothing(tmp_path: Path) -> None:
    with made(tmp_path / "one") as first:
        for phrase, fault in ((PHRASE, beginning.WrongAccountError), ("not a phrase", WrongPhraseError)):
            home = tmp_path / "two"
            with pytest.raises(fault):
                Diary.join_account(
                    home,
                    clock=CLOCK,
                    place=choose_place(home, "file"),
                    device_name="desktop",
                    phrase=phrase,
                    device_lists=[newest_list(first)],
                )
            assert not home.exists()


@rule("R49")
def test_a_device_that_learns_the_accounts_key_keeps_what_it_sealed_before(tmp_path: Path) -> None:
    diary, clock, _ = practice_diary(tmp_path)
    with diary:
        diary.set_setting("hold_seconds", 5)
        state.adopt_account_key(diary._state, b"k" * 32)
        assert (diary.device_name, diary.setting("hold_seconds")) == ("practice", 5)
    with Diary.open(diary.home, clock=clock) as again:
        assert again._state.keys.account_key == b"k" * 32
        assert again.device_name == "practice"


@rule("R49")
def test_a_crash_between_file_and_keyring_loses_neither_key(tmp_path: Path) -> None:
    diary, clock, _ = practice_diary(tmp_path)
    with diary:
        old = diary._state.keys
        state.adopt_account_key(diary._state, b"k" * 32)
        # As it stands after the commit, when the place still holds the old key.
        diary._state.place.save(old)
        new, diary._state.keys = diary._state.keys, old
        pending = diary._state.sealed(new.account_key, state.PENDING_ACCOUNT_KEY)
        meta.put(diary._state.connection, state.PENDING_ACCOUNT_KEY, pending)
    with Diary.open(diary.home, clock=clock) as again:
        assert again.device_name == "practice"
        assert again._state.keys.account_key == b"k" * 32
    with Diary.open(diary.home, clock=clock) as once_more:
        assert once_more.device_name == "practice"


def test_keys_of_another_device_open_nothing(tmp_path: Path) -> None:
    diary, _, _ = practice_diary(tmp_path)
    diary.close()
    with made(tmp_path / "other"):
        pass
    (diary.home / "device.key").write_bytes((tmp_path / "other" / "device.key").read_bytes())
    with Diary.open(diary.home) as again:
        with pytest.raises(LocalDamageError):
            _ = again.device_name
        with pytest.raises(DamageError):
            again.contracts()


@rule("R20")
def test_the_clock_is_corrected_by_the_difference_known_for_this_boot(tmp_path: Path) -> None:
    diary, clock, _ = practice_diary(tmp_path)
    with diary:
        diary.note_server_clock(90_000)
        assert diary.now_ms() == clock.now_ms() + 90_000
        clock.boot_id = "the next boot"
        assert diary.now_ms() == clock.now_ms()


def test_an_unknown_contract_is_the_callers_to_mend(tmp_path: Path) -> None:
    diary, _, _ = practice_diary(tmp_path)
    with diary, pytest.raises(UnknownContractError) as fault:
        diary.contract("nothing like it")
    assert fault.value.exit_code == 2
