"""The documents are true: every command and option is written down, every link leads somewhere."""

import ast
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = (ROOT / "docs" / "command.md").read_text(encoding="utf-8")
COMMON = {"--help", "--install-completion", "--show-completion"}


def commands(group: Any, context: Any, above: tuple[str, ...] = ()) -> list[tuple[str, Any]]:
    """Return every command below a group with its words, such as ("contract new", command)."""
    found = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name
        if command.hidden:
            continue
        words = (*above, name)
        if hasattr(command, "list_commands"):
            found += commands(command, context, words)
        else:
            found.append((" ".join(words), command))
    return found


def remedies(path: Path) -> list[str]:
    """Return the text of every `mend` and `says` that a module's errors carry."""
    return [
        ast.literal_eval(node.value)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id in {"mend", "says"}
        and isinstance(node.value, ast.Constant)
    ]


@pytest.fixture(scope="module")
def all_commands() -> list[tuple[str, Any]]:
    from diary.cli import app

    group = typer.main.get_command(app)
    with group.make_context("diary", ["status"], resilient_parsing=True) as context:
        return commands(group, context)


def test_every_picture_is_shown_and_every_page_of_the_navigation_has_one() -> None:
    shown = "".join(document.read_text(encoding="utf-8") for document in DOCUMENTS)
    pictures = {picture.stem for picture in (ROOT / "docs" / "pictures").iterdir()}
    assert {name for name in pictures if f"pictures/{name}.png" not in shown} == set()
    page = ROOT / "plugins" / "datasette_work_diary" / "templates" / "diary" / "page.html"
    rooms = set(re.findall(r'room == "(\w+)"', page.read_text(encoding="utf-8")))
    assert rooms <= pictures


def test_every_command_is_documented(all_commands: list[tuple[str, Any]]) -> None:
    assert len(all_commands) > 20
    assert [words for words, _ in all_commands if f"diary {words}" not in COMMANDS] == []


def test_every_option_is_documented(all_commands: list[tuple[str, Any]]) -> None:
    missing = [
        f"{words} {option}"
        for words, command in all_commands
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("--") and option not in COMMON and option not in COMMANDS
    ]
    assert missing == []


def test_every_remedy_names_a_command_that_exists(all_commands: list[tuple[str, Any]]) -> None:
    known = {words.split()[0] for words, _ in all_commands}
    unknown = [
        f"{path}: {named}"
        for room in ("diary", "capture", "sync", "plugins")
        for path in sorted((ROOT / room).rglob("*.py"))
        for text in remedies(path)
        for named in re.findall(r"diary (?:--home DIR )?([a-z]+)", text)
        if re.search(rf"[:`(] ?diary (?:--home DIR )?{named}\b", text) and named not in known
    ]
    assert unknown == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_every_make_target_named_in_the_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(
        re.findall(r"`?make ([a-z]+)\b(?=`|,| +#|\n)", (ROOT / "README.md").read_text(encoding="utf-8"))
    )
    assert {"run", "test", "bench", "soak"} <= named
    assert [target for target in named if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


def examples() -> list[str]:
    """Return every line of a shell block in README and docs/command.md that calls the command."""
    blocks = [
        block
        for path in (ROOT / "README.md", ROOT / "docs" / "command.md")
        for block in re.findall(r"```sh\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
    ]
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [
        line.removeprefix(".venv/bin/") for line in lines if re.match(r"(\.venv/bin/)?diary\b(?! \[)", line)
    ]


@pytest.mark.parametrize("line", examples())
def test_every_example_is_understood_as_it_is_printed(line: str) -> None:
    from diary.cli import app

    command: Any = typer.main.get_command(app)
    context = command.make_context("diary", shlex.split(line, comments=True)[1:])
    while hasattr(command, "resolve_command") and (left := [*context._protected_args, *context.args]):
        name, command, rest = command.resolve_command(context, left)
        assert command is not None, line
        context = command.make_context(name, rest, parent=context)
