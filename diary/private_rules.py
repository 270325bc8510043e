"""The private rules as this device keeps them: sealed, since they say what is to be hidden (R22, R46)."""

import msgspec

from diary.errors import NothingError, UsageError
from diary.rules.private import RULES_MAX, BadRuleError, PrivateRule
from diary.state import OpenDiary

PRIVATE_RULES = "private rules"


class BadPrivateRuleError(UsageError):
    """A private rule makes no sense."""

    says = "This cannot be a private rule: {because}."
    mend = "Name an application, or words of a window's title: diary private add --help."


class TooManyRulesError(UsageError):
    """There is a bound, since each rule is looked through for each window."""

    says = "There are {most} private rules already."
    mend = "Remove one: diary private list, diary private remove NUMBER. A shorter text hides more."


class NoSuchRuleError(NothingError):
    """No private rule has this number."""

    says = "There is no private rule {number}."
    mend = "See them with `diary private list`."


def rules(diary: OpenDiary) -> tuple[PrivateRule, ...]:
    """Return the private rules in the order in which they were added."""
    with diary.reading():
        return _kept(diary)


def add(diary: OpenDiary, application: str, words: str) -> PrivateRule:
    """Add a rule; one that is there already changes nothing (R22).

    Raises:
        BadPrivateRuleError: It hides nothing, or everything.
        TooManyRulesError: There is no room for another one.
    """
    try:
        rule = PrivateRule(application.strip(), words.strip())
    except BadRuleError as error:
        raise BadPrivateRuleError(because=error) from error
    with diary.writing():
        kept = _kept(diary)
        if rule not in kept:
            if len(kept) >= RULES_MAX:
                raise TooManyRulesError(most=RULES_MAX)
            _keep(diary, (*kept, rule))
    return rule


def remove(diary: OpenDiary, rule: PrivateRule) -> None:
    """Remove a rule; one that is gone already changes nothing (R22)."""
    with diary.writing():
        kept = _kept(diary)
        if rule in kept:
            _keep(diary, tuple(each for each in kept if each != rule))


def numbered(diary: OpenDiary, number: int) -> PrivateRule:
    """Return a rule by its number in the list, from 1.

    Raises:
        NoSuchRuleError: There is none.
    """
    kept = rules(diary)
    if not 1 <= number <= len(kept):
        raise NoSuchRuleError(number=number)
    return kept[number - 1]


def _kept(diary: OpenDiary) -> tuple[PrivateRule, ...]:
    found = diary.kept(PRIVATE_RULES)
    return () if found is None else msgspec.convert(found, tuple[PrivateRule, ...])


def _keep(diary: OpenDiary, kept: tuple[PrivateRule, ...]) -> None:
    diary.keep(PRIVATE_RULES, [msgspec.to_builtins(each) for each in kept])
