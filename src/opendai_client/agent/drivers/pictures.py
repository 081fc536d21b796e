"""Draws the screen of the simulated system under test: one small PNG for a state."""

import colorsys
import hashlib
import io
import textwrap
import unicodedata

from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

_SIZE = (480, 270)
_COLOURS = 64
_MARGIN = 24


def draw_state(state: str, *, model: str, order: int) -> bytes:
    """A PNG of 480 x 270 pixels. The title of the file holds the whole name, also letters that the font lacks."""
    paper = _colour(state)
    image = Image.new("RGB", _SIZE, paper)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, _SIZE[0], 44), fill=_shade(paper, 0.55))
    draw.text((_MARGIN, 12), _lines(model, width=44, count=1), font=ImageFont.load_default(18), fill="white")
    draw.multiline_text(
        (_MARGIN, 80),
        _lines(state, width=24, count=3),
        font=ImageFont.load_default(34),
        fill="white",
        spacing=8,
    )
    draw.text((_MARGIN, 232), f"step {order}, simulated", font=ImageFont.load_default(16), fill="white")
    title = PngInfo()
    title.add_itxt("Title", state)
    file = io.BytesIO()
    image.quantize(_COLOURS).save(file, "PNG", optimize=True, pnginfo=title)
    return file.getvalue()


def _lines(text: str, *, width: int, count: int) -> str:
    # Pillow's own font has little beyond ASCII: a letter without its accent reads better than an empty box.
    letters = unicodedata.normalize("NFKD", text)
    text = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return "\n".join(textwrap.wrap(text, width, max_lines=count, placeholder=" …"))


def _colour(name: str) -> tuple[int, int, int]:
    """Always the same for a name, and dark enough for white letters."""
    hue = hashlib.sha256(name.encode("utf-8", "replace")).digest()[0] / 256
    red, green, blue = colorsys.hls_to_rgb(hue, 0.38, 0.5)
    return round(red * 255), round(green * 255), round(blue * 255)


def _shade(colour: tuple[int, int, int], factor: float) -> tuple[int, int, int]:
    red, green, blue = colour
    return round(red * factor), round(green * factor), round(blue * factor)
