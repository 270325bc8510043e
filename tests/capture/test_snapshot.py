"""The two pictures of a snapshot."""

import io

import pytest
from PIL import Image, ImageDraw, features

from capture.snapshot import SIDE_MAX, THUMBNAIL_WIDTH, encode, is_black, is_flat
from tests.rule import rule


def page(width: int = 1920, height: int = 1080) -> Image.Image:
    picture = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(picture)
    for line in range(0, height, 20):
        draw.text((20, line), "The invoice of the mill, page by page, line by line. " * 6, fill="black")
    return picture


def photograph(width: int, height: int) -> Image.Image:
    """Return what is no drawing: soft shapes under the grain of a sensor."""
    shapes = Image.radial_gradient("L").resize((width, height))
    grain = Image.effect_noise((width, height), 12)
    return Image.merge("RGB", (Image.blend(shapes, grain, 0.3), shapes, Image.blend(grain, shapes, 0.6)))


@rule("R13")
def test_the_picture_keeps_its_size_and_the_thumbnail_its_shape() -> None:
    encoded = encode(page())
    screen = Image.open(io.BytesIO(encoded.screen))
    thumbnail = Image.open(io.BytesIO(encoded.thumbnail))
    assert screen.size == (1920, 1080)
    assert thumbnail.size == (THUMBNAIL_WIDTH, 180)
    assert (screen.format, thumbnail.format) == ("WEBP", "AVIF")


@rule("R13")
def test_text_is_kept_to_the_pixel_and_takes_little_room() -> None:
    encoded = encode(page())
    kept = Image.open(io.BytesIO(encoded.screen)).convert("RGB")
    assert kept.tobytes() == page().tobytes()
    assert len(encoded.screen) < 100 * 1024


@rule("R13")
def test_a_photograph_is_kept_with_loss_and_takes_little_room_too() -> None:
    encoded = encode(photograph(1920, 1080))
    kept = Image.open(io.BytesIO(encoded.screen))
    assert (kept.format, kept.size) == ("AVIF", (1920, 1080))
    assert len(encoded.screen) < 200 * 1024


@rule("R13")
@pytest.mark.parametrize("height", [31, 32, 127, 128, 1080])
def test_a_picture_of_any_height_is_told_flat_or_not(height: int) -> None:
    assert is_flat(Image.new("RGB", (400, height), "white"))
    assert not is_flat(Image.effect_noise((400, height), 80).convert("RGB"))


@rule("R13")
@pytest.mark.parametrize(
    ("size", "small"), [((200, 100), (200, 100)), ((3840, 1080), (320, 90)), ((5, 4000), (5, 4000))]
)
def test_a_thumbnail_is_never_larger_than_the_screen(size: tuple[int, int], small: tuple[int, int]) -> None:
    assert Image.open(io.BytesIO(encode(page(*size)).thumbnail)).size == small


@rule("R13")
def test_where_avif_cannot_be_written_webp_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "check", lambda _name: False)
    encoded = encode(photograph(640, 480))
    assert Image.open(io.BytesIO(encoded.screen)).format == "WEBP"
    assert Image.open(io.BytesIO(encoded.thumbnail)).format == "WEBP"


@rule("R13")
def test_a_wall_of_monitors_is_made_to_fit() -> None:
    encoded = encode(Image.new("RGB", (20_000, 40), "white"))
    assert Image.open(io.BytesIO(encoded.screen)).width == SIDE_MAX


@rule("R16")
def test_black_is_black_and_a_dark_theme_is_not() -> None:
    black = Image.new("RGB", (640, 480), (3, 2, 5))
    assert is_black(black)
    ImageDraw.Draw(black).text((10, 10), "$", fill=(90, 90, 90))
    assert not is_black(black)
