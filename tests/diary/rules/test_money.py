"""Money is whole minor units; people write it otherwise."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from iso4217 import raw_table

from diary.rules.money import minor_of, money
from tests.rule import rule

VECTORS = Path(__file__).parents[2] / "vectors"
CURRENCIES = st.sampled_from(["USD", "EUR", "JPY", "KWD", "CLF", "NPR"])


@rule("R61")
def test_money_has_the_digits_of_its_currency() -> None:
    assert money(6050, "USD") == "60.50"
    assert money(5, "EUR") == "0.05"
    assert money(6050, "JPY") == "6050"
    assert money(6050, "KWD") == "6.050"
    assert money(-5, "USD") == "-0.05"


@rule("R61")
def test_every_currency_of_the_standard_is_written_as_the_pinned_list_says() -> None:
    pinned = json.loads((VECTORS / "money.json").read_text(encoding="utf-8"))
    assert pinned == {code: money(12345, code) for code in sorted(filter(None, raw_table))}
    assert {len(written.partition(".")[2]) for written in pinned.values()} == {0, 2, 3, 4}


@rule("R7")
@given(st.integers(0, 999_999_999), CURRENCIES)  # nine digits are the most that are read
def test_what_is_written_is_read_back(amount_minor: int, currency: str) -> None:
    assert minor_of(money(amount_minor, currency), currency) == amount_minor


@rule("R7")
def test_a_rate_may_leave_out_the_decimals() -> None:
    assert (minor_of("60", "USD"), minor_of("60.5", "USD"), minor_of("60", "JPY")) == (6000, 6050, 60)


@pytest.mark.parametrize("written", ["", "-1", "60,5", "sixty", "60.555", "1e3", "٦٠", "inf", "9999999999"])
def test_what_is_no_amount_is_said_with_an_example(written: str) -> None:
    with pytest.raises(ValueError, match="one is written like"):
        minor_of(written, "USD")


def test_a_currency_without_a_minor_unit_takes_no_decimals() -> None:
    with pytest.raises(ValueError, match="JPY"):
        minor_of("60.5", "JPY")
