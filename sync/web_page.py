"""Whether an answer is a page for people, and what it calls itself (R40).

Where a diary's server is asked, a page comes from who stands in between: a network that wants a log-in, a
filter, a proxy. What it says is a stranger's: one short line of it is shown, without any control character.
"""

import html
import re

import httpx

TITLE_CHARACTERS_MAX = 60
LOOKED_AT_BYTES = 8192  # a title stands at the beginning
_BEGINS = re.compile(rb"\s*<(?:!doctype html|html|head|body|meta|script|!--)", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]*>([^<]*)</title", re.IGNORECASE)


def is_web_page(answer: httpx.Response) -> bool:
    """Return whether an answer is HTML, by its name or by how it begins."""
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return kind in {"text/html", "application/xhtml+xml"} or _BEGINS.match(answer.content) is not None


def title_of(answer: httpx.Response) -> str:
    """Return a page's title in one line; "" where it has none."""
    found = _TITLE.search(answer.content[:LOOKED_AT_BYTES].decode("utf-8", "replace"))
    if found is None:
        return ""
    words = "".join(each if each.isprintable() else " " for each in html.unescape(found[1])).split()
    title = " ".join(words)
    return title if len(title) <= TITLE_CHARACTERS_MAX else f"{title[: TITLE_CHARACTERS_MAX - 1]}…"
