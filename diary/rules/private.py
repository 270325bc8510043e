"""Private rules: which windows are never captured (R22).

A rule names an application, words, or both, as the freelancer would say them. Words and names are found
anywhere in what they are looked for in, whatever their case and width; `*` stands for anything in between.
There are no regular expressions: what a rule hides must be plain to who wrote it, and no text that a web
page puts into its title may keep the tracker busy. Where a rule could be read in two ways, it hides more.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

RULES_MAX = 200  # looked through for every window of the screen
TEXT_CHARACTERS_MAX = 200
TITLE_CHARACTERS_MAX = 4_096  # more of a title is not shown by any desktop; matching stays quick
ANYTHING = "*"


class BadRuleError(ValueError):
    """The rule makes no sense; the text says why."""


@dataclass(frozen=True, slots=True, order=True)
class PrivateRule:
    """One rule: an application, words, or both (R22).

    Words alone are looked for in application and title, an application alone means all its windows, and both
    mean the windows of that application whose title has the words.

    Raises:
        BadRuleError: It says nothing, would hide every window, or is too long.
    """

    application: str = ""
    words: str = ""

    def __post_init__(self) -> None:
        """Refuse a rule that hides nothing or everything."""
        if not self.application and not self.words:
            raise BadRuleError("it names neither an application nor words")
        for text in filter(None, (self.application, self.words)):
            if len(text) > TEXT_CHARACTERS_MAX:
                raise BadRuleError(f"it is longer than {TEXT_CHARACTERS_MAX} characters")
            if not _pieces(text):
                raise BadRuleError(f"“{text}” fits every window: to hide all, stop or pause tracking")

    def hides(self, application: str, title: str) -> bool:
        """Return whether a window of this application and title is private."""
        return self._fits(plain(application), plain(title))

    def _fits(self, application: str, title: str) -> bool:
        if not self.application:
            return _has(title, self.words) or _has(application, self.words)
        return _has(application, self.application) and (not self.words or _has(title, self.words))


def hiding(rules: Iterable[PrivateRule], application: str, title: str) -> PrivateRule | None:
    """Return the first rule that hides a window, None where it may be seen."""
    name, text = plain(application), plain(title)
    return next((rule for rule in rules if rule._fits(name, text)), None)  # noqa: SLF001  # made plain once for all rules


def plain(text: str) -> str:
    """Return a text as it is compared: case, width, marks that nobody sees and runs of blanks fall away.

    Otherwise a title could be written so that it reads like the rule's words and slips past them.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text[:TITLE_CHARACTERS_MAX].lower().split())
    composed = unicodedata.normalize("NFKC", text[:TITLE_CHARACTERS_MAX]).casefold()
    composed = unicodedata.normalize("NFKC", composed)
    seen = "".join(sign for sign in composed if unicodedata.category(sign) != "Cf")
    return " ".join("".join(" " if _is_blank(sign) else sign for sign in seen).split())


def _is_blank(sign: str) -> bool:
    return unicodedata.category(sign)[0] in "ZC"


@lru_cache(maxsize=2 * RULES_MAX)  # of rules, never of titles: those are not kept (R15)
def _pieces(pattern: str) -> tuple[str, ...]:
    """Return what must be found one after the other; none of a pattern that fits everything."""
    return tuple(piece for piece in (plain(part) for part in pattern.split(ANYTHING)) if piece)


def _has(within: str, pattern: str) -> bool:
    """Return whether the pattern's pieces stand in the plain text in their order.

    The first place that fits is always right: what comes after it only has more room. So one pass decides.
    """
    at = 0
    for piece in _pieces(pattern):
        found = within.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return True
