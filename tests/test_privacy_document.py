"""docs/privacy.md claims nothing that no test holds."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENT = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")
CLAIMS = [
    line
    for line in DOCUMENT.splitlines()
    if line.startswith("| ") and not line.startswith(("| what |", "| who |"))
]
NAMED = re.compile(r"`([a-z0-9_/]+)::(test_[a-z0-9_]+)`")
CONTRACT = re.compile(r"contract “([^”]+)”")


def test_there_are_claims() -> None:
    assert len(CLAIMS) > 25


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim[2:50])
def test_every_claim_names_what_holds_it(claim: str) -> None:
    holding = claim.rsplit("|", 2)[1]
    assert NAMED.search(holding) or CONTRACT.search(holding)


@pytest.mark.parametrize(("place", "name"), sorted(set(NAMED.findall(DOCUMENT))))
def test_every_test_that_is_named_exists(place: str, name: str) -> None:
    room, _, stem = place.rpartition("/")
    tree = ast.parse((ROOT / "tests" / room / f"test_{stem}.py").read_text(encoding="utf-8"))
    defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert name in defined


@pytest.mark.parametrize("name", sorted(set(CONTRACT.findall(DOCUMENT))))
def test_every_contract_that_is_named_exists(name: str) -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert name in {each["name"] for each in settings["tool"]["importlinter"]["contracts"]}
