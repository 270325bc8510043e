"""`init`, `key`, `contract`: how a diary begins."""

import re
from pathlib import Path

import pytest

from diary.clock import GivenClock
from diary.sealing import keyring
from tests.diary.typed import Typist
from tests.practice import MONDAY_NINE, instant
from tests.rule import rule


@pytest.fixture
def typist(tmp_path: Path) -> Typist:
    return Typist(tmp_path / "home", GivenClock(instant(MONDAY_NINE)))


def words_of(said: str) -> list[str]:
    return re.findall(r"^\s*\d+\W+([a-z]+)\s*$", said, re.MULTILINE)


def test_without_a_diary_every_command_says_how_to_make_one(typist: Typist) -> None:
    for words in ((), ("status",), ("week",), ("edit", "9:00", "--memo", "x")):
        assert "diary init" in typist.types(*words, says=1).err


@rule("R49")
def test_a_key_file_is_made_only_when_asked_for_and_said(typist: Typist) -> None:
    said = typist.types("init", "--key-file", "--name", "laptop").out
    assert "laptop" in said
    assert "whoever can read this file can read the diary" in said
    assert (typist.home / "device.key").stat().st_mode & 0o777 == 0o600


@rule("R49")
@pytest.mark.skipif(keyring.has_keyring(), reason="this machine has a keyring, which would be used")
def test_without_a_keyring_the_two_other_ways_are_named(typist: Typist) -> None:
    said = typist.types("init", says=6).err
    assert "--passphrase" in said
    assert "--key-file" in said
    assert not (typist.home / "diary.db").exists()


@rule("R49")
def test_a_passphrase_opens_the_diary_and_another_does_not(typist: Typist) -> None:
    typist.types("init", "--passphrase", given="correct horse\n")
    typist.types("status", given="correct horse\n")
    assert "does not open" in typist.types("status", given="wrong horse\n", says=2).err
    assert typist.types("status", given="", says=2).err


def test_an_empty_passphrase_or_two_places_are_usage_errors(typist: Typist) -> None:
    assert typist.types("init", "--passphrase", given="\n", says=2).err
    assert typist.types("init", "--passphrase", "--key-file", says=2).err
    assert not (typist.home / "diary.db").exists()


def test_a_diary_is_never_written_over(typist: Typist) -> None:
    typist.types("init", "--key-file")
    assert "already" in typist.types("init", "--key-file", says=2).err


@rule("R50")
def test_the_phrase_is_shown_until_three_of_its_words_confirm_it(typist: Typist) -> None:
    typist.types("init", "--key-file")
    words = words_of(typist.types("key", "phrase").out)
    assert len(words) == 12
    assert words_of(typist.types("key", "phrase").out) == words
    assert typist.types("key", "phrase", "--confirm", given="zoo\nzoo\nzoo\n", says=2).err
    assert words_of(typist.types("key", "phrase").out) == words


@rule("R50")
def test_a_confirmed_phrase_is_on_no_device(typist: Typist, monkeypatch: pytest.MonkeyPatch) -> None:
    typist.types("init", "--key-file")
    words = words_of(typist.types("key", "phrase").out)

    class Drawn:
        """Chance that fell on the first three."""

        def sample(self, among: range, count: int) -> list[int]:
            return list(among)[:count]

    monkeypatch.setattr("secrets.SystemRandom", Drawn)
    typist.types("key", "phrase", "--confirm", given="\n".join([*words[:3], ""]))
    assert "no device has it" in typist.types("key", "phrase", says=1).err


@rule("R7")
def test_a_contract_that_is_called_like_another_or_has_no_rate_is_said_to(typist: Typist) -> None:
    typist.types("init", "--key-file")
    assert "bills nothing: diary contract terms" in typist.types("contract", "new", "Orchard").err
    again = typist.types("contract", "new", "orchard", "--rate", "60").err
    assert "2 contracts are called so now." in again
    assert "bills nothing" not in again
    assert not typist.types("contract", "new", "Mill", "--fixed-price").err


@rule("R7")
def test_a_contract_is_made_shown_and_listed(typist: Typist) -> None:
    typist.types("init", "--key-file")
    made = typist.json(
        "contract", "new", "Orchard website", "--client", "Orchard", "--rate", "60.50", "--currency", "EUR",
        "--limit", "40h", "--label", "Design", "--label", "Code", "--manual-allowed", "--label-required",
    )  # fmt: skip
    assert made["title"] == "Orchard website"
    assert (made["rate_minor"], made["currency"], made["limit_minutes"]) == (6050, "EUR", 2400)
    assert (made["labels"], made["manual_allowed"], made["label_required"]) == (
        ["Design", "Code"],
        True,
        True,
    )
    shown = typist.json("contract", "show", made["id"][:6])
    assert {**shown, **made} == shown | {"terms": made["terms"]}
    assert [one["by"] for one in shown["terms"]] == ["freelancer"]
    assert typist.json("contract", "list") == [made]
    assert "60.50 EUR/h" in typist.types("contract", "list").out
    assert "40:00 h a week" in typist.types("contract", "show", "orch").out


@rule("R7")
def test_fixed_price_contracts_are_hidden_until_turned_on(typist: Typist) -> None:
    typist.types("init", "--key-file")
    typist.types("contract", "new", "Cookbook", "--fixed-price")
    assert typist.json("contract", "list") == []
    typist.types("config", "show_fixed_price", "on")
    assert [one["title"] for one in typist.json("contract", "list")] == ["Cookbook"]


@rule("R8")
def test_terms_change_what_is_given_and_leave_the_rest(typist: Typist) -> None:
    typist.types("init", "--key-file")
    typist.types("contract", "new", "Mill", "--rate", "45", "--currency", "EUR", "--limit", "10h")
    changed = typist.json("contract", "terms", "Mill", "--limit", "none", "--rate", "50")
    assert (changed["limit_minutes"], changed["rate_minor"], changed["currency"]) == (None, 5000, "EUR")
    assert len(changed["terms"]) == 2


@rule("R9")
def test_a_contract_is_paused_resumed_and_closed(typist: Typist) -> None:
    typist.types("init", "--key-file")
    typist.types("contract", "new", "Mill")
    for act, state in (("pause", "paused"), ("resume", "active"), ("close", "closed")):
        assert typist.types("contract", act, "Mill").out == f"Mill is {state}.\n"
        assert typist.json("contract", "show", "Mill")["state"] == state


@pytest.mark.parametrize(
    ("words", "because"),
    [
        (("--rate", "sixty"), "60.50"),
        (("--rate", "1.234"), "USD"),
        (("--currency", "dollars"), "three capital letters"),
        (("--limit", "many"), "30m"),
        (("--label-required",), "label"),
    ],
)
def test_terms_that_cannot_be_are_said(typist: Typist, words: tuple[str, ...], because: str) -> None:
    typist.types("init", "--key-file")
    assert because in typist.types("contract", "new", "Mill", *words, says=2).err


def test_an_unknown_contract_is_a_usage_error(typist: Typist) -> None:
    typist.types("init", "--key-file")
    assert "no contract “Nope”" in typist.types("contract", "show", "Nope", says=2).err
