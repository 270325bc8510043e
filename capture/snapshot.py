"""From the screen's pixels to the two pictures that are kept: the screen and a thumbnail (R13).

Measured on a synthetic page of text at 1920 by 1080: AVIF at quality 45 and speed 8 keeps 13-pixel text
readable in 200 KiB and takes half a second of one core; half the size is unreadable.
"""

import io
from dataclasses import dataclass
from typing import Literal

from PIL import Image, features

THUMBNAIL_WIDTH = 320
BLACK_LEVEL_MAX = 8  # of 255: a blanked or protected screen, not a dark theme, whose text is lighter
SIDE_MAX = 16_384  # pixels; WebP takes no longer side, and a wall of monitors stays within a version

Format = Literal["avif", "webp"]


@dataclass(frozen=True, slots=True)
class Encoded:
    """A snapshot as it is sealed: two files in memory, never on the disk (R46)."""

    screen: bytes
    thumbnail: bytes
    format: Format


def encode(image: Image.Image) -> Encoded:
    """Return the picture and its thumbnail, AVIF where this machine can write it, else WebP (R13)."""
    picture = image.convert("RGB")
    if max(picture.size) > SIDE_MAX:
        picture.thumbnail((SIDE_MAX, SIDE_MAX))
    small = picture.copy()
    small.thumbnail((THUMBNAIL_WIDTH, picture.height), reducing_gap=3.0)
    kind = best_format()
    return Encoded(_written(picture, kind), _written(small, kind), kind)


def best_format() -> Format:
    """Return the smaller of the two formats that this machine can write."""
    return "avif" if features.check("avif") else "webp"


def is_black(image: Image.Image) -> bool:
    """Return whether nothing is to be seen on the picture (R16)."""
    return all(high <= BLACK_LEVEL_MAX for _, high in image.convert("RGB").getextrema())  # type: ignore[misc]  # Pillow types one band and many alike


def _written(picture: Image.Image, kind: Format) -> bytes:
    sink = io.BytesIO()
    if kind == "avif":
        # One thread: a picture in ten minutes must not take the machine from its user.
        picture.save(sink, "AVIF", quality=45, speed=8, max_threads=1)
    else:
        picture.save(sink, "WEBP", quality=50, method=4)
    return sink.getvalue()
