"""Private rules in a real diary: kept, bounded, and sealed like all that a person wrote."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from diary import private_rules
from diary.diary import Diary
from diary.private_rules import BadPrivateRuleError, NoSuchRuleError, TooManyRulesError
from diary.rules.private import PrivateRule
from tests.practice import practice_diary
from tests.rule import rule


@pytest.fixture
def diary(tmp_path: Path) -> Iterator[Diary]:
    opened, _, _ = practice_diary(tmp_path)
    with opened:
        yield opened


@rule("R22")
def test_rules_stand_in_the_order_in_which_they_were_added_and_once(diary: Diary) -> None:
    assert diary.private_rules() == ()
    diary.add_private_rule(application=" KeePassXC ")
    diary.add_private_rule(words="bank")
    diary.add_private_rule(application="KeePassXC")
    assert diary.private_rules() == (PrivateRule(application="KeePassXC"), PrivateRule(words="bank"))
    assert diary.private_rule(2) == PrivateRule(words="bank")


@rule("R22")
def test_a_removed_rule_hides_nothing_any_more_and_the_numbers_close_up(diary: Diary) -> None:
    for words in ("bank", "doctor", "tax"):
        diary.add_private_rule(words=words)
    diary.remove_private_rule(diary.private_rule(2))
    diary.remove_private_rule(PrivateRule(words="never added"))
    assert [each.words for each in diary.private_rules()] == ["bank", "tax"]
    for number in (0, 3, -1):
        with pytest.raises(NoSuchRuleError, match=str(number)):
            diary.private_rule(number)


@rule("R22")
def test_another_process_sees_a_rule_at_once(diary: Diary) -> None:
    with Diary.open(diary.home, clock=diary.clock) as other:
        diary.add_private_rule(words="bank")
        assert other.private_rules() == (PrivateRule(words="bank"),)


@rule("R22")
def test_a_rule_that_hides_all_or_nothing_is_refused_with_its_remedy(diary: Diary) -> None:
    for words in ("", " ", "*"):
        with pytest.raises(BadPrivateRuleError) as refused:
            diary.add_private_rule(words=words)
        assert "diary private add" in refused.value.how_to_mend
    assert diary.private_rules() == ()


@rule("R22")
def test_there_is_a_bound(diary: Diary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private_rules, "RULES_MAX", 2)
    diary.add_private_rule(words="one")
    diary.add_private_rule(words="two")
    with pytest.raises(TooManyRulesError):
        diary.add_private_rule(words="three")
    diary.add_private_rule(words="two")
    assert len(diary.private_rules()) == 2


@rule("R46")
def test_what_is_to_be_hidden_lies_in_no_file_in_clear(diary: Diary) -> None:
    diary.add_private_rule(application="zwiebelfisch", words="krummhorn")
    diary.remove_private_rule(diary.private_rule(1))
    diary.add_private_rule(words="dudelsack")
    for path in diary.home.rglob("*"):
        if path.is_file():
            raw = path.read_bytes().lower()
            assert not any(word in raw for word in (b"zwiebelfisch", b"krummhorn", b"dudelsack")), path
