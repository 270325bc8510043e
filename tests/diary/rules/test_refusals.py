"""Every refusal says what happened and what can still be done."""

from typing import get_args

import pytest

from diary.rules.change import RefusalReason
from diary.rules.refusals import REFUSED, What, words_of
from tests.rule import rule

# As CLI.md lists them, and those of two parties: what others may build on.
WORDS = tuple(
    """
    week_locked slot_deleted capture_exists version_reused contract_paused contract_closed
    manual_not_allowed label_required slot_in_future clock_ahead clock_unsure quota too_many_versions
    too_large too_many_siblings too_many_lives bad_header bad_signature device_revoked unknown_contract
    not_yours unknown_request not_late not_in_review week_open payer_fixed wrong_currency unknown_invoice
    payment_known unknown_payment not_disputed
    """.split()  # noqa: SIM905  # as CLI.md has them, to be compared by eye
)
KINDS: tuple[What, ...] = get_args(What)


@rule("R37d")
def test_every_word_has_sentences_and_no_other_word_does() -> None:
    assert tuple(REFUSED) == WORDS == get_args(RefusalReason)


@rule("R37d")
@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("what", KINDS)
def test_each_says_in_sentences_what_happened_and_what_can_still_be_done(word: str, what: What) -> None:
    words = words_of(word)
    for sentence in (words.happened, words.mends(what)):
        assert sentence[0].isupper()
        assert sentence.endswith(".")
    assert words.title
    assert word not in words.title


@rule("R37d")
@pytest.mark.parametrize("word", WORDS)
def test_of_a_refused_deletion_each_says_that_the_segment_stands(word: str) -> None:
    assert "It stands as before" in words_of(word).mends("deletion")


def test_what_a_newer_server_says_is_shown_by_its_own_word() -> None:
    assert words_of("too_blue").title == "Too blue"
    assert words_of("too_blue").mends("entry")


@rule("R37d")
def test_a_refused_edit_of_manual_time_is_not_told_that_the_time_is_missing() -> None:
    # The change of a memo and the adding of time are one kind of entry: the claim stands in both (R21).
    assert words_of("week_locked").mends("manual").startswith("Where the server had the segment it stands")
