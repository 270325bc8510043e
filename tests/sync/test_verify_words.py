"""What `diary verify` says of files that are no bundle, or none any more, and how it ends (R59; CLI.md)."""

import io
import json
import os
import threading
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from diary.cli import app
from tests.rule import rule

BUNDLE = Path(__file__).parents[1] / "diary" / "evidence" / "fixtures" / "format-3.bundle.zip"


def verify(file: Path | str, *words: str) -> Result:
    return CliRunner().invoke(app, ["verify", str(file), *words])


def packed_anew() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(BUNDLE) as read, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as written:
        for name in read.namelist():
            written.writestr(name, read.read(name))
    return made.getvalue()


@rule("R59")
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "the file: it is empty"),
        (b"week,start_utc\r\n", "the file: it is no bundle"),
        (b"PK\x05\x06" + bytes(18), "the file: it is no bundle"),
        (packed_anew(), "manifest.json: it is packed otherwise than bundles are: another program packed it"),
        (BUNDLE.read_bytes()[:9_000], "the file is cut short"),
    ],
    ids=["empty", "table", "empty-zip", "packed-anew", "cut"],
)
def test_what_is_no_bundle_ends_with_status_1_and_blames_nobody(
    tmp_path: Path, content: bytes, says: str
) -> None:
    (tmp_path / "it.zip").write_bytes(content)
    checked = verify(tmp_path / "it.zip")
    assert checked.exit_code == 1
    assert says.removeprefix("manifest.json: ") in checked.stdout
    assert "This bundle does not hold. One claim fails: " in checked.stderr
    assert json.loads(verify(tmp_path / "it.zip", "--json").stdout)["holds"] is False


@rule("R59")
def test_a_folder_and_a_name_of_no_file_are_a_slip_of_the_hand(tmp_path: Path) -> None:
    folder = verify(tmp_path)
    assert (folder.exit_code, "is a folder, and a bundle is one file" in folder.stderr) == (2, True)
    for name in (tmp_path / "none.zip", BUNDLE / "inside.zip", "x" * 5_000):
        missing = verify(name)
        assert (missing.exit_code, "There is no file" in missing.stderr) == (2, True)
        assert len(missing.stderr) < 400


@rule("R59")
def test_a_pipe_is_read_as_a_file_is(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writing = threading.Thread(target=pipe.write_bytes, args=(BUNDLE.read_bytes(),))
    writing.start()
    assert verify(pipe).exit_code == 0
    writing.join()


@rule("R60")
def test_what_holds_says_what_it_makes_and_how_late_it_came() -> None:
    checked = verify(BUNDLE)
    assert checked.exit_code == 0, checked.stderr
    assert "1 h 50 min after it ended" in checked.stdout
    assert "5 segments shown, 4 of them bill" in checked.stdout
    (total,) = json.loads(verify(BUNDLE, "--json").stdout)["totals"]
    makes = f"which makes {total['amount_minor'] / 100:.2f} {total['currency']}"
    assert makes in checked.stdout
    assert total["amount_minor"] == total["billable"] * 1000


@rule("R59")
def test_another_servers_key_is_answered_with_what_to_do_about_it() -> None:
    other = verify(BUNDLE, "--server-key", "0" * 64)
    assert other.exit_code == 1
    assert "the bundle is of another server than yours" in other.stderr
