"""A phone's camera: reads a QR code from a picture, from a terminal's lines, or from a page."""

import io

import zxingcpp
from PIL import Image

MODULE_PIXELS = 6
DARK, LIGHT = 0, 255


def read_picture(png: bytes) -> list[str]:
    """Return what the codes in a picture say."""
    return [code.text for code in zxingcpp.read_barcodes(Image.open(io.BytesIO(png)).convert("L"))]


def read_lines(lines: list[str], *, ink: int = DARK, paper: int = LIGHT) -> list[str]:
    """Return what the code says that a terminal shows in half blocks, its ink on its paper."""
    rows = []
    for line in lines:
        rows.append([ink if block in "█▀" else paper for block in line])
        rows.append([ink if block in "█▄" else paper for block in line])
    picture = Image.new("L", (len(rows[0]) + 8, len(rows) + 8), paper)
    for y, row in enumerate(rows):
        for x, shade in enumerate(row):
            picture.putpixel((x + 4, y + 4), shade)
    size = (picture.width * MODULE_PIXELS, picture.height * MODULE_PIXELS)
    found = zxingcpp.read_barcodes(picture.resize(size, Image.Resampling.NEAREST))
    return [code.text for code in found]
