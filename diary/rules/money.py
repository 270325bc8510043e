"""Amounts of money as whole minor units, and how people write them (R7, R61)."""

import re
from decimal import Decimal

# ISO 4217: the currencies whose minor unit is not a hundredth.
_DIGITS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX"), 0),
    **dict.fromkeys(("UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
_WRITTEN = re.compile(r"[0-9]{1,9}(?:\.([0-9]{1,3}))?")


def minor_digits(currency: str) -> int:
    """Return how many decimals a currency's amounts have: 2 but for the few that have 0 or 3."""
    return _DIGITS.get(currency, 2)


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
