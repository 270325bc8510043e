"""A film in a camera's place: no machine that runs tests has a camera."""

from pathlib import Path

import av
from PIL import Image

COLOUR = (200, 40, 90)


def film_at(path: Path) -> str:
    """Write a film of a camera's kind, MJPEG: dark at first, as cameras are, then of one colour."""
    with av.open(str(path), "w") as written:
        stream = written.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuvj420p"
        for number in range(12):
            image = Image.new("RGB", (1280, 720), COLOUR if number > 3 else (2, 2, 2))
            frame = av.VideoFrame.from_image(image)  # type: ignore[no-untyped-call]  # av types it not
            written.mux(stream.encode(frame))
        written.mux(stream.encode(None))
    return str(path)
