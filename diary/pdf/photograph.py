"""A picture as a PDF holds it: read within limits, no larger than it is printed (R59)."""

import io
from dataclasses import dataclass
from typing import Final

_EDGE_PIXELS_MAX: Final = 720  # 50 mm at 360 dots an inch
_PIXELS_MAX: Final = 200_000_000  # six screens of 8K: more is no snapshot, and would fill the memory
_QUALITY: Final = 80


@dataclass(frozen=True, slots=True)
class Photograph:
    """A picture as JPEG, and its height for one of its width."""

    jpeg: bytes
    tall: float


def photograph(picture: bytes) -> Photograph | None:
    """Return a picture of any format that a snapshot may have, None where it cannot be read."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(picture), formats=("AVIF", "WEBP", "PNG", "JPEG")) as opened:
            width, height = opened.size
            if width * height > _PIXELS_MAX:
                return None
            image = opened.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return None
    image.thumbnail((_EDGE_PIXELS_MAX, _EDGE_PIXELS_MAX))
    written = io.BytesIO()
    image.save(written, "JPEG", quality=_QUALITY)
    return Photograph(written.getvalue(), height / width)
