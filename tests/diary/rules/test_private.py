"""What a private rule hides, and what it does not."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from diary.rules.private import (
    TEXT_CHARACTERS_MAX,
    TITLE_CHARACTERS_MAX,
    BadRuleError,
    PrivateRule,
    hiding,
)
from tests.rule import rule

WORD = st.text("abcdeéß ñÄ漢字.", min_size=1, max_size=12).filter(lambda text: bool(text.strip()))
TITLES = st.text(max_size=60)
BANK = PrivateRule(words="bank")


@rule("R22")
@pytest.mark.parametrize(
    ("application", "title"),
    [
        ("Firefox", "My Bank - Mozilla Firefox"),
        ("Firefox", "SPARBANK"),
        ("bank-client", "Transfers"),
        ("Firefox", "ＢＡＮＫ"),  # full width
        ("Firefox", "ba\u200bnk"),  # a blank of no width
        ("Firefox", "b\u00adank"),  # a soft hyphen
    ],
)
def test_words_are_found_in_application_and_title_however_they_are_written(
    application: str, title: str
) -> None:
    assert BANK.hides(application, title)


@rule("R22")
def test_an_application_alone_hides_all_its_windows_and_no_other() -> None:
    rules = PrivateRule(application="keepass")
    assert rules.hides("KeePassXC", "")
    assert not rules.hides("Firefox", "KeePassXC: getting started")


@rule("R22")
def test_application_and_words_hide_only_what_has_both() -> None:
    rules = PrivateRule(application="thunderbird", words="private")
    assert rules.hides("Thunderbird", "Private - Inbox")
    assert not rules.hides("Thunderbird", "Work - Inbox")
    assert not rules.hides("Firefox", "Private browsing")


@rule("R22")
def test_a_star_stands_for_anything_between_and_order_matters() -> None:
    rules = PrivateRule(words="invoice * draft")
    assert rules.hides("Editor", "Invoice 12, second draft")
    assert not rules.hides("Editor", "draft of an invoice")


@rule("R22")
@pytest.mark.parametrize("text", ["*", "**", " * ", "   ", "\u200b", "x" * (TEXT_CHARACTERS_MAX + 1)])
def test_a_rule_that_would_hide_everything_or_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(BadRuleError):
        PrivateRule(words=text)
    with pytest.raises(BadRuleError):
        PrivateRule(application=text)


@rule("R22")
def test_a_rule_names_something() -> None:
    with pytest.raises(BadRuleError):
        PrivateRule()


@rule("R22")
@given(before=TITLES, word=WORD, after=TITLES)
def test_words_are_found_wherever_they_stand(before: str, word: str, after: str) -> None:
    # Around the word is a sign that nothing joins with: accents would make another letter of its last one.
    assert PrivateRule(words=word).hides("Any", f"{before}|{word}|{after}")


@rule("R22")
@given(
    pieces=st.lists(st.text("ab.+?(|[", min_size=1, max_size=3), min_size=1, max_size=4),
    title=st.text("ab.+?(|[", max_size=12),
)
def test_one_pass_finds_what_a_search_over_all_ways_finds(pieces: list[str], title: str) -> None:
    oracle = re.compile(".*".join(map(re.escape, pieces)), re.DOTALL)
    assert PrivateRule(words="*".join(pieces)).hides("", title) == bool(oracle.search(title))


@rule("R22")
@given(title=TITLES, word=WORD)
def test_case_never_decides(title: str, word: str) -> None:
    assume(all(sign.upper().lower() == sign.lower() for sign in title + word))
    rules = PrivateRule(words=word)
    assert rules.hides("", title.upper()) == rules.hides("", title.lower())


@rule("R22")
@given(words=st.lists(WORD, min_size=1, max_size=5), title=TITLES)
def test_a_window_is_private_if_any_rule_says_so(words: list[str], title: str) -> None:
    rules = [PrivateRule(words=word) for word in words]
    assert (hiding(rules, "", title) is not None) == any(each.hides("", title) for each in rules)


@rule("R22")
@pytest.mark.timeout(60)
def test_no_title_keeps_the_tracker_busy() -> None:
    # A search that goes back and tries again would not come to its end in this universe.
    title = "a" * TITLE_CHARACTERS_MAX
    hopeless = [PrivateRule(words="*".join(["a"] * stars) + "*b") for stars in range(1, 99)]
    assert hiding(hopeless, "", title) is None
