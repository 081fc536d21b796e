"""Small pictures to send."""

import io

from PIL import Image


def picture(number: int = 0) -> bytes:
    """A PNG of four pixels in a color of its own for each number."""
    held = io.BytesIO()
    color = (number % 256, number // 256 % 256, number // 65_536 % 256)
    Image.new("RGB", (2, 2), color).save(held, "PNG")
    return held.getvalue()
