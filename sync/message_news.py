"""Saying that messages came: in the words of whoever watches, and on the desktop where there is one (R68).

Who can show a notification says so by entry point, group "workdiary.notices": each object is a function
`tell(heading, body) -> bool`, False where the desktop shows none. Without that room it is said, not shown.
"""

from collections.abc import Callable, Iterator

from diary.diary import Diary
from diary.messaging import News
from diary.rules.plain_text import plain_line

NOTICES = "workdiary.notices"
TEXT_CHARACTERS_MAX = 200


def tell_news(diary: Diary, say: Callable[[str], None]) -> None:
    """Tell each contract's new messages once."""
    news = diary.message_news()
    shows = str(diary.setting("notify_messages")) if news else "off"
    for one in news:
        say(f"{heading_of(one)}: diary messages “{plain_line(one.title, 60)}”.")
        if shows != "off":
            body = plain_line(one.text, TEXT_CHARACTERS_MAX) if shows == "text" else ""
            for tell in _tellers():
                tell(heading_of(one), body)


def heading_of(news: News) -> str:
    """Return who wrote, and on which contract."""
    count = "A message" if news.count == 1 else f"{news.count} messages"
    return f"{count} from {plain_line(news.writer, 60)} on {plain_line(news.title, 60)}"


def _tellers() -> Iterator[Callable[[str, str], bool]]:
    from importlib.metadata import entry_points

    for point in entry_points(group=NOTICES):
        try:
            yield point.load()
        except ModuleNotFoundError:
            continue  # a room whose libraries are not installed shows nothing
