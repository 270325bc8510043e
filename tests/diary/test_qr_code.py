"""An invitation's link as a QR code: what a camera reads of it is the link (R64)."""

import pytest

from diary.qr_code import QUIET, qr_code
from diary.rules.ids import AccountId, ContractId
from diary.sealing.invitation import Link
from tests.rule import rule
from tests.seen_code import DARK, LIGHT, read_lines


def link_to(server: str) -> Link:
    return Link(server, AccountId("1c" * 16), ContractId("4e" * 16), "ab" * 32, bytes(range(32)))


@rule("R64")
@pytest.mark.parametrize("server", ["https://diary.example", "https://a-long-name.of-a-host.example:8440"])
def test_a_camera_reads_the_link_whichever_modules_a_terminal_draws(server: str) -> None:
    link = link_to(server).text
    code = qr_code(link)
    assert read_lines(code.lines(draws_dark=True)) == [link]
    assert read_lines(code.lines(draws_dark=False), ink=LIGHT, paper=DARK) == [link]


@rule("R64")
def test_it_is_square_has_its_white_around_and_fits_a_terminal_of_eighty_columns() -> None:
    code = qr_code(link_to("https://diary.example").text)
    assert {len(row) for row in code.rows} == {code.width}
    assert code.width <= 80
    edge = [*code.rows[:QUIET], *code.rows[-QUIET:]]
    assert not any(module for row in edge for module in row)
    assert not any(module for row in code.rows for module in (*row[:QUIET], *row[-QUIET:]))


@rule("R64")
def test_its_path_draws_each_dark_module_once_and_no_light_one() -> None:
    code = qr_code(link_to("https://diary.example").text)
    drawn = []
    for run in code.path.removesuffix("z").split("z"):
        at, _, length = run.removeprefix("M").removesuffix("v1h-" + run.rpartition("-")[2]).partition("h")
        x, y = at.split()
        drawn += [(int(x) + step, int(y)) for step in range(int(length))]
    dark = [(x, y) for y, row in enumerate(code.rows) for x, module in enumerate(row) if module]
    assert drawn == sorted(dark, key=lambda module: (module[1], module[0]))


@rule("R64")
@pytest.mark.parametrize(
    ("server", "here"),
    [
        ("http://127.0.0.1:8440", True),
        ("http://127.9.9.9", True),
        ("http://[::1]:8440", True),
        ("http://localhost:8440", True),
        ("http://diary.localhost", True),
        ("https://diary.example", False),
        ("http://192.168.1.20:8440", False),
        ("https://localhost.example", False),
    ],
)
def test_a_link_to_this_computer_alone_is_known(server: str, *, here: bool) -> None:
    assert link_to(server).leads_here is here
