"""The two pictures of a snapshot."""

import io

import pytest
from PIL import Image, ImageDraw, features

from capture import snapshot
from capture.snapshot import THUMBNAIL_WIDTH, encode, is_black
from tests.rule import rule


def page(width: int = 1920, height: int = 1080) -> Image.Image:
    picture = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(picture)
    for line in range(0, height, 20):
        draw.text((20, line), "The invoice of the mill, page by page, line by line. " * 6, fill="black")
    return picture


@rule("R13")
def test_the_picture_keeps_its_size_and_the_thumbnail_its_shape() -> None:
    encoded = encode(page())
    screen = Image.open(io.BytesIO(encoded.screen))
    thumbnail = Image.open(io.BytesIO(encoded.thumbnail))
    assert screen.size == (1920, 1080)
    assert thumbnail.size == (THUMBNAIL_WIDTH, 180)
    assert (screen.format or "").lower() == encoded.format


@rule("R13")
@pytest.mark.parametrize(
    ("size", "small"), [((200, 100), (200, 100)), ((3840, 1080), (320, 90)), ((5, 4000), (5, 4000))]
)
def test_a_thumbnail_is_never_larger_than_the_screen(size: tuple[int, int], small: tuple[int, int]) -> None:
    assert Image.open(io.BytesIO(encode(page(*size)).thumbnail)).size == small


@rule("R13")
def test_where_avif_cannot_be_written_webp_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "check", lambda _name: False)
    encoded = snapshot.encode(page(640, 480))
    assert encoded.format == "webp"
    assert Image.open(io.BytesIO(encoded.screen)).format == "WEBP"


@rule("R16")
def test_black_is_black_and_a_dark_theme_is_not() -> None:
    black = Image.new("RGB", (640, 480), (3, 2, 5))
    assert is_black(black)
    ImageDraw.Draw(black).text((10, 10), "$", fill=(90, 90, 90))
    assert not is_black(black)
