"""Amounts of money as whole minor units, and how people write them (R7, R61)."""

import re
from decimal import Decimal
from functools import cache

_WRITTEN = re.compile(r"[0-9]{1,9}(?:\.([0-9]{1,4}))?")


@cache
def minor_digits(currency: str) -> int:
    """Return how many decimals a currency's amounts have by ISO 4217: 2 but for a few.

    2 as well for letters that the standard gives to no currency, and for metals, which have none.
    """
    from iso4217 import raw_table  # reads the standard's table when it is loaded: only who shows money waits

    digits = str(raw_table.get(currency, {}).get("CcyMnrUnts"))
    return int(digits) if digits.isdecimal() else 2


def money(amount_minor: int, currency: str) -> str:
    """Return an amount of minor units as it is written: 6050 of USD is "60.50", of JPY "6050"."""
    digits = minor_digits(currency)
    sign, amount = "-" if amount_minor < 0 else "", abs(amount_minor)
    if not digits:
        return f"{sign}{amount}"
    return f"{sign}{amount // 10**digits}.{amount % 10**digits:0{digits}}"


def minor_of(written: str, currency: str) -> int:
    """Return the minor units of an amount such as "60" or "60.50", never negative.

    Raises:
        ValueError: It is no amount of this currency; the text is a sentence for the user.
    """
    match = _WRITTEN.fullmatch(written.strip())
    digits = minor_digits(currency)
    if match is None or len(match[1] or "") > digits:
        raise ValueError(
            f"“{written}” is no amount of {currency}; one is written like {money(6050, currency)}."
        )
    return int(Decimal(written.strip()) * 10**digits)
