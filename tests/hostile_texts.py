"""Texts that whatever shows them might obey: one list, for every place where a text is shown (R24, R46, R58).

A test a place: terminal, JSON, CSV and the page of an export in tests/diary/test_hostile_texts.py,
LibreOffice in tests/diary/test_export_spreadsheet.py, pages in tests/plugins/test_hostile_texts_on_pages.py,
notifications and the tracker's log in tests/capture/test_hostile_notices.py.
"""

FORMULAS = (
    '=HYPERLINK("http://x.example";"pay")',
    "=1+1",
    "+1+1",
    "-2+3",
    "@SUM(A1:A9)",
    "=cmd|' /C calc'!A0",
    "\x00=1+1",
    " \u200b=1+1",
    "semicolon;=1+1;@SUM(A1)",
    "tab\t=1+1\tand line\n-2+3",
)
MARKUP = (
    "<script>alert(1)</script><b>bold</b> & “quoted”",
    "<img src=x onerror=\"document.title='owned'\"><svg onload=alert(1)>",
    '"><h1>broken out</h1><style>main{display:none}</style>',
    "{{ 7*7 }} {% raw %} ${7*7} </textarea></title><!--",
    "javascript:alert(1)",
    "[bold]markup[/bold] [link=http://x.example]here[/link]",
)
TURNING = (
    "right\u202eto left\u202c and \u2067isolated\u2069",
    "never closed \u202eright to left",
    "\u2066never closed either",
    "\u05e9\u05dc\u05d5\u05dd \u200f\u05e2\u05d5\u05dc\u05dd",
)
CONTROL = (
    "\ttab first",
    "\rreturn first",
    "nul\x00 inside",
    "\x1b]0;owned\x07 a title",
    "\x1b[31mred\x1b[0m and \x9b31malso red",
    "two\nlines",
    "two\u2028lines, another way",
)
LONG = ("x" * 4000, "日本語" * 1333)
TEXTS = MARKUP + FORMULAS + TURNING + CONTROL + LONG

OBEYED = frozenset(map(chr, (*range(32), *range(0x7F, 0xA0), 0x061C, 0x200E, 0x200F, 0x2028, 0x2029))) - {
    "\n"
}
TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def obeyed(text: str) -> set[str]:
    """Return which signs of a text a terminal would obey, or turn what stands beside it."""
    return {sign for sign in text if sign in OBEYED or sign in TURNS}
