"""What the tracker says."""

from typing import get_args
from zoneinfo import ZoneInfo

import pytest

from capture.sentences import SENTENCES, sentence
from capture.steps import Say, Word
from diary.rules.ids import Slot
from tests.rule import rule


@rule("R5")
def test_a_slot_is_named_by_its_local_start() -> None:
    said = sentence(Say("stopped_after_snapshot", Slot(0), 1), ZoneInfo("Asia/Kolkata"))
    assert said == "05:30: stopped. 1 of 10 tracked minutes are kept."


@rule("R12")
@pytest.mark.parametrize("word", get_args(Word))
def test_there_is_a_sentence_for_all_that_happens(word: Word) -> None:
    assert set(get_args(Word)) == set(SENTENCES)
    assert sentence(Say(word, Slot(6)), ZoneInfo("UTC")).endswith(".")
