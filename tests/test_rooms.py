"""The house: what may lie where (ARCHITECTURE.md)."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("diary", "capture", "sync", "plugins")
TOP_LEVEL = {
    ".ci",
    ".gitignore",
    ".pre-commit-config.yaml",
    "CHANGELOG.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "bench",
    "capture",
    "diary",
    "docs",
    "plugins",
    "pyproject.toml",
    "requirements.lock",
    "sync",
    "tests",
}
VAGUE = {"utils", "util", "helpers", "common", "manager", "misc", "data", "info"}
LINES_MAX = 400
FUNCTION_LINES_MAX = 70


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [Path(name) for name in listed.splitlines() if (ROOT / name).exists()]


def modules() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".py" and path.parts[0] in ROOMS]


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_the_top_level_holds_the_rooms_and_the_usual_project_files() -> None:
    assert {path.parts[0] for path in tracked()} <= TOP_LEVEL


def test_an_init_file_holds_a_docstring_only() -> None:
    for path in modules():
        if path.name == "__init__.py":
            body = ast.parse((ROOT / path).read_text(encoding="utf-8")).body
            assert len(body) == 1, path
            assert isinstance(body[0], ast.Expr), path


def test_no_file_has_a_vague_name() -> None:
    assert [path for path in tracked() if path.stem in VAGUE or VAGUE & set(path.parts)] == []


def test_a_file_holds_one_idea() -> None:
    long = {str(path): len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in modules()}
    assert {path: lines for path, lines in long.items() if lines > LINES_MAX} == {}


def test_a_function_can_be_seen_at_once() -> None:
    long = {
        f"{path}:{function.name}": lines
        for path in modules()
        for function in functions(path)
        if (lines := (function.end_lineno or 0) - function.lineno + 1) > FUNCTION_LINES_MAX
    }
    assert long == {}


def test_every_test_can_fail() -> None:
    silent = [
        f"{path}:{function.name}"
        for path in tracked()
        if path.suffix == ".py" and path.parts[0] == "tests"
        for function in functions(path)
        if function.name.startswith("test_")
        and not re.search(r"\bassert|raises|warns|expect\(|check_|run_state_machine", ast.unparse(function))
    ]
    assert silent == []


def test_every_rule_that_is_built_has_a_test() -> None:
    rule = re.compile(r"\bR\d+\b")
    named = {
        number for path in modules() for number in rule.findall((ROOT / path).read_text(encoding="utf-8"))
    }
    held = {
        number
        for path in tracked()
        if path.suffix == ".py" and path.parts[0] == "tests"
        for mark in re.findall(r'@rule\("(R\d+)[a-z]?"\)', (ROOT / path).read_text(encoding="utf-8"))
        for number in [mark]
    }
    assert sorted(named - held, key=lambda number: int(number[1:])) == []


@pytest.mark.parametrize("word", ["NotImplementedError", "TODO", "FIXME", "XXX"])
def test_nothing_is_left_unfinished(word: str) -> None:
    assert [str(path) for path in modules() if word in (ROOT / path).read_text(encoding="utf-8")] == []


def test_no_file_names_a_registry_or_a_place_on_one_machine() -> None:
    host = re.compile(r"pypi\.org|pythonhosted|registry\.npmjs|/work/(?:main|shared)|/root/\.")
    found = [
        str(path)
        for path in tracked()
        if path.suffix not in {".png", ".avif", ".webp"}
        and path.name != "test_rooms.py"
        and host.search((ROOT / path).read_text(encoding="utf-8", errors="replace"))
    ]
    assert found == []
