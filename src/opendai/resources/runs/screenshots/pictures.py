"""The real type of a screenshot's bytes. The type that the sender claims is never served."""

import io

from PIL import Image

from opendai.errors import Fault, Invalid

_LARGEST_PIXELS = 40_000_000
_LONGEST_SIDE = 16_384
_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif"}
ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/gif": "gif"}


def picture_type(content: bytes) -> str:
    """The content type of a picture, found from its header alone; Invalid for anything else."""
    try:
        # Without `formats` Pillow would try some forty readers, an interpreter of PostScript among them.
        with Image.open(io.BytesIO(content), formats=list(_TYPES)) as picture:
            kind, (width, height) = str(picture.format), picture.size
    except Exception as error:
        # Pillow's readers raise many types of errors on bytes that they do not expect.
        raise _refused("must be a PNG, JPEG, WebP or GIF picture") from error
    if width > _LONGEST_SIDE or height > _LONGEST_SIDE or width * height > _LARGEST_PIXELS:
        raise _refused("must not be larger than 40 megapixels or 16384 pixels a side")
    return _TYPES[kind]


def _refused(problem: str) -> Invalid:
    return Invalid(f"image: {problem}", faults=[Fault("image", problem)])
