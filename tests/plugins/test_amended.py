"""What is amended in Datasette's own templates is still there to be amended (R24, R52).

The amendments look for words of Datasette 0.65's templates. A release that writes them otherwise would go
without a nonce or a name for a screen reader, and no page would fail; these tests do, and name the words.
"""

import re
from pathlib import Path

import datasette
import pytest
from jinja2 import Environment, FileSystemLoader

from datasette_work_diary.amended import AMENDMENTS, AmendedTemplates
from tests.rule import rule

TEMPLATES = Path(datasette.__file__).parent / "templates"
# A page of its makers that shows every piece of a page once, and those that only root's token opens.
NEVER_SHOWN = {"patterns.html", "allow_debug.html", "messages_debug.html", "permissions_debug.html"}
NAMES = sorted({path.name for path in TEMPLATES.glob("*.html")} - NEVER_SHOWN)


def amended(name: str) -> str:
    loader = AmendedTemplates(FileSystemLoader(TEMPLATES))
    return loader.get_source(Environment(autoescape=True), name)[0]


@rule("R52")
@pytest.mark.parametrize("what", [what for what, _ in AMENDMENTS], ids=lambda what: what.pattern)
def test_each_amendment_finds_its_place_in_this_release_of_datasette(what: re.Pattern[str]) -> None:
    places = [name for name in NAMES if what.search((TEMPLATES / name).read_text(encoding="utf-8"))]
    assert places, f"Datasette {datasette.__version__} writes {what.pattern!r} otherwise: amend it anew"


@rule("R52")
@pytest.mark.parametrize("name", NAMES)
def test_every_script_of_a_template_carries_the_nonce_that_the_policy_asks_for(name: str) -> None:
    scripts = re.findall(r"<script[^>]*", amended(name))
    assert [one for one in scripts if 'nonce="{{ csp_nonce }}"' not in one] == []


@rule("R24")
def test_every_field_of_a_table_has_a_name_that_is_read_aloud() -> None:
    fields = re.findall(r'<select[^>]*>|<input type="text"[^>]*>', amended("table.html"))
    assert len(fields) >= 6
    assert [one for one in fields if "aria-label=" not in one] == []
