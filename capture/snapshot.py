"""From the screen's pixels to the two pictures that are kept: the screen and a thumbnail (R13).

Two kinds of screen want two kinds of encoding (`python -m bench encoding` has the figures). Text, code and
forms have few colours in long runs: without any loss they take 30 to 90 KiB at 1920 by 1080, less than a
lossy picture in which a tenth to a half of the coloured words can no longer be read, and a third of the time.
A photograph or a film would take ten times that, and loses nothing that matters in a lossy one. A quarter of
the picture, encoded on trial, tells which it is.
"""

import io
from dataclasses import dataclass

from PIL import Image, features

THUMBNAIL_WIDTH = 320
BLACK_LEVEL_MAX = 8  # of 255: a blanked or protected screen, not a dark theme, whose text is lighter
SIDE_MAX = 16_383  # pixels; WebP takes no longer side, and a wall of monitors stays within a version
FLAT_BITS_PER_PIXEL = 0.5  # without loss, as the trial foresees it: 127 KiB at 1920 by 1080
TRIAL_ROWS, TRIAL_STEP = 32, 128  # these rows of every so many: whole lines of text, all down the screen
_LOSSLESS_EFFORT = 50  # of 100; more takes longer and hardly less room
_LOSSLESS_METHOD = 2  # of 6; with 4 the same bytes


@dataclass(frozen=True, slots=True)
class Encoded:
    """A snapshot as it is sealed: two files in memory, never on the disk (R46)."""

    screen: bytes
    thumbnail: bytes


def encode(image: Image.Image) -> Encoded:
    """Return the picture and its thumbnail (R13).

    A flat screen is kept as it was, as lossless WebP; any other as AVIF where this machine can write it, else
    as lossy WebP. Thumbnails are always lossy: they are looked at, not read.
    """
    picture = image.convert("RGB")
    if max(picture.size) > SIDE_MAX:
        picture.thumbnail((SIDE_MAX, SIDE_MAX))
    small = picture.copy()
    small.thumbnail((THUMBNAIL_WIDTH, picture.height), reducing_gap=3.0)
    screen = _without_loss(picture) if is_flat(picture) else _with_loss(picture, quality=60)
    return Encoded(screen, _with_loss(small, quality=45))


def encode_frame(image: Image.Image) -> bytes:
    """Return a camera's frame as it is kept (R13)."""
    return _with_loss(image.convert("RGB"), quality=45)


def is_flat(picture: Image.Image) -> bool:
    """Return whether a picture of text and plain areas is at hand, which takes little room without loss."""
    step, rows = (
        (TRIAL_STEP, TRIAL_ROWS) if picture.height >= TRIAL_STEP else (picture.height, picture.height)
    )
    tops = range((step - rows) // 2, picture.height - rows + 1, step)
    trial = Image.new("RGB", (picture.width, rows * len(tops)))
    for number, top in enumerate(tops):
        trial.paste(picture.crop((0, top, picture.width, top + rows)), (0, number * rows))
    return len(_without_loss(trial)) * 8 <= FLAT_BITS_PER_PIXEL * trial.width * trial.height


def is_black(image: Image.Image) -> bool:
    """Return whether nothing is to be seen on the picture (R16)."""
    return all(high <= BLACK_LEVEL_MAX for _, high in image.convert("RGB").getextrema())  # type: ignore[misc]  # Pillow types one band and many alike


def _without_loss(picture: Image.Image) -> bytes:
    sink = io.BytesIO()
    picture.save(sink, "WEBP", lossless=True, quality=_LOSSLESS_EFFORT, method=_LOSSLESS_METHOD)
    return sink.getvalue()


def _with_loss(picture: Image.Image, *, quality: int) -> bytes:
    sink = io.BytesIO()
    if features.check("avif"):
        # One thread: a picture in ten minutes must not take the machine from its user. Colours are kept at
        # full size, since red text on black is read by them alone.
        picture.save(sink, "AVIF", quality=quality, speed=8, max_threads=1, subsampling="4:4:4")
    else:
        picture.save(sink, "WEBP", quality=quality + 15, method=4)
    return sink.getvalue()
