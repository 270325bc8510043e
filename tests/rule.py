"""The mark that binds a test to a numbered rule of the product."""

import pytest


def rule(number: str) -> pytest.MarkDecorator:
    """Mark a test as holding the rule `number`, such as "R27" or "R37a"."""
    return pytest.mark.rule(number)
