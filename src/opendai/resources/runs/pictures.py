"""What a screenshot's bytes really are. The sender's word for it is never served."""

import io

import msgpack
from PIL import Image

from opendai.errors import Fault, Invalid

_LARGEST_PIXELS = 40_000_000
_LONGEST_SIDE = 16_384
_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif"}
ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/gif": "gif"}


def picture_type(content: bytes) -> str:
    """The content type of a picture, found from its header alone; Invalid for anything that is none."""
    try:
        # Without `formats` some forty readers would be tried, an interpreter of PostScript among them.
        with Image.open(io.BytesIO(content), formats=list(_TYPES)) as picture:
            kind, (width, height) = str(picture.format), picture.size
    except Exception as error:
        # Pillow's readers raise a score of types on bytes that are not what they expect.
        raise _refused("must be a PNG, JPEG, WebP or GIF picture") from error
    if width > _LONGEST_SIDE or height > _LONGEST_SIDE or width * height > _LARGEST_PIXELS:
        raise _refused("must not be larger than 40 megapixels or 16384 pixels a side")
    return _TYPES[kind]


def unpack_map(body: bytes) -> dict[str, object]:
    """The MessagePack map in a body; bounded, so that a small body cannot become a large object."""
    try:
        given = msgpack.unpackb(
            body,
            raw=False,
            strict_map_key=True,
            max_str_len=65_536,
            max_bin_len=len(body),
            max_array_len=64,
            max_map_len=64,
            max_ext_len=0,
        )
    except Exception as error:
        # Besides its own errors the unpacker lets out ValueError, TypeError, OverflowError and more.
        raise Invalid("The body is not MessagePack.") from error
    if not isinstance(given, dict) or not all(isinstance(name, str) for name in given):
        raise Invalid("The body must be a MessagePack map with text keys.")
    return given


def _refused(problem: str) -> Invalid:
    return Invalid(f"image: {problem}", faults=[Fault("image", problem)])
