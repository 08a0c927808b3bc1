"""A drawn page as bytes for the screen."""

import base64
import io

from PIL.Image import Image

# A larger picture is a scan or a photograph, which JPEG makes ten times smaller.
_LARGE_PNG_BYTES = 600_000
_JPEG_QUALITY = 85


def encoded(image: Image) -> str:
    """The picture, which has the mode RGB, as PNG or JPEG in base64."""
    stream = io.BytesIO()
    image.save(stream, "PNG")
    if stream.tell() > _LARGE_PNG_BYTES:
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=_JPEG_QUALITY)
    return base64.b64encode(stream.getvalue()).decode("ascii")
