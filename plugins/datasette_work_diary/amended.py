"""Datasette's own templates, amended: what a strict policy and a screen reader need of them (R24, R52)."""

import re
from collections.abc import Callable

from jinja2 import BaseLoader, Environment

# What is replaced, and by what. A template of another version that has none of it stays as it is.
AMENDMENTS = (
    # Where a template itself has a script, the request's nonce is put; content can never carry it.
    (re.compile(r"<script(?=[\s>{])"), '<script nonce="{{ csp_nonce }}"'),
    (re.compile(r"<html>"), '<html lang="en">'),
    # The diary's pages have a main part of their own.
    (
        re.compile(r'<section class="content">'),
        '<section class="content"{% if not self.body_class().startswith("diary") %} role="main"{% endif %}>',
    ),
    (re.compile(r'<select name="_filter_column'), '<select aria-label="Column" name="_filter_column'),
    (re.compile(r'<select name="_filter_op'), '<select aria-label="Comparison" name="_filter_op'),
    (re.compile(r'<select name="_sort"'), '<select aria-label="Sort by" name="_sort"'),
    (
        re.compile(r'<input type="text" name="_filter_value'),
        '<input type="text" aria-label="Value" name="_filter_value',
    ),
    (
        re.compile(r"cmResize\(editor"),
        'editor.getInputField().setAttribute("aria-label", "SQL");\n        cmResize(editor',
    ),
    # The heading below a page's first is its second; its looks stay.
    (
        re.compile(
            r"<h3>(?=\{% if filtered_table_rows_count|Custom SQL query|Advanced export)(.*?)</h3>", re.DOTALL
        ),
        r'<h2 class="third">\1</h2>',
    ),
)


class AmendedTemplates(BaseLoader):
    """A loader of templates that amends what another one finds."""

    def __init__(self, loader: BaseLoader) -> None:
        self._loader = loader

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str | None, Callable[[], bool] | None]:
        """Return a template's source, amended."""
        source, name, is_fresh = self._loader.get_source(environment, template)
        for what, by in AMENDMENTS:
            source = what.sub(by, source)
        return source, name, is_fresh

    def list_templates(self) -> list[str]:
        """Return the names of all templates."""
        return self._loader.list_templates()
