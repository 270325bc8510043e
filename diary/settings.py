"""Settings of this device: names, defaults, and the values they may take (R5, R13, R17, R18)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from zoneinfo import available_timezones

from diary.errors import UsageError
from diary.state import OpenDiary

Value = str | int | bool
NAME_CHARACTERS_MAX = 200
_PREFIX = "setting "


class UnknownSettingError(UsageError):
    """There is no setting of this name."""

    says = "There is no setting “{name}”."
    mend = "The settings are: {known}."


class BadSettingError(UsageError):
    """A setting does not take this value."""

    says = "“{value}” is no value for {name}: {because}."
    mend = "See `diary config {name}`."


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: what it is without being set, what it takes, and what it does.

    `choices` are the words it takes, none where it takes more than can be listed.
    """

    default: Value
    takes: str
    is_fine: Callable[[Value], bool]
    does: str
    choices: tuple[str, ...] = ()


def _within(least: int, most: int) -> Callable[[Value], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _one_of(words: tuple[str, ...], does: str) -> Setting:
    """Return a setting that takes one of some words, at first the first of them."""
    return Setting(words[0], " or ".join(words), lambda value: value in words, does, words)


def _is_switch(value: Value) -> bool:
    return isinstance(value, bool)


def _is_name(value: Value) -> bool:
    return isinstance(value, str) and len(value) <= NAME_CHARACTERS_MAX and value.isprintable()


def _is_zone(value: Value) -> bool:
    return value == "" or value in available_timezones()


def _is_time(value: Value) -> bool:
    return value == "" or re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d", str(value)) is not None


_ON_OR_OFF = "on or off"

SETTINGS: Mapping[str, Setting] = {
    "picture_monitors": _one_of(("all", "active"), "which monitors a snapshot shows"),
    "camera": Setting(
        False,
        _ON_OR_OFF,
        _is_switch,
        "whether a camera frame goes with each snapshot; its light is on meanwhile",
    ),
    "camera_source": Setting(
        "", "a camera's name, or nothing for the first", _is_name, "which camera: /dev/video1, 1, video=NAME"
    ),
    "picture_gigabytes": Setting(
        10,
        "0 to 10000 gigabytes",
        _within(0, 10_000),
        "what pictures take here before old ones are thinned",
    ),
    "picture_days": Setting(
        90,
        "30 to 3650 days",
        _within(30, 3650),
        "how long a picture stays whole, whatever room it takes",
    ),
    "hold_seconds": Setting(
        60, "0 to 3600 seconds", _within(0, 3600), "how long a snapshot is held back after its notification"
    ),
    "notify": Setting(True, _ON_OR_OFF, _is_switch, "whether each snapshot is notified"),
    "notify_messages": _one_of(
        ("text", "sender", "off"), "what the notification of a message shows, while sync --watch or up runs"
    ),
    "idle_minutes": Setting(
        10, "1 to 120 minutes", _within(1, 120), "after how long without input it pauses"
    ),
    "activity_over": Setting(
        1, "0 to 9 minutes", _within(0, 9), "more active minutes than this a segment needs to qualify"
    ),
    "week_activity_over": Setting(
        5, "0 to 9 minutes", _within(0, 9), "more active minutes than this a week needs on average to qualify"
    ),
    "clock_24h": Setting(True, _ON_OR_OFF, _is_switch, "whether times read 17:45 or 5:45 pm"),
    "zone": Setting(
        "", "a time zone, or nothing for this machine's", _is_zone, "the zone times are shown in"
    ),
    "remind_week": Setting(
        True,
        _ON_OR_OFF,
        _is_switch,
        "whether Sunday evening and Monday morning say what the week lacks",
    ),
    "remind_work_at": Setting(
        "",
        "a time such as 9:00, or nothing",
        _is_time,
        "when to remind on weekdays that work hours have begun and nothing is tracked",
    ),
    "remind_memo_after": Setting(
        0,
        "0 to 480 minutes",
        _within(0, 480),
        "after how long to ask whether a memo still holds; 0: never",
    ),
    "bill_name": Setting("", "a name, or nothing", _is_name, "whose name stands on your invoices"),
    "bill_address": Setting(
        "",
        "a text, its lines parted by “; ”",
        _is_name,
        "which address and tax number stand on your invoices",
    ),
    "bill_pay": Setting(
        "", "a text, or nothing", _is_name, "how your invoices are to be paid: an IBAN, a link"
    ),
    "show_fixed_price": Setting(False, _ON_OR_OFF, _is_switch, "whether fixed-price contracts are shown"),
}
_WORDS = {"on": True, "yes": True, "true": True, "off": False, "no": False, "false": False}


def setting(diary: OpenDiary, name: str) -> Value:
    """Return a setting's value, its default where it was never set.

    Raises:
        UnknownSettingError: There is none of this name.
    """
    known = _known(name)
    with diary.reading():
        found = diary.kept(_PREFIX + name)
    return found if isinstance(found, str | int | bool) else known.default


def set_setting(diary: OpenDiary, name: str, value: Value) -> None:
    """Set a setting; a text is read as the kind of value it takes.

    Raises:
        UnknownSettingError: There is none of this name.
        BadSettingError: It does not take this value.
    """
    known = _known(name)
    meant = _read(value, known.default)
    if not known.is_fine(meant):
        raise BadSettingError(name=name, value=value, because=f"it takes {known.takes}")
    with diary.writing():
        diary.keep(_PREFIX + name, meant)


def _known(name: str) -> Setting:
    try:
        return SETTINGS[name]
    except KeyError:
        raise UnknownSettingError(name=name, known=", ".join(SETTINGS)) from None


def _read(value: Value, default: Value) -> Value:
    if not isinstance(value, str):
        return value
    text = value.strip()
    if isinstance(default, bool):
        return _WORDS.get(text.lower(), text)
    if isinstance(default, int) and text.isdecimal():
        return int(text)
    return text
